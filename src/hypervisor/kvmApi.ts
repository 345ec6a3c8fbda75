/**
 * KVM's interface to user space as far as the model has it: ioctls, capabilities, exit reasons and one-reg ids, with KVM's own
 * names and numbers. Source: the kernel's uapi headers (linux/kvm.h, asm/kvm.h of arm64) as facts, checked against what
 * QEMU's copy and patches of them show for the newer ones.
 */
import { byName, encodingKey, systemRegisters } from '../arch/sysregs';
import { bug } from '../base/errors';

type Direction = 'none' | 'write' | 'read' | 'both';

/** Number and argument of an ioctl; `bytes` is the size of the structure in its number. */
export interface IoctlRow {
  readonly on: 'system' | 'vm' | 'vcpu';
  readonly number: number;
  readonly direction: Direction;
  readonly bytes: number;
}

const io = (on: IoctlRow['on'], number: number, direction: Direction = 'none', bytes = 0): IoctlRow => ({
  on,
  number,
  direction,
  bytes,
});

export const ioctls = {
  KVM_GET_API_VERSION: io('system', 0x00),
  KVM_CREATE_VM: io('system', 0x01),
  KVM_CHECK_EXTENSION: io('system', 0x03),
  KVM_GET_VCPU_MMAP_SIZE: io('system', 0x04),
  KVM_CREATE_VCPU: io('vm', 0x41),
  KVM_GET_DIRTY_LOG: io('vm', 0x42, 'write', 16),
  KVM_SET_USER_MEMORY_REGION: io('vm', 0x46, 'write', 32),
  KVM_SET_USER_MEMORY_REGION2: io('vm', 0x49, 'write', 160),
  KVM_CREATE_IRQCHIP: io('vm', 0x60),
  KVM_IRQ_LINE: io('vm', 0x61, 'write', 8),
  KVM_RUN: io('vcpu', 0x80),
  KVM_GET_MP_STATE: io('vcpu', 0x98, 'read', 4),
  KVM_SET_MP_STATE: io('vcpu', 0x99, 'write', 4),
  KVM_ENABLE_CAP: io('vm', 0xa3, 'write', 104),
  KVM_GET_ONE_REG: io('vcpu', 0xab, 'write', 16),
  KVM_SET_ONE_REG: io('vcpu', 0xac, 'write', 16),
  KVM_ARM_VCPU_INIT: io('vcpu', 0xae, 'write', 32),
  KVM_ARM_PREFERRED_TARGET: io('vm', 0xaf, 'read', 32),
  KVM_GET_REG_LIST: io('vcpu', 0xb0, 'both', 8),
  KVM_ARM_GET_REG_WRITABLE_MASKS: io('vm', 0xb6, 'read', 64),
  KVM_CLEAR_DIRTY_LOG: io('vm', 0xc0, 'both', 24),
  KVM_CREATE_DEVICE: io('vm', 0xe0, 'both', 12),
  KVM_SET_DEVICE_ATTR: io('vm', 0xe1, 'write', 24),
} as const satisfies Record<string, IoctlRow>;

export type IoctlName = keyof typeof ioctls;

const KVMIO = 0xae;
const directionBits: Readonly<Record<Direction, number>> = { none: 0, write: 1, read: 2, both: 3 };

/** The request number that ioctl(2) takes: direction [31:30], size [29:16], KVM's letter [15:8], number [7:0]. */
export const ioctlRequest = (name: IoctlName): number => {
  const { number, direction, bytes } = ioctls[name];
  return ((directionBits[direction] << 30) | (bytes << 16) | (KVMIO << 8) | number) >>> 0;
};

