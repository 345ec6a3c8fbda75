/** The GICv3 redistributors: for each core a frame of control registers and one of its own interrupts, 0..31. */
import type { Device, DeviceRegisterRow } from '../device';
import { partOfWord, placedInWord, wordRow } from '../registerFile';
import { identification } from './distributor';
import type { GicV3 } from './gicv3';
import { InterruptArrays } from './interruptArrays';

export const REDISTRIBUTOR_BYTES = 0x2_0000;
const SGI_FRAME = 0x1_0000;

const IIDR = 0x04;
const TYPER = 0x08;
const TYPER_HIGH = 0x0c;
const WAKER = 0x14;
/** GICR_WAKER: ProcessorSleep, and ChildrenAsleep that follows it at once. */
const PROCESSOR_SLEEP = 2;
const CHILDREN_ASLEEP = 4;
/** GICR_TYPER.Last and Processor_Number. */
const LAST = 0x10;
const PROCESSOR_SHIFT = 8;
const IMPLEMENTER_ARM = 0x43b;

export class GicV3Redistributors implements Device {
  readonly name = 'gicr';
  readonly size: number;
  /** Those of the first core. */
  readonly registers: readonly DeviceRegisterRow[];
  private readonly arrays: InterruptArrays;
  private readonly constants: ReadonlyMap<number, number>;

  constructor(
    readonly base: number,
    private readonly gic: GicV3,
  ) {
    this.size = gic.cores * REDISTRIBUTOR_BYTES;
    this.arrays = new InterruptArrays(gic, 0, 32);
    this.constants = new Map([
      [IIDR, IMPLEMENTER_ARM],
      ...identification.map((r): [number, number] => [r.offset, r.reset]),
    ]);
    this.registers = [
      wordRow(0, 'GICR_CTLR', 'RO', 'Redistributor Control Register: no LPIs'),
      wordRow(IIDR, 'GICR_IIDR', 'RO', 'Redistributor Implementer Identification Register', { reset: IMPLEMENTER_ARM }),
      wordRow(TYPER, 'GICR_TYPER', 'RO', 'Redistributor Type Register', { width: 8, reset: this.type(0) }),
      wordRow(WAKER, 'GICR_WAKER', 'RW', 'Redistributor Wake Register', {
        reset: PROCESSOR_SLEEP | CHILDREN_ASLEEP,
        mask: PROCESSOR_SLEEP,
      }),
      ...identification,
      ...this.arrays.rows('GICR', SGI_FRAME),
    ];
  }

  /** State is reset, saved and loaded by the distributor. */
  reset(): void {}
  save(): null {
    return null;
  }
  load(): void {}

  private type(core: number): number {
    return (core << PROCESSOR_SHIFT) | (core === this.gic.cores - 1 ? LAST : 0);
  }

  private word(core: number, offset: number, by: number): number {
    switch (offset) {
      case TYPER:
        return this.type(core);
      case TYPER_HIGH:
        return this.gic.sight.affinity(core);
      case WAKER:
        return this.gic.hides(by) || this.gic.asleep[core] === 0 ? 0 : PROCESSOR_SLEEP | CHILDREN_ASLEEP;
      default:
        return this.constants.get(offset) ?? 0;
    }
  }

  /** Reading a redistributor register has no effect. */
  read(offset: number, size: number, by: number): number {
    const core = Math.floor(offset / REDISTRIBUTOR_BYTES);
    const at = offset % REDISTRIBUTOR_BYTES;
    if (at < SGI_FRAME) return partOfWord(this.word(core, at & ~3, by), at, size);
    return this.arrays.read(core, at - SGI_FRAME, size, by) ?? 0;
  }
  peek(offset: number, size: number, by: number): number | undefined {
    return this.read(offset, size, by);
  }

  write(offset: number, size: number, value: number, by: number): void {
    const core = Math.floor(offset / REDISTRIBUTOR_BYTES);
    const at = offset % REDISTRIBUTOR_BYTES;
    if (at >= SGI_FRAME) this.arrays.write(core, at - SGI_FRAME, size, value, by);
    else if ((at & ~3) === WAKER && !this.gic.hides(by)) {
      this.gic.asleep[core] = (placedInWord(value, at, size) & PROCESSOR_SLEEP) === 0 ? 0 : 1;
    }
  }
}
