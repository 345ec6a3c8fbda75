/** The virtio devices that a launch asks for, in the order of their slots: drives, shared folder, then the others as named. */
import { UserError } from '../base/errors';
import { virtMap } from '../devices/virtBoard';
import {
  OverlayDisk,
  respond,
  VirtioBlock,
  VirtioConsole,
  VirtioEntropy,
  type VirtioModel,
  VirtioNet,
  VirtioNinep,
} from '../devices/virtio';
import type { LaunchOptions, LaunchPorts } from './launch.types';

/** What a machine makes its virtio devices from; `output` takes what the guest writes to the virtio console. */
export type VirtioMaker = (seed: number, output: (bytes: Uint8Array) => void) => readonly VirtioModel[];

export const extraDevices = ['net', 'rng', 'console'] as const;
export type ExtraDevice = (typeof extraDevices)[number];

/** What a guest mounts a shared folder by. */
export const SHARE_TAG = 'share';
/** QEMU's first network card. */
const MAC = Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, 0x56);

interface DriveOption {
  readonly path: string;
  readonly readOnly: boolean;
  readonly write: boolean;
}

/** FILE, then `,readonly` or `,write`. */
export function driveOption(text: string): DriveOption {
  const match = /^(.*?)(,readonly|,write)?$/s.exec(text);
  const path = match?.[1] ?? text;
  return { path, readOnly: match?.[2] === ',readonly', write: match?.[2] === ',write' };
}

function drive(text: string, index: number, ports: LaunchPorts): VirtioModel {
  const { path, readOnly, write } = driveOption(text);
  return new VirtioBlock(new OverlayDisk(ports.openDisk(path, write), readOnly), `drive${index}`);
}

/** Opens files and folders now; @throws UserError image.missing, virtio.* */
export function virtioMaker(options: LaunchOptions, ports: LaunchPorts): VirtioMaker {
  const disks = (options.drives ?? []).map((text, i) => drive(text, i, ports));
  const shares = options.share === undefined ? [] : [new VirtioNinep(SHARE_TAG, ports.openFolder(options.share))];
  const extra = options.devices ?? [];
  const count = disks.length + shares.length + extra.length;
  if (count > virtMap.virtio.count) throw new UserError('virtio.tooMany', { count, limit: virtMap.virtio.count });
  return (seed, output) => {
    const make: Readonly<Record<ExtraDevice, () => VirtioModel>> = {
      net: () => new VirtioNet(MAC, respond),
      rng: () => new VirtioEntropy(seed),
      console: () => new VirtioConsole(output),
    };
    return [...disks, ...shares, ...extra.map((name) => make[name]())];
  };
}
