/**
 * From what the user asked for to a machine that is ready to run: configuration, images, device tree. Placement and entry are
 * QEMU's virt's (program/placement.ts).
 */
import { hex } from '../base/bits';
import { UserError } from '../base/errors';
import { decodeUtf8 } from '../base/utf8';
import { readDeviceTree, virtDeviceTree, withChosen, writeDeviceTree } from '../devices/deviceTree';
import { virtMap } from '../devices/virtBoard';
import { policiesOf } from '../hypervisor/policies';
import {
  identifyImage,
  type LinuxImage,
  type Placement,
  type ProgramImage,
  placeFirmware,
  placeKernel,
  VIRT_DTB_SIZE,
  VIRT_RAM_BASE,
} from '../program';
import type { HypervisorSettings, MachineConfig } from './config';
import { guestTreeFacts, treeFacts } from './facts';
import { type FirmwareKernel, fwCfgItems } from './fwCfgItems';
import type { Launch, Launched, LaunchedImage, LaunchOptions, LaunchPorts } from './launch.types';
import { ElscopeMachine } from './machine';
import { parseMachineFile } from './machineFile';
import { DEFAULT_PRESET, MAX_CORES, presetConfig, presets } from './presets';
import { readSchedule } from './scheduleFile';
import { memorySize } from './sizes';
import { virtioMaker } from './virtioDevices';
import { type Restore, type VirtualMachines, virtualMachines } from './virtualMachines';
import { readVm } from './vmFile';

const MAX_DTB = 2 ** 20;

/** A preset by name, or a machine file. @throws UserError machine.* */
function baseConfig(name: string, cpus: number | undefined, ports: LaunchPorts, defaultEl: 1 | 2): MachineConfig {
  if (Object.hasOwn(presets, name)) return { ...presetConfig(name, cpus), highestEl: defaultEl };
  let text: string;
  try {
    text = decodeUtf8(ports.readFile(name, 'machine file')).replace(BYTE_ORDER_MARK, '');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError('machine.unknown', { name, presets: Object.keys(presets).join(', ') });
  }
  const config = parseMachineFile(text, name, defaultEl);
  if (cpus === undefined || cpus === config.cores.length) return config;
  const { cores, clusters } = config;
  return { ...config, clusters, cores: Array.from({ length: cpus }, (_, i) => cores[i % cores.length]) };
}

const BYTE_ORDER_MARK = /^\ufeff/;

/** The configuration that the options describe. @throws UserError machine.* */
export function launchConfig(options: LaunchOptions, ports: LaunchPorts, defaultEl: 1 | 2): MachineConfig {
  const { cpus } = options;
  if (cpus !== undefined && (!Number.isInteger(cpus) || cpus < 1 || cpus > MAX_CORES)) {
    throw new UserError('machine.cpus', { cpus, limit: MAX_CORES });
  }
  if (options.el !== undefined && ![1, 2, 3].includes(options.el))
    throw new UserError('machine.el', { el: options.el });
  if (options.gic !== undefined && ![2, 3].includes(options.gic))
    throw new UserError('machine.gic', { version: options.gic });
  const name = options.machine ?? DEFAULT_PRESET;
  const base = baseConfig(name, cpus, ports, defaultEl);
  const model = hypervisorSettings(options, base.hypervisor);
  const hypervisor = withSchedule(options, model, ports);
  if (hypervisor !== undefined && options.el !== undefined && options.el !== 2)
    throw new UserError('hypervisor.el', { el: options.el });
  return {
    ...base,
    ...(hypervisor === undefined ? {} : { hypervisor }),
    memoryBytes: options.memory === undefined ? base.memoryBytes : memorySize(options.memory),
    highestEl: hypervisor === undefined ? (options.el ?? base.highestEl) : 2,
    gic: options.gic ?? base.gic,
    seed: options.seed ?? base.seed,
    checker: options.checker ?? base.checker,
  };
}

