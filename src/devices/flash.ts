/**
 * Parallel NOR flash with the Intel command set (Common Flash Interface, JEDEC JESD68.01; command set 0001): a 32-bit bank of
 * two 16-bit chips side by side, as on QEMU's virt. The contents live in the memory system, which serves reads by itself while
 * the bank is in read-array mode; in any other mode reads must come here, which `arrayMode` announces. Programming and erasing
 * take no time: the status register always says ready.
 */
import type { Device, DeviceRegisterRow } from './device';
import { partOfWord, placedInWord } from './registerFile';

export const FLASH_SECTOR_BYTES = 256 * 1024;

const CHIPS = 2;
const BANK_BYTES = 4;
const READY = 0x80;
const SEQUENCE_ERROR = 0x30;

const Command = {
  ReadArray: 0xff,
  ReadArrayOld: 0x00,
  ReadArrayAmd: 0xf0,
  Program: 0x40,
  ProgramOld: 0x10,
  Erase: 0x20,
  ClearStatus: 0x50,
  Lock: 0x60,
  ReadStatus: 0x70,
  ReadId: 0x90,
  Query: 0x98,
  WriteBuffer: 0xe8,
  Confirm: 0xd0,
  SetLock: 0x01,
} as const;

type Mode = 'array' | 'status' | 'id' | 'query';
type Step = 'command' | 'program' | 'erase' | 'lock' | 'count' | 'data' | 'confirm';

export interface FlashPorts {
  /** The contents, kept in place; as long as the bank. */
  readonly bytes: Uint8Array;
  /** Contents changed by programming or erasing, not by a store: caches and copies must follow. */
  changed(offset: number, length: number): void;
  /** True: the memory system may serve reads from `bytes`; false: reads must come to the device. */
  arrayMode(on: boolean): void;
}

const ro = (offset: number, name: string, reset: number, doc: string, count?: number): DeviceRegisterRow => ({
  offset,
  name,
  width: 4,
  access: 'RO',
  reset,
  doc,
  ...(count === undefined ? {} : { count }),
});

/** The CFI query table of one chip, by 16-bit address. */
export function cfiTable(bankBytes: number): ReadonlyMap<number, number> {
  const chipBytes = bankBytes / CHIPS;
  const blocks = bankBytes / FLASH_SECTOR_BYTES - 1;
  const blockUnits = FLASH_SECTOR_BYTES / CHIPS / 256;
  const rows: [number, number[]][] = [
    [0x10, [0x51, 0x52, 0x59]], // "QRY"
    [0x13, [0x01, 0x00]], // command set: Intel
    [0x15, [0x31, 0x00]], // address of the extended table
    [0x1b, [0x45, 0x55]], // supply, 4.5 to 5.5 V
    [0x1f, [0x07, 0x07, 0x0a, 0x00]], // typical times, log2: word, buffer (us), block (ms)
    [0x23, [0x04, 0x04, 0x04, 0x00]], // most times, log2 of the multiple
    [0x27, [Math.log2(chipBytes)]],
    [0x28, [0x02, 0x00]], // x8 and x16
    [0x2a, [0x0b, 0x00]], // write buffer of 2 KB a chip
    [0x2c, [0x01]], // one region of equal blocks
    [0x2d, [blocks & 0xff, blocks >> 8, blockUnits & 0xff, blockUnits >> 8]],
    [0x31, [0x50, 0x52, 0x49, 0x31, 0x30]], // "PRI10"
    [0x3f, [0x01]], // one protection field
  ];
  return new Map(rows.flatMap(([at, values]) => values.map((value, i) => [at + i, value] as const)));
}

/** What each chip answers to Read ID: manufacturer and device. */
const IDENTIFICATION = [0x89, 0x18];

interface FlashState {
  readonly mode: Mode;
  readonly step: Step;
  readonly status: number;
  readonly left: number;
  readonly buffer: readonly [number, number][];
}

export class Flash implements Device {
  readonly size: number;
  readonly registers: readonly DeviceRegisterRow[];
  private readonly table: ReadonlyMap<number, number>;
  private mode: Mode = 'array';
  private step: Step = 'command';
  private status = READY;
  /** Words still to come for the write buffer. */
  private left = 0;
  /** Write buffer: offset and value of each byte. */
  private buffer: [number, number][] = [];

  constructor(
    readonly name: string,
    readonly base: number,
    private readonly ports: FlashPorts,
  ) {
    this.size = ports.bytes.length;
    this.table = cfiTable(this.size);
    this.registers = [ro(0, 'array', 0, 'contents in read-array mode; commands are written anywhere', this.size / 4)];
  }

