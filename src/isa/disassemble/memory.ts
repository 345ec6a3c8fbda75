/** Operand printers for addresses in brackets. Offsets are printed in bytes. */

import { signExtend32 } from '../../base/bits';
import type { OperandContext, OperandPrinter } from './context';
import { registerOperand } from './registers';

type Mode = 'offset' | 'post' | 'pre';

const base = ({ row, f }: OperandContext): string => registerOperand(row, f, 'Rn', 'x');

function memory(c: OperandContext, offset: number, mode: Mode): string {
  if (mode === 'post') return `[${base(c)}], #${offset}`;
  if (mode === 'pre') return `[${base(c)}, #${offset}]!`;
  return offset === 0 ? `[${base(c)}]` : `[${base(c)}, #${offset}]`;
}

const imm9 =
  (mode: Mode, scale = 1): OperandPrinter =>
  (c) =>
    memory(c, signExtend32(c.f.imm9, 9) * scale, mode);

const pair =
  (mode: Mode, scale?: number): OperandPrinter =>
  (c) =>
    memory(c, signExtend32(c.f.imm7, 7) * (scale ?? (c.f.sf === 1 ? 8 : 4)), mode);

/** log2 of the access size; SIMD&FP has opc<1>:size, the prefetch rows have no size field and scale as doublewords. */
const scaleOf = (c: OperandContext): number => (c.row.needs === 'fp' ? c.f.opc * 4 + c.f.size : (c.f.size ?? 3));

function registerOffset(c: OperandContext): string {
  const { option, S } = c.f;
  const rm = registerOperand(c.row, c.f, 'Rm');
  const extend = { 2: 'uxtw', 3: 'lsl', 6: 'sxtw', 7: 'sxtx' }[option];
  if (option === 3 && S === 0) return `[${base(c)}, ${rm}]`;
  return `[${base(c)}, ${rm}, ${extend}${S ? ` #${scaleOf(c)}` : ''}]`;
}

const simdPair =
  (mode: Mode): OperandPrinter =>
  (c) =>
    pair(mode, 4 << c.f.opc)(c);

/** LDRAA and LDRAB: a signed 10-bit offset in doublewords. */
const authenticated =
  (mode: Mode): OperandPrinter =>
  (c) =>
    memory(c, signExtend32((c.f.S << 9) | c.f.imm9, 10) * 8, mode);

export const memoryPrinters = {
  memUoff: (c) => memory(c, c.f.imm12 * 2 ** scaleOf(c), 'offset'),
  memUnscaled: imm9('offset'),
  memPost: imm9('post'),
  memPre: imm9('pre'),
  memReg: registerOffset,
  memPair: pair('offset'),
  memPairPost: pair('post'),
  memPairPre: pair('pre'),
  memPairSw: pair('offset', 4),
  memPairSwPost: pair('post', 4),
  memPairSwPre: pair('pre', 4),
  memPairSimd: simdPair('offset'),
  memPairSimdPost: simdPair('post'),
  memPairSimdPre: simdPair('pre'),
  memPairTag: pair('offset', 16),
  memPairTagPost: pair('post', 16),
  memPairTagPre: pair('pre', 16),
  memTag: imm9('offset', 16),
  memTagPost: imm9('post', 16),
  memTagPre: imm9('pre', 16),
  memAuth: authenticated('offset'),
  memAuthPre: authenticated('pre'),
} as const satisfies Readonly<Record<string, OperandPrinter>>;
