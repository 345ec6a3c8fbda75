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

type DoubleField = 'penalty' | 'instructions' | 'exceptions' | 'returns' | 'aborted' | 'eventsSince';

/** Word offset of a field in the block. */
const wordOf = (name: keyof typeof coreLayout): number => coreLayout[name][0] >>> 2;

/** Those of fields that every exception or every run of a core touches: constants, not look-ups by name. */
const PC = wordOf('pc');
const VALUE = wordOf('value');
const V = wordOf('v');
const NF = wordOf('nf');
const ZF = wordOf('zf');
const VF = wordOf('vf');
const CF = wordOf('cf');
const EL = wordOf('el');
const SPSEL = wordOf('spsel');
const DAIF = wordOf('daif');
const OTHERS = wordOf('pstate');
const LINES = wordOf('lines');
const VIRTUAL_LINES = wordOf('virtualLines');
const WAIT = wordOf('waitState');
const SP_EL3 = wordOf('spEl3');
const MONITOR_BASES = wordOf('monitorBases') >>> 1;

const bank = [registerIndex('SP_EL0'), registerIndex('SP_EL1'), registerIndex('SP_EL2')];

export class CoreState {
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  /** Word index of system register storage. */
  readonly system: number;
  private readonly base: number;
  private readonly doubles: number;

  constructor(buffer: ArrayBuffer, block: number) {
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.base = block >>> 2;
    this.doubles = block >>> 3;
    this.system = this.base + wordOf('system');
  }

  /** A 32-bit field of the block. */
  get(name: keyof typeof coreLayout): number {
    return this.u32[this.base + wordOf(name)];
  }
  set(name: keyof typeof coreLayout, value: number): void {
    this.u32[this.base + wordOf(name)] = value;
  }
  /** A branch that sets PSTATE.BTYPE came to (hi, lo), whose instruction runs with BTYPE clear unless it is BRK. */
  setLanded(hi: number, lo: number, type: number): void {
    const at = this.base + wordOf('landed');
    this.u32[at] = lo | type;
    this.u32[at + 1] = hi;
  }
  /** PSTATE.BTYPE as the branch left it that came to the PC; 0 if none did. */
  landedType(): number {
    const at = this.base + wordOf('landed');
    const [lo, hi] = [this.u32[at], this.u32[at + 1]];
    return (lo & ~3) >>> 0 === this.pcLo && hi === this.pcHi ? lo & 3 : 0;
  }
  getDouble(name: DoubleField): number {
    return this.f64[this.doubles + (coreLayout[name][0] >>> 3)];
  }
  setDouble(name: DoubleField, value: number): void {
    this.f64[this.doubles + (coreLayout[name][0] >>> 3)] = value;
  }

  /** The model's total at which counter n of the performance monitors was last brought up to date. */
  monitorBase(n: number): number {
    return this.f64[this.doubles + MONITOR_BASES + n];
  }
  setMonitorBase(n: number, total: number): void {
    this.f64[this.doubles + MONITOR_BASES + n] = total;
  }

  /** Power-on values of what cpu/ owns in the block but system registers. Counts of cycles and the inputs stay. */
  clear(): void {
    for (let n = 0; n <= SP_SLOT; n++) this.setX(n, 0, 0);
    this.u32.fill(0, this.base + SP_EL3, this.base + SP_EL3 + 2);
    this.setValue(0, 0);
    this.u32.fill(0, this.base + V, this.base + V + 4 * 32);
    for (const name of ['el', 'spsel', 'pstate', 'waitState', 'eventRegister', 'timerLevels'] as const)
      this.set(name, 0);
    this.setDouble('exceptions', 0);
    this.setDouble('returns', 0);
    this.setDouble('aborted', 0);
    this.setDouble('eventsSince', 0);
    this.daif = Pstate.DAIF;
    this.nzcv = 0;
  }

  // ---- PC, general registers, the value that slow paths hand over ----

  get pcLo(): number {
    return this.u32[this.base + PC];
  }
  get pcHi(): number {
    return this.u32[this.base + PC + 1];
  }
  setPc(hi: number, lo: number): void {
    this.u32[this.base + PC] = lo;
    this.u32[this.base + PC + 1] = hi;
  }
  /** PC + 4. */
  advance(): void {
    const lo = (this.u32[this.base + PC] + 4) >>> 0;
    this.u32[this.base + PC] = lo;
    if (lo < 4) this.u32[this.base + PC + 1]++;
  }

  get valueLo(): number {
    return this.u32[this.base + VALUE];
  }
  get valueHi(): number {
    return this.u32[this.base + VALUE + 1];
  }
  setValue(hi: number, lo: number): void {
    this.u32[this.base + VALUE] = lo;
    this.u32[this.base + VALUE + 1] = hi;
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

  /** Word `word` (0 to 3, least significant first) of SIMD&FP register n. */
  vWord(n: number, word: number): number {
    return this.u32[this.base + V + n * 4 + word];
  }
  setVWord(n: number, word: number, value: number): void {
    this.u32[this.base + V + n * 4 + word] = value;
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
    return this.bitOf(control.word, control.shift);
  }
  bitOf(word: number, shift: number): boolean {
    return ((this.u32[this.system + word] >>> shift) & 1) !== 0;
  }

  // ---- PSTATE ----

  get el(): number {
    return this.u32[this.base + EL];
  }
  /** Physical interrupt inputs, at the bits of ISR_EL1. */
  get lines(): number {
    return this.u32[this.base + LINES];
  }
  /** Virtual interrupts that the interrupt controller signals, at the same bits. */
  get virtualLines(): number {
    return this.u32[this.base + VIRTUAL_LINES];
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
    this.u32[this.base + DAIF] = value & Pstate.DAIF;
  }
  /** PSTATE.{IL,SS,PAN} at SPSR positions. */
  get others(): number {
    return this.u32[this.base + OTHERS];
  }
  set others(value: number) {
    this.u32[this.base + OTHERS] = value;
  }

  /** N, Z, C, V in bits 31:28, as a signed number. The sign of an 8-byte flag is that of its upper word. */
  get nzcv(): number {
    const { u32, base } = this;
    const n = u32[base + NF + 1] & Pstate.N;
    const z = (u32[base + ZF] | u32[base + ZF + 1]) === 0 ? Pstate.Z : 0;
    const c = u32[base + CF] !== 0 ? Pstate.C : 0;
    return n | z | c | (u32[base + VF + 1] >>> 31 ? Pstate.V : 0);
  }
  set nzcv(value: number) {
    const { u32, base } = this;
    u32[base + NF] = 0;
    u32[base + NF + 1] = value & Pstate.N;
    u32[base + ZF] = value & Pstate.Z ? 0 : 1;
    u32[base + ZF + 1] = 0;
    u32[base + CF] = (value >>> 29) & 1;
    u32[base + VF] = 0;
    u32[base + VF + 1] = value & Pstate.V ? 0x80000000 : 0;
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
      this.u32[this.base + SP_EL3] = lo;
      this.u32[this.base + SP_EL3 + 1] = hi;
    }
  }
  bankedSpLo(el: number): number {
    if (el === this.currentBank()) return this.xLo(SP_SLOT);
    return el < 3 ? this.lo(bank[el]) : this.u32[this.base + SP_EL3];
  }
  bankedSpHi(el: number): number {
    if (el === this.currentBank()) return this.xHi(SP_SLOT);
    return el < 3 ? this.hi(bank[el]) : this.u32[this.base + SP_EL3 + 1];
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
    this.u32[this.base + EL] = el;
    this.u32[this.base + SPSEL] = el === 0 ? 0 : spsel;
  }
}
