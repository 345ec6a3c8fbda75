/** The registers of the GICv3 distributor: shared interrupts. Those of 0..31 are in the redistributors; here they read as zero. */
import type { Device, DeviceRegisterRow } from '../device';
import { partOfWord, placedInWord, primeCellRows } from '../registerFile';
import type { GicV3 } from './gicv3';
import { InterruptArrays } from './interruptArrays';

const CTLR = 0x0000;
const TYPER = 0x0004;
const IIDR = 0x0008;
const IROUTER = 0x6000;
const PIDR = 0xffd0;
/** The identification registers of a 64 KB page lie at its end. */
const ID_PAGE = 0xf000;

/** GICD_TYPER: SecurityExtn, IDbits (16 bits of INTID), A3V, No1N. */
const SECURITY_EXTENSIONS = 1 << 10;
const TYPER_FIXED = (15 << 19) | (1 << 24) | (1 << 25);
const IMPLEMENTER_ARM = 0x43b;
/** GICD_IROUTER<n>: Aff3 in the upper word; Interrupt_Routing_Mode, Aff2, Aff1 and Aff0 in the lower one. */
const ROUTER_MASKS = [0x80ff_ffff, 0x0000_00ff] as const;

/** CoreSight identification as QEMU's board has it: part 0x492, GIC architecture 3. */
export const identification: readonly DeviceRegisterRow[] = [
  { offset: PIDR, name: 'PIDR4', width: 4, access: 'RO', reset: 0x44, doc: 'Peripheral ID4 Register' },
  ...primeCellRows(0x492, 0xbb, 3).map((row) => ({ ...row, offset: row.offset + ID_PAGE })),
];

export class GicV3Distributor implements Device {
  readonly name = 'gicd';
  readonly size = 0x1_0000;
  readonly registers: readonly DeviceRegisterRow[];
  private readonly arrays: InterruptArrays;
  private readonly constants: ReadonlyMap<number, number>;

  constructor(
    readonly base: number,
    private readonly gic: GicV3,
    /** The cores' interfaces, which are reset, saved and loaded with this. */
    private readonly interfaces: readonly Pick<Device, 'reset' | 'save' | 'load'>[],
  ) {
    const shared = gic.interrupts - 32;
    this.arrays = new InterruptArrays(gic, 32, shared);
    const constants: readonly DeviceRegisterRow[] = [
      {
        offset: TYPER,
        name: 'GICD_TYPER',
        width: 4,
        access: 'RO',
        reset: (gic.interrupts / 32 - 1) | TYPER_FIXED,
        doc: 'Interrupt Controller Type Register',
      },
      {
        offset: IIDR,
        name: 'GICD_IIDR',
        width: 4,
        access: 'RO',
        reset: IMPLEMENTER_ARM,
        doc: 'Distributor Implementer Identification Register',
      },
      ...identification,
    ];
    this.constants = new Map(constants.map((row) => [row.offset, row.reset]));
    const { ctlr } = gic;
    this.registers = [
      {
        offset: CTLR,
        name: 'GICD_CTLR',
        width: 4,
        access: 'RW',
        reset: ctlr,
        mask: 3,
        doc: 'Distributor Control Register',
      },
      ...constants,
      ...this.arrays.rows('GICD', 0),
      {
        offset: IROUTER + 8 * 32,
        name: 'GICD_IROUTERn',
        width: 8,
        access: 'RW',
        reset: 0,
        count: shared,
        doc: 'Interrupt Routing Registers',
      },
    ];
  }

  reset(): void {
    this.gic.reset();
    for (const part of this.interfaces) part.reset();
  }

  private word(offset: number, by: number): number {
    const { gic } = this;
    if (offset === CTLR) return gic.hides(by) ? gic.nonSecureCtlr : gic.ctlr;
    const value = this.constants.get(offset) ?? 0;
    return offset === TYPER && !gic.singleState ? value | SECURITY_EXTENSIONS : value;
  }

  /** Word of the router array at an offset, -1 outside of it or where the access may not reach. */
  private routerAt(offset: number, by: number): number {
    const word = (offset - IROUTER) >> 2;
    const id = word >> 1;
    const { gic } = this;
    if (offset < IROUTER || id < 32 || id >= gic.interrupts) return -1;
    const reaches = !gic.hides(by) || gic.bit('group', 0, id) || gic.nonSecureAccess[gic.slotOf(0, id)] === 3;
    return reaches ? word : -1;
  }

  /** Reading a distributor register has no effect. */
  read(offset: number, size: number, core: number): number {
    const array = this.arrays.read(0, offset, size, core);
    if (array !== undefined) return array;
    const router = this.routerAt(offset, core);
    const word = router >= 0 ? this.gic.router[router] : this.word(offset & ~3, core);
    return partOfWord(word, offset, size);
  }
  peek(offset: number, size: number, core: number): number | undefined {
    return this.read(offset, size, core);
  }

  write(offset: number, size: number, value: number, core: number): void {
    const { gic } = this;
    if (this.arrays.write(0, offset, size, value, core)) return;
    const router = this.routerAt(offset, core);
    if (router >= 0) {
      gic.router[router] = value & ROUTER_MASKS[router & 1];
      gic.route(router >> 1);
    } else if ((offset & ~3) === CTLR) {
      const word = placedInWord(value, offset, size);
      if (gic.hides(core)) gic.nonSecureCtlr = word;
      else gic.ctlr = word;
    }
  }

  save(): unknown {
    return { gic: this.gic.save(), interfaces: this.interfaces.map((part) => part.save()) };
  }
  load(state: unknown): void {
    const { gic, interfaces } = state as { gic: unknown; interfaces: unknown[] };
    this.gic.load(gic);
    this.interfaces.forEach((part, i) => {
      part.load(interfaces[i]);
    });
  }
}
