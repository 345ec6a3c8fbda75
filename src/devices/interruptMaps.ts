/**
 * Interrupts of a GIC distributor, of either version, as bit maps of 32 interrupts a word: words 0 to cores-1 hold each core's
 * banked interrupts 0..31 (GICv3: its redistributor's), the following ones the shared interrupts 32.. in order. Which maps
 * there are, besides those that say what is pending, is the version's affair.
 */
import type { InterruptLine } from './device';

/** Software-generated interrupts of a core: 0 to 15. */
export const SGIS = 16;
/** Lower than every priority that there is. */
export const IDLE_PRIORITY = 0x100;

/** What makes an interrupt pending: latched, or its input level where it is not edge-triggered. */
type PendingMap = 'latched' | 'level' | 'edge';

export abstract class InterruptMaps<Name extends string> {
  readonly maps: Readonly<Record<Name | PendingMap, Uint32Array>>;
  /** By slot (see slotOf), all eight bits. */
  readonly priority: Uint8Array;

  constructor(
    readonly cores: number,
    readonly interrupts: number,
    protected readonly mapNames: readonly (Name | PendingMap)[],
  ) {
    const words = cores + interrupts / 32 - 1;
    this.maps = Object.fromEntries(mapNames.map((name) => [name, new Uint32Array(words)])) as typeof this.maps;
    this.priority = new Uint8Array(words * 32);
  }

  /** Recomputes every core's interrupt lines. */
  abstract update(): void;

  /** Word of the bit maps that holds interrupts id & ~31 as `core` has them. */
  wordOf(core: number, id: number): number {
    return id < 32 ? core : this.cores + (id >> 5) - 1;
  }

  /** Index into `priority`. */
  slotOf(core: number, id: number): number {
    return this.wordOf(core, id) * 32 + (id & 31);
  }

  bit(name: Name | PendingMap, core: number, id: number): boolean {
    return ((this.maps[name][this.wordOf(core, id)] >>> (id & 31)) & 1) === 1;
  }

  /** The caller updates. */
  setBit(name: Name | PendingMap, core: number, id: number, on: boolean): void {
    const mask = (1 << (id & 31)) >>> 0;
    const word = this.wordOf(core, id);
    this.maps[name][word] = on ? this.maps[name][word] | mask : this.maps[name][word] & ~mask;
  }

  /** Pending bits of a word. */
  pendingWord(word: number): number {
    const { latched, level, edge } = this.maps;
    return (latched[word] | (level[word] & ~edge[word])) >>> 0;
  }

  /** The input of an interrupt changed. A rising edge is remembered where the interrupt is edge-triggered. */
  setLevel(core: number, id: number, on: boolean): void {
    if (this.bit('level', core, id) === on) return;
    this.setBit('level', core, id, on);
    if (on && this.bit('edge', core, id)) this.setBit('latched', core, id, true);
    this.update();
  }

  /** Input of shared peripheral interrupt n (interrupt 32 + n). */
  sharedLine(n: number): InterruptLine {
    return { set: (on) => this.setLevel(0, 32 + n, on) };
  }

  /** Input of private peripheral interrupt n (interrupt 16 + n) of a core. */
  privateLine(core: number, n: number): InterruptLine {
    return { set: (on) => this.setLevel(core, SGIS + n, on) };
  }

  protected saveMaps(): Record<Name | PendingMap, number[]> {
    const entries = this.mapNames.map((name) => [name, [...this.maps[name]]]);
    return Object.fromEntries(entries) as Record<Name | PendingMap, number[]>;
  }

  protected loadMaps(saved: Readonly<Record<Name | PendingMap, readonly number[]>>): void {
    for (const name of this.mapNames) this.maps[name].set(saved[name]);
  }
}
