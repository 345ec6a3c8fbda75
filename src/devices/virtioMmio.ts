/**
 * An empty virtio-mmio slot (Virtual I/O Device specification, "Virtio Over MMIO"): magic and version are there, the device ID
 * is zero, so a driver passes it by. Version 1 is the legacy interface, which QEMU's virt shows by default.
 */
import type { Device, DeviceRegisterRow } from './device';
import { partOfWord, RegisterFile } from './registerFile';

const ro = (offset: number, name: string, reset: number, doc: string): DeviceRegisterRow => ({
  offset,
  name,
  width: 4,
  access: 'RO',
  reset,
  doc,
});

export const virtioMmioRegisters: readonly DeviceRegisterRow[] = [
  ro(0x000, 'MagicValue', 0x74726976, 'the letters "virt"'),
  ro(0x004, 'Version', 1, 'legacy interface'),
  ro(0x008, 'DeviceID', 0, 'no device'),
  ro(0x00c, 'VendorID', 0x554d4551, 'the letters "QEMU"'),
];

export class EmptyVirtioSlot implements Device {
  readonly size = 0x200;
  readonly registers = virtioMmioRegisters;
  private readonly file = new RegisterFile(virtioMmioRegisters);

  constructor(
    readonly name: string,
    readonly base: number,
  ) {}

  reset(): void {}
  read(offset: number, size: number): number {
    return partOfWord(this.file.get(offset & ~3), offset, size);
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
