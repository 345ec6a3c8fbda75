/**
 * PL031 real-time clock (Arm PrimeCell Real Time Clock technical reference manual). Seconds follow guest time from a fixed
 * date, so that a run can be repeated to the instruction.
 */
import type { Clock, Device, DeviceRegisterRow, InterruptLine } from './device';
import { partOfWord, placedInWord, primeCellRows, RegisterFile, wordRow } from './registerFile';

const DR = 0x00;
const MR = 0x04;
const LR = 0x08;
const CR = 0x0c;
const IMSC = 0x10;
const RIS = 0x14;
const MIS = 0x18;
const ICR = 0x1c;

/** Seconds from 1970-01-01 to 2024-01-01, both UTC: what the clock shows when the guest starts. */
export const RTC_START_SECONDS = 1_704_067_200;

export const pl031Registers: readonly DeviceRegisterRow[] = [
  wordRow(DR, 'RTCDR', 'RO', 'Data Register'),
  wordRow(MR, 'RTCMR', 'RW', 'Match Register'),
  wordRow(LR, 'RTCLR', 'RW', 'Load Register'),
  wordRow(CR, 'RTCCR', 'RW', 'Control Register: the clock runs and cannot be stopped', { reset: 1, mask: 0 }),
  wordRow(IMSC, 'RTCIMSC', 'RW', 'Interrupt Mask Set or Clear Register', { mask: 1 }),
  wordRow(RIS, 'RTCRIS', 'RO', 'Raw Interrupt Status'),
  wordRow(MIS, 'RTCMIS', 'RO', 'Masked Interrupt Status'),
  wordRow(ICR, 'RTCICR', 'WO', 'Interrupt Clear Register', { mask: 1 }),
  ...primeCellRows(0x031, 0x41, 1),
];

interface Pl031State {
  readonly registers: [number, number][];
  readonly offset: number;
  readonly raw: number;
  readonly alarm: number;
}

export class Pl031 implements Device {
  readonly size = 0x1000;
  readonly registers = pl031Registers;
  private readonly file = new RegisterFile(pl031Registers);
  /** Seconds between guest time and what the clock shows. */
  private offset = RTC_START_SECONDS;
  private raw = 0;
  /** Guest second at which the match comes, or -1. */
  private alarm = -1;

  constructor(
    readonly name: string,
    readonly base: number,
    private readonly clock: Clock,
    private readonly interrupt: InterruptLine,
  ) {}

  reset(): void {
    this.file.reset();
    this.offset = RTC_START_SECONDS;
    this.raw = 0;
    this.setAlarm(-1);
    this.update();
  }

  private guestSeconds(): number {
    return Math.floor(this.clock.now() / 1e9);
  }

  private count(): number {
    return (this.guestSeconds() + this.offset) % 2 ** 32;
  }

  private update(): void {
    this.interrupt.set((this.raw & this.file.get(IMSC)) !== 0);
  }

  /** The match fires when the count becomes equal to RTCMR: at once, or up to 2^32 - 1 seconds from now. */
  private scheduleMatch(): void {
    const wait = (((this.file.get(MR) - this.count()) % 2 ** 32) + 2 ** 32) % 2 ** 32;
    if (wait === 0) {
      this.setAlarm(-1);
      this.matched();
    } else {
      this.setAlarm(this.guestSeconds() + wait);
    }
  }

  private setAlarm(second: number): void {
    this.alarm = second;
    this.clock.schedule(this.name, second < 0 ? Number.POSITIVE_INFINITY : second * 1e9, () => {
      this.alarm = -1;
      this.matched();
    });
  }

  private matched(): void {
    this.raw = 1;
    this.update();
  }

  private word(offset: number): number {
    switch (offset) {
      case DR:
        return this.count();
      case RIS:
        return this.raw;
      case MIS:
        return this.raw & this.file.get(IMSC);
      default:
        return this.file.get(offset);
    }
  }

  peek(offset: number, size: number): number | undefined {
    return this.read(offset, size);
  }

  read(offset: number, size: number): number {
    return partOfWord(this.word(offset & ~3), offset, size);
  }

  write(offset: number, size: number, value: number): void {
    const at = offset & ~3;
    const word = placedInWord(value, offset, size);
    this.file.write(at, word);
    if (at === LR) this.offset = word - this.guestSeconds();
    if (at === LR || at === MR) this.scheduleMatch();
    if (at === ICR && (word & 1) === 1) this.raw = 0;
    this.update();
  }

  save(): Pl031State {
    return { registers: this.file.save(), offset: this.offset, raw: this.raw, alarm: this.alarm };
  }

  load(state: unknown): void {
    const { registers, offset, raw, alarm } = state as Pl031State;
    this.file.load(registers);
    this.offset = offset;
    this.raw = raw;
    this.setAlarm(alarm);
    this.update();
  }
}
