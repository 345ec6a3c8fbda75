/** Conversions between formats, and between numbers and integers or fixed point, scalar and vector. */
import { extend32S, extendS, extendU, type I32, type I64, i32, i64, op64, wrap } from '../../../wasm/code';
import type { Semantics, SemanticsContext } from '../context';
import {
  both,
  eachElement,
  element,
  type RoundingMode,
  rounding,
  routine,
  setElements,
  setScalar,
  type Width,
  widthOf,
} from './common';

type Emit = Semantics['emit'];

const convert = (s: SemanticsContext, from: Width, to: Width, a: I64, mode: RoundingMode = 'Fpcr'): I64 =>
  s.call(`FPConvert${from}to${to}`, 'i64', a, rounding(s, mode));

const betweenFormats = (from: Width, to: Width): Semantics => ({
  emit: (s) => setScalar(s, to, convert(s, from, to, element(s, 'Rn', from))),
});

// ---- general registers ----

const none = i32(0);
const scale = (s: SemanticsContext): I32 => s.tiny((f) => 64 - f.scale);

/** To a general register; the number of fraction bits is in `scale` if `isFixed`. */
const toGeneral =
  (unsigned: boolean, mode: RoundingMode, isFixed = false): Emit =>
  (s) => {
    const n = widthOf(s);
    const bits = i32(s.statics.sf === 1 ? 64 : 32);
    const fraction = isFixed ? scale(s) : none;
    const modeOf = rounding(s, mode);
    s.setX('Rd', routine(s, 'FPToFixed', n, element(s, 'Rn', n), fraction, i32(Number(unsigned)), modeOf, bits));
  };
const fromGeneral =
  (unsigned: boolean, isFixed = false): Emit =>
  (s) => {
    const n = widthOf(s);
    const word = (): I64 => (unsigned ? extendU(s.w('Rn')) : extendS(s.w('Rn')));
    const value = s.statics.sf === 1 ? s.x('Rn') : word();
    const fraction = isFixed ? scale(s) : none;
    setScalar(s, n, routine(s, 'FixedToFP', n, value, fraction, i32(Number(unsigned)), rounding(s, 'Fpcr')));
  };

/** FJCVTZS: Z says whether the result is the number. */
const javaScript: Emit = (s) => {
  const result = s.code.let(s.call('FPToFixedJS', 'i64', element(s, 'Rn', 64)));
  s.setW('Rd', wrap(result));
  s.setNzcv(wrap(op64.shl(op64.shrU(result, i64(32)), i64(2))));
};

// ---- elements ----

function toInteger(s: SemanticsContext, n: Width, a: I64, unsigned: boolean, mode: RoundingMode, fraction: I32): I64 {
  return routine(s, 'FPToFixed', n, a, fraction, i32(Number(unsigned)), rounding(s, mode), i32(n));
}
function fromInteger(s: SemanticsContext, n: Width, a: I64, unsigned: boolean, fraction: I32): I64 {
  const extended = unsigned || n === 64 ? a : n === 32 ? extend32S(a) : op64.extend16(a);
  return routine(s, 'FixedToFP', n, extended, fraction, i32(Number(unsigned)), rounding(s, 'Fpcr'));
}

type ElementOperation = (s: SemanticsContext, n: Width, a: I64, fraction: I32) => I64;

const ofVector =
  (operation: ElementOperation, width?: Width): Emit =>
  (s) => {
    const n = width ?? widthOf(s);
    const fraction = width ? s.tiny((f) => width - f.immb) : none;
    eachElement(s, n, (i) => operation(s, n, element(s, 'Rn', n, i), fraction));
  };
const ofScalar =
  (operation: ElementOperation, width?: Width): Emit =>
  (s) => {
    const n = width ?? widthOf(s);
    const fraction = width ? s.tiny((f) => width - f.immb) : none;
    setScalar(s, n, operation(s, n, element(s, 'Rn', n), fraction));
  };

/** The vector and the scalar rows of an integer conversion. */
const elements = <M extends string>(m: M, operation: ElementOperation) => ({
  ...both(`${m}_vec`, ofVector(operation)),
  ...both(`${m}_scalar`, ofScalar(operation)),
});
type Form = '_imm' | '_imm_scalar';
const fixed = <M extends string>(m: M, operation: ElementOperation) => {
  const rows = (['d', 's', 'h'] as const).flatMap((letter) => {
    const width = ({ d: 64, s: 32, h: 16 } as const)[letter];
    return [
      [`${m}_imm_${letter}`, { emit: ofVector(operation, width) }],
      [`${m}_imm_scalar_${letter}`, { emit: ofScalar(operation, width) }],
    ];
  });
  return Object.fromEntries(rows) as Record<`${M}${Form}_${'d' | 's' | 'h'}`, Semantics>;
};

