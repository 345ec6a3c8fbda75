/** Single instructions beside the routine calls that mean the same: what is compared with QEMU. */
import { Rounding } from '../../../../src/isa/fp';

/** Operands as bits, and FPCR's rounding mode. */
export interface Operands {
  readonly a: bigint;
  readonly b: bigint;
  readonly c: bigint;
  readonly rmode: number;
}

export interface Operation {
  /** The instruction, reading {r}0, {r}1, {r}2 or x3 and writing {r}0 or x3. */
  readonly text: string;
  readonly routine: string;
  readonly args: (o: Operands) => readonly (bigint | number)[];
  /** Kinds of the operands a, b, c that are used. */
  readonly operands: readonly (16 | 32 | 64 | 'integer')[];
  /** Where the instruction leaves its result. */
  readonly result: 'float' | 'integer' | 'nzcv';
  /** Makes the routine's result comparable. */
  readonly adapt?: (result: bigint) => bigint;
  /** Makes the instruction's result comparable. */
  readonly mask?: bigint;
}

const REGISTER = { 16: 'h', 32: 's', 64: 'd' } as const;
const WIDTHS = [16, 32, 64] as const;
type Width = (typeof WIDTHS)[number];

const ones = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

function ofWidth(n: Width): Operation[] {
  const r = REGISTER[n];
  const binary = (name: string, routine: string): Operation => ({
    text: `${name} ${r}0, ${r}0, ${r}1`,
    routine: routine + n,
    args: ({ a, b }) => [a, b],
    operands: [n, n],
    result: 'float',
  });
  const unary = (name: string, routine: string, ...more: number[]): Operation => ({
    text: `${name} ${r}0, ${r}0`,
    routine: routine + n,
    args: ({ a }) => [a, ...more],
    operands: [n],
    result: 'float',
  });
  const byMode = (name: string, exact: number): Operation => ({
    ...unary(name, 'FPRoundInt'),
    args: ({ a, rmode }) => [a, rmode, exact],
  });
  const compare = (name: string, signals: number): Operation => ({
    ...binary(name, 'FPCompare'),
    text: `${name} ${r}0, ${r}1`,
    args: ({ a, b }) => [a, b, signals],
    result: 'nzcv',
  });
  const test = (name: string, routine: string): Operation => ({
    ...binary(name, routine),
    adapt: (result) => (result === 0n ? 0n : ones(n)),
  });
  return [
    binary('fadd', 'FPAdd'),
    binary('fsub', 'FPSub'),
    binary('fmul', 'FPMul'),
    binary('fmulx', 'FPMulX'),
    binary('fdiv', 'FPDiv'),
    unary('fsqrt', 'FPSqrt'),
    {
      text: `fmadd ${r}0, ${r}0, ${r}1, ${r}2`,
      routine: `FPMulAdd${n}`,
      args: ({ a, b, c }) => [c, a, b],
      operands: [n, n, n],
      result: 'float',
    },
    binary('fmax', 'FPMax'),
    binary('fmin', 'FPMin'),
    binary('fmaxnm', 'FPMaxNum'),
    binary('fminnm', 'FPMinNum'),
    binary('frecps', 'FPRecipStepFused'),
    binary('frsqrts', 'FPRSqrtStepFused'),
    unary('frecpe', 'FPRecipEstimate'),
    unary('frsqrte', 'FPRSqrtEstimate'),
    unary('frecpx', 'FPRecpX'),
    compare('fcmp', 0),
    compare('fcmpe', 1),
    test('fcmeq', 'FPCompareEQ'),
    test('fcmge', 'FPCompareGE'),
    test('fcmgt', 'FPCompareGT'),
    unary('frintn', 'FPRoundInt', Rounding.TieEven, 0),
    unary('frintp', 'FPRoundInt', Rounding.PosInf, 0),
    unary('frintm', 'FPRoundInt', Rounding.NegInf, 0),
    unary('frintz', 'FPRoundInt', Rounding.Zero, 0),
    unary('frinta', 'FPRoundInt', Rounding.TieAway, 0),
    byMode('frinti', 0),
    byMode('frintx', 1),
  ];
}

