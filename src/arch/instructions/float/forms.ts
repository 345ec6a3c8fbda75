/**
 * The forms of floating-point instructions: what the rows of one of the manual's encoding groups share. Most instructions have
 * two rows: one for single and double precision, told apart by `sz`, and one for half precision (`_h`, FEAT_FP16). An id is
 * the mnemonic and the form: `_scalar` one number, `_vec` a vector, `_elem` by one element, `_int` and `_fix` between numbers
 * and general registers.
 */
import type { Fields, InstructionRow } from '../types';

/** U, the upper bit of size, and opcode. */
export type Opcode = `${0 | 1} ${0 | 1} ${string}`;
/** What a row may say differently. */
export type More = Partial<Pick<InstructionRow, 'section' | 'asm' | 'feature' | 'width'>>;

const common = { needs: 'fp', effect: 'none', status: 'done' } as const;
/** Rows of the scalar floating-point groups, of scalar SIMD and of vectors. */
export const scalarFloat = { ...common, feature: 'FEAT_FP', statics: ['sz'] } as const;
export const scalarSimd = {
  ...common,
  feature: 'FEAT_AdvSIMD',
  statics: ['sz'],
} as const;
export const vector = { ...common, feature: 'FEAT_AdvSIMD', statics: ['Q', 'sz'] } as const;
export const half = { feature: 'FEAT_FP16', statics: [] } as const;
const halfVector = { feature: 'FEAT_FP16', statics: ['Q'] } as const;

export const lower = (mnemonic: string): string => mnemonic.toLowerCase();
/** A vector of one double does not exist. */
export const badDouble = (f: Fields): boolean => f.sz === 1 && f.Q === 0;

/** Registers as scalars and vectors, for both rows. */
const names = (list: string, print: (name: string) => string): string => list.split(' ').map(print).join(', ');
export const scalars = (list: string): string => names(list, (r) => `<V${r}:sz>`);
export const halves = (list: string): string => names(list, (r) => `<V${r}:h>`);
export const vectors = (list: string): string => names(list, (r) => `<V${r}>.<Tsz>`);
export const halfVectors = (list: string): string => names(list, (r) => `<V${r}>.{Q:4h|8h}`);

// ---- scalar data processing ----

/** One, two and three sources. `code` is what stands between the registers. */
export const unary = <M extends string>(m: M, opcode: string) =>
  [
    {
      ...scalarFloat,
      id: `${m}_scalar` as const,
      section: `${m} (scalar)`,
      pattern: `0 0 0 11110 0 sz 1 ${opcode} 10000 Rn:5 Rd:5`,
      asm: `${lower(m)} ${scalars('d n')}`,
    },
    {
      ...scalarFloat,
      ...half,
      id: `${m}_scalar_h` as const,
      section: `${m} (scalar)`,
      pattern: `0 0 0 11110 11 1 ${opcode} 10000 Rn:5 Rd:5`,
      asm: `${lower(m)} ${halves('d n')}`,
    },
  ] as const;

export const binary = <M extends string>(m: M, opcode: string) =>
  [
    {
      ...scalarFloat,
      id: `${m}_scalar` as const,
      section: `${m} (scalar)`,
      pattern: `0 0 0 11110 0 sz 1 Rm:5 ${opcode} 10 Rn:5 Rd:5`,
      asm: `${lower(m)} ${scalars('d n m')}`,
    },
    {
      ...scalarFloat,
      ...half,
      id: `${m}_scalar_h` as const,
      section: `${m} (scalar)`,
      pattern: `0 0 0 11110 11 1 Rm:5 ${opcode} 10 Rn:5 Rd:5`,
      asm: `${lower(m)} ${halves('d n m')}`,
    },
  ] as const;