export const capabilities = {
  KVM_CAP_USER_MEMORY: 3,
  KVM_CAP_NR_VCPUS: 9,
  KVM_CAP_NR_MEMSLOTS: 10,
  KVM_CAP_MAX_VCPUS: 66,
  KVM_CAP_ONE_REG: 70,
  KVM_CAP_READONLY_MEM: 81,
  KVM_CAP_DEVICE_CTRL: 89,
  KVM_CAP_ARM_EL1_32BIT: 93,
  KVM_CAP_ARM_PSCI_0_2: 102,
  KVM_CAP_ARM_VM_IPA_SIZE: 165,
  KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: 168,
  KVM_CAP_ARM_MTE: 205,
  KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES: 230,
  KVM_CAP_USER_MEMORY2: 231,
  KVM_CAP_MEMORY_FAULT_INFO: 232,
  KVM_CAP_ARM_WRITABLE_IMP_ID_REGS: 239,
  KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED: 243,
  KVM_CAP_ARM_SEA_TO_USER: 245,
} as const;

export type CapabilityName = keyof typeof capabilities;

/** `exit_reason` of KVM_RUN. */
export const exitReasons = {
  KVM_EXIT_UNKNOWN: 0,
  KVM_EXIT_HYPERCALL: 3,
  KVM_EXIT_DEBUG: 4,
  KVM_EXIT_MMIO: 6,
  KVM_EXIT_SHUTDOWN: 8,
  KVM_EXIT_FAIL_ENTRY: 9,
  KVM_EXIT_INTR: 10,
  KVM_EXIT_INTERNAL_ERROR: 17,
  KVM_EXIT_SYSTEM_EVENT: 24,
  KVM_EXIT_ARM_NISV: 28,
  KVM_EXIT_MEMORY_FAULT: 39,
  KVM_EXIT_ARM_SEA: 41,
} as const;

/** `type` of KVM_EXIT_SYSTEM_EVENT. */
export const systemEvents = { KVM_SYSTEM_EVENT_SHUTDOWN: 1, KVM_SYSTEM_EVENT_RESET: 2 } as const;

export type ExitReasonName = keyof typeof exitReasons;

/** Memory slot flags (bits). */
export const memoryFlags = { KVM_MEM_LOG_DIRTY_PAGES: 1, KVM_MEM_READONLY: 2 } as const;

/**
 * One-reg ids: architecture [63:60] = 6, size [55:52] = log2 of bytes, kind of register [27:16], index [15:0]. Kind 0x13:
 * system registers, whose index is the key of the architecture's table. Kind 0x11: one of several behind one name ("demux"),
 * with what it is in [15:8] (0 = CCSIDR_EL1) and which in [7:0].
 * Kind 0x14: of KVM's own firmware.
 */
const ARM64 = 0x6000_0000_0000_0000n;
const SIZE_SHIFT = 52n;
const SIZE_MASK = 0xfn << SIZE_SHIFT;
const ARCH_MASK = 0xffn << 56n;
const KIND_SHIFT = 16n;
const KIND_MASK = 0xfffn << KIND_SHIFT;
const INDEX_MASK = 0xffffn;
const U32 = 2n << SIZE_SHIFT;
const U64 = 3n << SIZE_SHIFT;
const CORE = 0x10n;
const DEMUX = 0x11n;
const SYSREG = 0x13n;
const FIRMWARE = 0x14n;

const U128 = 4n << SIZE_SHIFT;

/** Registers of struct kvm_regs: where they are in it, in words of 32 bits, which is their index. */
const coreRows: readonly (readonly [name: string, index: number, size: bigint])[] = [
  ...Array.from({ length: 31 }, (_, n) => [`X${n}`, 2 * n, U64] as const),
  ...([
    ['SP_EL0', 62, U64],
    ['PC', 64, U64],
    ['PSTATE', 66, U64],
  ] as const),
  ...([
    ['SP_EL1', 68, U64],
    ['ELR_EL1', 70, U64],
    ['SPSR_EL1', 72, U64],
  ] as const),
  ...Array.from({ length: 32 }, (_, n) => [`V${n}`, 84 + 4 * n, U128] as const),
  ...([
    ['FPSR', 212, U32],
    ['FPCR', 213, U32],
  ] as const),
];
/** Core registers by name, as KVM_GET_REG_LIST has them in order. */
export const coreRegs: ReadonlyMap<string, bigint> = new Map(
  coreRows.map(([name, index, size]) => [name, ARM64 | size | (CORE << KIND_SHIFT) | BigInt(index)]),
);

