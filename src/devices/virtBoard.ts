/**
 * Where things are on the board: the memory map and interrupt numbers of QEMU's virt machine, as far as its devices exist
 * here. The machine places devices by this table and the device tree is written from it.
 */

export const virtMap = {
  flash0: { base: 0x0000_0000, size: 0x0400_0000 },
  flash1: { base: 0x0400_0000, size: 0x0400_0000 },
  gicDistributor: { base: 0x0800_0000, size: 0x0001_0000 },
  gicCpu: { base: 0x0801_0000, size: 0x0001_0000 },
  gicHypervisor: { base: 0x0803_0000, size: 0x0001_0000 },
  gicVirtualCpu: { base: 0x0804_0000, size: 0x0001_0000 },
  gicRedistributors: { base: 0x080a_0000, size: 0x00f6_0000 },
  uart: { base: 0x0900_0000, size: 0x1000 },
  rtc: { base: 0x0901_0000, size: 0x1000 },
  fwCfg: { base: 0x0902_0000, size: 0x18 },
  gpio: { base: 0x0903_0000, size: 0x1000 },
  virtio: { base: 0x0a00_0000, size: 0x200, count: 32 },
  ram: { base: 0x4000_0000 },
} as const;

/** Shared peripheral interrupts, by n of interrupt 32 + n. */
export const virtSpi = { uart: 1, rtc: 2, gpio: 7, virtio: 16 } as const;

/** The GPIO pin of the power key. */
export const VIRT_POWER_PIN = 3;

/** Private peripheral interrupts, by n of interrupt 16 + n. */
export const virtPpi = {
  virtualMaintenance: 9,
  hypTimer: 10,
  virtualTimer: 11,
  /** The EL2 virtual timer of FEAT_VHE: QEMU has it since 9.0. */
  hostVirtualTimer: 12,
  pmu: 7,
  secureTimer: 13,
  physicalTimer: 14,
} as const;

/** Number of interrupts of the distributor, private ones included. */
export const VIRT_INTERRUPTS = 288;

/** The device tree lies at the start of RAM in this much room when an ELF or firmware is started. */
export const VIRT_TREE_BYTES = 0x0010_0000;

/** Frequency of the UART's and RTC's clock. */
export const VIRT_APB_HZ = 24_000_000;
