/**
 * The Virtualization Extensions of GICv2: the virtual interface control registers (GICH), which a hypervisor uses, and the
 * virtual CPU interface (GICV) that its guest finds in the place of GICC. At each, every core sees its own. State is in
 * VirtualInterfaces; GICH_LRn has its fields at other places than GICv3's list registers.
 */
import type { Device, DeviceRegisterRow } from './device';
import { SPURIOUS, SPURIOUS_GROUP1 } from './gicv2';
import { partOfWord, placedInWord, wordRow } from './registerFile';
import { HCR, VIRTUAL_PRIORITY_BITS, VIRTUAL_PRIORITY_MASK, type VirtualInterfaces, VMCR } from './virtualInterface';

const H = { HCR: 0, VTR: 4, VMCR: 8, MISR: 0x10, EISR0: 0x20, ELRSR0: 0x30, APR: 0xf0, LR: 0x100 } as const;
const HCR_MASK = 0xf800_0000 + Object.values(HCR).reduce((mask, bit) => mask | bit, 0);
const VTR = (((VIRTUAL_PRIORITY_BITS - 1) << 29) | ((VIRTUAL_PRIORITY_BITS - 1) << 26)) >>> 0;
const VMCR_MASK = 0xf8fc_021f;
const VMCR_RESET = 0x004c_0000;

/** GICH_LRn: HW, Grp1, State, Priority (bits 7:3), PhysicalID (with HW 0: EOI and CPUID), VirtualID. */
const listRegister = {
  toHi: (word: number): number =>
    (((word >>> 28) & 3) << 30) |
    ((word >>> 31) << 29) |
    (((word >>> 30) & 1) << 28) |
    (((word >>> 23) & 0x1f) << 19) |
    ((word >>> 10) & 0x3ff),
  word: (hi: number, lo: number): number =>
    (((hi >>> 29) & 1) << 31) |
    (((hi >>> 28) & 1) << 30) |
    ((hi >>> 30) << 28) |
    (((hi >>> 19) & 0x1f) << 23) |
    ((hi & 0x3ff) << 10) |
    (lo & 0x3ff),
} as const;
const VIRTUAL_ID = 0x3ff;
const LR_MASK = 0xff8f_ffff;

export class GicVirtualControl implements Device {
  readonly name = 'gich';
  readonly size = 0x10000;
  readonly registers: readonly DeviceRegisterRow[];

  constructor(
    readonly base: number,
    private readonly virtual: VirtualInterfaces,
  ) {
    const count = virtual.listRegisters;
    this.registers = [
      wordRow(H.HCR, 'GICH_HCR', 'RW', 'Hypervisor Control Register', { mask: HCR_MASK }),
      wordRow(H.VTR, 'GICH_VTR', 'RO', 'VGIC Type Register', { reset: (VTR | (count - 1)) >>> 0 }),
      wordRow(H.VMCR, 'GICH_VMCR', 'RW', 'Virtual Machine Control Register', { mask: VMCR_MASK, reset: VMCR_RESET }),
      wordRow(H.MISR, 'GICH_MISR', 'RO', 'Maintenance Interrupt Status Register'),
      wordRow(H.EISR0, 'GICH_EISR0', 'RO', 'End of Interrupt Status Register'),
      wordRow(H.ELRSR0, 'GICH_ELRSR0', 'RO', 'Empty List Register Status Register', { reset: 2 ** count - 1 }),
      wordRow(H.APR, 'GICH_APR', 'RW', 'Active Priorities Register'),
      wordRow(H.LR, 'GICH_LRn', 'RW', 'List Registers', { count, mask: LR_MASK }),
    ];
  }

  reset(): void {
    this.virtual.reset();
  }
  save(): unknown {
    return this.virtual.save();
  }
  load(state: unknown): void {
    this.virtual.load(state);
  }

  private listRegisterAt(offset: number): number {
    const n = (offset - H.LR) >> 2;
    return n >= 0 && n < this.virtual.listRegisters ? n : -1;
  }

