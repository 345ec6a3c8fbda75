/**
 * The checker's architectural mode: changes of descriptors whose TLBI was done here, where it works at once, but on other
 * hardware takes effect only between two DSBs, and for the own instructions after an ISB. The last few are kept.
 */

/** A descriptor that was changed, and the first TLBI of its writer that removed an entry made from it. */
export interface Unfinished {
  /** Linear-memory address / 8 of the descriptor; -1: the place is free. */
  place: number;
  stage: 1 | 2;
  level: number;
  oldHi: number;
  oldLo: number;
  /** Who wrote it: core, level, stack, PC. */
  core: number;
  el: number;
  stack: number;
  pcHi: number;
  pcLo: number;
  /** The writer had a DSB between the write and the TLBI. */
  ordered: boolean;
  /** The TLBI was one of the last level only. */
  lastLevel: boolean;
  /** When the TLBI was. */
  at: number;
}

const KEPT = 16;

export class UnfinishedTlbi {
  private readonly list: readonly Unfinished[] = Array.from({ length: KEPT }, () => ({
    place: -1,
    stage: 1,
    level: 0,
    oldHi: 0,
    oldLo: 0,
    core: 0,
    el: 0,
    stack: 0,
    pcHi: 0,
    pcLo: 0,
    ordered: false,
    lastLevel: false,
    at: 0,
  }));
  private next = 0;
  /** Nothing was ever kept: walks need not ask. */
  any = false;

  reset(): void {
    for (const row of this.list) row.place = -1;
    this.any = false;
  }

  /** The one of a descriptor, undefined if there is none. */
  of(place: number): Unfinished | undefined {
    for (const row of this.list) if (row.place === place) return row;
    return undefined;
  }

  /** A place for one more: the caller fills it. */
  add(place: number): Unfinished {
    const row = this.of(place) ?? this.list[this.next++ % KEPT];
    row.place = place;
    this.any = true;
    return row;
  }

  save(): unknown {
    return this.list.map((row) => ({ ...row }));
  }
  load(state: unknown): void {
    this.any = false;
    (state as Unfinished[]).forEach((row, i) => {
      Object.assign(this.list[i], row);
      this.any ||= row.place >= 0;
    });
  }
}
