/**
 * Exceptions that KVM gives a guest (inject_fault.c, hyp/exception.c): the vCPU takes them to its EL1 as hardware would, from where it
 * was. EL1's registers are on the core. Source: inject_fault.c of v6.17 and exception.c; v5.4 and v5.5 set no more of PSTATE
 * than the mode and the masks, which is not told apart here.
 */
import { EC } from '../../arch/syndromes';
import { maskOf, masksOf } from '../fields';
import type { CoreContext } from './model';
import type { Vcpu } from './vm';

const FROM_SPX = 0x200n;
const FROM_SP0 = 0n;
const FROM_LOWER = 0x400n;
const IL = 1n << 25n;
const EL1H_MASKED = 0x3c5n;
const MODE = 0xfn;
const EL0 = 0n;
const EL1T = 4n;

const PAN = maskOf('SPSR_EL1.PAN');
const SSBS = maskOf('SPSR_EL1.SSBS');
/** What an exception leaves as it was, and what ends with an instruction. */
const KEPT = masksOf('SPSR_EL1', 'N', 'Z', 'C', 'V', 'DIT', 'PAN');
const OVER = masksOf('SPSR_EL1', 'BTYPE', 'SS');
const SPAN = maskOf('SCTLR_EL1.SPAN');
const DSSBS = maskOf('SCTLR_EL1.DSSBS');

/** PSTATE at the handler (get_except64_pstate): flags and DIT stay, PAN and SSBS are as SCTLR_EL1 says. */
function handlerPstate(c: CoreContext): bigint {
  const { pstate } = c.vcpu;
  const sctlr = c.read('SCTLR_EL1');
  const setsPan = (sctlr & SPAN) === 0n && c.port.hasFeature(c.core, 'FEAT_PAN');
  const setsSsbs = (sctlr & DSSBS) !== 0n && c.port.hasFeature(c.core, 'FEAT_SSBS');
  return (pstate & KEPT) | EL1H_MASKED | (setsPan ? PAN : 0n) | (setsSsbs ? SSBS : 0n);
}

function inject(c: CoreContext, esr: bigint, far?: bigint): void {
  const { vcpu } = c;
  const mode = vcpu.pstate & MODE;
  c.write('ESR_EL1', esr | IL);
  if (far !== undefined) c.write('FAR_EL1', far);
  c.write('ELR_EL1', vcpu.pc);
  c.write('SPSR_EL1', vcpu.pstate);
  vcpu.pc = BigInt.asUintN(64, c.read('VBAR_EL1') + (mode === EL0 ? FROM_LOWER : mode === EL1T ? FROM_SP0 : FROM_SPX));
  vcpu.pstate = handlerPstate(c);
}

/** kvm_inject_undefined */
export const injectUndefined = (c: CoreContext): void => inject(c, BigInt(EC.UNKNOWN) << 26n);

/** Fault status of what KVM injects: a synchronous external abort, or an address size fault of level 0. */
export const abortStatus = { external: 0x10n, addressSize: 0n } as const;

/** kvm_inject_sea, kvm_inject_size_fault: an abort on a fetch or on data, by the level that the guest is at. */
export function injectAbort(
  c: CoreContext,
  on: 'fetch' | 'data',
  far: bigint,
  status: bigint = abortStatus.external,
): void {
  const lower = (c.vcpu.pstate & MODE) === EL0;
  const [own, fromEl0] =
    on === 'fetch'
      ? [EC.INSTRUCTION_ABORT_SAME, EC.INSTRUCTION_ABORT_LOWER]
      : [EC.DATA_ABORT_SAME, EC.DATA_ABORT_LOWER];
  inject(c, (BigInt(lower ? fromEl0 : own) << 26n) | status, far);
}

/** kvm_incr_pc: the instruction was emulated, and is over as software step and branch targets see it. */
export function skip(vcpu: Vcpu): void {
  vcpu.pc = BigInt.asUintN(64, vcpu.pc + 4n);
  vcpu.pstate &= ~OVER;
}
