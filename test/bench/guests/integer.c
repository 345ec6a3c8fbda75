/*
 * Integer work of many kinds, in less than 24 KiB of memory for each core: CRC, sorting, records and strings, matrices,
 * division, bit counting, a sieve. -DONLY_CORE=1: on one core; otherwise all four run the same loop on data of their own.
 */
#include "bench.h"

#ifndef ROUNDS
#define ROUNDS 900
#endif
#define SORTED 512
#define SIDE 20
#define SIEVE 4096
#define NAMES 16

struct record {
  struct record *next;
  u32 kind, count;
  char name[24];
};

struct work {
  u32 random;
  u32 crc_table[256];
  u8 bytes[2048];
  u32 sorted[SORTED];
  u32 a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];
  u8 composite[SIEVE];
  struct record records[NAMES];
} __attribute__((aligned(4096)));

static struct work work[CORES];
static u32 results[CORES];

static u32 crc32(struct work *w) {
  u32 crc = ~0u;
  for (u32 i = 0; i < sizeof w->bytes; i++) crc = w->crc_table[(crc ^ w->bytes[i]) & 0xff] ^ crc >> 8;
  return ~crc;
}

static void make_crc_table(struct work *w) {
  for (u32 i = 0; i < 256; i++) {
    u32 crc = i;
    for (u32 bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    w->crc_table[i] = crc;
  }
}

static void sift_down(u32 *heap, u32 root, u32 size) {
  u32 value = heap[root];
  for (u32 child; (child = 2 * root + 1) < size; root = child) {
    if (child + 1 < size && heap[child + 1] > heap[child]) child++;
    if (heap[child] <= value) break;
    heap[root] = heap[child];
  }
  heap[root] = value;
}

static u32 heap_sort(struct work *w) {
  u32 *v = w->sorted, sum = 0;
  for (u32 i = 0; i < SORTED; i++) v[i] = next_random(&w->random);
  for (u32 i = SORTED / 2; i-- > 0;) sift_down(v, i, SORTED);
  for (u32 size = SORTED; size-- > 1;) {
    u32 top = v[0];
    v[0] = v[size];
    v[size] = top;
    sift_down(v, 0, size);
  }
  for (u32 i = 1; i < SORTED; i++) sum += (v[i - 1] <= v[i]) + v[i] % 7;
  return sum;
}

static __attribute__((noinline)) int compare_names(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a - *b;
}

static __attribute__((noinline)) u32 classify(const struct record *record, u32 selector) {
  switch (selector % 6) {
    case 0: return record->count + 1;
    case 1: return record->kind * 3;
    case 2: return record->count ^ record->kind;
    case 3: return (u32)record->name[selector % 8];
    case 4: return record->count >> 1;
    default: return record->kind - record->count;
  }
}

static u32 records(struct work *w) {
  u32 sum = 0;
  struct record *list = 0;
  for (u32 i = 0; i < NAMES; i++) {
    struct record *record = &w->records[i];
    record->kind = i % 5;
    record->count = next_random(&w->random) % 1000;
    for (u32 j = 0; j < 11; j++) record->name[j] = (char)('a' + (i * 7 + j * (i & 3)) % 26);
    record->name[11] = 0;
    /* kept in order of name, as one inserts into a list */
    struct record **at = &list;
    while (*at && compare_names((*at)->name, record->name) < 0) at = &(*at)->next;
    record->next = *at;
    *at = record;
  }
  for (struct record *record = list; record; record = record->next) {
    struct record copy = *record;
    sum = mix(sum, classify(&copy, copy.count + copy.kind));
  }
  return sum;
}

static u32 matrices(struct work *w) {
  u32 sum = 0;
  for (u32 i = 0; i < SIDE; i++)
    for (u32 j = 0; j < SIDE; j++) {
      u32 cell = 0;
      for (u32 k = 0; k < SIDE; k++) cell += w->a[i][k] * w->b[k][j];
      w->c[i][j] = cell;
      sum ^= cell;
    }
  w->a[sum % SIDE][0] += sum;
  return sum;
}

static u32 division(struct work *w) {
  u64 sum = 0;
  for (u32 i = 0; i < 60; i++) {
    u64 a = (u64)next_random(&w->random) << 20 | i, b = next_random(&w->random) | 1;
    while (b) {
      u64 rest = a % b;
      a = b;
      b = rest;
    }
    sum += a;
  }
  u64 power = 1, base = w->random | 3, modulus = 0xfffffffb;
  for (u32 exponent = 65537; exponent; exponent >>= 1) {
    if (exponent & 1) power = power * base % modulus;
    base = base * base % modulus;
  }
  return (u32)(sum + power);
}

static u32 bits(struct work *w) {
  u32 sum = 0;
  for (u32 i = 0; i < 200; i++) {
    u64 v = (u64)next_random(&w->random) * 0x9e3779b97f4a7c15ull;
    u32 count = 0;
    for (u64 rest = v; rest; rest &= rest - 1) count++;
    v = v << (count & 31) | v >> (64 - (count & 31) - (count ? 0 : 1));
    sum = mix(sum, (u32)(v >> 32) + count);
  }
  return sum;
}

static u32 sieve(struct work *w) {
  u32 primes = 0;
  for (u32 i = 2; i < SIEVE; i++) w->composite[i] = 0;
  for (u32 i = 2; i < SIEVE; i++) {
    if (w->composite[i]) continue;
    primes++;
    for (u32 j = i * 2; j < SIEVE; j += i) w->composite[j] = 1;
  }
  return primes;
}

static u32 run(u32 core) {
  struct work *w = &work[core];
  u32 sum = 0;
  w->random = 0x12345678;
  make_crc_table(w);
  for (u32 i = 0; i < sizeof w->bytes; i++) w->bytes[i] = (u8)next_random(&w->random);
  for (u32 i = 0; i < SIDE; i++)
    for (u32 j = 0; j < SIDE; j++) w->a[i][j] = next_random(&w->random), w->b[i][j] = next_random(&w->random);
  for (u32 round = 0; round < ROUNDS; round++) {
    sum = mix(sum, crc32(w));
    sum = mix(sum, heap_sort(w));
    for (u32 i = 0; i < 4; i++) sum = mix(sum, records(w));
    sum = mix(sum, matrices(w));
    sum = mix(sum, division(w));
    sum = mix(sum, bits(w));
    sum = mix(sum, sieve(w));
    w->bytes[round % sizeof w->bytes] = (u8)sum;
  }
  return sum;
}

#ifdef ONLY_CORE
void main(void) {
  mmu_build();
  mmu_enable(0);
  u64 start = ticks();
  results[0] = run(0);
  finish("integer", results[0], start);
}
#else
void secondary_main(u64 core) {
  mmu_enable(0);
  __atomic_store_n(&results[core], run((u32)core) | 1, __ATOMIC_RELEASE);
  __asm__ volatile("dsb ish; sev" ::: "memory");
}

void main(void) {
  mmu_build();
  mmu_enable(0);
  u64 start = ticks();
  for (u32 core = 1; core < CORES; core++)
    if (start_core(core, core) != 0) {
      print("integer4: core %u did not start\n", core);
      end_run(1);
    }
  results[0] = run(0) | 1;
  u32 sum = 0;
  for (u32 core = 0; core < CORES; core++) {
    while (__atomic_load_n(&results[core], __ATOMIC_ACQUIRE) == 0) __asm__ volatile("wfe" ::: "memory");
    sum = mix(sum, results[core]);
  }
  finish("integer4", sum, start);
}
#endif
