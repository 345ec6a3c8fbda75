/** Advanced SIMD floating point: vectors, and the scalar forms of the same encoding groups. */
import type { Fields, InstructionRow } from '../types';
import { lower, scalarSimd, vector } from './forms';
import { across, element, fixedVector, misc, miscScalar, pairScalar, same, sameScalar, zero } from './vectorForms';

const toSized = <M extends string>(m: M, opcode: `${0 | 1} ${0 | 1} ${string}`) => ({
  ...misc(m, opcode)[0],
  feature: 'FEAT_FRINTTS' as const,
});

/** Conversions between sizes, with a `2` form for the upper half of the narrower vector. */
const resized = <M extends string>(m: M, pattern: string, asm: string) => ({
  ...vector,
  id: m,
  section: `${m}, ${m}2`,
  pattern,
  asm: `${lower(m)}{Q:|2} ${asm}`,
});

/** Products of halves added to singles: the lower, or the upper half of the elements. */
const halfProducts = <M extends string>(m: M, u: 0 | 1, a: 0 | 1, code: string, elementCode: string) =>
  [
    {
      ...vector,
      id: `${m}_vec` as const,
      section: `${m.replace(/2$/, '')}, ${m.replace(/2?$/, '2')} (vector)`,
      pattern: `0 Q ${u} 01110 ${a} 0 1 Rm:5 ${code} 1 Rn:5 Rd:5`,
      statics: ['Q'] as const,
      feature: 'FEAT_FHM' as const,
      asm: `${lower(m)} <Vd>.{Q:2s|4s}, <Vn>.{Q:2h|4h}, <Vm>.{Q:2h|4h}`,
    },
    {
      ...vector,
      id: `${m}_elem` as const,
      section: `${m.replace(/2$/, '')}, ${m.replace(/2?$/, '2')} (by element)`,
      pattern: `0 Q ${u} 01111 10 L M Rm:4 ${elementCode} H 0 Rn:5 Rd:5`,
      statics: ['Q'] as const,
      feature: 'FEAT_FHM' as const,
      asm: `${lower(m)} <Vd>.{Q:2s|4s}, <Vn>.{Q:2h|4h}, <Vm>.h[<elementIndex>]`,
    },
  ] as const;

/** Complex numbers are pairs of elements of 16, 32 or 64 bits. */
const badComplex = (f: Fields): boolean => f.size === 0 || (f.size === 3 && f.Q === 0);
const complex = { ...vector, feature: 'FEAT_FCMA', reserved: badComplex } as const;