  reset(): void {
    this.step = 'command';
    this.status = READY;
    this.buffer = [];
    this.left = 0;
    this.enter('array');
  }

  private enter(mode: Mode): void {
    if ((mode === 'array') !== (this.mode === 'array')) this.ports.arrayMode(mode === 'array');
    this.mode = mode;
  }

  /** One chip's answer, given by both. */
  private chipWord(value: number): number {
    return (value | (value << 16)) >>> 0;
  }

  private word(offset: number): number {
    const { bytes } = this.ports;
    const index = offset / BANK_BYTES;
    switch (this.mode) {
      case 'array':
        return (bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24)) >>> 0;
      case 'status':
        return this.chipWord(this.status);
      case 'id':
        return this.chipWord(IDENTIFICATION[index & 0xff] ?? 0);
      case 'query':
        return this.chipWord(this.table.get(index) ?? 0);
    }
  }

  read(offset: number, size: number): number {
    return partOfWord(this.word(offset & ~3), offset, size);
  }

  /** The debugger sees what a read would give, in whatever mode the bank is. */
  peek(offset: number, size: number): number | undefined {
    return this.read(offset, size);
  }

  write(offset: number, size: number, value: number): void {
    switch (this.step) {
      case 'command':
        this.command(value & 0xff);
        return;
      case 'program':
        this.program(this.bytesOf(offset, size, value));
        this.finish(READY);
        return;
      case 'erase':
        this.confirmErase(offset, value & 0xff);
        return;
      case 'lock':
        // Blocks are never locked: both answers succeed.
        this.finish(value === Command.SetLock || (value & 0xff) === Command.Confirm ? READY : READY | SEQUENCE_ERROR);
        return;
      case 'count':
        this.left = (placedInWord(value, offset, size) & 0xffff) + 1;
        this.buffer = [];
        this.step = 'data';
        return;
      case 'data':
        this.buffer.push(...this.bytesOf(offset, size, value));
        if (--this.left === 0) this.step = 'confirm';
        return;
      case 'confirm':
        if ((value & 0xff) === Command.Confirm) {
          this.program(this.buffer);
          this.finish(READY);
        } else {
          this.finish(READY | SEQUENCE_ERROR);
        }
        this.buffer = [];
    }
  }

  private bytesOf(offset: number, size: number, value: number): [number, number][] {
    return Array.from({ length: size }, (_, i) => [offset + i, (value >>> (8 * i)) & 0xff]);
  }

  private command(command: number): void {
    switch (command) {
      case Command.ReadArray:
      case Command.ReadArrayOld:
      case Command.ReadArrayAmd:
        this.enter('array');
        return;
      case Command.ReadId:
        this.enter('id');
        return;
      case Command.Query:
        this.enter('query');
        return;
      case Command.ClearStatus:
        this.status = READY;
        return;
      case Command.Program:
      case Command.ProgramOld:
        this.step = 'program';
        break;
      case Command.Erase:
        this.step = 'erase';
        break;
      case Command.Lock:
        this.step = 'lock';
        break;
      case Command.WriteBuffer:
        this.step = 'count';
        break;
      case Command.ReadStatus:
        break;
      default:
        // QEMU's bank goes back to its contents, and firmware that stores to its own flash by mistake relies on that.
        this.enter('array');
        return;
    }
    this.enter('status');
  }

  private finish(status: number): void {
    this.status |= status;
    this.step = 'command';
    this.enter('status');
  }

  /** Programming clears bits and never sets one. */
  private program(bytes: readonly [number, number][]): void {
    let low = this.size;
    let high = 0;
    for (const [offset, value] of bytes) {
      if (offset >= this.size) continue;
      this.ports.bytes[offset] &= value;
      low = Math.min(low, offset);
      high = Math.max(high, offset + 1);
    }
    if (high > low) this.ports.changed(low, high - low);
  }

  private confirmErase(offset: number, command: number): void {
    if (command !== Command.Confirm) {
      this.finish(READY | SEQUENCE_ERROR);
      return;
    }
    const start = offset - (offset % FLASH_SECTOR_BYTES);
    this.ports.bytes.fill(0xff, start, start + FLASH_SECTOR_BYTES);
    this.ports.changed(start, FLASH_SECTOR_BYTES);
    this.finish(READY);
  }

  /** Contents are the memory system's to save. */
  save(): FlashState {
    const { mode, step, status, left } = this;
    return { mode, step, status, left, buffer: this.buffer.map(([at, value]) => [at, value]) };
  }

  load(state: unknown): void {
    const { mode, step, status, left, buffer } = state as FlashState;
    Object.assign(this, { step, status, left });
    this.buffer = buffer.map(([at, value]) => [at, value]);
    this.enter(mode);
  }
}
