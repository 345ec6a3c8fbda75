/** Every vector and float operator, run by the host's WebAssembly and compared with the same lane by lane in BigInt or Number. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { FunctionBuilder, type I32, i32, i64, load, type V128, type Value } from '../../../src/wasm/code';
import {
  bitsOf32,
  bitsOf64,
  demote,
  f64 as f64Constant,
  float32Of,
  float64Of,
  fromInteger,
  isNaN64,
  opF32,
  opF64,
  promote,
  toInteger,
} from '../../../src/wasm/float';
import { ModuleBuilder } from '../../../src/wasm/module';
import {
  bits,
  demoteZero,
  f32x4,
  f64x2,
  fromLow64,
  i8x16,
  i16x8,
  i32x4,
  i64x2,
  promoteLow,
  shuffle,
  swizzle,
  v128,
} from '../../../src/wasm/vector';

const random = new SeededRandom(new Uint32Array(1));
random.seed(0x5eed);
const edges = [0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn];
const half = (): bigint => {
  if (random.below(2) === 0) return (BigInt(random.next()) << 32n) | BigInt(random.next());
  const edge = (): bigint => edges[random.below(edges.length)];
  return BigInt.asUintN(64, (edge() << 32n) | edge() | (edge() << 48n) | (edge() << 16n) | (edge() << 56n));
};
const vector = (): bigint => (half() << 64n) | half();

/** A function of two vectors, at 0 and 16 in memory, with its vector at 32. */
function run(build: (a: V128, b: V128) => V128): (a: bigint, b: bigint) => bigint {
  const m = new ModuleBuilder();
  m.importMemory(1);
  const f = m.declare({ params: [], results: [] });
  const code = new FunctionBuilder([]);
  code.store('v128', i32(0), build(code.let(load.v128(i32(0))), code.let(load.v128(i32(0), 16))), 32);
  m.define(f, code.finish());
  m.exportFunction('f', f);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.finish()), { env: { memory } });
  const view = new DataView(memory.buffer);
  const put = (at: number, v: bigint): void => {
    view.setBigUint64(at, BigInt.asUintN(64, v), true);
    view.setBigUint64(at + 8, v >> 64n, true);
  };
  return (a, b) => {
    put(0, a);
    put(16, b);
    (exports.f as () => void)();
    return (view.getBigUint64(40, true) << 64n) | view.getBigUint64(32, true);
  };
}

type Lane = (a: bigint, b: bigint, width: number) => bigint;
const lane = (v: bigint, width: number, i: number): bigint => BigInt.asUintN(width, v >> BigInt(i * width));
const fromLanes = (width: number, of: (i: number) => bigint): bigint => {
  let v = 0n;
  for (let i = 0; i < 128 / width; i++) v |= BigInt.asUintN(width, of(i)) << BigInt(i * width);
  return v;
};
const s = (v: bigint, width: number): bigint => BigInt.asIntN(width, v);
const clamp = (v: bigint, low: bigint, high: bigint): bigint => (v < low ? low : v > high ? high : v);
const clampS = (v: bigint, w: number): bigint => clamp(v, -(1n << BigInt(w - 1)), (1n << BigInt(w - 1)) - 1n);
const clampU = (v: bigint, w: number): bigint => clamp(v, 0n, (1n << BigInt(w)) - 1n);
const magnitude = (v: bigint): bigint => (v < 0n ? -v : v);
const mask = (holds: boolean): bigint => (holds ? -1n : 0n);
const ones = (v: bigint): bigint => BigInt([...v.toString(2)].filter((c) => c === '1').length);

