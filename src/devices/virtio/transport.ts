/**
 * Virtio over MMIO (Virtual I/O Device specification, "Virtio Over MMIO"): the registers of one slot with a device in it.
 * Version 1 is the legacy interface, which QEMU's virt shows by default: queues stand in pages whose number is written, and
 * there is no check of features. Version 2 is the one of the specification.
 */
import type { Device, DeviceRegisterRow, DmaPort, InterruptLine } from '../device';
import { partOfWord } from '../registerFile';
import { Feature, type VirtioModel } from './model';
import { MAX_QUEUE_SIZE, Virtqueue } from './queue';

export const Register = {
  MagicValue: 0x000,
  Version: 0x004,
  DeviceID: 0x008,
  VendorID: 0x00c,
  DeviceFeatures: 0x010,
  DeviceFeaturesSel: 0x014,
  DriverFeatures: 0x020,
  DriverFeaturesSel: 0x024,
  GuestPageSize: 0x028,
  QueueSel: 0x030,
  QueueNumMax: 0x034,
  QueueNum: 0x038,
  QueueAlign: 0x03c,
  QueuePFN: 0x040,
  QueueReady: 0x044,
  QueueNotify: 0x050,
  InterruptStatus: 0x060,
  InterruptACK: 0x064,
  Status: 0x070,
  QueueDescLow: 0x080,
  QueueDescHigh: 0x084,
  QueueDriverLow: 0x090,
  QueueDriverHigh: 0x094,
  QueueDeviceLow: 0x0a0,
  QueueDeviceHigh: 0x0a4,
  SHMSel: 0x0ac,
  SHMLenLow: 0x0b0,
  SHMLenHigh: 0x0b4,
  SHMBaseLow: 0x0b8,
  SHMBaseHigh: 0x0bc,
  ConfigGeneration: 0x0fc,
  Config: 0x100,
} as const;

export const Status = {
  Acknowledge: 1,
  Driver: 2,
  DriverOk: 4,
  FeaturesOk: 8,
  NeedsReset: 64,
  Failed: 128,
} as const;
const STATUS_BITS = 0xff;
const Interrupt = { UsedBuffer: 1, ConfigurationChange: 2 } as const;

export const MAGIC = 0x74726976; // "virt"
export const VENDOR = 0x554d4551; // "QEMU"
export const SLOT_BYTES = 0x200;

const constants: Readonly<Partial<Record<keyof typeof Register, number>>> = { MagicValue: MAGIC, VendorID: VENDOR };

type Access = DeviceRegisterRow['access'];
const docs: readonly [name: keyof typeof Register, access: Access, doc: string][] = [
  ['MagicValue', 'RO', 'the letters "virt"'],
  ['Version', 'RO', '1 legacy, 2'],
  ['DeviceID', 'RO', 'kind of device, 0 for none'],
  ['VendorID', 'RO', 'the letters "QEMU"'],
  ['DeviceFeatures', 'RO', 'word of features that the device offers'],
  ['DeviceFeaturesSel', 'WO', 'number of that word'],
  ['DriverFeatures', 'WO', 'word of features that the driver accepts'],
  ['DriverFeaturesSel', 'WO', 'number of that word'],
  ['GuestPageSize', 'WO', 'unit of QueuePFN (legacy)'],
  ['QueueSel', 'WO', 'queue that the following registers are about'],
  ['QueueNumMax', 'RO', 'most entries, 0 for no such queue'],
  ['QueueNum', 'WO', 'number of entries'],
  ['QueueAlign', 'WO', 'alignment of the used ring (legacy)'],
  ['QueuePFN', 'RW', 'page of the queue, 0 for none (legacy)'],
  ['QueueReady', 'RW', 'the queue may be used'],
  ['QueueNotify', 'WO', 'there is something in the queue of this number'],
  ['InterruptStatus', 'RO', 'bit 0 used buffer, bit 1 configuration change'],
  ['InterruptACK', 'WO', 'clears bits of it'],
  ['Status', 'RW', 'device status; 0 resets'],
  ['QueueDescLow', 'WO', 'address of the descriptor table'],
  ['QueueDescHigh', 'WO', 'its high half'],
  ['QueueDriverLow', 'WO', 'address of the driver area'],
  ['QueueDriverHigh', 'WO', 'its high half'],
  ['QueueDeviceLow', 'WO', 'address of the device area'],
  ['QueueDeviceHigh', 'WO', 'its high half'],
  ['SHMSel', 'WO', 'shared memory region'],
  ['SHMLenLow', 'RO', 'all ones: there is none'],
  ['SHMLenHigh', 'RO', 'its high half'],
  ['SHMBaseLow', 'RO', 'all ones'],
  ['SHMBaseHigh', 'RO', 'its high half'],
  ['ConfigGeneration', 'RO', 'changes with the configuration'],
];
export const virtioMmioRegisters: readonly DeviceRegisterRow[] = docs.map(([name, access, doc]) => ({
  offset: Register[name],
  name,
  width: 4,
  access,
  reset: constants[name] ?? 0,
  doc,
}));

