/**
 * What is asked of KVM and of the model: a script for vmm.c, a command a line, made for one machine. Values that are worth
 * asking about follow from the machine's registers; all numbers are hexadecimal.
 *
 *   vm                       a new VM with one vCPU that has not run
 *   create TYPE              whether KVM_CREATE_VM accepts it
 *   init                     KVM_ARM_VCPU_INIT again
 *   get | set ID [VALUE]     KVM_GET_ONE_REG, KVM_SET_ONE_REG; getFault | setFault ID: with a pointer to nowhere
 *   demux                    ids of KVM_GET_REG_LIST for demultiplexed registers, at its end
 *   has ID                   how often KVM_GET_REG_LIST has it
 *   writable INDEX           an entry of KVM_ARM_GET_REG_WRITABLE_MASKS
 *   guest OPERATION OPERAND MASK   an instruction in the guest: the bits of MASK of what it gave, or its exception class
 *   system | extension CAP   KVM_CHECK_EXTENSION on the system's file descriptor, on the VM's
 *   slot ID FLAGS GUEST BYTES OFFSET   KVM_SET_USER_MEMORY_REGION
 *   move CPU                 sched_setaffinity of the monitor, and so of its vCPU
 *   online CPU               brings a core online
 *   el0 CPU                  CTR_EL0 as a program reads it on that core
 *   tainted BIT              of the kernel's taint flags
 */
import { getField, maskOf, setField } from '../../../src/hypervisor/fields';
import type { CpuRegisters } from '../../../src/hypervisor/host/capabilities';
import { CSSELR_MAX, capabilities, ccsidrId, sysregId } from '../../../src/hypervisor/kvmApi';

