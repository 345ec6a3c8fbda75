/** The machine's own business: time, waiting, stops, steps and counts, on programs of a few instructions. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CatchSet } from '../../../src/machine/api';
import type { MachineConfig } from '../../../src/machine/config';
import { ElscopeMachine } from '../../../src/machine/machine';
import { presetConfig } from '../../../src/machine/presets';
import { nodePorts } from '../../../src/worker/nodePorts';
import { sampleOn, stateHash } from './samples';

const CODE = 0x4000_0000;
const WFI = 0xd503207f;
const NOP = 0xd503201f;
const HERE = 0x14000000; // b .
const HVC = 0xd4000002;

interface Program {
  /** Instruction words by offset from CODE, where core 0 starts at EL1. */
  readonly at: Readonly<Record<number, readonly number[]>>;
  readonly x0?: number;
  readonly cpus?: number;
  readonly change?: Partial<MachineConfig>;
}

function start({ at, x0 = 0, cpus = 1, change = {} }: Program): ElscopeMachine {
  const config = { ...presetConfig('cortex-a57', cpus), memoryBytes: 2 ** 24, ...change };
  return new ElscopeMachine(config, nodePorts().wasm, {
    load: (machine) => {
      for (const [offset, words] of Object.entries(at))
        machine.memory.pokeView(CODE + Number(offset), new Uint8Array(Uint32Array.from(words).buffer));
      return { entry: CODE, x0 };
    },
  });
}

/** Sets the physical timer 100 counts (1600 cycles) ahead, unmasks IRQs, and waits for it: spins if X0 is not 0, else by WFI. */
const TICK: Program['at'] = {
  0: [
    0x10004001, // adr x1, .+0x800
    0xd518c001, // msr vbar_el1, x1
    0xd2a10002, // mov x2, #0x08000000 (the GIC's distributor)
    0x52800023, // mov w3, #1
    0xb9000043, // str w3, [x2]
    0x52a80003, // mov w3, #1 << 30 (the physical timer)
    0xb9010043, // str w3, [x2, #0x100]
    0xd2a10022, // mov x2, #0x08010000 (its CPU interface)
    0x52801fe3, // mov w3, #0xff
    0xb9000443, // str w3, [x2, #4]
    0x52800023, // mov w3, #1
    0xb9000043, // str w3, [x2]
    0xd53be024, // mrs x4, cntpct_el0
    0x91019084, // add x4, x4, #100
    0xd51be244, // msr cntp_cval_el0, x4
    0xd51be223, // msr cntp_ctl_el0, x3
    0xd5033fdf, // isb
    0xd50342ff, // msr daifclr, #2
    0xb4000040, // cbz x0, .+8
    HERE,
    WFI,
    0x17ffffff, // b .-4
  ],
  // IRQ from the current level: the time goes to X5, then PSCI SYSTEM_OFF.
  2688: [0xd53be025, 0xd2800100, 0xf2b08000, HVC],
};
const QUANTUM = 1000;
const COUNT_CYCLES = 16; // 62.5 MHz of 1 GHz

test('cores of one machine differ in features: the same bytes are an instruction on one and UNDEFINED on the other', () => {
  const CRC32X = 0x9ac24c20; // crc32x w0, w1, x2
  const CSINC = 0x9a9f07e1; // cset x1, ne
  const [with32, without] = presetConfig('cortex-a57', 2).cores;
  const cores = [with32, { ...without, features: new Set([...without.features].filter((f) => f !== 'FEAT_CRC32')) }];
  const machine = start({ at: { 0: [CRC32X, CSINC, NOP], 512: [HERE] }, cpus: 2, change: { cores } });
  machine.units[1].reset(1, BigInt(CODE), 0n);
  for (const core of [0, 1, 0, 1]) {
    machine.units[core].setPc(BigInt(CODE));
    machine.step(core, true);
    const after = machine.units[core].pc();
    assert.equal(after, core === 0 ? BigInt(CODE + 4) : 0x200n, `core ${core}`);
  }
  const crc32 = (core: number): bigint => ((machine.units[core].peekSystem('ID_AA64ISAR0_EL1') ?? 0n) >> 16n) & 15n;
  assert.deepEqual([crc32(0), crc32(1)], [1n, 0n]);
});

for (const cpus of [1, 2])
  test(`an interrupt comes at the end of the turn in which its time is reached, on ${cpus} cores`, () => {
    const machine = start({ at: TICK, x0: 1, cpus });
    assert.equal(machine.run(1e7).reason, 'exited');
    const [core] = machine.cores;
    const late = Number(core.x(5) - core.x(4)) * COUNT_CYCLES;
    assert.ok(late >= 0 && late <= QUANTUM + 200, `${late} cycles late`);
    assert.equal(machine.statistics().cores[0].exceptions, 1);
  });

