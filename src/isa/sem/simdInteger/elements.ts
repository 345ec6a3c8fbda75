/**
 * What the operations of Advanced SIMD integer instructions work with: operands as vectors of elements, the result's place, and
 * FPSR.QC. An operation is written once for whole vectors; of a 64-bit or scalar form the rest of the result is zeroed and does
 * not saturate.
 */
import { type FunctionBuilder, type I32, i32, type Local, op32, type V128 } from '../../../wasm/code';
import { bits, i8x16, i16x8, i32x4 } from '../../../wasm/vector';
import type { Semantics, SemanticsContext } from '../context';
import { type Lanes, lanesOf, lowBits, type Size, truncated, wideLanes } from './lanes';

const QC = 27;

export class Elements {
  readonly c: FunctionBuilder;
  /** The lanes of the (narrower) elements. */
  readonly z: Lanes;
  private readonly operands = new Map<string, Local<'v128'>>();

  /** @param used bits of a vector whose elements count. */
  constructor(
    readonly s: SemanticsContext,
    readonly size: Size,
    readonly used: number,
  ) {
    this.c = s.code;
    this.z = lanesOf(size);
  }

  private operand(field: string): Local<'v128'> {
    let value = this.operands.get(field);
    if (!value) this.operands.set(field, (value = this.c.let(this.s.v(field))));
    return value;
  }
  get n(): Local<'v128'> {
    return this.operand('Rn');
  }
  get m(): Local<'v128'> {
    return this.operand('Rm');
  }
  get d(): Local<'v128'> {
    return this.operand('Rd');
  }

  /** Whether the elements are those of the upper half: the `2` forms of long and narrow instructions. */
  get upper(): boolean {
    return this.s.statics.Q === 1;
  }

  /** The elements that a long instruction takes, widened. */
  widened(isSigned: boolean, value: V128): V128 {
    const w = wideLanes(this.size);
    if (isSigned) return this.upper ? w.extendHighS(value) : w.extendLowS(value);
    return this.upper ? w.extendHighU(value) : w.extendLowU(value);
  }
  /** Products of twice the width of the elements that a long instruction takes. */
  product(isSigned: boolean, a: V128, b: V128): V128 {
    const w = wideLanes(this.size);
    if (isSigned) return this.upper ? w.mulHighS(a, b) : w.mulLowS(a, b);
    return this.upper ? w.mulHighU(a, b) : w.mulLowU(a, b);
  }

  /** The element of Rm whose number is in H, L and M, in every lane. */
  element(): Local<'v128'> {
    const number = this.s.tiny((f) => (f.M === undefined ? (f.H << 1) | f.L : (f.H << 2) | (f.L << 1) | f.M));
    const splat = [i8x16.splat, i16x8.splat, i32x4.splat][this.size];
    return this.c.let(splat(this.s.element32('Rm', this.size as 1 | 2, number)));
  }

  /** Sets FPSR.QC if any bit of `mask` in an element that counts is set. */
  saturated(mask: V128): void {
    const counting = this.used === 128 ? mask : bits.and(mask, lowBits(this.used));
    this.s.raise(op32.shl(bits.anyTrue(counting), i32(QC)));
  }

  /** Writes the low `width` bits, zero above. */
  write(result: V128, width = this.used): void {
    this.s.setV('Rd', width === 128 ? result : bits.and(result, lowBits(width)));
  }

  /** Writes the lower halves of wide elements to the half of Rd that Q selects. */
  writeNarrow(wide: V128): void {
    if (this.s.statics.Q === undefined) this.write(truncated(this.size, wide), 8 << this.size);
    else this.s.setV('Rd', truncated(this.size, wide, this.upper ? this.d : undefined));
  }
}

export type Operation = (e: Elements, a: Local<'v128'>, b: Local<'v128'>) => V128;
type UnaryOperation = (e: Elements, a: Local<'v128'>) => V128;

const sizeOf = (s: SemanticsContext, size?: Size): Size => size ?? ((s.statics.size ?? 0) as Size);

/** Elements in, elements of the same width out: 64 or 128 bits of them, or one. */
const sameWidth = (s: SemanticsContext, given?: Size): Elements => {
  const size = sizeOf(s, given);
  return new Elements(s, size, s.statics.Q === undefined ? 8 << size : 64 << s.statics.Q);
};
/** Elements of twice the width on one side: they fill a vector, or are one. */
const twiceWidth = (s: SemanticsContext, given?: Size): Elements => {
  const size = sizeOf(s, given);
  return new Elements(s, size, s.statics.Q === undefined ? 16 << size : 128);
};