/** Operations of guest.S, by number. */
export const OPERATIONS = ['ctr', 'clidr', 'csselr', 'setCsselr', 'ccsidr', 'setCcsidr', 'ccsidr2', 'mmfr2'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Bit 2 of the kernel's taint flags: a CPU is out of specification. */
export const TAINT_OUT_OF_SPEC = 2;

/** Place of a system register (3, op1, 0, CRm, op2) in the answer of KVM_ARM_GET_REG_WRITABLE_MASKS: op1 is 0, 1 or 3. */
export const maskIndex = (op1: 0 | 1 | 3, crm: number, op2: number): number =>
  ((op1 === 3 ? 2 : op1) << 6) | (crm << 3) | op2;
export const CTR_INDEX = maskIndex(3, 0, 1);
export const CLIDR_INDEX = maskIndex(1, 0, 1);

const ALL = (1n << 64n) - 1n;
const CTR = sysregId('CTR_EL0');
const CLIDR = sysregId('CLIDR_EL1');
const CSSELR = sysregId('CSSELR_EL1');

const line = (word: string, ...numbers: readonly (number | bigint)[]): string =>
  [word, ...numbers.map((value) => value.toString(16))].join(' ');
const get = (id: bigint): string => line('get', id);
const set = (id: bigint, value: bigint): string => line('set', id, value);
const guest = (operation: Operation, operand: number | bigint = 0n, mask = ALL): string =>
  line('guest', OPERATIONS.indexOf(operation), operand, mask);

const indices = Array.from({ length: CSSELR_MAX }, (_, csselr) => csselr);
const getAll: readonly string[] = indices.map((csselr) => get(ccsidrId(csselr)));

/** Ids that are none: another size, an unknown kind, a bit too many, another architecture, an index too large. */
const BAD_IDS: readonly bigint[] = [
  ccsidrId(CSSELR_MAX),
  ccsidrId(0xff),
  ccsidrId(0x100),
  ccsidrId(0) ^ (1n << 52n),
  ccsidrId(0) | (1n << 28n),
  ccsidrId(0) | (1n << 32n),
  ccsidrId(0) ^ (2n << 60n),
  CTR ^ (1n << 52n),
  CLIDR | (1n << 40n),
];

const registers = (): string[] => [
  'vm',
  ...[CTR, CLIDR, CSSELR].map((id) => line('has', id)),
  'demux',
  ...getAll,
  get(CLIDR),
  get(CTR),
  set(CSSELR, 5n),
  get(CSSELR),
  ...BAD_IDS.flatMap((id) => [get(id), set(id, 0n)]),
  ...[ccsidrId(0), ccsidrId(13), CTR, CLIDR].flatMap((id) => [line('getFault', id), line('setFault', id)]),
];

/** Values of CCSIDR_EL1: every core's own, with and without its top bits, lines too small, all geometry, nothing. */
function ccsidrValues(cpus: readonly CpuRegisters[], csselr: number): bigint[] {
  const own = cpus.flatMap((cpu) => cpu.ccsidr?.[csselr] ?? []).map((value) => value & 0xffff_ffffn);
  const values = own.flatMap((value) => [
    value,
    value & 0x0fff_ffffn,
    setField('CCSIDR_EL1.LineSize', value & 0x0fff_ffffn, 0n),
    setField('CCSIDR_EL1.LineSize', value & 0x0fff_ffffn, 1n),
  ]);
  return [...new Set([0n, 1n, 2n, 3n, ...values, 0x0fff_ffffn, 0xffff_ffffn])];
}

const topologies = (cpus: readonly CpuRegisters[]): string[] => [
  'vm',
  ...[0, 1, 2, 3, 13].flatMap((csselr) =>
    ccsidrValues(cpus, csselr).flatMap((value) => [set(ccsidrId(csselr), value), get(ccsidrId(csselr))]),
  ),
  ...getAll,
  'init',
  ...getAll,
];

/** The values of FIDELITY A4, the cores' own, and bits of each field that may be reserved. */
function clidrs(cpus: readonly CpuRegisters[]): string[] {
  const values = [
    ...[0x0920_0003n, 0x0200_0021n, 0x0100_0004n, 0n, 0x0900_0003n, 0x0120_0003n, 1n << 63n, 1n << 47n],
    ...cpus.map(({ clidr }) => clidr),
    ...[1n << 30n, 1n << 33n, 1n << 46n, 1n << 18n, 7n].map((bits) => 0x0920_0003n | bits),
  ];
  return ['vm', ...[...new Set(values)].flatMap((value) => [set(CLIDR, value), get(CLIDR)]), 'init', get(CLIDR)];
}

/** CTR_EL0 with one field one lower, one higher, or any value; `host`: what KVM starts from. */
function ctrValues(host: bigint): bigint[] {
  const fields = ['IminLine', 'DminLine', 'ERG', 'CWG', 'IDC', 'DIC', 'L1Ip', 'TminLine'].map(
    (name) => `CTR_EL0.${name}`,
  );
  const moved = fields.flatMap((field) =>
    [-1n, 1n]
      .map((by) => getField(field, host) + by)
      .filter((part) => part >= 0n && part <= maskOf(field) / (maskOf(field) & -maskOf(field)))
      .map((part) => setField(field, host, part)),
  );
  const policies = [0n, 1n, 2n, 3n].map((l1ip) => setField('CTR_EL0.L1Ip', host, l1ip));
  return [...new Set([host, ...moved, ...policies, host ^ (1n << 31n), host | (1n << 63n), 0n])];
}

const ctrs = (host: bigint, lowered: bigint): string[] => [
  'vm',
  ...ctrValues(host).flatMap((value) => [set(CTR, value), get(CTR)]),
  // What a guest sees of it; after that nothing may change.
  set(CTR, lowered),
  get(CTR),
  'init',
  get(CTR),
  guest('ctr'),
  set(CTR, host),
  set(CTR, lowered),
  set(CTR, setField('CTR_EL0.L1Ip', host, 0n)),
  get(CTR),
  'vm',
  get(CTR),
  guest('ctr'),
  set(CTR, host),
  set(CTR, lowered),
];

/** Whether CTR_EL0 of a VM, lowered, bears on what CLIDR_EL1 and CCSIDR_EL1 may be, and they on what it may be then. */
const apart = (host: bigint, lowered: bigint): string[] => [
  'vm',
  set(CTR, lowered),
  get(CLIDR),
  getAll[0],
  ...[0x0920_0003n, 0x0200_0021n, 0x0100_0004n].flatMap((value) => [set(CLIDR, value), get(CLIDR)]),
  ...[0, 1].flatMap((csselr) => [0n, 1n, 2n, 3n].map((value) => set(ccsidrId(csselr), value))),
  set(CLIDR, 0x0a20_0023n),
  get(CLIDR),
  set(CTR, host),
  get(CTR),
];

/** What a guest reads, and what it must not do. */
const reads = (): string[] => [
  guest('ctr'),
  guest('clidr'),
  ...[...indices, CSSELR_MAX, CSSELR_MAX + 1].flatMap((csselr) => [guest('setCsselr', csselr), guest('ccsidr')]),
  guest('csselr'),
  guest('setCsselr', 0xf4n),
  guest('csselr', 0n, 0xfn),
  guest('ccsidr'),
  guest('setCcsidr', 0x700f_e03an),
  guest('ccsidr2'),
  guest('mmfr2', 0n, maskOf('ID_AA64MMFR2_EL1.CCIDX')),
];

/** A vCPU that moves from core to core, with the fabricated topology and with a stored one. */
function moves(cpus: readonly CpuRegisters[], cores: readonly number[]): string[] {
  const there = cores.flatMap((core) => [line('move', core), ...reads(), ...getAll, get(CLIDR), get(CTR)]);
  const stored = [0, 1, 2].map((csselr) => set(ccsidrId(csselr), (cpus[0].ccsidr?.[csselr] ?? 0n) & 0x0fff_ffffn));
  return ['vm', ...there, ...stored, set(CLIDR, cpus[0].clidr), ...there];
}

const PAGE = 0x1000n;
/** Default size of intermediate addresses. */
const TOP = 1n << 40n;

/** Flags: 1 is dirty logging, 2 read-only. */
const slots = (): string[] => [
  'vm',
  // Beyond the last intermediate address, in part and whole.
  line('slot', 1, 0, TOP - PAGE, 2n * PAGE, 0),
  line('slot', 1, 0, TOP, PAGE, 0),
  line('slot', 1, 0, TOP - PAGE, PAGE, 0),
  // More pages than a slot may have, over another one and beyond all addresses.
  line('slot', 2, 0, 0, 1n << 43n, 0),
  line('slot', 2, 0, TOP, 1n << 43n, 0),
  // Not of whole pages, flags that are none, ids beyond the last, around the end of all addresses, nothing to delete.
  line('slot', 2, 0, PAGE / 2n, PAGE, 0),
  line('slot', 2, 0, 0, PAGE / 2n, 0),
  line('slot', 2, 0, 0, PAGE, PAGE / 2n),
  line('slot', 2, 0x10, 0, PAGE, 0),
  line('slot', 0x7fff, 0, 0, PAGE, 0),
  line('slot', 0x10000, 0, 0, PAGE, 0),
  line('slot', 2, 0, (1n << 64n) - PAGE, 2n * PAGE, 0),
  line('slot', 2, 0, 0, 0, 0),
  // Over another one, over its end and the last address, and beside it.
  line('slot', 2, 0, TOP - PAGE, PAGE, PAGE),
  line('slot', 2, 0, TOP - 2n * PAGE, 3n * PAGE, PAGE),
  line('slot', 2, 2, TOP - 2n * PAGE, PAGE, PAGE),
  // The same again, other memory, another size, not read-only, another place, the first one's place, dirty logging.
  line('slot', 2, 2, TOP - 2n * PAGE, PAGE, PAGE),
  line('slot', 2, 2, TOP - 2n * PAGE, PAGE, 2n * PAGE),
  line('slot', 2, 2, TOP - 2n * PAGE, 2n * PAGE, PAGE),
  line('slot', 2, 0, TOP - 2n * PAGE, PAGE, PAGE),
  line('slot', 2, 2, 0, PAGE, PAGE),
  line('slot', 2, 2, TOP - PAGE, PAGE, PAGE),
  line('slot', 2, 2, TOP, PAGE, PAGE),
  line('slot', 2, 3, 0, PAGE, PAGE),
  line('slot', 2, 0, 0, 0, 0),
  line('slot', 2, 0, 0, 0, 0),
];

const extensions = (): string[] =>
  Object.values(capabilities).flatMap((number) => [line('system', number), line('extension', number)]);

export interface Asking {
  readonly cpus: readonly CpuRegisters[];
  /** CTR_EL0 that a VM begins with, as the model has it. */
  readonly hostCtr: bigint;
  /** The kernel has KVM_ARM_GET_REG_WRITABLE_MASKS. */
  readonly hasMasks: boolean;
  /** Cores to bring online after boot; the others are online. */
  readonly late: readonly number[];
}

const el0 = (cores: readonly number[]): string[] => [
  ...cores.map((core) => line('el0', core)),
  line('tainted', TAINT_OUT_OF_SPEC),
];

/** A new VM after late cores have come, on all of them. */
const lateReads = (cores: readonly number[]): string[] => [
  line('move', 0),
  'vm',
  get(CTR),
  get(CLIDR),
  ...reads(),
  ...cores.flatMap((core) => [line('move', core), guest('ctr'), guest('clidr'), get(CTR)]),
];

/** CTR_EL0 with what user space is most likely to take away. */
const loweredCtr = (host: bigint): bigint => host & ~(maskOf('CTR_EL0.DIC') | maskOf('CTR_EL0.IDC'));

export function script({ cpus, hostCtr, hasMasks, late }: Asking): string[] {
  const cores = cpus.map((_, core) => core);
  const early = cores.filter((core) => !late.includes(core));
  const lowered =
    loweredCtr(hostCtr) === hostCtr
      ? setField('CTR_EL0.DminLine', hostCtr, getField('CTR_EL0.DminLine', hostCtr) - 1n)
      : loweredCtr(hostCtr);
  return [
    ...el0(early),
    line('move', 0),
    ...registers(),
    ...topologies(cpus),
    ...clidrs(cpus),
    ...ctrs(hostCtr, lowered),
    ...apart(hostCtr, setField('CTR_EL0.IminLine', lowered, getField('CTR_EL0.IminLine', hostCtr) - 1n)),
    ...(hasMasks ? ['vm', line('writable', CTR_INDEX), line('writable', CLIDR_INDEX)] : []),
    ...moves(cpus, early),
    ...slots(),
    ...[0, 31, 32, 36, 40, 42, 44, 45, 48, 49, 52, 255, 0x128, 0x8000_0028].map((type) => line('create', type)),
    ...extensions(),
    ...late.flatMap((core) => [line('online', core), ...el0(cores)]),
    ...(late.length === 0 ? [] : lateReads(cores)),
  ];
}
