/** Every operator and statement of the builder, run by the host's WebAssembly and compared with the same in BigInt. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  extend32S,
  extendS,
  extendU,
  FunctionBuilder,
  i32,
  i64,
  type Local,
  load,
  op32,
  op64,
  select,
  signedLeb,
  unsignedLeb,
  type Value,
  type ValueType,
  wrap,
} from '../../../src/wasm/code';
import { addF64, f64 } from '../../../src/wasm/float';
import { type FunctionType, ModuleBuilder } from '../../../src/wasm/module';

type Callable = (...args: (number | bigint)[]) => number | bigint;

interface Made {
  readonly run: Callable;
  readonly memory: DataView;
}

/** A module with one function, with a page of memory. */
function made(type: FunctionType, body: (code: FunctionBuilder) => void): Made {
  const m = new ModuleBuilder();
  m.importMemory(1);
  const f = m.declare(type);
  const code = new FunctionBuilder(type.params);
  body(code);
  m.define(f, code.finish());
  m.exportFunction('f', f);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.finish()), { env: { memory } });
  return { run: exports.f as Callable, memory: new DataView(memory.buffer) };
}

/** One expression of parameters, as a function. */
const expression = (params: readonly ValueType[], build: (...locals: Local[]) => Value): Callable => {
  const locals = params.map((type, i) => new FunctionBuilder(params).param(i, type));
  const value = build(...locals);
  return made({ params, results: [value.type] }, (code) => code.return(value)).run;
};

describe('LEB128', () => {
  const rows: readonly (readonly [bigint, readonly number[]])[] = [
    [0n, [0]],
    [63n, [0x3f]],
    [64n, [0xc0, 0x00]],
    [-1n, [0x7f]],
    [-64n, [0x40]],
    [-65n, [0xbf, 0x7f]],
    [128n, [0x80, 0x01]],
    [-128n, [0x80, 0x7f]],
    [-(1n << 63n), [...Array<number>(9).fill(0x80), 0x7f]],
  ];
  for (const [value, bytes] of rows) test(`signed ${value}`, () => assert.deepEqual(signedLeb(value), bytes));
  test('unsigned', () => {
    assert.deepEqual(unsignedLeb(0), [0]);
    assert.deepEqual(unsignedLeb(127), [0x7f]);
    assert.deepEqual(unsignedLeb(128), [0x80, 0x01]);
    assert.deepEqual(unsignedLeb(624485), [0xe5, 0x8e, 0x26]);
    assert.deepEqual(unsignedLeb(2 ** 32 - 1), [0xff, 0xff, 0xff, 0xff, 0x0f]);
  });
});

test('constants come back as they are', () => {
  for (const n of [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 63, 64, -64, -65])
    assert.equal(expression([], () => i32(n))(), n);
  assert.equal(expression([], () => i32(0xffffffff))(), -1);
  for (const n of [0n, -1n, (1n << 63n) - 1n, -(1n << 63n), 0x123456789abcdefn])
    assert.equal(expression([], () => i64(n))(), n);
  assert.equal(expression([], () => i64(1n << 63n))(), -(1n << 63n));
  assert.equal(expression([], () => addF64(f64(0.5), f64(2 ** 60)))(), 0.5 + 2 ** 60);
});

type Big = (a: bigint, b: bigint, bits: number) => bigint | boolean;
const s = (v: bigint, bits: number): bigint => BigInt.asIntN(bits, v);
const u = (v: bigint, bits: number): bigint => BigInt.asUintN(bits, v);
const shift = (b: bigint, bits: number): bigint => u(b, bits) % BigInt(bits);
/** Two operands, as the WebAssembly specification defines them, on unsigned values. */
const binary: Readonly<Record<string, Big>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  ltS: (a, b, n) => s(a, n) < s(b, n),
  geS: (a, b, n) => s(a, n) >= s(b, n),
  gtS: (a, b, n) => s(a, n) > s(b, n),
  leS: (a, b, n) => s(a, n) <= s(b, n),
  ltU: (a, b) => a < b,
  geU: (a, b) => a >= b,
  leU: (a, b) => a <= b,
  gtU: (a, b) => a > b,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  divS: (a, b, n) => s(a, n) / s(b, n),
  divU: (a, b) => a / b,
  remU: (a, b) => a % b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b, n) => a << shift(b, n),
  shrS: (a, b, n) => s(a, n) >> shift(b, n),
  shrU: (a, b, n) => a >> shift(b, n),
  rotr: (a, b, n) => (a >> shift(b, n)) | (a << (BigInt(n) - shift(b, n))),
  rotl: (a, b, n) => (a << shift(b, n)) | (a >> (BigInt(n) - shift(b, n))),
};
const unary: Readonly<Record<string, (a: bigint, bits: number) => bigint | boolean>> = {
  eqz: (a) => a === 0n,
  clz: (a, n) => BigInt(n - (a === 0n ? 0 : a.toString(2).length)),
  ctz: (a, n) => BigInt(a === 0n ? n : a.toString(2).length - 1 - a.toString(2).lastIndexOf('1')),
  popcnt: (a) => BigInt(a.toString(2).replace(/0/g, '').length),
  extend8: (a) => s(a, 8),
  extend16: (a) => s(a, 16),
};
const values = (bits: number): bigint[] => {
  const top = 1n << BigInt(bits - 1);
  return [
    0n,
    1n,
    2n,
    31n,
    32n,
    63n,
    64n,
    0x7fn,
    0x80n,
    0xffn,
    0x8000n,
    top - 1n,
    top,
    top + 1n,
    u(-1n, bits),
    u(-2n, bits),
  ];
};

