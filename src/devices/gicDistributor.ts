/**
 * The registers of the GICv2 distributor. Registers of one bit, two bits or a byte for each interrupt are rows of one table
 * that says how a part of them is read and written; accesses of any size work on the interrupts that they cover.
 */
import type { Device, DeviceRegisterRow } from './device';
import { type BitMap, CTLR_GROUP0, CTLR_GROUP1, fromNonSecure, type GicV2, shiftedPriority } from './gicv2';
import { partOfWord, placedInWord, primeCellRows, wordRow } from './registerFile';

const CTLR = 0x000;
const TYPER = 0x004;
const IIDR = 0x008;
const IGROUPR = 0x080;
const SGIR = 0xf00;
const PIDR4 = 0xfd0;

/** GICD_TYPER.SecurityExtn. */
const SECURITY_EXTENSIONS = 1 << 10;
const ARM_GIC400_DISTRIBUTOR = 0x0200143b;

const row = (offset: number, name: string, doc: string, rest: Partial<DeviceRegisterRow> = {}): DeviceRegisterRow =>
  wordRow(offset, name, 'RW', doc, rest);

/** The rows for `interrupts` interrupts; resets are those of the first core. */
export function distributorRegisters(interrupts: number): readonly DeviceRegisterRow[] {
  const words = interrupts / 32;
  const bit = (offset: number, name: string, doc: string, reset = 0): DeviceRegisterRow =>
    row(offset, name, doc, { count: words, reset });
  return [
    row(CTLR, 'GICD_CTLR', 'Distributor Control Register', { mask: CTLR_GROUP0 | CTLR_GROUP1 }),
    row(TYPER, 'GICD_TYPER', 'Interrupt Controller Type Register', { access: 'RO' }),
    row(IIDR, 'GICD_IIDR', 'Distributor Implementer Identification Register', {
      access: 'RO',
      reset: ARM_GIC400_DISTRIBUTOR,
    }),
    bit(IGROUPR, 'GICD_IGROUPRn', 'Interrupt Group Registers'),
    bit(0x100, 'GICD_ISENABLERn', 'Interrupt Set-Enable Registers'),
    bit(0x180, 'GICD_ICENABLERn', 'Interrupt Clear-Enable Registers'),
    bit(0x200, 'GICD_ISPENDRn', 'Interrupt Set-Pending Registers'),
    bit(0x280, 'GICD_ICPENDRn', 'Interrupt Clear-Pending Registers'),
    bit(0x300, 'GICD_ISACTIVERn', 'Interrupt Set-Active Registers'),
    bit(0x380, 'GICD_ICACTIVERn', 'Interrupt Clear-Active Registers'),
    row(0x400, 'GICD_IPRIORITYRn', 'Interrupt Priority Registers', { width: 1, count: interrupts }),
    row(0x800, 'GICD_ITARGETSRn', 'Interrupt Processor Targets Registers', { width: 1, count: interrupts }),
    row(0xc00, 'GICD_ICFGRn', 'Interrupt Configuration Registers', { count: interrupts / 16 }),
    row(SGIR, 'GICD_SGIR', 'Software Generated Interrupt Register', { access: 'WO' }),
    row(0xf10, 'GICD_CPENDSGIRn', 'SGI Clear-Pending Registers', { width: 1, count: 16 }),
    row(0xf20, 'GICD_SPENDSGIRn', 'SGI Set-Pending Registers', { width: 1, count: 16 }),
    row(PIDR4, 'GICD_PIDR4', 'Peripheral ID4 Register', { access: 'RO', reset: 4 }),
    ...primeCellRows(0x490, 0xbb, 2),
  ];
}

/** How one register array treats an interrupt: `bits` bits each. */
interface PerInterrupt {
  readonly offset: number;
  readonly bits: 1 | 2 | 8;
  read(core: number, id: number): number;
  write(core: number, id: number, value: number): void;
}

export class GicDistributor implements Device {
  readonly name = 'gicd';
  readonly size = 0x10000;
  readonly registers: readonly DeviceRegisterRow[];
  private readonly arrays: readonly PerInterrupt[];
  private readonly identification: ReadonlyMap<number, number>;

  constructor(
    readonly base: number,
    private readonly gic: GicV2,
  ) {
    this.registers = distributorRegisters(gic.interrupts);
    this.identification = new Map(
      this.registers.filter((r) => r.offset >= PIDR4 || r.offset === IIDR).map((r) => [r.offset, r.reset]),
    );
    this.arrays = this.makeArrays();
  }

