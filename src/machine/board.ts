/**
 * The default board, register-compatible with QEMU's `virt` (devices/virtBoard.ts has the map). Puts devices on the bus and wires their lines to the interrupt controller.
 */

import type { Clock, CoreLines, Device } from '../devices/device';
import { GicCpuInterface } from '../devices/gicCpuInterface';
import { GicDistributor } from '../devices/gicDistributor';
import { GicV2 } from '../devices/gicv2';
import { Pl011 } from '../devices/pl011';
import { Pl031 } from '../devices/pl031';
import { VIRT_INTERRUPTS, virtMap, virtSpi } from '../devices/virtBoard';
import { EmptyVirtioSlot } from '../devices/virtioMmio';

export class Board {
  readonly gic: GicV2;
  readonly uart: Pl011;
  readonly devices: readonly Device[];

  /** `nonSecure` says so of a core's accesses; absent where there is no Secure state. */
  constructor(
    cores: number,
    clock: Clock,
    lines: CoreLines,
    output: (byte: number) => void,
    nonSecure?: (core: number) => boolean,
  ) {
    this.gic = new GicV2(cores, VIRT_INTERRUPTS, lines, nonSecure);
    this.uart = new Pl011('uart0', virtMap.uart.base, { interrupt: this.gic.sharedLine(virtSpi.uart), output });
    const rtc = new Pl031('rtc', virtMap.rtc.base, clock, this.gic.sharedLine(virtSpi.rtc));
    const slots = Array.from(
      { length: virtMap.virtio.count },
      (_, i) => new EmptyVirtioSlot(`virtio${i}`, virtMap.virtio.base + i * virtMap.virtio.size),
    );
    this.devices = [
      new GicDistributor(virtMap.gicDistributor.base, this.gic),
      new GicCpuInterface(virtMap.gicCpu.base, this.gic),
      this.uart,
      rtc,
      ...slots,
    ];
  }

  reset(): void {
    for (const device of this.devices) device.reset();
  }
}
