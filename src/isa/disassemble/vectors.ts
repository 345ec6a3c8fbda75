/** Operand printers for SIMD&FP registers: arrangements, elements, lists. Registers themselves: vectorRegister(). */

import type { Fields } from '../../arch/instructions';
import { bug } from '../../base/errors';
import type { OperandContext, OperandPrinter } from './context';

/** Arrangements by element size and Q. */
const arrangements = [
  ['8b', '16b'],
  ['4h', '8h'],
  ['2s', '4s'],
  ['1d', '2d'],
] as const;
const scalars = ['b', 'h', 's', 'd', 'q'] as const;

const arrangement = (sizeLog2: number, q: number): string => arrangements[sizeLog2][q];
/** Of elements twice as large in a whole register; 64-bit ones make one of 128 bits. */
const widened = (sizeLog2: number): string => (sizeLog2 === 3 ? '1q' : arrangement(sizeLog2 + 1, 1));

/** Position of the lowest one bit: how imm5 says the element size. */
const lowestOne = (value: number): number => 31 - Math.clz32(value & -value);
const highestOne = (value: number): number => 31 - Math.clz32(value);

/** log2 of a scalar's bytes by the rule that a template names: a letter or one or two fields. */
const scalarRules: Readonly<Record<string, (f: Fields) => number>> = {
  b: () => 0,
  h: () => 1,
  s: () => 2,
  d: () => 3,
  q: () => 4,
  ftype: (f) => [2, 3, 4, 1][f.ftype],
  size: (f) => f.size,
  sz: (f) => 2 + f.sz,
  opc: (f) => 2 + f.opc,
  opcsize: (f) => f.opc * 4 + f.size,
  imm5: (f) => lowestOne(f.imm5),
  immh: (f) => highestOne(f.immh),
  sizeNext: (f) => f.size + 1,
  immhNext: (f) => highestOne(f.immh) + 1,
  szNext: (f) => 3 + f.sz,
};

const VECTOR = /^V([a-z]\d?)(?::(\w+))?$/;

/** `Vd` prints v3; `Vd:RULE` prints b3 … q3 by a rule of scalarRules. Undefined for other texts. */
export function vectorRegister(text: string): OperandPrinter | undefined {
  const parts = VECTOR.exec(text);
  if (!parts) return undefined;
  const [, name, rule] = parts;
  const field = `R${name}`;
  const of = rule === undefined ? undefined : (scalarRules[rule] ?? bug(`scalar rule ${rule}`));
  return ({ row, f }) => {
    if (!(field in f)) bug(`${row.id} prints register ${text}, which it has not`);
    return `${of ? scalars[of(f)] : 'v'}${f[field]}`;
  };
}

const list = (first: number, count: number, suffix: string): string =>
  `{ ${Array.from({ length: count }, (_, i) => `v${(first + i) & 31}.${suffix}`).join(', ')} }`;

/** Registers from Rt on, whole. */
const registers =
  (count: number): OperandPrinter =>
  (c) =>
    list(c.f.Rt, count, arrangement(c.f.size, c.f.Q));

/** Index of a single structure's element: the bits of Q:S:size that the row has as fields. */
const structureIndex: Readonly<Record<string, (f: Fields) => number>> = {
  b: ({ Q, S, size }) => (Q << 3) | (S << 2) | size,
  h: ({ Q, S, size }) => (Q << 2) | (S << 1) | size,
  s: ({ Q, S }) => (Q << 1) | S,
  d: ({ Q }) => Q,
};
/** `bElements1` … `dElements4`: one element of so many registers from Rt on. */
const elementLists = Object.fromEntries(
  Object.entries(structureIndex).flatMap(([letter, index]) =>
    [1, 2, 3, 4].map((count): [string, OperandPrinter] => [
      `${letter}Elements${count}`,
      ({ f }) => `${list(f.Rt, count, letter)}[${index(f)}]`,
    ]),
  ),
);

/** FP immediate of imm8: VFPExpandImm, exactly as a decimal. */
export function fpImmediate(imm8: number): string {
  const exponent = ((imm8 >> 4) & 7) ^ 4;
  const value = (1 + (imm8 & 15) / 16) * 2 ** (exponent - 3);
  return `#${imm8 & 0x80 ? '-' : ''}${value.toFixed(8)}`;
}

const imm8 = (f: Fields): number => (f.abc << 5) | f.defgh;

/** The element of Vm that by-element rows name with size, L, M and H. Half-words leave only V0 to V15. */
function element({ f }: OperandContext): string {
  const m = f.M ?? 0;
  if (f.size < 2) return `v${f.Rm & 15}.h[${(f.H << 2) | (f.L << 1) | m}]`;
  const register = (m << 4) | (f.Rm & 15);
  return f.size === 2 ? `v${register}.s[${(f.H << 1) | f.L}]` : `v${register}.d[${f.H}]`;
}

export const vectorPrinters = {
  T: ({ f }) => arrangement(f.size, f.Q),
  Ta: ({ f }) => widened(f.size),
  Tpairs: ({ f }) => arrangement(f.size + 1, f.Q),
  Tsz: ({ f }) => arrangement(2 + f.sz, f.Q),
  Tasz: ({ f }) => widened(1 + f.sz),
  Tbsz: ({ f }) => arrangement(1 + f.sz, f.Q),
  Timm5: ({ f }) => arrangement(lowestOne(f.imm5), f.Q),
  Timmh: ({ f }) => arrangement(highestOne(f.immh), f.Q),
  Taimmh: ({ f }) => widened(highestOne(f.immh)),
  Tq: ({ f }) => arrangement(0, f.Q),
  Ts: ({ f }) => scalars[lowestOne(f.imm5)],
  index5: ({ f }) => String(f.imm5 >> (lowestOne(f.imm5) + 1)),
  index4: ({ f }) => String(f.imm4 >> lowestOne(f.imm5)),
  VmElement: element,
  elementIndex: ({ f }) => {
    if (f.sz === 1) return String(f.H);
    return String(f.M === undefined ? (f.H << 1) | f.L : (f.H << 2) | (f.L << 1) | f.M);
  },
  elementBits: ({ f }) => `#${8 << f.size}`,
  list1: registers(1),
  list2: registers(2),
  list3: registers(3),
  list4: registers(4),
  ...elementLists,
  tableList: (c) => list(c.f.Rn, c.f.len + 1, '16b'),
  shlAmount: ({ f }) => `#${((f.immh << 3) | f.immb) - (8 << highestOne(f.immh))}`,
  shrAmount: ({ f }) => `#${(16 << highestOne(f.immh)) - ((f.immh << 3) | f.immb)}`,
  fractionBits: ({ f }) => String(64 - f.scale),
  fraction16: ({ f }) => String(16 - f.immb),
  fraction32: ({ f }) => String(32 - f.immb),
  fraction64: ({ f }) => String(64 - f.immb),
  fpImm8: ({ f }) => fpImmediate(f.imm8 ?? imm8(f)),
  imm8abc: ({ f }) => `#${imm8(f)}`,
  immShift: ({ f }) => (f.cmode === 0 ? '' : `, lsl #${8 * f.cmode}`),
  byteMask: ({ f }) => {
    const bits = imm8(f);
    let value = 0n;
    for (let i = 0; i < 8; i++) if (bits & (1 << i)) value |= 0xffn << BigInt(8 * i);
    // LLVM's: sixteen characters, 0x included, which zero goes without.
    return value === 0n ? `#${'0'.repeat(16)}` : `#0x${value.toString(16).padStart(14, '0')}`;
  },
} as const satisfies Readonly<Record<string, OperandPrinter>>;
