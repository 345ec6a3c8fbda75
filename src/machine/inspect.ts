/**
 * The machine seen by a debugger: memory by address space, translations, cache lines. Reads change nothing; writes change every
 * copy of the bytes, or one copy for the spaces that name one.
 */
import { joinBig } from '../base/bits';
import { type PeekedTranslation, peekStage2, peekTranslate } from '../memory/mmu';
import { Access } from '../memory/translator';
import type { Bus, TranslationContext } from '../memory/types';
import type { CacheLineView, LineState, Space, TranslationView, WantedLine, Watchpoint } from './api';
import type { ElscopeMachine } from './machine';

const PAGE = 4096n;
const MAX_PHYSICAL = 1n << 48n;
const MAX_READ = 1 << 20;

const spaceEl: Partial<Record<Space, number>> = { el0: 0, el1: 1, el2: 2, el3: 3 };

export class Inspector {
  constructor(
    private readonly machine: ElscopeMachine,
    private readonly bus: Bus,
  ) {}

  /** The translation context of a space on a core. */
  private context(core: number, space: Space): TranslationContext {
    const el = spaceEl[space];
    const { cpu } = this.machine.units[core];
    if (el === undefined || el === cpu.context.el) return cpu.context;
    // While the hypervisor model is at work, the guest's addresses mean what they will when it goes on.
    const guest = el < 2 && cpu.context.el === 2 && this.machine.hypervisor !== undefined;
    return cpu.contextOf(el as 0 | 1 | 2 | 3, guest);
  }

  /** What the tables say now; a TLB may still hold something else. */
  private translated(core: number, space: Space, address: bigint): PeekedTranslation {
    if (space === 'ipa')
      return peekStage2(this.context(core, 'el1'), address, Access.Read, (pa) => this.descriptor(pa));
    return peekTranslate(this.context(core, space), address, Access.Read, (pa) => this.descriptor(pa));
  }

  private descriptor(pa: number): bigint | undefined {
    const { memory } = this.machine;
    if (memory.ramAddress(pa) < 0) return undefined;
    const bytes = memory.peekView(pa, 8);
    return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  }

  /** Physical address of an address in a space; undefined where there is none. */
  physical(core: number, space: Space, address: bigint): number | undefined {
    const wide = BigInt.asUintN(64, address);
    if (space === 'pa' || space === 'pou' || space === 'poc') return wide < MAX_PHYSICAL ? Number(wide) : undefined;
    if (space === 'ipa' && wide >= MAX_PHYSICAL) return undefined;
    const pa = this.held(core, space, wide) ?? this.translated(core, space, wide).pa;
    return pa === undefined ? undefined : Number(pa);
  }

  /** Physical address by the TLB entry that the core would use, stale or not; undefined: it would walk. */
  private held(core: number, space: Space, address: bigint): bigint | undefined {
    const { mmu } = this.machine;
    const entry =
      space === 'ipa'
        ? mmu.peekStage2(core, this.context(core, 'el1'), Number(address >> 32n), Number(address & 0xffffffffn))
        : mmu.peekEntry(core, this.context(core, space), address);
    return entry && entry.pa + (address & ((1n << BigInt(entry.pageLog2)) - 1n));
  }

  /** Where the core's next instruction is. */
  fetchPa(core: number): bigint | undefined {
    const pa = this.physical(core, 'va', this.machine.units[core].pc());
    return pa === undefined ? undefined : BigInt(pa);
  }

  /** The units that watchpoints look at now; virtual ones as the first core maps them. */
  watchedUnits(list: readonly Watchpoint[]): Set<number> {
    const { unitBytes } = this.machine.memory.shared;
    const units = new Set<number>();
    for (const w of list) {
      const step = BigInt(unitBytes);
      for (let a = w.address - (w.address % step); a < w.address + BigInt(w.size); a += step) {
        const pa = this.physical(w.core ?? 0, w.space, a);
        if (pa !== undefined) units.add(pa);
      }
    }
    return units;
  }

