/**
 * Questions about exception levels and security states, as the manual's pseudocode asks them: EL2Enabled, IsSecure, effective
 * values of HCR_EL2 and SCR_EL3 where those registers do not exist. There is no Secure EL2.
 */
import { type ControlField, controls } from './controls';
import type { CoreState } from './state';

const C = controls({
  NS: 'SCR_EL3.NS',
  TGE: 'HCR_EL2.TGE',
  E2H: 'HCR_EL2.E2H',
  AMO: 'HCR_EL2.AMO',
  IMO: 'HCR_EL2.IMO',
  FMO: 'HCR_EL2.FMO',
  TDE: 'MDCR_EL2.TDE',
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
  /** EL2 may be a host: it has the EL2&0 regime, and EL1's register names are its own. */
  e2h(): boolean {
    return this.el2Enabled() && this.state.bit(C.E2H);
  }
  /** EL0 belongs to a host at EL2: HCR_EL2.{E2H,TGE} are ones. */
  host(): boolean {
    return this.e2h() && this.state.bit(C.TGE);
  }
  /** ELIsInHost of the current level. */
  inHost(): boolean {
    const { el } = this.state;
    return el === 2 ? this.e2h() : el === 0 && this.host();
  }
  /** A control over EL0: of EL1's register, or of EL2's in a host. */
  user(field: ControlField): boolean {
    return this.state.bitOf(this.host() ? field.hostWord : field.word, field.shift);
  }
  /** A control over EL1 and EL0, or over a host's own levels: EL1's register, or EL2's. */
  own(field: ControlField): boolean {
    return this.state.bitOf(this.inHost() ? field.hostWord : field.word, field.shift);
  }
  /** A trap bit of HCR_EL2, which none is to the EL0 of a host. */
  hcrTrap(field: ControlField): boolean {
    return this.hcr(field) && !this.host();
  }
  /** Debug exceptions of EL1 and EL0 go to EL2: HCR_EL2.TGE or MDCR_EL2.TDE. */
  debugToEl2(): boolean {
    return this.tge() || this.hcr(C.TDE);
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
