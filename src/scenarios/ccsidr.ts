/** Thread 4: CCSIDR_EL1 of a guest that moves between the M2's clusters, what its VMM restores there, and what trapping costs. */
import { rounded, said, saidNumber, trapped } from './console';
import { type Json, type Ran, scenario } from './types';

const CORES = 8;
/** Cycles in a tick of the counter, at the machine's 1 GHz and 62.5 MHz. */
const TICK = 16;
const READS = 1000;

const everyCore = (core: Json): Json => ({ cores: Array.from({ length: CORES }, () => core) });

const cyclesARead = (run: Ran): number | undefined => {
  const ticks = saidNumber(/EL0 read .* (\d+) ticks/)(run);
  return ticks === undefined ? undefined : (ticks * TICK) / READS;
};

const set = (what: string): ((run: Ran) => string | undefined) => said(new RegExp(`VMM sets ${what}, \\S+: (\\w+)`));

/** What both releases before the normalised topology say to values that are not the current core's. */
const REFUSED = { smallLine: 'EINVAL', eighthLevel: 'ENOENT', clidrReserved: 'EINVAL' } as const;

export const ccsidr = scenario({
  name: 'ccsidr',
  title: 'CCSIDR_EL1 of a guest that moves between clusters with different caches',
  thread: 4,
  program: 'kvm-ccsidr',
  machine: 'kvm-ccsidr',
  outcomes: {
    clidr: { title: 'CLIDR_EL1', of: said(/core 4: .*CLIDR_EL1 (\w+)/) },
    near: { title: 'L1D on core 0', of: said(/core 0: .*L1D (\w+)/) },
    far: { title: 'L1D on core 4', of: said(/core 4: .*L1D (\w+)/) },
    farI: { title: 'L1I on core 4', of: said(/core 4: .*L1I (\w+)/) },
    farL2: { title: 'L2 on core 4', of: said(/core 4: .*L2 (\w+)/) },
    restore: { title: 'saved L1D restored on core 4', of: said(/restores its own L1D \S+: (\w+)/) },
    after: { title: 'L1D that the guest reads then', of: said(/then reads its own L1D (\w+)/) },
    older: { title: 'L1D of a VM saved before v6.3', of: said(/restores an older kernel's L1D \S+: (\w+)/) },
    afterOlder: { title: 'L1D that it reads then', of: said(/then reads an older kernel's L1D (\w+)/) },
    smallLine: { title: 'CCSIDR with 32-byte lines', of: set('CCSIDR_EL1 with 32-byte lines') },
    eighthLevel: { title: 'CCSIDR of an 8th level', of: set('CCSIDR_EL1 of an eighth level') },
    clidrReserved: { title: 'CLIDR with bit 63', of: set('CLIDR_EL1 with a reserved bit') },
    clidrIdc: { title: 'CLIDR that implies IDC', of: set('CLIDR_EL1 without unification') },
    ctrLater: { title: 'another CTR after the first run', of: set('CTR_EL0 with 32-byte I-lines') },
    trapsCcsidr: { title: 'traps of CCSIDR_EL1', of: trapped('CCSIDR_EL1') },
    trapsCtr: { title: 'traps of CTR_EL0', of: trapped('CTR_EL0') },
    cost: { title: 'cycles a read of CTR_EL0 at EL0', of: (run) => rounded(cyclesARead(run)) },
  },
  variants: [
    {
      name: 'v6.2',
      title: "the current core's values, nothing is trapped; what one cluster saved the other refuses",
      kvm: '6.2',
      expect: {
        ...REFUSED,
        near: '0x700fe03a',
        far: '0x701fe03a',
        farI: '0x203fe02a',
        farL2: '0x73ffe07b',
        restore: 'EINVAL',
        older: 'EINVAL',
        after: '0x701fe03a',
        clidrIdc: 'EINVAL',
        ctrLater: 'EINVAL',
        trapsCcsidr: 0,
        trapsCtr: 0,
      },
    },
    {
      name: 'posted',
      title: 'the first posted version: where associativity differs, one set and one way in place of it',
      kvm: '6.2',
      policies: { ccsidr: 'overrideAssociativity' },
      expect: {
        ...REFUSED,
        near: '0x70000002',
        far: '0x70000002',
        farI: '0x20000002',
        farL2: '0x70000003',
        restore: 'ok',
        after: '0x70000002',
        trapsCcsidr: 12,
        trapsCtr: 1003,
      },
    },
    {
      name: 'v6.3',
      title: 'the normalised topology, and TID2 always: CTR_EL0 is trapped as well',
      kvm: '6.3',
      expect: {
        ...REFUSED,
        clidr: '0x9200003',
        near: '0x2',
        far: '0x2',
        farI: '0x2',
        farL2: '0x2',
        restore: 'ok',
        after: '0x2',
        older: 'ok',
        afterOlder: '0x700fe03a',
        clidrIdc: 'EINVAL',
        ctrLater: 'EINVAL',
        trapsCcsidr: 12,
        trapsCtr: 1003,
      },
    },
    {
      name: 'v6.5',
      title: 'TID4 where FEAT_EVT is there: CTR_EL0 is not trapped',
      kvm: '6.5',
      expect: { ...REFUSED, clidr: '0x9200003', far: '0x2', trapsCcsidr: 12, older: 'ok', trapsCtr: 0 },
    },
    {
      name: 'v6.5-no-evt',
      title: 'the same on cores without FEAT_EVT: TID2 again',
      kvm: '6.5',
      machine: everyCore({ features: { FEAT_EVT: false } }),
      expect: { ...REFUSED, clidr: '0x9200003', far: '0x2', trapsCcsidr: 12, trapsCtr: 1003 },
    },
    {
      name: 'v6.17',
      title: 'as v6.5; CTR_EL0 may be set, but not after the first run',
      kvm: '6.17',
      expect: { ...REFUSED, clidr: '0x9200003', far: '0x2', clidrIdc: 'EINVAL', ctrLater: 'EBUSY', trapsCtr: 0 },
    },
    {
      name: 'v6.17-idc',
      title: 'cores with IDC: a level of unified cache',
      kvm: '6.17',
      machine: everyCore({ idc: true }),
      expect: { clidr: '0x2000021', far: '0x2', clidrIdc: 'ok' },
    },
    {
      name: 'v6.17-idc-dic',
      title: 'cores with IDC and DIC: nothing but a unified cache',
      kvm: '6.17',
      machine: everyCore({ idc: true, dic: true }),
      expect: { clidr: '0x1000004', far: '0x2', clidrIdc: 'ok' },
    },
  ],
});
