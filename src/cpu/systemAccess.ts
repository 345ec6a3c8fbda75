/**
 * MRS, MSR and system instructions as generated code calls them. `key` is bits 20:5 of the instruction: op0, op1, CRn, CRm,
 * op2. Values pass through the block's `value` field.
 */
import { EC } from '../arch/syndromes/index';
import { aliasedBy, redirectedTo } from '../arch/sysregs/index';
import type { CoreParts } from './behaviours';
import { controls } from './controls';
import type { ExceptionCalls } from './exceptionCalls';
import { type Operations, Outcome } from './operations';
import type { CpuPorts, Leave } from './ports';
import { Pstate } from './pstate';
import { systemRegisterIss } from './syndromes';
import type { Access, SystemRegisters } from './systemRegisters';
import { trapTarget } from './traps';

const C = controls({ TIDCP: 'HCR_EL2.TIDCP', UMA: 'SCTLR_EL1.UMA' });

/** MSR (immediate): op1 << 3 | op2. */
const Immediate = { UAO: 0o03, PAN: 0o04, SPSel: 0o05, SSBS: 0o31, DIT: 0o32, DAIFSet: 0o36, DAIFClr: 0o37 } as const;
const IMMEDIATE_CRN = 4;
const NO_REGISTER = 31;
const DAIF_SHIFT = 6;

/** Encodings of IMPLEMENTATION DEFINED registers and operations. */
const isImplementationDefined = (key: number): boolean => {
  const CRn = (key >> 7) & 15;
  return (key >> 14 === 3 || key >> 14 === 1) && (CRn === 11 || CRn === 15);
};

export class SystemAccess {
  private readonly out = { hi: 0, lo: 0 };

  constructor(
    private readonly core: number,
    private readonly parts: CoreParts,
    private readonly registers: SystemRegisters,
    private readonly operations: Operations,
    private readonly calls: ExceptionCalls,
    private readonly ports: CpuPorts,
    /** Bits of PSTATE that came with extensions and that this core has. */
    private readonly extensions: number,
  ) {}

  read(key: number): Leave {
    const { state } = this.parts;
    const index = this.find(key);
    const access = this.registers.check(this.parts, index, false);
    if (access !== 'ok') return this.refuse(access, key, index, true);
    this.registers.access(this.parts, this.reached(index, key), this.out);
    state.setValue(this.out.hi, this.out.lo);
    return 0;
  }

  write(key: number): Leave {
    const { state } = this.parts;
    const index = this.find(key);
    const access = this.registers.check(this.parts, index, true);
    if (access !== 'ok') return this.refuse(access, key, index, false);
    this.registers.write(this.parts, this.reached(index, key), state.valueHi, state.valueLo);
    return 0;
  }

  /** Index of the register with this key, by its own name or by EL2's name for one of EL1. */
  private find(key: number): number {
    const index = this.registers.find(key);
    if (index >= 0) return index;
    const alias = aliasedBy(key);
    const { levels, state } = this.parts;
    return alias >= 0 && state.el >= 2 && levels.e2h() ? alias : -1;
  }

  /** What an access reaches: EL1's names lead a host to its own registers. */
  private reached(index: number, key: number): number {
    if (!this.parts.levels.inHost() || aliasedBy(key) >= 0) return index;
    const host = redirectedTo(index);
    return host < 0 ? index : host;
  }

  operation(key: number): Leave {
    const { state } = this.parts;
    const index = this.operations.find(key);
    const access = index < 0 ? 'undefined' : this.operations.check(index);
    if (access !== 'ok') return this.refuse(access, key, index, false);
    const outcome = this.operations.execute(index, state.valueHi, state.valueLo);
    if (outcome === Outcome.done) return 0;
    const { memory, mmu } = this.ports;
    if (outcome === Outcome.walkFault) return this.calls.dataAbort(mmu.fault, state.valueHi, state.valueLo);
    return this.calls.dataAbort(memory.fault, memory.faultHi, memory.faultLo);
  }

  /** The access is UNDEFINED, or a trap takes it. */
  private refuse(access: Exclude<Access, 'ok'>, key: number, index: number, read: boolean): Leave {
    const { levels, state } = this.parts;
    if (access === 'fp') return this.calls.fpAccess();
    if (access !== 'undefined') return this.trap(access.to, access.ec, key, read);
    // From EL0 it is IMPLEMENTATION DEFINED whether they trap: they do not.
    if (index < 0 && state.el === 1 && isImplementationDefined(key) && levels.hcr(C.TIDCP))
      return this.trap(2, EC.SYSTEM_REGISTER, key, read);
    if (read && this.registers.reportsRead(key))
      return this.trap(levels.defaultTarget(), EC.SYSTEM_REGISTER, key, read);
    return this.calls.undefined();
  }

  private trap(to: number, ec: number, key: number, read: boolean): Leave {
    const { levels, state, facts } = this.parts;
    const rt = this.ports.instructionWord(this.core) & 31;
    state.setDouble('penalty', state.getDouble('penalty') + facts.cost.trap);
    return this.calls.here(trapTarget(to, levels), ec, systemRegisterIss(key, rt, read));
  }

  /** A bit of an extension, which `el` and above may write. */
  private pstateBit(bit: number, el: number, CRm: number): Leave {
    const { state } = this.parts;
    if ((this.extensions & bit) === 0 || state.el < el) return this.calls.undefined();
    state.others = CRm & 1 ? state.others | bit : state.others & ~bit;
    this.parts.contextChanged();
    return 0;
  }

  /** MSR (immediate) to SPSel, DAIFSet, DAIFClr and the bits of extensions. */
  immediate(op1: number, op2: number, CRm: number): Leave {
    const { state, levels } = this.parts;
    switch ((op1 << 3) | op2) {
      case Immediate.SPSel:
        if (state.el === 0) return this.calls.undefined();
        state.setLevel(state.el, CRm & 1);
        return 0;
      case Immediate.DAIFSet:
      case Immediate.DAIFClr: {
        if (state.el === 0 && !levels.user(C.UMA)) {
          const key = (op1 << 11) | (IMMEDIATE_CRN << 7) | (CRm << 3) | op2;
          return this.calls.here(trapTarget(1, levels), EC.SYSTEM_REGISTER, systemRegisterIss(key, NO_REGISTER, false));
        }
        const mask = CRm << DAIF_SHIFT;
        state.daif = op2 & 1 ? state.daif & ~mask : state.daif | mask;
        if (op2 & 1) this.parts.interruptsChanged();
        return 0;
      }
      case Immediate.PAN:
        return this.pstateBit(Pstate.PAN, 1, CRm);
      case Immediate.UAO:
        return this.pstateBit(Pstate.UAO, 1, CRm);
      case Immediate.SSBS:
        return this.pstateBit(Pstate.SSBS, 0, CRm);
      case Immediate.DIT:
        return this.pstateBit(Pstate.DIT, 0, CRm);
      default:
        return this.calls.undefined();
    }
  }
}
