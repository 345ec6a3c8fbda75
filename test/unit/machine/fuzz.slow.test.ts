/**
 * A guest may do whatever it likes: random accesses to every register of every device with queues of random descriptors in
 * memory, and random code at random levels, never make the machine throw or hang. `ELSCOPE_FUZZ=N` multiplies the rounds; a
 * failure names the seed.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { virtMap } from '../../../src/devices/virtBoard';
import {
  OverlayDisk,
  respond,
  VirtioBlock,
  VirtioConsole,
  VirtioEntropy,
  VirtioNet,
  VirtioNinep,
} from '../../../src/devices/virtio';
import { Register } from '../../../src/devices/virtio/transport';
import { encode } from '../../../src/isa';
import { randomWord } from '../../../src/isa/encode';
import { compiledRows } from '../../../src/isa/pattern';
import type { DeviceBus } from '../../../src/machine/bus';
import type { MachineConfig } from '../../../src/machine/config';
import { ElscopeMachine } from '../../../src/machine/machine';
import { presetConfig, presets } from '../../../src/machine/presets';
import { nodePorts } from '../../../src/worker/nodePorts';

const factor = Number(process.env['ELSCOPE_FUZZ'] ?? 1);
const ports = nodePorts();
const RAM = virtMap.ram.base;
const MEMORY = 16 * 2 ** 20;

function seeded(seed: number): SeededRandom {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(seed);
  return random;
}

const folder = {
  stat: (path: readonly string[]) =>
    path.length > 2
      ? undefined
      : ({ kind: path.length < 2 ? 'folder' : 'file', size: 9, mode: 0o644, modified: 0 } as const),
  list: () => ['a', 'b'],
  read: (_path: readonly string[], offset: number, out: Uint8Array) => Math.max(0, Math.min(out.length, 9 - offset)),
  readLink: () => undefined,
};

function machineOf(preset: string, change: Partial<MachineConfig>): ElscopeMachine {
  const config = { ...presetConfig(preset), memoryBytes: MEMORY, ...change };
  const machine = new ElscopeMachine(config, ports.wasm, {
    files: { read: () => undefined },
    virtio: (seed, output) => [
      new VirtioBlock(new OverlayDisk({ size: 5000, read: (_offset, out) => void out.fill(7) }, false), 'x'),
      new VirtioNinep('t', folder),
      new VirtioNet(Uint8Array.of(2, 0, 0, 0, 0, 1), respond),
      new VirtioEntropy(seed),
      new VirtioConsole(output),
    ],
    load: () => ({ entry: RAM, x0: 0 }),
  });
  machine.onConsole(() => {});
  return machine;
}

/** Numbers as drivers write them, and others. */
function value(random: SeededRandom): number {
  switch (random.below(8)) {
    case 0:
      return 0;
    case 1:
      return random.next();
    case 2:
      return RAM + random.below(0x4000);
    case 3:
      return 1 << random.below(32);
    case 4:
      return random.below(256);
    default:
      return random.below(16);
  }
}

/** Words that may be descriptors, rings, requests of a disk or 9P messages. */
function fillQueues(machine: ElscopeMachine, random: SeededRandom): void {
  const words = Uint32Array.from({ length: 0x1000 }, () => value(random));
  machine.memory.pokeView(RAM, new Uint8Array(words.buffer));
}

const deviceAreas = Object.entries(virtMap)
  .filter(([name]) => name !== 'ram')
  .map(([, area]) => area as { base: number; size: number; count?: number });

describe('random accesses to all devices', () => {
  for (const [name, change] of Object.entries({
    'legacy, GICv2': { gic: 2, virtio: 'legacy' },
    'modern, GICv3': { gic: 3, virtio: 'modern', dmaCoherent: false },
    'EL3, checker': { gic: 2, highestEl: 3, virtio: 'modern', checker: 'architectural' },
  } as const satisfies Record<string, Partial<MachineConfig>>))
    test(name, () => {
      for (let seed = 1; seed <= 3 * factor; seed++) {
        const random = seeded(seed);
        const machine = machineOf('pipt-vipt', change);
        const { bus } = machine as unknown as { readonly bus: DeviceBus };
        const out = new Uint32Array(2);
        fillQueues(machine, random);
        for (let i = 0; i < 20_000; i++) {
          if (i % 500 === 0) fillQueues(machine, random);
          const area = deviceAreas[random.below(deviceAreas.length)];
          const slots = area.count ?? 1;
          // Slots with devices, and registers that are there, more often than others.
          const slot = slots > 1 ? slots - 1 - random.below(random.below(4) === 0 ? slots : 5) : 0;
          const size = [1, 2, 4, 4, 4, 8][random.below(6)];
          const offset = random.below(random.below(2) === 0 ? area.size : Math.min(area.size, 0x200)) & -size;
          const pa = area.base + (slots > 1 ? slot * area.size : 0) + offset;
          const core = random.below(2);
          if (random.below(3) === 0) bus.read(pa, size, out, core);
          else bus.write(pa, size, value(random), value(random), core);
          if (random.below(5) === 0 && slots > 1) start(bus, area.base + slot * area.size, random);
          if (random.below(50) === 0) machine.input(random.below(2), Uint8Array.of(65, 13));
        }
        machine.run(2000);
        assert.deepEqual(machine.memory.checkSubset(), [], `seed ${seed}`);
      }
    });
});

