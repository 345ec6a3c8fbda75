/**
 * QEMU's firmware configuration device, memory-mapped (QEMU's documentation, "QEMU Firmware Configuration Device"): items
 * selected by a 16-bit key are read byte by byte through the data register, or through DMA. Numbers of the interface itself
 * are big-endian, items keep the order of their bytes. Items are read-only here; what lies beyond their end reads as 0.
 */
import { encodeUtf8 } from '../base/utf8';
import type { Device, DeviceRegisterRow, DmaPort } from './device';

const DATA = 0x00;
const SELECTOR = 0x08;
const DMA_HIGH = 0x10;
const DMA_LOW = 0x14;

/** Keys of items that have a number instead of a name. */
export const FwCfgKey = {
  Signature: 0x00,
  Id: 0x01,
  Uuid: 0x02,
  RamSize: 0x03,
  NoGraphic: 0x04,
  CpuCount: 0x05,
  KernelSize: 0x08,
  InitrdSize: 0x0b,
  BootMenu: 0x0e,
  MaxCpus: 0x0f,
  KernelData: 0x11,
  InitrdData: 0x12,
  CommandLineSize: 0x14,
  CommandLineData: 0x15,
  Directory: 0x19,
  FirstFile: 0x20,
} as const;

/** The traditional interface and the one by DMA. */
const FEATURES = 3;
const DIRECTORY_NAME_BYTES = 56;

/** Bits of a DMA access's control word; the selector stands in its upper half. */
const Control = { Error: 1, Read: 2, Skip: 4, Select: 8, Write: 16 } as const;
const ACCESS_BYTES = 16;
/** Read from the DMA register: "QEMU CFG". */
const DMA_SIGNATURE = [0x51454d55, 0x20434647] as const;
/** Bytes moved to the guest at once. */
const CHUNK = 65536;

const doc = (offset: number, name: string, width: 2 | 4, access: 'RW' | 'RO' | 'WO', text: string) =>
  ({ offset, name, width, access, reset: 0, doc: text }) satisfies DeviceRegisterRow;

export const fwCfgRegisters: readonly DeviceRegisterRow[] = [
  { ...doc(DATA, 'Data', 4, 'RO', 'next bytes of the selected item'), count: 2 },
  doc(SELECTOR, 'Selector', 2, 'WO', 'key of the item, big-endian'),
  doc(DMA_HIGH, 'DmaAddressHigh', 4, 'RW', 'address of an access structure, big-endian; reads as a signature'),
  doc(DMA_LOW, 'DmaAddressLow', 4, 'RW', 'its low half: starts the access'),
];

/** Little-endian numbers, as most items are. */
export function numberItem(value: number, bytes: 2 | 4 | 8): Uint8Array {
  const item = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) item[i] = Math.floor(value / 2 ** (8 * i)) & 0xff;
  return item;
}

