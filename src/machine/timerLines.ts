/** Timers and performance monitors of the cores: their interrupts, and when they have to be looked at again. */
import type { InterruptLine } from '../devices/device';
import { virtPpi } from '../devices/virtBoard';
import type { CoreUnit } from './coreUnit';
import type { GuestTime } from './time';

/** By bit of TimerLine. */
const timerLines = [
  ...[virtPpi.physicalTimer, virtPpi.virtualTimer, virtPpi.hypTimer],
  ...[virtPpi.secureTimer, virtPpi.hostVirtualTimer],
] as const;

export interface TimerParts {
  readonly units: readonly CoreUnit[];
  readonly time: GuestTime;
  readonly counterHz: number;
  readonly clockHz: number;
  privateLine(core: number, n: number): InterruptLine;
}

export class TimerLines {
  constructor(private readonly parts: TimerParts) {}

  /** Levels of a core's timers by bit; the next change is due at `deadline`, in counts of the system counter. */
  timers(core: number, levels: number, deadline: number): void {
    const { units, time, counterHz, privateLine } = this.parts;
    for (const [bit, line] of timerLines.entries()) privateLine(core, line).set(((levels >> bit) & 1) === 1);
    const at = deadline === Number.POSITIVE_INFINITY ? deadline : (deadline * 1e9) / counterHz;
    time.schedule(`timer${core}`, at, () => units[core].cpu.timersDue());
  }

  /** Level of a core's PMU interrupt; a counter may overflow in `wait` cycles. */
  monitors(core: number, level: boolean, wait: number): void {
    const { units, time, clockHz, privateLine } = this.parts;
    privateLine(core, virtPpi.pmu).set(level);
    time.schedule(`monitors${core}`, time.now() + (wait * 1e9) / clockHz, () => units[core].cpu.monitorsDue());
  }
}
