/** Advanced SIMD: the cryptographic instructions for SM3 and SM4. */
import type { InstructionRow } from './types';

const common = { needs: 'fp', effect: 'none', status: 'done' } as const;

/** Three registers with an element of the third. */
const round = <Id extends string>(id: Id, op: string) => ({
  ...common,
  id,
  section: id,
  pattern: `11001110010 Rm:5 10 imm2:2 ${op} Rn:5 Rd:5`,
  feature: 'FEAT_SM3' as const,
  asm: `${id.toLowerCase()} <Vd>.4s, <Vn>.4s, <Vm>.s[<imm2>]`,
});
const three = <Id extends string, F extends 'FEAT_SM3' | 'FEAT_SM4'>(id: Id, op: string, feature: F) => ({
  ...common,
  id,
  section: id,
  pattern: `11001110011 Rm:5 1100 ${op} Rn:5 Rd:5`,
  feature,
  asm: `${id.toLowerCase()} <Vd>.4s, <Vn>.4s, <Vm>.4s`,
});

export const simdSmRows = [
  {
    ...common,
    id: 'SM3SS1',
    section: 'SM3SS1',
    pattern: '11001110010 Rm:5 0 Ra:5 Rn:5 Rd:5',
    feature: 'FEAT_SM3',
    asm: 'sm3ss1 <Vd>.4s, <Vn>.4s, <Vm>.4s, <Va>.4s',
  },
  round('SM3TT1A', '00'),
  round('SM3TT1B', '01'),
  round('SM3TT2A', '10'),
  round('SM3TT2B', '11'),
  three('SM3PARTW1', '00', 'FEAT_SM3'),
  three('SM3PARTW2', '01', 'FEAT_SM3'),
  three('SM4EKEY', '10', 'FEAT_SM4'),
  {
    ...common,
    id: 'SM4E',
    section: 'SM4E',
    pattern: '110011101100000010000 1 Rn:5 Rd:5',
    feature: 'FEAT_SM4',
    asm: 'sm4e <Vd>.4s, <Vn>.4s',
  },
] as const satisfies readonly InstructionRow[];
