/**
 * Thread 2: execute permission for a large block. How many operations the host sends to all cores, how long it takes, whether the
 * soft-lockup watchdog barks, and whose writes the maintenance covers.
 */
import type { FaultNote } from '../hypervisor/run/model';
import { isBroadcast } from '../hypervisor/steps';
import { logged, rounded, saidNumber } from './console';
import { type Json, type Ran, scenario, type Variant } from './types';

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/** Guest's block, as the machine file places it. */
const sizes = {
  '4K': { bytes: 4 * KiB, page: 4096, memory: '64M', slot: '64K' },
  '2M': { bytes: 2 * MiB, page: 4096, memory: '64M', slot: '4M' },
  '64K': { bytes: 64 * KiB, page: 65536, memory: '64M', slot: '64K' },
  '512M': { bytes: 512 * MiB, page: 65536, memory: '1G', slot: '512M' },
  '1G': { bytes: GiB, page: 4096, memory: '2G', slot: '1G' },
} as const;
type Size = keyof typeof sizes;

const machineOf = (size: Size, cores?: readonly Json[]): Json => {
  const { page, memory, slot } = sizes[size];
  const own = page === 4096 ? '4K' : '64K';
  const slots = [{ at: '2G', size: slot, mapSize: size }];
  const vms = [{ memory: '8M', mapSize: own, vcpus: [{ core: 0 }], slots }];
  return { memory, hypervisor: { page, vms }, ...(cores === undefined ? {} : { cores }) };
};

const BLOCK = 2 * GiB;

/** Faults on the block: the guest reads it first and executes in it later, if it has not got the permission yet. */
const faultOf =
  (access: 'read' | 'execute') =>
  ({ model }: Ran): FaultNote | undefined =>
    model.faults.find((fault) => fault.ipa >= BLOCK && fault.access === access);

const icache = (fault: FaultNote | undefined): string => {
  const steps = fault?.steps.filter((step) => step.name.startsWith('IC ')) ?? [];
  return steps.map(({ name, count = 1 }) => `${count} ${name}`).join(', ') || 'none';
};

const cleaned = (fault: FaultNote | undefined): number =>
  fault?.steps.reduce((sum, { name, count = 1 }) => sum + (name === 'DC CIVAC' ? count : 0), 0) ?? 0;

const broadcastIc = (fault: FaultNote | undefined): number =>
  fault?.steps.reduce(
    (sum, step) => sum + (isBroadcast(step) && step.name.startsWith('IC') ? (step.count ?? 1) : 0),
    0,
  ) ?? 0;

