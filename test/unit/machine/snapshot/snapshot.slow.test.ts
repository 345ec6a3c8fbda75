/**
 * A machine that is saved to a file and goes on as another machine ends in the same state, bit for bit, as one that was never
 * saved: on every preset, with every checker; and files that are damaged are refused in one line.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError } from '../../../../src/base/errors';
import { SeededRandom } from '../../../../src/base/random';
import { hasCrossCompiler } from '../../../../src/build/crossCompiler';
import type { MachineConfig } from '../../../../src/machine/config';
import type { ElscopeMachine } from '../../../../src/machine/machine';
import { presets } from '../../../../src/machine/presets';
import { readSnapshot, restoreFromFile, writeSnapshot } from '../../../../src/machine/snapshot/file';
import { fromPlain, toPlain } from '../../../../src/machine/snapshot/plain';
import { nodeCompression } from '../../../../src/worker/nodeCompression';
import { besideMemory, isBookkeeping, stateHash } from '../samples';
import { type BusyMachine, busyMachine } from './busy';

const RUN = 10_000_000;

const fileOf = (machine: ElscopeMachine): Uint8Array =>
  Buffer.concat([...writeSnapshot(machine.save(), nodeCompression)]);
const load = (machine: ElscopeMachine, file: Uint8Array): void =>
  restoreFromFile(machine, file, 'snap', nodeCompression);

/** Without shortcuts and how often they were taken, which depend on where `run` was left. */
const plain = (machine: ElscopeMachine): unknown =>
  JSON.parse(JSON.stringify(besideMemory(machine), (key, value) => (isBookkeeping(key) ? undefined : value)));

function same(one: ElscopeMachine, other: ElscopeMachine): void {
  // The parts first: a difference of hashes says nothing.
  assert.deepEqual(plain(other), plain(one));
  assert.equal(stateHash(other), stateHash(one));
}

const skip = hasCrossCompiler() ? false : 'there is no cross compiler';

/** Runs `count` in all, saved and loaded into a fresh machine after `at`. */
async function goesOn(make: () => Promise<BusyMachine>, count: number, at: number): Promise<void> {
  const straight = await make();
  straight.machine.run(count);
  const first = await make();
  first.machine.run(at);
  const second = await make();
  load(second.machine, fileOf(first.machine));
  same(first.machine, second.machine);
  assert.equal(second.machine.instructions(), at);
  second.machine.run(count - at);
  same(straight.machine, second.machine);
  assert.equal(first.text() + second.text(), straight.text());
  if (count === RUN) assert.ok(straight.text().length > 100, 'the guest is busy');
}

describe('a machine that was saved goes on as if it had not been', { skip }, () => {
  for (const preset of Object.keys(presets))
    test(`${preset}: ${RUN} instructions`, () =>
      goesOn(() => busyMachine(preset, { jitter: preset.length % 2 === 0 }), RUN, 4_321_987));

  const odd: Readonly<Record<string, [string, Partial<MachineConfig>]>> = {
    'actual checker': ['pipt-vipt', { checker: 'actual' }],
    'architectural checker': ['cortex-a57', { checker: 'architectural' }],
    'prefetch buffer': ['mixed-lines', { jitter: true, quantum: 17 }],
    EL2: ['cortex-a53', { highestEl: 2 }],
  };
  for (const [name, [preset, change]] of Object.entries(odd))
    test(name, () => goesOn(() => busyMachine(preset, change), 1_500_000, 777_777));

  test('EL3, where the guest soon fails for want of firmware', () =>
    goesOn(() => busyMachine('neoverse-n1', { highestEl: 3 }), 80_000, 40_001));

  test('counters that are about to overflow, and armed comparators', async () => {
    const armed = async (): Promise<BusyMachine> => {
      const busy = await busyMachine('cortex-a57');
      const core = busy.machine.cores[0];
      busy.machine.run(300_000);
      core.pokeSystem('PMEVTYPER0_EL0', 8n);
      core.pokeSystem('PMEVCNTR0_EL0', 0xfffc_0000n);
      core.pokeSystem('PMCNTENSET_EL0', 1n);
      core.pokeSystem('PMINTENSET_EL1', 1n);
      core.pokeSystem('PMCR_EL0', 1n);
      core.pokeSystem('DBGBVR1_EL1', core.pc());
      core.pokeSystem('DBGBCR1_EL1', 0x1e7n);
      core.pokeSystem('DBGWVR1_EL1', 0x4010_0000n);
      core.pokeSystem('DBGWCR1_EL1', 0x1fffn);
      return busy;
    };
    const straight = await armed();
    straight.machine.run(700_000);
    const first = await armed();
    first.machine.run(400_000);
    const second = await busyMachine('cortex-a57');
    load(second.machine, fileOf(first.machine));
    second.machine.run(300_000);
    same(straight.machine, second.machine);
    assert.equal(straight.machine.cores[0].peekSystem('PMOVSSET_EL0'), 1n, 'the overflow was on the way');
  });

  test('at any point, many times', async () => {
    const straight = await busyMachine('cortex-a57');
    let machine = (await busyMachine('cortex-a57')).machine;
    const random = new SeededRandom(new Uint32Array(1));
    random.seed(3);
    for (let i = 0; i < 8; i++) {
      const n = 1 + random.below(100_000);
      straight.machine.run(n);
      machine.run(n);
      const file = fileOf(machine);
      machine = (await busyMachine('cortex-a57')).machine;
      load(machine, file);
    }
    same(straight.machine, machine);
  });

  test('a machine goes back to a state of its own', async () => {
    const { machine } = await busyMachine('pipt-vipt', { checker: 'actual' });
    machine.run(500_000);
    const file = fileOf(machine);
    machine.run(400_000);
    const hash = stateHash(machine);
    const beside = plain(machine);
    load(machine, file);
    assert.equal(machine.instructions(), 500_000);
    machine.run(400_000);
    assert.deepEqual(plain(machine), beside);
    assert.equal(stateHash(machine), hash);
  });

  test('breakpoints and watchpoints stay those of the machine', async () => {
    const { machine } = await busyMachine('cortex-a57');
    machine.run(500_000);
    const file = fileOf(machine);
    const pc = machine.cores[0].pc();
    machine.run(1000);
    machine.setBreakpoints([{ id: 1, space: 'va', address: pc, core: 0 }]);
    machine.setWatchpoints([{ id: 2, space: 'pa', address: 0x4010_0000n, size: 8, access: 'read' }]);
    load(machine, file);
    const stop = machine.run(2_000_000);
    assert.equal(stop.reason, 'breakpoint');
    const clean = fileOf(machine);
    machine.setWatchpoints([]);
    machine.setBreakpoints([]);
    load(machine, clean);
    assert.equal(machine.run(100_000).reason, 'limit');
  });
});

