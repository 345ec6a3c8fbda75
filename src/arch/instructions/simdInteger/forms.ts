/**
 * The forms of Advanced SIMD integer instructions: what the rows of one of the manual's encoding groups share. A row gives its
 * mnemonic, its bits and the element sizes that it has; its id is the mnemonic and the form: `_vec` a vector, `_scalar` one
 * element, `_elem_h` and `_elem_s` by one element of 16 or 32 bits, `_imm` with an immediate.
 */
import type { Fields, InstructionRow } from '../types';

/** Element sizes that a row has; all others are reserved. */
type Sizes = 'b' | 's' | 'd' | 'bh' | 'hs' | 'bhs' | 'bhsd';
/** U and opcode, and size where it is part of the opcode. */
type Opcode = `${0 | 1} ${string}`;
/** What a row may say differently. */
type More = Partial<Pick<InstructionRow, 'section' | 'aliases' | 'asm'>>;

const hasSize = (sizes: Sizes, size: number): boolean => sizes.includes('bhsd'[size]);
const badSize =
  (sizes: Sizes) =>
  (f: Fields): boolean =>
    !hasSize(sizes, f.size);
/** A vector of one 64-bit element does not exist. */
const badVector =
  (sizes: Sizes) =>
  (f: Fields): boolean =>
    !hasSize(sizes, f.size) || (f.size === 3 && f.Q === 0);

const common = { feature: 'FEAT_AdvSIMD', needs: 'fp', effect: 'none', status: 'done' } as const;
const vector = { ...common, statics: ['Q', 'size'] } as const;
const scalar = { ...common, statics: ['size'] } as const;

type Feature = NonNullable<InstructionRow['feature']>;

const lower = (mnemonic: string): string => mnemonic.toLowerCase();
const bytes = (register: string): string => `<V${register}>.<Tq>`;
/** Mnemonic of an instruction whose `2` form takes or fills the upper half of the narrower vectors. */
const upper = (mnemonic: string): string => `${lower(mnemonic)}{Q:|2}`;

/** Vector three same. */
export const same = <M extends string>(m: M, opcode: Opcode, sizes: Sizes) => ({
  ...vector,
  id: `${m}_vec` as const,
  section: `${m} (vector)`,
  pattern: `0 Q ${opcode[0]} 01110 size:2 1 Rm:5 ${opcode.slice(2)} 1 Rn:5 Rd:5`,
  reserved: badVector(sizes),
  asm: `${lower(m)} <Vd>.<T>, <Vn>.<T>, <Vm>.<T>`,
});
export const sameScalar = <M extends string>(m: M, opcode: Opcode, sizes: Sizes) => ({
  ...scalar,
  id: `${m}_scalar` as const,
  section: `${m} (scalar)`,
  pattern: `01 ${opcode[0]} 11110 size:2 1 Rm:5 ${opcode.slice(2)} 1 Rn:5 Rd:5`,
  reserved: badSize(sizes),
  asm: `${lower(m)} <Vd:size>, <Vn:size>, <Vm:size>`,
});

/** Vector three same, bitwise: `code` is U size. */
export const bitwise = <M extends string>(m: M, code: Opcode, more: More = {}) => ({
  ...vector,
  id: `${m}_vec` as const,
  section: `${m} (vector)`,
  pattern: `0 Q ${code[0]} 01110 ${code.slice(2)} 1 Rm:5 00011 1 Rn:5 Rd:5`,
  statics: ['Q'],
  asm: `${lower(m)} ${bytes('d')}, ${bytes('n')}, ${bytes('m')}`,
  ...more,
});

/** Vector three same extra, of 16 and 32 bits. */
export const sameExtra = <M extends string>(m: M, opcode: Opcode) => ({
  ...vector,
  id: `${m}_vec` as const,
  section: `${m} (vector)`,
  pattern: `0 Q ${opcode[0]} 01110 size:2 0 Rm:5 1 ${opcode.slice(2)} 1 Rn:5 Rd:5`,
  reserved: badVector('hs'),
  asm: `${lower(m)} <Vd>.<T>, <Vn>.<T>, <Vm>.<T>`,
  feature: 'FEAT_RDM' as const,
});
export const sameExtraScalar = <M extends string>(m: M, opcode: Opcode) => ({
  ...scalar,
  id: `${m}_scalar` as const,
  section: `${m} (scalar)`,
  pattern: `01 ${opcode[0]} 11110 size:2 0 Rm:5 1 ${opcode.slice(2)} 1 Rn:5 Rd:5`,
  reserved: badSize('hs'),
  asm: `${lower(m)} <Vd:size>, <Vn:size>, <Vm:size>`,
  feature: 'FEAT_RDM' as const,
});

