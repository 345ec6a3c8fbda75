/** The performance monitors of a machine that runs a sample: what they count is what the statistics say, however it is run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PerformanceEvent, performanceEvents } from '../../../src/arch/performanceEvents';
import { ElscopeMachine } from '../../../src/machine/machine';
import { presetConfig } from '../../../src/machine/presets';
import { nodePorts } from '../../../src/worker/nodePorts';
import { type Bench, SMALL_MEMORY, sampleOn, stateHash } from './samples';

const CYCLES = 0x8000_0000n;
const ALL_LEVELS = 0x0800_0000n;

/** Counts events on counters 0 … from now on. */
function count({ machine }: Bench, ...events: readonly PerformanceEvent[]): void {
  const core = machine.cores[0];
  events.forEach((event, n) => {
    core.pokeSystem(`PMEVTYPER${n}_EL0`, ALL_LEVELS | BigInt(performanceEvents[event].number));
    core.pokeSystem(`PMEVCNTR${n}_EL0`, 0n);
  });
  core.pokeSystem('PMCCFILTR_EL0', ALL_LEVELS);
  core.pokeSystem('PMCCNTR_EL0', 0n);
  core.pokeSystem('PMCNTENSET_EL0', CYCLES | 0x3fn);
  core.pokeSystem('PMCR_EL0', 0x41n);
}
const counter = (machine: ElscopeMachine, n: number): number => Number(machine.cores[0].peekSystem(`PMEVCNTR${n}_EL0`));

/** What the statistics say of an event. */
function statistic(machine: ElscopeMachine, event: PerformanceEvent): number {
  const core = machine.statistics().cores[0];
  const of = (name: string): number => core.counters[name as keyof typeof core.counters];
  switch (event) {
    case 'INST_RETIRED':
      return core.instructions - of('faultedAccesses');
    case 'L1I_CACHE':
      return core.instructions;
    case 'CPU_CYCLES':
      return core.cycles;
    case 'L1I_CACHE_REFILL':
      return core.l1i.misses;
    case 'L1D_CACHE_REFILL':
      return core.l1d.misses;
    case 'L1D_CACHE':
      return core.l1d.hits + core.l1d.misses;
    case 'L2D_CACHE':
      return core.l2.hits + core.l2.misses;
    case 'L2D_CACHE_REFILL':
      return core.l2.misses;
    case 'L1D_CACHE_WB':
      return of('writebacks');
    case 'EXC_TAKEN':
      return core.exceptions;
    case 'MEM_ACCESS':
      return core.l1d.hits + core.l1d.misses + of('uncachedAccesses');
    case 'L1I_TLB_REFILL':
    case 'L1D_TLB_REFILL':
      return core.tlb.misses;
    default:
      return Number.NaN;
  }
}

const groups: readonly (readonly PerformanceEvent[])[] = [
  ['INST_RETIRED', 'CPU_CYCLES', 'L1I_CACHE', 'L1I_CACHE_REFILL', 'EXC_TAKEN', 'MEM_ACCESS'],
  ['L1D_CACHE', 'L1D_CACHE_REFILL', 'L1D_CACHE_WB', 'L2D_CACHE', 'L2D_CACHE_REFILL', 'MEM_ACCESS'],
];
for (const events of groups)
  test(`${events.join(', ')}: the counters say what the statistics say`, () => {
    const bench = sampleOn('el-tour', 'cortex-a57', 1);
    const { machine } = bench;
    machine.run(5003);
    const before = events.map((event) => statistic(machine, event));
    count(bench, ...events);
    for (const limit of [1, 777, 20_000, 1]) {
      machine.run(limit);
      assert.deepEqual(
        events.map((_, n) => counter(machine, n)),
        events.map((event, n) => statistic(machine, event) - before[n]),
      );
    }
    assert.ok(
      events.every((_, n) => counter(machine, n) > 0 || /WB|L2D/.test(events[n])),
      'all of them happen',
    );
  });

/** A load from nowhere again and again; its handler goes on behind it. */
const ABORTING = {
  1073741824: [0xd2a40001, 0xf9400022, 0x17ffffff], // mov x1, #0x20000000; ldr x2, [x1]; b to the load
  1073746432: [0xd53c4023, 0x91001063, 0xd51c4023, 0xd69f03e0], // ELR_EL2 += 4; eret
};

