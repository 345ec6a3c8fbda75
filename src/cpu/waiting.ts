/**
 * WFI, WFE, SEV and the events that end waiting. Sections: Wait for Event mechanism and Send event, Wait for Interrupt. An
 * instruction that would not wait is not trapped either.
 */
import { EC } from '../arch/syndromes/index';
import type { CoreParts } from './behaviours';
import { type ControlField, controls } from './controls';
import type { ExceptionCalls } from './exceptionCalls';
import type { CpuPorts, Leave } from './ports';
import { WaitState } from './state';
import { wfxIss } from './syndromes';
import { trapTarget } from './traps';

const C = controls({
  nTWI: 'SCTLR_EL1.nTWI',
  nTWE: 'SCTLR_EL1.nTWE',
  TWI2: 'HCR_EL2.TWI',
  TWE2: 'HCR_EL2.TWE',
  TWI3: 'SCR_EL3.TWI',
  TWE3: 'SCR_EL3.TWE',
});

export class Waiting {
  constructor(
    private readonly parts: CoreParts,
    private readonly calls: ExceptionCalls,
    private readonly ports: CpuPorts,
  ) {}

  wfi(): Leave {
    if (this.parts.interrupts.anyPending()) return 0;
    return this.trapped(C.nTWI, C.TWI2, C.TWI3, false) || this.sleep(WaitState.wfi);
  }

  wfe(): Leave {
    const { interrupts } = this.parts;
    if (this.consumeEvent()) return 0;
    if (interrupts.find()) return 0;
    return this.trapped(C.nTWE, C.TWE2, C.TWE3, true) || this.sleep(WaitState.wfe);
  }

  sevl(): Leave {
    this.parts.state.set('eventRegister', 1);
    return 0;
  }

  sev(): Leave {
    for (const core of this.ports.cores) core.signalEvent();
    return 0;
  }

  /** The event register is set, or wakes a core that waits for it. */
  signalEvent(): void {
    const { state } = this.parts;
    state.set('eventRegister', 1);
    if (state.waiting === WaitState.wfe) {
      this.consumeEvent();
      this.wake();
    }
  }

  private wake(): void {
    this.ports.waking?.();
    this.parts.state.set('waitState', WaitState.running);
    this.parts.pmu.levelChanged();
  }

  /** An interrupt input changed. */
  lineChanged(): void {
    const { state, interrupts } = this.parts;
    const waiting = state.waiting;
    if (waiting === WaitState.wfi && interrupts.anyPending()) this.wake();
    if (waiting === WaitState.wfe && interrupts.find()) this.wake();
    this.parts.interruptsChanged();
  }

  /** The machine's clock reached the deadline that the timers asked for. */
  due(): void {
    const { state, timers } = this.parts;
    timers.update(this.streamDeadline());
    if (state.waiting === WaitState.wfe && this.streamEvent()) this.signalEvent();
  }

  /** Clears the event register if it is set, or an event stream has made an event since it was looked at last. */
  private consumeEvent(): boolean {
    const { state } = this.parts;
    const set = state.get('eventRegister') !== 0 || this.streamEvent();
    if (set) state.set('eventRegister', 0);
    state.setDouble('eventsSince', this.ports.counter());
    return set;
  }
  private streamEvent(): boolean {
    const { state, timers } = this.parts;
    return timers.eventStream && timers.nextEvent(state.getDouble('eventsSince')) <= this.ports.counter();
  }
  private streamDeadline(): number {
    const { state, timers } = this.parts;
    if (state.waiting !== WaitState.wfe || !timers.eventStream) return Number.POSITIVE_INFINITY;
    return timers.nextEvent(this.ports.counter());
  }

  private sleep(how: WaitState): Leave {
    const { state, timers } = this.parts;
    state.set('waitState', how);
    state.advance();
    if (how === WaitState.wfe && timers.eventStream) timers.update(this.streamDeadline());
    return 1;
  }

  /** 1: a trap took it. */
  private trapped(el0: ControlField, el2: ControlField, el3: ControlField, wfe: boolean): Leave {
    const { state, levels } = this.parts;
    const { el } = state;
    let to = 0;
    if (el === 0 && !levels.user(el0)) to = 1;
    else if (el <= 1 && levels.hcrTrap(el2)) to = 2;
    else if (el < 3 && levels.scr(el3)) to = 3;
    return to === 0 ? 0 : this.calls.here(trapTarget(to, levels), EC.WFX, wfxIss(wfe));
  }
}
