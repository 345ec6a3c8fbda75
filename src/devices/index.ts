/** Devices of the board, firmware interfaces and the device tree. */
export type { Clock, CoreLines, Device, DeviceRegisterRow, DmaPort, InterruptLine } from './device';
export * from './deviceTree/index';
export { FLASH_SECTOR_BYTES, Flash, type FlashPorts } from './flash';
export { FwCfg, type FwCfgItems, FwCfgKey, numberItem } from './fwCfg';
export { GicCpuInterface } from './gicCpuInterface';
export { GicDistributor } from './gicDistributor';
export { GicV2, MAX_GIC_CORES } from './gicv2';
export { Pl011, type Pl011Ports } from './pl011';
export { Pl031, RTC_START_SECONDS } from './pl031';
export { Pl061 } from './pl061';
export { type PsciAnswer, type PsciPort, PsciResult, psciCall, psciFunctions } from './psci';
export {
  type FilePort,
  type GuestMemory,
  Semihosting,
  type SemihostingAnswer,
  type SemihostingPorts,
} from './semihosting';
export { VIRT_APB_HZ, VIRT_INTERRUPTS, VIRT_TREE_BYTES, virtMap, virtPpi, virtSpi } from './virtBoard';
export * from './virtio/index';
