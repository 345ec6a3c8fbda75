/** A vCPU's registers as they are now, wherever that is: on the core, or where the model saved them. Looking changes nothing. */
import { isKeptAside } from './debug';
import type { CoreContext, Hypervisor } from './model';
import type { Vcpu } from './vm';

/** The core whose thread the vCPU's is now. */
export const contextOf = ({ cores }: Hypervisor, vcpu: Vcpu): CoreContext | undefined =>
  cores.find(({ thread }) => thread.vcpu === vcpu);

/** The thread of a vCPU. */
export const threadOf = ({ cores }: Hypervisor, vcpu: Vcpu) =>
  cores.flatMap(({ queue }) => queue).find((thread) => thread.vcpu === vcpu);

export interface VcpuRegisters {
  readonly x: readonly bigint[];
  readonly v: readonly bigint[];
  readonly pc: bigint;
  readonly pstate: bigint;
  system(name: string): bigint;
}

export function vcpuRegisters(model: Hypervisor, vcpu: Vcpu): VcpuRegisters {
  const { port } = model;
  const context = contextOf(model, vcpu);
  const core = context?.core ?? 0;
  const guest = context?.guest ?? 'elsewhere';
  const isOn = guest === 'entered' || guest === 'onCore';
  const saved = { FPCR: vcpu.fpcr, FPSR: vcpu.fpsr } as Readonly<Record<string, bigint>>;
  return {
    x: isOn ? vcpu.x.map((_, n) => port.x(core, n)) : [...vcpu.x],
    v: vcpu.loaded ? vcpu.v.map((_, n) => port.v(core, n)) : [...vcpu.v],
    pc: guest === 'entered' ? port.pc(core) : isOn ? port.read(core, 'ELR_EL2') : vcpu.pc,
    pstate: guest === 'entered' ? port.pstate(core) : isOn ? port.read(core, 'SPSR_EL2') : vcpu.pstate,
    system: (name) => {
      const isOnCore = vcpu.loaded && !isKeptAside(vcpu, name);
      return isOnCore ? port.read(core, name) : (saved[name] ?? vcpu.registers[name] ?? 0n);
    },
  };
}