test('when all cores wait, time jumps to the next event', () => {
  const machine = start({ at: TICK, x0: 0 });
  assert.equal(machine.run(1e7).reason, 'exited');
  const [core] = machine.cores;
  const late = Number(core.x(5) - core.x(4)) * COUNT_CYCLES;
  assert.ok(late >= 0 && late <= 200, `${late} cycles late`);
  assert.ok(machine.instructions() < 40, 'no instruction ran meanwhile');
  assert.ok(machine.time.cycles() >= 1600);
});

test('a WFI that nothing will end is idle, again and again, and leaves no trace', () => {
  const machine = start({ at: { 0: [WFI, NOP] } });
  assert.deepEqual(machine.run(1e6), { reason: 'idle' });
  const before = stateHash(machine);
  assert.deepEqual(machine.run(1e6), { reason: 'idle' });
  assert.equal(stateHash(machine), before);
  assert.equal(machine.cores[0].state, 'wfi');
});

/** Core 0 starts core 1 at `other` with X0 = 7 by PSCI and waits; core 1 counts X4 to 100 and waits. */
const START_OTHER: Program['at'] = {
  0: [
    0xd2800060, // mov x0, #3
    0xf2b88000, // movk x0, #0xc400, lsl #16 (CPU_ON)
    0xd2800021, // mov x1, #1
    0x10000082, // adr x2, .+0x10
    0xd28000e3, // mov x3, #7
    HVC,
    WFI,
    0x91000484, // other: add x4, x4, #1
    0xf101909f, // cmp x4, #100
    0x54ffffc1, // b.ne other
    WFI,
  ],
};

test('PSCI starts a core at the level and with the argument asked for', () => {
  const machine = start({ at: START_OTHER, cpus: 3 });
  assert.deepEqual(
    machine.cores.map((core) => core.state),
    ['running', 'off', 'off'],
  );
  assert.deepEqual(machine.run(1e6), { reason: 'idle' });
  const [first, second] = machine.cores;
  assert.deepEqual([first.x(0), second.x(0), second.x(4), second.el], [0n, 7n, 100n, 1]);
  assert.deepEqual(
    machine.cores.map((core) => core.state),
    ['wfi', 'wfi', 'off'],
  );
  assert.deepEqual(
    machine.cores.map((core) => core.instructions()),
    [7, 301, 0],
  );
});

describe('counts and limits are exact', () => {
  const endless = { 0: [NOP, NOP, 0x91000400, 0x17fffffd] }; // nop; nop; add x0, x0, #1; b .-12
  for (const limit of [1, 2, 3, 4, 5, 15, 16, 17, 999, 1000, 1001, 257_001])
    test(`run(${limit})`, () => {
      const machine = start({ at: endless });
      assert.deepEqual(machine.run(limit), { reason: 'limit' });
      assert.equal(machine.instructions(), limit);
      assert.equal(machine.cores[0].pc(), BigInt(CODE + (limit % 4) * 4));
      assert.equal(machine.cores[0].x(0), BigInt(Math.floor((limit + 1) / 4)));
    });

  test('steps', () => {
    const stepped = start({ at: endless });
    for (let i = 1; i <= 50; i++) {
      assert.deepEqual(stepped.step(0), { reason: 'step', core: 0 });
      assert.equal(stepped.instructions(), i);
    }
    const whole = start({ at: endless });
    whole.run(50);
    assert.equal(stateHash(stepped), stateHash(whole));
  });
});

test('a step of one core lets the others go on by the schedule, or freezes them', () => {
  const both = { 0: START_OTHER[0].map((word) => (word === WFI ? HERE : word)) };
  const machine = start({ at: both, cpus: 2 });
  machine.run(6);
  for (let i = 0; i < 400; i++) assert.equal(machine.step(1).reason, 'step');
  const counts = machine.cores.map((core) => core.instructions());
  assert.deepEqual(counts, [QUANTUM, 400], 'core 0 had its turn first');
  for (let i = 0; i < 5; i++) assert.deepEqual(machine.step(0, true), { reason: 'step', core: 0 });
  assert.deepEqual(
    machine.cores.map((core) => core.instructions()),
    [QUANTUM + 5, 400],
  );
});

test('stepping through a guest gives what running gives', () => {
  const run = (step: boolean): string => {
    const { machine, text } = sampleOn('el-tour', 'cortex-a57', 1);
    if (step) for (let i = 0; i < 6000; i++) machine.step(0);
    else machine.run(6000);
    return `${machine.instructions()} ${text()} ${stateHash(machine)}`;
  };
  assert.equal(run(true), run(false));
});

