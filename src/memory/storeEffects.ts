/**
 * What every write to RAM brings with it besides its bytes: I-caches that hear of stores (DIC) drop their copies, the checker
 * compares and records, other cores' exclusive monitors are cleared. And the rule when a store (load) entry may exist.
 */

import type { Checker } from './checker';
import type { Exclusives } from './exclusives';
import type { InstructionCaches } from './instructionCaches';
import { Remover } from './removers';
import { Dir, type Shared, soleBit } from './shared';

export class StoreEffects {
  /** Bits of I-presence that a unit with a store entry must not have: cores with DIC; all cores under the checker. */
  readonly instructionGuard: number;
  private readonly dic: number;
  /** Directory bits of a unit that no store entry may be given to. */
  readonly noStoreEntry: number;

  constructor(
    private readonly shared: Shared,
    private readonly instructions: InstructionCaches,
    private readonly exclusives: Exclusives,
    private readonly checker: Checker | undefined,
  ) {
    this.dic = shared.config.cores.reduce((mask, c, core) => (c.dic ? mask | (1 << core) : mask), 0);
    this.instructionGuard = checker === undefined ? this.dic << Dir.L1IShift : Dir.L1I;
    this.noStoreEntry = this.instructionGuard | Dir.Watch | Dir.Walk;
  }

  /** May this core have a store entry for the unit now? */
  storeEntryAllowed(core: number, unit: number): boolean {
    const d = this.shared.directory[unit];
    if ((d & Dir.L1D) !== 1 << core || (d & Dir.L1Dirty) === 0 || (d & this.noStoreEntry) !== 0) return false;
    return this.checker === undefined || this.checker.storeEntryAllowed(unit);
  }

  loadEntryAllowed(unit: number): boolean {
    return (this.shared.directory[unit] & Dir.Watch) === 0;
  }

  /**
   * After `size` bytes at a linear-memory address, within a unit, were written by `core`. `coherent`: the write went to the
   * point of coherency by itself (non-cacheable, Device, write-through).
   */
  stored(core: number, unit: number, host: number, size: number, coherent: boolean): void {
    const d = this.shared.directory[unit];
    if (d & this.instructionGuard) this.instructionSide(unit);
    // Lines in an I-cache have no store entries under the checker: every store to them comes here. DIC drops the copies now.
    this.written(core, unit, host, size, coherent, (d & Dir.L1I) !== 0);
  }

  /** The same for an agent that I-caches do not hear of: non-coherent DMA. */
  written(core: number, unit: number, host: number, size: number, coherent: boolean, everyStoreSeen: boolean): void {
    const { shared } = this;
    if (this.checker !== undefined) {
      this.checker.wrote(core, unit, host & shared.unitMask, size, coherent, everyStoreSeen);
    }
    if ((this.exclusives.armed & ~(1 << core)) !== 0) this.exclusives.observe(core, shared.paOf(host));
  }

  private instructionSide(unit: number): void {
    const d = this.instructions.refresh(unit);
    for (let cores = (d >>> Dir.L1IShift) & this.dic; cores !== 0; cores &= cores - 1)
      this.instructions.snoop(soleBit(cores & -cores), unit, Remover.iResident);
  }
}
