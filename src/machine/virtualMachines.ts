/**
 * From the hypervisor part of a configuration to the model and its virtual machines: where their memory is in the machine's, and
 * where the program goes. RAM begins with the model's own tables; then come the VMs' memories, each aligned so that blocks
 * can map it.
 */
import { UserError } from '../base/errors';
import { parseKernelVersion } from '../hypervisor/kernelVersion';
import { policiesOf } from '../hypervisor/policies';
import { Hypervisor, type HypervisorConfig, type SlotConfig, type VmConfig } from '../hypervisor/run/model';
import type { El2Port } from '../hypervisor/run/port';
import { VIRT_RAM_BASE } from '../program';
import type { HypervisorSettings, MachineConfig, VcpuSettings, VmSettings } from './config';
import { checkSchedule } from './scheduleFile';
import { fitted, type VmFile } from './vmFile';

const MiB = 2 ** 20;
/** Of the model's tables. */
const POOL_BYTES = 16 * MiB;
const BLOCK = 2 * MiB;

const alignUp = (n: number, to: number): number => Math.ceil(n / to) * to;

export interface VirtualMachines {
  /** Bytes of RAM of a guest. */
  readonly memoryBytes: number;
  /** vCPUs of the machine that has most. */
  readonly vcpus: number;
  /** Physical addresses of the guests' RAM, whose first byte each of them finds at the start of the board's RAM. */
  readonly bases: readonly number[];
  /** What a restored one has in memory, by physical address: there is no program in its RAM then. */
  readonly restored: VmFile['memory'] | undefined;
  /** The model, once the guests' entry and X0 are known. */
  make(port: El2Port, entry: bigint, x0: bigint): Hypervisor;
}

/** Gives memory away from `next` on. */
class Memory {
  constructor(
    private next: number,
    private readonly end: number,
  ) {}

  take(bytes: number, alignment: number): number {
    const at = alignUp(this.next, alignment);
    if (at + bytes > this.end) {
      const MB = Math.ceil((at + bytes - VIRT_RAM_BASE) / MiB);
      throw new UserError('hypervisor.memory', { size: `${MB}M` });
    }
    this.next = at + bytes;
    return at;
  }
}

/** A saved virtual machine, which is the machine's first one then. */
export interface Restore {
  readonly path: string;
  readonly file: VmFile;
}

/** Memory of a guest at its physical addresses. */
const placed = (memory: VmFile['memory'], slots: readonly SlotConfig[]): VmFile['memory'] =>
  memory.flatMap(({ at, bytes }) =>
    slots
      .filter((slot) => at >= slot.guestAddress && at < slot.guestAddress + slot.bytes)
      .map(({ guestAddress, hostAddress }) => ({ at: at - guestAddress + hostAddress, bytes })),
  );

/** @throws UserError hypervisor.memory, hypervisor.core, hypervisor.bootCores, hypervisor.granule, vm.other */
export function virtualMachines(
  config: MachineConfig,
  settings: HypervisorSettings,
  restore?: Restore,
): VirtualMachines {
  const { memoryBytes, cores } = config;
  const { bootCores: boot = 1 } = settings;
  if (boot > cores.length) throw new UserError('hypervisor.bootCores', { boot, cores: cores.length });
  const without = cores.findIndex(({ features }) => !features.has('FEAT_TGran16K'));
  if (settings.pageBytes === 16384 && without >= 0) throw new UserError('hypervisor.granule', { core: without });
  const memory = new Memory(VIRT_RAM_BASE + POOL_BYTES, VIRT_RAM_BASE + memoryBytes);
  const share = Math.floor(memoryBytes / 2 / settings.vms.length / BLOCK) * BLOCK;
  const ram = settings.vms.map((vm) => vm.memoryBytes ?? share);
  const bases: number[] = [];
  const slots = settings.vms.map((vm, i): SlotConfig[] => {
    const base = memory.take(ram[i], vm.mapBytes ?? BLOCK);
    bases.push(base);
    const own: SlotConfig = { guestAddress: VIRT_RAM_BASE, bytes: ram[i], hostAddress: base, mapBytes: vm.mapBytes };
    return [own, ...furtherSlots(vm, memory)];
  });
  const vcpusOf = (vm: VmSettings): readonly VcpuSettings[] => vm.vcpus ?? cores.map(() => ({}));
  for (const vm of settings.vms)
    for (const [index, { core = index }] of vcpusOf(vm).entries())
      if (core >= cores.length) throw new UserError('hypervisor.core', { core, cores: cores.length });
  const names = settings.vms.flatMap((vm, i) => vcpusOf(vm).map((_, index) => `vm${i + 1}/vcpu${index}`));
  checkSchedule(settings.schedule ?? [], names, cores.length);
  const restored =
    restore &&
    fitted(restore.file, restore.path, { slots: slots[0], vcpus: vcpusOf(settings.vms[0]).length, gic: config.gic });
  return {
    restored: restored && placed(restored.memory, slots[0]),
    memoryBytes: Math.min(...ram),
    bases,
    vcpus: Math.max(...settings.vms.map((vm) => vcpusOf(vm).length)),
    make: (port, entry, x0) => {
      const vms = settings.vms.map((vm, i): VmConfig => {
        const vcpus = vcpusOf(vm).map(({ core, on, pinned }, index) => ({
          core: core ?? index,
          entry,
          x0,
          on,
          pinned,
        }));
        return {
          slots: slots[i],
          vcpus,
          cacheablePfnmap: vm.cacheablePfnmap,
          ipaBits: vm.ipaBits,
          restore: i === 0 ? restored?.guest : undefined,
        };
      });
      return new Hypervisor(port, modelConfig(config, settings, vms));
    },
  };
}

function furtherSlots(vm: VmSettings, memory: Memory): SlotConfig[] {
  return (vm.slots ?? []).map(({ guestAddress, bytes, mapBytes, vma, remap }) => ({
    guestAddress,
    bytes,
    mapBytes,
    hostAddress: memory.take(alignUp(bytes, 0x1000), mapBytes ?? BLOCK),
    vma,
    remap,
    kernelMemory: vma.kind === 'ordinary',
  }));
}

const modelConfig = (
  machine: MachineConfig,
  settings: HypervisorSettings,
  vms: readonly VmConfig[],
): HypervisorConfig => ({
  policies: policiesOf(settings.kvm, settings.policies),
  version: settings.kvm === undefined ? undefined : parseKernelVersion(settings.kvm),
  pageBytes: settings.pageBytes,
  pool: { base: VIRT_RAM_BASE, bytes: POOL_BYTES },
  vms,
  bootCores: settings.bootCores,
  gic: machine.gic,
  slice: settings.slice,
  schedule: settings.schedule,
  migrate: settings.migrate ? machine.seed : undefined,
});