/** Registers of version 2 that give all ones where there is no shared memory. */
const noSharedMemory: readonly number[] = [
  Register.SHMLenLow,
  Register.SHMLenHigh,
  Register.SHMBaseLow,
  Register.SHMBaseHigh,
];

/** What the driver wrote about a queue before it is ready; addresses as [low, high]. */
interface QueueSetup {
  num: number;
  descriptors: [number, number];
  driver: [number, number];
  device: [number, number];
  /** Legacy. */
  align: number;
  pfn: number;
}
const newSetup = (): QueueSetup => ({
  num: MAX_QUEUE_SIZE,
  descriptors: [0, 0],
  driver: [0, 0],
  device: [0, 0],
  align: 4096,
  pfn: 0,
});

const copied = (s: QueueSetup): QueueSetup => ({
  ...s,
  descriptors: [...s.descriptors],
  driver: [...s.driver],
  device: [...s.device],
});

const joined = ([low, high]: readonly [number, number]): number => high * 2 ** 32 + low;
const isQueueSize = (n: number): boolean => n > 0 && n <= MAX_QUEUE_SIZE && (n & (n - 1)) === 0;

interface Selectors {
  deviceFeatures: number;
  driverFeatures: number;
  queue: number;
  pageSize: number;
}
const noSelectors = (): Selectors => ({ deviceFeatures: 0, driverFeatures: 0, queue: 0, pageSize: 4096 });

interface TransportState {
  readonly selectors: Selectors;
  readonly accepted: [number, number];
  readonly status: number;
  readonly interrupts: number;
  readonly setups: readonly QueueSetup[];
  readonly queues: readonly unknown[];
  readonly model: unknown;
}

export interface SlotPorts {
  readonly dma: DmaPort;
  readonly interrupt: InterruptLine;
  readonly legacy: boolean;
}

export class VirtioMmio implements Device {
  readonly size = SLOT_BYTES;
  readonly registers = virtioMmioRegisters;
  private readonly queues: readonly Virtqueue[];
  private readonly setups: QueueSetup[];
  private readonly offered: readonly [number, number];
  private selectors = noSelectors();
  private accepted: [number, number] = [0, 0];
  private status = 0;
  private interrupts = 0;

  constructor(
    readonly name: string,
    readonly base: number,
    readonly model: VirtioModel,
    private readonly ports: SlotPorts,
  ) {
    this.queues = Array.from({ length: model.queues }, () => new Virtqueue(ports.dma));
    this.setups = this.queues.map(newSetup);
    const common = (1 << Feature.RingIndirect) | (ports.legacy ? 1 << Feature.AnyLayout : 0);
    this.offered = [(model.features | common) >>> 0, ports.legacy ? 0 : 1 << (Feature.Version1 - 32)];
    model.connect({
      queues: this.queues,
      has: (feature) => ((this.accepted[feature >> 5] >>> (feature & 31)) & 1) === 1,
      interrupt: () => this.raise(Interrupt.UsedBuffer),
    });
  }

