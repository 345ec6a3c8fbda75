/**
 * The system registers of the GICv3 by name: ICC_* (physical CPU interface), ICV_* (what EL1 reaches instead where HCR_EL2.IMO
 * or FMO is set) and ICH_*. Who may access them and what is virtual is cpu/'s business.
 */

import { fromNonSecure, nonSecureView } from '../gicv2';
import { HCR, VIRTUAL_PRIORITY_BITS, type VirtualInterfaces, VMCR } from '../virtualInterface';
import { CTLR_FIXED, type GicV3CpuInterfaces, INTID, PRIORITY_MASK } from './cpuInterface';
import { Group } from './gicv3';

/** One register. Values are words; `hi` is given where the upper one is not zero. `access` reads with effects. */
export interface GicSystemRegister {
  lo(core: number): number;
  hi?(core: number): number;
  access?(core: number): number;
  write?(core: number, lo: number, hi: number): void;
}

const INTID_MASK = 0xff_ffff;
/** Non-secure software cannot claim active priorities of the upper half. */
const NON_SECURE_LEVELS = 0xffff_0000;

function physicalRegisters(cpu: GicV3CpuInterfaces): Record<string, GicSystemRegister> {
  const { gic } = cpu;
  const activeOf = (core: number, group: Group): number => cpu.cpu[core].apr[group];
  const setActive = (core: number, group: Group, value: number): void => {
    cpu.cpu[core].apr[group] = value >>> 0;
    cpu.update(core);
  };
  const acknowledge = (group1: boolean): GicSystemRegister => ({
    lo: (core) => cpu.peekAcknowledge(core, group1),
    access: (core) => cpu.acknowledge(core, group1),
  });
  const end = (group1: boolean): GicSystemRegister => ({
    lo: () => 0,
    write: (core, lo) => cpu.endOfInterrupt(core, lo & INTID_MASK, group1),
  });
  const sgi = (group: (core: number) => Group): GicSystemRegister => ({
    lo: () => 0,
    write: (core, lo, hi) => cpu.sendSgi(core, hi, lo, group(core)),
  });
  const otherGroup1 = (core: number): Group => (cpu.stateGroup1(core) === Group.one ? Group.oneSecure : Group.one);
  return {
    ICC_PMR_EL1: {
      lo: (core) => {
        const { pmr } = cpu.cpu[core];
        return cpu.nonSecurePriorities(core) ? nonSecureView(pmr) : pmr;
      },
      write: (core, lo) => {
        const { pmr } = cpu.cpu[core];
        if (!cpu.nonSecurePriorities(core)) cpu.cpu[core].pmr = lo & PRIORITY_MASK;
        // A mask that Secure software put into the upper half stays.
        else if (pmr >= 0x80) cpu.cpu[core].pmr = fromNonSecure(lo & 0xff) & PRIORITY_MASK;
        cpu.update(core);
      },
    },
    ICC_IAR0_EL1: acknowledge(false),
    ICC_IAR1_EL1: acknowledge(true),
    ICC_EOIR0_EL1: end(false),
    ICC_EOIR1_EL1: end(true),
    ICC_HPPIR0_EL1: { lo: (core) => cpu.highestPending(core, false) },
    ICC_HPPIR1_EL1: { lo: (core) => cpu.highestPending(core, true) },
    ICC_BPR0_EL1: {
      lo: (core) => cpu.cpu[core].bpr[Group.zero],
      write: (core, lo) => cpu.setBpr(core, Group.zero, lo),
    },
    ICC_BPR1_EL1: { lo: (core) => cpu.bpr1(core), write: (core, lo) => cpu.setBpr1(core, lo) },
    ICC_AP0R0_EL1: {
      lo: (core) => activeOf(core, Group.zero),
      write: (core, lo) => setActive(core, Group.zero, lo),
    },
    ICC_AP1R0_EL1: {
      lo: (core) => activeOf(core, cpu.ownGroup1(core)),
      write: (core, lo) => {
        const group = cpu.ownGroup1(core);
        setActive(core, group, gic.security && group === Group.one ? lo & NON_SECURE_LEVELS : lo);
      },
    },
    ICC_DIR_EL1: { lo: () => 0, write: (core, lo) => cpu.deactivate(core, lo & INTID_MASK) },
    ICC_RPR_EL1: { lo: (core) => cpu.runningPriority(core) },
    ICC_SGI0R_EL1: sgi(() => Group.zero),
    ICC_SGI1R_EL1: sgi((core) => cpu.stateGroup1(core)),
    ICC_ASGI1R_EL1: sgi(otherGroup1),
    ICC_CTLR_EL1: { lo: (core) => cpu.ctlr(core), write: (core, lo) => cpu.setCtlr(core, lo) },
    ICC_CTLR_EL3: { lo: (core) => cpu.ctlr3(core), write: (core, lo) => cpu.setCtlr3(core, lo) },
    ICC_IGRPEN0_EL1: {
      lo: (core) => cpu.cpu[core].enabled[Group.zero],
      write: (core, lo) => cpu.enable(core, Group.zero, (lo & 1) !== 0),
    },
    ICC_IGRPEN1_EL1: {
      lo: (core) => cpu.cpu[core].enabled[cpu.ownGroup1(core)],
      write: (core, lo) => cpu.enable(core, cpu.ownGroup1(core), (lo & 1) !== 0),
    },
    ICC_IGRPEN1_EL3: {
      lo: (core) => cpu.cpu[core].enabled[Group.one] | (cpu.cpu[core].enabled[Group.oneSecure] << 1),
      write: (core, lo) => {
        cpu.enable(core, Group.one, (lo & 1) !== 0);
        cpu.enable(core, Group.oneSecure, (lo & 2) !== 0);
      },
    },
  };
}

