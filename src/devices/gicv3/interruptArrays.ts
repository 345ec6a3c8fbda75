/**
 * The register arrays that distributor and redistributors have alike: one bit, two bits or a byte for each interrupt, at the
 * same offsets. Accesses of any size work on the interrupts that they cover. In a machine of two Security states Non-secure
 * accesses reach group 1 interrupts, and others as far as GICD_NSACR<n> and GICR_NSACR let them.
 */
import type { DeviceRegisterRow } from '../device';
import { fromNonSecure, shiftedPriority } from '../gicv2';
import { SGIS } from '../interruptMaps';
import { type BitMap, type GicV3, Group } from './gicv3';

/** Non-secure accesses: the NSACR value from which on they reach an interrupt of another group. */
interface NonSecureAccess {
  readonly read: number;
  readonly write: number;
}
const NEVER: NonSecureAccess = { read: 4, write: 4 };

/** How an array treats an interrupt of a core. `by` is the core that accesses. */
interface InterruptArray {
  readonly offset: number;
  /** After 'GICD_' or 'GICR_'. */
  readonly name: string;
  readonly doc: string;
  readonly bits: 1 | 2 | 8;
  readonly nonSecure?: NonSecureAccess;
  /** Zero for Non-secure accesses and in a single Security state. */
  readonly secureOnly?: true;
  read(core: number, id: number, by: number): number;
  write(core: number, id: number, value: number, by: number): void;
}

function arraysOf(gic: GicV3): readonly InterruptArray[] {
  const flag = (name: BitMap) => (core: number, id: number) => (gic.bit(name, core, id) ? 1 : 0);
  const put = (name: BitMap) => (core: number, id: number, value: number) => gic.setBit(name, core, id, value === 1);
  /** Writing one sets (clears) the bit; writing zero does nothing. */
  const change = (name: BitMap, on: boolean) => (core: number, id: number, value: number) => {
    if (value === 1) gic.setBit(name, core, id, on);
  };
  const pending = (core: number, id: number): number => (gic.pendingWord(gic.wordOf(core, id)) >>> (id & 31)) & 1;
  const setPending = { read: 1, write: 1 };
  const clearPending = { read: 1, write: 2 };
  const active = { read: 2, write: 4 };
  const enabled = flag('enabled');
  const isActive = flag('active');
  const bit = (
    offset: number,
    name: string,
    doc: string,
  ): Pick<InterruptArray, 'offset' | 'name' | 'doc' | 'bits'> => ({
    offset,
    name,
    doc,
    bits: 1,
  });
  return [
    {
      ...bit(0x080, 'IGROUPR', 'Interrupt Group Registers'),
      read: (core, id, by) => (gic.hides(by) ? 0 : flag('group')(core, id)),
      write: (core, id, value, by) => {
        if (!gic.hides(by)) gic.setBit('group', core, id, value === 1);
      },
    },
    { ...bit(0x100, 'ISENABLER', 'Interrupt Set-Enable Registers'), read: enabled, write: change('enabled', true) },
    { ...bit(0x180, 'ICENABLER', 'Interrupt Clear-Enable Registers'), read: enabled, write: change('enabled', false) },
    {
      ...bit(0x200, 'ISPENDR', 'Interrupt Set-Pending Registers'),
      nonSecure: setPending,
      read: pending,
      write: change('latched', true),
    },
    {
      ...bit(0x280, 'ICPENDR', 'Interrupt Clear-Pending Registers'),
      nonSecure: clearPending,
      read: pending,
      write: change('latched', false),
    },
    {
      ...bit(0x300, 'ISACTIVER', 'Interrupt Set-Active Registers'),
      nonSecure: active,
      read: isActive,
      write: change('active', true),
    },
    {
      ...bit(0x380, 'ICACTIVER', 'Interrupt Clear-Active Registers'),
      nonSecure: active,
      read: isActive,
      write: change('active', false),
    },
    {
      offset: 0x400,
      name: 'IPRIORITYR',
      doc: 'Interrupt Priority Registers',
      bits: 8,
      read: (core, id, by) => {
        const priority = gic.priority[gic.slotOf(core, id)];
        return gic.hides(by) ? shiftedPriority(priority) : priority;
      },
      write: (core, id, value, by) => {
        gic.priority[gic.slotOf(core, id)] = gic.hides(by) ? fromNonSecure(value) : value;
      },
    },
    {
      offset: 0xc00,
      name: 'ICFGR',
      doc: 'Interrupt Configuration Registers',
      bits: 2,
      read: (core, id) => (gic.bit('edge', core, id) ? 2 : 0),
      write: (core, id, value) => {
        if (id >= SGIS) gic.setBit('edge', core, id, (value & 2) !== 0);
      },
    },
    {
      ...bit(0xd00, 'IGRPMODR', 'Interrupt Group Modifier Registers'),
      secureOnly: true,
      read: flag('modifier'),
      write: put('modifier'),
    },
    {
      offset: 0xe00,
      name: 'NSACR',
      doc: 'Non-secure Access Control Registers',
      bits: 2,
      secureOnly: true,
      read: (core, id) => gic.nonSecureAccess[gic.slotOf(core, id)],
      write: (core, id, value) => {
        if (id < SGIS || id >= 32) gic.nonSecureAccess[gic.slotOf(core, id)] = value;
      },
    },
  ];
}