export const ternary = <M extends string>(m: M, o1: 0 | 1, o0: 0 | 1) =>
  [
    {
      ...scalarFloat,
      id: `${m}_scalar` as const,
      section: m,
      pattern: `0 0 0 11111 0 sz ${o1} Rm:5 ${o0} Ra:5 Rn:5 Rd:5`,
      asm: `${lower(m)} ${scalars('d n m a')}`,
    },
    {
      ...scalarFloat,
      ...half,
      id: `${m}_scalar_h` as const,
      section: m,
      pattern: `0 0 0 11111 11 ${o1} Rm:5 ${o0} Ra:5 Rn:5 Rd:5`,
      asm: `${lower(m)} ${halves('d n m a')}`,
    },
  ] as const;

/** FCVT between two formats, each given by its letter. */
const ftype = { s: '00', d: '01', h: '11' } as const;
export const conversion = <From extends keyof typeof ftype, To extends keyof typeof ftype>(from: From, to: To) => ({
  ...scalarFloat,
  id: `FCVT_${from}${to}` as const,
  section: 'FCVT',
  pattern: `0 0 0 11110 ${ftype[from]} 1 0001 ${ftype[to]} 10000 Rn:5 Rd:5`,
  statics: [],
  asm: `fcvt <Vd:${to}>, <Vn:${from}>`,
});

/** FCMP and FCMPE, with a register and with zero. */
export const compare = <M extends string>(m: M, bit: 0 | 1) =>
  [
    {
      ...scalarFloat,
      id: m,
      section: m,
      pattern: `0 0 0 11110 0 sz 1 Rm:5 00 1000 Rn:5 ${bit} 0 000`,
      asm: `${lower(m)} ${scalars('n m')}`,
    },
    {
      ...scalarFloat,
      ...half,
      id: `${m}_h` as const,
      section: m,
      pattern: `0 0 0 11110 11 1 Rm:5 00 1000 Rn:5 ${bit} 0 000`,
      asm: `${lower(m)} ${halves('n m')}`,
    },
    {
      ...scalarFloat,
      id: `${m}_zero` as const,
      section: m,
      pattern: `0 0 0 11110 0 sz 1 Rm:5 00 1000 Rn:5 ${bit} 1 000`,
      asm: `${lower(m)} ${scalars('n')}, #0.0`,
    },
    {
      ...scalarFloat,
      ...half,
      id: `${m}_zero_h` as const,
      section: m,
      pattern: `0 0 0 11110 11 1 Rm:5 00 1000 Rn:5 ${bit} 1 000`,
      asm: `${lower(m)} ${halves('n')}, #0.0`,
    },
  ] as const;

/** Conditional compare and select. `tail` stands after the condition. */
export const conditional = <M extends string>(m: M, tail: string, operands: string, last: string) =>
  [
    {
      ...scalarFloat,
      id: m,
      section: m,
      pattern: `0 0 0 11110 0 sz 1 Rm:5 cond:4 ${tail}`,
      statics: ['sz', 'cond'] as const,
      asm: `${lower(m)} ${scalars(operands)}, ${last}`,
    },
    {
      ...scalarFloat,
      feature: half.feature,
      id: `${m}_h` as const,
      section: m,
      pattern: `0 0 0 11110 11 1 Rm:5 cond:4 ${tail}`,
      statics: ['cond'] as const,
      asm: `${lower(m)} ${halves(operands)}, ${last}`,
    },
  ] as const;

/** Between a number and a general register. `code` is rmode and opcode. */
export const integer = <M extends string>(m: M, code: string, toGeneral: boolean) =>
  [
    {
      ...scalarFloat,
      id: `${m}_int` as const,
      section: `${m} (scalar, integer)`,
      pattern: `sf 0 0 11110 0 sz 1 ${code} 000000 Rn:5 Rd:5`,
      statics: ['sf', 'sz'] as const,
      width: 'sf' as const,
      asm: `${lower(m)} ${toGeneral ? '<Rd>, <Vn:sz>' : '<Vd:sz>, <Rn>'}`,
    },
    {
      ...scalarFloat,
      feature: half.feature,
      id: `${m}_int_h` as const,
      section: `${m} (scalar, integer)`,
      pattern: `sf 0 0 11110 11 1 ${code} 000000 Rn:5 Rd:5`,
      statics: ['sf'] as const,
      width: 'sf' as const,
      asm: `${lower(m)} ${toGeneral ? '<Rd>, <Vn:h>' : '<Vd:h>, <Rn>'}`,
    },
  ] as const;

