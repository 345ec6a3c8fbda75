/** Firmware that the machine plays itself: PSCI behind HVC or SMC, and semihosting. Values are BigInt: calls are rare. */
import type { Firmware } from '../cpu/ports';
import { type PsciPort, psciCall } from '../devices/psci';
import type { GuestMemory, Semihosting } from '../devices/semihosting';
import { virtMap } from '../devices/virtBoard';
import type { CoreUnit } from './coreUnit';
import { affinityOf } from './facts';

export interface PowerPort {
  readonly units: readonly CoreUnit[];
  readonly memoryBytes: number;
  /** Level at which cores start. */
  readonly startEl: 1 | 2 | 3;
  exit(code: number, how: string): void;
  systemReset(): void;
}

const LEAVE = 1;
const NO_SEMIHOSTING = -1;

/** PSCI for the machine's cores. */
export function psciPort(power: PowerPort): PsciPort {
  const { units } = power;
  return {
    coreOf: (affinity) => units.findIndex((u) => BigInt(affinityOf(u.index)) === affinity),
    state: (core) => (units[core].isOff ? 'off' : 'on'),
    isEntry: (address) => {
      const at = Number(address);
      const { ram, flash1 } = virtMap;
      const inRam = at >= ram.base && at < ram.base + power.memoryBytes;
      return (address & 3n) === 0n && (inRam || at < flash1.base + flash1.size);
    },
    cpuOn: (core, entry, context) => {
      units[core].reset(power.startEl, entry, context);
    },
    cpuOff: (core) => units[core].cpu.powerOff(),
    suspend: (core) => void units[core].cpu.wfi(),
    systemOff: () => power.exit(0, 'PSCI SYSTEM_OFF'),
    systemReset: () => power.systemReset(),
  };
}

/** Answers calls of the conduit; results go to X0. */
export function firmware(power: PowerPort, conduit: Firmware['conduit'], stopPending: () => boolean): Firmware {
  const port = psciPort(power);
  return {
    conduit,
    call: (core) => {
      const unit = power.units[core];
      const answer = psciCall(port, core, unit.x(0), [unit.x(1), unit.x(2), unit.x(3)]);
      if (unit.isOff || stopPending()) return LEAVE;
      unit.setX(0, answer.x0);
      return unit.cpu.ready ? 0 : LEAVE;
    },
  };
}

/** HLT #0xF000. */
export function semihostingCall(
  semihosting: Semihosting | undefined,
  unit: CoreUnit,
  memory: GuestMemory,
  exit: (code: number, how: string) => void,
): -1 | 0 | 1 {
  if (!semihosting) return NO_SEMIHOSTING;
  const answer = semihosting.call(Number(unit.x(0) & 0xffffffffn), unit.x(1), memory);
  if (answer.kind === 'return') {
    unit.setX(0, answer.x0);
    return 0;
  }
  if (answer.kind === 'exit') exit(answer.code, 'semihosting exit');
  return LEAVE;
}
