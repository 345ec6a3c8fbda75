/**
 * Self-hosted debug as the guest uses it: breakpoints, watchpoints and software step. The comparators here are the guest's
 * alone; the debugger's are in machine/stops.ts. Names are those of the manual's pseudocode: GenerateDebugExceptionsFrom,
 * StateMatch, BreakpointMatch, BreakpointValueMatch, WatchpointMatch, SSAdvance, DebugExceptionReturnSS.
 *
 * What is armed (enabled in its control register) is told to the machine, which has only those addresses looked at; whether it
 * matches is asked when one of them comes by. Reserved combinations of control fields match nothing.
 */
import { BREAKPOINTS, CONTEXT_BREAKPOINTS, WATCHPOINTS } from '../arch/sysregs/debug';
import { controls, registerIndex } from './controls';
import type { Levels } from './levels';
import { Pstate } from './pstate';
import type { CoreState } from './state';

const C = controls({
  SS: 'MDSCR_EL1.SS',
  MDE: 'MDSCR_EL1.MDE',
  KDE: 'MDSCR_EL1.KDE',
  SDD: 'MDCR_EL3.SDD',
  OSLK: 'OSLSR_EL1.OSLK',
  DLK: 'OSDLR_EL1.DLK',
  CORENPDRQ: 'DBGPRCR_EL1.CORENPDRQ',
  VMID: 'VTTBR_EL2.VMID',
  VS: 'VTCR_EL2.VS',
});
const bank = (name: string, count: number): readonly number[] =>
  Array.from({ length: count }, (_, n) => registerIndex(`${name}${n}_EL1`));
const BVR = bank('DBGBVR', BREAKPOINTS);
const BCR = bank('DBGBCR', BREAKPOINTS);
const WVR = bank('DBGWVR', WATCHPOINTS);
const WCR = bank('DBGWCR', WATCHPOINTS);
const CONTEXTIDR1 = registerIndex('CONTEXTIDR_EL1');
const CONTEXTIDR2 = registerIndex('CONTEXTIDR_EL2');

const ENABLE = 1;
/** DBGBCR.BT: bits that say what it compares. */
const BT_SHIFT = 20;
const BT = { linked: 1, contextId: 2, notAddress: 2 | 8, vmid: 8 } as const;
const DEBUG_MASK = 1 << 9; // PSTATE.D

/** What `watch` says of an access: its page has to stay where every access is asked about; it hits a watchpoint. */
export const Watched = { page: 1, hit: 2 } as const;

/** Fields that breakpoint and watchpoint control registers have in common. */
const pxc = (control: number): number => (control >>> 1) & 3;
const hmc = (control: number): number => (control >>> 13) & 1;
const ssc = (control: number): number => (control >>> 14) & 3;
const lbn = (control: number): number => (control >>> 16) & 15;

/** HMC, SSC and PxC, five bits, that are not reserved where EL3 and EL2 exist. */
const RESERVED = /^(011..|100.0|101.0|11010|11101|1111.)$/;
const reserved = Array.from({ length: 32 }, (_, bits) => RESERVED.test(bits.toString(2).padStart(5, '0')));

/** What a software step left behind: nothing, an instruction was stepped, and it was a Load-Exclusive. */
export const Stepped = { no: 0, yes: 1, exclusive: 2 } as const;

export class SelfHostedDebug {
  /** First address of the last watchpoint hit. */
  hitHi = 0;
  hitLo = 0;

  constructor(
    private readonly state: CoreState,
    private readonly levels: Levels,
    private readonly hasVhe: boolean,
    private readonly wideVmid: boolean,
  ) {}

  // ---- where debug exceptions go, and whether they are ----

  /** DebugTarget. */
  target(): number {
    return this.levels.debugToEl2() ? 2 : 1;
  }

  /** `mask`: PSTATE.D. */
  private enabledFrom(el: number, secure: boolean, mask: boolean): boolean {
    const { state, levels } = this;
    if (state.bit(C.OSLK) || (state.bit(C.DLK) && !state.bit(C.CORENPDRQ))) return false;
    if (levels.highestEl === 3 && secure && state.bit(C.SDD)) return false;
    const target = this.target();
    return el === target ? state.bit(C.KDE) && !mask : target > el;
  }
  private enabled(): boolean {
    const { state, levels } = this;
    return this.enabledFrom(state.el, levels.secure(), (state.daif & DEBUG_MASK) !== 0);
  }

