/**
 * Stores that generated code does under the checker leave their time where it counts how old a write is (IDC and DIC). A loop of
 * stores that all miss: each time is that of its store, however the run is cut.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElscopeMachine } from '../../../src/machine/machine';
import { presetConfig } from '../../../src/machine/presets';
import { nodePorts } from '../../../src/worker/nodePorts';
import { stateHash } from './samples';

const CODE = 0x4000_0000;
const PARAMETERS = 0x4000_8000;
const LEVEL1 = 0x4001_0000;
const DATA = 0x4010_0000;
/** Lines of one set of a 64 KiB cache with four ways, twice as many as it has. */
const [LINES, DISTANCE] = [8, 0x4000];
const TCR = 25n | (1n << 8n) | (1n << 10n) | (3n << 12n) | (1n << 23n);
const SCTLR = 0x30d0_1805n; // M, C, I and what is RES1

/** MAIR, TCR, TTBR0 and SCTLR from the block at X0. */
const prologue = [
  0xf9400001, 0xd518a201, 0xf9400401, 0xd5182041, 0xf9400801, 0xd5182001, 0xf9400c01, 0xd5033fdf, 0xd5181001,
  0xd5033fdf,
];
const loop = [
  0x91401063, // add x3, x3, #0x4000
  0x92720863, // and x3, x3, #0x1c000
  0xf8236841, // str x1, [x2, x3]
  0x17fffffd, // b . - 12
];
const STORE = 2;
const TOTAL = prologue.length + 5000 * loop.length;

/** Runs in slices; `outside` counts the stores that generated code left to memory/. */
function run(slice: number): { machine: ElscopeMachine; outside: number; events: number } {
  const config = { ...presetConfig('neoverse-n1', 1), memoryBytes: 2 ** 24, highestEl: 1 as const };
  const machine = new ElscopeMachine({ ...config, checker: 'actual' }, nodePorts().wasm, {
    load: (m) => {
      const put = (at: number, list: readonly bigint[]): void =>
        void m.memory.pokeView(at, new Uint8Array(BigUint64Array.from(list).buffer));
      m.memory.pokeView(CODE, new Uint8Array(Uint32Array.from([...prologue, ...loop]).buffer));
      put(PARAMETERS, [0xffn, TCR, BigInt(LEVEL1), SCTLR]);
      put(LEVEL1, [0n, BigInt(CODE) | 0x701n]);
      return { entry: CODE, x0: PARAMETERS };
    },
  });
  machine.units[0].setX(2, BigInt(DATA));
  // Penalties bring events nearer while a run goes on: it may execute fewer instructions then.
  let events = 0;
  const again = (): void => {
    if (events++ > 0) assert.deepEqual(timesOf(machine), wantedTimes(machine.instructions()));
    machine.time.schedule('again', machine.time.cycles() + 10_000, again);
  };
  again();
  const { memory } = machine;
  const store = memory.store.bind(memory);
  let outside = 0;
  memory.store = (...access) => {
    outside++;
    return store(...access);
  };
  while (machine.instructions() < TOTAL) machine.run(Math.min(slice, TOTAL - machine.instructions()));
  return { machine, outside, events };
}

function timesOf({ memory }: ElscopeMachine): number[] {
  const { buffer, plan } = memory.shared;
  const times = new Float64Array(buffer, plan.noted.times, plan.noted.pieces);
  return Array.from(
    { length: LINES },
    (_, i) => times[(memory.ramAddress(DATA + i * DISTANCE) - plan.ram) >>> plan.noted.pieceLog2],
  );
}

/** By line, after so many instructions: the loop goes on to the next line before it stores. */
function wantedTimes(instructions: number): number[] {
  const first = prologue.length + STORE;
  const count = Math.ceil((instructions - first) / loop.length);
  return Array.from({ length: LINES }, (_, i) => {
    const number = count - ((((count - i) % LINES) + LINES) % LINES);
    return first + (number - 1) * loop.length;
  });
}

test('stores of generated code leave their time', () => {
  const whole = run(TOTAL);
  assert.ok(whole.events > 5, `${whole.events} events`);
  assert.deepEqual(timesOf(whole.machine), wantedTimes(TOTAL));
  assert.ok(whole.outside <= 2 * LINES, `${whole.outside} stores left to memory/`);
  const hash = stateHash(whole.machine);
  for (const slice of [7, 1000, 1234]) {
    const cut = run(slice);
    assert.deepEqual(timesOf(cut.machine), wantedTimes(TOTAL), `${slice}`);
    assert.equal(stateHash(cut.machine), hash, `${slice}`);
  }
});
