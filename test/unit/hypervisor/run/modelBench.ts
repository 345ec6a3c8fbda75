/** Machines with the hypervisor model, for tests that compare two of them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SAMPLES } from '../../../../src/build/paths';
import type { Stop } from '../../../../src/machine/api';
import type { LaunchOptions } from '../../../../src/machine/launch.types';
import type { ElscopeMachine } from '../../../../src/machine/machine';
import { restoreFromFile, writeSnapshot } from '../../../../src/machine/snapshot/file';
import { toPlain } from '../../../../src/machine/snapshot/plain';
import { nodeCompression } from '../../../../src/worker/nodeCompression';
import { type Bench, besideMemory, isBookkeeping, launchSample, stateHash } from '../../machine/samples';

const folder = mkdtempSync(path.join(tmpdir(), 'elscope-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** A machine file; the same text gives the same name. */
export function machineFile(name: string, machine: unknown): string {
  const file = path.join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(machine));
  return file;
}

export function modelMachine(sample: string, options: Omit<LaunchOptions, 'program'> = {}): Bench {
  const machine = options.machine ?? `${sample}.json`;
  const file = machine.endsWith('.json') ? path.resolve(SAMPLES, machine) : machine;
  return launchSample(sample, { memory: '52M', ...options, machine: file });
}

export const snapshotOf = (machine: ElscopeMachine): Uint8Array =>
  Buffer.concat([...writeSnapshot(machine.save(), nodeCompression)]);
export const loadSnapshot = (machine: ElscopeMachine, file: Uint8Array): void =>
  restoreFromFile(machine, file, 'snap', nodeCompression);

/** What objects are given at their making: not state, and other functions in every machine. */
const GIVEN: ReadonlySet<string> = new Set(['port', 'config', 'table', 'options', 'rows', 'policies', 'registers']);

/** Everything that the model's objects hold, as plain data; an object of a class that was seen before is its number. */
export function insideOf(value: unknown): unknown {
  const seen = new Map<object, number>();
  const walk = (item: unknown): unknown => {
    if (typeof item === 'function') return 'function';
    if (typeof item !== 'object' || item === null) return typeof item === 'bigint' ? `${item}n` : item;
    const before = seen.get(item);
    if (before !== undefined) return `object ${before}`;
    if (![Object.prototype, Array.prototype].includes(Object.getPrototypeOf(item))) seen.set(item, seen.size);
    if (item instanceof Map) return [...item].map(walk);
    if (item instanceof Set || Array.isArray(item)) return Array.from(item as Iterable<unknown>, walk);
    if (ArrayBuffer.isView(item)) return Array.from(item as unknown as Iterable<unknown>, walk);
    const own = Object.entries(item).filter(([name]) => !GIVEN.has(name));
    return Object.fromEntries(own.map(([name, inner]) => [name, walk(inner)]));
  };
  return walk(value);
}

/** Without shortcuts and how often they were taken, which depend on where `run` was left. */
const plain = (machine: ElscopeMachine): unknown =>
  JSON.parse(JSON.stringify(besideMemory(machine), (key, value) => (isBookkeeping(key) ? undefined : value)));

/** The state beside linear memory, as a snapshot has it. */
export const besideOf = (machine: ElscopeMachine): string => toPlain(machine.save().beside).text;

/** Two machines are in the same state, bit for bit. */
export function assertSame(one: ElscopeMachine, other: ElscopeMachine, message?: string): void {
  assert.deepEqual(insideOf(other.hypervisor), insideOf(one.hypervisor), message);
  assert.deepEqual(plain(other), plain(one), message);
  assert.equal(stateHash(other), stateHash(one), message);
}

/** To the end, in one go. */
export function finish(machine: ElscopeMachine): Stop {
  for (;;) {
    const stop = machine.run(5_000_000);
    if (stop.reason !== 'limit') return stop;
  }
}

/** A guest that is saved to a file, and goes on in another machine, again and again. */
export function goesOn(sample: string, options: Omit<LaunchOptions, 'program'>): void {
  const straight = modelMachine(sample, options);
  const end = finish(straight.machine);
  assert.equal(end.reason, 'exited', straight.text());
  const total = straight.machine.instructions();
  let { machine, text } = modelMachine(sample, options);
  let said = '';
  // The first ones are in the host's boot: there is no host yet, then no VM.
  for (const at of [1, 7, ...[0.1, 0.4, 0.8].map((part) => Math.floor(total * part))]) {
    machine.run(at - machine.instructions());
    const file = snapshotOf(machine);
    said += text();
    const next = modelMachine(sample, options);
    loadSnapshot(next.machine, file);
    assert.deepEqual(insideOf(next.machine.hypervisor), insideOf(machine.hypervisor), `at ${at}`);
    ({ machine, text } = next);
  }
  assert.deepEqual(finish(machine), end);
  assert.equal(said + text(), straight.text());
  assertSame(straight.machine, machine);
}
