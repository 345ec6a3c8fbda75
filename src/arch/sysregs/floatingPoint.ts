/**
 * Control and status of floating point and Advanced SIMD. No core traps floating-point exceptions: the enables read as zero.
 * Stride and Len do nothing in AArch64 state but are kept; N, Z, C and V of FPSR belong to AArch32.
 */
import { rowsOf } from './row';
import type { SystemRegisterRow } from './types';

const fp = rowsOf({ group: 'floatingPoint', read: 0, write: 0, reset: 0n, behaviour: 'storage' });
const options = { needs: 'fp' } as const;

export const floatingPointRows: readonly SystemRegisterRow[] = [
  fp(
    'FPCR',
    '3 3 4 4 0',
    'Floating-point Control Register',
    `
    63:27 RES0
    26 AHP half-precision format {0 IEEE; 1 alternative}
    25 DN NaN results {0 propagated; 1 the default NaN}
    24 FZ denormals of single and double precision {0 kept; 1 flushed to zero}
    23:22 RMode rounding {0 to nearest; 1 towards plus infinity; 2 towards minus infinity; 3 towards zero}
    21:20 Stride no function
    19 FZ16 [FEAT_FP16] denormals of half precision {0 kept; 1 flushed to zero}
    18:16 Len no function
    15 IDE [ro] traps input denormals
    14 RES0
    13 EBF [FEAT_EBF16] bfloat16 dot products {0 standard; 1 extended}
    12 IXE [ro] traps inexact results
    11 UFE [ro] traps underflow
    10 OFE [ro] traps overflow
    9 DZE [ro] traps division by zero
    8 IOE [ro] traps invalid operations
    7:3 RES0
    2 NEP [FEAT_AFP] scalar results {0 zero the upper elements; 1 keep them}
    1 AH [FEAT_AFP] alternate handling {0 off; 1 on}
    0 FIZ [FEAT_AFP] denormal inputs {0 kept; 1 flushed to zero}`,
    options,
  ),
  fp(
    'FPSR',
    '3 3 4 4 1',
    'Floating-point Status Register',
    `
    63:32 RES0
    31 N [FEAT_AA32EL0]
    30 Z [FEAT_AA32EL0]
    29 C [FEAT_AA32EL0]
    28 V [FEAT_AA32EL0]
    27 QC an integer operation saturated
    26:8 RES0
    7 IDC a denormal input was flushed
    6:5 RES0
    4 IXC a result was inexact
    3 UFC a result underflowed
    2 OFC a result overflowed
    1 DZC something was divided by zero
    0 IOC an operation was invalid`,
    options,
  ),
];