function virtualRegisters(v: VirtualInterfaces): Record<string, GicSystemRegister> {
  /** The INTID in a list register that a register of the group shows. */
  const visible = (core: number, n: number, group1: boolean): number =>
    n >= 0 && v.isGroup1(core, n) === group1 ? v.core[core].lrLo[n] : INTID.spurious;
  const acknowledge = (group1: boolean): GicSystemRegister => ({
    lo: (core) => visible(core, v.signalled(core), group1),
    access: (core) => {
      const n = v.signalled(core);
      return n >= 0 && v.isGroup1(core, n) === group1 ? v.acknowledge(core, n) : INTID.spurious;
    },
  });
  /** ICV_EOIR<n>_EL1: drops the priority; with VEOIM 0 ends the interrupt if it is that of the priority and group. */
  const end = (group1: boolean): GicSystemRegister => ({
    lo: () => 0,
    write: (core, lo) => {
      const id = lo & INTID_MASK;
      if (id >= INTID.secure && id <= INTID.spurious) return;
      if (v.activeGroup(core) === -1) return;
      const dropped = v.dropPriority(core);
      const n = v.findActive(core, id);
      if (v.flag(core, VMCR.VEOIM)) v.update(core);
      else if (n < 0 || (v.isGroup1(core, n) === group1 && v.groupPriority(core, n) === dropped)) v.deactivate(core, n);
      else v.update(core);
    },
  });
  const pending = (group1: boolean): GicSystemRegister => ({
    lo: (core) => visible(core, v.candidate(core), group1),
  });
  const enable = (bit: number): GicSystemRegister => ({
    lo: (core) => (v.flag(core, bit) ? 1 : 0),
    write: (core, lo) => v.setFlags(core, bit, lo & 1 ? bit : 0),
  });
  const active = (group: 0 | 1): GicSystemRegister => ({
    lo: (core) => v.core[core].apr[group],
    write: (core, lo) => v.setApr(core, group, lo),
  });
  return {
    ICV_PMR_EL1: { lo: (core) => v.pmr(core), write: (core, lo) => v.setPmr(core, lo) },
    ICV_IAR0_EL1: acknowledge(false),
    ICV_IAR1_EL1: acknowledge(true),
    ICV_EOIR0_EL1: end(false),
    ICV_EOIR1_EL1: end(true),
    ICV_HPPIR0_EL1: pending(false),
    ICV_HPPIR1_EL1: pending(true),
    ICV_BPR0_EL1: { lo: (core) => v.bpr0(core), write: (core, lo) => v.setBpr0(core, lo) },
    ICV_BPR1_EL1: {
      lo: (core) => (v.flag(core, VMCR.VCBPR) ? Math.min(v.bpr0(core) + 1, 7) : v.bpr1(core)),
      write: (core, lo) => {
        if (!v.flag(core, VMCR.VCBPR)) v.setBpr1(core, lo);
      },
    },
    ICV_AP0R0_EL1: active(0),
    ICV_AP1R0_EL1: active(1),
    ICV_DIR_EL1: {
      lo: () => 0,
      write: (core, lo) => {
        const id = lo & INTID_MASK;
        if (v.flag(core, VMCR.VEOIM) && (id < INTID.secure || id > INTID.spurious))
          v.deactivate(core, v.findActive(core, id));
      },
    },
    ICV_RPR_EL1: { lo: (core) => v.runningPriority(core) },
    ICV_CTLR_EL1: {
      lo: (core) => CTLR_FIXED | (v.flag(core, VMCR.VCBPR) ? 1 : 0) | (v.flag(core, VMCR.VEOIM) ? 2 : 0),
      write: (core, lo) =>
        v.setFlags(core, VMCR.VCBPR | VMCR.VEOIM, (lo & 1 ? VMCR.VCBPR : 0) | (lo & 2 ? VMCR.VEOIM : 0)),
    },
    ICV_IGRPEN0_EL1: enable(VMCR.VENG0),
    ICV_IGRPEN1_EL1: enable(VMCR.VENG1),
  };
}