export const binary = (operation: Operation, size?: Size): Semantics => ({
  emit: (s) => {
    const e = sameWidth(s, size);
    e.write(operation(e, e.n, e.m));
  },
});
export const unary = (operation: UnaryOperation): Semantics => ({
  emit: (s) => {
    const e = sameWidth(s);
    e.write(operation(e, e.n));
  },
});
/** Long and wide instructions, whose result has twice the width: the operation widens what it takes. */
export const long = (operation: Operation): Semantics => ({
  emit: (s) => {
    const e = twiceWidth(s);
    e.write(operation(e, e.n, e.m));
  },
});
export const longUnary = (operation: UnaryOperation): Semantics => ({
  emit: (s) => {
    const e = twiceWidth(s);
    e.write(operation(e, e.n));
  },
});
/** The operation gives wide elements, of which the lower halves are the result. */
export const narrow = (operation: Operation): Semantics => ({
  emit: (s) => {
    const e = twiceWidth(s);
    e.writeNarrow(operation(e, e.n, e.m));
  },
});
export const narrowUnary = (operation: UnaryOperation): Semantics => ({
  emit: (s) => {
    const e = twiceWidth(s);
    e.writeNarrow(operation(e, e.n));
  },
});

/** The meaning of rows with the same operation in several forms, by mnemonic: `form` completes the row's id. */
export function inForms<Name extends string, Form extends string>(
  forms: readonly Form[],
  meanings: Readonly<Record<Name, Semantics>>,
): Readonly<Record<`${Name}_${Form}`, Semantics>> {
  const all = Object.entries<Semantics>(meanings).flatMap(([name, meaning]) =>
    forms.map((form) => [`${name}_${form}`, meaning] as const),
  );
  return Object.fromEntries(all) as Record<`${Name}_${Form}`, Semantics>;
}

/** By element: as `binary` and `long`, with one element of Rm in every lane. */
export const binaryElement = (operation: Operation, size: Size): Semantics => ({
  emit: (s) => {
    const e = sameWidth(s, size);
    e.write(operation(e, e.n, e.element()));
  },
});
export const longElement = (operation: Operation, size: Size): Semantics => ({
  emit: (s) => {
    const e = twiceWidth(s, size);
    e.write(operation(e, e.n, e.element()));
  },
});

/** Shifts by an immediate: immh says the size of the (narrower) elements. */
type ShiftOperation = (e: Elements, a: Local<'v128'>, amount: I32) => V128;

/** The amount of a shift to the left, or one less than that of a shift to the right (which may be the whole width). */
const amountOf = (s: SemanticsContext, size: Size, way: 'left' | 'right'): Local<'i32'> =>
  s.code.let(
    s.tiny((f) => {
      const encoded = (f.immh << 3) | f.immb;
      return way === 'left' ? encoded - (8 << size) : (16 << size) - encoded - 1;
    }),
  );

interface ShiftForm {
  readonly way: 'left' | 'right';
  /** How many sizes there are: 64-bit elements have none of twice their width. */
  readonly sizes: 3 | 4;
  readonly elements: (s: SemanticsContext) => Elements;
  readonly write: (e: Elements, result: V128) => void;
}
const shiftForm =
  ({ way, sizes, elements, write }: ShiftForm) =>
  (operation: ShiftOperation): Semantics => ({
    extra: { name: 'size', count: sizes, of: (f) => 31 - Math.clz32(f.immh) },
    emit: (s) => {
      const e = elements(s);
      write(e, operation(e, e.n, amountOf(s, e.size, way)));
    },
  });
const write = (e: Elements, result: V128): void => e.write(result);
const writeNarrow = (e: Elements, result: V128): void => e.writeNarrow(result);
export const shiftLeft = shiftForm({ way: 'left', sizes: 4, elements: sameWidth, write });
export const shiftRight = shiftForm({ way: 'right', sizes: 4, elements: sameWidth, write });
export const shiftLong = shiftForm({ way: 'left', sizes: 3, elements: twiceWidth, write });
export const shiftNarrow = shiftForm({ way: 'right', sizes: 3, elements: twiceWidth, write: writeNarrow });
