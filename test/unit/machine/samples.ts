/** Machines that run the samples, and a hash of everything a machine is made of. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { SAMPLES } from '../../../src/build/paths';
import { coreLayout } from '../../../src/cpu/layout';
import type { MachineConfig } from '../../../src/machine/config';
import { launch } from '../../../src/machine/launch';
import type { LaunchOptions } from '../../../src/machine/launch.types';
import { ElscopeMachine } from '../../../src/machine/machine';
import { presetConfig } from '../../../src/machine/presets';
import { COUNTER_NAMES, Counter } from '../../../src/memory/counters';
import {
  CONTEXT_SLOTS,
  FETCH_TABLE_BYTES,
  LINE_TABLE_BYTES,
  RECORD_BYTES,
  SLOT_TABLES_BYTES,
} from '../../../src/memory/layout';
import { identifyImage, placeKernel, VIRT_RAM_BASE } from '../../../src/program';
import { nodePorts } from '../../../src/worker/nodePorts';

/** Small, so that machines are made and hashed quickly; the samples need no more. */
export const SMALL_MEMORY = 16 * 2 ** 20;
export const MAX_INSTRUCTIONS = 20_000_000;

export const sampleFile = (name: string): string => path.join(SAMPLES, `${name}.elf`);

export interface Bench {
  readonly machine: ElscopeMachine;
  /** Console output so far. */
  text(): string;
}

function listen(machine: ElscopeMachine): Bench {
  let text = '';
  machine.onConsole((_uart, bytes) => {
    text += Buffer.from(bytes).toString('latin1').replaceAll('\r', '');
  });
  return { machine, text: () => text };
}

/** A sample as the command line launches it, with little memory. */
export function launchSample(name: string, options: Omit<LaunchOptions, 'program'> = {}): Bench {
  const { machine } = launch({ memory: SMALL_MEMORY, program: sampleFile(name), ...options }, nodePorts());
  if (!(machine instanceof ElscopeMachine)) throw new Error('another machine');
  return listen(machine);
}

/** A sample on a preset, changed. Entered at EL2. */
export function sampleOn(name: string, preset: string, cpus: number, change: Partial<MachineConfig> = {}): Bench {
  const ports = nodePorts();
  const image = identifyImage(ports.readFile(sampleFile(name), 'program'), name);
  const config = { ...presetConfig(preset, cpus), memoryBytes: SMALL_MEMORY, highestEl: 2 as const, ...change };
  const placement = placeKernel(image, { ramBase: VIRT_RAM_BASE, ramSize: config.memoryBytes });
  return listen(
    new ElscopeMachine(config, ports.wasm, {
      load: (m) => {
        for (const { address, data } of placement.segments) m.memory.pokeView(address, data);
        return { entry: placement.entry, x0: 0 };
      },
    }),
  );
}

/**
 * Hash of all state: linear memory (registers, caches, tables, RAM; not what was decoded from them), what lives beside it,
 * devices, the schedule. What a call of `run` works with (its budget, the record that it was in) is no state.
 */
export function stateHash(machine: ElscopeMachine): string {
  const hash = createHash('sha1');
  const bytes = new Uint8Array(machine.memory.shared.buffer);
  let at = 0;
  for (const [start, size] of noState(machine)) {
    hash.update(bytes.subarray(at, start));
    at = start + size;
  }
  hash.update(bytes.subarray(at));
  hash.update(JSON.stringify(besideMemory(machine), (key, value) => (isBookkeeping(key) ? undefined : value)));
  return hash.digest('hex');
}

/** Shortcuts and counts of what was asked for: they depend on where `run` was left, and nothing depends on them. */
export const isBookkeeping = (key: string): boolean => key === 'lookups' || key === 'last';

const scratch = ['budget', 'entryRec', 'pcDelta', 'limit', 'pendingExit', 'accesses', 'value', 'penaltyLimit'] as const;

/** Parts of linear memory that are no state, in order: address and size. */
function noState({ units, memory: { shared } }: ElscopeMachine): (readonly [number, number])[] {
  const { plan, granuleLog2 } = shared;
  const work = units.flatMap(({ block }) =>
    scratch.map((name) => [block + coreLayout[name][0], coreLayout[name][1]] as const),
  );
  // Decoded instructions follow from the lines' bytes; which of them run in pairs is the engine's business. So is which
  // I-lines it finds without asking, and how often it asked.
  const decoded = plan.l1i.map(({ records, granules, prefetchGranules }) => {
    return [records, (granules + prefetchGranules) * ((1 << granuleLog2) / 4 + 1) * RECORD_BYTES] as const;
  });
  const fetchTables = plan.tables.flatMap((tables) =>
    Array.from(
      { length: CONTEXT_SLOTS },
      (_, slot) => [tables + slot * SLOT_TABLES_BYTES + 2 * LINE_TABLE_BYTES, FETCH_TABLE_BYTES] as const,
    ),
  );
  const counters = plan.tables.map((_, core) => {
    return [plan.counters + 8 * (core * COUNTER_NAMES.length + Counter.slowFetches), 8] as const;
  });
  // These guests leave flash alone, and it is large.
  const flash = plan.regions.slice(1).map(({ host, size }) => [host, size] as const);
  return [...work, ...decoded, ...fetchTables, ...counters, ...flash].sort(([a], [b]) => a - b);
}

/** Parts of the machine that it keeps to itself. */
interface Inside {
  readonly board: { readonly devices: readonly { save(): unknown }[] };
  readonly flash: readonly { save(): unknown }[];
  readonly scheduler: { readonly randomState: Uint32Array; readonly turnCore: number; readonly turnLeft: number };
}

/** The state that is not in linear memory, as plain data. */
export function besideMemory(machine: ElscopeMachine): unknown {
  const { board, flash, scheduler } = machine as unknown as Inside;
  return {
    memory: machine.memory.save(),
    mmu: machine.mmu.save(),
    devices: [...board.devices, ...flash].map((device) => device.save()),
    schedule: [scheduler.turnCore, scheduler.turnLeft, ...scheduler.randomState],
    now: machine.time.now(),
    statistics: machine.statistics().cores.map(({ counters, ...rest }) => rest),
  };
}