test('instructions that abort are not retired', () => {
  const config = { ...presetConfig('cortex-a57', 1), memoryBytes: SMALL_MEMORY, highestEl: 2 as const };
  const machine = new ElscopeMachine(config, nodePorts().wasm, {
    load: (m) => {
      for (const [address, words] of Object.entries(ABORTING))
        m.memory.pokeView(Number(address), new Uint8Array(Uint32Array.from(words).buffer));
      return { entry: 0x4000_0000, x0: 0 };
    },
  });
  machine.cores[0].pokeSystem('VBAR_EL2', 0x4000_1000n);
  count({ machine, text: () => '' }, 'INST_RETIRED', 'EXC_TAKEN', 'CPU_CYCLES');
  for (const [limit, aborts] of [
    [2, 1],
    [5, 1],
    [1, 2],
    [600, 102],
  ]) {
    machine.run(limit);
    const { instructions, exceptions } = machine.statistics().cores[0];
    assert.deepEqual([exceptions, counter(machine, 1)], [aborts, aborts]);
    assert.equal(counter(machine, 0), instructions - aborts);
    assert.ok(counter(machine, 2) >= instructions, 'their cycles have passed');
  }
});

test('TLB refills are those of fetches and of data together', () => {
  const bench = sampleOn('el-tour', 'cortex-a57', 1);
  count(bench, 'L1I_TLB_REFILL', 'L1D_TLB_REFILL');
  const before = statistic(bench.machine, 'L1I_TLB_REFILL');
  bench.machine.run(60_000);
  const both = [counter(bench.machine, 0), counter(bench.machine, 1)];
  assert.equal(both[0] + both[1], statistic(bench.machine, 'L1I_TLB_REFILL') - before);
  assert.ok(both[0] > 0 && both[1] > 0, `${both.join(' and ')}`);
});

/** Counter 0 counts instructions and overflows after `events` of them; its interrupt is enabled. */
function overflowing(event: PerformanceEvent, events: number, slices: number): Bench {
  const bench = sampleOn('el-tour', 'cortex-a57', 1);
  const core = bench.machine.cores[0];
  count(bench, event);
  core.pokeSystem('PMEVCNTR0_EL0', BigInt(2 ** 32 - events));
  core.pokeSystem('PMINTENSET_EL1', 1n);
  for (let left = 20_000; left > 0; left -= slices) bench.machine.run(Math.min(slices, left));
  return bench;
}
/** PPI 23 is pending at the distributor. */
const pending = ({ machine }: Bench): boolean => {
  const word = machine.peek(0, 'pa', 0x0800_0200n, 4);
  return (word[2] & 0x80) !== 0;
};

test('an overflow raises its interrupt where the machine looks, whatever slices it is run in', () => {
  for (const event of ['INST_RETIRED', 'MEM_ACCESS', 'CPU_CYCLES'] as const) {
    const whole = overflowing(event, 3000, 20_000);
    const sliced = overflowing(event, 3000, 617);
    assert.ok(pending(whole), event);
    assert.equal(stateHash(sliced.machine), stateHash(whole.machine), event);
    assert.ok(!pending(overflowing(event, 2 ** 31, 20_000)), `${event}: no overflow, no interrupt`);
  }
});

test('the interrupt comes within a turn of the overflow', () => {
  const bench = sampleOn('el-tour', 'cortex-a57', 1);
  const core = bench.machine.cores[0];
  count(bench, 'INST_RETIRED');
  core.pokeSystem('PMEVCNTR0_EL0', BigInt(2 ** 32 - 7300));
  core.pokeSystem('PMINTENSET_EL1', 1n);
  bench.machine.run(7299);
  assert.equal(core.peekSystem('PMOVSSET_EL0'), 0n);
  bench.machine.run(1);
  assert.equal(core.peekSystem('PMOVSSET_EL0'), 1n, 'the flag is exact');
  bench.machine.run(1000);
  assert.ok(pending(bench));
  core.pokeSystem('PMOVSCLR_EL0', 1n);
  assert.ok(!pending(bench), 'a level');
});