/** What an operator of that name does in each lane. */
const lanes: Readonly<Record<string, Lane>> = {
  eq: (a, b) => mask(a === b),
  ne: (a, b) => mask(a !== b),
  ltS: (a, b, w) => mask(s(a, w) < s(b, w)),
  ltU: (a, b) => mask(a < b),
  gtS: (a, b, w) => mask(s(a, w) > s(b, w)),
  gtU: (a, b) => mask(a > b),
  leS: (a, b, w) => mask(s(a, w) <= s(b, w)),
  leU: (a, b) => mask(a <= b),
  geS: (a, b, w) => mask(s(a, w) >= s(b, w)),
  geU: (a, b) => mask(a >= b),
  abs: (a, _b, w) => magnitude(s(a, w)),
  neg: (a) => -a,
  popcnt: ones,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  addSatS: (a, b, w) => clampS(s(a, w) + s(b, w), w),
  addSatU: (a, b, w) => clampU(a + b, w),
  subSatS: (a, b, w) => clampS(s(a, w) - s(b, w), w),
  subSatU: (a, b, w) => clampU(a - b, w),
  minS: (a, b, w) => (s(a, w) < s(b, w) ? a : b),
  minU: (a, b) => (a < b ? a : b),
  maxS: (a, b, w) => (s(a, w) > s(b, w) ? a : b),
  maxU: (a, b) => (a > b ? a : b),
  avgU: (a, b) => (a + b + 1n) >> 1n,
  roundMulHigh: (a, b, w) => clampS((s(a, w) * s(b, w) + 0x4000n) >> 15n, w),
};

/** Operators that read lanes of another width than they write: (a, b, width written, lane) -> lane. */
const across: Readonly<Record<string, (a: bigint, b: bigint, w: number, i: number) => bigint>> = {
  narrowS: (a, b, w, i) => clampS(s(lane(i < 64 / w ? a : b, 2 * w, i % (64 / w)), 2 * w), w),
  narrowU: (a, b, w, i) => clampU(s(lane(i < 64 / w ? a : b, 2 * w, i % (64 / w)), 2 * w), w),
  extendLowS: (a, _b, w, i) => s(lane(a, w / 2, i), w / 2),
  extendHighS: (a, _b, w, i) => s(lane(a, w / 2, i + 128 / w), w / 2),
  extendLowU: (a, _b, w, i) => lane(a, w / 2, i),
  extendHighU: (a, _b, w, i) => lane(a, w / 2, i + 128 / w),
  mulLowS: (a, b, w, i) => s(lane(a, w / 2, i), w / 2) * s(lane(b, w / 2, i), w / 2),
  mulHighS: (a, b, w, i) => s(lane(a, w / 2, i + 128 / w), w / 2) * s(lane(b, w / 2, i + 128 / w), w / 2),
  mulLowU: (a, b, w, i) => lane(a, w / 2, i) * lane(b, w / 2, i),
  mulHighU: (a, b, w, i) => lane(a, w / 2, i + 128 / w) * lane(b, w / 2, i + 128 / w),
  addPairsS: (a, _b, w, i) => s(lane(a, w / 2, 2 * i), w / 2) + s(lane(a, w / 2, 2 * i + 1), w / 2),
  addPairsU: (a, _b, w, i) => lane(a, w / 2, 2 * i) + lane(a, w / 2, 2 * i + 1),
  dotS: (a, b, w, i) =>
    [2 * i, 2 * i + 1].reduce((sum, j) => sum + s(lane(a, w / 2, j), w / 2) * s(lane(b, w / 2, j), w / 2), 0n),
};

/** Operators with other operands or results. */
const elsewhere = new Set([
  'splat',
  'extract',
  'extractS',
  'extractU',
  'replace',
  'allTrue',
  'bitmask',
  'shl',
  'shrS',
  'shrU',
]);

const CASES = 200;
const check = (build: (a: V128, b: V128) => V128, expected: (a: bigint, b: bigint) => bigint): void => {
  const f = run(build);
  for (let n = 0; n < CASES; n++) {
    const a = vector();
    const b = n % 8 === 0 ? a : vector();
    assert.equal(
      f(a, b).toString(16),
      BigInt.asUintN(128, expected(a, b)).toString(16),
      `${a.toString(16)} ${b.toString(16)}`,
    );
  }
};
const word = (value: I32): V128 => i32x4.replace(v128(0n, 0n), 0, value);

