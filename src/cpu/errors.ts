/**
 * SErrors of FEAT_RAS: ESB defers those that are masked, HCR_EL2.VSE takes its syndrome from VSESR_EL2. Shared pseudocode:
 * AArch64.ESBOperation, AArch64.vESBOperation. There are no error records, and no SError here has a syndrome of its own.
 */
import type { CoreParts } from './behaviours';
import { controls, registerIndex } from './controls';
import type { Leave } from './ports';
import { Pstate } from './pstate';

const C = controls({ VSE: 'HCR_EL2.VSE', AMO: 'HCR_EL2.AMO' });
const DISR = registerIndex('DISR_EL1');
const VDISR = registerIndex('VDISR_EL2');
const VSESR = registerIndex('VSESR_EL2');
const DEFERRED = 0x80000000;
const SYNDROME = 0x1ffffff;

/** Syndrome of the virtual SError that HCR_EL2.VSE pends. */
export const virtualErrorIss = (core: CoreParts): number =>
  core.identity.has('FEAT_RAS') ? core.state.lo(VSESR) & SYNDROME : 0;

/** ESB. */
export function synchronizeErrors(core: CoreParts): Leave {
  const { state, levels, interrupts } = core;
  if ((interrupts.physical() & Pstate.A) !== 0 && interrupts.errorMasked()) {
    state.store(DISR, 0, DEFERRED);
    interrupts.setLine(Pstate.A, false);
  }
  const virtual = state.el <= 1 && levels.el2Enabled() && !levels.tge() && state.bit(C.AMO) && state.bit(C.VSE);
  if (virtual && (state.daif & Pstate.A) !== 0) {
    state.store(VDISR, 0, (DEFERRED | (state.lo(VSESR) & SYNDROME)) >>> 0);
    interrupts.virtualErrorTaken();
  }
  return 0;
}
