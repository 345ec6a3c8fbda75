/** Virtio devices over MMIO. */
export { type Disk, SECTOR_BYTES, VirtioBlock } from './block';
export { VirtioConsole } from './console';
export { EmptyVirtioSlot } from './emptySlot';
export { VirtioEntropy } from './entropy';
export type { VirtioModel } from './model';
export { VirtioNet } from './net';
export { respond } from './netResponder';
export { VirtioNinep } from './ninep';
export type { SharedEntry, SharedFolder } from './ninepServer';
export { OverlayDisk, type RawFile } from './overlayDisk';
export { type SlotPorts, VirtioMmio } from './transport';