/** The same with a fixed point. In W registers it stands at bit 32 at most. */
const badScale = (f: Fields): boolean => f.sf === 0 && f.scale < 32;
export const fixed = <M extends string>(m: M, code: string, toGeneral: boolean) =>
  [
    {
      ...scalarFloat,
      id: `${m}_fix` as const,
      section: `${m} (scalar, fixed-point)`,
      pattern: `sf 0 0 11110 0 sz 0 ${code} scale:6 Rn:5 Rd:5`,
      statics: ['sf', 'sz'] as const,
      width: 'sf' as const,
      reserved: badScale,
      asm: `${lower(m)} ${toGeneral ? '<Rd>, <Vn:sz>' : '<Vd:sz>, <Rn>'}, #<fractionBits>`,
    },
    {
      ...scalarFloat,
      feature: half.feature,
      id: `${m}_fix_h` as const,
      section: `${m} (scalar, fixed-point)`,
      pattern: `sf 0 0 11110 11 0 ${code} scale:6 Rn:5 Rd:5`,
      statics: ['sf'] as const,
      width: 'sf' as const,
      reserved: badScale,
      asm: `${lower(m)} ${toGeneral ? '<Rd>, <Vn:h>' : '<Vd:h>, <Rn>'}, #<fractionBits>`,
    },
  ] as const;

// ---- vectors and scalar SIMD ----

const bits = (opcode: Opcode) => ({ u: opcode[0], a: opcode[2], code: opcode.slice(4) });
/** Half precision's three-same opcodes are the lower three bits. */
const halfCode = (code: string): string => code.slice(2);

/** Vector three same. */
export const same = <M extends string>(m: M, opcode: Opcode) => {
  const { u, a, code } = bits(opcode);
  return [
    {
      ...vector,
      id: `${m}_vec` as const,
      section: `${m} (vector)`,
      pattern: `0 Q ${u} 01110 ${a} sz 1 Rm:5 ${code} 1 Rn:5 Rd:5`,
      reserved: badDouble,
      asm: `${lower(m)} ${vectors('d n m')}`,
    },
    {
      ...vector,
      ...halfVector,
      id: `${m}_vec_h` as const,
      section: `${m} (vector)`,
      pattern: `0 Q ${u} 01110 ${a} 10 Rm:5 00 ${halfCode(code)} 1 Rn:5 Rd:5`,
      asm: `${lower(m)} ${halfVectors('d n m')}`,
    },
  ] as const;
};
export const sameScalar = <M extends string>(m: M, opcode: Opcode) => {
  const { u, a, code } = bits(opcode);
  return [
    {
      ...scalarSimd,
      id: `${m}_scalar` as const,
      section: `${m} (scalar)`,
      pattern: `01 ${u} 11110 ${a} sz 1 Rm:5 ${code} 1 Rn:5 Rd:5`,
      asm: `${lower(m)} ${scalars('d n m')}`,
    },
    {
      ...scalarSimd,
      ...half,
      id: `${m}_scalar_h` as const,
      section: `${m} (scalar)`,
      pattern: `01 ${u} 11110 ${a} 10 Rm:5 00 ${halfCode(code)} 1 Rn:5 Rd:5`,
      asm: `${lower(m)} ${halves('d n m')}`,
    },
  ] as const;
};

