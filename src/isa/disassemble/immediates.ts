/** Operand printers for data processing: immediates, shifts, extensions, conditions, PC-relative addresses. */

import { conditionNames, type Fields } from '../../arch/instructions';
import { hex, joinBig, signExtend32 } from '../../base/bits';
import { decodeBitMasks } from '../bitmask';
import type { OperandContext, OperandPrinter } from './context';
import { registerOperand } from './registers';

const shiftNames = ['lsl', 'lsr', 'asr', 'ror'] as const;
const extendNames = ['uxtb', 'uxth', 'uxtw', 'uxtx', 'sxtb', 'sxth', 'sxtw', 'sxtx'] as const;

const widthOf = (f: Fields): number => (f.sf === 0 ? 32 : 64);

/** A value of the instruction's width as a signed decimal. */
const signedDecimal = (f: Fields, value: bigint): string => `#${BigInt.asIntN(widthOf(f), value)}`;

const bitmask = (f: Fields): bigint => {
  const { hi, lo } = decodeBitMasks(f.N, f.imms, f.immr).wmask;
  return f.sf === 1 ? joinBig(hi, lo) : BigInt(lo);
};

const moveWide = (f: Fields): bigint => BigInt(f.imm16) << BigInt(16 * f.hw);

/** A PC-relative address: recorded as the target, printed in hexadecimal, with its symbol when there is one. */
function address(c: OperandContext, base: bigint, offset: bigint): string {
  const target = BigInt.asUintN(64, base + offset);
  c.setTarget(target);
  const symbol = c.options.symbol?.(target);
  return hex(target) + (symbol ? ` <${symbol}>` : '');
}

const label =
  (field: string, bits: number): OperandPrinter =>
  (c) =>
    address(c, c.pc, BigInt(signExtend32(c.f[field], bits)) * 4n);

const adrOffset = (f: Fields): bigint => BigInt(signExtend32((f.immhi << 2) | f.immlo, 21));

/** Rm with its extension. With SP as an operand the extension of the full width is spelt `lsl`, and left out when zero. */
function extendedRegister({ row, f }: OperandContext): string {
  const rm = registerOperand(row, f, 'Rm');
  const amount = f.imm3 === 0 ? '' : ` #${f.imm3}`;
  const usesSp = row.sp?.some((name) => f[name] === 31) ?? false;
  if (usesSp && f.option === (f.sf === 1 ? 3 : 2)) return amount === '' ? rm : `${rm}, lsl${amount}`;
  return `${rm}, ${extendNames[f.option]}${amount}`;
}

export const immediatePrinters = {
  imm12sh: ({ f }) => `#${f.imm12}${f.sh ? ', lsl #12' : ''}`,
  imm16hw: ({ f }) => `#${f.imm16}${f.hw ? `, lsl #${16 * f.hw}` : ''}`,
  imm16hex: ({ f }) => (f.imm16 === 0 ? '#0' : `#${hex(f.imm16)}`),
  simm8: ({ f }) => `#${signExtend32(f.imm8, 8)}`,
  bitmask: ({ f }) => `#${hex(bitmask(f))}`,
  bitmaskDecimal: ({ f }) => signedDecimal(f, bitmask(f)),
  moveWide: ({ f }) => signedDecimal(f, moveWide(f)),
  moveWideInverted: ({ f }) => signedDecimal(f, ~moveWide(f)),
  bfLsb: ({ f }) => `#${(widthOf(f) - f.immr) % widthOf(f)}`,
  bfWidth: ({ f }) => `#${f.imms + 1}`,
  bfxWidth: ({ f }) => `#${f.imms - f.immr + 1}`,
  lslAmount: ({ f }) => `#${widthOf(f) - 1 - f.imms}`,
  shift: ({ f }) => (f.shift === 0 && f.imm6 === 0 ? '' : `, ${shiftNames[f.shift]} #${f.imm6}`),
  RmExtended: extendedRegister,
  cond: ({ f }) => conditionNames[f.cond],
  invcond: ({ f }) => conditionNames[f.cond ^ 1],
  bitNumber: ({ f }) => `#${(f.b5 << 5) | f.b40}`,
  tagOffset: ({ f }) => `#${f.uimm6 * 16}`,
  label26: label('imm26', 26),
  label19: label('imm19', 19),
  label14: label('imm14', 14),
  adr: (c) => address(c, c.pc, adrOffset(c.f)),
  adrp: (c) => address(c, c.pc & ~0xfffn, adrOffset(c.f) << 12n),
} as const satisfies Readonly<Record<string, OperandPrinter>>;