  private word(offset: number, core: number): number {
    const { virtual } = this;
    const { hcr, vmcr, apr, lrHi, lrLo } = virtual.core[core];
    switch (offset) {
      case H.HCR:
        return hcr;
      case H.VTR:
        return (VTR | (virtual.listRegisters - 1)) >>> 0;
      case H.VMCR:
        return vmcr;
      case H.MISR:
        return virtual.misr(core);
      case H.EISR0:
        return virtual.eisr(core);
      case H.ELRSR0:
        return virtual.elrsr(core);
      case H.APR:
        return apr[0];
    }
    const n = this.listRegisterAt(offset);
    return n < 0 ? 0 : listRegister.word(lrHi[n], lrLo[n]) >>> 0;
  }

  /** Reading has no effect. */
  read(offset: number, size: number, core: number): number {
    return partOfWord(this.word(offset & ~3, core), offset, size);
  }
  peek(offset: number, size: number, core: number): number | undefined {
    return this.read(offset, size, core);
  }

  write(offset: number, size: number, value: number, core: number): void {
    const { virtual } = this;
    const word = placedInWord(value, offset, size);
    const at = offset & ~3;
    if (at === H.HCR) virtual.setHcr(core, word, HCR_MASK);
    else if (at === H.VMCR) virtual.setVmcr(core, word);
    else if (at === H.APR) virtual.setApr(core, 0, word);
    const n = this.listRegisterAt(at);
    if (n >= 0) virtual.setListRegister(core, n, listRegister.toHi(word), word & VIRTUAL_ID);
  }
}

const V = {
  CTLR: 0x00,
  PMR: 0x04,
  BPR: 0x08,
  IAR: 0x0c,
  EOIR: 0x10,
  RPR: 0x14,
  HPPIR: 0x18,
  ABPR: 0x1c,
  AIAR: 0x20,
  AEOIR: 0x24,
  AHPPIR: 0x28,
  APR: 0xd0,
  IIDR: 0xfc,
  DIR: 0x1000,
} as const;
const CTLR_MASK = VMCR.VENG0 | VMCR.VENG1 | VMCR.VAckCtl | VMCR.VFIQEn | VMCR.VCBPR | VMCR.VEOIM;
const ARM_GIC400 = 0x0202_143b;

export const virtualCpuRegisters: readonly DeviceRegisterRow[] = [
  wordRow(V.CTLR, 'GICV_CTLR', 'RW', 'Virtual Machine Control Register', { mask: CTLR_MASK }),
  wordRow(V.PMR, 'GICV_PMR', 'RW', 'VM Priority Mask Register', { mask: VIRTUAL_PRIORITY_MASK }),
  wordRow(V.BPR, 'GICV_BPR', 'RW', 'VM Binary Point Register', { mask: 7, reset: 2 }),
  wordRow(V.IAR, 'GICV_IAR', 'RO', 'VM Interrupt Acknowledge Register', { reset: SPURIOUS }),
  wordRow(V.EOIR, 'GICV_EOIR', 'WO', 'VM End of Interrupt Register'),
  wordRow(V.RPR, 'GICV_RPR', 'RO', 'VM Running Priority Register', { reset: 0xff }),
  wordRow(V.HPPIR, 'GICV_HPPIR', 'RO', 'VM Highest Priority Pending Interrupt Register', { reset: SPURIOUS }),
  wordRow(V.ABPR, 'GICV_ABPR', 'RW', 'VM Aliased Binary Point Register', { mask: 7, reset: 3 }),
  wordRow(V.AIAR, 'GICV_AIAR', 'RO', 'VM Aliased Interrupt Acknowledge Register', { reset: SPURIOUS }),
  wordRow(V.AEOIR, 'GICV_AEOIR', 'WO', 'VM Aliased End of Interrupt Register'),
  wordRow(V.AHPPIR, 'GICV_AHPPIR', 'RO', 'VM Aliased Highest Priority Pending Interrupt Register', { reset: SPURIOUS }),
  wordRow(V.APR, 'GICV_APR0', 'RW', 'VM Active Priorities Register'),
  wordRow(V.IIDR, 'GICV_IIDR', 'RO', 'VM CPU Interface Identification Register', { reset: ARM_GIC400 }),
  wordRow(V.DIR, 'GICV_DIR', 'WO', 'VM Deactivate Interrupt Register'),
];

