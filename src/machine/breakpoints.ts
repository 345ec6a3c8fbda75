/**
 * Breakpoints on instructions, the debugger's and those that guests arm in their own registers: which addresses the engine
 * looks at, and what one that is reached means.
 */
import { joinBig } from '../base/bits';
import { AtBreakpoint, type Engine } from '../engine/engine';
import type { MemorySystem } from '../memory/memorySystem';
import type { ExecBreakpoint, Stop } from './api';
import type { CoreUnit } from './coreUnit';
import type { Stops } from './stops';

export interface BreakpointParts {
  readonly stops: Stops;
  readonly units: readonly CoreUnit[];
  readonly memory: MemorySystem;
  readonly engine: Engine;
  /** Physical address that the core fetches from next. */
  fetchPa(core: number): bigint | undefined;
}

export class Breakpoints {
  /** Addresses (low words) of breakpoints that the guest armed, by core. */
  private readonly armed: (readonly number[])[] = [];

  constructor(private readonly parts: BreakpointParts) {}

  set(list: readonly ExecBreakpoint[]): void {
    this.parts.stops.breakpoints = [...list];
    this.mark();
  }

  /** A guest changed a core's comparators. */
  armedBy(core: number, addresses: readonly number[], watching: boolean, restored: boolean): void {
    this.parts.memory.setGuestWatches(core, watching, restored);
    if (addresses.join() === (this.armed[core] ?? []).join()) return;
    this.armed[core] = addresses;
    this.mark(restored);
  }

  private mark(restored = false): void {
    const { stops, engine, units, memory } = this.parts;
    const debuggers = stops.breakpoints.map((b) => ({
      low: Number(b.address & 0xffffffffn),
      physical: b.space === 'pa',
    }));
    const guests = this.armed.flat().map((low) => ({ low, physical: false }));
    engine.setBreakpoints([...debuggers, ...guests]);
    if (restored) return;
    for (const unit of units) memory.dropTranslations(unit.index, 0, 0, 64);
  }

  /** What a core does at an address that is looked at. The guest's own counts as well where the debugger's was reported. */
  reached(core: number, hi: number, lo: number, skip: boolean): AtBreakpoint {
    if (!skip && this.debuggerBreaks(core, hi, lo)) return AtBreakpoint.stop;
    return this.parts.units[core].cpu.guestBreakpoint(hi, lo) ? AtBreakpoint.exception : AtBreakpoint.goOn;
  }

  debuggerBreaks(core: number, hi: number, lo: number): boolean {
    const { stops, units } = this.parts;
    const ids = stops.matching(core, units[core].el, joinBig(hi, lo), () => this.parts.fetchPa(core));
    if (ids.length > 0) stops.pending ??= { reason: 'breakpoint', core, hits: [{ core, ids }] };
    return ids.length > 0;
  }

  /** Cores whose next instruction has a matching breakpoint are reported with the stop, and do not hit again. */
  withOtherHits(stop: Stop): Stop {
    const { units, stops } = this.parts;
    const matching = (unit: CoreUnit): number[] =>
      stops.matching(unit.index, unit.el, unit.pc(), () => this.parts.fetchPa(unit.index));
    const hits = units
      .map((unit) => ({ core: unit.index, ids: unit.isOff ? [] : matching(unit) }))
      .filter(({ ids }) => ids.length > 0);
    for (const { core } of hits) units[core].skipBreakpoint = true;
    return stop.reason === 'breakpoint' ? { ...stop, hits } : stop;
  }
}
