/**
 * Thread 3: memory of a device behind mappings without struct page. What KVM says to the slot and at the fault, what a guest finds in
 * such memory, and what a mapping that changes while the guest runs leads to.
 */
import { foundKinds, logged, said } from './console';
import { type Json, type Ran, scenario, type Value } from './types';

const exits =
  (reason: string) =>
  ({ model }: Ran): Value =>
    model.vms[0]?.vcpus[0]?.exits[reason] ?? 0;

const outcomes = {
  capability: { title: 'capability 243', of: said(/capability: (\d+)/) },
  made: {
    title: 'slot as the VM is made',
    of: ({ model }: Ran): Value => model.userSpace.ioctls.find(({ call }) => call.endsWith('slot 1'))?.errno ?? 'ok',
  },
  slot: { title: 'again', of: said(/^slot: (\w+)/m) },
  dirty: { title: 'with dirty logging', of: said(/slot with dirty logging: (\w+)/) },
  beyond: { title: 'beyond the IPA size', of: said(/slot beyond the IPA size: (\w+)/) },
  instead: { title: 'mapped NORMAL_NC instead', of: said(/slot, mapped NORMAL_NC instead: (\w+)/) },
  off: { title: 'read, MMU off', of: said(/MMU off: the guest reads 0*(\d)/) },
  on: { title: 'MMU on', of: said(/MMU on: the guest reads 0*(\d)/) },
  unaligned: { title: 'unaligned load', of: said(/MMU on: unaligned load: ([\w ]+)/) },
  fetch: { title: 'fetch', of: said(/MMU on: fetch: ([\w ]+)/) },
  flip: { title: 'read, flipped to NORMAL', of: said(/^NORMAL: the guest reads 0*(\d)/m) },
  flipUnaligned: { title: 'unaligned load then', of: said(/^NORMAL: unaligned load: ([\w ]+)/m) },
  back: { title: 'read, flipped to NORMAL_NC', of: said(/^NORMAL_NC: the guest reads 0*(\d)/m) },
  run: {
    title: 'KVM_RUN',
    of: ({ model }: Ran): Value => model.userSpace.errors.map(({ errno }) => errno).join() || 'ok',
  },
  memoryFaults: { title: 'KVM_EXIT_MEMORY_FAULT', of: exits('KVM_EXIT_MEMORY_FAULT') },
  found: { title: 'findings of the checker', of: foundKinds },
  warns: { title: 'host warns', of: logged(/WARN|BUG|Oops/) },
} as const;

const FWB = { features: { FEAT_S2FWB: true } };
const cores = {
  plain: {},
  fwb: { idc: true, ...FWB },
  fwbDic: { idc: true, dic: true, ...FWB },
} as const;

interface Memory {
  readonly kind?: string;
  readonly memory?: string;
  readonly anyUncached?: boolean;
  readonly remap?: string;
}

/** The machine file with another core, and another mapping of the slot. */
function machine(core: Json, mapping: Memory = {}, vm: Json = {}): Json {
  const slot = { at: '2G', size: '2M', mapSize: '4K', kind: 'pfnmap', memory: 'NORMAL', ...mapping };
  const vms = [{ memory: '16M', vcpus: [{ core: 0 }], slots: [slot, { at: '1024G', size: '4K' }], ...vm }];
  return { cores: [core], hypervisor: { vms } };
}

const NC: Memory = { memory: 'NORMAL_NC' };
/** What every kernel says and does. */
const ALWAYS = { beyond: 'EFAULT', dirty: 'EINVAL', warns: false } as const;
/** Normal memory, as the guest wants it. */
const NORMAL = { off: '2', on: '2', unaligned: 'done', fetch: 'done' } as const;
/** Device-nGnRE, whatever the guest wants. */
const DEVICE = { off: '1', on: '1', unaligned: 'alignment fault', fetch: 'external abort' } as const;
const REFUSED = { made: 'EINVAL', slot: 'EINVAL', instead: 'ok', ...DEVICE } as const;

