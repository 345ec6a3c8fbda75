/**
 * Semantics of loads and stores. Rows: arch/instructions/loadStore. A base register SP checks its alignment in a handler of its
 * own (SCTLR_ELx.SA), so that other bases pay nothing. Write-back happens after the access, which may fault.
 */
import type { Fields } from '../../arch/instructions';
import { extend32S, extendS, extendU, type I64, i64, op32, op64, wrap } from '../../wasm/code';
import { base, stackBase } from './address';
import { extended, signed } from './common';
import type { AccessKind, Semantics, SemanticsContext } from './context';

export type Mode = 'offset' | 'pre' | 'post';
export type OffsetOf = (s: SemanticsContext) => I64;

/** Runs the access at its address, then writes the base back where the mode says so. */
export function addressed(s: SemanticsContext, mode: Mode, offset: OffsetOf, access: (address: I64) => void): void {
  const start = base(s);
  const moved = s.code.let(op64.add(start, offset(s)));
  access(mode === 'post' ? start : moved);
  if (mode !== 'offset') s.setX('Rn', moved);
}

const scaledUnsigned: OffsetOf = (s) => extendU(s.small((f) => f.imm12 << f.size));
export const unscaled: OffsetOf = (s) => extendS(s.small((f) => signed(f.imm9, 9)));
/** The index register, extended; shifted by the size of the access where S says so. */
export const indexedBy =
  (sizeLog2: (s: SemanticsContext) => number): OffsetOf =>
  (s) => {
    const index = extended(s, 'Rm', s.statics.option);
    return s.statics.S === 1 ? op64.shl(index, i64(sizeLog2(s))) : index;
  };
const indexed = indexedBy((s) => s.statics.size ?? 3);
const pairOffset =
  (log2: (f: Fields) => number): OffsetOf =>
  (s) =>
    extendS(s.small((f) => signed(f.imm7, 7) << log2(f)));

/** A sign-extending load's result: to 32 bits when opc<0> = 1. */
function setSigned(s: SemanticsContext, value: I64, sizeLog2: number): void {
  if (s.statics.opc === 1) {
    const low = wrap(value);
    s.setW('Rt', sizeLog2 === 0 ? op32.extend8(low) : op32.extend16(low));
  } else {
    s.setX('Rt', [op64.extend8, op64.extend16, extend32S][sizeLog2](value));
  }
}

const single = (
  direction: 'load' | 'loadSigned' | 'store',
  mode: Mode,
  offset: OffsetOf,
  kind: AccessKind = {},
): Semantics => ({
  extra: stackBase,
  loads: direction === 'store' ? 0 : 1,
  stores: direction === 'store' ? 1 : 0,
  emit: (s) => {
    const { size } = s.statics;
    if (direction === 'store') {
      const value = s.code.let(s.x('Rt'));
      addressed(s, mode, offset, (address) => s.store(address, value, size, kind));
      return;
    }
    let value: I64 = i64(0);
    addressed(s, mode, offset, (address) => {
      value = s.load(address, size, kind);
    });
    if (direction === 'loadSigned') setSigned(s, value, size);
    else s.setX('Rt', value);
  },
});

/** Both accesses are done before any register is written: the second one may fault. */
const pairAccess = (direction: 'load' | 'loadSigned' | 'store', mode: Mode): Semantics => ({
  extra: stackBase,
  loads: direction === 'store' ? 0 : 2,
  stores: direction === 'store' ? 2 : 0,
  emit: (s) => {
    const size = direction === 'loadSigned' ? 2 : s.statics.sf === 1 ? 3 : 2;
    const offset = pairOffset(() => size);
    const step = i64(1 << size);
    if (direction === 'store') {
      const first = s.code.let(s.x('Rt'));
      const second = s.code.let(s.x('Rt2'));
      addressed(s, mode, offset, (address) => {
        s.store(address, first, size);
        s.store(s.code.let(op64.add(address, step)), second, size);
      });
      return;
    }
    let first: I64 = i64(0);
    let second: I64 = i64(0);
    addressed(s, mode, offset, (address) => {
      first = s.load(address, size);
      second = s.load(s.code.let(op64.add(address, step)), size);
    });
    s.setX('Rt', direction === 'loadSigned' ? extend32S(first) : first);
    s.setX('Rt2', direction === 'loadSigned' ? extend32S(second) : second);
  },
});

const literal = (size: (s: SemanticsContext) => number, isSigned: boolean): Semantics => ({
  loads: 1,
  emit: (s) => {
    const address = s.code.let(op64.add(s.pc(), extendS(s.small((f) => signed(f.imm19, 19) * 4))));
    const value = s.load(address, size(s));
    s.setX('Rt', isSigned ? extend32S(value) : value);
  },
});

const ordered = (direction: 'load' | 'store'): Semantics => ({
  extra: stackBase,
  loads: direction === 'load' ? 1 : 0,
  stores: direction === 'store' ? 1 : 0,
  emit: (s) => {
    const address = base(s);
    if (direction === 'load') s.setX('Rt', s.load(address, s.statics.size, { ordered: true }));
    else s.store(address, s.x('Rt'), s.statics.size, { ordered: true });
  },
});