const shapes = { i8x16, i16x8, i32x4, i64x2 } as const;
for (const [name, ops] of Object.entries(shapes)) {
  const width = Number(/\d+/.exec(name)?.[0]);
  describe(name, () => {
    for (const [key, make] of Object.entries(ops) as [string, (a: V128, b: V128) => V128][]) {
      if (elsewhere.has(key)) continue;
      test(key, () => {
        if (key in across) check(make, (a, b) => fromLanes(width, (i) => across[key](a, b, width, i)));
        else check(make, (a, b) => fromLanes(width, (i) => lanes[key](lane(a, width, i), lane(b, width, i), width)));
      });
    }
    test('shifts take the amount modulo the width', () => {
      const amount = (b: bigint): bigint => b % BigInt(width);
      const by = (b: V128): I32 => i32x4.extract(b, 0);
      const cases = {
        shl: (a: bigint, n: bigint) => a << n,
        shrU: (a: bigint, n: bigint) => a >> n,
        shrS: (a: bigint, n: bigint) => s(a, width) >> n,
      };
      for (const key of ['shl', 'shrU', 'shrS'] as const)
        check(
          (a, b) => ops[key](a, by(b)),
          (a, b) => fromLanes(width, (i) => cases[key](lane(a, width, i), amount(lane(b, 32, 0)))),
        );
    });
    test('whole-vector tests', () => {
      const all = Array.from({ length: 128 / width }, (_, i) => i);
      check(
        (a) => word(ops.allTrue(a)),
        (a) => (all.every((i) => lane(a, width, i) !== 0n) ? 1n : 0n),
      );
      check(
        (a) => word(ops.bitmask(a)),
        (a) => all.reduce((m, i) => m | ((lane(a, width, i) >> BigInt(width - 1)) << BigInt(i)), 0n),
      );
    });
  });
}

test('lanes are put in and taken out', () => {
  const each = <T>(n: number, f: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => f(i));
  const set = (a: bigint, width: number, i: number, v: bigint): bigint =>
    fromLanes(width, (j) => (i === j ? v : lane(a, width, j)));
  for (const i of each(16, (n) => n)) {
    check(
      (a, b) => i8x16.replace(a, i, i8x16.extractU(b, 15 - i)),
      (a, b) => set(a, 8, i, lane(b, 8, 15 - i)),
    );
    check(
      (a) => i32x4.splat(i8x16.extractS(a, i)),
      (a) => fromLanes(32, () => s(lane(a, 8, i), 8)),
    );
  }
  for (const i of each(8, (n) => n)) {
    check(
      (a, b) => i16x8.replace(a, i, i16x8.extractU(b, 7 - i)),
      (a, b) => set(a, 16, i, lane(b, 16, 7 - i)),
    );
    check(
      (a) => i32x4.splat(i16x8.extractS(a, i)),
      (a) => fromLanes(32, () => s(lane(a, 16, i), 16)),
    );
  }
  for (const i of each(4, (n) => n))
    check(
      (a, b) => i32x4.replace(a, i, i32x4.extract(b, 3 - i)),
      (a, b) => set(a, 32, i, lane(b, 32, 3 - i)),
    );
  for (const i of each(2, (n) => n))
    check(
      (a, b) => i64x2.replace(a, i, i64x2.extract(b, 1 - i)),
      (a, b) => set(a, 64, i, lane(b, 64, 1 - i)),
    );
  check(
    (a) => i8x16.splat(i32x4.extract(a, 0)),
    (a) => fromLanes(8, () => a),
  );
  check(
    (a) => i16x8.splat(i32x4.extract(a, 0)),
    (a) => fromLanes(16, () => a),
  );
  check(
    (a) => i64x2.splat(i64x2.extract(a, 1)),
    (a) => fromLanes(64, () => a >> 64n),
  );
  check(
    (a) => fromLow64(i64x2.extract(a, 1)),
    (a) => a >> 64n,
  );
});

test('bits, constants and bytes in another order', () => {
  const ALL = (1n << 128n) - 1n;
  check(
    (a) => bits.not(a),
    (a) => ALL ^ a,
  );
  check(bits.and, (a, b) => a & b);
  check(bits.andNot, (a, b) => a & (ALL ^ b));
  check(bits.or, (a, b) => a | b);
  check(bits.xor, (a, b) => a ^ b);
  const c = v128(0x0123456789abcdefn, 0xfedcba9876543210n);
  const constant = (0xfedcba9876543210n << 64n) | 0x0123456789abcdefn;
  check(
    () => c,
    () => constant,
  );
  check(
    (a, b) => bits.select(c, a, b),
    (a, b) => (a & constant) | (b & (ALL ^ constant)),
  );
  check(
    (a) => word(bits.anyTrue(a)),
    (a) => (a === 0n ? 0n : 1n),
  );
  const order = [31, 0, 16, 1, 2, 2, 17, 15, 3, 30, 4, 5, 29, 6, 7, 8];
  check(
    (a, b) => shuffle(a, b, order),
    (a, b) => fromLanes(8, (i) => lane(a | (b << 128n), 8, order[i])),
  );
  check(swizzle, (a, b) => fromLanes(8, (i) => (lane(b, 8, i) < 16n ? lane(a, 8, Number(lane(b, 8, i))) : 0n)));
});

