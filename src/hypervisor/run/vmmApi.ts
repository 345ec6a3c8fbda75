/** Numbers of what a guest asks of user space: see vmmCalls.ts, hypercalls.h and memory-calls.h of the samples for the guests' side. */
import type { HostMemory } from '../stage2Attributes';

export const VmmCall = {
  /** X1 = id; the value comes in X1. */
  GET_ONE_REG: 0xc600_0110n,
  /** X1 = id, X2 = value. */
  SET_ONE_REG: 0xc600_0111n,
  /** X1 = capability, on the VM's file descriptor. */
  CHECK_EXTENSION: 0xc600_0112n,
  ENABLE_CAP: 0xc600_0113n,
  /** X1 = slot that is there, or was refused: KVM_SET_USER_MEMORY_REGION of it with flags X2. */
  SET_MEMORY_REGION: 0xc600_0114n,
  /** X1 = slot, X2 = type of memory (HOST_MEMORY): the VMM maps it so from now on. */
  MMAP: 0xc600_0115n,
  /** X1 = guest address, X2 = 32-bit value, X3 = what is done after the write (CLEANING). */
  WRITE: 0xc600_0116n,
  /** X1 = core that is to come online; 0 online, 1 it died. */
  ONLINE: 0xc600_0117n,
  /** What the VMM reads of CTR_EL0 at EL0, on the core that it is on; X1 is 1 if the kernel answered for the core. */
  HOST_CTR: 0xc600_0118n,
  /** X1 = number of other VMs that come and go, each with a VMID of its own. */
  OTHER_VMS: 0xc600_0119n,
  /** X1 to X5 as the fields of the ioctl's structure: slot, flags, guest address, bytes, user address. */
  SET_USER_MEMORY_REGION: 0xc600_011an,
  /** X1 = guest address: the user address behind it comes in X1. */
  USER_ADDRESS: 0xc600_011bn,
  /** X1 = guest address, X2 = bytes: user space unmaps what is behind them. MMAP of the slot maps it again. */
  MUNMAP: 0xc600_011cn,
  /** X1 = slot: KVM_GET_DIRTY_LOG into the VMM's memory; how many pages are dirty comes in X1. */
  GET_DIRTY_LOG: 0xc600_011dn,
  /** X1 = slot, X2 = n: pages 64 n to 64 n + 63 of the log that user space got last come as bits of X1. */
  DIRTY_PAGES: 0xc600_011en,
  /** X1 = slot, X2 = first page, X3 = pages: KVM_CLEAR_DIRTY_LOG, with the bits that the log had. */
  CLEAR_DIRTY_LOG: 0xc600_011fn,
  /** X1 = guest address, X2 = bytes, X3 = AGEING: the host looks whether they were used; 1 in X1 if they were. */
  AGE: 0xc600_0120n,
} as const;

const numbers: ReadonlySet<bigint> = new Set(Object.values(VmmCall));

export const isVmmCall = (id: bigint): boolean => numbers.has(id);

/** By number, as guests give it. */
export const HOST_MEMORY: readonly HostMemory[] = ['NORMAL', 'NORMAL_NC', 'DEVICE_nGnRE', 'DEVICE_nGnRnE'];

/** The host's MMU notifiers of ageing: test_young, clear_young, clear_flush_young. */
export const AGEING = { testYoung: 0n, clearYoung: 1n, clearFlushYoung: 2n } as const;

/** After a write: nothing; what __builtin___clear_cache does by the core's CTR_EL0; DC CVAC. */
export const CLEANING = { none: 0n, clearCache: 1n, toPoC: 2n } as const;
