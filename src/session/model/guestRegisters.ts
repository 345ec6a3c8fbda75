/**
 * Registers of a guest whose vCPU's thread is in the hypervisor model: on the core while the guest was just left or the vCPU is
 * loaded, else where the model saved them. A debugger's write goes to both, so that it holds whatever step comes next.
 */
import type { CoreContext } from '../../hypervisor/run/model';
import { KEY_REGISTERS, VCPU_REGISTERS, type Vcpu } from '../../hypervisor/run/vm';
import type { CoreView } from '../../machine/api';

const SP = 31;
const PC = 32;

export interface GuestRegisters {
  /** X0 to X30, 31 = SP, 32 = PC. */
  general(n: number): bigint;
  setGeneral(n: number, value: bigint): void;
  pstate(): bigint;
  setPstate(value: bigint): void;
  v(n: number): bigint;
  setV(n: number, value: bigint): void;
  /** A system register that the vCPU has to itself; undefined: it is no such one. */
  system(name: string): { read(): bigint; write(value: bigint): boolean } | undefined;
}

const own: ReadonlySet<string> = new Set([...VCPU_REGISTERS, ...KEY_REGISTERS]);

export function guestRegisters(core: CoreView, context: CoreContext, vcpu: Vcpu): GuestRegisters {
  const isOnCore = (): boolean => context.guest === 'onCore';
  const peek = (name: string): bigint => core.peekSystem(name) ?? 0n;
  /** What is written to the core now stays: nothing else of the host uses EL1's registers. */
  const isBeingLoaded = (): boolean => context.thread.frames.some(({ routine }) => routine === 'kvm_arch_vcpu_load');
  const systemRegister = (name: string) => ({
    read: () => (vcpu.loaded ? peek(name) : (vcpu.registers[name] ?? 0n)),
    write: (value: bigint) => {
      vcpu.registers[name] = value;
      return vcpu.loaded || isBeingLoaded() ? core.pokeSystem(name, value) : true;
    },
  });
  const floatingPoint = (name: 'FPCR' | 'FPSR', field: 'fpcr' | 'fpsr') => ({
    read: () => (vcpu.loaded ? peek(name) : vcpu[field]),
    write: (value: bigint) => {
      vcpu[field] = value;
      return core.pokeSystem(name, value);
    },
  });
  const state = (): bigint => (isOnCore() ? peek('SPSR_EL2') : vcpu.pstate);
  const stack = () => systemRegister((state() & 1n) === 1n ? 'SP_EL1' : 'SP_EL0');
  return {
    general: (n) => {
      if (n === PC) return isOnCore() ? peek('ELR_EL2') : vcpu.pc;
      if (n === SP) return stack().read();
      return isOnCore() ? core.x(n) : vcpu.x[n];
    },
    setGeneral: (n, value) => {
      if (n === PC) {
        vcpu.pc = value;
        core.pokeSystem('ELR_EL2', value);
      } else if (n === SP) stack().write(value);
      else {
        vcpu.x[n] = value;
        core.setX(n, value);
      }
    },
    pstate: state,
    setPstate: (value) => {
      vcpu.pstate = value;
      core.pokeSystem('SPSR_EL2', value);
    },
    v: (n) => (vcpu.loaded ? core.v(n) : vcpu.v[n]),
    setV: (n, value) => {
      vcpu.v[n] = value;
      core.setV(n, value);
    },
    system: (name) => {
      if (name === 'FPCR') return floatingPoint('FPCR', 'fpcr');
      if (name === 'FPSR') return floatingPoint('FPSR', 'fpsr');
      return own.has(name) ? systemRegister(name) : undefined;
    },
  };
}