  private makeArrays(): PerInterrupt[] {
    const { gic } = this;
    const flag = (name: BitMap) => (core: number, id: number) => (gic.bit(name, core, id) ? 1 : 0);
    /** Writing one sets (clears) the bit; writing zero does nothing. */
    const change =
      (name: BitMap, on: boolean, from = 0) =>
      (core: number, id: number, value: number): void => {
        if (value === 1 && id >= from) gic.setBit(name, core, id, on);
      };
    const pending = (core: number, id: number): number => (gic.pendingWord(gic.wordOf(core, id)) >>> (id & 31)) & 1;
    return [
      { offset: IGROUPR, bits: 1, read: flag('group'), write: (core, id, v) => gic.setBit('group', core, id, v === 1) },
      // Software interrupts are permanently enabled.
      { offset: 0x100, bits: 1, read: flag('enabled'), write: change('enabled', true) },
      { offset: 0x180, bits: 1, read: flag('enabled'), write: change('enabled', false, 16) },
      { offset: 0x200, bits: 1, read: pending, write: change('latched', true, 16) },
      { offset: 0x280, bits: 1, read: pending, write: change('latched', false, 16) },
      { offset: 0x300, bits: 1, read: flag('active'), write: change('active', true) },
      { offset: 0x380, bits: 1, read: flag('active'), write: change('active', false) },
      {
        offset: 0x400,
        bits: 8,
        read: (core, id) => {
          const priority = gic.priority[gic.slotOf(core, id)];
          return gic.hides(core) ? shiftedPriority(priority) : priority;
        },
        write: (core, id, v) => {
          gic.priority[gic.slotOf(core, id)] = gic.hides(core) ? fromNonSecure(v) : v;
        },
      },
      {
        offset: 0x800,
        bits: 8,
        // With one core the registers read as zero and every interrupt goes to it.
        read: (core, id) => (gic.cores === 1 ? 0 : id < 32 ? 1 << core : gic.targets[id]),
        write: (_core, id, v) => {
          if (id >= 32 && gic.cores > 1) gic.targets[id] = v & ((1 << gic.cores) - 1);
        },
      },
      {
        offset: 0xc00,
        bits: 2,
        read: (core, id) => (gic.bit('edge', core, id) ? 2 : 0),
        write: (core, id, v) => {
          if (id >= 16) gic.setBit('edge', core, id, (v & 2) !== 0);
        },
      },
      {
        offset: 0xf10,
        bits: 8,
        read: (core, id) => gic.sgiSources[core * 16 + id],
        write: (core, id, v) => gic.clearSgi(core, id, v),
      },
      {
        offset: 0xf20,
        bits: 8,
        read: (core, id) => gic.sgiSources[core * 16 + id],
        write: (core, id, v) => gic.setSgi(core, id, v & ((1 << gic.cores) - 1)),
      },
    ];
  }

  reset(): void {
    this.gic.reset();
  }

  /** The array that covers `offset` and the first interrupt at it. */
  private arrayAt(offset: number): { array: PerInterrupt; id: number } | undefined {
    for (const array of this.arrays) {
      const count = array.offset >= 0xf00 ? 16 : this.gic.interrupts;
      const id = ((offset - array.offset) * 8) / array.bits;
      if (offset >= array.offset && id < count) return { array, id };
    }
    return undefined;
  }

  private word(offset: number, core: number): number {
    const { gic } = this;
    switch (offset) {
      case CTLR:
        return gic.hides(core) ? (gic.ctlr & CTLR_GROUP1) >> 1 : gic.ctlr;
      case TYPER:
        return gic.interrupts / 32 - 1 + ((gic.cores - 1) << 5) + (gic.nonSecure ? SECURITY_EXTENSIONS : 0);
      default:
        return this.identification.get(offset) ?? 0;
    }
  }

  /** Non-secure accesses reach the fields of group 1 interrupts only, and the group registers not at all. */
  private reaches(core: number, array: PerInterrupt, id: number): boolean {
    return this.gic.sees(core, id) && !(array.offset === IGROUPR && this.gic.hides(core));
  }

  /** Reading a distributor register has no effect. */
  read(offset: number, size: number, core: number): number {
    const at = this.arrayAt(offset);
    if (at === undefined) return partOfWord(this.word(offset & ~3, core), offset, size);
    const { array, id } = at;
    let value = 0;
    for (let i = 0; i < (Math.min(size, 4) * 8) / array.bits; i++)
      if (this.reaches(core, array, id + i)) value |= array.read(core, id + i) << (i * array.bits);
    return value >>> 0;
  }

  peek(offset: number, size: number, core: number): number | undefined {
    return this.read(offset, size, core);
  }

  write(offset: number, size: number, value: number, core: number): void {
    const at = this.arrayAt(offset);
    if (at !== undefined) {
      const { array, id } = at;
      for (let i = 0; i < (size * 8) / array.bits; i++)
        if (this.reaches(core, array, id + i))
          array.write(core, id + i, (value >>> (i * array.bits)) & (2 ** array.bits - 1));
    } else if ((offset & ~3) === CTLR) {
      const bits = placedInWord(value, offset, size) & (CTLR_GROUP0 | CTLR_GROUP1);
      const { gic } = this;
      gic.ctlr = gic.hides(core) ? (gic.ctlr & CTLR_GROUP0) | ((bits & 1) << 1) : bits;
    } else if (offset === SGIR) {
      this.softwareInterrupt(value, core);
    }
    this.gic.update();
  }

  private softwareInterrupt(value: number, core: number): void {
    const all = (1 << this.gic.cores) - 1;
    const self = 1 << core;
    const targets = [(value >> 16) & 0xff & all, all & ~self, self, 0][(value >> 24) & 3];
    if (this.gic.sees(core, value & 0xf)) this.gic.sendSgi(core, value & 0xf, targets);
  }

  save(): unknown {
    return this.gic.save();
  }

  load(state: unknown): void {
    this.gic.load(state);
  }
}