const outcomes = {
  cleaned: { title: 'DC CIVAC at the read', of: (run: Ran) => cleaned(faultOf('read')(run)) },
  atRead: { title: 'I-cache at the read', of: (run: Ran) => icache(faultOf('read')(run)) },
  atFetch: { title: 'I-cache at the first fetch', of: (run: Ran) => icache(faultOf('execute')(run)) },
  broadcasts: {
    title: 'broadcasts in all',
    of: (run: Ran) => broadcastIc(faultOf('read')(run)) + broadcastIc(faultOf('execute')(run)),
  },
  seconds: { title: 'longest time in the kernel, s', of: ({ model }: Ran) => rounded(model.watchdog.longest) },
  lockup: { title: 'soft lockup', of: logged(/watchdog: BUG: soft lockup - CPU#0 stuck for \d+s!/) },
  before: { title: 'host wrote before the read', of: saidNumber(/before the first fault: (\d)/) },
  between: { title: 'host wrote after it', of: saidNumber(/between the faults: (\d)/) },
  clean: { title: 'guest wrote, cleaned', of: saidNumber(/guest, cleaned: (\d)/) },
  unclean: { title: 'guest wrote, not cleaned', of: saidNumber(/guest, not cleaned: (\d)/) },
} as const;

type Row = Variant<keyof typeof outcomes>;

/** Whose function is the new one: what was written before the first fault, and what its writer cleaned. */
const WRITERS = { before: 2, between: 1, clean: 2, unclean: 1 } as const;
const ALL_NEW = { before: 2, between: 2, clean: 2, unclean: 2 } as const;
const ONE = '1 IC IALLUIS';
const lines = (n: number): string => `${n} IC IVAU`;

const row = (
  name: string,
  title: string,
  size: Size,
  more: Omit<Row, 'name' | 'title'>,
  cores?: readonly Json[],
): Row => ({
  name,
  title,
  ...more,
  machine: machineOf(size, cores),
});

const four = (core: Json): Json[] => [core, core, core, core];

/** Before and after, for each size of block. */
const bySize = (['4K', '2M', '512M', '1G'] as const).flatMap((size): Row[] => {
  const n = sizes[size].bytes / 64;
  const bounded = size === '4K' ? lines(n) : ONE;
  const common = { ...WRITERS, cleaned: n, atRead: 'none' };
  return [
    row(`v6.6-${size}`, `${size}: every line, however many`, size, {
      kvm: '6.6',
      expect: { ...common, atFetch: lines(n), broadcasts: n, lockup: n > 1e6 },
    }),
    row(`v6.7-${size}`, `${size}: at most ${size === '512M' ? 8192 : 512} lines, else everything at once`, size, {
      kvm: '6.7',
      expect: { ...common, atFetch: bounded, broadcasts: size === '4K' ? n : 1, lockup: false },
    }),
  ];
});

const others: readonly Row[] = [
  row(
    'v6.6-lines-32',
    '512M, I-lines of 32 bytes: twice as many',
    '512M',
    { kvm: '6.6', expect: { ...WRITERS, atFetch: lines(2 ** 24), lockup: true } },
    four({ l1i: { lineBytes: 32, sets: 512 } }),
  ),
  row(
    'v6.6-lines-128',
    '512M, I-lines of 128 bytes: half as many, below 20 s',
    '512M',
    { kvm: '6.6', expect: { ...WRITERS, atFetch: lines(2 ** 22), lockup: false } },
    four({ l1i: { lineBytes: 128, sets: 128 } }),
  ),
  row(
    'v6.6-lines-mixed',
    '512M, one core with 32-byte I-lines: the smallest counts',
    '512M',
    { kvm: '6.6', expect: { ...WRITERS, atFetch: lines(2 ** 24), lockup: true } },
    [{}, {}, {}, { l1i: { lineBytes: 32, sets: 512 } }],
  ),
  row(
    'v6.7-64K-32',
    '64K pages and 32-byte I-lines: 2048 lines are within the bound',
    '64K',
    {
      kvm: '6.7',
      expect: { ...WRITERS, atFetch: lines(2048), broadcasts: 2048, lockup: false },
    },
    four({ l1i: { lineBytes: 32, sets: 512 } }),
  ),
  row(
    'v6.6-vipt',
    '512M, one core with a VIPT I-cache: everything at once, as ever',
    '512M',
    { kvm: '6.6', expect: { ...WRITERS, atFetch: ONE, broadcasts: 1, lockup: false } },
    [{}, {}, {}, { l1i: { policy: 'VIPT' } }],
  ),
  row('v6.6-eager', '512M, execute permission at once: the read waits instead', '512M', {
    kvm: '6.6',
    policies: { executePermission: 'eager' },
    expect: { ...WRITERS, atRead: lines(2 ** 23), lockup: true },
  }),
  row('v6.6-raised', '512M, everything for whatever is larger than a page, as raised in the thread', '512M', {
    kvm: '6.6',
    policies: { icacheInvalidation: 'abovePage' },
    expect: { ...WRITERS, atFetch: ONE, lockup: false },
  }),
  row(
    'v6.6-idc',
    '512M, IDC: what the host wrote need not be cleaned for fetches',
    '512M',
    { kvm: '6.6', expect: { ...ALL_NEW, cleaned: 2 ** 23, atFetch: lines(2 ** 23), lockup: true } },
    four({ idc: true }),
  ),
  row(
    'v6.6-dic',
    '512M, IDC and DIC: execute permission at once, no maintenance',
    '512M',
    { kvm: '6.6', expect: { ...ALL_NEW, atRead: 'none', broadcasts: 0, lockup: false } },
    four({ idc: true, dic: true }),
  ),
  row(
    'v6.6-fwb',
    '512M, FWB and IDC: the read cleans nothing either',
    '512M',
    { kvm: '6.6', expect: { ...ALL_NEW, cleaned: 0, atFetch: lines(2 ** 23), lockup: true } },
    four({ idc: true, features: { FEAT_S2FWB: true } }),
  ),
];

export const softLockup = scenario({
  name: 'soft-lockup',
  title: 'execute permission for a large block of guest memory',
  thread: 2,
  program: 'kvm-soft-lockup',
  machine: 'kvm-soft-lockup',
  outcomes,
  variants: [...bySize, ...others],
});
