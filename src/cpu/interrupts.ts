/**
 * Interrupt inputs of the core, and which of them can be taken: physical ones by SCR_EL3 and HCR_EL2 routing, virtual ones of
 * HCR_EL2.{VSE,VI,VF} and of the GIC. Masks are at the bits of ISR_EL1 and PSTATE: A(8) SError, I(7) IRQ, F(6) FIQ. Section: Asynchronous
 * exception routing, masking and priority. Priority is IMPLEMENTATION DEFINED: FIQ, IRQ, SError, physical before virtual.
 */
import { controls } from './controls';
import type { Levels } from './levels';
import { ExceptionType } from './ports';
import { Pstate } from './pstate';
import type { CoreState } from './state';

const C = controls({
  EA: 'SCR_EL3.EA',
  IRQ: 'SCR_EL3.IRQ',
  FIQ: 'SCR_EL3.FIQ',
  VSE: 'HCR_EL2.VSE',
  VI: 'HCR_EL2.VI',
  VF: 'HCR_EL2.VF',
});

const order = [Pstate.F, Pstate.I, Pstate.A] as const;
const typeOf = (bit: number): ExceptionType =>
  bit === Pstate.F ? ExceptionType.Fiq : bit === Pstate.I ? ExceptionType.Irq : ExceptionType.SError;

export class Interrupts {
  /** What `find` found. */
  type: ExceptionType = ExceptionType.Irq;
  target = 0;
  /** It is a virtual interrupt. */
  virtual = false;

  constructor(
    private readonly state: CoreState,
    private readonly levels: Levels,
  ) {}

  /** Levels of the physical inputs. */
  physical(): number {
    return this.state.lines;
  }
  setLine(bit: number, level: boolean): void {
    const lines = this.state.lines;
    this.state.set('lines', level ? lines | bit : lines & ~bit);
  }

  /** Virtual interrupts that the interrupt controller signals, at the same bits. */
  setVirtual(bits: number): void {
    this.state.set('virtualLines', bits);
  }

  /** Virtual interrupts that are pending and enabled (HCR_EL2.{AMO,IMO,FMO} set, TGE clear). */
  virtualPending(): number {
    const { state, levels } = this;
    if (!levels.el2Enabled() || levels.tge()) return 0;
    let pending = 0;
    if (state.bit(C.VSE) && levels.routedToEl2(Pstate.A)) pending |= Pstate.A;
    const lines = state.virtualLines;
    if ((state.bit(C.VI) || (lines & Pstate.I) !== 0) && levels.routedToEl2(Pstate.I)) pending |= Pstate.I;
    if ((state.bit(C.VF) || (lines & Pstate.F) !== 0) && levels.routedToEl2(Pstate.F)) pending |= Pstate.F;
    return pending;
  }

  /** WFI's wake-up condition: anything pending, masked or not. */
  anyPending(): boolean {
    return this.physical() !== 0 || this.virtualPending() !== 0;
  }

  /** Target level of a physical interrupt. */
  private targetOf(bit: number): number {
    const { levels } = this;
    if (levels.scr(bit === Pstate.A ? C.EA : bit === Pstate.I ? C.IRQ : C.FIQ)) return 3;
    return levels.routedToEl2(bit) ? 2 : 1;
  }

  /** Whether a pending interrupt can be taken now; `type`, `target` and `virtual` say which. */
  find(): boolean {
    const physical = this.physical();
    const { el, daif } = this.state;
    if (physical !== 0) {
      for (const bit of order) {
        if ((physical & bit) === 0) continue;
        const target = this.targetOf(bit);
        if (target >= el && !this.masked(bit, target)) return this.found(bit, target, false);
      }
    }
    if (el >= 2) return false;
    const virtual = this.virtualPending() & ~daif;
    if (virtual === 0) return false;
    for (const bit of order) if (virtual & bit) return this.found(bit, 1, true);
    return false;
  }

  /** A higher level takes it whatever the mask; EL0's mask holds against EL1 and against its host. */
  private masked(bit: number, target: number): boolean {
    const { el, daif } = this.state;
    return (daif & bit) !== 0 && (target === el || target === 1 || (target === 2 && this.levels.host()));
  }
  /** A physical SError would not be taken now. */
  errorMasked(): boolean {
    const target = this.targetOf(Pstate.A);
    return target < this.state.el || this.masked(Pstate.A, target);
  }

  private found(bit: number, target: number, virtual: boolean): true {
    this.type = typeOf(bit);
    this.target = target;
    this.virtual = virtual;
    return true;
  }

  /** ISR_EL1: virtual interrupts at EL1 for those that HCR_EL2 routes to EL2. */
  isr(el: number): number {
    const physical = this.physical();
    if (el !== 1 || !this.levels.el2Enabled()) return physical;
    const virtual = this.virtualPending();
    let value = 0;
    for (const bit of order) value |= (this.levels.routedToEl2(bit) ? virtual : physical) & bit;
    return value;
  }

  /** A virtual SError was taken: HCR_EL2.VSE is clear again. */
  virtualErrorTaken(): void {
    const at = this.state.system + C.VSE.word;
    this.state.u32[at] &= ~(1 << C.VSE.shift);
  }
}
