/** The physical map outside RAM: which device answers an address. Accesses that nobody answers are external aborts. */
import type { Device } from '../devices/device';
import type { Bus } from '../memory/types';

export class DeviceBus implements Bus {
  private devices: readonly Device[] = [];
  private last: Device | undefined;

  attach(devices: readonly Device[]): void {
    this.devices = [...devices].sort((a, b) => a.base - b.base);
  }

  find(pa: number): Device | undefined {
    const { last } = this;
    if (last && pa >= last.base && pa < last.base + last.size) return last;
    for (const device of this.devices) {
      if (pa >= device.base && pa < device.base + device.size) {
        this.last = device;
        return device;
      }
    }
    return undefined;
  }

  read(pa: number, size: number, out: Uint32Array, core: number): boolean {
    const device = this.find(pa);
    if (!device) return false;
    const offset = pa - device.base;
    out[0] = device.read(offset, Math.min(size, 4), core) >>> 0;
    if (size === 8) out[1] = device.read(offset + 4, 4, core) >>> 0;
    return true;
  }

  write(pa: number, size: number, lo: number, hi: number, core: number): boolean {
    const device = this.find(pa);
    if (!device) return false;
    const offset = pa - device.base;
    device.write(offset, Math.min(size, 4), lo >>> 0, core);
    if (size === 8) device.write(offset + 4, 4, hi >>> 0, core);
    return true;
  }

  peek(pa: number, size: number, core = 0): number | undefined {
    const device = this.find(pa);
    return device?.peek(pa - device.base, size, core);
  }
}
