/*
 * Double precision: products of matrices, which the compiler makes of fused multiply-adds, scalar and of vectors; planets that
 * attract each other, with divisions and square roots; a Fourier transform; conversions and comparisons of a histogram.
 */
#include "bench.h"

#ifndef ROUNDS
#define ROUNDS 600
#endif
#define SIDE 24
#define PLANETS 5
#define STEPS 200
#define POINTS 256
#define BINS 16

static double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];
static double re[POINTS], im[POINTS];
static u32 bins[BINS];
static u32 random_state = 0x2545f491;

/* A number in (-1, 1). */
static double next_double(void) { return (double)(int)next_random(&random_state) / 2147483648.0; }

static u32 mix_double(u32 hash, double value) {
  u64 bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return mix(mix(hash, (u32)bits), (u32)(bits >> 32));
}

static double square_root(double x) {
  double root;
  __asm__("fsqrt %d0, %d1" : "=w"(root) : "w"(x));
  return root;
}

/* Each element is a sum along a row and a column: scalar fused multiply-adds that wait for each other. */
static __attribute__((noinline)) void multiply(void) {
  for (u32 i = 0; i < SIDE; i++)
    for (u32 j = 0; j < SIDE; j++) {
      double sum = 0;
      for (u32 k = 0; k < SIDE; k++) sum += a[i][k] * b[k][j];
      c[i][j] = sum;
    }
}

/* The same row by row: vectors. */
static __attribute__((noinline)) void multiply_rows(void) {
  for (u32 i = 0; i < SIDE; i++) {
    for (u32 j = 0; j < SIDE; j++) c[i][j] = 0;
    for (u32 k = 0; k < SIDE; k++)
      for (u32 j = 0; j < SIDE; j++) c[i][j] += a[i][k] * b[k][j];
  }
}

static struct planet {
  double x, y, z, vx, vy, vz, mass;
} planets[PLANETS];

static __attribute__((noinline)) void advance(double step) {
  for (u32 i = 0; i < PLANETS; i++) {
    struct planet *p = &planets[i];
    for (u32 j = i + 1; j < PLANETS; j++) {
      struct planet *q = &planets[j];
      double x = p->x - q->x, y = p->y - q->y, z = p->z - q->z;
      double square = x * x + y * y + z * z + 0.01;
      double pull = step / (square * square_root(square));
      p->vx -= x * q->mass * pull, p->vy -= y * q->mass * pull, p->vz -= z * q->mass * pull;
      q->vx += x * p->mass * pull, q->vy += y * p->mass * pull, q->vz += z * p->mass * pull;
    }
  }
  for (u32 i = 0; i < PLANETS; i++) {
    struct planet *p = &planets[i];
    p->x += step * p->vx, p->y += step * p->vy, p->z += step * p->vz;
  }
}

/* Decimation in frequency, in place; the rotations are made by multiplication from one root of unity for each length. */
static __attribute__((noinline)) void transform(void) {
  double turn_re = 0.99969881869620425, turn_im = -0.024541228522912288; /* of 256 points */
  for (u32 half = POINTS / 2; half > 0; half /= 2) {
    double w_re = 1, w_im = 0;
    for (u32 k = 0; k < half; k++) {
      for (u32 i = k; i < POINTS; i += 2 * half) {
        double x = re[i] - re[i + half], y = im[i] - im[i + half];
        re[i] += re[i + half], im[i] += im[i + half];
        re[i + half] = x * w_re - y * w_im, im[i + half] = x * w_im + y * w_re;
      }
      double next = w_re * turn_re - w_im * turn_im;
      w_im = w_re * turn_im + w_im * turn_re, w_re = next;
    }
    double doubled = turn_re * turn_re - turn_im * turn_im;
    turn_im = 2 * turn_re * turn_im, turn_re = doubled;
  }
}

static __attribute__((noinline)) void count(void) {
  for (u32 i = 0; i < POINTS; i++) {
    double size = re[i] * re[i] + im[i] * im[i];
    u32 bin = size > 1000.0 ? BINS - 1 : (u32)(size * (BINS / 1000.0));
    bins[bin & (BINS - 1)]++;
  }
}

void main(void) {
  mmu_build();
  mmu_enable(0);
  __asm__ volatile("msr cpacr_el1, %0; isb" ::"r"(3ul << 20));
  for (u32 i = 0; i < SIDE; i++)
    for (u32 j = 0; j < SIDE; j++) a[i][j] = next_double(), b[i][j] = next_double();
  for (u32 i = 0; i < PLANETS; i++)
    planets[i] = (struct planet){next_double(), next_double(), next_double(), 0, 0, 0, 1 + next_double()};
  const u64 start = ticks();
  u32 hash = 0;
  for (u32 round = 0; round < ROUNDS; round++) {
    multiply();
    hash = mix_double(hash, c[round % SIDE][3]);
    multiply_rows();
    hash = mix_double(hash, c[5][round % SIDE]);
    a[round % SIDE][7] = c[2][2] / SIDE;
    for (u32 i = 0; i < STEPS; i++) advance(0.001);
    hash = mix_double(hash, planets[round % PLANETS].x);
    for (u32 i = 0; i < POINTS; i++) re[i] = next_double(), im[i] = c[i % SIDE][i / SIDE];
    transform();
    count();
    hash = mix(mix_double(hash, re[round % POINTS]), bins[round % BINS]);
  }
  finish("double", hash, start);
}
