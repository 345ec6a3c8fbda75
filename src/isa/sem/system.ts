/** Semantics of hints, barriers and system instructions: the work is the core's, reached through slow paths. */

import type { Fields } from '../../arch/instructions';
import { i32 } from '../../wasm/code';
import type { Semantics } from './context';

const nothing: Semantics = { emit: () => {} };

/** op0:op1:CRn:CRm:op2, 16 bits, as arch/sysregs looks registers up. */
const registerKey = (f: Fields): number => ((2 + f.o0) << 14) | (f.op1 << 11) | (f.CRn << 7) | (f.CRm << 3) | f.op2;
const operationKey = (f: Fields): number => (1 << 14) | (f.op1 << 11) | (f.CRn << 7) | (f.CRm << 3) | f.op2;

const barrier = (kind: number): Semantics => ({
  emit: (s) =>
    s.slow(
      'barrier',
      i32(kind),
      s.tiny((f) => f.CRm),
    ),
});

/** MSR (immediate) of a field that came after Armv8.0. */
const pstateImmediate = (op1: number, op2: number): Semantics => ({
  emit: (s) =>
    s.slow(
      'msrImmediate',
      i32(op1),
      i32(op2),
      s.tiny((f) => f.CRm),
    ),
});

export const systemSemantics = {
  HINT: nothing,
  BTI: nothing,
  ESB: { emit: (s) => s.slow('esb') },
  NOP: nothing,
  YIELD: nothing,
  WFE: { emit: (s) => s.slow('wfe') },
  WFI: { emit: (s) => s.slow('wfi') },
  SEV: { emit: (s) => s.slow('sev') },
  SEVL: { emit: (s) => s.slow('sevl') },
  CLREX: { emit: (s) => s.slow('clrex') },
  DSB: barrier(0),
  DMB: barrier(1),
  ISB: barrier(2),
  MSR_imm: {
    emit: (s) =>
      s.slow(
        'msrImmediate',
        s.tiny((f) => f.op1),
        s.tiny((f) => f.op2),
        s.tiny((f) => f.CRm),
      ),
  },
  MSR_imm_UAO: pstateImmediate(0, 3),
  MSR_imm_PAN: pstateImmediate(0, 4),
  MSR_imm_SSBS: pstateImmediate(3, 1),
  MSR_imm_DIT: pstateImmediate(3, 2),
  /** Nothing is speculated here. */
  SB: nothing,
  MSR_reg: {
    emit: (s) => {
      s.setValue(0, s.x('Rt'));
      s.slow('systemWrite', s.small(registerKey));
    },
  },
  MRS: {
    emit: (s) => {
      s.slow('systemRead', s.small(registerKey));
      s.setX('Rt', s.value(0));
    },
  },
  SYS: {
    emit: (s) => {
      s.setValue(0, s.x('Rt'));
      s.slow('systemOperation', s.small(operationKey));
    },
  },
  /** No SYSL of Armv8.0 is defined: UNDEFINED. */
  SYSL: { emit: (s) => s.slow('undefined', i32(0)) },
} as const satisfies Record<string, Semantics>;