describe('true LRU of an I-cache', () => {
  const to = (from: number, target: number): number => (0x14000000 | (((target - from) >> 2) & 0x3ffffff)) >>> 0;
  const [A, B, C] = [0, 0x100, 0x200]; // of one set
  const caches = presetConfig('cortex-a57', 1).cores.map((core) => {
    return { ...core, l1i: { ...core.l1i, sets: 4, ways: 2, replacement: 'lru' as const } };
  });

  test('a hit on the older line makes it the younger one', () => {
    const at = { [A]: [to(A, B), to(A + 4, C), HERE], [B]: [to(B, A + 4)], [C]: [to(C, A + 8)] };
    const machine = start({ at, change: { cores: caches } });
    machine.run(1000);
    const [{ l1i, counters }] = machine.statistics().cores;
    assert.equal(l1i.misses, 3, 'C takes the place of B');
    const resident = machine.cacheLines(0, 1, 'I').filter((line) => line.valid);
    assert.deepEqual(resident.map((line) => Number(line.pa) - CODE).sort(), [A, C]);
    assert.equal(counters.fetchPromotions, 2, 'A after B, and after C');
    assert.equal(counters.slowFetches - counters.fetches, 2, 'both without leaving generated code');
  });
});

describe('stops', () => {
  const nothing: CatchSet = { exceptions: new Set(), elChange: false, undefined: false, finding: false };
  const endless = { 0: [NOP, 0x91000400, NOP, 0x17fffffd] }; // nop; add x0, x0, #1; nop; b .-12

  test('a breakpoint is before its instruction, and does not hit again at once', () => {
    for (const space of ['va', 'pa'] as const) {
      const machine = start({ at: endless });
      machine.setBreakpoints([{ id: 5, space, address: BigInt(CODE + 4) }]);
      for (let i = 0; i < 3; i++) {
        assert.deepEqual(machine.run(1000), { reason: 'breakpoint', core: 0, hits: [{ core: 0, ids: [5] }] }, space);
        assert.deepEqual([machine.cores[0].pc(), machine.cores[0].x(0)], [BigInt(CODE + 4), BigInt(i)]);
      }
      machine.setBreakpoints([]);
      assert.equal(machine.run(1000).reason, 'limit');
      assert.equal(machine.instructions(), 9 + 1000);
    }
  });

  test('a physical breakpoint finds its instruction wherever it is mapped, and no other at the same place of a page', () => {
    const machine = start({ at: { ...endless, 4096: [NOP, NOP, NOP, 0x17fffbfd] } }); // the other one ends in a branch to CODE
    const [core] = machine.cores;
    const block = new Uint8Array(BigUint64Array.of(0x4000_0705n).buffer); // 1 GiB, Normal, Inner Shareable, AF
    machine.memory.pokeView(CODE + 0x10_0000 + 8 * 2, block);
    for (const [name, value] of [
      ['MAIR_EL1', 0xffn],
      ['TCR_EL1', 0x19n],
      ['TTBR0_EL1', BigInt(CODE + 0x10_0000)],
      ['SCTLR_EL1', 0x30d0_1805n],
    ] as const)
      assert.ok(core.pokeSystem(name, value));
    const mapped = 0x8000_0000n;
    core.setPc(mapped + 0x1000n);
    machine.setBreakpoints([{ id: 7, space: 'pa', address: BigInt(CODE + 8) }]);
    for (const count of [6, 10]) {
      assert.deepEqual(machine.run(1000), { reason: 'breakpoint', core: 0, hits: [{ core: 0, ids: [7] }] });
      assert.deepEqual([core.pc(), machine.instructions()], [mapped + 8n, count]);
    }
  });

  test('a breakpoint of another core or level is none', () => {
    const machine = start({ at: endless });
    const address = BigInt(CODE + 4);
    machine.setBreakpoints([
      { id: 1, space: 'va', address, el: 2 },
      { id: 2, space: 'va', address, core: 1 },
    ]);
    assert.equal(machine.run(1000).reason, 'limit');
  });

  test('exceptions and level changes are caught when they have been taken', () => {
    const { machine } = sampleOn('el-tour', 'cortex-a57', 1);
    machine.setCatch({ ...nothing, exceptions: new Set(['EL2.sync']) });
    const stop = machine.run(1e6);
    if (stop.reason !== 'exception') return assert.fail(stop.reason);
    const { kind, fromEl, toEl, esr, vector } = stop.exception;
    assert.deepEqual([kind, fromEl, toEl, esr >> 26n], ['sync', 1, 2, 0x16n], 'HVC');
    assert.equal(machine.cores[0].pc(), vector, 'at the vector, nothing of it executed');
    machine.setCatch({ ...nothing, elChange: true });
    assert.deepEqual(machine.run(1e6), { reason: 'elChange', core: 0, from: 2, to: 1 });
  });

  test('a watchpoint is after its access', () => {
    // mov x1, #0x40100000; str x0, [x1]; ldr x2, [x1]; b .
    const machine = start({ at: { 0: [0xd2a80201, 0xf9000020, 0xf9400022, HERE] } });
    const address = 0x4010_0004n;
    machine.setWatchpoints([{ id: 3, space: 'pa', address, size: 1, access: 'readWrite' }]);
    for (const access of ['write', 'read'] as const) {
      const stop = machine.run(100);
      if (stop.reason !== 'watchpoint') return assert.fail(stop.reason);
      assert.deepEqual([stop.ids, stop.access], [[3], access]);
    }
    assert.equal(machine.instructions(), 3);
  });

  test('a watchpoint tells the value before and after, with what others wrote in between', () => {
    // mov x1, #0x40100000; mov w0, #5; str w0, [x1]; strb w1, [x1, #1]; ldr w2, [x1]; b .
    const program = [0xd2a80201, 0x528000a0, 0xb9000020, 0x39000421, 0xb9400022, HERE];
    const machine = start({ at: { 0: program } });
    const address = 0x4010_0000n;
    machine.poke(0, 'pa', address, Uint8Array.of(7, 8, 0, 0));
    machine.setWatchpoints([{ id: 1, space: 'va', address, size: 4, access: 'readWrite' }]);
    const next = (): unknown => {
      const stop = machine.run(100);
      return stop.reason === 'watchpoint' ? [stop.access, stop.oldValue, stop.newValue] : stop.reason;
    };
    assert.deepEqual(next(), ['write', 0x807n, 5n]);
    machine.poke(0, 'pa', address, Uint8Array.of(9, 9));
    assert.deepEqual(next(), ['write', 0x909n, 9n], 'w1 holds 0 in its lowest byte');
    assert.deepEqual(next(), ['read', 9n, 9n]);
  });

  test('what stops is still set after a reset', () => {
    // nop; mov x1, #0x40100000; str x0, [x1]; ldr x2, [x1]; b .
    const machine = start({ at: { 0: [NOP, 0xd2a80201, 0xf9000020, 0xf9400022, HERE] } });
    machine.setBreakpoints([{ id: 1, space: 'va', address: BigInt(CODE + 4) }]);
    machine.setWatchpoints([{ id: 2, space: 'va', address: 0x4010_0000n, size: 8, access: 'write' }]);
    for (let i = 0; i < 2; i++) {
      assert.equal(machine.run(100).reason, 'breakpoint');
      assert.equal(machine.run(100).reason, 'watchpoint');
      assert.equal(machine.run(100).reason, 'limit');
      machine.reset();
    }
  });

  test('the end of the guest is final', () => {
    const machine = start({ at: { 0: [0xd2800100, 0xf2b08000, HVC, NOP] } });
    const exited = { reason: 'exited', code: 0, how: 'PSCI SYSTEM_OFF' };
    assert.deepEqual(machine.run(100), exited);
    assert.deepEqual(machine.run(100), exited);
    assert.equal(machine.instructions(), 3);
  });

  test('endRun ends the run after the instruction that printed, and nothing outside of one', () => {
    const { machine, text } = sampleOn('selfmod', 'cortex-a57', 1);
    machine.onConsole(() => {
      if (text().includes('variant')) machine.endRun();
    });
    assert.deepEqual(machine.run(1e6), { reason: 'limit' });
    assert.match(text(), /variant$/);
    machine.endRun();
    const before = machine.instructions();
    assert.deepEqual(machine.run(1), { reason: 'limit' });
    assert.equal(machine.instructions(), before + 1);
  });
});

test('statistics add up', () => {
  const { machine } = sampleOn('jit', 'mixed-lines', 2);
  machine.run(1e7);
  const { instructions, cores, guestSeconds, findings } = machine.statistics();
  assert.equal(
    instructions,
    cores.reduce((n, core) => n + core.instructions, 0),
  );
  const [core] = cores;
  assert.equal(core.l1i.hits + core.l1i.misses, core.instructions);
  assert.ok(core.l1d.misses > 0 && core.l1d.hits > core.l1d.misses && core.tlb.misses > 0 && core.l2.misses > 0);
  assert.ok(core.cycles > core.instructions && guestSeconds > 0 && guestSeconds < 0.1);
  assert.ok(core.exceptions > 0);
  assert.equal(findings, 0);
});
