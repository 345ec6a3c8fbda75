/**
 * Every implemented row, instantiated with open operands (the interpreter) and with constant ones (what region code is made
 * of), gives the same state; both modules validate.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { coreLayout, slotOffset } from '../../../src/cpu/layout';
import { HandlerTable } from '../../../src/engine/handlers';
import { gotoTypedSignature, importNames, importSignature } from '../../../src/engine/interpreter';
import { routineModule } from '../../../src/engine/laterCode';
import { ConstantContext } from '../../../src/engine/openContext';
import type { GeneratedNames } from '../../../src/engine/stateContext';
import { FPCR_OFFSET, FPSR_OFFSET } from '../../../src/engine/vectorContext';
import { compiledRows, decodeWord, randomWord } from '../../../src/isa';
import { routines } from '../../../src/isa/sem';
import { ModuleBuilder } from '../../../src/wasm/module';
import { CODE_VA, makeRig } from './rig';

const random = new SeededRandom(new Uint32Array(1));
random.seed(0x5eed);
const edges = [
  0n,
  1n,
  2n ** 63n,
  2n ** 64n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 63n - 1n,
  0x8000n,
  0x123456789abcdef0n,
];
const value = (): bigint =>
  random.below(3) === 0 ? edges[random.below(edges.length)] : (BigInt(random.next()) << 32n) | BigInt(random.next());

const CASES_PER_ROW = 12;
/** Handlers that the rig's engine numbers beyond this test's own. */
const LATER = 8192;

test('every row means the same with open and with constant operands', () => {
  const rig = makeRig();
  const table = new HandlerTable();
  const implemented = compiledRows.filter((r) => r.row.status !== 'unimplemented');
  const words: number[] = [];
  for (const row of implemented) {
    for (let i = 0; i < CASES_PER_ROW; i++) words.push(randomWord(row, random));
  }

  const m = new ModuleBuilder();
  m.importMemory(64);
  const signature = (n: number) => ({
    params: Array.from({ length: n }, () => 'i32' as const),
    results: ['i32' as const],
  });
  const slow = Object.fromEntries(importNames.map((name) => [name, m.importFunction(name, importSignature(name))]));
  const goto = m.importFunction('goto', { params: ['i32', 'i32', 'i64'], results: ['i32'] });
  const gotoTyped = m.importFunction('gotoTyped', gotoTypedSignature);
  const imported = new Map<string, number>();
  const names: GeneratedNames = {
    handlerType: m.type(signature(2)),
    goto,
    gotoTyped,
    slow: slow as never,
    unitLog2: 6,
    tableMask: 1023 * 16,
    routine: (name) => {
      let index = imported.get(name);
      if (index === undefined) {
        const { params, result } = routines[name];
        imported.set(name, (index = m.importFunction(`routine.${name}`, { params, results: [result] })));
      }
      return index;
    },
  };
  const bodies = words.map((word) => {
    const decoded = decodeWord(word);
    assert.ok(decoded);
    const handler = table.find(decoded.row, decoded.fields, () => true);
    assert.ok(handler, decoded.row.id);
    const context = new ConstantContext(handler.row, handler.statics, names, decoded.fields);
    context.emit(handler.semantics);
    return context.finish();
  });
  const next = m.declare(signature(2));
  m.define(next, [0x00, 0x41, 0x00, 0x0b]); // no locals; i32.const 0; end
  for (const [i, body] of bodies.entries()) {
    const index = m.declare(signature(2));
    m.define(index, body);
    m.exportFunction(`f${i}`, index);
  }
  // Whatever stands in the next record: the constant form ends there.
  m.table(Array.from({ length: table.size + LATER }, () => next));
  const bytes = m.finish();
  assert.ok(WebAssembly.validate(bytes));

  let target = 0n;
  const view = new DataView(rig.buffer);
  const env: Record<string, unknown> = {
    memory: rig.memory,
    goto: (_r: number, _c: number, t: bigint) => {
      target = t;
      return 3;
    },
    // No page of the rig is guarded.
    gotoTyped: (_r: number, _c: number, t: bigint, type: number) => {
      target = t;
      view.setUint32(rig.block + coreLayout.pstate[0], (type === 3 ? 1 : type) << 10, true);
      return 3;
    },
  };
  for (const name of importNames) env[name] = (_r: number, _b: number, ...args: number[]) => rig.slow[name](0, ...args);
  const { module } = routineModule(64, [...imported.keys()]);
  const made = new WebAssembly.Instance(new WebAssembly.Module(module as BufferSource), {
    env: { memory: rig.memory },
  });
  Object.assign(env, made.exports);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: env as WebAssembly.ModuleImports });

  words.forEach((word, i) => {
    const start = Array.from({ length: 33 }, (_, n) => (n === 31 ? 0n : value()));
    const nzcv = random.below(16);
    const vectors = Array.from({ length: 64 }, value);
    const fpcr = (random.next() & 0x07c8_0000) >>> 0;
    const dataBefore = rig.data.slice();
    const set = (): void => {
      for (const [n, v] of start.entries()) rig.setX(n, v);
      view.setBigUint64(rig.block + 280, nzcv & 8 ? 2n ** 63n : 0n, true);
      view.setBigUint64(rig.block + 288, nzcv & 4 ? 0n : 1n, true);
      view.setUint32(rig.block + coreLayout.pstate[0], 0, true);
      view.setUint32(rig.block + 304, (nzcv >> 1) & 1, true);
      view.setBigUint64(rig.block + 296, nzcv & 1 ? 2n ** 63n : 0n, true);
      for (const [n, v] of vectors.entries())
        view.setBigUint64(rig.block + coreLayout.v[0] + 8 * n, BigInt.asUintN(64, v), true);
      view.setUint32(rig.block + FPCR_OFFSET, fpcr, true);
      view.setUint32(rig.block + FPSR_OFFSET, 0, true);
      rig.data.set(dataBefore);
    };
    rig.write([word]);
    set();
    rig.setPc(CODE_VA);
    const executed = rig.engine.run(0, rig.block, 1, false);
    assert.equal(executed, 1);
    const open = rig.state();
    const openPc = rig.pc();
    const openData = Buffer.from(rig.data);
    set();
    // The constant form takes its PC from pcDelta and the record too: give it the record of the first instruction.
    const record = view.getUint32(rig.block + 316, true);
    target = BigInt(CODE_VA + 4);
    (instance.exports[`f${i}`] as (r: number, c: number) => number)(record, rig.block);
    const id = decodeWord(word)?.row.id;
    const shown = `${id} ${(word >>> 0).toString(16)} x0 slot ${slotOffset(0)}`;
    assert.equal(rig.state(), open, shown);
    assert.ok(openData.equals(rig.data), shown);
    if (openPc !== BigInt(CODE_VA)) assert.equal(BigInt.asUintN(64, target), openPc, shown);
  });
});