/** Dot products of four bytes each. */
export const dot = <M extends string>(m: M, opcode: Opcode, feature: Feature) => ({
  ...vector,
  id: `${m}_vec` as const,
  section: `${m} (vector)`,
  pattern: `0 Q ${opcode[0]} 01110 10 0 Rm:5 1 ${opcode.slice(2)} 1 Rn:5 Rd:5`,
  statics: ['Q'],
  asm: `${lower(m)} <Vd>.{Q:2s|4s}, ${bytes('n')}, ${bytes('m')}`,
  feature,
});
/** Dot products with one group of four bytes; `code` is U size opcode. */
export const dotElement = <M extends string>(m: M, code: Opcode, feature: Feature) => ({
  ...vector,
  id: `${m}_elem` as const,
  section: `${m} (by element)`,
  pattern: `0 Q ${code[0]} 01111 ${code.slice(2, 4)} L Rm:5 ${code.slice(5)} H 0 Rn:5 Rd:5`,
  statics: ['Q'],
  asm: `${lower(m)} <Vd>.{Q:2s|4s}, ${bytes('n')}, <Vm>.4b[<elementIndex>]`,
  feature,
});
/** Products of a 2 x 8 and an 8 x 2 matrix of bytes. */
export const matrix = <M extends string>(m: M, opcode: Opcode) => ({
  ...vector,
  id: `${m}_vec` as const,
  section: `${m} (vector)`,
  pattern: `0 1 ${opcode[0]} 01110 10 0 Rm:5 1 ${opcode.slice(2)} 1 Rn:5 Rd:5`,
  statics: [],
  asm: `${lower(m)} <Vd>.4s, <Vn>.16b, <Vm>.16b`,
  feature: 'FEAT_I8MM' as const,
});

const differentOperands = {
  long: '<Vd>.<Ta>, <Vn>.<T>, <Vm>.<T>',
  wide: '<Vd>.<Ta>, <Vn>.<Ta>, <Vm>.<T>',
  narrow: '<Vd>.<T>, <Vn>.<Ta>, <Vm>.<Ta>',
} as const;

/** Vector three different: a result wider than both operands, or than one, or narrower than both. */
export const different = <M extends string>(
  m: M,
  opcode: Opcode,
  operands: keyof typeof differentOperands,
  sizes: Sizes = 'bhs',
) => ({
  ...vector,
  id: `${m}_vec` as const,
  section: `${m}, ${m}2 (vector)`,
  pattern: `0 Q ${opcode[0]} 01110 size:2 1 Rm:5 ${opcode.slice(2)} 00 Rn:5 Rd:5`,
  reserved: badSize(sizes),
  asm: `${upper(m)} ${differentOperands[operands]}`,
});
export const differentScalar = <M extends string>(m: M, opcode: Opcode) => ({
  ...scalar,
  id: `${m}_scalar` as const,
  section: `${m} (scalar)`,
  pattern: `01 ${opcode[0]} 11110 size:2 1 Rm:5 ${opcode.slice(2)} 00 Rn:5 Rd:5`,
  reserved: badSize('hs'),
  asm: `${lower(m)} <Vd:sizeNext>, <Vn:size>, <Vm:size>`,
});

/** Vector two-register miscellaneous. */
export const misc = <M extends string>(m: M, opcode: Opcode, sizes: Sizes) => ({
  ...vector,
  id: `${m}_vec` as const,
  section: `${m} (vector)`,
  pattern: `0 Q ${opcode[0]} 01110 size:2 10000 ${opcode.slice(2)} 10 Rn:5 Rd:5`,
  reserved: badVector(sizes),
  asm: `${lower(m)} <Vd>.<T>, <Vn>.<T>`,
});
export const miscScalar = <M extends string>(
  m: M,
  opcode: Opcode,
  sizes: Sizes,
  operands = '<Vd:size>, <Vn:size>',
) => ({
  ...scalar,
  id: `${m}_scalar` as const,
  section: `${m} (scalar)`,
  pattern: `01 ${opcode[0]} 11110 size:2 10000 ${opcode.slice(2)} 10 Rn:5 Rd:5`,
  reserved: badSize(sizes),
  asm: `${lower(m)} ${operands}`,
});

/** Comparisons with zero. */
export const zero = <M extends string>(m: M, opcode: Opcode) => ({
  ...misc(m, opcode, 'bhsd'),
  id: `${m}_zero_vec` as const,
  section: `${m} (zero, vector)`,
  asm: `${lower(m)} <Vd>.<T>, <Vn>.<T>, #0`,
});
export const zeroScalar = <M extends string>(m: M, opcode: Opcode) => ({
  ...miscScalar(m, opcode, 'd', '<Vd:size>, <Vn:size>, #0'),
  id: `${m}_zero_scalar` as const,
  section: `${m} (zero, scalar)`,
});

