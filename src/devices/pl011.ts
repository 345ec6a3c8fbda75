/**
 * PL011 UART (Arm PrimeCell UART technical reference manual, r1p5), the console. Transmission takes no time: a byte written is
 * out, the transmit FIFO is always empty and never blocks. Bytes from the user wait in a queue outside of the UART and enter
 * the receive FIFO as there is room. A UART that the guest has not enabled sends and receives all the same, as on QEMU's virt.
 */
import type { Device, DeviceRegisterRow, InterruptLine } from './device';
import { partOfWord, placedInWord, primeCellRows, RegisterFile } from './registerFile';

const DR = 0x00;
const RSR = 0x04;
const FR = 0x18;
const LCR_H = 0x2c;
const CR = 0x30;
const IFLS = 0x34;
const IMSC = 0x38;
const RIS = 0x3c;
const MIS = 0x40;
const ICR = 0x44;

const FR_TXFE = 1 << 7;
const FR_RXFF = 1 << 6;
const FR_RXFE = 1 << 4;
const LCR_FEN = 1 << 4;
const CR_LBE = 1 << 7;
const INT_RX = 1 << 4;
const INT_TX = 1 << 5;
const INT_RT = 1 << 6;

const FIFO_BYTES = 16;
/** Receive trigger levels by IFLS.RXIFLSEL: an eighth, a quarter, a half, three quarters, seven eighths. */
const TRIGGER = [2, 4, 8, 12, 14] as const;

const rw = (offset: number, name: string, mask: number, doc: string, reset = 0): DeviceRegisterRow => ({
  offset,
  name,
  width: 4,
  access: 'RW',
  reset,
  mask,
  doc,
});
const ro = (offset: number, name: string, doc: string): DeviceRegisterRow => ({
  offset,
  name,
  width: 4,
  access: 'RO',
  reset: 0,
  doc,
});

export const pl011Registers: readonly DeviceRegisterRow[] = [
  rw(DR, 'UARTDR', 0xff, 'Data Register'),
  rw(RSR, 'UARTRSR', 0, 'Receive Status Register, Error Clear Register'),
  ro(FR, 'UARTFR', 'Flag Register'),
  rw(0x20, 'UARTILPR', 0xff, 'IrDA Low-Power Counter Register'),
  rw(0x24, 'UARTIBRD', 0xffff, 'Integer Baud Rate Register'),
  rw(0x28, 'UARTFBRD', 0x3f, 'Fractional Baud Rate Register'),
  rw(LCR_H, 'UARTLCR_H', 0xff, 'Line Control Register'),
  rw(CR, 'UARTCR', 0xff87, 'Control Register', 0x300),
  rw(IFLS, 'UARTIFLS', 0x3f, 'Interrupt FIFO Level Select Register', 0x12),
  rw(IMSC, 'UARTIMSC', 0x7ff, 'Interrupt Mask Set/Clear Register'),
  ro(RIS, 'UARTRIS', 'Raw Interrupt Status Register'),
  ro(MIS, 'UARTMIS', 'Masked Interrupt Status Register'),
  { offset: ICR, name: 'UARTICR', width: 4, access: 'WO', reset: 0, mask: 0x7ff, doc: 'Interrupt Clear Register' },
  rw(0x48, 'UARTDMACR', 0x7, 'DMA Control Register'),
  ...primeCellRows(0x011, 0x41, 1),
];

export interface Pl011Ports {
  readonly interrupt: InterruptLine;
  /** A byte that the guest sent. */
  output(byte: number): void;
}

interface Pl011State {
  readonly registers: [number, number][];
  readonly fifo: readonly number[];
  readonly queue: readonly number[];
  readonly raw: number;
}

export class Pl011 implements Device {
  readonly size = 0x1000;
  readonly registers = pl011Registers;
  private readonly file = new RegisterFile(pl011Registers);
  private fifo: number[] = [];
  private queue: number[] = [];
  /** Raw interrupt status. */
  private raw = 0;

  constructor(
    readonly name: string,
    readonly base: number,
    private readonly ports: Pl011Ports,
  ) {}