/** FRINT32 and FRINT64, which half precision does not have. */
function toSized(n: 32 | 64): Operation[] {
  const r = REGISTER[n];
  return ([32, 64] as const).flatMap((size) =>
    (['z', 'x'] as const).map(
      (mode): Operation => ({
        text: `frint${size}${mode} ${r}0, ${r}0`,
        routine: `FPRoundIntN${n}`,
        args: ({ a, rmode }) => [a, mode === 'z' ? Rounding.Zero : rmode, size],
        operands: [n],
        result: 'float',
      }),
    ),
  );
}

const MODES = {
  n: Rounding.TieEven,
  p: Rounding.PosInf,
  m: Rounding.NegInf,
  z: Rounding.Zero,
  a: Rounding.TieAway,
} as const;

function toInteger(n: Width): Operation[] {
  const make = (name: string, mode: number, unsigned: number, size: 32 | 64, bits: number): Operation => ({
    text: `${name} ${size === 32 ? 'w' : 'x'}3, ${REGISTER[n]}0${bits ? `, #${bits}` : ''}`,
    routine: `FPToFixed${n}`,
    args: ({ a }) => [a, bits, unsigned, mode, size],
    operands: [n],
    result: 'integer',
  });
  return ([32, 64] as const).flatMap((size) =>
    (['s', 'u'] as const).flatMap((kind) => [
      ...Object.entries(MODES).map(([letter, mode]) =>
        make(`fcvt${letter}${kind}`, mode, Number(kind === 'u'), size, 0),
      ),
      ...[1, 17, size].map((bits) => make(`fcvtz${kind}`, Rounding.Zero, Number(kind === 'u'), size, bits)),
    ]),
  );
}

function fromInteger(n: Width): Operation[] {
  return ([32, 64] as const).flatMap((size) =>
    (['s', 'u'] as const).flatMap((kind) =>
      [0, 1, 17, size].map(
        (bits): Operation => ({
          text: `${kind}cvtf ${REGISTER[n]}0, ${size === 32 ? 'w' : 'x'}3${bits ? `, #${bits}` : ''}`,
          routine: `FixedToFP${n}`,
          args: ({ a, rmode }) => [
            kind === 's' ? BigInt.asIntN(size, a) : BigInt.asUintN(size, a),
            bits,
            Number(kind === 'u'),
            rmode,
          ],
          operands: ['integer'],
          result: 'float',
        }),
      ),
    ),
  );
}

const conversions = WIDTHS.flatMap((from) =>
  WIDTHS.filter((to) => to !== from).map(
    (to): Operation => ({
      text: `fcvt ${REGISTER[to]}0, ${REGISTER[from]}0`,
      routine: `FPConvert${from}to${to}`,
      args: ({ a, rmode }) => [a, rmode],
      operands: [from],
      result: 'float',
    }),
  ),
);

export const operations: readonly Operation[] = [
  ...WIDTHS.flatMap(ofWidth),
  ...([32, 64] as const).flatMap(toSized),
  ...WIDTHS.flatMap(toInteger),
  ...WIDTHS.flatMap(fromInteger),
  ...conversions,
  {
    text: 'fcvtxn s0, d0',
    routine: 'FPConvert64to32',
    args: ({ a }) => [a, Rounding.Odd],
    operands: [64],
    result: 'float',
  },
  {
    text: 'fjcvtzs w3, d0',
    routine: 'FPToFixedJS',
    args: ({ a }) => [a],
    operands: [64],
    result: 'integer',
    adapt: (result) => result & ones(32),
  },
  {
    text: 'fmlal v2.2s, v0.2h, v1.2h\n fmov d0, d2',
    routine: 'FPMulAddH',
    args: ({ a, b, c }) => [c, a, b],
    operands: [16, 16, 32],
    result: 'float',
    mask: ones(32),
  },
];

/** The operations as assembly for oracle.c. */
export function operationsSource(): string {
  const functions = operations.map(
    ({ text, result }, i) => `op${i}:
 ldr d0, [x0]
 ldr d1, [x0, #8]
 ldr d2, [x0, #16]
 ldr x3, [x0]
 msr nzcv, xzr
 ${text}
 mrs x4, nzcv
 str ${result === 'integer' ? 'x3' : 'd0'}, [x1]
 str x4, [x1, #8]
 ret
`,
  );
  const table = operations.map((_, i) => ` .quad op${i}\n`);
  return `.arch armv8.5-a+fp16+fp16fml\n.text\n${functions.join('')}.data\n.balign 8\n.global operations\noperations:\n${table.join('')}`;
}