/** Two-register miscellaneous, bitwise: `code` is U size. */
export const bitwiseMisc = <M extends string>(m: M, code: Opcode, mnemonic: string) => ({
  ...vector,
  id: `${m}_vec` as const,
  section: `${m} (vector)`,
  pattern: `0 Q ${code[0]} 01110 ${code.slice(2)} 10000 00101 10 Rn:5 Rd:5`,
  statics: ['Q'],
  asm: `${mnemonic} ${bytes('d')}, ${bytes('n')}`,
});

/** Two-register miscellaneous for 32-bit elements: other sizes of the opcode are floating point. */
export const estimate = <M extends string>(m: M, opcode: Opcode) => ({
  ...vector,
  id: `${m}_vec` as const,
  section: m,
  pattern: `0 Q ${opcode[0]} 01110 10 10000 ${opcode.slice(2)} 10 Rn:5 Rd:5`,
  statics: ['Q'],
  asm: `${lower(m)} <Vd>.{Q:2s|4s}, <Vn>.{Q:2s|4s}`,
});

/** Sums of neighbours. */
export const pairs = <M extends string>(m: M, opcode: Opcode) => ({
  ...misc(m, opcode, 'bhs'),
  asm: `${lower(m)} <Vd>.<Tpairs>, <Vn>.<T>`,
});

/** Elements of half or of twice the width, with a `2` form. */
const resized = <M extends string>(m: M, opcode: Opcode, operands: string) => ({
  ...misc(m, opcode, 'bhs'),
  section: `${m}, ${m}2`,
  reserved: badSize('bhs'),
  asm: `${upper(m)} ${operands}`,
});
export const narrowing = <M extends string>(m: M, opcode: Opcode) => resized(m, opcode, '<Vd>.<T>, <Vn>.<Ta>');
export const narrowingScalar = <M extends string>(m: M, opcode: Opcode) =>
  miscScalar(m, opcode, 'bhs', '<Vd:size>, <Vn:sizeNext>');
export const widening = <M extends string>(m: M, opcode: Opcode) =>
  resized(m, opcode, '<Vd>.<Ta>, <Vn>.<T>, <elementBits>');

/** Across lanes. */
export const across = <M extends string>(m: M, opcode: Opcode, result: 'same' | 'wide') => ({
  ...vector,
  id: `${m}_vec` as const,
  section: m,
  pattern: `0 Q ${opcode[0]} 01110 size:2 11000 ${opcode.slice(2)} 10 Rn:5 Rd:5`,
  reserved: (f: Fields): boolean => f.size === 3 || (f.size === 2 && f.Q === 0),
  asm: `${lower(m)} ${result === 'same' ? '<Vd:size>' : '<Vd:sizeNext>'}, <Vn>.<T>`,
});

/** Modified immediate, 32- or 16-bit shifted. */
export const bitwiseImmediate = <M extends string, S extends 's' | 'h'>(m: M, op: 0 | 1, size: S) => ({
  ...vector,
  id: `${m}_imm_${size}` as const,
  section: `${m} (vector, immediate)`,
  pattern: `0 Q ${op} 0111100000 abc:3 ${size === 's' ? '0 hw:2' : '10 hw'} 1 01 defgh:5 Rd:5`,
  statics: ['Q'],
  asm: `${lower(m)} <Vd>.{Q:${size === 's' ? '2s|4s' : '4h|8h'}}, <imm8abc>${size === 's' ? '{hw:|, lsl #8|, lsl #16|, lsl #24}' : '{hw:|, lsl #8}'}`,
});

/** The size of the elements by the highest bit of immh. */
const sizeOf = (immh: number): number => 31 - Math.clz32(immh);
const badShift =
  (sizes: Sizes) =>
  (f: Fields): boolean =>
    !hasSize(sizes, sizeOf(f.immh));

