/** The module builder: calls, tables, tail calls and imports arrive at what they name; mistakes are bugs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FunctionBuilder, i32, op32 } from '../../../src/wasm/code';
import { ModuleBuilder } from '../../../src/wasm/module';

const memory = (): WebAssembly.Memory => new WebAssembly.Memory({ initial: 1, maximum: 1 });
const instance = (m: ModuleBuilder, env: Record<string, WebAssembly.ImportValue>): Record<string, unknown> =>
  new WebAssembly.Instance(new WebAssembly.Module(m.finish()), { env }).exports;
type Callable = (...args: number[]) => number;
const ONE = { params: ['i32'], results: ['i32'] } as const;
const body = (build: (code: FunctionBuilder) => void): number[] => {
  const code = new FunctionBuilder(['i32']);
  build(code);
  return code.finish();
};

test('imported functions come first, and calls find them and others', () => {
  const m = new ModuleBuilder();
  m.importMemory(1);
  const twice = m.importFunction('twice', ONE);
  const note = m.importFunction('note', { params: ['i32'], results: [] });
  const [a, b] = [m.declare(ONE), m.declare(ONE)];
  assert.deepEqual([twice, note, a, b], [0, 1, 2, 3]);
  m.define(
    b,
    body((code) => code.return(code.call(twice, 'i32', op32.add(code.param(0, 'i32'), i32(1))))),
  );
  m.define(
    a,
    body((code) => {
      code.callVoid(note, code.param(0, 'i32'));
      code.tailCall(b, op32.add(code.param(0, 'i32'), i32(100)));
    }),
  );
  m.exportFunction('a', a);
  m.exportFunction('b', b);
  const notes: number[] = [];
  const exports = instance(m, {
    memory: memory(),
    twice: (x: number) => 2 * x,
    note: (x: number) => void notes.push(x),
  });
  assert.deepEqual([(exports.a as Callable)(5), (exports.b as Callable)(5), notes], [212, 12, [5]]);
});

test('equal types are one', () => {
  const m = new ModuleBuilder();
  assert.equal(m.type(ONE), 0);
  assert.equal(m.type({ params: ['i32'], results: [] }), 1);
  assert.equal(m.type({ params: ['i32'], results: ['i32'] }), 0);
  assert.equal(m.type({ params: [], results: ['i32'] }), 2);
});

test('functions of a table call each other by index, without using up the stack', () => {
  const m = new ModuleBuilder();
  m.importMemory(1);
  const type = m.type(ONE);
  const [even, odd] = [m.declare(ONE), m.declare(ONE)];
  const step = (element: number, atZero: number): number[] =>
    body((code) => {
      const n = code.param(0, 'i32');
      code.if(op32.eqz(n), () => code.return(i32(atZero)));
      code.tailCallIndirect(type, i32(element), op32.sub(n, i32(1)));
    });
  m.define(even, step(1, 1));
  m.define(odd, step(0, 0));
  m.table([even, odd], 10);
  m.exportFunction('even', even);
  const exports = instance(m, { memory: memory() });
  assert.equal((exports.even as Callable)(1_000_000), 1);
  assert.equal((exports.even as Callable)(1_000_001), 0);
  assert.equal((exports.table as WebAssembly.Table).length, 10);

  const other = new ModuleBuilder();
  other.importMemory(1);
  other.importTable(2);
  const f = other.declare(ONE);
  other.define(
    f,
    body((code) => code.tailCallIndirect(other.type(ONE), i32(1), code.param(0, 'i32'))),
  );
  other.exportFunction('f', f);
  const second = instance(other, { memory: memory(), table: exports.table as WebAssembly.Table });
  assert.equal((second.f as Callable)(7), 1, 'another module shares the table');
});

test('a function that is declared and never defined is empty', () => {
  const m = new ModuleBuilder();
  m.importMemory(1);
  m.exportFunction('f', m.declare({ params: [], results: [] }));
  assert.equal((instance(m, { memory: memory() }).f as () => undefined)(), undefined);
});

test('the memory has the size that was said', () => {
  const m = new ModuleBuilder();
  m.importMemory(2);
  m.exportFunction('f', m.declare({ params: [], results: [] }));
  assert.throws(() => instance(m, { memory: memory() }), WebAssembly.LinkError);
});

test('mistakes of ours throw', () => {
  const late = new ModuleBuilder();
  late.declare(ONE);
  assert.throws(() => late.importFunction('x', ONE), /elscope bug: imports come before functions/);
  assert.throws(() => new ModuleBuilder().finish(), /elscope bug: the module imports no memory/);
});