export class GicVirtualCpuInterface implements Device {
  readonly name = 'gicv';
  readonly size = 0x10000;
  readonly registers = virtualCpuRegisters;

  constructor(
    readonly base: number,
    private readonly virtual: VirtualInterfaces,
  ) {}

  /** State is reset, saved and loaded by the virtual interface control registers. */
  reset(): void {}
  save(): null {
    return null;
  }
  load(): void {}

  /** An INTID with its CPUID as GICV_IAR and GICV_HPPIR (`alias` false) or their group 1 aliases show it. */
  private visible(core: number, n: number, alias: boolean): number {
    const { virtual } = this;
    if (n < 0) return SPURIOUS;
    const group1 = virtual.isGroup1(core, n);
    if (alias && !group1) return SPURIOUS;
    if (!alias && group1 && !virtual.flag(core, VMCR.VAckCtl)) return SPURIOUS_GROUP1;
    return virtual.core[core].lrLo[n] | (virtual.sourceOf(core, n) << 10);
  }

  private acknowledge(core: number, alias: boolean): number {
    const n = this.virtual.signalled(core);
    const value = this.visible(core, n, alias);
    if ((value & VIRTUAL_ID) < SPURIOUS_GROUP1) this.virtual.acknowledge(core, n);
    return value;
  }

  private word(offset: number, core: number): number {
    const { virtual } = this;
    switch (offset) {
      case V.CTLR:
        return virtual.core[core].vmcr & CTLR_MASK;
      case V.PMR:
        return virtual.pmr(core);
      case V.BPR:
        return virtual.bpr0(core);
      case V.ABPR:
        return virtual.bpr1(core);
      case V.IAR:
      case V.AIAR:
        return this.visible(core, virtual.signalled(core), offset === V.AIAR);
      case V.HPPIR:
      case V.AHPPIR:
        return this.visible(core, virtual.candidate(core), offset === V.AHPPIR);
      case V.RPR:
        return virtual.runningPriority(core);
      case V.APR:
        return virtual.core[core].apr[0];
      case V.IIDR:
        return ARM_GIC400;
      default:
        return 0;
    }
  }

  peek(offset: number, size: number, core: number): number | undefined {
    return partOfWord(this.word(offset & ~3, core), offset, size);
  }
  read(offset: number, size: number, core: number): number {
    const at = offset & ~3;
    const word = at === V.IAR || at === V.AIAR ? this.acknowledge(core, at === V.AIAR) : this.word(at, core);
    return partOfWord(word, offset, size);
  }

  write(offset: number, size: number, value: number, core: number): void {
    const { virtual } = this;
    const word = placedInWord(value, offset, size);
    switch (offset & ~3) {
      case V.CTLR:
        virtual.setFlags(core, CTLR_MASK, word);
        break;
      case V.PMR:
        virtual.setPmr(core, word);
        break;
      case V.BPR:
        virtual.setBpr0(core, word);
        break;
      case V.ABPR:
        virtual.setBpr1(core, word);
        break;
      case V.EOIR:
      case V.AEOIR:
        this.endOfInterrupt(core, word);
        break;
      case V.APR:
        virtual.setApr(core, 0, word);
        break;
      case V.DIR:
        if (virtual.flag(core, VMCR.VEOIM)) virtual.deactivate(core, this.find(core, word));
        break;
    }
  }

  /** The list register with the active interrupt of an INTID, for a software interrupt from the CPUID given with it. */
  private find(core: number, word: number): number {
    return this.virtual.findActive(core, word & VIRTUAL_ID, (word >>> 10) & 7);
  }

  /** The running priority drops; with VEOIM 0 the interrupt ends, and one that no list register holds is counted. */
  private endOfInterrupt(core: number, word: number): void {
    const { virtual } = this;
    if ((word & VIRTUAL_ID) >= SPURIOUS_GROUP1) return;
    const dropped = virtual.activeGroup(core) !== -1;
    virtual.dropPriority(core);
    const n = virtual.flag(core, VMCR.VEOIM) ? -2 : this.find(core, word);
    if (n >= 0 || (n === -1 && dropped)) virtual.deactivate(core, n);
    else virtual.update(core);
  }
}