  // ---- software step ----

  /** MDSCR_EL1.SS, or breakpoints that no address says: the core goes on one instruction at a time. */
  get single(): boolean {
    return this.state.bit(C.SS) || this.anyContextBreakpoint();
  }
  /** Software step is active: 'pending' = the exception is due before the next instruction. */
  stepState(): 'inactive' | 'notPending' | 'pending' {
    const { state } = this;
    if (!state.bit(C.SS) || !this.enabled()) return 'inactive';
    return (state.others & Pstate.SS) !== 0 ? 'notPending' : 'pending';
  }
  /** SSAdvance, and what the exception will say of the instruction. */
  advance(exclusive: boolean): void {
    this.state.others &= ~Pstate.SS;
    this.state.set('stepped', exclusive ? Stepped.exclusive : Stepped.yes);
  }
  /** PSTATE.SS after an exception return with `spsr`; asked before the level changes. */
  returnStep(spsr: number, legal: boolean): number {
    const { state, levels } = this;
    if (!state.bit(C.SS) || this.enabled()) return 0;
    const to = legal ? (spsr >>> 2) & 3 : state.el;
    const secure = to === 3 || levels.lowerSecure();
    return this.enabledFrom(to, secure, (spsr & DEBUG_MASK) !== 0) ? spsr & Pstate.SS : 0;
  }

  // ---- breakpoints ----

  /** Low words of the addresses that enabled breakpoints compare. */
  armedAddresses(): number[] {
    const { state } = this;
    return BCR.flatMap((register, n) => {
      const control = state.lo(register);
      const compares = (control & ENABLE) !== 0 && ((control >>> BT_SHIFT) & BT.notAddress) === 0;
      return compares ? [(state.lo(BVR[n]) & ~3) >>> 0] : [];
    });
  }

  private anyContextBreakpoint(): boolean {
    const { state } = this;
    for (let n = BREAKPOINTS - CONTEXT_BREAKPOINTS; n < BREAKPOINTS; n++) {
      const control = state.lo(BCR[n]);
      const type = control >>> BT_SHIFT;
      if ((control & ENABLE) !== 0 && (type & BT.notAddress) !== 0 && (type & BT.linked) === 0) return true;
    }
    return false;
  }

  /** The same where every instruction has to be asked about. */
  breaksByContext(hi: number, lo: number): boolean {
    return this.anyContextBreakpoint() && this.breaks(hi, lo);
  }

  /** Whether the instruction at an address is to take a Breakpoint exception. */
  breaks(hi: number, lo: number): boolean {
    if (!this.state.bit(C.MDE) || !this.enabled()) return false;
    for (let n = 0; n < BREAKPOINTS; n++) {
      const control = this.state.lo(BCR[n]);
      if ((control & ENABLE) === 0) continue;
      const linked = ((control >>> BT_SHIFT) & BT.linked) !== 0;
      if (this.valueMatch(n, hi, lo, false) && this.stateMatch(control, linked, this.state.el)) return true;
    }
    return false;
  }

  private valueMatch(n: number, hi: number, lo: number, linkedTo: boolean): boolean {
    const { state, levels } = this;
    const control = state.lo(BCR[n]);
    if ((control & ENABLE) === 0) return false;
    const type = (control >>> BT_SHIFT) & 15;
    const matchesAddress = (type & BT.notAddress) === 0;
    if (!matchesAddress && n < BREAKPOINTS - CONTEXT_BREAKPOINTS) return false;
    const linked = (type & BT.linked) !== 0;
    if (linkedTo ? !linked || matchesAddress : linked && !matchesAddress) return false;
    if (matchesAddress) return (type & ~BT.linked) === 0 && state.lo(BVR[n]) === lo && state.hi(BVR[n]) === hi;
    // Types with bit 2 compare CONTEXTIDR_EL2 (VHE), which is not modelled here beyond a host's own.
    if ((type & 4) !== 0) return false;
    if ((type & BT.contextId) !== 0 && !this.contextIdMatches(n)) return false;
    if ((type & BT.vmid) === 0) return true;
    return levels.el2Enabled() && state.el < 2 && !levels.tge() && this.vmid() === this.vmidOf(n);
  }