describe('floats', () => {
  const view = new DataView(new ArrayBuffer(8));
  const number = (v: bigint, width: number): number => {
    view.setBigUint64(0, v, true);
    return width === 32 ? view.getFloat32(0, true) : view.getFloat64(0, true);
  };
  const lanesOf = { f32x4, f64x2 } as const;
  for (const [name, ops] of Object.entries(lanesOf))
    test(name, () => {
      const width = name === 'f32x4' ? 32 : 64;
      const compare = {
        eq: (a: number, b: number) => a === b,
        ne: (a: number, b: number) => a !== b,
        lt: (a: number, b: number) => a < b,
        gt: (a: number, b: number) => a > b,
        le: (a: number, b: number) => a <= b,
        ge: (a: number, b: number) => a >= b,
      };
      for (const key of Object.keys(compare) as (keyof typeof compare)[])
        check(ops[key], (a, b) =>
          fromLanes(width, (i) =>
            mask(compare[key](number(lane(a, width, i), width), number(lane(b, width, i), width))),
          ),
        );
      const sign = 1n << BigInt(width - 1);
      check(ops.abs, (a) => fromLanes(width, (i) => lane(a, width, i) & (sign - 1n)));
      check(ops.neg, (a) => fromLanes(width, (i) => lane(a, width, i) ^ sign));

      // Which NaN comes out is the host's affair: it becomes zero on both sides.
      const numbers = (v: V128): V128 => bits.and(v, ops.eq(v, v));
      const round = (n: number): bigint => {
        if (Number.isNaN(n)) return 0n;
        if (width === 32) view.setFloat32(0, n, true);
        else view.setFloat64(0, n, true);
        return width === 32 ? BigInt(view.getUint32(0, true)) : view.getBigUint64(0, true);
      };
      const arithmetic = {
        add: (a: number, b: number) => a + b,
        sub: (a: number, b: number) => a - b,
        mul: (a: number, b: number) => a * b,
        div: (a: number, b: number) => a / b,
        min: (a: number, b: number) => Math.min(a, b),
        max: (a: number, b: number) => Math.max(a, b),
      };
      for (const key of Object.keys(arithmetic) as (keyof typeof arithmetic)[])
        check(
          (a, b) => numbers(ops[key](a, b)),
          (a, b) =>
            fromLanes(width, (i) =>
              round(arithmetic[key](number(lane(a, width, i), width), number(lane(b, width, i), width))),
            ),
        );
      check(
        (a) => numbers(ops.sqrt(a)),
        (a) => fromLanes(width, (i) => round(Math.sqrt(number(lane(a, width, i), width)))),
      );
    });

  test('between singles and doubles', () => {
    const bitsOf = (n: number, width: number): bigint => {
      if (width === 32) view.setFloat32(0, n, true);
      else view.setFloat64(0, n, true);
      if (Number.isNaN(n)) return 0n;
      return width === 32 ? BigInt(view.getUint32(0, true)) : view.getBigUint64(0, true);
    };
    check(
      (a) => bits.and(promoteLow(a), f64x2.eq(promoteLow(a), promoteLow(a))),
      (a) => fromLanes(64, (i) => bitsOf(number(lane(a, 32, i), 32), 64)),
    );
    check(
      (a) => bits.and(demoteZero(a), f32x4.eq(demoteZero(a), demoteZero(a))),
      (a) => bitsOf(number(lane(a, 64, 0), 64), 32) | (bitsOf(number(lane(a, 64, 1), 64), 32) << 32n),
    );
  });

  /** One double operand and result, as numbers. */
  const double = (
    build: (a: Value<'f64'>, b: Value<'f64'>) => Value<'f64'>,
    expected: (a: number, b: number) => number,
  ) =>
    check(
      (a, b) => fromLow64(bitsOf64(build(float64Of(i64x2.extract(a, 0)), float64Of(i64x2.extract(b, 0))))),
      (a, b) => {
        view.setFloat64(0, expected(number(lane(a, 64, 0), 64), number(lane(b, 64, 0), 64)), true);
        return view.getBigUint64(0, true);
      },
    );
  const noNaN = (v: Value<'f64'>): Value<'f64'> => {
    const code = [...v.code, ...f64Constant(1).code, ...isNaN64(v).code, 0x45, 0x1b];
    return new (v.constructor as new (t: string, c: number[]) => Value<'f64'>)('f64', code);
  };
  const orOne = (n: number): number => (Number.isNaN(n) ? 1 : n);
  test('arithmetic', () => {
    double(
      (a, b) => noNaN(opF64.add(a, b)),
      (a, b) => orOne(a + b),
    );
    double(
      (a, b) => noNaN(opF64.sub(a, b)),
      (a, b) => orOne(a - b),
    );
    double(
      (a, b) => noNaN(opF64.mul(a, b)),
      (a, b) => orOne(a * b),
    );
    double(
      (a, b) => noNaN(opF64.div(a, b)),
      (a, b) => orOne(a / b),
    );
    double(
      (a) => noNaN(opF64.sqrt(a)),
      (a) => orOne(Math.sqrt(a)),
    );
    double(
      (a) => noNaN(opF64.floor(a)),
      (a) => orOne(Math.floor(a)),
    );
    double(
      (a) => noNaN(opF64.ceil(a)),
      (a) => orOne(Math.ceil(a)),
    );
    double(
      (a) => noNaN(opF64.trunc(a)),
      (a) => orOne(Math.trunc(a)),
    );
    double(
      (a) => noNaN(opF64.nearest(a)),
      (a) => {
        const r = Math.round(a);
        return orOne(Math.abs(a % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r === 0 && a < 0 ? -0 : r);
      },
    );
    double(
      (a) => noNaN(promote(demote(a))),
      (a) => orOne(Math.fround(a)),
    );
    const single = (v: Value<'f64'>): Value<'f32'> => demote(v);
    double(
      (a, b) => noNaN(promote(opF32.mul(single(a), single(b)))),
      (a, b) => orOne(Math.fround(Math.fround(a) * Math.fround(b))),
    );
    check(
      (a) => word(bitsOf32(opF32.neg(float32Of(i32x4.extract(a, 0))))),
      (a) => lane(a, 32, 0) ^ 0x80000000n,
    );
  });
  test('from and to integers', () => {
    const low = (a: V128) => i64x2.extract(a, 0);
    const asDouble = (n: number): bigint => {
      view.setFloat64(0, n, true);
      return view.getBigUint64(0, true);
    };
    check(
      (a) => fromLow64(bitsOf64(fromInteger.f64.i64S(low(a)))),
      (a) => asDouble(Number(s(a, 64))),
    );
    check(
      (a) => fromLow64(bitsOf64(fromInteger.f64.i64U(low(a)))),
      (a) => asDouble(Number(lane(a, 64, 0))),
    );
    check(
      (a) => fromLow64(bitsOf64(promote(fromInteger.f32.i32S(i32x4.extract(a, 0))))),
      (a) => asDouble(Math.fround(Number(s(a, 32)))),
    );
    check(
      (a) => fromLow64(bitsOf64(promote(fromInteger.f32.i32U(i32x4.extract(a, 0))))),
      (a) => asDouble(Math.fround(Number(lane(a, 32, 0)))),
    );
    const integer = (a: bigint, clip: (v: bigint) => bigint): bigint => {
      const n = number(lane(a, 64, 0), 64);
      if (Number.isNaN(n)) return 0n;
      return clip(Number.isFinite(n) ? BigInt(Math.trunc(n)) : n > 0 ? 1n << 100n : -(1n << 100n));
    };
    const of = (a: V128) => float64Of(low(a));
    check(
      (a) => fromLow64(toInteger.f64.i64S(of(a))),
      (a) => integer(a, (v) => BigInt.asUintN(64, clampS(v, 64))),
    );
    check(
      (a) => fromLow64(toInteger.f64.i64U(of(a))),
      (a) => integer(a, (v) => clampU(v, 64)),
    );
    check(
      (a) => word(toInteger.f64.i32S(of(a))),
      (a) => integer(a, (v) => BigInt.asUintN(32, clampS(v, 32))),
    );
    check(
      (a) => word(toInteger.f64.i32U(of(a))),
      (a) => integer(a, (v) => clampU(v, 32)),
    );
    check(
      () => fromLow64(i64(5)),
      () => 5n,
    );
  });
});
