/** BFloat16: conversions, dot products, matrix products and long multiply-add. */
import type { InstructionRow } from '../types';

const common = { feature: 'FEAT_BF16', needs: 'fp', effect: 'none', status: 'done' } as const;

export const brainFloatRows = [
  {
    ...common,
    id: 'BFCVT',
    section: 'BFCVT',
    pattern: '0 0 0 11110 01 1 000110 10000 Rn:5 Rd:5',
    asm: 'bfcvt <Vd:h>, <Vn:s>',
  },
  {
    ...common,
    id: 'BFCVTN',
    section: 'BFCVTN, BFCVTN2',
    pattern: '0 Q 0 01110 10 10000 10110 10 Rn:5 Rd:5',
    statics: ['Q'],
    asm: 'bfcvtn{Q:|2} <Vd>.{Q:4h|8h}, <Vn>.4s',
  },
  {
    ...common,
    id: 'BFDOT_vec',
    section: 'BFDOT (vector)',
    pattern: '0 Q 1 01110 01 0 Rm:5 1 1111 1 Rn:5 Rd:5',
    statics: ['Q'],
    asm: 'bfdot <Vd>.{Q:2s|4s}, <Vn>.{Q:4h|8h}, <Vm>.{Q:4h|8h}',
  },
  {
    ...common,
    id: 'BFDOT_elem',
    section: 'BFDOT (by element)',
    pattern: '0 Q 0 01111 01 L Rm:5 1111 H 0 Rn:5 Rd:5',
    statics: ['Q'],
    asm: 'bfdot <Vd>.{Q:2s|4s}, <Vn>.{Q:4h|8h}, <Vm>.2h[<elementIndex>]',
  },
  {
    ...common,
    id: 'BFMLAL_vec',
    section: 'BFMLALB, BFMLALT (vector)',
    pattern: '0 Q 1 01110 11 0 Rm:5 1 1111 1 Rn:5 Rd:5',
    statics: ['Q'],
    asm: 'bfmlal{Q:b|t} <Vd>.4s, <Vn>.8h, <Vm>.8h',
  },
  {
    ...common,
    id: 'BFMLAL_elem',
    section: 'BFMLALB, BFMLALT (by element)',
    pattern: '0 Q 0 01111 11 L M Rm:4 1111 H 0 Rn:5 Rd:5',
    statics: ['Q'],
    asm: 'bfmlal{Q:b|t} <Vd>.4s, <Vn>.8h, <Vm>.h[<elementIndex>]',
  },
  {
    ...common,
    id: 'BFMMLA',
    section: 'BFMMLA',
    pattern: '0 1 1 01110 01 0 Rm:5 1 1101 1 Rn:5 Rd:5',
    asm: 'bfmmla <Vd>.4s, <Vn>.8h, <Vm>.8h',
  },
] as const satisfies readonly InstructionRow[];
