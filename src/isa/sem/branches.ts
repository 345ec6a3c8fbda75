/** Semantics of branches and exceptions. Rows: arch/instructions/branches. */
import { extendS, extendU, type I64, i32, i64, op64 } from '../../wasm/code';
import { bySize, signed } from './common';
import type { Semantics, SemanticsContext, SlowPath } from './context';

const relative = (s: SemanticsContext, field: string, bits: number) =>
  op64.add(s.pc(), extendS(s.small((f) => signed(f[field], bits) * 4)));

const compareAndBranch = (whenZero: boolean): Semantics => ({
  emit: bySize((s, z) => {
    const t = z.get('Rt');
    const target = relative(s, 'imm19', 19);
    const zero = z.ops.eq(t, z.constant(0));
    s.code.if(whenZero ? zero : z.ops.ne(t, z.constant(0)), () => s.jump(target));
    s.next();
  }),
});

const testAndBranch = (whenZero: boolean): Semantics => ({
  emit: (s) => {
    const bit = op64.and(op64.shrU(s.x('Rt'), extendU(s.tiny((f) => f.b5 * 32 + f.b40))), i64(1));
    const target = relative(s, 'imm14', 14);
    s.code.if(whenZero ? op64.eqz(bit) : op64.ne(bit, i64(0)), () => s.jump(target));
    s.next();
  },
});

const exception = (path: SlowPath): Semantics => ({
  emit: (s) =>
    s.slow(
      path,
      s.small((f) => f.imm16 ?? 0),
    ),
});

/** Undefined outside Debug state. */
const undefinedHere: Semantics = { emit: (s) => s.slow('undefined', i32(0)) };

type BranchType = NonNullable<Semantics['extra']>;
/** PSTATE.BTYPE after a branch to a register, on cores that have it: X16 and X17 make no jump of a switch. */
export const jumpType: BranchType = {
  name: 'btype',
  count: 4,
  of: (f, has) => (has('FEAT_BTI') ? (f.Rn === 16 || f.Rn === 17 ? 1 : 3) : 0),
};
export const callType: BranchType = { name: 'btype', count: 4, of: (_f, has) => (has('FEAT_BTI') ? 2 : 0) };

export function typedJump(s: SemanticsContext, target: I64): void {
  const { btype } = s.statics;
  if (btype === 1 || btype === 2 || btype === 3) s.jumpWithType(target, btype);
  else s.jump(target);
}

export const branchSemantics = {
  B: { emit: (s) => s.jump(relative(s, 'imm26', 26)) },
  BL: {
    emit: (s) => {
      const target = s.code.let(relative(s, 'imm26', 26));
      s.setLink(op64.add(s.pc(), i64(4)));
      s.jump(target);
    },
  },
  B_cond: {
    emit: (s) => {
      const target = relative(s, 'imm19', 19);
      s.code.if(s.condition(s.statics.cond), () => s.jump(target));
      s.next();
    },
  },
  CBZ: compareAndBranch(true),
  CBNZ: compareAndBranch(false),
  TBZ: testAndBranch(true),
  TBNZ: testAndBranch(false),
  BR: { extra: jumpType, emit: (s) => typedJump(s, s.x('Rn')) },
  BLR: {
    extra: callType,
    emit: (s) => {
      const target = s.code.let(s.x('Rn'));
      s.setLink(op64.add(s.pc(), i64(4)));
      typedJump(s, target);
    },
  },
  RET: { emit: (s) => s.jump(s.x('Rn')) },
  ERET: { emit: (s) => s.slow('eret') },
  DRPS: undefinedHere,
  SVC: exception('svc'),
  HVC: exception('hvc'),
  SMC: exception('smc'),
  BRK: exception('brk'),
  HLT: exception('hlt'),
  DCPS1: undefinedHere,
  DCPS2: undefinedHere,
  DCPS3: undefinedHere,
  UDF: undefinedHere,
} as const satisfies Record<string, Semantics>;