const loadExclusive = (isOrdered: boolean): Semantics => ({
  extra: stackBase,
  emit: (s) => {
    s.loadExclusive(base(s), s.statics.size, { ordered: isOrdered });
    s.setX('Rt', s.value(0));
  },
});

const storeExclusive = (isOrdered: boolean): Semantics => ({
  extra: stackBase,
  emit: (s) => {
    const address = base(s);
    s.setValue(0, s.x('Rt'));
    s.setW('Rs', s.storeExclusive(address, s.statics.size, { ordered: isOrdered }));
  },
});

/** A 32-bit pair is one doubleword: the first register is its low word (little-endian data). */
const loadExclusivePair = (isOrdered: boolean): Semantics => ({
  extra: stackBase,
  emit: (s) => {
    const wide = s.statics.sz === 1;
    s.loadExclusive(base(s), wide ? 4 : 3, { ordered: isOrdered });
    const low = s.code.let(s.value(0));
    s.setX('Rt', wide ? low : op64.and(low, i64(0xffffffff)));
    s.setX('Rt2', wide ? s.value(1) : op64.shrU(low, i64(32)));
  },
});

const storeExclusivePair = (isOrdered: boolean): Semantics => ({
  extra: stackBase,
  emit: (s) => {
    const wide = s.statics.sz === 1;
    const address = base(s);
    if (wide) {
      s.setValue(0, s.x('Rt'));
      s.setValue(1, s.x('Rt2'));
    } else {
      s.setValue(0, op64.or(extendU(s.w('Rt')), op64.shl(s.x('Rt2'), i64(32))));
    }
    s.setW('Rs', s.storeExclusive(address, wide ? 4 : 3, { ordered: isOrdered }));
  },
});

/** Prefetches may do nothing; the machine's caches are filled by accesses only. */
const prefetch: Semantics = { emit: () => {} };

export const loadStoreSemantics = {
  STXR: storeExclusive(false),
  STLXR: storeExclusive(true),
  LDXR: loadExclusive(false),
  LDAXR: loadExclusive(true),
  STXP: storeExclusivePair(false),
  STLXP: storeExclusivePair(true),
  LDXP: loadExclusivePair(false),
  LDAXP: loadExclusivePair(true),
  STLR: ordered('store'),
  LDAR: ordered('load'),
  // There are no limited ordering regions: as STLR and LDAR.
  STLLR: ordered('store'),
  LDLAR: ordered('load'),
  LDAPR: ordered('load'),
  STLUR: single('store', 'offset', unscaled, { ordered: true }),
  LDAPUR: single('load', 'offset', unscaled, { ordered: true }),
  LDAPURS: single('loadSigned', 'offset', unscaled, { ordered: true }),
  LDR_lit: literal((s) => (s.statics.sf === 1 ? 3 : 2), false),
  LDRSW_lit: literal(() => 2, true),
  PRFM_lit: prefetch,
  STNP: pairAccess('store', 'offset'),
  LDNP: pairAccess('load', 'offset'),
  STP_post: pairAccess('store', 'post'),
  LDP_post: pairAccess('load', 'post'),
  LDPSW_post: pairAccess('loadSigned', 'post'),
  STP_off: pairAccess('store', 'offset'),
  LDP_off: pairAccess('load', 'offset'),
  LDPSW_off: pairAccess('loadSigned', 'offset'),
  STP_pre: pairAccess('store', 'pre'),
  LDP_pre: pairAccess('load', 'pre'),
  LDPSW_pre: pairAccess('loadSigned', 'pre'),
  STR_imm_uoff: single('store', 'offset', scaledUnsigned),
  LDR_imm_uoff: single('load', 'offset', scaledUnsigned),
  LDRS_imm_uoff: single('loadSigned', 'offset', scaledUnsigned),
  PRFM_imm: prefetch,
  STR_imm_post: single('store', 'post', unscaled),
  LDR_imm_post: single('load', 'post', unscaled),
  LDRS_imm_post: single('loadSigned', 'post', unscaled),
  STR_imm_pre: single('store', 'pre', unscaled),
  LDR_imm_pre: single('load', 'pre', unscaled),
  LDRS_imm_pre: single('loadSigned', 'pre', unscaled),
  STUR: single('store', 'offset', unscaled),
  LDUR: single('load', 'offset', unscaled),
  LDURS: single('loadSigned', 'offset', unscaled),
  PRFUM: prefetch,
  STTR: single('store', 'offset', unscaled, { unprivileged: true }),
  LDTR: single('load', 'offset', unscaled, { unprivileged: true }),
  LDTRS: single('loadSigned', 'offset', unscaled, { unprivileged: true }),
  STR_reg: single('store', 'offset', indexed),
  LDR_reg: single('load', 'offset', indexed),
  LDRS_reg: single('loadSigned', 'offset', indexed),
  PRFM_reg: prefetch,
} as const satisfies Record<string, Semantics>;
