/**
 * One core's architectural state: views of its block in linear memory (layout.ts is the only place that knows offsets). All
 * of it is there, so a copy of linear memory is a snapshot. 64-bit values are read and written as two unsigned words.
 */
import type { ControlField } from './controls';
import { registerIndex } from './controls';
import { coreLayout, SP_SLOT } from './layout';
import { modeOf, Pstate } from './pstate';

/** What a core is doing. */
export const WaitState = { running: 0, wfi: 1, wfe: 2, off: 3 } as const;
export type WaitState = (typeof WaitState)[keyof typeof WaitState];
export const waitNames = ['running', 'wfi', 'wfe', 'off'] as const;

type DoubleField = 'penalty' | 'instructions' | 'cycleBase' | 'exceptions' | 'eventsSince';

/** Word offsets of fields that are read before every run of a core: constants, not look-ups by name. */
const EL = coreLayout.el[0] >>> 2;
const SPSEL = coreLayout.spsel[0] >>> 2;
const DAIF = coreLayout.daif[0] >>> 2;
const OTHERS = coreLayout.pstate[0] >>> 2;
const LINES = coreLayout.lines[0] >>> 2;
const WAIT = coreLayout.waitState[0] >>> 2;

const bank = [registerIndex('SP_EL0'), registerIndex('SP_EL1'), registerIndex('SP_EL2')];

export class CoreState {
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  /** Word index of system register storage. */
  readonly system: number;
  private readonly base: number;
  private readonly doubles: number;
  private readonly pcAt: number;
  private readonly valueAt: number;
  private readonly spEl3At: number;

  constructor(buffer: ArrayBuffer, block: number) {
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.base = block >>> 2;
    this.doubles = block >>> 3;
    this.system = this.wordOf('system');
    this.pcAt = this.wordOf('pc');
    this.valueAt = this.wordOf('value');
    this.spEl3At = this.wordOf('spEl3');
  }

  private wordOf(name: keyof typeof coreLayout): number {
    return this.base + (coreLayout[name][0] >>> 2);
  }

  /** A 32-bit field of the block. */
  get(name: keyof typeof coreLayout): number {
    return this.u32[this.wordOf(name)];
  }
  set(name: keyof typeof coreLayout, value: number): void {
    this.u32[this.wordOf(name)] = value;
  }
  getDouble(name: DoubleField): number {
    return this.f64[this.doubles + (coreLayout[name][0] >>> 3)];
  }
  setDouble(name: DoubleField, value: number): void {
    this.f64[this.doubles + (coreLayout[name][0] >>> 3)] = value;
  }

  /** Power-on values of what cpu/ owns in the block but system registers. Counts of cycles and the inputs stay. */
  clear(): void {
    for (let n = 0; n <= SP_SLOT; n++) this.setX(n, 0, 0);
    this.u32.fill(0, this.wordOf('spEl3'), this.wordOf('spEl3') + 2);
    this.setValue(0, 0);
    for (const name of ['el', 'spsel', 'pstate', 'waitState', 'eventRegister', 'timerLevels'] as const)
      this.set(name, 0);
    this.setDouble('exceptions', 0);
    this.setDouble('eventsSince', 0);
    this.daif = Pstate.DAIF;
    this.nzcv = 0;
  }

  // ---- PC, general registers, the value that slow paths hand over ----

  get pcLo(): number {
    return this.u32[this.pcAt];
  }
  get pcHi(): number {
    return this.u32[this.pcAt + 1];
  }
  setPc(hi: number, lo: number): void {
    this.u32[this.pcAt] = lo;
    this.u32[this.pcAt + 1] = hi;
  }
  /** PC + 4. */
  advance(): void {
    const lo = (this.u32[this.pcAt] + 4) >>> 0;
    this.u32[this.pcAt] = lo;
    if (lo < 4) this.u32[this.pcAt + 1]++;
  }

  get valueLo(): number {
    return this.u32[this.valueAt];
  }
  get valueHi(): number {
    return this.u32[this.valueAt + 1];
  }
  setValue(hi: number, lo: number): void {
    this.u32[this.valueAt] = lo;
    this.u32[this.valueAt + 1] = hi;
  }

  /** Lower word of general register slot n. */
  xLo(n: number): number {
    return this.u32[this.base + n * 2];
  }
  xHi(n: number): number {
    return this.u32[this.base + n * 2 + 1];
  }
  setX(n: number, hi: number, lo: number): void {
    this.u32[this.base + n * 2] = lo;
    this.u32[this.base + n * 2 + 1] = hi;
  }

  // ---- system register storage ----

