/**
 * The default board, register-compatible with QEMU's `virt` (devices/virtBoard.ts has the map). Puts devices on the bus and
 * wires their lines to the interrupt controller.
 */
import type { Clock, Device, DmaPort } from '../devices/device';
import { FwCfg, type FwCfgItems } from '../devices/fwCfg';
import type { InterruptController } from '../devices/interruptController';
import { Pl011 } from '../devices/pl011';
import { Pl031 } from '../devices/pl031';
import { Pl061 } from '../devices/pl061';
import { VIRT_POWER_PIN, virtMap, virtSpi } from '../devices/virtBoard';
import { EmptyVirtioSlot, VirtioMmio, type VirtioModel } from '../devices/virtio';

/** How long the power key is held down. */
const KEY_NANOSECONDS = 1e8;
const POWER_KEY = 'power key';

export interface BoardPorts {
  readonly gic: InterruptController;
  readonly clock: Clock;
  readonly dma: DmaPort;
  readonly fwCfg: FwCfgItems;
  /** Devices in virtio-mmio slots; the first one stands in the last slot, as on QEMU's virt. */
  readonly virtio: readonly VirtioModel[];
  readonly virtioLegacy: boolean;
  output(byte: number): void;
}

export class Board {
  readonly gic: InterruptController;
  readonly uart: Pl011;
  readonly devices: readonly Device[];
  private readonly gpio: Pl061;

  constructor(private readonly ports: BoardPorts) {
    const { clock } = ports;
    const gic = (this.gic = ports.gic);
    const output = (byte: number): void => ports.output(byte);
    this.uart = new Pl011('uart0', virtMap.uart.base, { interrupt: gic.sharedLine(virtSpi.uart), output });
    this.gpio = new Pl061('gpio', virtMap.gpio.base, gic.sharedLine(virtSpi.gpio));
    this.devices = [
      ...gic.devices,
      this.uart,
      new Pl031('rtc', virtMap.rtc.base, clock, gic.sharedLine(virtSpi.rtc)),
      new FwCfg('fwCfg', virtMap.fwCfg.base, ports.fwCfg, ports.dma),
      this.gpio,
      ...Array.from({ length: virtMap.virtio.count }, (_, i) => this.slot(i)),
    ];
    this.releasePowerKey();
  }

  private slot(i: number): Device {
    const { virtio, virtioLegacy: legacy, dma } = this.ports;
    const { base, size, count } = virtMap.virtio;
    const [name, at] = [`virtio${i}`, base + i * size];
    const model = virtio[count - 1 - i];
    if (model === undefined) return new EmptyVirtioSlot(name, at, legacy);
    return new VirtioMmio(name, at, model, { dma, legacy, interrupt: this.gic.sharedLine(virtSpi.virtio + i) });
  }

  reset(): void {
    for (const device of this.devices) device.reset();
    this.releasePowerKey();
  }

  /** Somebody presses the power key and lets it go again after a while. */
  pressPowerKey(): void {
    this.gpio.setPin(VIRT_POWER_PIN, true);
    const { clock } = this.ports;
    clock.schedule(POWER_KEY, clock.now() + KEY_NANOSECONDS, () => this.releasePowerKey());
  }

  /** The interrupt controller last: what the others did to its inputs on the way is nothing that happened. */
  get stateOrder(): readonly Device[] {
    const controller = new Set<Device>(this.gic.devices);
    return [...this.devices.filter((device) => !controller.has(device)), ...this.gic.devices];
  }

  private releasePowerKey(): void {
    this.ports.clock.schedule(POWER_KEY, Number.POSITIVE_INFINITY, () => {});
    this.gpio.setPin(VIRT_POWER_PIN, false);
  }
}
