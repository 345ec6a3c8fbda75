/**
 * PL061 GPIO (Arm PrimeCell General Purpose Input/Output technical reference manual): eight pins. On the board pin 3 is the
 * power key, which goes high while it is held down; what the guest drives on outputs goes nowhere.
 */
import type { Device, DeviceRegisterRow, InterruptLine } from './device';
import { partOfWord, placedInWord, primeCellRows, RegisterFile, wordRow } from './registerFile';

/** GPIODATA stands 256 times: address bits 9:2 say which pins an access is about. */
const DATA_END = 0x400;
const DIR = 0x400;
const IS = 0x404;
const IBE = 0x408;
const IEV = 0x40c;
const IE = 0x410;
const RIS = 0x414;
const MIS = 0x418;
const IC = 0x41c;

const row = (offset: number, name: string, access: DeviceRegisterRow['access'], doc: string): DeviceRegisterRow =>
  wordRow(offset, name, access, doc, { mask: 0xff });

export const pl061Registers: readonly DeviceRegisterRow[] = [
  { ...row(0, 'GPIODATA', 'RW', 'pins; address bits 9:2 are the mask of an access'), count: DATA_END / 4 },
  row(DIR, 'GPIODIR', 'RW', 'direction: 1 is output'),
  row(IS, 'GPIOIS', 'RW', 'interrupt sense: 1 is level'),
  row(IBE, 'GPIOIBE', 'RW', 'interrupt on both edges'),
  row(IEV, 'GPIOIEV', 'RW', 'interrupt event: 1 is rising edge or high level'),
  row(IE, 'GPIOIE', 'RW', 'interrupt mask'),
  row(RIS, 'GPIORIS', 'RO', 'raw interrupt status'),
  row(MIS, 'GPIOMIS', 'RO', 'masked interrupt status'),
  row(IC, 'GPIOIC', 'WO', 'interrupt clear, of edges'),
  row(0x420, 'GPIOAFSEL', 'RW', 'hardware control of pins: there is none'),
  ...primeCellRows(0x061, 0x41, 0),
];

interface Pl061State {
  readonly registers: [number, number][];
  readonly pins: number;
  readonly seen: number;
  readonly edges: number;
}

export class Pl061 implements Device {
  readonly size = 0x1000;
  readonly registers = pl061Registers;
  private readonly file = new RegisterFile(pl061Registers.filter((r) => r.offset >= DATA_END));
  /** Levels of the pins: driven from outside, or by the guest where they are outputs; else they stay as they were. */
  private pins = 0;
  /** Levels when an input last changed, as QEMU's device remembers them. */
  private seen = 0;
  /** Edges seen and not yet cleared. */
  private edges = 0;

  constructor(
    readonly name: string,
    readonly base: number,
    private readonly interrupt: InterruptLine,
  ) {}

  /** Everything but the levels of the pins. */
  reset(): void {
    this.file.reset();
    this.seen = this.pins;
    this.edges = 0;
    this.update();
  }

  /** A pin's level from outside; outputs are stronger. */
  setPin(pin: number, level: boolean): void {
    const mask = (1 << pin) & ~this.file.get(DIR);
    this.pins = level ? this.pins | mask : this.pins & ~mask;
    this.update();
  }

  private raw(): number {
    const levels = this.file.get(IS) & ~(this.pins ^ this.file.get(IEV));
    return (levels | this.edges) & 0xff;
  }

  private update(): void {
    const inputs = ~this.file.get(DIR);
    const changed = (this.pins ^ this.seen) & inputs;
    if (changed !== 0) this.seen = this.pins;
    const wanted = this.file.get(IBE) | ~(this.pins ^ this.file.get(IEV));
    // A pin that is watched for levels remembers no edges.
    this.edges = (this.edges | (changed & wanted)) & ~this.file.get(IS) & 0xff;
    this.interrupt.set((this.raw() & this.file.get(IE)) !== 0);
  }

  private word(offset: number): number {
    if (offset < DATA_END) return this.pins & (offset >> 2);
    if (offset === RIS) return this.raw();
    if (offset === MIS) return this.raw() & this.file.get(IE);
    return this.file.get(offset);
  }

  peek(offset: number, size: number): number | undefined {
    return this.read(offset, size);
  }

  read(offset: number, size: number): number {
    return partOfWord(this.word(offset & ~3), offset, size);
  }

  write(offset: number, size: number, value: number): void {
    const at = offset & ~3;
    const word = placedInWord(value, offset, size) & 0xff;
    if (at < DATA_END) {
      const mask = (at >> 2) & this.file.get(DIR);
      this.pins = (this.pins & ~mask) | (word & mask);
    } else if (at === IC) this.edges &= ~word;
    else this.file.write(at, word);
    this.update();
  }

  save(): Pl061State {
    const { pins, seen, edges } = this;
    return { registers: this.file.save(), pins, seen, edges };
  }

  load(state: unknown): void {
    const { registers, pins, seen, edges } = state as Pl061State;
    this.file.load(registers);
    Object.assign(this, { pins, seen, edges });
    this.update();
  }
}
