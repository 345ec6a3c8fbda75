/**
 * Questions about exception levels and security states, as the manual's pseudocode asks them: EL2Enabled, IsSecure, effective
 * values of HCR_EL2 and SCR_EL3 where those registers do not exist. There is no Secure EL2 and no VHE.
 */
import { type ControlField, controls } from './controls';
import type { CoreState } from './state';

const C = controls({
  NS: 'SCR_EL3.NS',
  TGE: 'HCR_EL2.TGE',
  AMO: 'HCR_EL2.AMO',
  IMO: 'HCR_EL2.IMO',
  FMO: 'HCR_EL2.FMO',
  scrFIQ: 'SCR_EL3.FIQ',
});

export class Levels {
  constructor(
    private readonly state: CoreState,
    readonly highestEl: 1 | 2 | 3,
  ) {}

  /** Security state of EL1 and EL0 (and of EL2, which has only Non-secure). */
  lowerSecure(): boolean {
    return this.highestEl === 3 && !this.state.bit(C.NS);
  }
  /** Security state of the current level. */
  secure(): boolean {
    return this.state.el === 3 || this.lowerSecure();
  }
  /** EL2 is implemented and takes part in the current security state of EL1 and EL0. */
  el2Enabled(): boolean {
    return this.highestEl >= 2 && !this.lowerSecure();
  }
  tge(): boolean {
    return this.el2Enabled() && this.state.bit(C.TGE);
  }
  /** A bit of HCR_EL2, false where EL2 is not enabled. */
  hcr(field: ControlField): boolean {
    return this.el2Enabled() && this.state.bit(field);
  }
  /** A bit of SCR_EL3, false without EL3. */
  scr(field: ControlField): boolean {
    return this.highestEl === 3 && this.state.bit(field);
  }
  /** SCR_EL3.FIQ: the monitor takes FIQs, and group 0 interrupts with them. */
  fiqToEl3(): boolean {
    return this.scr(C.scrFIQ);
  }
  /** HCR_EL2.{AMO,IMO,FMO}: TGE makes them one. `bit` is the interrupt's bit in ISR_EL1. */
  routedToEl2(bit: number): boolean {
    return this.tge() || this.hcr(bit === 0x100 ? C.AMO : bit === 0x80 ? C.IMO : C.FMO);
  }

  /** Target of a synchronous exception that nothing routes specially: EL1 at least, EL2 for EL0 under TGE. */
  defaultTarget(): number {
    const { el } = this.state;
    if (el === 0 && this.tge()) return 2;
    return Math.max(el, 1);
  }
}