  /** The driver's reset as well as the board's. */
  reset(): void {
    // The words of features that are looked at stay, as on QEMU.
    this.selectors.queue = 0;
    this.accepted = [0, 0];
    this.status = 0;
    this.interrupts = 0;
    this.queues.forEach((queue, i) => {
      queue.reset();
      this.setups[i] = newSetup();
    });
    this.model.reset();
    this.update();
  }

  private raise(bits: number): void {
    this.interrupts |= bits;
    this.update();
  }

  private update(): void {
    this.ports.interrupt.set(this.interrupts !== 0);
  }

  // ---- reads ----

  peek(offset: number, size: number): number | undefined {
    return this.read(offset, size);
  }

  read(offset: number, size: number): number {
    if (offset >= Register.Config) return this.configRead(offset - Register.Config, size);
    return partOfWord(this.word(offset & ~3), offset, size);
  }

  private configRead(offset: number, size: number): number {
    const bytes = this.model.config();
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[offset + i] ?? 0);
    return value;
  }

  private word(offset: number): number {
    const { legacy } = this.ports;
    const { queue, deviceFeatures } = this.selectors;
    switch (offset) {
      case Register.MagicValue:
        return MAGIC;
      case Register.Version:
        return legacy ? 1 : 2;
      case Register.DeviceID:
        return this.model.id;
      case Register.VendorID:
        return VENDOR;
      case Register.DeviceFeatures:
        return this.offered[deviceFeatures] ?? 0;
      case Register.QueueNumMax:
        return queue < this.queues.length ? MAX_QUEUE_SIZE : 0;
      case Register.QueuePFN:
        return legacy ? (this.setups[queue]?.pfn ?? 0) : 0;
      case Register.QueueReady:
        return !legacy && this.queues[queue]?.ready ? 1 : 0;
      case Register.InterruptStatus:
        return this.interrupts;
      case Register.Status:
        return this.status;
      default:
        return !legacy && noSharedMemory.includes(offset) ? 0xffffffff : 0;
    }
  }

  // ---- writes ----

  write(offset: number, size: number, value: number): void {
    if (offset >= Register.Config) {
      this.model.configWrite?.(offset - Register.Config, size, value);
      return;
    }
    // Registers are words; a driver that writes less has written nothing that could be meant.
    if (size !== 4 || (offset & 3) !== 0) return;
    if (this.ports.legacy) this.legacyWrite(offset, value);
    else this.modernWrite(offset, value);
  }

  /** Registers that both versions have. */
  private commonWrite(offset: number, value: number): void {
    const { selectors } = this;
    switch (offset) {
      case Register.DeviceFeaturesSel:
        selectors.deviceFeatures = value;
        return;
      case Register.DriverFeaturesSel:
        selectors.driverFeatures = value;
        return;
      case Register.QueueSel:
        selectors.queue = value;
        return;
      case Register.QueueNum:
        if (this.setups[selectors.queue] && isQueueSize(value)) this.setups[selectors.queue].num = value;
        return;
      case Register.QueueNotify:
        this.notify(value);
        return;
      case Register.InterruptACK:
        this.interrupts &= ~value;
        this.update();
    }
  }

  private notify(index: number): void {
    const queue = this.queues[index];
    if (queue === undefined || (this.status & Status.DriverOk) === 0 || this.status & Status.NeedsReset) return;
    this.model.notify(index);
    if (!this.queues.some((q) => q.broken)) return;
    this.status |= Status.NeedsReset;
    if (!this.ports.legacy) this.raise(Interrupt.ConfigurationChange);
  }

  private legacyWrite(offset: number, value: number): void {
    const { selectors } = this;
    const setup = this.setups[selectors.queue];
    switch (offset) {
      case Register.DriverFeatures:
        if (selectors.driverFeatures === 0) this.accepted[0] = (value & this.offered[0]) >>> 0;
        return;
      case Register.GuestPageSize:
        if ((value & (value - 1)) === 0 && value !== 0) selectors.pageSize = value;
        return;
      case Register.QueueAlign:
        if (setup && value !== 0 && (value & (value - 1)) === 0) setup.align = value;
        return;
      case Register.QueuePFN:
        if (value === 0) this.reset();
        else if (setup) this.placeLegacy(selectors.queue, value);
        return;
      case Register.Status:
        if (value === 0) this.reset();
        else this.status = value & STATUS_BITS;
        return;
      default:
        this.commonWrite(offset, value);
    }
  }

  /** Descriptor table, available ring and, aligned, the used ring, one after the other. */
  private placeLegacy(index: number, pfn: number): void {
    const queue = this.queues[index];
    const setup = this.setups[index];
    const { num, align } = setup;
    const descriptors = pfn * this.selectors.pageSize;
    const driver = descriptors + 16 * num;
    const device = Math.ceil((driver + 6 + 2 * num) / align) * align;
    queue.reset();
    queue.layout = { size: num, descriptors, driver, device };
    queue.ready = true;
    setup.pfn = pfn;
  }

  private modernWrite(offset: number, value: number): void {
    const { selectors } = this;
    const setup = this.setups[selectors.queue];
    switch (offset) {
      case Register.DriverFeatures:
        // What was agreed on stays until the next reset.
        if (selectors.driverFeatures < 2 && !(this.status & Status.FeaturesOk))
          this.accepted[selectors.driverFeatures] = value >>> 0;
        return;
      case Register.QueueReady:
        this.makeReady(selectors.queue, (value & 1) === 1);
        return;
      case Register.QueueDescLow:
      case Register.QueueDescHigh:
        if (setup) setup.descriptors[(offset >> 2) & 1] = value;
        return;
      case Register.QueueDriverLow:
      case Register.QueueDriverHigh:
        if (setup) setup.driver[(offset >> 2) & 1] = value;
        return;
      case Register.QueueDeviceLow:
      case Register.QueueDeviceHigh:
        if (setup) setup.device[(offset >> 2) & 1] = value;
        return;
      case Register.Status:
        this.modernStatus(value & STATUS_BITS);
        return;
      default:
        this.commonWrite(offset, value);
    }
  }

  private makeReady(index: number, ready: boolean): void {
    const queue = this.queues[index];
    if (queue === undefined) return;
    if (ready && !queue.ready) {
      const { num, descriptors, driver, device } = this.setups[index];
      queue.reset();
      queue.layout = { size: num, descriptors: joined(descriptors), driver: joined(driver), device: joined(device) };
    }
    queue.ready = ready;
  }

  /** FEATURES_OK stays only if the driver accepted nothing that was not offered, and version 1. */
  private modernStatus(value: number): void {
    if (value === 0) {
      this.reset();
      return;
    }
    const { offered, accepted } = this;
    const fits = (accepted[0] & ~offered[0]) === 0 && accepted[1] === offered[1];
    const needsReset = this.status & Status.NeedsReset;
    this.status = (fits ? value : value & ~Status.FeaturesOk) | needsReset;
  }

  save(): TransportState {
    const { selectors, accepted, status, interrupts } = this;
    return {
      selectors: { ...selectors },
      accepted: [...accepted],
      status,
      interrupts,
      setups: this.setups.map(copied),
      queues: this.queues.map((queue) => queue.save()),
      model: this.model.save(),
    };
  }

  load(state: unknown): void {
    const { selectors, accepted, status, interrupts, setups, queues, model } = state as TransportState;
    Object.assign(this, { status, interrupts, selectors: { ...selectors }, accepted: [...accepted] });
    this.queues.forEach((queue, i) => {
      queue.load(queues[i]);
      this.setups[i] = copied(setups[i]);
    });
    this.model.load(model);
    this.update();
  }
}