export const floatVectorRows = [
  ...same('FMAXNM', '0 0 11000'),
  ...same('FMLA', '0 0 11001'),
  ...same('FADD', '0 0 11010'),
  ...same('FMULX', '0 0 11011'),
  ...same('FCMEQ', '0 0 11100'),
  ...same('FMAX', '0 0 11110'),
  ...same('FRECPS', '0 0 11111'),
  ...same('FMINNM', '0 1 11000'),
  ...same('FMLS', '0 1 11001'),
  ...same('FSUB', '0 1 11010'),
  ...same('FMIN', '0 1 11110'),
  ...same('FRSQRTS', '0 1 11111'),
  ...same('FMAXNMP', '1 0 11000'),
  ...same('FADDP', '1 0 11010'),
  ...same('FMUL', '1 0 11011'),
  ...same('FCMGE', '1 0 11100'),
  ...same('FACGE', '1 0 11101'),
  ...same('FMAXP', '1 0 11110'),
  ...same('FDIV', '1 0 11111'),
  ...same('FMINNMP', '1 1 11000'),
  ...same('FABD', '1 1 11010'),
  ...same('FCMGT', '1 1 11100'),
  ...same('FACGT', '1 1 11101'),
  ...same('FMINP', '1 1 11110'),

  ...sameScalar('FMULX', '0 0 11011'),
  ...sameScalar('FCMEQ', '0 0 11100'),
  ...sameScalar('FRECPS', '0 0 11111'),
  ...sameScalar('FRSQRTS', '0 1 11111'),
  ...sameScalar('FCMGE', '1 0 11100'),
  ...sameScalar('FACGE', '1 0 11101'),
  ...sameScalar('FABD', '1 1 11010'),
  ...sameScalar('FCMGT', '1 1 11100'),
  ...sameScalar('FACGT', '1 1 11101'),

  ...misc('FRINTN', '0 0 11000'),
  ...misc('FRINTM', '0 0 11001'),
  ...misc('FCVTNS', '0 0 11010'),
  ...misc('FCVTMS', '0 0 11011'),
  ...misc('FCVTAS', '0 0 11100'),
  ...misc('SCVTF', '0 0 11101'),
  ...misc('FABS', '0 1 01111'),
  ...misc('FRINTP', '0 1 11000'),
  ...misc('FRINTZ', '0 1 11001'),
  ...misc('FCVTPS', '0 1 11010'),
  ...misc('FCVTZS', '0 1 11011'),
  ...misc('FRECPE', '0 1 11101'),
  ...misc('FRINTA', '1 0 11000'),
  ...misc('FRINTX', '1 0 11001'),
  ...misc('FCVTNU', '1 0 11010'),
  ...misc('FCVTMU', '1 0 11011'),
  ...misc('FCVTAU', '1 0 11100'),
  ...misc('UCVTF', '1 0 11101'),
  ...misc('FNEG', '1 1 01111'),
  ...misc('FRINTI', '1 1 11001'),
  ...misc('FCVTPU', '1 1 11010'),
  ...misc('FCVTZU', '1 1 11011'),
  ...misc('FRSQRTE', '1 1 11101'),
  ...misc('FSQRT', '1 1 11111'),
  toSized('FRINT32Z', '0 0 11110'),
  toSized('FRINT64Z', '0 0 11111'),
  toSized('FRINT32X', '1 0 11110'),
  toSized('FRINT64X', '1 0 11111'),

  ...miscScalar('FCVTNS', '0 0 11010'),
  ...miscScalar('FCVTMS', '0 0 11011'),
  ...miscScalar('FCVTAS', '0 0 11100'),
  ...miscScalar('SCVTF', '0 0 11101'),
  ...miscScalar('FCVTPS', '0 1 11010'),
  ...miscScalar('FCVTZS', '0 1 11011'),
  ...miscScalar('FRECPE', '0 1 11101'),
  ...miscScalar('FRECPX', '0 1 11111'),
  ...miscScalar('FCVTNU', '1 0 11010'),
  ...miscScalar('FCVTMU', '1 0 11011'),
  ...miscScalar('FCVTAU', '1 0 11100'),
  ...miscScalar('UCVTF', '1 0 11101'),
  ...miscScalar('FCVTPU', '1 1 11010'),
  ...miscScalar('FCVTZU', '1 1 11011'),
  ...miscScalar('FRSQRTE', '1 1 11101'),

  ...zero('FCMGT', '0 1 01100'),
  ...zero('FCMEQ', '0 1 01101'),
  ...zero('FCMLT', '0 1 01110'),
  ...zero('FCMGE', '1 1 01100'),
  ...zero('FCMLE', '1 1 01101'),

  ...pairScalar('FMAXNMP', '1 0 01100'),
  ...pairScalar('FADDP', '1 0 01101'),
  ...pairScalar('FMAXP', '1 0 01111'),
  ...pairScalar('FMINNMP', '1 1 01100'),
  ...pairScalar('FMINP', '1 1 01111'),
  ...across('FMAXNMV', '1 0 01100'),
  ...across('FMAXV', '1 0 01111'),
  ...across('FMINNMV', '1 1 01100'),
  ...across('FMINV', '1 1 01111'),

  ...element('FMLA', 0, '0001'),
  ...element('FMLS', 0, '0101'),
  ...element('FMUL', 0, '1001'),
  ...element('FMULX', 1, '1001'),

  ...fixedVector('SCVTF', 0, '11100'),
  ...fixedVector('FCVTZS', 0, '11111'),
  ...fixedVector('UCVTF', 1, '11100'),
  ...fixedVector('FCVTZU', 1, '11111'),

  resized('FCVTN', '0 Q 0 01110 0 sz 10000 10110 10 Rn:5 Rd:5', '<Vd>.<Tbsz>, <Vn>.<Tasz>'),
  resized('FCVTL', '0 Q 0 01110 0 sz 10000 10111 10 Rn:5 Rd:5', '<Vd>.<Tasz>, <Vn>.<Tbsz>'),
  {
    ...resized('FCVTXN', '0 Q 1 01110 0 1 10000 10110 10 Rn:5 Rd:5', '<Vd>.{Q:2s|4s}, <Vn>.2d'),
    statics: ['Q'],
  },
  {
    ...scalarSimd,
    id: 'FCVTXN_scalar',
    section: 'FCVTXN (scalar)',
    pattern: '01 1 11110 0 1 10000 10110 10 Rn:5 Rd:5',
    statics: [],
    asm: 'fcvtxn <Vd:s>, <Vn:d>',
  },

  ...halfProducts('FMLAL', 0, 0, '11101', '0000'),
  ...halfProducts('FMLSL', 0, 1, '11101', '0100'),
  ...halfProducts('FMLAL2', 1, 0, '11001', '1000'),
  ...halfProducts('FMLSL2', 1, 1, '11001', '1100'),

  {
    ...complex,
    id: 'FCADD',
    section: 'FCADD',
    pattern: '0 Q 1 01110 size:2 0 Rm:5 111 rot 0 1 Rn:5 Rd:5',
    statics: ['Q', 'size', 'rot'],
    asm: 'fcadd <Vd>.<T>, <Vn>.<T>, <Vm>.<T>, #{rot:90|270}',
  },
  {
    ...complex,
    id: 'FCMLA_vec',
    section: 'FCMLA',
    pattern: '0 Q 1 01110 size:2 0 Rm:5 110 rot:2 1 Rn:5 Rd:5',
    statics: ['Q', 'size', 'rot'],
    asm: 'fcmla <Vd>.<T>, <Vn>.<T>, <Vm>.<T>, #{rot:0|90|180|270}',
  },
  {
    ...complex,
    id: 'FCMLA_elem_h',
    section: 'FCMLA (by element)',
    pattern: '0 Q 1 01111 01 L Rm:5 0 rot:2 1 H 0 Rn:5 Rd:5',
    reserved: (f: Fields): boolean => f.H === 1 && f.Q === 0,
    statics: ['Q', 'rot'],
    asm: 'fcmla <Vd>.{Q:4h|8h}, <Vn>.{Q:4h|8h}, <Vm>.h[<elementIndex>], #{rot:0|90|180|270}',
  },
  {
    ...complex,
    id: 'FCMLA_elem_s',
    section: 'FCMLA (by element)',
    pattern: '0 1 1 01111 10 0 Rm:5 0 rot:2 1 H 0 Rn:5 Rd:5',
    reserved: undefined,
    statics: ['rot'],
    asm: 'fcmla <Vd>.4s, <Vn>.4s, <Vm>.s[<H>], #{rot:0|90|180|270}',
  },
] as const satisfies readonly InstructionRow[];