/** Vector shift by immediate. */
export const shift = <M extends string>(m: M, opcode: Opcode, way: 'shl' | 'shr') => ({
  ...vector,
  id: `${m}_imm` as const,
  section: `${m} (immediate, vector)`,
  pattern: `0 Q ${opcode[0]} 011110 immh:4!0 immb:3 ${opcode.slice(2)} 1 Rn:5 Rd:5`,
  statics: ['Q'],
  reserved: (f: Fields): boolean => f.immh >= 8 && f.Q === 0,
  asm: `${lower(m)} <Vd>.<Timmh>, <Vn>.<Timmh>, <${way}Amount>`,
});
export const shiftScalar = <M extends string>(
  m: M,
  opcode: Opcode,
  way: 'shl' | 'shr',
  sizes: Sizes,
  operands = '<Vd:immh>, <Vn:immh>',
) => ({
  ...scalar,
  id: `${m}_imm_scalar` as const,
  section: `${m} (immediate, scalar)`,
  pattern: `01 ${opcode[0]} 111110 immh:4!0 immb:3 ${opcode.slice(2)} 1 Rn:5 Rd:5`,
  statics: [],
  reserved: badShift(sizes),
  asm: `${lower(m)} ${operands}, <${way}Amount>`,
});
const shiftResized = <M extends string>(m: M, opcode: Opcode, operands: string, more: More) => ({
  ...shift(m, opcode, 'shr'),
  section: `${m}, ${m}2 (vector)`,
  reserved: badShift('bhs'),
  asm: `${upper(m)} ${operands}`,
  ...more,
});
export const shiftNarrow = <M extends string>(m: M, opcode: Opcode) =>
  shiftResized(m, opcode, '<Vd>.<Timmh>, <Vn>.<Taimmh>, <shrAmount>', {});
export const shiftLong = <M extends string>(m: M, opcode: Opcode, more: More = {}) =>
  shiftResized(m, opcode, '<Vd>.<Taimmh>, <Vn>.<Timmh>, <shlAmount>', more);
export const shiftNarrowScalar = <M extends string>(m: M, opcode: Opcode) =>
  shiftScalar(m, opcode, 'shr', 'bhs', '<Vd:immh>, <Vn:immhNext>');

/** By element of 16 bits: the element's number is H:L:M, the register one of the lower 16. */
const bitsH = (opcode: string): string => `01 L M Rm:4 ${opcode} H 0 Rn:5 Rd:5`;
/** By element of 32 bits: the element's number is H:L. */
const bitsS = (opcode: string): string => `10 L Rm:5 ${opcode} H 0 Rn:5 Rd:5`;

interface ElementMore {
  readonly long?: boolean;
  readonly feature?: Feature;
}

export const elementH = <M extends string>(m: M, opcode: Opcode, { long, feature }: ElementMore = {}) => ({
  ...vector,
  id: `${m}_elem_h` as const,
  section: `${m}${long ? `, ${m}2` : ''} (by element)`,
  pattern: `0 Q ${opcode[0]} 01111 ${bitsH(opcode.slice(2))}`,
  statics: ['Q'],
  asm: `${long ? `${upper(m)} <Vd>.4s` : `${lower(m)} <Vd>.{Q:4h|8h}`}, <Vn>.{Q:4h|8h}, <Vm>.h[<elementIndex>]`,
  feature: feature ?? vector.feature,
});
export const elementS = <M extends string>(m: M, opcode: Opcode, { long, feature }: ElementMore = {}) => ({
  ...vector,
  id: `${m}_elem_s` as const,
  section: `${m}${long ? `, ${m}2` : ''} (by element)`,
  pattern: `0 Q ${opcode[0]} 01111 ${bitsS(opcode.slice(2))}`,
  statics: ['Q'],
  asm: `${long ? `${upper(m)} <Vd>.2d` : `${lower(m)} <Vd>.{Q:2s|4s}`}, <Vn>.{Q:2s|4s}, <Vm>.s[<elementIndex>]`,
  feature: feature ?? vector.feature,
});
export const elementScalarH = <M extends string>(m: M, opcode: Opcode, { long, feature }: ElementMore = {}) => ({
  ...scalar,
  id: `${m}_elem_scalar_h` as const,
  section: `${m} (scalar, by element)`,
  pattern: `01 ${opcode[0]} 11111 ${bitsH(opcode.slice(2))}`,
  statics: [],
  asm: `${lower(m)} <Vd:${long ? 's' : 'h'}>, <Vn:h>, <Vm>.h[<elementIndex>]`,
  feature: feature ?? scalar.feature,
});
export const elementScalarS = <M extends string>(m: M, opcode: Opcode, { long, feature }: ElementMore = {}) => ({
  ...scalar,
  id: `${m}_elem_scalar_s` as const,
  section: `${m} (scalar, by element)`,
  pattern: `01 ${opcode[0]} 11111 ${bitsS(opcode.slice(2))}`,
  statics: [],
  asm: `${lower(m)} <Vd:${long ? 'd' : 's'}>, <Vn:s>, <Vm>.s[<elementIndex>]`,
  feature: feature ?? scalar.feature,
});
