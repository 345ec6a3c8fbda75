/**
 * The core's side of a GICv3: its system registers are the interrupt controller's (CpuPorts.interruptController), found by name
 * once. What is here is which of them an access means: at EL1 the virtual ones where HCR_EL2 says so.
 */
import { systemRegisters } from '../arch/sysregs/index';
import type { Behaviour, CoreParts } from './behaviours';
import { type ControlField, controls } from './controls';
import type { InterruptControllerPort, SystemRegisterPort } from './ports';
import type { Pair } from './timers';

const C = controls({ FMO: 'HCR_EL2.FMO', IMO: 'HCR_EL2.IMO' });

export class InterruptControllerRegisters {
  /** By storage index; undefined: not the controller's, or not there. */
  readonly physical: readonly (SystemRegisterPort | undefined)[];
  readonly virtual: readonly (SystemRegisterPort | undefined)[];

  constructor(
    readonly core: number,
    port: InterruptControllerPort | undefined,
  ) {
    const mine = (name: string): boolean => name.startsWith('ICC_') || name.startsWith('ICH_');
    this.physical = systemRegisters.map(({ name }) => (mine(name) ? port?.register?.(name) : undefined));
    this.virtual = systemRegisters.map(({ name }) =>
      mine(name) ? port?.register?.(name.replace('ICC_', 'ICV_')) : undefined,
    );
  }
}

/** `el1`: the bits of HCR_EL2 any of which gives EL1 the virtual register. */
function registerBehaviour(...el1: readonly ControlField[]): Behaviour {
  const portOf = (parts: CoreParts, el: number, index: number): SystemRegisterPort | undefined => {
    const { controller, levels } = parts;
    const virtual = el === 1 && el1.some((field) => levels.hcr(field));
    return virtual ? controller.virtual[index] : controller.physical[index];
  };
  const put = (out: Pair, lo: number, hi: number): void => {
    out.lo = lo >>> 0;
    out.hi = hi >>> 0;
  };
  return {
    undefined: (parts, _el, index) => parts.controller.physical[index] === undefined,
    read: (parts, out, el, index) => {
      const port = portOf(parts, el, index);
      const { core } = parts.controller;
      put(out, port?.lo(core) ?? 0, port?.hi?.(core) ?? 0);
    },
    access: (parts, out, index) => {
      const port = portOf(parts, parts.state.el, index);
      const { core } = parts.controller;
      put(out, port?.access?.(core) ?? port?.lo(core) ?? 0, port?.hi?.(core) ?? 0);
    },
    write: (parts, hi, lo, index) => {
      portOf(parts, parts.state.el, index)?.write?.(parts.controller.core, lo, hi);
    },
  };
}

const ICH = registerBehaviour();

export const controllerBehaviours = {
  ICC: registerBehaviour(),
  ICC_group0: registerBehaviour(C.FMO),
  ICC_group1: registerBehaviour(C.IMO),
  ICC_common: registerBehaviour(C.FMO, C.IMO),
  ICH,
  ICH_HCR_EL2: {
    ...ICH,
    write: (parts, hi, lo, index) => {
      ICH.write!(parts, hi, lo, index);
      parts.storeMasked(index, hi, lo);
    },
  },
} as const satisfies Readonly<Record<string, Behaviour>>;
