/** Ports moved by hand: interrupt lines that remember their level, a clock that goes when told. */
import type { Clock, CoreLines, DmaPort, InterruptLine } from '../../../src/devices/device';

export class FakeLine implements InterruptLine {
  level = false;
  set(level: boolean): void {
    this.level = level;
  }
}

export class FakeClock implements Clock {
  private time = 0;
  private readonly events = new Map<string, { at: number; fire: () => void }>();

  now(): number {
    return this.time;
  }

  schedule(id: string, at: number, fire: () => void): void {
    if (at === Number.POSITIVE_INFINITY) this.events.delete(id);
    else this.events.set(id, { at, fire });
  }

  /** Moves time forward and fires what comes due, in order. */
  advance(nanoseconds: number): void {
    this.time += nanoseconds;
    for (;;) {
      const due = [...this.events].filter(([, e]) => e.at <= this.time).sort((a, b) => a[1].at - b[1].at)[0];
      if (due === undefined) return;
      this.events.delete(due[0]);
      due[1].fire();
    }
  }
}

export class FakeCoreLines implements CoreLines {
  readonly irq = new Array<boolean>(8).fill(false);
  readonly fiq = new Array<boolean>(8).fill(false);
  readonly virtual: [irq: boolean, fiq: boolean][] = [];
  setIrq(core: number, level: boolean): void {
    this.irq[core] = level;
  }
  setFiq(core: number, level: boolean): void {
    this.fiq[core] = level;
  }
  setVirtual(core: number, irq: boolean, fiq: boolean): void {
    this.virtual[core] = [irq, fiq];
  }
}

/** RAM that devices reach: a stretch of bytes from `base`. */
export class FakeMemory implements DmaPort {
  readonly bytes: Uint8Array;
  constructor(
    readonly base: number,
    size: number,
  ) {
    this.bytes = new Uint8Array(size);
  }
  private holds(address: number, length: number): boolean {
    return address >= this.base && address + length <= this.base + this.bytes.length;
  }
  read(address: number, out: Uint8Array): boolean {
    if (!this.holds(address, out.length)) return false;
    out.set(this.bytes.subarray(address - this.base, address - this.base + out.length));
    return true;
  }
  write(address: number, bytes: Uint8Array): boolean {
    if (!this.holds(address, bytes.length)) return false;
    this.bytes.set(bytes, address - this.base);
    return true;
  }
}
