/** The forms of vectors and scalar SIMD: see forms.ts. */
import type { Fields } from '../types';
import {
  badDouble,
  half,
  halfVector,
  halfVectors,
  halves,
  lower,
  names,
  scalarSimd,
  scalars,
  vector,
  vectors,
} from './forms';

/** U, the upper bit of size, and opcode. */
type Opcode = `${0 | 1} ${0 | 1} ${string}`;
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
