/** What a launch needs and gives: shared by the command line and the debug adapter. */
import type { RawFile, SharedFolder } from '../devices/virtio';
import type { LinuxImage } from '../program';
import type { Machine } from './api';
import type { ExtraDevice } from './virtioDevices';

/** As on the command line (DESIGN.md section 8) and in launch.json. Paths are resolved by the caller. */
export interface LaunchOptions {
  /** ELF, arm64 Image or raw image to run: kind found by content. */
  readonly program?: string;
  /** Raw image for flash at 0. */
  readonly bios?: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
  readonly dtb?: string;
  /** Preset name or path of a machine file; default cortex-a57. */
  readonly machine?: string;
  readonly cpus?: number;
  /** Bytes, or '256M', '1G'. */
  readonly memory?: number | string;
  readonly el?: 1 | 2 | 3;
  /** Version of the interrupt controller; default 2. */
  readonly gic?: 2 | 3;
  readonly seed?: number;
  /** Kernel release whose KVM runs at EL2, with the program as its guest; and single policies, each `NAME=VALUE`. */
  readonly kvm?: string;
  readonly policies?: readonly string[];
  /** A file of moves of vCPUs between cores. */
  readonly schedule?: string;
  /** A saved virtual machine (JSON) that goes on as the first one, in place of the program's start. */
  readonly restoreVm?: string;
  readonly checker?: 'off' | 'actual' | 'architectural';
  /** Folder whose files semihosting may read; none when absent. */
  readonly semihostingRoot?: string;
  /** Raw disk images, each `FILE`, `FILE,readonly` or `FILE,write`; the file is only written in the last form. */
  readonly drives?: readonly string[];
  /** Folder that the guest may mount read-only by 9P. */
  readonly share?: string;
  readonly devices?: readonly ExtraDevice[];
}

/** The outside world of a launch. */
export interface LaunchPorts {
  /** `what` the file is for the user, such as `initrd`. @throws UserError image.missing */
  readFile(path: string, what: string): Uint8Array;
  isFolder(path: string): boolean;
  /** @throws UserError image.missing, virtio.* */
  openDisk(path: string, writable: boolean): RawFile;
  /** @throws UserError virtio.folder */
  openFolder(path: string): SharedFolder;
  readonly wasm: WasmPort;
}

/** WebAssembly without naming a host type (the core has neither DOM nor Node types). */
export interface WasmPort {
  memory(pages: number): { readonly buffer: ArrayBuffer };
  instantiate(bytes: Uint8Array, imports: Record<string, Record<string, unknown>>): Record<string, unknown>;
  /** The opaque object to pass as imports for a memory made by `memory`. */
  memoryImport(memory: { readonly buffer: ArrayBuffer }): unknown;
}

export interface LaunchedImage {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly kind: 'elf' | 'image' | 'raw' | 'bios' | 'initrd' | 'dtb';
  /** Added to the image's own addresses to get run-time addresses. */
  readonly loadOffset: bigint;
  /** What an arm64 Image was found to be, unpacked, and the physical address that it was put at. */
  readonly linux?: { readonly image: LinuxImage; readonly address: bigint };
}

export interface Launched {
  readonly machine: Machine;
  readonly images: readonly LaunchedImage[];
  readonly entry: bigint;
}
export type Launch = (options: LaunchOptions, ports: LaunchPorts) => Launched;
