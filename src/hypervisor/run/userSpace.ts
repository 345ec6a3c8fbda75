/**
 * The virtual machine monitor behind each VM, as far as guests of scenarios need one: a UART at PL011's place on the virt board,
 * and what to do when KVM_RUN fails or asks.
 */
import type { Vcpu } from './vm';

/** PL011 on the virt board: data and flag registers are enough for polled output. */
const UART = { base: 0x0900_0000, bytes: 0x1000, DR: 0x00, FR: 0x18, TXFE: 0x80n } as const;

/** KVM_RUN returned an error: the vCPU does not run again. */
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

export class UserSpace {
  readonly errors: RunError[] = [];
  readonly ioctls: IoctlError[] = [];
  /** What each VM printed. */
  readonly output: Record<number, string> = {};

  constructor(private readonly print: (vm: number, byte: number) => void) {}

  write(vcpu: Vcpu, ipa: number, value: bigint): void {
    if (ipa !== UART.base + UART.DR) return;
    const byte = Number(value & 0xffn);
    const { id } = vcpu.vm;
    this.output[id] = (this.output[id] ?? '') + String.fromCharCode(byte);
    this.print(id, byte);
  }

  /** Registers that are not there read as 0. */
  read(_vcpu: Vcpu, ipa: number): bigint {
    return ipa === UART.base + UART.FR ? UART.TXFE : 0n;
  }

  fail(vcpu: Vcpu, errno: string, why: string): void {
    this.errors.push({ vcpu: vcpu.name, errno, why });
    vcpu.count(`KVM_RUN ${errno}`);
    vcpu.state = 'off';
  }

  memoryFault(vcpu: Vcpu, ipa: number): void {
    const slot = vcpu.vm.slotOf(ipa);
    if (slot?.remap === undefined || slot.remap === slot.vma.memory)
      this.fail(vcpu, 'EFAULT', 'user space does not fix the mapping');
    else slot.vma = { ...slot.vma, memory: slot.remap };
  }
}