const to =
  (unsigned: boolean, mode: RoundingMode): ElementOperation =>
  (s, n, a, fraction) =>
    toInteger(s, n, a, unsigned, mode, fraction);
const from =
  (unsigned: boolean): ElementOperation =>
  (s, n, a, fraction) =>
    fromInteger(s, n, a, unsigned, fraction);

/** All forms of a conversion to an integer. */
const toIntegers = <M extends string>(m: M, unsigned: boolean, mode: RoundingMode) => ({
  ...both(`${m}_int`, toGeneral(unsigned, mode)),
  ...elements(m, to(unsigned, mode)),
});

// ---- vectors of other formats ----

/** To twice the width, from the lower half of the elements or (Q) the upper. */
const lengthen: Emit = (s) => {
  const n = s.statics.sz === 1 ? 32 : 16;
  const wide = n === 32 ? 64 : 32;
  const count = 128 / wide;
  const element0 = s.statics.Q * count;
  const results = Array.from({ length: count }, (_, i) =>
    s.code.let(convert(s, n, wide, element(s, 'Rn', n, element0 + i))),
  );
  setElements(s, wide, results);
};
/** To half the width, into the lower half of the destination, whose upper half becomes zero, or (Q) into the upper only. */
const narrow =
  (mode: RoundingMode): Emit =>
  (s) => {
    const n = s.statics.sz === 0 ? 16 : 32;
    const wide = n === 32 ? 64 : 32;
    const shifted = (a: I64, i: number): I64 => (i === 0 ? a : op64.shl(a, i64(n * i)));
    const results = Array.from({ length: 128 / wide }, (_, i) =>
      s.code.let(shifted(convert(s, wide, n, element(s, 'Rn', wide, i), mode), i)),
    );
    const packed = results.reduce<I64>((x, y) => op64.or(x, y), i64(0));
    if (s.statics.Q === 1) s.setElement64('Rd', 3, 1, packed);
    else s.setLow64('Rd', packed);
  };

export const floatConversionSemantics = {
  FCVT_sd: betweenFormats(32, 64),
  FCVT_sh: betweenFormats(32, 16),
  FCVT_ds: betweenFormats(64, 32),
  FCVT_dh: betweenFormats(64, 16),
  FCVT_hs: betweenFormats(16, 32),
  FCVT_hd: betweenFormats(16, 64),
  FCVTL: { emit: lengthen },
  FCVTN: { emit: narrow('Fpcr') },
  FCVTXN: { emit: narrow('Odd') },
  FCVTXN_scalar: { emit: (s) => setScalar(s, 32, convert(s, 64, 32, element(s, 'Rn', 64), 'Odd')) },
  ...toIntegers('FCVTNS', false, 'TieEven'),
  ...toIntegers('FCVTNU', true, 'TieEven'),
  ...toIntegers('FCVTAS', false, 'TieAway'),
  ...toIntegers('FCVTAU', true, 'TieAway'),
  ...toIntegers('FCVTPS', false, 'PosInf'),
  ...toIntegers('FCVTPU', true, 'PosInf'),
  ...toIntegers('FCVTMS', false, 'NegInf'),
  ...toIntegers('FCVTMU', true, 'NegInf'),
  ...toIntegers('FCVTZS', false, 'Zero'),
  ...toIntegers('FCVTZU', true, 'Zero'),
  ...both('FCVTZS_fix', toGeneral(false, 'Zero', true)),
  ...both('FCVTZU_fix', toGeneral(true, 'Zero', true)),
  ...fixed('FCVTZS', to(false, 'Zero')),
  ...fixed('FCVTZU', to(true, 'Zero')),
  ...both('SCVTF_int', fromGeneral(false)),
  ...both('UCVTF_int', fromGeneral(true)),
  ...both('SCVTF_fix', fromGeneral(false, true)),
  ...both('UCVTF_fix', fromGeneral(true, true)),
  ...elements('SCVTF', from(false)),
  ...elements('UCVTF', from(true)),
  ...fixed('SCVTF', from(false)),
  ...fixed('UCVTF', from(true)),
  FJCVTZS: { emit: javaScript },
} as const satisfies Record<string, Semantics>;
