/**
 * The state of a whole machine, taken and put back at an instruction boundary. What is in linear memory goes as it is; decoded
 * records follow from it and are made again; the rest is plain data that every part saves for itself. The debugger's breakpoints
 * and watchpoints are no state: they stay those of the machine that is restored.
 */
import { bug } from '../../base/errors';
import { coreLayout } from '../../cpu/layout';
import type { Device } from '../../devices/device';
import type { Semihosting } from '../../devices/semihosting';
import type { Hypervisor } from '../../hypervisor/run/model';
import { loadModel, type ModelState, saveModel } from '../../hypervisor/run/state';
import { CONSTANTS_END } from '../../isa/sem/constants';
import type { MemorySystem } from '../../memory/memorySystem';
import type { Mmu } from '../../memory/mmu/mmu';
import type { Finding } from '../api';
import type { MachineConfig } from '../config';
import type { CoreUnit } from '../coreUnit';
import type { ExceptionLoops } from '../exceptionLoops';
import type { Scheduler } from '../scheduler';
import type { GuestTime } from '../time';
import { toPlain } from './plain';

/** A stretch of linear memory. */
export interface Chunk {
  readonly at: number;
  readonly bytes: Uint8Array;
}

export interface MachineState {
  /** Of the machine that it belongs to: it can be put into an equal one only. */
  readonly identity: string;
  readonly instructions: number;
  /** Bytes of linear memory. */
  readonly length: number;
  /** What of it is not zero, in order. Views of the machine that was saved, good until it moves on. */
  readonly chunks: Iterable<Chunk>;
  readonly beside: unknown;
}

/** The parts of a machine that hold state. */
export interface StateParts {
  readonly config: MachineConfig;
  readonly memory: MemorySystem;
  readonly mmu: Mmu;
  readonly units: readonly CoreUnit[];
  readonly time: GuestTime;
  readonly scheduler: Scheduler;
  /** Interrupt controller last: what the others set its inputs to on the way is nothing that happened. */
  readonly devices: readonly Device[];
  readonly semihosting: Semihosting | undefined;
  /** Typed for semihosting and not yet read. */
  readonly typed: number[];
  readonly loops: ExceptionLoops;
  /** Where it has EL2. */
  readonly hypervisor: Hypervisor | undefined;
  readonly findings: { count: number; list: Finding[] };
}

export const CHUNK_BYTES = 65536;

interface Beside {
  readonly memory: unknown;
  readonly mmu: unknown;
  readonly units: readonly unknown[];
  readonly time: unknown;
  readonly scheduler: unknown;
  readonly devices: Readonly<Record<string, unknown>>;
  readonly semihosting: unknown;
  readonly typed: readonly number[];
  readonly loops: unknown;
  readonly hypervisor: ModelState | undefined;
  readonly findings: { readonly count: number; readonly list: readonly Finding[] };
}

/** Everything that says where state stands: configuration, layout, devices. */
export function identityOf({ config, memory, devices }: StateParts): string {
  const { name: _name, ...rest } = config;
  return toPlain({ config: rest, layout: coreLayout, plan: memory.shared.plan, devices: devices.map((d) => d.name) })
    .text;
}

function isZero(words: Uint32Array, first: number, count: number): boolean {
  for (let i = first; i < first + count; i++) if (words[i] !== 0) return false;
  return true;
}

function* chunksOf(buffer: ArrayBuffer): Iterable<Chunk> {
  const words = new Uint32Array(buffer);
  for (let at = CONSTANTS_END; at < buffer.byteLength; ) {
    const end = Math.min(buffer.byteLength, (Math.floor(at / CHUNK_BYTES) + 1) * CHUNK_BYTES);
    if (!isZero(words, at >> 2, (end - at) >> 2)) yield { at, bytes: new Uint8Array(buffer, at, end - at) };
    at = end;
  }
}

export function saveState(parts: StateParts): MachineState {
  const { buffer } = parts.memory.shared;
  const beside: Beside = {
    memory: parts.memory.save(),
    mmu: parts.mmu.save(),
    units: parts.units.map((unit) => unit.save()),
    time: parts.time.save(),
    scheduler: parts.scheduler.save(),
    devices: Object.fromEntries(parts.devices.map((device) => [device.name, device.save()])),
    semihosting: parts.semihosting?.save(),
    typed: [...parts.typed],
    loops: parts.loops.save(),
    hypervisor: parts.hypervisor && saveModel(parts.hypervisor),
    findings: { count: parts.findings.count, list: [...parts.findings.list] },
  };
  const instructions = parts.units.reduce((sum, unit) => sum + unit.instructions(), 0);
  return { identity: identityOf(parts), instructions, length: buffer.byteLength, chunks: chunksOf(buffer), beside };
}

/** Puts the state back; `identity` was compared before. */
export function restoreState(parts: StateParts, state: MachineState): void {
  const { buffer } = parts.memory.shared;
  if (state.length !== buffer.byteLength) bug('a state of another machine');
  const beside = state.beside as Beside;
  // Devices reach cores and caches while they are loaded: linear memory comes after them.
  parts.time.load(beside.time);
  for (const device of parts.devices) device.load(beside.devices[device.name]);
  parts.semihosting?.load(beside.semihosting);
  if (parts.hypervisor !== undefined && beside.hypervisor !== undefined) loadModel(parts.hypervisor, beside.hypervisor);
  parts.typed.splice(0, parts.typed.length, ...beside.typed);
  parts.loops.load(beside.loops);
  parts.findings.count = beside.findings.count;
  parts.findings.list.splice(0, parts.findings.list.length, ...beside.findings.list);
  replaceMemory(buffer, state.chunks);
  parts.mmu.load(beside.mmu);
  parts.units.forEach((unit, i) => void unit.load(beside.units[i]));
  parts.scheduler.load(beside.scheduler);
  parts.memory.restore(beside.memory);
  for (const unit of parts.units) unit.cpu.restored();
  // Timers asked for their events again, from now; what they had asked for before counts.
  parts.time.load(beside.time);
}

function replaceMemory(buffer: ArrayBuffer, chunks: Iterable<Chunk>): void {
  const memory = new Uint8Array(buffer);
  let done = CONSTANTS_END;
  for (const { at, bytes } of chunks) {
    memory.fill(0, done, at);
    memory.set(bytes, at);
    done = at + bytes.length;
  }
  memory.fill(0, done);
}
