/**
 * The debugger's latencies, through the built adapter as a process of its own: launch to the first stop, pause while the guest is
 * busy, and a step until it has stopped and until everything that VS Code asks for with its views open has been answered. Steps
 * until the views are painted are measured in a real workbench (test/bench/painted.ts) if one is installed.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import type { CachesView } from '../protocol';
import { ADAPTER, DapClient } from './dapClient';
import { HOSTS } from './host/versions';
import { cacheDir, ROOT, SAMPLES } from './paths';
import { run } from './processes';

const EL_TOUR = path.join(SAMPLES, 'el-tour.elf');
const RUNS = 5;
const PAUSES = 20;
const STEPS = 50;

/** Upper bounds in milliseconds of the 95th percentiles. */
export const LATENCY_TARGETS = { launch: 1000, pause: 100, views: 50, painted: 50 } as const;

/** Guests that never end: each a raw image. */
const busyGuests: readonly (readonly [string, readonly number[]])[] = [
  ['arithmetic', [0x91000400, 0x17ffffff]], // add x0, x0, #1; b .-4
  // mov x1, #0x41000000; add x2, x2, #64; and x2, x2, #0x3fffff; ldr x3, [x1, x2]; b .-12
  ['loads, MMU off', [0xd2a82001, 0x91010042, 0x92405442, 0xf8626823, 0x17fffffd]],
  ['waiting (WFI)', [0xd503207f, 0x17ffffff]],
];

/** What was measured, in milliseconds. */
export interface Latency {
  readonly name: string;
  readonly samples: readonly number[];
  readonly target?: number;
}

/** The smallest sample that at least `percent` % of all are not above. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

/** One line: name, number of samples, p50, p95, and whether p95 is below its target. */
export function latencyLine({ name, samples, target }: Latency): string {
  const p95 = percentile(samples, 95);
  const verdict = target === undefined ? '' : `  ${p95 <= target ? 'reached' : 'missed '}  at most ${target}`;
  const figures = [percentile(samples, 50), p95].map((ms) => ms.toFixed(1).padStart(8));
  return `${name.padEnd(44)} ${String(samples.length).padStart(4)} ${figures.join(' ')}${verdict}`;
}

async function withClient<T>(body: (client: DapClient) => Promise<T>): Promise<T> {
  const client = new DapClient();
  try {
    await client.request('initialize', { adapterID: 'elscope' });
    return await body(client);
  } finally {
    client.close();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

/** The launch request to the stopped event; the adapter runs already, as VS Code starts it before. */
async function launches(): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const toStop = async (client: DapClient): Promise<number> =>
      timed(async () => {
        await client.launch({ program: EL_TOUR, stopOnEntry: true });
        await client.event('stopped');
      });
    samples.push(await withClient(toStop));
  }
  return samples;
}

/** The pause request to the stopped event, at moments that differ. */
function pauses(program: string): Promise<number[]> {
  return withClient(async (client) => {
    await client.launch({ program });
    const samples: number[] = [];
    for (let i = 0; i < PAUSES; i++) {
      await new Promise((resolve) => setTimeout(resolve, 30 + ((i * 37) % 50)));
      const toStop = async (): Promise<void> => {
        await Promise.all([client.request('pause', { threadId: 1 }), client.event('stopped')]);
      };
      samples.push(await timed(toStop));
      await client.request('continue', { threadId: 1 });
    }
    return samples;
  });
}