/** What the machine file says of the hypervisor model, and the options on top. @throws UserError kvm.*, policy.* */
function hypervisorSettings(
  { kvm, policies = [] }: LaunchOptions,
  base: HypervisorSettings | undefined,
): HypervisorSettings | undefined {
  if (kvm === undefined && policies.length === 0) return base;
  const given = policies.map((text) => {
    const equals = text.indexOf('=');
    return [equals < 0 ? text : text.slice(0, equals), equals < 0 ? '' : text.slice(equals + 1)] as const;
  });
  const settings = {
    ...(base ?? { pageBytes: 4096 as const, vms: [{}] }),
    kvm: kvm ?? base?.kvm,
    policies: { ...base?.policies, ...Object.fromEntries(given) },
  };
  policiesOf(settings.kvm, settings.policies);
  return settings;
}

/** @throws UserError image.missing, schedule.line, vm.noModel */
function withSchedule(
  { schedule: path }: LaunchOptions,
  settings: HypervisorSettings | undefined,
  ports: LaunchPorts,
): HypervisorSettings | undefined {
  if (path === undefined) return settings;
  if (settings === undefined) throw new UserError('vm.noModel', { what: 'a schedule of vCPUs' });
  return { ...settings, schedule: readSchedule(ports.readFile(path, 'schedule'), path) };
}

interface Program {
  readonly image: LaunchedImage;
  readonly place: (memoryBytes: number, initrdSize: number, dtbSize: number) => Placement;
  readonly isElf: boolean;
  readonly linux?: LinuxImage;
}

function program(options: LaunchOptions, ports: LaunchPorts): Program {
  const forFirmware = options.bios !== undefined && options.program === undefined;
  const kernel = forFirmware ? undefined : options.kernel;
  const given = [options.program, options.bios, kernel].filter((path) => path !== undefined);
  if (given.length === 0) throw new UserError('cli.noImage');
  if (given.length > 1) throw new UserError('cli.twoImages');
  const path = given[0];
  const what = options.bios !== undefined ? 'bios' : options.kernel !== undefined ? 'kernel' : 'program';
  const bytes = ports.readFile(path, what);
  if (options.bios !== undefined) {
    if (bytes.length === 0) throw new UserError('image.empty', { path });
    return {
      image: { path, bytes, kind: 'bios', loadOffset: 0n },
      place: () => placeFirmware(bytes, path),
      isElf: false,
    };
  }
  const image: ProgramImage = identifyImage(bytes, path);
  const kind = image.kind === 'elf' ? 'elf' : image.kind === 'linux' ? 'image' : 'raw';
  return {
    image: { path, bytes, kind, loadOffset: 0n },
    place: (ramSize, initrdSize, dtbSize) =>
      placeKernel(image, { ramBase: VIRT_RAM_BASE, ramSize, initrdSize, dtbSize }),
    isElf: image.kind === 'elf',
    linux: image.kind === 'linux' ? image : undefined,
  };
}

/** The device tree: the user's with what the options say filled in, or ours. */
function deviceTree(
  options: LaunchOptions,
  ports: LaunchPorts,
  config: MachineConfig,
  placement: Placement,
  initrdSize: number,
  guests: VirtualMachines | undefined,
): Uint8Array {
  const start = placement.initrd;
  const initrd = start === undefined ? undefined : { start, end: start + initrdSize };
  const board = treeFacts(config, options.append, initrd);
  const facts = guests ? guestTreeFacts(board, guests.memoryBytes, guests.vcpus) : board;
  if (options.dtb === undefined) return writeDeviceTree(virtDeviceTree(facts), VIRT_DTB_SIZE);
  const bytes = ports.readFile(options.dtb, 'dtb');
  if (bytes.length > MAX_DTB) throw new UserError('dtb.oversized', { path: options.dtb, limit: MAX_DTB });
  const tree = readDeviceTree(bytes);
  if ('problem' in tree) throw new UserError('dtb.malformed', { path: options.dtb, what: tree.problem });
  return writeDeviceTree(withChosen(tree, facts), VIRT_DTB_SIZE);
}

/** A kernel beside firmware is for the firmware to boot. */
function firmwareKernel(options: LaunchOptions, ports: LaunchPorts, initrd: Uint8Array | undefined): FirmwareKernel {
  if (options.bios === undefined || options.kernel === undefined) return {};
  return { kernel: ports.readFile(options.kernel, 'kernel'), initrd, commandLine: options.append };
}

