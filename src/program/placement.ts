/**
 * Where QEMU's `virt` board puts a kernel, its initrd and the device tree (behaviour of hw/arm/boot.c, read as facts):
 * the numbers that guests and people's scripts rely on. Pure arithmetic; the machine does the copying.
 */

import { UserError } from '../base/errors';
import type { LoadSegment } from './elf';
import type { ProgramImage } from './image';

/** Start of RAM on `virt`. */
export const VIRT_RAM_BASE = 0x4000_0000;
/** Start of the flash that `-bios` fills and a core resets into. */
export const VIRT_FLASH_BASE = 0;
/** Size of the first flash bank. */
export const VIRT_FLASH_SIZE = 64 * 2 ** 20;
/** Size of the device tree blob that the board reserves, whatever is in it. */
export const VIRT_DTB_SIZE = 2 ** 20;

const MiB = 2 ** 20;
/** Offset from the start of RAM for images that state none. */
const DEFAULT_KERNEL_OFFSET = 0x8_0000;
/** QEMU's own boot code takes the first page of RAM, so an image that asks for it goes one 2 MiB block higher. */
const BOOT_CODE_SIZE = 0x1000;
const INITRD_LIMIT = 128 * MiB;
const PAGE = 0x1000;
const DTB_ALIGN = 2 * MiB;

export interface PlacementRequest {
  readonly ramBase: number;
  readonly ramSize: number;
  /** 0 or absent: none. */
  readonly initrdSize?: number;
  readonly dtbSize?: number;
}

export interface Placement {
  /** `linux`: entered with X0 = device tree, X1 to X3 = 0. `plain`: entered with all of them 0. */
  readonly protocol: 'linux' | 'plain';
  readonly segments: readonly LoadSegment[];
  readonly entry: number;
  readonly initrd: number | undefined;
  /** Undefined: the device tree has no room and is not there, as on QEMU. */
  readonly dtb: number | undefined;
}

const alignUp = (n: number, to: number): number => Math.ceil(n / to) * to;
const all = { read: true, write: true, execute: true };

/**
 * Places an image given as a kernel (`-kernel`): an ELF where it asks to be, everything else by the Linux boot protocol.
 * @throws UserError `image.doesNotFit`
 */
export function placeKernel(image: ProgramImage, request: PlacementRequest): Placement {
  return image.kind === 'elf' ? placeElf(image.segments, image.entry, request) : placeLinux(image, request);
}

/** Start offset in RAM of an arm64 `Image` or of raw bytes given as a kernel. */
export function kernelOffset(image: ProgramImage): number {
  if (image.kind !== 'linux' || image.imageSize === 0) return DEFAULT_KERNEL_OFFSET;
  return image.textOffset < BOOT_CODE_SIZE ? image.textOffset + 2 * MiB : image.textOffset;
}

/** Initrd: half of RAM or 128 MiB from its start, whichever is less, but not below the kernel's end. */
export function initrdAddress(ramBase: number, ramSize: number, kernelEnd: number): number {
  return alignUp(Math.max(ramBase + Math.min(Math.floor(ramSize / 2), INITRD_LIMIT), kernelEnd), PAGE);
}

/** Device tree of a Linux boot: the next 2 MiB boundary after the initrd (or after where it would start). */
export const linuxDtbAddress = (initrd: number, initrdSize: number): number => alignUp(initrd + initrdSize, DTB_ALIGN);

/**
 * Device tree when the guest is no Linux image (ELF, flash): the start of RAM if the blob fits below what is loaded there.
 * `low` and `high` bound the loaded program; leave them out for flash.
 */
export function plainDtbAddress(ramBase: number, dtbSize: number, low?: number, high?: number): number | undefined {
  if (low === undefined || high === undefined) return ramBase;
  if (low <= ramBase && high >= ramBase) return undefined;
  return low > ramBase && dtbSize > low - ramBase ? undefined : ramBase;
}

/**
 * Places a firmware image as `-bios` does: flash from address 0, entered there, device tree at the start of RAM.
 * @throws UserError `image.oversized`
 */
export function placeFirmware(data: Uint8Array, path: string, ramBase = VIRT_RAM_BASE): Placement {
  if (data.length > VIRT_FLASH_SIZE) throw new UserError('image.oversized', { path, limit: VIRT_FLASH_SIZE });
  return {
    protocol: 'plain',
    segments: [{ address: VIRT_FLASH_BASE, data, memSize: data.length, flags: { ...all, write: false } }],
    entry: VIRT_FLASH_BASE,
    initrd: undefined,
    dtb: plainDtbAddress(ramBase, VIRT_DTB_SIZE),
  };
}

function placeLinux(image: Exclude<ProgramImage, { kind: 'elf' }>, request: PlacementRequest): Placement {
  const { ramBase, ramSize, initrdSize = 0, dtbSize = VIRT_DTB_SIZE } = request;
  const ramEnd = ramBase + ramSize;
  const entry = ramBase + kernelOffset(image);
  const memSize = Math.max(image.data.length, image.kind === 'linux' ? image.imageSize : 0);
  const check = (what: string, end: number): void => {
    if (end > ramEnd) throw new UserError('image.doesNotFit', { what, size: ramSize });
  };
  const loadedEnd = entry + (image.kind === 'linux' && image.imageSize > 0 ? image.imageSize : image.data.length);
  check(`the kernel "${image.path}"`, entry + memSize);
  const start = initrdAddress(ramBase, ramSize, loadedEnd);
  if (initrdSize > 0) check('the initrd', start + initrdSize);
  const dtb = linuxDtbAddress(start, initrdSize);
  check('the device tree', dtb + dtbSize);
  return {
    protocol: 'linux',
    segments: [{ address: entry, data: image.data, memSize: image.data.length, flags: all }],
    entry,
    initrd: initrdSize > 0 ? start : undefined,
    dtb,
  };
}

function placeElf(segments: readonly LoadSegment[], entry: number, request: PlacementRequest): Placement {
  const { ramBase, dtbSize = VIRT_DTB_SIZE } = request;
  const low = Math.min(...segments.map((s) => s.address));
  const high = Math.max(...segments.map((s) => s.address + s.memSize));
  return { protocol: 'plain', segments, entry, initrd: undefined, dtb: plainDtbAddress(ramBase, dtbSize, low, high) };
}