  private contextIdMatches(n: number): boolean {
    const { state, levels } = this;
    const host = this.hasVhe && (state.el === 2 ? levels.e2h() : state.el === 0 && levels.host());
    if (!host && state.el > 1) return false;
    return state.lo(BVR[n]) === state.lo(host ? CONTEXTIDR2 : CONTEXTIDR1);
  }
  private vmid(): number {
    return this.state.field(C.VMID) & this.vmidMask();
  }
  private vmidOf(n: number): number {
    return this.state.hi(BVR[n]) & this.vmidMask();
  }
  private vmidMask(): number {
    return this.wideVmid && this.state.bit(C.VS) ? 0xffff : 0xff;
  }

  /** StateMatch; `el` is that of the access: EL0 for unprivileged loads and stores. */
  private stateMatch(control: number, linked: boolean, el: number): boolean {
    const { levels } = this;
    const secure = levels.highestEl === 3 && levels.secure();
    const states = ssc(control);
    const higher = hmc(control) === 1;
    const levelsOf = pxc(control);
    if (reserved[(hmc(control) << 4) | (states << 2) | levelsOf]) return false;
    const levelMatches = [
      (levelsOf & 2) !== 0,
      (levelsOf & 1) !== 0,
      (higher && ((states << 2) | levelsOf) !== 8) || states === 3,
      higher && (states & 1) === 0,
    ][el];
    if (!levelMatches) return false;
    if (states === 1 ? secure : states === 2 ? !secure : states === 3 && !(higher || secure)) return false;
    if (!linked) return true;
    const n = lbn(control);
    return n >= BREAKPOINTS - CONTEXT_BREAKPOINTS && n < BREAKPOINTS && this.valueMatch(n, 0, 0, true);
  }

  // ---- watchpoints ----

  /** Some watchpoint is enabled. */
  watching(): boolean {
    return WCR.some((register) => (this.state.lo(register) & ENABLE) !== 0);
  }

  /** What watchpoints say of a data access (Watched bits). */
  watch(hi: number, lo: number, size: number, write: boolean, unprivileged: boolean): number {
    let found = 0;
    for (let n = 0; n < WATCHPOINTS; n++) {
      const control = this.state.lo(WCR[n]);
      if ((control & ENABLE) === 0) continue;
      if (this.samePage(n, control, hi, lo) || this.samePage(n, control, hi, lo + size - 1)) found |= Watched.page;
      else continue;
      if (this.hits(n, control, hi, lo, size, write, unprivileged)) return found | Watched.hit;
    }
    return found;
  }

  private samePage(n: number, control: number, hi: number, lo: number): boolean {
    const log2 = Math.max(12, (control >>> 24) & 31);
    return (lo ^ this.state.lo(WVR[n])) >>> log2 === 0 && this.sameUpper(n, hi);
  }
  /** Tags of addresses do not count. */
  private sameUpper(n: number, hi: number): boolean {
    return ((hi ^ this.state.hi(WVR[n])) & 0x00ff_ffff) === 0;
  }

  private hits(
    n: number,
    control: number,
    hi: number,
    lo: number,
    size: number,
    write: boolean,
    unprivileged: boolean,
  ): boolean {
    const { state } = this;
    if (!state.bit(C.MDE) || !this.enabled()) return false;
    if (((control >>> 3) & 3 & (write ? 2 : 1)) === 0) return false;
    const linked = ((control >>> BT_SHIFT) & 1) !== 0;
    if (!this.stateMatch(control, linked, unprivileged ? 0 : state.el)) return false;
    for (let i = 0; i < size; i++) {
      const at = (lo + i) >>> 0;
      const upper = at < lo ? (hi + 1) >>> 0 : hi;
      if (!this.byteMatches(n, control, upper, at)) continue;
      this.hitHi = upper;
      this.hitLo = at;
      return true;
    }
    return false;
  }

  /** WatchpointByteMatch: a word or doubleword with byte selects, or 2^MASK bytes. */
  private byteMatches(n: number, control: number, hi: number, lo: number): boolean {
    const value = this.state.lo(WVR[n]);
    const select = (control >>> 5) & 0xff;
    const mask = (control >>> 24) & 31;
    if (!this.sameUpper(n, hi)) return false;
    if (mask > 3) return select === 0xff && (lo ^ value) >>> mask === 0;
    const bottom = (value & 4) !== 0 ? 2 : 3;
    return (lo ^ value) >>> bottom === 0 && ((select >>> (lo & ((1 << bottom) - 1))) & 1) === 1;
  }
}