  watchedValue(core: number, { space, address, size }: Watchpoint): bigint | undefined {
    const bytes = size > 8 ? undefined : this.peek(core, space, address, size);
    return bytes?.length === size ? bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n) : undefined;
  }

  peek(core: number, space: Space, address: bigint, length: number): Uint8Array {
    const out = new Uint8Array(Math.min(length, MAX_READ));
    let done = 0;
    while (done < out.length) {
      const at = BigInt.asUintN(64, address + BigInt(done));
      const chunk = Math.min(out.length - done, Number(PAGE - (at % PAGE)));
      const bytes = this.peekPage(core, space, at, chunk);
      out.set(bytes, done);
      done += bytes.length;
      if (bytes.length < chunk) break;
    }
    return done === out.length ? out : out.slice(0, done);
  }

  private peekPage(core: number, space: Space, at: bigint, length: number): Uint8Array {
    const { memory } = this.machine;
    if (space === 'icache') return this.fetched(core, at, length);
    const pa = this.physical(core, space, at);
    if (pa === undefined) return new Uint8Array(0);
    if (memory.ramAddress(pa) < 0) return this.peekDevice(pa, length);
    if (space === 'pou') return memory.peekPoU(core, pa, length);
    if (space === 'poc') return memory.peekPoC(pa, length);
    return memory.peekView(pa, length);
  }

  private peekDevice(pa: number, length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let i = 0; i < length; ) {
      const size = (pa + i) % 4 === 0 && length - i >= 4 ? 4 : 1;
      const value = this.bus.peek(pa + i, size);
      if (value === undefined) return out.slice(0, i);
      for (let b = 0; b < size; b++) out[i + b] = (value >>> (8 * b)) & 0xff;
      i += size;
    }
    return out;
  }

  /** Bytes as the core would fetch them now. */
  fetched(core: number, at: bigint, length: number): Uint8Array {
    const pa = this.physical(core, 'va', at);
    if (pa === undefined) return new Uint8Array(0);
    const { context } = this.machine.units[core].cpu;
    const inPage = Math.min(length, Number(PAGE - (at % PAGE)));
    return this.machine.memory.peekFetch(
      core,
      pa,
      Number(at & 0xffffffffn),
      inPage,
      !context.mmu && !context.fetchCacheable,
    );
  }

  poke(core: number, space: Space, address: bigint, bytes: Uint8Array): number {
    const { memory } = this.machine;
    let done = 0;
    while (done < bytes.length) {
      const at = BigInt.asUintN(64, address + BigInt(done));
      const chunk = bytes.subarray(done, done + Math.min(bytes.length - done, Number(PAGE - (at % PAGE))));
      const pa = this.physical(core, space === 'icache' ? 'va' : space, at);
      if (pa === undefined) break;
      const written =
        space === 'pou'
          ? memory.pokePoU(pa, chunk)
          : space === 'poc'
            ? memory.pokePoC(pa, chunk)
            : space === 'icache'
              ? memory.pokeICache(core, pa, chunk)
              : memory.pokeView(pa, chunk);
      done += written;
      if (written < chunk.length) break;
    }
    return done;
  }

  translate(core: number, space: Space, address: bigint): TranslationView {
    const wide = BigInt.asUintN(64, address);
    if (space === 'pa' || space === 'pou' || space === 'poc') {
      return {
        ok: true,
        pa: wide,
        ipa: undefined,
        fault: undefined,
        attributes: 'physical address',
        steps: [],
        fromTlb: false,
      };
    }
    const tables = this.translated(core, space, wide);
    const held = this.held(core, space, wide);
    if (held === undefined || held === tables.pa) return { ...tables, fromTlb: held !== undefined };
    const stale = `by a TLB entry that differs from the tables (${tables.fault ?? tables.attributes})`;
    return { ...tables, ok: true, pa: held, fault: undefined, attributes: stale, fromTlb: true };
  }

  cacheLines(core: number, level: number, kind: 'I' | 'D' | 'U', wanted?: WantedLine): CacheLineView[] {
    return this.machine.memory.cacheLines(core, level, kind, wanted).map((row) => {
      const { set, way, valid, pa, vmidTag } = row;
      return {
        level,
        kind,
        set,
        way,
        valid,
        // As in memory/views: what takes time is looked at when it is asked for.
        get dirty() {
          return row.dirty;
        },
        pa: BigInt(pa),
        get va() {
          const { vaHi, vaLo } = row;
          return vaHi === undefined || vaLo === undefined ? undefined : joinBig(vaHi, vaLo);
        },
        get bytes() {
          return row.bytes;
        },
        get differs() {
          return row.differs;
        },
        ...(vmidTag === undefined || vmidTag === 0 ? {} : { vmid: vmidTag - 1 }),
      };
    });
  }

  caches(core: number): ReturnType<ElscopeMachine['caches']> {
    const { config } = this.machine;
    const { l1i, l1d, cluster } = config.cores[core];
    const l2 = config.clusters[cluster];
    const describe = (level: number, kind: 'I' | 'D' | 'U', g: typeof l1d, policy: string) => ({
      level,
      kind,
      sets: g.sets,
      ways: g.ways,
      lineBytes: g.lineBytes,
      policy,
      replacement: g.replacement,
    });
    return [
      describe(1, 'I', l1i, l1i.policy),
      describe(1, 'D', l1d, 'PIPT'),
      ...(l2 ? [describe(2, 'U', l2, 'PIPT')] : []),
    ];
  }

  lineState(core: number, space: Space, address: bigint): LineState | undefined {
    const pa = this.physical(core, space === 'icache' ? 'va' : space, address);
    const row = pa === undefined ? undefined : this.machine.memory.lineState(pa);
    return row && { pa: BigInt(row.pa), lineBytes: row.lineBytes, copies: row.copies };
  }
}
