/**
 * The board's interrupt controller, of either version with its virtualisation: the devices that it is made of, its inputs, and
 * for GICv3 the system registers.
 */
import type { CoreLines, Device, InterruptLine } from './device';
import { GicCpuInterface } from './gicCpuInterface';
import { GicDistributor } from './gicDistributor';
import { GicVirtualControl, GicVirtualCpuInterface } from './gicHypervisor';
import { GicV2 } from './gicv2';
import { GicV3CpuInterfaces } from './gicv3/cpuInterface';
import { GicV3Distributor } from './gicv3/distributor';
import { type CoreSight, GicV3 } from './gicv3/gicv3';
import { GicV3Redistributors } from './gicv3/redistributors';
import { type GicSystemRegister, gicSystemRegisters } from './gicv3/systemRegisters';
import { VIRT_INTERRUPTS, virtMap, virtPpi } from './virtBoard';
import { VirtualInterfaces } from './virtualInterface';

export interface InterruptController {
  readonly devices: readonly Device[];
  /** Input of shared peripheral interrupt n (interrupt 32 + n). */
  sharedLine(n: number): InterruptLine;
  /** Input of private peripheral interrupt n (interrupt 16 + n) of a core. */
  privateLine(core: number, n: number): InterruptLine;
  /** System registers by name (GICv3). */
  register?(name: string): GicSystemRegister | undefined;
  /** A core was reset. */
  resetCore(core: number): void;
  /** A core's level or Security state changed. */
  levelChanged(core: number): void;
}

export interface InterruptControllerOptions {
  readonly version: 2 | 3;
  readonly cores: number;
  readonly lines: CoreLines;
  readonly sight: CoreSight;
  /** EL3 is implemented: two Security states. */
  readonly security: boolean;
  /** EL2 is implemented. */
  readonly virtualization: boolean;
}

/** List registers of the cores here, as ICH_VTR_EL2 and GICH_VTR say. */
const LIST_REGISTERS = 4;

/** `deactivate` ends a physical interrupt for a list register with HW. */
function virtualInterfaces(
  { version, cores, lines }: InterruptControllerOptions,
  gic: Pick<InterruptController, 'privateLine'>,
  deactivate: (core: number, id: number) => void,
): VirtualInterfaces {
  const maintenance = Array.from({ length: cores }, (_, core) => gic.privateLine(core, virtPpi.virtualMaintenance));
  return new VirtualInterfaces(cores, version, LIST_REGISTERS, {
    setVirtual: (core, irq, fiq) => lines.setVirtual(core, irq, fiq),
    setMaintenance: (core, level) => maintenance[core].set(level),
    deactivate,
  });
}

function version2(options: InterruptControllerOptions): InterruptController {
  const { cores, lines, sight, security } = options;
  const nonSecure = security ? (core: number) => !sight.secure(core) : undefined;
  const gic = new GicV2(cores, VIRT_INTERRUPTS, lines, nonSecure);
  const virtual = virtualInterfaces(options, gic, (core, id) => gic.deactivateFor(core, id));
  const { gicDistributor, gicCpu, gicHypervisor, gicVirtualCpu } = virtMap;
  const devices = [new GicDistributor(gicDistributor.base, gic), new GicCpuInterface(gicCpu.base, gic)];
  const forGuests = [
    new GicVirtualControl(gicHypervisor.base, virtual),
    new GicVirtualCpuInterface(gicVirtualCpu.base, virtual),
  ];
  return {
    devices: options.virtualization ? [...devices, ...forGuests] : devices,
    sharedLine: (n) => gic.sharedLine(n),
    privateLine: (core, n) => gic.privateLine(core, n),
    resetCore: () => {},
    levelChanged: () => {},
  };
}

function version3(options: InterruptControllerOptions): InterruptController {
  const { cores, lines, sight, security } = options;
  const gic = new GicV3({ cores, interrupts: VIRT_INTERRUPTS, lines, sight, security });
  const cpu = new GicV3CpuInterfaces(gic);
  const virtual = virtualInterfaces(options, gic, (core, id) => gic.deactivate(core, id));
  const registers = gicSystemRegisters(cpu, virtual);
  return {
    devices: [
      new GicV3Distributor(virtMap.gicDistributor.base, gic, [cpu, virtual]),
      new GicV3Redistributors(virtMap.gicRedistributors.base, gic),
    ],
    sharedLine: (n) => gic.sharedLine(n),
    privateLine: (core, n) => gic.privateLine(core, n),
    register: (name) => registers[name],
    resetCore: (core) => {
      cpu.resetCore(core);
      virtual.resetCore(core);
    },
    levelChanged: (core) => cpu.update(core),
  };
}

export const interruptController = (options: InterruptControllerOptions): InterruptController =>
  options.version === 3 ? version3(options) : version2(options);