test('plain data comes back as it was', () => {
  const value = {
    a: [1, -0, Number.NaN, Number.POSITIVE_INFINITY, undefined, null, 'x'],
    b: { big: -(2n ** 70n), bytes: Uint8Array.of(1, 2), doubles: Float64Array.of(0.1, -0), empty: new Int8Array(0) },
    $: 'a name',
    nested: { $: [1, 2], other: true },
  };
  assert.deepStrictEqual(fromPlain(toPlain(value)), value);
});

describe('files that are no snapshot', { skip }, () => {
  const refused = (machine: ElscopeMachine, file: Uint8Array, code: string): void =>
    assert.throws(
      () => load(machine, file),
      (error: unknown) => error instanceof UserError && error.code === code && !error.message.includes('\n'),
      code,
    );

  test('each is refused in one line', async () => {
    const { machine } = await busyMachine('cortex-a57');
    machine.run(100_000);
    const good = fileOf(machine);
    const changed = (at: number, value: number): Uint8Array => {
      const copy = Uint8Array.from(good);
      copy[at] = value;
      return copy;
    };
    refused(machine, new Uint8Array(0), 'snapshot.none');
    refused(machine, Buffer.from('not a snapshot at all'), 'snapshot.none');
    refused(machine, changed(6, 9), 'snapshot.version');
    refused(machine, good.subarray(0, good.length - 1), 'snapshot.damaged');
    refused(machine, Buffer.concat([good, Buffer.from('x')]), 'snapshot.damaged');
    refused(machine, changed(good.length - 10, good[good.length - 10] ^ 1), 'snapshot.damaged');
    refused(machine, changed(8, 200), 'snapshot.damaged');
    const other = await busyMachine('cortex-a57', { memoryBytes: 32 * 2 ** 20 });
    refused(other.machine, good, 'snapshot.other');
    refused((await busyMachine('cortex-a53')).machine, good, 'snapshot.other');
    load(machine, good);
  });

  test('damaged bytes never do more', async () => {
    const { machine } = await busyMachine('cortex-a57');
    machine.run(100_000);
    const good = fileOf(machine);
    const random = new SeededRandom(new Uint32Array(1));
    random.seed(9);
    for (let round = 0; round < 200; round++) {
      const copy = Uint8Array.from(good.subarray(0, random.below(4) === 0 ? random.below(good.length) : good.length));
      for (let n = random.below(3); n >= 0; n--) copy[random.below(Math.max(1, copy.length))] ^= 1 << random.below(8);
      try {
        readSnapshot(copy, 'snap', nodeCompression);
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
      }
    }
  });

  test('sections with right sums and wrong contents', async () => {
    const { machine } = await busyMachine('cortex-a57');
    machine.run(10_000);
    const state = machine.save();
    const parts = (beside: unknown): Uint8Array =>
      Buffer.concat([...writeSnapshot({ ...state, chunks: [...state.chunks], beside }, nodeCompression)]);
    for (const beside of [
      null,
      {},
      5,
      { ...(state.beside as object), units: [] },
      { ...(state.beside as object), mmu: 1 },
    ])
      refused(machine, parts(beside), 'snapshot.damaged');
  });
});
