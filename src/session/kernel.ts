/**
 * A Linux kernel among the programs. It runs from virtual addresses that it chooses itself (KASLR), and, loaded by firmware, at
 * a physical address that only it knows. Both are found by looking at the machine: VBAR_EL1 (at EL2, VHE's VBAR_EL2) points to one
 * of the kernel's vector tables, and the image that a guess puts around it must begin with an image's header.
 */
import type { CoreView, Machine } from '../machine/api';
import type { ElfSymbol } from '../program';
import { vmidOf } from './translationIds';

interface KernelPlace {
  /** Run-time virtual address minus link address, modulo 2^64. */
  readonly slide: bigint;
  /** Of the image's first byte. */
  readonly physical: bigint;
}

/** Symbols that only a kernel has together. */
const SIGNS = ['_text', '_end', 'start_kernel', 'vectors'];
/** Tables that a kernel's VBAR may point to: the plain one, those with branch history workarounds, and KPTI's. */
const VECTOR_TABLES = ['vectors', '__bp_harden_el1_vectors', 'tramp_vectors'];
/** Each workaround has a copy of 2 KiB in its table. */
const MAX_COPIES = 4;
const COPY_BYTES = 0x800n;
/** "ARM\x64" at byte 56 of the header (Documentation/arch/arm64/booting.rst). */
const HEADER_MAGIC = [0x41, 0x52, 0x4d, 0x64];
const MAGIC_OFFSET = 56n;
const GRANULE = 0xfffn;

const mod64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** The kernel that a program's symbols are of; undefined for any other program. */
export function kernelOf(symbols: readonly ElfSymbol[]): Kernel | undefined {
  const found = new Map<string, bigint>();
  for (const { name, value } of symbols) if (SIGNS.includes(name) && !found.has(name)) found.set(name, value);
  const [base, end] = [found.get('_text'), found.get('_end')];
  return found.size < SIGNS.length || base === undefined || end === undefined
    ? undefined
    : new Kernel(base, end - base, symbols);
}

export class Kernel {
  /** Where the image was loaded, if that is known. */
  physical: bigint | undefined;
  private readonly tables: readonly bigint[];
  private place: KernelPlace | undefined;

  /** `base`: link address of the image's first byte; `size` in bytes. */
  constructor(
    readonly base: bigint,
    readonly size: bigint,
    symbols: readonly ElfSymbol[],
  ) {
    this.tables = symbols.filter(({ name }) => VECTOR_TABLES.includes(name)).map(({ value }) => value);
  }

  /** Run-time minus link address; undefined while it is not known. */
  get slide(): bigint | undefined {
    return this.place?.slide;
  }

  /** The range of run-time addresses, and the physical address that its start has. */
  segment(): { readonly low: bigint; readonly high: bigint; readonly physical: bigint } {
    const low = mod64(this.base + (this.slide ?? 0n));
    return { low, high: low + this.size, physical: this.place?.physical ?? this.physical ?? low };
  }

  /** Looks where the kernel runs. True when that is news. */
  look(machine: Machine): boolean {
    for (const core of machine.cores) {
      // A guest under stage 2 is another kernel, even one of the same image.
      const found = core.state === 'off' || vmidOf(core) !== undefined ? undefined : this.on(machine, core);
      if (!found) continue;
      const { place } = this;
      this.place = found;
      return place?.slide !== found.slide || place.physical !== found.physical;
    }
    return false;
  }

  private on(machine: Machine, core: CoreView): KernelPlace | undefined {
    for (const el of [1, 2] as const) {
      const vbar = core.peekSystem(`VBAR_EL${el}`);
      if (vbar === undefined || vbar === 0n) continue;
      for (const table of this.tables) {
        for (let copy = 0; copy < MAX_COPIES; copy++) {
          const slide = mod64(vbar - table - BigInt(copy) * COPY_BYTES);
          const physical = (slide & GRANULE) === 0n ? this.imageAt(machine, core, el, slide, table) : undefined;
          if (physical !== undefined) return { slide, physical };
        }
      }
    }
    return undefined;
  }

  /**
   * Physical address of the image that this slide would put at its place, if there is one and the MMU is on. A kernel that has booted no
   * longer maps its header: where it is known what was loaded to which address, the vector table has to be there.
   */
  private imageAt(machine: Machine, core: CoreView, el: 1 | 2, slide: bigint, table: bigint): bigint | undefined {
    const start = mod64(this.base + slide);
    const space = `el${el}` as const;
    if (this.physical !== undefined) {
      const { pa } = machine.translate(core.index, space, mod64(table + slide));
      if (pa !== mod64(table + slide) && pa === this.physical + table - this.base) return this.physical;
    }
    const magic = machine.peek(core.index, space, mod64(start + MAGIC_OFFSET), HEADER_MAGIC.length);
    if (magic.length !== HEADER_MAGIC.length || !HEADER_MAGIC.every((byte, i) => magic[i] === byte)) return undefined;
    const { pa } = machine.translate(core.index, space, start);
    return pa === start ? undefined : pa;
  }
}
