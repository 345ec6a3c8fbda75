/**
 * The stage 2 table walk of VMSAv8-64, 48-bit addresses, with concatenated first tables: AArch64.S2Walk. The access flag and
 * the dirty state are set by hardware where VTCR_EL2.{HA,HD} ask for it.
 */
import type { MutableFault } from '../faults';
import { Access } from '../translator';
import type { AbortFault, Stage2Controls } from '../types';
import { DescriptorAccess, type DescriptorPort, Leaf, type WalkTrace } from './descriptorAccess';
import { Attr2, permits2 } from './stage2Attributes';
import { blockLevels } from './walker';

const TWO32 = 2 ** 32;
/** Address bits 47:32 in a descriptor's upper word. */
const ADDRESS_HI = 0xffff;
/** S2AP[1] in the lower word, XN[1] and XN[0] in the upper one. */
const S2AP_WRITE = 1 << 7;
const XN_SHIFT = 21;

export class Stage2Walker {
  /** The leaf that the last successful walk found: address of its first byte, size, attribute word of stage2Attributes. */
  pa = 0;
  pageLog2 = 12;
  attr2 = 0;
  /** The descriptor that was read last: after a success, the leaf. */
  readonly descriptor: DescriptorAccess;

  constructor(
    port: DescriptorPort,
    private readonly fault: MutableFault,
    private readonly step: (core: number) => void,
    /** Told of each descriptor. */
    public trace?: WalkTrace,
  ) {
    this.descriptor = new DescriptorAccess(port);
  }

  /**
   * True: the leaf is filled, permissions not judged; false: `fault` is, of stage 2. `access` says whether hardware may have to
   * set the dirty state.
   */
  walk(core: number, s2: Stage2Controls, ipa: number, access: Access, el0: boolean): boolean {
    if (!s2.valid || ipa >= 2 ** s2.ipaBits) return this.fail('translation', 0, ipa);
    const g = s2.granuleLog2;
    const stride = g - 3;
    const outputLimit = 2 ** s2.psBits;
    let shift = g + (3 - s2.startLevel) * stride;
    let { base } = s2;
    let entries = 2 ** (s2.ipaBits - shift);
    if (base >= outputLimit) return this.fail('addressSize', 0, ipa);
    for (let level = s2.startLevel; ; level++, shift -= stride, entries = 2 ** stride) {
      const at = base + 8 * (Math.floor(ipa / 2 ** shift) % entries);
      this.step(core);
      if (!this.descriptor.read(core, at, s2.walkCacheable, s2.bigEndianWalks))
        return this.fail('externalWalk', level, ipa);
      const { hi, lo } = this.descriptor;
      this.trace?.(2, level, at, hi, lo);
      const type = lo & 3;
      if ((type & 1) === 0 || (level === 3 && type === 1)) return this.fail('translation', level, ipa);
      const address = (hi & ADDRESS_HI) * TWO32 + lo;
      if (level === 3 || type === 1) {
        if (level < 3 && ((blockLevels[g] >>> level) & 1) === 0) return this.fail('translation', level, ipa);
        const pa = address - (address % 2 ** shift);
        if (pa >= outputLimit) return this.fail('addressSize', level, ipa);
        this.pa = pa;
        this.pageLog2 = shift;
        return this.leaf(core, s2, level, ipa, access, el0);
      }
      base = address - (address % 2 ** g);
      if (base >= outputLimit) return this.fail('addressSize', level, ipa);
    }
  }

  private leaf(core: number, s2: Stage2Controls, level: number, ipa: number, access: Access, el0: boolean): boolean {
    const { hi, lo } = this.descriptor;
    if ((lo & Leaf.Af) === 0 && !s2.hardwareFlag) return this.fail('accessFlag', level, ipa);
    const dbm = (hi & Leaf.DbmHi) !== 0 && s2.hardwareDirty;
    // Without FEAT_XNX bit 53 says nothing.
    const xn = (hi >>> XN_SHIFT) & 3 & (s2.xnx ? 3 : 2);
    this.attr2 =
      ((lo >>> 6) & 3) |
      (xn << Attr2.XnShift) |
      (((lo >>> 2) & 15) << Attr2.MemShift) |
      (((lo >>> 8) & 3) << Attr2.ShShift) |
      (level << Attr2.LevelShift) |
      (dbm ? Attr2.Dbm : 0) |
      Attr2.Valid;
    let updated = lo | (s2.hardwareFlag ? Leaf.Af : 0);
    if (dbm && access === Access.Write && !permits2(this.attr2, access, el0)) {
      updated |= S2AP_WRITE;
      this.attr2 |= Attr2.Write;
    }
    if (updated === lo || this.descriptor.update(core, hi, updated)) return true;
    return this.fail('hardwareUpdate', level, ipa);
  }

  private fail(kind: AbortFault['kind'], level: number, ipa: number): false {
    const { fault } = this;
    fault.plain(kind, false);
    fault.level = level;
    fault.stage2 = true;
    fault.ipa = ipa;
    return false;
  }
}