/** Memory that an image can be loaded to. @throws UserError image.outside */
function checkPlaces(placement: Placement, ramBytes: number, path: string): void {
  const places = [{ base: virtMap.ram.base, size: ramBytes }, virtMap.flash0, virtMap.flash1];
  for (const { address, memSize } of placement.segments) {
    const end = address + memSize;
    if (places.some(({ base, size }) => address >= base && end <= base + size)) continue;
    throw new UserError('image.outside', {
      path,
      from: hex(address),
      to: hex(end),
      ramEnd: hex(virtMap.ram.base + ramBytes),
    });
  }
}

/** @throws UserError image.missing, vm.damaged */
function restored({ restoreVm: path }: LaunchOptions, ports: LaunchPorts): Restore | undefined {
  return path === undefined ? undefined : { path, file: readVm(ports.readFile(path, 'virtual machine'), path) };
}

export const launch: Launch = (options, ports): Launched => {
  const root = options.semihostingRoot;
  if (root !== undefined && !ports.isFolder(root)) {
    throw new UserError('launch.folder', { what: 'semihosting', path: root });
  }
  const main = program(options, ports);
  const config = launchConfig(options, ports, main.isElf ? 2 : 1);
  const initrd = options.initrd === undefined ? undefined : ports.readFile(options.initrd, 'initrd');
  const restore = restored(options, ports);
  if (restore && config.hypervisor === undefined)
    throw new UserError('vm.noModel', { what: 'a saved virtual machine' });
  const guests = config.hypervisor && virtualMachines(config, config.hypervisor, restore);
  if (guests && main.image.kind === 'bios') throw new UserError('hypervisor.kind', { kind: 'firmware image' });
  const ramBytes = guests?.memoryBytes ?? config.memoryBytes;
  const placement = main.place(ramBytes, initrd?.length ?? 0, VIRT_DTB_SIZE);
  checkPlaces(placement, ramBytes, main.image.path);
  const x0 = placement.protocol === 'linux' ? (placement.dtb ?? 0) : 0;
  const tree = deviceTree(options, ports, config, placement, initrd?.length ?? 0, guests);
  const bases = guests?.bases ?? [virtMap.ram.base];
  const loadAt = (m: ElscopeMachine, base: number): void => {
    const put = (address: number, bytes: Uint8Array): void => {
      m.memory.pokeView(address < virtMap.ram.base ? address : address - virtMap.ram.base + base, bytes);
    };
    for (const segment of placement.segments) put(segment.address, segment.data);
    if (initrd && placement.initrd !== undefined) put(placement.initrd, initrd);
    if (placement.dtb !== undefined) put(placement.dtb, tree);
  };
  const machine = new ElscopeMachine(config, ports.wasm, {
    files: root === undefined ? { read: () => undefined } : filesUnder(root, ports),
    commandLine: options.append ?? '',
    fwCfg: fwCfgItems(config.cores.length, firmwareKernel(options, ports, initrd)),
    virtio: virtioMaker(options, ports),
    hypervisor: guests && ((port) => guests.make(port, BigInt(placement.entry), BigInt(x0))),
    load: (m) => {
      for (const { at, bytes } of guests?.restored ?? []) m.memory.pokeView(at, bytes);
      for (const base of guests?.restored ? bases.slice(1) : bases) loadAt(m, base);
      return { entry: placement.entry, x0 };
    },
    reload: (m, vm) => loadAt(m, bases[vm - 1]),
  });
  const linux = main.linux && { image: main.linux, address: BigInt(placement.entry) };
  const images: LaunchedImage[] = [{ ...main.image, linux }];
  if (initrd && options.initrd !== undefined) {
    images.push({ path: options.initrd, bytes: initrd, kind: 'initrd', loadOffset: 0n });
  }
  return { machine, images, entry: BigInt(placement.entry) };
};

function filesUnder(root: string, ports: LaunchPorts) {
  return {
    read: (path: string): Uint8Array | undefined => {
      try {
        return ports.readFile(`${root}/${path}`, 'file');
      } catch (error) {
        if (error instanceof UserError) return undefined;
        throw error;
      }
    },
  };
}