/** Vector two-register miscellaneous; `tail` follows the operands. */
export const misc = <M extends string>(m: M, opcode: Opcode, tail = '') => {
  const { u, a, code } = bits(opcode);
  return [
    {
      ...vector,
      id: `${m}_vec` as const,
      section: `${m} (vector)`,
      pattern: `0 Q ${u} 01110 ${a} sz 10000 ${code} 10 Rn:5 Rd:5`,
      reserved: badDouble,
      asm: `${lower(m)} ${vectors('d n')}${tail}`,
    },
    {
      ...vector,
      ...halfVector,
      id: `${m}_vec_h` as const,
      section: `${m} (vector)`,
      pattern: `0 Q ${u} 01110 ${a} 111100 ${code} 10 Rn:5 Rd:5`,
      asm: `${lower(m)} ${halfVectors('d n')}${tail}`,
    },
  ] as const;
};
export const miscScalar = <M extends string>(m: M, opcode: Opcode, tail = '') => {
  const { u, a, code } = bits(opcode);
  return [
    {
      ...scalarSimd,
      id: `${m}_scalar` as const,
      section: `${m} (scalar)`,
      pattern: `01 ${u} 11110 ${a} sz 10000 ${code} 10 Rn:5 Rd:5`,
      asm: `${lower(m)} ${scalars('d n')}${tail}`,
    },
    {
      ...scalarSimd,
      ...half,
      id: `${m}_scalar_h` as const,
      section: `${m} (scalar)`,
      pattern: `01 ${u} 11110 ${a} 111100 ${code} 10 Rn:5 Rd:5`,
      asm: `${lower(m)} ${halves('d n')}${tail}`,
    },
  ] as const;
};

/** Comparisons with zero, of vectors and scalars. */
export const zero = <M extends string>(m: M, opcode: Opcode) => {
  const [v, vh] = misc(m, opcode, ', #0.0');
  const [s, sh] = miscScalar(m, opcode, ', #0.0');
  const section = `${m} (zero)`;
  return [
    { ...v, id: `${m}_zero_vec` as const, section },
    { ...vh, id: `${m}_zero_vec_h` as const, section },
    { ...s, id: `${m}_zero_scalar` as const, section },
    { ...sh, id: `${m}_zero_scalar_h` as const, section },
  ] as const;
};

/** The two elements of a vector. */
export const pairScalar = <M extends string>(m: M, opcode: Opcode) => {
  const { a, code } = bits(opcode);
  return [
    {
      ...scalarSimd,
      id: `${m}_scalar` as const,
      section: `${m} (scalar)`,
      pattern: `01 1 11110 ${a} sz 11000 ${code} 10 Rn:5 Rd:5`,
      asm: `${lower(m)} <Vd:sz>, <Vn>.2{sz:s|d}`,
    },
    {
      ...scalarSimd,
      ...half,
      id: `${m}_scalar_h` as const,
      section: `${m} (scalar)`,
      pattern: `01 0 11110 ${a} 0 11000 ${code} 10 Rn:5 Rd:5`,
      asm: `${lower(m)} <Vd:h>, <Vn>.2h`,
    },
  ] as const;
};

/** Across lanes; of singles only four. */
export const across = <M extends string>(m: M, opcode: Opcode) => {
  const { a, code } = bits(opcode);
  return [
    {
      ...vector,
      id: `${m}_vec` as const,
      section: m,
      pattern: `0 1 1 01110 ${a} 0 11000 ${code} 10 Rn:5 Rd:5`,
      statics: [],
      asm: `${lower(m)} <Vd:s>, <Vn>.4s`,
    },
    {
      ...vector,
      ...halfVector,
      id: `${m}_vec_h` as const,
      section: m,
      pattern: `0 Q 0 01110 ${a} 0 11000 ${code} 10 Rn:5 Rd:5`,
      asm: `${lower(m)} <Vd:h>, <Vn>.{Q:4h|8h}`,
    },
  ] as const;
};

