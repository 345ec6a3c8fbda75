/**
 * Semantics of FEAT_LSE's atomic accesses. Rows: arch/instructions/extensionsAtomics. Cores take turns between instructions, so
 * a load and a store of one instruction are atomic; other cores' monitors and copies see the store as any other. Order (A, R, L)
 * has no further effect. MemAtomic, MemAtomicCompareAndSwap.
 */
import { extendU, type I32, type I64, i64, op64, select } from '../../wasm/code';
import { base, stackBase } from './address';
import type { Semantics, SemanticsContext } from './context';

/** A value's low bytes, as a signed 64-bit number. */
const signedBy = (value: I64, sizeLog2: number): I64 =>
  sizeLog2 === 3
    ? value
    : sizeLog2 === 2
      ? op64.shrS(op64.shl(value, i64(32)), i64(32))
      : [op64.extend8, op64.extend16][sizeLog2](value);
const unsignedBy = (value: I64, sizeLog2: number): I64 =>
  sizeLog2 === 3 ? value : op64.and(value, i64((1n << BigInt(8 << sizeLog2)) - 1n));

type Change = (old: I64, operand: I64, sizeLog2: number) => I64;

const choose =
  (sized: typeof signedBy, keepsOld: (old: I64, operand: I64) => I32): Change =>
  (old, operand, sizeLog2) =>
    select(keepsOld(sized(old, sizeLog2), sized(operand, sizeLog2)), old, operand);

/** LDADD and its kin, SWP. */
const readModifyWrite = (change: Change): Semantics => ({
  extra: stackBase,
  loads: 1,
  stores: 1,
  emit: (s) => {
    const { size } = s.statics;
    const operand = s.code.let(s.x('Rs'));
    s.setX(
      'Rt',
      s.atomic(base(s), size, (old) => change(old, operand, size)),
    );
  },
});

const compareAndSwap: Semantics = {
  extra: stackBase,
  loads: 1,
  emit: (s) => {
    const { size } = s.statics;
    const expected = s.code.let(unsignedBy(s.x('Rs'), size));
    const wanted = s.code.let(s.x('Rt'));
    const old = s.atomic(
      base(s),
      size,
      () => wanted,
      (value) => op64.eq(value, expected),
    );
    s.setX('Rs', old);
  },
};

/** Two words as one doubleword, the first register lowest (little-endian data). */
const joined = (s: SemanticsContext, field: string): I64 =>
  op64.or(extendU(s.w(field)), op64.shl(s.xNext(field), i64(32)));

const compareAndSwapPair: Semantics = {
  extra: stackBase,
  loads: 1,
  emit: (s) => {
    const address = base(s);
    if (s.statics.sz === 1) {
      const [expected, wanted] = (['Rs', 'Rt'] as const).map(
        (field) => [s.code.let(s.x(field)), s.code.let(s.xNext(field))] as const,
      );
      const [low, high] = s.compareAndSwapPair(address, expected, wanted);
      s.setX('Rs', low);
      s.setXNext('Rs', high);
      return;
    }
    const [expected, wanted] = (['Rs', 'Rt'] as const).map((field) => s.code.let(joined(s, field)));
    const old = s.atomic(
      address,
      3,
      () => wanted,
      (value) => op64.eq(value, expected),
    );
    s.setX('Rs', op64.and(old, i64(0xffffffff)));
    s.setXNext('Rs', op64.shrU(old, i64(32)));
  },
};

export const atomicSemantics = {
  CAS: compareAndSwap,
  CASP: compareAndSwapPair,
  SWP: readModifyWrite((_old, operand) => operand),
  LDADD: readModifyWrite(op64.add),
  LDCLR: readModifyWrite((old, operand) => op64.and(old, op64.xor(operand, i64(-1)))),
  LDEOR: readModifyWrite(op64.xor),
  LDSET: readModifyWrite(op64.or),
  LDSMAX: readModifyWrite(choose(signedBy, op64.gtS)),
  LDSMIN: readModifyWrite(choose(signedBy, op64.ltS)),
  LDUMAX: readModifyWrite(choose(unsignedBy, op64.gtU)),
  LDUMIN: readModifyWrite(choose(unsignedBy, op64.ltU)),
} as const satisfies Record<string, Semantics>;