/**
 * The virtual timer's: those of CNT and CVAL are the wrong way around in the ABI, for ever (asm/kvm.h). CNT is the guest's
 * count, which a write moves.
 */
export const timerRegs: ReadonlyMap<string, bigint> = new Map([
  ['CNTV_CTL_EL0', ARM64 | U64 | (SYSREG << KIND_SHIFT) | 0xdf19n],
  ['CNTVCT_EL0', ARM64 | U64 | (SYSREG << KIND_SHIFT) | 0xdf1an],
  ['CNTV_CVAL_EL0', ARM64 | U64 | (SYSREG << KIND_SHIFT) | 0xdf02n],
]);

/** Bits of a register by its id. */
export const oneRegBits = (id: bigint): number => 8 << Number((id & SIZE_MASK) >> SIZE_SHIFT);

/** CSSELR_EL1 values that one-reg can name: seven levels, data or instruction. */
export const CSSELR_MAX = 14;

/** The id of a system register by its name. */
export function sysregId(name: string): bigint {
  const row = systemRegisters[byName(name)] ?? bug(`register ${name}`);
  return ARM64 | U64 | (SYSREG << KIND_SHIFT) | BigInt(encodingKey(row.encoding));
}

/** KVM_REG_ARM_FW_REG(0): the version of PSCI that a VM has. */
export const KVM_REG_ARM_PSCI_VERSION = ARM64 | U64 | (FIRMWARE << KIND_SHIFT);

/** The id of the CCSIDR_EL1 that a CSSELR_EL1 value selects. */
export const ccsidrId = (csselr: number): bigint => ARM64 | U32 | (DEMUX << KIND_SHIFT) | BigInt(csselr);

export type OneReg =
  | { readonly kind: 'sysreg'; readonly key: number }
  | { readonly kind: 'ccsidr'; readonly csselr: number }
  | { readonly kind: 'core'; readonly index: number }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'unknown' };

/**
 * Takes an id apart as KVM does. 'foreign' (EINVAL): another architecture, or any bit of [51:32]. 'unknown' (ENOENT): other unused
 * bits set, another size or kind.
 */
export function decodeOneReg(id: bigint): OneReg {
  const unknown = { kind: 'unknown' } as const;
  if (id >> 32n !== (ARM64 | (id & SIZE_MASK)) >> 32n) return { kind: 'foreign' };
  if ((id & ~(ARCH_MASK | SIZE_MASK | KIND_MASK | INDEX_MASK)) !== 0n) return unknown;
  const kind = (id & KIND_MASK) >> KIND_SHIFT;
  const index = Number(id & INDEX_MASK);
  const size = id & SIZE_MASK;
  if (kind === CORE) return { kind: 'core', index };
  if (kind === SYSREG) return size === U64 ? { kind: 'sysreg', key: index } : unknown;
  if (kind === DEMUX) return size === U32 && index >> 8 === 0 ? { kind: 'ccsidr', csselr: index & 0xff } : unknown;
  return unknown;
}

/** What must hold of the tables; an empty list is a pass. */
export function validateKvmApi(tables = { ioctls, capabilities, exitReasons }): string[] {
  const complaints: string[] = [];
  const unique = (what: string, entries: readonly (readonly [string, number])[]): void => {
    const seen = new Map<number, string>();
    for (const [name, number] of entries) {
      if (seen.has(number)) complaints.push(`${what}: ${name} and ${seen.get(number)} are both ${number}`);
      seen.set(number, name);
    }
  };
  const rows: readonly (readonly [string, IoctlRow])[] = Object.entries(tables.ioctls);
  unique(
    'ioctls',
    rows.map(([name, row]) => [name, row.number]),
  );
  unique('capabilities', Object.entries(tables.capabilities));
  unique('exit reasons', Object.entries(tables.exitReasons));
  for (const [name, row] of rows)
    if ((row.direction === 'none') !== (row.bytes === 0)) complaints.push(`ioctls: ${name} has no matching size`);
  return complaints;
}