for (const [type, ops, bits] of [
  ['i32', op32, 32],
  ['i64', op64, 64],
] as const)
  describe(`${type} operators`, () => {
    const input = (v: bigint): number | bigint => (bits === 32 ? Number(s(v, 32)) : s(v, 64));
    const plain = (v: number | bigint | boolean): bigint => u(BigInt(v), 64);
    const expected = (v: bigint | boolean): bigint => (typeof v === 'boolean' ? BigInt(v) : plain(s(v, bits)));

    test('all of them are tested', () =>
      assert.deepEqual(Object.keys(ops).sort(), [...Object.keys(binary), ...Object.keys(unary)].sort()));

    for (const [name, model] of Object.entries(binary))
      test(name, () => {
        const run = expression([type, type], (a, b) =>
          (ops as never as Record<string, (a: Value, b: Value) => Value>)[name](a, b),
        );
        for (const a of values(bits))
          for (const b of values(bits)) {
            if (/div|rem/.test(name) && b === 0n) continue;
            if (name === 'divS' && a === 1n << BigInt(bits - 1) && s(b, bits) === -1n) continue; // traps
            assert.equal(plain(run(input(a), input(b))), expected(model(a, b, bits)), `${a} ${name} ${b}`);
          }
      });
    for (const [name, model] of Object.entries(unary))
      test(name, () => {
        const run = expression([type], (a) => (ops as never as Record<string, (a: Value) => Value>)[name](a));
        for (const a of values(bits)) assert.equal(plain(run(input(a))), expected(model(a, bits)), `${name} ${a}`);
      });
  });

test('conversions', () => {
  assert.equal(expression(['i64'], (a) => wrap(a as Local<'i64'>))(0x1_8000_0001n), -0x7fffffff);
  assert.equal(expression(['i32'], (a) => extendS(a as Local<'i32'>))(-2), -2n);
  assert.equal(expression(['i32'], (a) => extendU(a as Local<'i32'>))(-2), 0xfffffffen);
  assert.equal(expression(['i64'], (a) => extend32S(a as Local<'i64'>))(0x1_8000_0000n), -0x80000000n);
});

test('select takes the first value if the condition is not 0', () => {
  const run = expression(['i32'], (c) => select(c as Local<'i32'>, i64(7), i64(8)));
  assert.deepEqual([run(0), run(1), run(-1)], [8n, 7n, 7n]);
});

