/* The one system call of the jit sample: x0 = rounds done, x1 = rounds with a wrong result. */
#pragma once

enum { CALL_RESULT = 1 };

extern unsigned char user_stack[4096];
