/* The functions that the compiler may call by itself. */
#include "runtime.h"

void *memcpy(void *to, const void *from, u64 size);
void *memset(void *to, int value, u64 size);

void *memcpy(void *to, const void *from, u64 size) {
  u8 *d = to;
  const u8 *s = from;
  if ((((u64)d | (u64)s) & 7) == 0)
    for (; size >= 8; size -= 8, d += 8, s += 8) *(volatile u64 *)d = *(const u64 *)s;
  for (; size; size--) *(volatile u8 *)d++ = *s++;
  return to;
}

void *memset(void *to, int value, u64 size) {
  u8 *d = to;
  for (; size; size--) *(volatile u8 *)d++ = (u8)value;
  return to;
}