/** ICH_HCR_EL2: what exists, with the trap bits TC, TALL0, TALL1 and TDIR. */
const ICH_HCR = 0xf800_0000 | (0x17 << 10) | (HCR.En | 0xfe);
/** ICH_VTR_EL2: PRIbits, PREbits, IDbits (24), A3V, nV4, TDS. */
const ICH_VTR = ((VIRTUAL_PRIORITY_BITS - 1) << 29) | ((VIRTUAL_PRIORITY_BITS - 1) << 26) | (1 << 23) | (7 << 19);

function hypervisorRegisters(v: VirtualInterfaces): Record<string, GicSystemRegister> {
  const active = (group: 0 | 1): GicSystemRegister => ({
    lo: (core) => v.core[core].apr[group],
    write: (core, lo) => v.setApr(core, group, lo),
  });
  const registers: Record<string, GicSystemRegister> = {
    ICH_HCR_EL2: { lo: (core) => v.core[core].hcr, write: (core, lo) => v.setHcr(core, lo, ICH_HCR) },
    ICH_VTR_EL2: { lo: () => (ICH_VTR | (v.listRegisters - 1)) >>> 0 },
    ICH_VMCR_EL2: { lo: (core) => v.core[core].vmcr, write: (core, lo) => v.setVmcr(core, lo) },
    ICH_MISR_EL2: { lo: (core) => v.misr(core) },
    ICH_EISR_EL2: { lo: (core) => v.eisr(core) },
    ICH_ELRSR_EL2: { lo: (core) => v.elrsr(core) },
    ICH_AP0R0_EL2: active(0),
    ICH_AP1R0_EL2: active(1),
  };
  for (let n = 0; n < v.listRegisters; n++)
    registers[`ICH_LR${n}_EL2`] = {
      lo: (core) => v.core[core].lrLo[n],
      hi: (core) => v.core[core].lrHi[n],
      write: (core, lo, hi) => v.setListRegister(core, n, hi, lo),
    };
  return registers;
}

export const gicSystemRegisters = (
  cpu: GicV3CpuInterfaces,
  virtual: VirtualInterfaces,
): Readonly<Record<string, GicSystemRegister>> => ({
  ...physicalRegisters(cpu),
  ...virtualRegisters(virtual),
  ...hypervisorRegisters(virtual),
});