  lo(index: number): number {
    return this.u32[this.system + index * 2];
  }
  hi(index: number): number {
    return this.u32[this.system + index * 2 + 1];
  }
  store(index: number, hi: number, lo: number): void {
    this.u32[this.system + index * 2] = lo;
    this.u32[this.system + index * 2 + 1] = hi;
  }
  field(control: ControlField): number {
    return (this.u32[this.system + control.word] >>> control.shift) & control.mask;
  }
  bit(control: ControlField): boolean {
    return ((this.u32[this.system + control.word] >>> control.shift) & 1) !== 0;
  }

  // ---- PSTATE ----

  get el(): number {
    return this.u32[this.base + EL];
  }
  /** Physical interrupt inputs, at the bits of ISR_EL1. */
  get lines(): number {
    return this.u32[this.base + LINES];
  }
  get waiting(): number {
    return this.u32[this.base + WAIT];
  }
  get spsel(): number {
    return this.u32[this.base + SPSEL];
  }
  get daif(): number {
    return this.u32[this.base + DAIF];
  }
  set daif(value: number) {
    this.set('daif', value & Pstate.DAIF);
  }
  /** PSTATE.{IL,SS,PAN} at SPSR positions. */
  get others(): number {
    return this.u32[this.base + OTHERS];
  }
  set others(value: number) {
    this.set('pstate', value);
  }

  /** N, Z, C, V in bits 31:28, as a signed number. */
  get nzcv(): number {
    const { u32 } = this;
    const at = this.wordOf('nf');
    const zf = this.wordOf('zf');
    const vf = this.wordOf('vf');
    // 64-bit flags live in 8-byte fields: the sign is that of the upper word, zero is both words.
    const n = u32[at + 1] >>> 31 ? Pstate.N : 0;
    const z = (u32[zf] | u32[zf + 1]) === 0 ? Pstate.Z : 0;
    const c = u32[this.wordOf('cf')] ? Pstate.C : 0;
    return n | z | c | (u32[vf + 1] >>> 31 ? Pstate.V : 0);
  }
  set nzcv(value: number) {
    const { u32 } = this;
    const nf = this.wordOf('nf');
    const zf = this.wordOf('zf');
    const vf = this.wordOf('vf');
    u32[nf] = 0;
    u32[nf + 1] = value & Pstate.N;
    u32[zf] = value & Pstate.Z ? 0 : 1;
    u32[zf + 1] = 0;
    u32[this.wordOf('cf')] = (value >>> 29) & 1;
    u32[vf] = 0;
    u32[vf + 1] = value & Pstate.V ? 0x80000000 : 0;
  }

  /** PSTATE as an exception saves it in SPSR_ELx. */
  spsr(): number {
    return (this.nzcv | this.others | this.daif | modeOf(this.el, this.spsel)) >>> 0;
  }

  // ---- stack pointers ----

  /** Puts the current SP into its bank, so that all four banks are valid. */
  bankSp(): void {
    this.storeBank(this.spsel === 0 ? 0 : this.el, this.xHi(SP_SLOT), this.xLo(SP_SLOT));
  }
  private storeBank(el: number, hi: number, lo: number): void {
    if (el < 3) this.store(bank[el], hi, lo);
    else {
      this.u32[this.spEl3At] = lo;
      this.u32[this.spEl3At + 1] = hi;
    }
  }
  bankedSpLo(el: number): number {
    if (el === this.currentBank()) return this.xLo(SP_SLOT);
    return el < 3 ? this.lo(bank[el]) : this.u32[this.spEl3At];
  }
  bankedSpHi(el: number): number {
    if (el === this.currentBank()) return this.xHi(SP_SLOT);
    return el < 3 ? this.hi(bank[el]) : this.u32[this.spEl3At + 1];
  }
  /** Writes SP_ELx, wherever it is now. */
  setBankedSp(el: number, hi: number, lo: number): void {
    if (el === this.currentBank()) this.setX(SP_SLOT, hi, lo);
    else this.storeBank(el, hi, lo);
  }
  private currentBank(): number {
    return this.spsel === 0 ? 0 : this.el;
  }

  /** Changes PSTATE.EL and PSTATE.SP, and the stack pointer with them. */
  setLevel(el: number, spsel: number): void {
    const to = spsel === 0 || el === 0 ? 0 : el;
    if (to !== this.currentBank()) {
      this.bankSp();
      const hi = this.bankedSpHi(to);
      const lo = this.bankedSpLo(to);
      this.setX(SP_SLOT, hi, lo);
    }
    this.set('el', el);
    this.set('spsel', el === 0 ? 0 : spsel);
  }
}