/** What VS Code and the extension ask for after a stop, with all views open. */
async function openViews(client: DapClient): Promise<void> {
  const variables = async (): Promise<void> => {
    const stack: Dap.StackTraceResponse['body'] = await client.request('stackTrace', {
      threadId: 1,
      startFrame: 0,
      levels: 20,
    });
    const { scopes }: Dap.ScopesResponse['body'] = await client.request('scopes', { frameId: stack.stackFrames[0].id });
    const open = scopes.filter((scope) => !scope.expensive);
    await Promise.all(open.map(({ variablesReference }) => client.request('variables', { variablesReference })));
  };
  const caches = async (): Promise<void> => {
    const { cores }: CachesView = await client.request('elscope/caches');
    const [{ core, caches: list }] = cores;
    await Promise.all(list.map(({ level, kind }) => client.request('elscope/cacheLines', { core, level, kind })));
  };
  const plain = ['threads', 'elscope/cores', 'elscope/idRegisters'];
  await Promise.all([variables(), caches(), ...plain.map((command) => client.request(command))]);
  await client.request('elscope/watchedLines', { addresses: ['pc', 'sp', 'main'] });
}

interface Steps {
  readonly stopped: number[];
  readonly views: number[];
}

/** Steps by instruction through EL0 code, over its calls and SVCs. */
function steps(cpus: number): Promise<Steps> {
  return withClient(async (client) => {
    await client.launch({ program: EL_TOUR, cpus, stopOnEntry: true });
    await client.event('stopped');
    await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'user_main' }] });
    await client.request('continue', { threadId: 1 });
    await client.event('stopped');
    await client.request('setFunctionBreakpoints', { breakpoints: [] });
    const found: Steps = { stopped: [], views: [] };
    for (let i = 0; i < STEPS; i++) {
      const begin = performance.now();
      await Promise.all([client.request('next', { threadId: 1, granularity: 'instruction' }), client.event('stopped')]);
      found.stopped.push(performance.now() - begin);
      await openViews(client);
      found.views.push(performance.now() - begin);
    }
    return found;
  });
}

/** Everything that can be measured without a workbench, as soon as it is known. */
export async function* adapterLatencies(): AsyncGenerator<Latency> {
  yield { name: 'launch to the first stop (el-tour)', samples: await launches(), target: LATENCY_TARGETS.launch };
  const folder = mkdtempSync(path.join(os.tmpdir(), 'elscope-bench-'));
  try {
    for (const [name, words] of busyGuests) {
      const image = path.join(folder, 'guest.bin');
      writeFileSync(image, new Uint8Array(Uint32Array.from(words).buffer));
      yield { name: `pause, guest busy: ${name}`, samples: await pauses(image), target: LATENCY_TARGETS.pause };
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const cpus of [1, 8]) {
    const { stopped, views } = await steps(cpus);
    const cores = cpus === 1 ? '1 core' : `${cpus} cores`;
    yield { name: `step to stopped, ${cores}`, samples: stopped };
    yield { name: `step to all views answered, ${cores}`, samples: views, target: LATENCY_TARGETS.views };
  }
}

/** Steps in a real workbench; undefined when none is installed. It reports one JSON line. */
async function paintedLatency(): Promise<Latency | undefined> {
  if (!existsSync(path.join(cacheDir(), `vscode-${HOSTS.current.vscode}`, 'installed'))) return undefined;
  const env = { ...process.env, ELSCOPE_HOST: HOSTS.current.id };
  const output = await run(process.execPath, ['--import', 'tsx', path.join(ROOT, 'test', 'bench', 'painted.ts')], {
    env,
  });
  const line = output.trim().split('\n').at(-1) ?? '';
  const samples: number[] = JSON.parse(line);
  return { name: 'step (F11) to Cores painted, in VS Code', samples, target: LATENCY_TARGETS.painted };
}

/** Prints a line for each latency: those of the adapter, those in a workbench, or both. */
export async function printLatencies(adapter: boolean, workbench: boolean): Promise<void> {
  if (!existsSync(ADAPTER)) {
    console.log('dist/adapter.cjs is missing (npm run build): no latencies');
    return;
  }
  console.log(`\n${'latency, milliseconds'.padEnd(44)}    n      p50      p95`);
  if (adapter) for await (const latency of adapterLatencies()) console.log(latencyLine(latency));
  if (!workbench) return;
  const painted = await paintedLatency();
  const missing = 'no VS Code in the cache (npm test installs one): steps to painted left out';
  console.log(painted ? latencyLine(painted) : missing);
}
