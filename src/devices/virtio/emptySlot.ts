/** An empty virtio-mmio slot: magic and version are there, the device ID is zero, so a driver passes it by. */
import type { Device } from '../device';
import { partOfWord } from '../registerFile';
import { MAGIC, Register, SLOT_BYTES, VENDOR, virtioMmioRegisters } from './transport';

export class EmptyVirtioSlot implements Device {
  readonly size = SLOT_BYTES;
  readonly registers = virtioMmioRegisters;
  private readonly words: ReadonlyMap<number, number>;

  constructor(
    readonly name: string,
    readonly base: number,
    legacy: boolean,
  ) {
    this.words = new Map([
      [Register.MagicValue, MAGIC],
      [Register.Version, legacy ? 1 : 2],
      [Register.VendorID, VENDOR],
    ]);
  }

  reset(): void {}
  read(offset: number, size: number): number {
    return partOfWord(this.words.get(offset & ~3) ?? 0, offset, size);
  }
  write(): void {}
  peek(offset: number, size: number): number {
    return this.read(offset, size);
  }
  save(): null {
    return null;
  }
  load(): void {}
}
