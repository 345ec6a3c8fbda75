/**
 * Semantics of loads and stores of SIMD&FP registers. Rows: arch/instructions/simdLoadStore. Each register is one access, of a
 * quadword too.
 */
import { extendS, extendU, type I64, i64, op64, type V128 } from '../../wasm/code';
import { fromLow64 } from '../../wasm/vector';
import { stackBase } from './address';
import { signed } from './common';
import type { Semantics, SemanticsContext } from './context';
import { addressed, indexedBy, type Mode, type OffsetOf, unscaled } from './loadStore';

/** opc<1>:size of the single-register rows. */
const sizeOf = (s: SemanticsContext): number => s.statics.opc * 4 + s.statics.size;
/** opc of pairs and literals: S, D, Q. */
const wideSize = (s: SemanticsContext): number => 2 + s.statics.opc;

/** A register's contents after loading 1 << sizeLog2 bytes. */
const load = (s: SemanticsContext, address: I64, sizeLog2: number): V128 =>
  sizeLog2 === 4 ? s.loadV(address) : fromLow64(s.load(address, sizeLog2));

/** Reads the register before anything else happens; the result does the store. */
function store(s: SemanticsContext, field: string, sizeLog2: number): (address: I64) => void {
  if (sizeLog2 === 4) {
    const value = s.code.let(s.v(field));
    return (address) => s.storeV(address, value);
  }
  const value = s.code.let(s.element64(field, sizeLog2 as 0 | 1 | 2 | 3));
  return (address) => s.store(address, value, sizeLog2);
}

const single = (direction: 'load' | 'store', mode: Mode, offset: OffsetOf): Semantics => ({
  extra: stackBase,
  loads: direction === 'load' ? 1 : 0,
  stores: direction === 'store' ? 1 : 0,
  emit: (s) => {
    if (direction === 'store') return addressed(s, mode, offset, store(s, 'Rt', sizeOf(s)));
    addressed(s, mode, offset, (address) => s.setV('Rt', load(s, address, sizeOf(s))));
  },
});

/** Both accesses are done before any register is written: the second one may fault. */
const pair = (direction: 'load' | 'store', mode: Mode): Semantics => ({
  extra: stackBase,
  loads: direction === 'load' ? 2 : 0,
  stores: direction === 'store' ? 2 : 0,
  emit: (s) => {
    const size = wideSize(s);
    const offset: OffsetOf = () => extendS(s.small((f) => signed(f.imm7, 7) << size));
    const after = (address: I64): I64 => s.code.let(op64.add(address, i64(1 << size)));
    if (direction === 'store') {
      const [first, second] = [store(s, 'Rt', size), store(s, 'Rt2', size)];
      return addressed(s, mode, offset, (address) => {
        first(address);
        second(after(address));
      });
    }
    addressed(s, mode, offset, (address) => {
      const first = load(s, address, size);
      const second = load(s, after(address), size);
      s.setV('Rt', first);
      s.setV('Rt2', second);
    });
  },
});

const literal: Semantics = {
  loads: 1,
  emit: (s) => {
    const address = s.code.let(op64.add(s.pc(), extendS(s.small((f) => signed(f.imm19, 19) * 4))));
    s.setV('Rt', load(s, address, wideSize(s)));
  },
};

const scaled: OffsetOf = (s) => extendU(s.small((f) => f.imm12 << (f.opc * 4 + f.size)));
const indexed = indexedBy(sizeOf);

export const simdLoadStoreSemantics = {
  STR_fp_uoff: single('store', 'offset', scaled),
  LDR_fp_uoff: single('load', 'offset', scaled),
  STR_fp_post: single('store', 'post', unscaled),
  LDR_fp_post: single('load', 'post', unscaled),
  STR_fp_pre: single('store', 'pre', unscaled),
  LDR_fp_pre: single('load', 'pre', unscaled),
  STUR_fp: single('store', 'offset', unscaled),
  LDUR_fp: single('load', 'offset', unscaled),
  STR_fp_reg: single('store', 'offset', indexed),
  LDR_fp_reg: single('load', 'offset', indexed),
  LDR_fp_lit: literal,
  STNP_fp: pair('store', 'offset'),
  LDNP_fp: pair('load', 'offset'),
  STP_fp_post: pair('store', 'post'),
  LDP_fp_post: pair('load', 'post'),
  STP_fp_off: pair('store', 'offset'),
  LDP_fp_off: pair('load', 'offset'),
  STP_fp_pre: pair('store', 'pre'),
  LDP_fp_pre: pair('load', 'pre'),
} as const satisfies Record<string, Semantics>;
