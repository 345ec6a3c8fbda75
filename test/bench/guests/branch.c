/*
 * Work that is mostly branches: an interpreter with a switch, backtracking, recursion, sorting and searching of numbers
 * without a pattern.
 */
#include "bench.h"

#ifndef ROUNDS
#define ROUNDS 240
#endif
#define PROGRAM 64
#define STEPS 40000
#define SORTED 1024

enum op { ADD, SUB, XOR, AND, SHIFT, MULTIPLY, MOVE, CONSTANT, SKIP_IF_ODD, SKIP_IF_LESS, SKIP_IF_ZERO, CALL, RETURN, SWAP, OPS };

struct instruction {
  u8 op, a, b, immediate;
};

static struct instruction program[PROGRAM];
static u32 numbers[SORTED];
static u32 random_state = 0x2545f491;

static void make_program(void) {
  for (u32 i = 0; i < PROGRAM; i++) {
    u32 r = next_random(&random_state);
    program[i] = (struct instruction){(u8)(r % OPS), (r >> 8) & 7, (r >> 12) & 7, (u8)(r >> 16)};
  }
}

/* Runs a fixed number of steps; the program goes round, so that it needs no end of its own. */
static __attribute__((noinline)) u32 interpret(void) {
  u32 r[8] = {1, 2, 3, 5, 7, 11, 13, 17}, calls[8] = {0}, depth = 0, pc = 0;
  for (u32 step = 0; step < STEPS; step++) {
    const struct instruction i = program[pc];
    u32 *a = &r[i.a], b = r[i.b];
    switch ((enum op)i.op) {
      case ADD: *a += b + step; break;
      case SUB: *a -= b; break;
      case XOR: *a ^= b + i.immediate; break;
      case AND: *a &= b | 0xffff; break;
      case SHIFT: *a = *a >> (b & 15) | *a << 7; break;
      case MULTIPLY: *a *= b | 1; break;
      case MOVE: *a = b; break;
      case CONSTANT: *a = i.immediate; break;
      case SKIP_IF_ODD: pc += *a & 1; break;
      case SKIP_IF_LESS: pc += *a < b; break;
      case SKIP_IF_ZERO: pc += (*a & 3) == 0 ? 2 : 0; break;
      case CALL: calls[depth++ & 7] = pc, pc += i.immediate & 31; break;
      case RETURN: pc = depth ? calls[--depth & 7] : pc; break;
      default: r[i.b] = *a, *a = b;
    }
    pc = (pc + 1) % PROGRAM;
  }
  return r[0] ^ r[1] ^ r[2] ^ r[3] ^ r[4] ^ r[5] ^ r[6] ^ r[7];
}

static __attribute__((noinline)) u32 fibonacci(u32 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

/* Ways to put queens on a board, row by row. */
static __attribute__((noinline)) u32 queens(u32 size, u32 row, u32 columns, u32 left, u32 right) {
  if (row == size) return 1;
  u32 ways = 0;
  for (u32 column = 0; column < size; column++) {
    u32 bit = 1u << column;
    if ((columns | left | right) & bit) continue;
    ways += queens(size, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return ways;
}

static __attribute__((noinline)) void quick_sort(u32 *v, u32 count) {
  while (count > 8) {
    u32 pivot = v[count / 2], i = 0, j = count - 1;
    for (;;) {
      while (v[i] < pivot) i++;
      while (v[j] > pivot) j--;
      if (i >= j) break;
      u32 swapped = v[i];
      v[i++] = v[j];
      v[j--] = swapped;
    }
    /* the smaller part by recursion, the larger one here */
    if (j + 1 < count / 2) {
      quick_sort(v, j + 1);
      v += j + 1;
      count -= j + 1;
    } else {
      quick_sort(v + j + 1, count - j - 1);
      count = j + 1;
    }
  }
  for (u32 i = 1; i < count; i++)
    for (u32 j = i; j > 0 && v[j - 1] > v[j]; j--) {
      u32 swapped = v[j];
      v[j] = v[j - 1];
      v[j - 1] = swapped;
    }
}

static __attribute__((noinline)) u32 search(u32 wanted) {
  u32 low = 0, high = SORTED;
  while (low < high) {
    u32 middle = (low + high) / 2;
    if (numbers[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

void main(void) {
  mmu_build();
  mmu_enable(0);
  u64 start = ticks();
  u32 checksum = 0;
  for (u32 round = 0; round < ROUNDS; round++) {
    make_program();
    checksum = mix(checksum, interpret());
    checksum = mix(checksum, fibonacci(18));
    checksum = mix(checksum, queens(7, 0, 0, 0, 0));
    for (u32 i = 0; i < SORTED; i++) numbers[i] = next_random(&random_state);
    quick_sort(numbers, SORTED);
    for (u32 i = 1; i < SORTED; i++)
      if (numbers[i - 1] > numbers[i]) {
        print("branch: not sorted\n");
        end_run(1);
      }
    for (u32 i = 0; i < SORTED; i++) checksum = mix(checksum, search(next_random(&random_state)));
  }
  finish("branch", checksum, start);
}