  /** Everything as after power-up; what the user typed and the guest has not yet read stays. */
  reset(): void {
    this.file.reset();
    this.queue = [...this.fifo, ...this.queue];
    this.fifo = [];
    this.raw = 0;
    this.receive();
    this.update();
  }

  /** Bytes from the user. */
  input(bytes: Uint8Array): void {
    for (const byte of bytes) this.queue.push(byte);
    this.receive();
    this.update();
  }

  /** Bytes typed and not yet read by the guest. */
  pendingInput(): number {
    return this.fifo.length + this.queue.length;
  }

  private depth(): number {
    return (this.file.get(LCR_H) & LCR_FEN) === 0 ? 1 : FIFO_BYTES;
  }

  private trigger(): number {
    return this.depth() === 1 ? 1 : (TRIGGER[(this.file.get(IFLS) >> 3) & 7] ?? 8);
  }

  /**
   * Moves queued bytes into the FIFO. Below the trigger level the timeout interrupt says that there is something to read:
   * the line is idle at once, since time does not pass between bytes.
   */
  private receive(): void {
    let moved = false;
    while (this.queue.length > 0 && this.fifo.length < this.depth()) {
      this.fifo.push(this.queue.shift()!);
      moved = true;
    }
    if (moved) this.raw |= this.fifo.length >= this.trigger() ? INT_RX : INT_RT;
  }

  private readData(): number {
    const byte = this.fifo.shift() ?? 0;
    if (this.fifo.length < this.trigger()) this.raw &= ~INT_RX;
    if (this.fifo.length === 0) this.raw &= ~INT_RT;
    this.receive();
    this.update();
    return byte;
  }

  private flags(): number {
    let flags = FR_TXFE;
    if (this.fifo.length === 0) flags |= FR_RXFE;
    if (this.fifo.length >= this.depth()) flags |= FR_RXFF;
    return flags;
  }

  private update(): void {
    this.ports.interrupt.set((this.raw & this.file.get(IMSC)) !== 0);
  }

  private transmit(byte: number): void {
    if ((this.file.get(CR) & CR_LBE) !== 0) {
      this.queue.push(byte);
      this.receive();
    } else {
      this.ports.output(byte);
    }
    this.raw |= INT_TX;
    this.update();
  }

  private word(offset: number): number {
    switch (offset) {
      case DR:
        return this.fifo[0] ?? 0;
      case FR:
        return this.flags();
      case RIS:
        return this.raw;
      case MIS:
        return this.raw & this.file.get(IMSC);
      default:
        return this.file.get(offset);
    }
  }

  peek(offset: number, size: number): number | undefined {
    return partOfWord(this.word(offset & ~3), offset, size);
  }

  read(offset: number, size: number): number {
    const word = (offset & ~3) === DR ? this.readData() : this.word(offset & ~3);
    return partOfWord(word, offset, size);
  }

  write(offset: number, size: number, value: number): void {
    const at = offset & ~3;
    const word = placedInWord(value, offset, size);
    switch (at) {
      case DR:
        this.transmit(word & 0xff);
        return;
      case ICR:
        this.raw &= ~word;
        break;
      case LCR_H:
        this.changeDepth(word);
        break;
      default:
        this.file.write(at, word);
    }
    this.update();
  }

  /** Switching the FIFO on or off: what it held goes back to the queue and in again, so no typed byte is lost. */
  private changeDepth(lineControl: number): void {
    const before = this.depth();
    this.file.write(LCR_H, lineControl);
    if (this.depth() === before) return;
    this.queue = [...this.fifo, ...this.queue];
    this.fifo = [];
    this.raw &= ~(INT_RX | INT_RT);
    this.receive();
  }

  save(): Pl011State {
    return { registers: this.file.save(), fifo: [...this.fifo], queue: [...this.queue], raw: this.raw };
  }

  load(state: unknown): void {
    const { registers, fifo, queue, raw } = state as Pl011State;
    this.file.load(registers);
    this.fifo = [...fifo];
    this.queue = [...queue];
    this.raw = raw;
    this.update();
  }
}