export const cacheablePfnmap = scenario({
  name: 'cacheable-pfnmap',
  title: 'memory of a device that user space maps cacheable',
  thread: 3,
  program: 'kvm-pfnmap',
  machine: 'kvm-pfnmap',
  outcomes,
  variants: [
    {
      name: 'v6.16',
      title: 'FWB and DIC; silently Device: what the guest does with memory faults',
      checker: 'actual',
      kvm: '6.16',
      machine: machine(cores.fwbDic),
      expect: {
        found: 'mismatched attributes',
        ...ALWAYS,
        ...DEVICE,
        capability: '0',
        made: 'ok',
        slot: 'ok',
        flip: '1',
        flipUnaligned: 'alignment fault',
        back: '1',
        run: 'ok',
      },
    },
    {
      name: 'between',
      title: 'the state between two commits of the series: refused, though FWB and DIC are there',
      checker: 'actual',
      kvm: '6.16',
      policies: { cacheablePfnmap: 'refused' },
      machine: machine(cores.fwbDic),
      expect: { ...ALWAYS, ...REFUSED, capability: '0', run: 'EFAULT' },
    },
    {
      name: 'v6.17',
      title: 'FWB and DIC: cacheable, and the capability says so',
      checker: 'actual',
      kvm: '6.17',
      machine: machine(cores.fwbDic),
      expect: {
        ...ALWAYS,
        ...NORMAL,
        capability: '1',
        made: 'ok',
        slot: 'ok',
        flip: '2',
        flipUnaligned: 'done',
        back: '1',
        run: 'ok',
        memoryFaults: 0,
      },
    },
    {
      name: 'v6.17-fwb',
      title: 'FWB without DIC: the slot is refused; the mapping that is flipped to NORMAL fails KVM_RUN',
      checker: 'actual',
      kvm: '6.17',
      machine: machine(cores.fwb),
      expect: { ...ALWAYS, ...REFUSED, capability: '0', run: 'EFAULT' },
    },
    {
      name: 'v6.17-plain',
      title: 'neither FWB nor DIC: the same',
      checker: 'actual',
      kvm: '6.17',
      machine: machine(cores.plain),
      expect: { ...ALWAYS, ...REFUSED, capability: '0', run: 'EFAULT' },
    },
    {
      name: 'v6.17-mixedmap',
      title: 'neither, in a MIXEDMAP mapping: the slot is accepted, the first fault is not',
      checker: 'actual',
      kvm: '6.17',
      machine: machine(cores.plain, { kind: 'mixedmap' }),
      expect: { found: 'nothing', warns: false, beyond: 'EFAULT', made: 'ok', slot: 'ok', run: 'EFAULT' },
    },
    {
      name: 'v6.17-nc',
      title: 'FWB and DIC, mapped NORMAL_NC: Device, until it is flipped',
      checker: 'actual',
      kvm: '6.17',
      machine: machine(cores.fwbDic, NC),
      expect: { ...ALWAYS, ...DEVICE, made: 'ok', slot: 'ok', flip: '2', flipUnaligned: 'done', back: '1', run: 'ok' },
    },
    {
      name: 'v6.17-uncached',
      title: 'the same with VM_ALLOW_ANY_UNCACHED: Normal Non-cacheable, so that unaligned loads work',
      checker: 'actual',
      kvm: '6.17',
      machine: machine(cores.fwbDic, { ...NC, anyUncached: true }),
      expect: { ...ALWAYS, made: 'ok', slot: 'ok', on: '1', unaligned: 'done', fetch: 'external abort', run: 'ok' },
    },
    {
      name: 'v6.8-uncached',
      title: 'a kernel that ignores VM_ALLOW_ANY_UNCACHED',
      checker: 'actual',
      kvm: '6.8',
      machine: machine(cores.fwbDic, { ...NC, anyUncached: true }),
      expect: { ...ALWAYS, ...DEVICE, made: 'ok', slot: 'ok', run: 'ok' },
    },
    {
      name: 'unchecked',
      title: 'ours: cacheable without FWB, which nobody can clean: stale with the MMU off',
      checker: 'actual',
      kvm: '6.17',
      policies: { cacheablePfnmap: 'unchecked' },
      machine: machine(cores.plain),
      expect: {
        found: 'mismatched attributes',
        ...ALWAYS,
        made: 'ok',
        slot: 'ok',
        off: '1',
        on: '2',
        unaligned: 'done',
        run: 'ok',
      },
    },
    {
      name: 'ordinary',
      title: 'for comparison: memory that the kernel maps, cleaned at the first fault',
      checker: 'actual',
      kvm: '6.17',
      machine: machine(cores.plain, { kind: 'ordinary' }),
      expect: { found: 'nothing', ...NORMAL, beyond: 'EFAULT', made: 'ok', slot: 'ok', dirty: 'ok', run: 'ok' },
    },
    {
      name: 'buy-in',
      title: 'ours: user space has enabled it',
      checker: 'actual',
      kvm: '6.17',
      policies: { cacheablePfnmap: 'buyIn' },
      machine: machine(cores.fwbDic, {}, { cacheablePfnmap: true }),
      expect: { ...ALWAYS, ...NORMAL, capability: '1', made: 'ok', slot: 'ok', flip: '2', run: 'ok', memoryFaults: 0 },
    },
    {
      name: 'buy-in-fixed',
      title:
        'ours, on a core without FWB: a flip exits to user space, which maps it NORMAL_NC again; the fault replays',
      checker: 'actual',
      kvm: '6.17',
      policies: { cacheablePfnmap: 'buyIn' },
      machine: machine(cores.plain, { ...NC, remap: 'NORMAL_NC' }, { cacheablePfnmap: true }),
      expect: {
        ...ALWAYS,
        ...DEVICE,
        capability: '0',
        made: 'ok',
        slot: 'ok',
        flip: '1',
        back: '1',
        run: 'ok',
        memoryFaults: 1,
      },
    },
    {
      name: 'buy-in-unfixed',
      title: 'the same, and user space does nothing about it',
      checker: 'actual',
      kvm: '6.17',
      policies: { cacheablePfnmap: 'buyIn' },
      machine: machine(cores.plain, NC, { cacheablePfnmap: true }),
      expect: { ...ALWAYS, ...DEVICE, made: 'ok', slot: 'ok', run: 'EFAULT', memoryFaults: 1 },
    },
  ],
});