export interface FwCfgItems {
  /** By key. */
  readonly numbered: ReadonlyMap<number, Uint8Array>;
  /** By name, listed in the directory. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Every item by its key: the numbered ones, the interface's own, the directory and the files. */
function allItems({ numbered, files }: FwCfgItems): ReadonlyMap<number, Uint8Array> {
  const names = [...files.keys()].sort();
  const directory = new Uint8Array(4 + 64 * names.length);
  const view = new DataView(directory.buffer);
  view.setUint32(0, names.length);
  const items = new Map<number, Uint8Array>([
    ...numbered,
    [FwCfgKey.Signature, encodeUtf8('QEMU')],
    [FwCfgKey.Id, numberItem(FEATURES, 4)],
    [FwCfgKey.Directory, directory],
  ]);
  names.forEach((name, i) => {
    const content = files.get(name)!;
    const at = 4 + 64 * i;
    view.setUint32(at, content.length);
    view.setUint16(at + 4, FwCfgKey.FirstFile + i);
    directory.set(encodeUtf8(name).subarray(0, DIRECTORY_NAME_BYTES - 1), at + 8);
    items.set(FwCfgKey.FirstFile + i, content);
  });
  return items;
}

const swapped = (word: number): number =>
  (((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;

interface FwCfgState {
  readonly key: number;
  readonly offset: number;
  readonly dmaHigh: number;
}

export class FwCfg implements Device {
  readonly size = 0x18;
  readonly registers = fwCfgRegisters;
  private readonly items: ReadonlyMap<number, Uint8Array>;
  private key = 0;
  private offset = 0;
  /** High half of the DMA address, until the low half comes. */
  private dmaHigh = 0;

  constructor(
    readonly name: string,
    readonly base: number,
    items: FwCfgItems,
    private readonly dma: DmaPort,
  ) {
    this.items = allItems(items);
  }

  reset(): void {
    this.select(0);
    this.dmaHigh = 0;
  }

  private select(key: number): void {
    this.key = key;
    this.offset = 0;
  }

  private byteAt(offset: number): number {
    return this.items.get(this.key)?.[offset] ?? 0;
  }

  /** `size` bytes from `offset` of the item, the first one lowest. */
  private bytesAt(offset: number, size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value += this.byteAt(offset + i) * 2 ** (8 * i);
    return value;
  }

  private register(offset: number, size: number): number {
    if (offset < SELECTOR) return this.bytesAt(this.offset, size);
    if (offset < DMA_HIGH) return 0;
    let value = 0;
    for (let i = 0; i < size; i++) {
      const at = offset - DMA_HIGH + i;
      value += ((DMA_SIGNATURE[at >> 2] >>> (24 - 8 * (at & 3))) & 0xff) * 2 ** (8 * i);
    }
    return value;
  }

  peek(offset: number, size: number): number | undefined {
    return this.register(offset, size);
  }

  read(offset: number, size: number): number {
    const value = this.register(offset, size);
    if (offset < SELECTOR) this.offset += size;
    return value;
  }

  write(offset: number, size: number, value: number): void {
    if (offset === SELECTOR && size >= 2) this.select(swapped(value) >>> 16);
    else if (offset === DMA_HIGH && size === 4) this.dmaHigh = swapped(value);
    else if (offset === DMA_LOW && size === 4) this.access(this.dmaHigh * 2 ** 32 + swapped(value));
  }

  /** One access by DMA; its structure is at `address`, the result replaces the control word. */
  private access(address: number): void {
    this.dmaHigh = 0;
    const structure = new Uint8Array(ACCESS_BYTES);
    if (!this.dma.read(address, structure)) return;
    const view = new DataView(structure.buffer);
    const control = view.getUint32(0);
    if (control & Control.Select) this.select(control >>> 16);
    const ok = this.transfer(control, view.getUint32(4), Number(view.getBigUint64(8)));
    view.setUint32(0, ok ? 0 : Control.Error);
    this.dma.write(address, structure.subarray(0, 4));
  }

  /** Items cannot be written. A read goes on with zeros after the item's end, for as long as there is memory. */
  private transfer(control: number, length: number, to: number): boolean {
    if (control & Control.Read) {
      for (let done = 0; done < length; done += CHUNK) {
        const chunk = new Uint8Array(Math.min(CHUNK, length - done));
        chunk.set(this.items.get(this.key)?.subarray(this.offset, this.offset + chunk.length) ?? []);
        if (!this.dma.write(to + done, chunk)) return false;
        this.offset += chunk.length;
      }
      return true;
    }
    if (control & Control.Write) return false;
    if (control & Control.Skip) this.offset += length;
    return true;
  }

  save(): FwCfgState {
    const { key, offset, dmaHigh } = this;
    return { key, offset, dmaHigh };
  }

  load(state: unknown): void {
    const { key, offset, dmaHigh } = state as FwCfgState;
    Object.assign(this, { key, offset, dmaHigh });
  }
}
