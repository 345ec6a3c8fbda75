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

/** A unit's side word: its record's number, 0 = none, and which versions the record holds, in which half. */
export const Side = {
  Record: 0xffffff,
  HasP: 1 << 24,
  HalfP: 1 << 25,
  HasC: 1 << 26,
  HalfC: 1 << 27,
  HalfPShift: 25,
  HalfCShift: 27,
  /** From the bits of P to those of C. */
  PToC: 2,
} as const;

export class Versions {
  readonly side: Uint32Array;
  /** Free record numbers as a stack; [0] is its height. */
  private readonly free: Uint32Array;
  private readonly records: number;
  private readonly bytes: number;
  private readonly halfLog2: number;

  constructor(private readonly shared: Shared) {
    const { plan, buffer } = shared;
    this.side = new Uint32Array(buffer, plan.side, plan.units);
    this.free = new Uint32Array(buffer, plan.recordFree, plan.records + 1);
    this.records = plan.records - 1;
    if (this.records > Side.Record) bug(`${this.records} side records`);
    this.bytes = plan.recordBytes;
    this.halfLog2 = shared.unitLog2;
  }

  /** Puts every record on the free list. No unit may have one (fresh memory, or after `forget` of all that had). */
  reset(): void {
    const n = this.records;
    this.free[0] = n;
    for (let i = 1; i <= n; i++) this.free[i] = n + 1 - i;
  }

  /** Where the contents at the point of unification stand. */
  pHost(unit: number): number {
    const s = this.side[unit];
    return s & Side.HasP ? this.half(s, (s & Side.HalfP) >>> Side.HalfPShift) : this.shared.hostOfUnit(unit);
  }

  /** Where the contents at the point of coherency stand. */
  cHost(unit: number): number {
    const s = this.side[unit];
    return s & Side.HasC ? this.half(s, (s & Side.HalfC) >>> Side.HalfCShift) : this.pHost(unit);
  }

  /** Before the view alone changes: P gets contents of its own. */
  splitP(unit: number): void {
    const s = this.withRecord(unit);
    if (s & Side.HasP) return;
    const half = s & Side.HasC ? 1 - ((s & Side.HalfC) >>> Side.HalfCShift) : 0;
    this.side[unit] = s | Side.HasP | (half << Side.HalfPShift);
    this.shared.copyUnit(this.half(s, half), this.shared.hostOfUnit(unit));
  }

  /** Before P (and the view with it) changes and C does not. */
  splitC(unit: number): void {
    const s = this.withRecord(unit);
    if (s & Side.HasC) return;
    const half = s & Side.HasP ? 1 - ((s & Side.HalfP) >>> Side.HalfPShift) : 0;
    this.shared.copyUnit(this.half(s, half), this.pHost(unit));
    this.side[unit] = s | Side.HasC | (half << Side.HalfCShift);
  }

  /** P := V, C keeps its contents (the old P where it had none of its own). */
  raiseP(unit: number): void {
    const s = this.side[unit];
    if (!(s & Side.HasP)) return;
    if (s & Side.HasC) this.side[unit] = s & ~(Side.HasP | Side.HalfP);
    else this.side[unit] = (s & Side.Record) | ((s & (Side.HasP | Side.HalfP)) << Side.PToC);
  }

  /** C := P. */
  raiseC(unit: number): void {
    const s = this.side[unit];
    if (s & Side.HasC) this.keep(unit, s & ~(Side.HasC | Side.HalfC));
  }

  /** P := V, C := V. */
  raiseAll(unit: number): void {
    const s = this.side[unit];
    if (s !== 0) this.keep(unit, s & Side.Record);
  }

  /** V := P (the last L1D copy is gone). True if the view was replaced. */
  dropV(unit: number): boolean {
    const s = this.side[unit];
    if (!(s & Side.HasP)) return false;
    this.shared.copyUnit(this.shared.hostOfUnit(unit), this.half(s, (s & Side.HalfP) >>> Side.HalfPShift));
    this.keep(unit, s & ~(Side.HasP | Side.HalfP));
    return true;
  }

  /** P := C (the last outer copy is gone). `inL1` keeps the view apart. True if the view was replaced. */
  dropP(unit: number, inL1: boolean): boolean {
    const s = this.side[unit];
    if (!(s & Side.HasC)) return false;
    if (inL1) {
      this.side[unit] = (s & Side.Record) | ((s & (Side.HasC | Side.HalfC)) >>> Side.PToC);
      return false;
    }
    this.shared.copyUnit(this.shared.hostOfUnit(unit), this.half(s, (s & Side.HalfC) >>> Side.HalfCShift));
    this.keep(unit, s & Side.Record);
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
    return (this.side[unit] & Side.HasP) !== 0;
  }
  separateC(unit: number): boolean {
    return (this.side[unit] & Side.HasC) !== 0;
  }
  recordsInUse(): number {
    return this.records - this.free[0];
  }

  private half(side: number, half: number): number {
    return this.bytes + (((side & Side.Record) * 2 + half) << this.halfLog2);
  }

  /** The side word of a unit that gets a record if it has none. */
  private withRecord(unit: number): number {
    const s = this.side[unit];
    if (s !== 0) return s;
    const n = this.free[0];
    if (n === 0) bug('no side record left');
    this.free[0] = n - 1;
    return this.free[n];
  }

  /** Stores a side word; a record that holds nothing any more is free again. */
  private keep(unit: number, side: number): void {
    if (side > Side.Record) this.side[unit] = side;
    else {
      this.side[unit] = 0;
      this.free[++this.free[0]] = side;
    }
  }
}