/** What it takes to get a queue going, so that random descriptors are looked at. */
function start(bus: DeviceBus, base: number, random: SeededRandom): void {
  const put = (register: number, word: number): void => void bus.write(base + register, 4, word, 0, 0);
  put(Register.Status, 0);
  put(Register.Status, 3);
  put(Register.DriverFeaturesSel, 1);
  put(Register.DriverFeatures, 1);
  put(Register.Status, 11);
  put(Register.QueueSel, random.below(2));
  put(Register.QueueNum, 1 << random.below(8));
  put(Register.QueueDescLow, RAM);
  put(Register.QueueDriverLow, RAM + random.below(0x800));
  put(Register.QueueDeviceLow, RAM + 0x1000 + random.below(0x800));
  put(Register.QueueReady, 1);
  put(Register.QueuePFN, (RAM >> 12) + random.below(2));
  put(Register.Status, 15);
  put(Register.QueueNotify, random.below(2));
}

// ---- code ----

const CODE_WORDS = 0x2000;
const VECTORS = RAM + 0x10_0000;
/** mrs x2, ELR_ELx; add x2, x2, #4; msr ELR_ELx, x2; eret: goes on behind what failed. */
const skipping: Readonly<Record<number, readonly number[]>> = {
  1: [0xd5384022, 0x91001042, 0xd5184022, 0xd69f03e0],
  2: [0xd53c4022, 0x91001042, 0xd51c4022, 0xd69f03e0],
  3: [0xd53e4022, 0x91001042, 0xd51e4022, 0xd69f03e0],
};
const systemRows = compiledRows.filter(({ row }) =>
  /^(MSR|MRS|SYS|SYSL|ERET|HVC|SMC|SVC|ISB|DSB|WFI|WFE|DC|IC|TLBI|AT)/.test(row.id),
);

function randomInstruction(random: SeededRandom): number {
  switch (random.below(10)) {
    case 0:
      return random.next();
    case 1:
      return encode('B', { imm26: (random.below(200) - 100) & 0x3ffffff });
    case 2:
    case 3:
      return randomWord(systemRows[random.below(systemRows.length)], random);
    default:
      return randomWord(compiledRows[random.below(compiledRows.length)], random);
  }
}

/** New code, registers and vectors; all cores begin anew. */
function scramble(machine: ElscopeMachine, random: SeededRandom): void {
  const words = Uint32Array.from({ length: CODE_WORDS }, () => randomInstruction(random));
  machine.memory.pokeView(RAM, new Uint8Array(words.buffer));
  const vectors = new Uint32Array(3 * 0x200).fill(0);
  for (let el = 1; el <= 3; el++)
    for (let vector = 0; vector < 16; vector++)
      for (let i = 0; i < 32; i++)
        vectors[(el - 1) * 0x200 + vector * 32 + i] =
          random.below(8) === 0 ? randomInstruction(random) : (skipping[el][i] ?? 0xd503201f);
  machine.memory.pokeView(VECTORS, new Uint8Array(vectors.buffer));
  for (const unit of machine.units) {
    unit.reset(machine.config.highestEl, BigInt(RAM + 4 * random.below(CODE_WORDS)), 0n);
    for (let el = 1; el <= machine.config.highestEl; el++)
      unit.pokeSystem(`VBAR_EL${el}`, BigInt(VECTORS + (el - 1) * 0x800));
    for (let n = 0; n <= 31; n++)
      unit.setX(
        n,
        random.below(2) === 0
          ? BigInt(RAM + (random.below(MEMORY) & ~15))
          : BigInt(random.next()) << BigInt(random.below(33)),
      );
    const el = random.below(machine.config.highestEl + 1);
    unit.setPstate(BigInt(el === 0 ? 0 : (el << 2) | random.below(2)));
  }
}

describe('random code at random levels', () => {
  for (const preset of Object.keys(presets))
    test(preset, () => {
      for (let seed = 1; seed <= factor; seed++) {
        const random = seeded(seed);
        const highestEl = (1 + random.below(3)) as 1 | 2 | 3;
        const checker = (['off', 'actual', 'architectural'] as const)[random.below(3)];
        const machine = machineOf(preset, { highestEl, checker, quantum: 1 + random.below(2000) });
        const stops: Record<string, number> = {};
        for (let round = 0; round < 40; round++) {
          scramble(machine, random);
          const { reason } = machine.run(20_000);
          stops[reason] = (stops[reason] ?? 0) + 1;
          machine.stops.pending = undefined;
        }
        assert.ok((stops.limit ?? 0) > 5, `seed ${seed}: some of it runs: ${JSON.stringify(stops)}`);
      }
    });
});