/** By element: number H:L of singles, H of doubles (L is 0), H:L:M of halves, whose register is one of the lower 16. */
const badElement = (f: Fields): boolean => f.sz === 1 && (f.L === 1 || f.Q === 0);
export const element = <M extends string>(m: M, u: 0 | 1, code: string) =>
  [
    {
      ...vector,
      id: `${m}_elem` as const,
      section: `${m} (by element)`,
      pattern: `0 Q ${u} 01111 1 sz L Rm:5 ${code} H 0 Rn:5 Rd:5`,
      reserved: badElement,
      asm: `${lower(m)} ${vectors('d n')}, <Vm>.{sz:s|d}[<elementIndex>]`,
    },
    {
      ...vector,
      ...halfVector,
      id: `${m}_elem_h` as const,
      section: `${m} (by element)`,
      pattern: `0 Q ${u} 01111 00 L M Rm:4 ${code} H 0 Rn:5 Rd:5`,
      asm: `${lower(m)} ${halfVectors('d n')}, <Vm>.h[<elementIndex>]`,
    },
    {
      ...scalarSimd,
      id: `${m}_elem_scalar` as const,
      section: `${m} (scalar, by element)`,
      pattern: `01 ${u} 11111 1 sz L Rm:5 ${code} H 0 Rn:5 Rd:5`,
      reserved: badElement,
      asm: `${lower(m)} ${scalars('d n')}, <Vm>.{sz:s|d}[<elementIndex>]`,
    },
    {
      ...scalarSimd,
      ...half,
      id: `${m}_elem_scalar_h` as const,
      section: `${m} (scalar, by element)`,
      pattern: `01 ${u} 11111 00 L M Rm:4 ${code} H 0 Rn:5 Rd:5`,
      asm: `${lower(m)} ${halves('d n')}, <Vm>.h[<elementIndex>]`,
    },
  ] as const;

/**
 * Fixed-point conversions, in the encodings of shifts by an immediate: the highest bit of immh tells the size, what follows it
 * counts down from the size to the number of fraction bits.
 */
export const fixedVector = <M extends string>(m: M, u: 0 | 1, code: string) => {
  const vectorRow = { ...vector, section: `${m} (vector, fixed-point)` };
  const scalarRow = { ...scalarSimd, section: `${m} (scalar, fixed-point)`, statics: [] };
  const tail = `${code} 1 Rn:5 Rd:5`;
  const text = (print: (register: string) => string, size: number): string =>
    `${lower(m)} ${names('d n', print)}, #<fraction${size}>`;
  return [
    {
      ...vectorRow,
      id: `${m}_imm_d` as const,
      pattern: `0 1 ${u} 011110 1 immb:6 ${tail}`,
      statics: [],
      asm: text((r) => `<V${r}>.2d`, 64),
    },
    {
      ...vectorRow,
      id: `${m}_imm_s` as const,
      pattern: `0 Q ${u} 011110 01 immb:5 ${tail}`,
      statics: ['Q'] as const,
      asm: text((r) => `<V${r}>.{Q:2s|4s}`, 32),
    },
    {
      ...vectorRow,
      ...halfVector,
      id: `${m}_imm_h` as const,
      pattern: `0 Q ${u} 011110 001 immb:4 ${tail}`,
      asm: text((r) => `<V${r}>.{Q:4h|8h}`, 16),
    },
    {
      ...scalarRow,
      id: `${m}_imm_scalar_d` as const,
      pattern: `01 ${u} 111110 1 immb:6 ${tail}`,
      asm: text((r) => `<V${r}:d>`, 64),
    },
    {
      ...scalarRow,
      id: `${m}_imm_scalar_s` as const,
      pattern: `01 ${u} 111110 01 immb:5 ${tail}`,
      asm: text((r) => `<V${r}:s>`, 32),
    },
    {
      ...scalarRow,
      ...half,
      id: `${m}_imm_scalar_h` as const,
      pattern: `01 ${u} 111110 001 immb:4 ${tail}`,
      asm: text((r) => `<V${r}:h>`, 16),
    },
  ] as const;
};