describe('memory', () => {
  const BYTES = [0xf1, 0xe2, 0xd3, 0xc4, 0xb5, 0xa6, 0x97, 0x88];
  // JavaScript takes no v128: vector.test.ts has those.
  const loads: Readonly<Record<Exclude<keyof typeof load, 'v128'>, number | bigint>> = {
    i32: 0xc4d3e2f1 | 0,
    i64: BigInt.asIntN(64, 0x8897a6b5c4d3e2f1n),
    u8: 0xf1,
    u16: 0xe2f1,
    i64u8: 0xf1n,
    i64u16: 0xe2f1n,
    i64s32: BigInt.asIntN(32, 0xc4d3e2f1n),
    i64u32: 0xc4d3e2f1n,
    f32: new DataView(Uint8Array.from(BYTES).buffer).getFloat32(0, true),
    f64: new DataView(Uint8Array.from(BYTES).buffer).getFloat64(0, true),
  };
  for (const [name, value] of Object.entries(loads))
    test(`load ${name}, at an unaligned address and with an offset`, () => {
      const kind = load[name as keyof typeof loads];
      const type = kind(i32(0)).type;
      const { run, memory } = made({ params: ['i32'], results: [type] }, (code) =>
        code.return(kind(code.param(0, 'i32'), 300)),
      );
      BYTES.forEach((byte, i) => {
        memory.setUint8(301 + i, byte);
      });
      assert.equal(run(1), value);
    });

  const stores = [
    ['i32', 'i32', 4],
    ['i32as8', 'i32', 1],
    ['i32as16', 'i32', 2],
    ['i64', 'i64', 8],
    ['i64as8', 'i64', 1],
    ['i64as16', 'i64', 2],
    ['i64as32', 'i64', 4],
    ['f64', 'f64', 8],
  ] as const;
  for (const [kind, type, size] of stores)
    test(`store ${kind}`, () => {
      const { run, memory } = made({ params: ['i32', type], results: [] }, (code) =>
        code.store(kind, code.param(0, 'i32'), code.param(1, type), 200),
      );
      run(1, type === 'f64' ? 1.5 : type === 'i64' ? -2n : -2);
      const written = Array.from({ length: 10 }, (_, i) => memory.getUint8(200 + i));
      const value = new DataView(new ArrayBuffer(8));
      if (type === 'f64') value.setFloat64(0, 1.5, true);
      else value.setBigInt64(0, -2n, true);
      const wanted = Array.from({ length: size }, (_, i) => value.getUint8(i));
      assert.deepEqual(written, [0, ...wanted, ...Array<number>(9 - size).fill(0)]);
    });

  test('fill', () => {
    const { run, memory } = made({ params: ['i32', 'i32'], results: [] }, (code) =>
      code.fill(code.param(0, 'i32'), i32(0xab), code.param(1, 'i32')),
    );
    run(10, 3);
    assert.deepEqual(
      Array.from({ length: 5 }, (_, i) => memory.getUint8(9 + i)),
      [0, 0xab, 0xab, 0xab, 0],
    );
  });
});

describe('statements', () => {
  test('let evaluates once, set changes', () => {
    const { run, memory } = made({ params: [], results: ['i32'] }, (code) => {
      const counter = (): Value<'i32'> => load.i32(i32(0));
      const x = code.let(op32.add(counter(), i32(1)));
      code.store('i32', i32(0), x);
      code.set(x, op32.add(x, x));
      code.return(op32.add(x, x));
    });
    assert.deepEqual([run(), memory.getInt32(0, true)], [4, 1]);
  });

  test('if and else', () => {
    const { run } = made({ params: ['i32'], results: ['i32'] }, (code) => {
      const c = code.param(0, 'i32');
      const x = code.local('i32');
      code.if(
        c,
        () => code.set(x, i32(5)),
        () => code.set(x, i32(6)),
      );
      code.if(op32.eqz(c), () => code.set(x, op32.add(x, i32(10))));
      code.return(x);
    });
    assert.deepEqual([run(1), run(0)], [5, 16]);
  });

  test('loops and blocks leave to where they say, through other blocks', () => {
    const { run } = made({ params: ['i32'], results: ['i32'] }, (code) => {
      const n = code.param(0, 'i32');
      const sum = code.local('i32');
      code.block((leave) => {
        code.loop((again) => {
          leave(op32.eqz(n));
          code.set(sum, op32.add(sum, n));
          code.set(n, op32.sub(n, i32(1)));
          code.if(op32.geU(sum, i32(100)), () => {
            code.set(sum, i32(100));
            code.block(() => leave());
          });
          again();
        });
      });
      code.return(sum);
    });
    assert.deepEqual([run(4), run(0), run(1000)], [10, 0, 100]);
  });

  test('leave and unreachable', () => {
    const { run } = made({ params: ['i32'], results: [] }, (code) => {
      code.if(code.param(0, 'i32'), () => code.leave());
      code.unreachable();
    });
    assert.equal(run(1), undefined);
    assert.throws(() => run(0), WebAssembly.RuntimeError);
  });

  test('more than 127 locals', () => {
    const { run } = made({ params: ['i64'], results: ['i64'] }, (code) => {
      let x: Local<'i64'> = code.param(0, 'i64');
      for (let i = 0; i < 300; i++) x = code.let(op64.add(x, i64(1)));
      code.return(x);
    });
    assert.equal(run(1n), 301n);
  });
});
