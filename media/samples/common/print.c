/* Text on the board's PL011. One core prints at a time: there is no lock. */
#include "runtime.h"

#define UART 0x09000000ul
#define UARTDR (*(volatile u32 *)(UART + 0x000))
#define UARTFR (*(volatile u32 *)(UART + 0x018))
#define UARTLCR_H (*(volatile u32 *)(UART + 0x02c))
#define UARTCR (*(volatile u32 *)(UART + 0x030))

enum { FR_TXFF = 1 << 5, LCR_H_8BIT_FIFO = 0x70, CR_UARTEN_TXE_RXE = 0x301 };

void console_init(void) {
  UARTLCR_H = LCR_H_8BIT_FIFO;
  UARTCR = CR_UARTEN_TXE_RXE;
}

static void put(char c) {
  while (UARTFR & FR_TXFF) {
  }
  UARTDR = (u8)c;
}

static void put_number(u64 value, u32 base, u32 width, char pad) {
  char digits[20];
  u32 count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value);
  for (u32 i = count; i < width; i++) put(pad);
  while (count) put(digits[--count]);
}

void print(const char *format, ...) {
  __builtin_va_list arguments;
  __builtin_va_start(arguments, format);
  for (const char *p = format; *p; p++) {
    if (*p == '\n') put('\r');
    if (*p != '%') {
      put(*p);
      continue;
    }
    u32 width = 0, is_long = 0;
    for (p++; *p >= '0' && *p <= '9'; p++) width = width * 10 + (u32)(*p - '0');
    if (*p == 'l') is_long = 1, p++;
    if (*p == 's') {
      for (const char *s = __builtin_va_arg(arguments, const char *); *s; s++) put(*s);
    } else if (*p == 'c') {
      put((char)__builtin_va_arg(arguments, int));
    } else if (*p == 'u' || *p == 'x') {
      u64 value = is_long ? __builtin_va_arg(arguments, u64) : __builtin_va_arg(arguments, u32);
      put_number(value, *p == 'x' ? 16 : 10, width, *p == 'x' ? '0' : ' ');
    } else {
      put(*p);
    }
  }
  __builtin_va_end(arguments);
}
