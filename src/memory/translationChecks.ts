/**
 * Break-before-make, watched by the coherence checker: while a TLB holds an entry, its descriptor must not become another valid one
 * with another output address, memory type or block size; it has to be made invalid first, and forgotten by TLBI. Section:
 * Using break-before-make when updating translation table entries.
 *
 * For each TLB entry the leaf descriptor that it came from is remembered, and the unit of memory that holds it is marked: it has no
 * store entries, so every store to it comes to the slow path.
 */
import { Dir, type Shared } from './shared';

const NONE = -1;
const VALID = 1;
/** Output address: bits 47:12. */
const ADDRESS_LO = 0xffff_f000;
const ADDRESS_HI = 0xffff;
/** What may not change: block or page, and AttrIndx (4:2) of stage 1 or MemAttr (5:2) of stage 2. */
const TYPE_AND_MEMORY = [0, 0x1e, 0x3e] as const;

/** A write that skipped the break. */
export interface Skipped {
  /** Linear-memory address of the descriptor. */
  readonly host: number;
  readonly text: string;
}

export class TranslationChecks {
  /** By core and TLB index: linear-memory address of the leaf (-1 none), its words, its stage. */
  private readonly hosts: readonly Int32Array[];
  private readonly lo: readonly Uint32Array[];
  private readonly hi: readonly Uint32Array[];
  private readonly stage: readonly Uint8Array[];

  constructor(private readonly shared: Shared) {
    const sizes = shared.config.cores.map(({ tlb }) => tlb.sets * tlb.ways);
    this.hosts = sizes.map((n) => new Int32Array(n).fill(NONE));
    this.lo = sizes.map((n) => new Uint32Array(n));
    this.hi = sizes.map((n) => new Uint32Array(n));
    this.stage = sizes.map((n) => new Uint8Array(n));
  }

  reset(): void {
    for (const list of this.hosts) list.fill(NONE);
  }
  /** Everything, for snapshots. */
  get lists(): readonly (Int32Array | Uint32Array | Uint8Array)[] {
    return [...this.hosts, ...this.lo, ...this.hi, ...this.stage];
  }

  /** A TLB entry was made from a leaf at a physical address. @returns its unit, -1 where there is no RAM. */
  filled(core: number, index: number, stage: 1 | 2, pa: number, hi: number, lo: number): number {
    const { shared } = this;
    const host = shared.hostOf(pa);
    this.hosts[core][index] = host;
    if (host < 0) return NONE;
    this.hi[core][index] = hi;
    this.lo[core][index] = lo;
    this.stage[core][index] = stage;
    const unit = shared.unitOf(host);
    shared.directory[unit] |= Dir.Walk;
    return unit;
  }

  vanished(core: number, index: number): void {
    this.hosts[core][index] = NONE;
  }

  /** After a store to a marked unit, at a linear-memory address. */
  wrote(host: number, size: number): Skipped | undefined {
    const { shared } = this;
    const unit = shared.unitOf(host);
    let held = false;
    let skipped: Skipped | undefined;
    for (const [core, hosts] of this.hosts.entries())
      for (let index = 0; index < hosts.length; index++) {
        const at = hosts[index];
        if (at === NONE || shared.unitOf(at) !== unit) continue;
        held = true;
        if (host < at + 8 && at < host + size) skipped ??= this.judge(core, index, at);
      }
    if (!held) shared.directory[unit] &= ~Dir.Walk;
    return skipped;
  }

  private judge(core: number, index: number, at: number): Skipped | undefined {
    const { u32 } = this.shared;
    const [newLo, newHi] = [u32[at >>> 2], u32[(at >>> 2) + 1]];
    const [oldLo, oldHi] = [this.lo[core][index], this.hi[core][index]];
    if ((newLo & VALID) === 0) return undefined;
    const moved = ((newLo ^ oldLo) & ADDRESS_LO) !== 0 || ((newHi ^ oldHi) & ADDRESS_HI) !== 0;
    const changed = ((newLo ^ oldLo) & TYPE_AND_MEMORY[this.stage[core][index]]) !== 0;
    if (!moved && !changed) return undefined;
    const text = `made ${pair(newHi, newLo)} of the descriptor ${pair(oldHi, oldLo)}, which a TLB of core ${core} holds`;
    return { host: at, text };
  }
}

const pair = (hi: number, lo: number): string =>
  `0x${(hi >>> 0).toString(16).padStart(8, '0')}${(lo >>> 0).toString(16).padStart(8, '0')}`;
