/**
 * What a device is to the board: a table of registers, and a model with `read`/`write` (effects) and `peek` (none). Line
 * levels are computed from state, never from edges. Devices know no CPU; they reach the rest through the ports given here.
 */

/** One register of a device: the single source for offsets, names, masks, views and docs. */
export interface DeviceRegisterRow {
  readonly offset: number;
  readonly name: string;
  readonly width: 1 | 2 | 4 | 8; // bytes
  readonly access: 'RW' | 'RO' | 'WO';
  readonly reset: number;
  readonly mask?: number; // writable bits
  readonly count?: number; // arrays: `count` registers `width` bytes apart
  readonly doc: string;
}

/** A 64-bit value goes as [lo, hi]. */
export interface Device {
  readonly name: string;
  readonly base: number;
  readonly size: number;
  readonly registers: readonly DeviceRegisterRow[];
  reset(): void;
  /** `core` is the accessing core (banked registers of a GIC). Returns the value; 64-bit devices use read64. */
  read(offset: number, size: number, core: number): number;
  write(offset: number, size: number, value: number, core: number): void;
  /** What `read` would return, without effects; undefined if it can't be said. */
  peek(offset: number, size: number, core: number): number | undefined;
  /** State for snapshots: plain JSON data. */
  save(): unknown;
  load(state: unknown): void;
}

/** An interrupt input of the interrupt controller (a level). */
export interface InterruptLine {
  set(level: boolean): void;
}

/** The guest's memory as a bus master that is no core reaches it: coherent with the caches or not, as the board is built. */
export interface DmaPort {
  /** Fills `out`. False where there is no RAM: what `out` holds then is not said. */
  read(address: number, out: Uint8Array): boolean;
  /** False where there is no RAM; bytes before that place are written. */
  write(address: number, bytes: Uint8Array): boolean;
}

/** Guest time as devices see it. */
export interface Clock {
  /** Nanoseconds of guest time, a double. */
  now(): number;
  /** Asks for a call of `fire` at guest time `at`; a later call replaces an earlier one. Returns nothing; Infinity cancels. */
  schedule(id: string, at: number, fire: () => void): void;
}

/** What the interrupt controller drives. */
export interface CoreLines {
  setIrq(core: number, level: boolean): void;
  setFiq(core: number, level: boolean): void;
  /** Virtual IRQ and FIQ, for the guest of a hypervisor. */
  setVirtual(core: number, irq: boolean, fiq: boolean): void;
}