/** The arrays over interrupts [first, first + count) as one frame has them. */
export class InterruptArrays {
  private readonly arrays: readonly InterruptArray[];

  constructor(
    private readonly gic: GicV3,
    private readonly first: number,
    private readonly count: number,
  ) {
    this.arrays = arraysOf(gic);
  }

  /** Rows of a frame's table; `base` is the frame's offset. */
  rows(prefix: string, base: number): DeviceRegisterRow[] {
    return this.arrays.map(({ offset, name, doc, bits, secureOnly }) => {
      const width: 1 | 4 = bits === 8 ? 1 : 4;
      const each = (8 * width) / bits;
      const at = base + offset + (this.first * bits) / 8;
      const mask = secureOnly && this.gic.singleState ? { mask: 0 } : {};
      return {
        offset: at,
        name: `${prefix}_${name}n`,
        width,
        access: 'RW',
        reset: 0,
        doc,
        count: this.count / each,
        ...mask,
      };
    });
  }

  /** The array that covers `offset` and the interrupt at it. */
  private find(offset: number): { array: InterruptArray; id: number } | undefined {
    for (const array of this.arrays) {
      const id = ((offset - array.offset) * 8) / array.bits;
      if (id >= this.first && id < this.first + this.count) return { array, id };
    }
    return undefined;
  }

  private reaches(array: InterruptArray, how: keyof NonSecureAccess, core: number, id: number, by: number): boolean {
    const { gic } = this;
    if (array.secureOnly && (gic.singleState || gic.hides(by))) return false;
    if (!gic.hides(by) || gic.groupOf(core, id) === Group.one) return true;
    return gic.nonSecureAccess[gic.slotOf(core, id)] >= (array.nonSecure ?? NEVER)[how];
  }

  /** Undefined: no array is here. */
  read(core: number, offset: number, size: number, by: number): number | undefined {
    const found = this.find(offset);
    if (found === undefined) return undefined;
    const { array, id } = found;
    let value = 0;
    for (let i = 0; i < (size * 8) / array.bits; i++)
      if (this.reaches(array, 'read', core, id + i, by)) value |= array.read(core, id + i, by) << (i * array.bits);
    return value >>> 0;
  }

  /** False: no array is here. */
  write(core: number, offset: number, size: number, value: number, by: number): boolean {
    const found = this.find(offset);
    if (found === undefined) return false;
    const { array, id } = found;
    for (let i = 0; i < (size * 8) / array.bits; i++)
      if (this.reaches(array, 'write', core, id + i, by))
        array.write(core, id + i, (value >>> (i * array.bits)) & (2 ** array.bits - 1), by);
    this.gic.update();
    return true;
  }
}
