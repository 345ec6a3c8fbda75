/**
 * The contents of a unit at its three levels: the view V (what cacheable accesses see; in place in linear memory), the point
 * of unification P and the point of coherency C. A side record holds what differs:
 *
 *   P separate from V only while an L1D holds the unit, else P is V;
 *   C separate from P only while an outer cache holds the unit, else C is P.
 *
 * so there are never more records than units cached. Which is newer is not recorded: P is older than V under a dirty line,
 * newer after a non-cacheable or DMA write below a clean one. This file moves contents only; presence and dirty bits are the
 * caches' business. A record has two halves of one unit each; becoming C of what was P is a change of flags.
 */
import { bug } from '../base/errors';
import type { Shared } from './shared';

const HAS_P = 1;
const HALF_P = 2;
const HAS_C = 4;
const HALF_C = 8;

export class Versions {
  /** unit -> record number, 0 = none. */
  readonly side: Uint32Array;
  private readonly flags: Uint8Array;
  /** Free record numbers as a stack; [0] is its height. */
  private readonly free: Uint32Array;
  private readonly bytes: number;
  private readonly halfLog2: number;

  constructor(private readonly shared: Shared) {
    const { plan, buffer } = shared;
    this.side = new Uint32Array(buffer, plan.side, plan.units);
    this.flags = new Uint8Array(buffer, plan.recordFlags, plan.records);
    this.free = new Uint32Array(buffer, plan.recordFree, plan.records + 1);
    this.bytes = plan.recordBytes;
    this.halfLog2 = shared.unitLog2;
  }

  /** Puts every record on the free list. No unit may have one (fresh memory, or after `forget` of all that had). */
  reset(): void {
    this.flags.fill(0);
    const n = this.flags.length - 1;
    this.free[0] = n;
    for (let i = 1; i <= n; i++) this.free[i] = n + 1 - i;
  }

  /** Where the contents at the point of unification stand. */
  pHost(unit: number): number {
    const r = this.side[unit];
    const f = r === 0 ? 0 : this.flags[r];
    return f & HAS_P ? this.half(r, (f & HALF_P) >> 1) : this.shared.hostOfUnit(unit);
  }

  /** Where the contents at the point of coherency stand. */
  cHost(unit: number): number {
    const r = this.side[unit];
    const f = r === 0 ? 0 : this.flags[r];
    return f & HAS_C ? this.half(r, (f & HALF_C) >> 3) : this.pHost(unit);
  }

  /** Before the view alone changes: P gets contents of its own. */
  splitP(unit: number): void {
    const r = this.record(unit);
    const f = this.flags[r];
    if (f & HAS_P) return;
    const half = f & HAS_C ? 1 - ((f & HALF_C) >> 3) : 0;
    this.shared.copyUnit(this.half(r, half), this.shared.hostOfUnit(unit));
    this.flags[r] = f | HAS_P | (half << 1);
  }

  /** Before P (and the view with it) changes and C does not. */
  splitC(unit: number): void {
    const r = this.record(unit);
    const f = this.flags[r];
    if (f & HAS_C) return;
    const half = f & HAS_P ? 1 - ((f & HALF_P) >> 1) : 0;
    this.shared.copyUnit(this.half(r, half), this.pHost(unit));
    this.flags[r] = f | HAS_C | (half << 3);
  }

  /** P := V, C keeps its contents (the old P where it had none of its own). */
  raiseP(unit: number): void {
    const r = this.side[unit];
    if (r === 0) return;
    const f = this.flags[r];
    if (!(f & HAS_P)) return;
    if (f & HAS_C) this.setFlags(unit, r, f & (HAS_C | HALF_C));
    else this.setFlags(unit, r, HAS_C | ((f & HALF_P) << 2));
  }

  /** C := P. */
  raiseC(unit: number): void {
    const r = this.side[unit];
    if (r !== 0) this.setFlags(unit, r, this.flags[r] & (HAS_P | HALF_P));
  }

  /** P := V, C := V. */
  raiseAll(unit: number): void {
    const r = this.side[unit];
    if (r !== 0) this.setFlags(unit, r, 0);
  }

  /** V := P (the last L1D copy is gone). True if the view was replaced. */
  dropV(unit: number): boolean {
    const r = this.side[unit];
    if (r === 0) return false;
    const f = this.flags[r];
    if (!(f & HAS_P)) return false;
    this.shared.copyUnit(this.shared.hostOfUnit(unit), this.half(r, (f & HALF_P) >> 1));
    this.setFlags(unit, r, f & (HAS_C | HALF_C));
    return true;
  }

  /** P := C (the last outer copy is gone). `inL1` keeps the view apart. True if the view was replaced. */
  dropP(unit: number, inL1: boolean): boolean {
    const r = this.side[unit];
    if (r === 0) return false;
    const f = this.flags[r];
    if (!(f & HAS_C)) return false;
    if (inL1) {
      this.setFlags(unit, r, HAS_P | ((f & HALF_C) >> 2));
      return false;
    }
    this.shared.copyUnit(this.shared.hostOfUnit(unit), this.half(r, (f & HALF_C) >> 3));
    this.setFlags(unit, r, 0);
    return true;
  }

  /** V := P := C, as if all caches vanished. */
  forget(unit: number): void {
    const from = this.cHost(unit);
    const to = this.shared.hostOfUnit(unit);
    if (from !== to) this.shared.copyUnit(to, from);
    this.raiseAll(unit);
  }

  /** Address to write C at, leaving versions above as they are. In no cache at all that is the view itself. */
  prepareC(unit: number, inL1: boolean, inL2: boolean): number {
    if (inL2) this.splitC(unit);
    else if (inL1) this.splitP(unit);
    return this.cHost(unit);
  }

  /** Does P (C) have contents of its own? For views and tests. */
  separateP(unit: number): boolean {
    return this.side[unit] !== 0 && (this.flags[this.side[unit]] & HAS_P) !== 0;
  }
  separateC(unit: number): boolean {
    return this.side[unit] !== 0 && (this.flags[this.side[unit]] & HAS_C) !== 0;
  }
  recordsInUse(): number {
    return this.flags.length - 1 - this.free[0];
  }

  private half(record: number, half: number): number {
    return this.bytes + ((record * 2 + half) << this.halfLog2);
  }

  private record(unit: number): number {
    const r = this.side[unit];
    if (r !== 0) return r;
    const n = this.free[0];
    if (n === 0) bug('no side record left');
    const taken = this.free[n];
    this.free[0] = n - 1;
    this.side[unit] = taken;
    this.flags[taken] = 0;
    return taken;
  }

  private setFlags(unit: number, r: number, flags: number): void {
    this.flags[r] = flags;
    if (flags !== 0) return;
    this.side[unit] = 0;
    this.free[++this.free[0]] = r;
  }
}
