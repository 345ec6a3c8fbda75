/**
 * The stack of a core that is at EL2 under the hypervisor model: the routines of the thread that it runs, innermost first, and
 * under them the guest of the vCPU whose thread that is, with the registers that it will go on with.
 */
import { decodeEsr, EC, trappedAccess } from '../../arch/syndromes';
import type { CoreContext } from '../../hypervisor/run/model';
import type { Vcpu } from '../../hypervisor/run/vm';
import type { CoreView, Machine } from '../../machine/api';
import type { PhysicalFrame } from '../frames';
import { guestRegisters } from './guestRegisters';

const SP = 31;
const PC = 32;
/** Bits of a table's address in VTTBR_EL2. */
const BADDR = 0xffff_ffff_fffen;

/** The core as the model sees it, while it is at EL2. */
export function atEl2(machine: Machine, core: CoreView): CoreContext | undefined {
  const { hypervisor } = machine;
  return hypervisor !== undefined && core.el === 2 ? hypervisor.cores[core.index] : undefined;
}

/** The core has the vCPU's EL1 registers, and VTTBR_EL2 its tables: its memory can be read. */
const isMapped = (core: CoreView, vcpu: Vcpu): boolean =>
  vcpu.loaded && ((core.peekSystem('VTTBR_EL2') ?? 0n) & BADDR) === BigInt(vcpu.vm.stage2.root);

function boundary(core: CoreView, context: CoreContext, vcpu: Vcpu, el: number): string {
  if (context.guest === 'elsewhere') return vcpu.name;
  const esr = core.peekSystem('ESR_EL2') ?? 0n;
  const isTrap = Number((esr >> 26n) & 63n) === EC.SYSTEM_REGISTER;
  const sync = isTrap ? trappedAccess(esr & 0x1ff_ffffn) : decodeEsr(esr).meaning;
  const what = context.exception === 'sync' ? sync : context.exception.toUpperCase();
  return `${vcpu.name}: EL2 took ${what ?? 'an exception'} from EL${el}`;
}

function guestFrames(core: CoreView, context: CoreContext, vcpu: Vcpu): PhysicalFrame[] {
  const guest = guestRegisters(core, context, vcpu);
  const pstate = guest.pstate();
  const el = Number((pstate >> 2n) & 3n);
  const registers = new Map(Array.from({ length: SP + 1 }, (_, n) => [n, guest.general(n)]));
  const pc = guest.general(PC);
  const common = { core: core.index, pc, exact: true, registers, pstate, live: false, cfa: undefined };
  return [
    { ...common, el: 2, exception: boundary(core, context, vcpu, el) },
    { ...common, el, exception: undefined, ends: !isMapped(core, vcpu), guest },
  ];
}

/** Undefined where the core runs code of its own. */
export function modelFrames(machine: Machine, core: CoreView): PhysicalFrame[] | undefined {
  const context = atEl2(machine, core);
  const { hypervisor } = machine;
  if (context === undefined || hypervisor === undefined) return undefined;
  const { frames, vcpu } = context.thread;
  const own = [...frames].reverse().map(({ routine, at, locals }, n): PhysicalFrame => {
    // A caller's next step is the one after the call.
    const model = { routine, at: n === 0 ? at : Math.max(0, at - 1), locals };
    const pc = BigInt(hypervisor.table.address(routine, model.at));
    return {
      ...{ core: core.index, el: 2, pc, exact: true, registers: new Map(), pstate: core.pstate() },
      ...{ live: true, cfa: undefined, exception: undefined, ends: true, model },
    };
  });
  return [...own, ...(vcpu === undefined ? [] : guestFrames(core, context, vcpu))];
}
