/** The forms of scalar data processing: see forms.ts. */
import type { Fields } from '../types';
import { half, halves, lower, scalarFloat, scalars } from './forms';

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
