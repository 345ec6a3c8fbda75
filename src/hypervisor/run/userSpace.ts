/**
 * The virtual machine monitor behind each VM, as far as guests need one: devices at the places of the virt board, and what to do
 * when KVM_RUN fails or asks. The distributor is the kernel's, but found on the same bus.
 */
import { copyPlain } from '../../base/plain';
import type { Device } from '../../devices/device';
import { Pl011 } from '../../devices/pl011';
import { virtMap, virtSpi } from '../../devices/virtBoard';
import type { Vcpu, Vm } from './vm';

/** KVM_RUN returned an error, which ends the VM. */
export interface RunError {
  readonly vcpu: string;
  readonly errno: string;
  readonly why: string;
}

/** An ioctl that failed before a vCPU ran. */
export interface IoctlError {
  readonly vm: number;
  readonly call: string;
  readonly errno: string;
}

interface UserSpaceState {
  readonly errors: readonly RunError[];
  readonly ioctls: readonly IoctlError[];
  readonly output: Readonly<Record<number, string>>;
  /** By VM: its devices, in order. */
  readonly machines: readonly (readonly [number, readonly unknown[]])[];
}

interface Machine {
  readonly devices: readonly Device[];
  /** Their states, and the list registers, when they were made. */
  readonly fresh: readonly unknown[];
  readonly freshLists: unknown;
  readonly uart: Pl011;
}

/** Registers of devices are words; wider accesses are two of them. */
const WORD = 4;
const low = (value: bigint): number => Number(value & 0xffff_ffffn);
const NO_LINE = { set: (): void => {} };

export class UserSpace {
  readonly errors: RunError[] = [];
  readonly ioctls: IoctlError[] = [];
  /** What each VM printed. */
  readonly output: Record<number, string> = {};
  private readonly machines = new Map<number, Machine>();

  constructor(
    private readonly print: (vm: number, byte: number) => void,
    /** Takes lines of the monitors' own output. */
    private readonly say: (line: string) => void,
    /** A monitor ends, and its VM with it. */
    private readonly ends: (vm: Vm, why: string) => void,
  ) {}

  save(): UserSpaceState {
    const { errors, ioctls, output, machines } = this;
    return {
      ...copyPlain({ errors, ioctls, output }),
      machines: Array.from(machines, ([id, { devices }]) => [id, devices.map((device) => device.save())] as const),
    };
  }

  /** The VMs have their devices. */
  load({ errors, ioctls, output, machines }: UserSpaceState): void {
    this.errors.splice(0, this.errors.length, ...copyPlain(errors));
    this.ioctls.splice(0, this.ioctls.length, ...copyPlain(ioctls));
    for (const id of Object.keys(this.output)) delete this.output[Number(id)];
    Object.assign(this.output, output);
    for (const [id, states] of machines)
      for (const [n, device] of (this.machines.get(id)?.devices ?? []).entries()) device.load(states[n]);
  }

  /** A VM's devices, in order: the VMM's own, then the interrupt controller's. */
  devicesOf({ id }: Pick<Vm, 'id'>): readonly Device[] {
    return this.machines.get(id)?.devices ?? [];
  }

  /** The VMs are gone. */
  detachAll(): void {
    this.machines.clear();
  }

  /** Gives a VM its devices. */
  attach({ id, vgic }: Pick<Vm, 'id' | 'vgic'>): void {
    const uart = new Pl011('uart0', virtMap.uart.base, {
      interrupt: vgic?.sharedLine(virtSpi.uart) ?? NO_LINE,
      output: (byte) => {
        this.output[id] = (this.output[id] ?? '') + String.fromCharCode(byte);
        this.print(id, byte);
      },
    });
    const devices = [uart, ...(vgic?.devices ?? [])];
    const fresh = devices.map((device) => device.save());
    this.machines.set(id, { uart, devices, fresh, freshLists: vgic?.saveState() });
  }

  /** Devices and interrupt controller as they were made. */
  reset({ id, vgic }: Pick<Vm, 'id' | 'vgic'>): void {
    const machine = this.machines.get(id);
    for (const [n, device] of (machine?.devices ?? []).entries()) device.load(machine?.fresh[n]);
    vgic?.loadState(machine?.freshLists);
  }

  /** What the user types, for the first VM. */
  input(bytes: Uint8Array): void {
    this.machines.get(1)?.uart.input(bytes);
  }

  private find(vm: Vm, ipa: number): Device | undefined {
    return this.machines.get(vm.id)?.devices.find(({ base, size }) => ipa >= base && ipa < base + size);
  }

  write({ vm, index }: Vcpu, ipa: number, bytes: number, value: bigint): void {
    const device = this.find(vm, ipa);
    if (device === undefined) return;
    const at = ipa - device.base;
    device.write(at, Math.min(bytes, WORD), low(value), index);
    if (bytes > WORD) device.write(at + WORD, bytes - WORD, low(value >> 32n), index);
  }

  /** What nothing is at reads as 0. */
  read({ vm, index }: Vcpu, ipa: number, bytes: number): bigint {
    const device = this.find(vm, ipa);
    if (device === undefined) return 0n;
    const at = ipa - device.base;
    const word = BigInt(device.read(at, Math.min(bytes, WORD), index) >>> 0);
    return bytes > WORD ? word | (BigInt(device.read(at + WORD, bytes - WORD, index) >>> 0) << 32n) : word;
  }

  fail(vcpu: Vcpu, errno: string, why: string): void {
    this.errors.push({ vcpu: vcpu.name, errno, why });
    vcpu.count(`KVM_RUN ${errno}`);
    this.say(`vmm [${vcpu.vm.id}]: KVM_RUN vcpu${vcpu.index}: ${errno}: ${why}`);
    this.ends(vcpu.vm, `KVM_RUN of ${vcpu.name} failed: ${errno}`);
  }

  memoryFault(vcpu: Vcpu, ipa: number): void {
    const { vm } = vcpu;
    const slot = vm.slotOf(ipa);
    const mapping = slot && vm.mappedAt(slot.hostAddress + ipa - slot.guestAddress);
    if (mapping?.remap === undefined || mapping.remap === mapping.vma.memory)
      this.fail(vcpu, 'EFAULT', 'user space does not fix the mapping');
    else mapping.vma = { ...mapping.vma, memory: mapping.remap };
  }
}
