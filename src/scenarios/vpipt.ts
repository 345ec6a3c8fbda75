/**
 * Thread 0: VMID-tagged instruction caches, refused, cared for or taken for something else; and cores whose cache is of another kind
 * than that of the cores that booted, which come online when programs, guests and KVM have made up their minds.
 */
import { foundKinds, logged, said, saidNumber } from './console';
import { type Json, type Ran, scenario } from './types';

const hostReads =
  (when: string, core: number) =>
  ({ console }: Ran): string | undefined => {
    const line = new RegExp(`${when}: a program of the host reads (\\w+) on core ${core}(, trapped)?`).exec(console);
    return line === null ? undefined : line[1] + (line[2] ?? '');
  };

const outcomes = {
  starts: { title: 'KVM starts', of: ({ model }: Ran) => model.kvm },
  refusal: { title: 'its message', of: logged(/^kvm \[1\]: Incompatible VPIPT I-Cache policy$/) },
  before0: { title: 'host reads on core 0', of: hostReads('before', 0) },
  before1: { title: 'on core 1', of: hostReads('before', 1) },
  late: { title: 'late core', of: said(/core [12]: (online|died)/) },
  ipa: { title: 'IPA range mismatch', of: logged(/^CPU features: CPU1: IPA range mismatch$/) },
  conflict: { title: 'conflict in the log', of: logged(/Detected conflict for capability ICACHE_PIPT/) },
  after0: { title: 'host then reads on core 0', of: hostReads('after', 0) },
  after1: { title: 'on core 1 then', of: hostReads('after', 1) },
  after2: { title: 'on core 2 then', of: hostReads('after', 2) },
  guest: { title: "guest's L1Ip on core 0", of: said(/before: the guest reads L1Ip (\d)/) },
  guestLate: { title: 'on the late core', of: said(/on the late core: the guest reads L1Ip (\d)/) },
  patch: { title: 'rewritten on core 0', of: saidNumber(/core 0: rewritten .* returns (\d)/) },
  patchBefore: { title: 'on the late core, as read before', of: saidNumber(/said before, the function returns (\d)/) },
  patchNow: { title: 'as read there', of: saidNumber(/says now, the function returns (\d)/) },
  other: { title: 'with another VMID', of: saidNumber(/another VMID: the function returns (\d)/) },
  found: { title: 'findings of the checker', of: foundKinds },
  reused: { title: 'with the first VMID again', of: saidNumber(/first VMID again: the function returns (\d)/) },
} as const;

const a57 = { type: 'cortex-a57', cluster: 0 } as const;
/** A cortex-a53 comes no further: see the variant. */
const vipt = { ...a57, cluster: 1, l1i: { policy: 'VIPT' } } as const;
const vpiptCore = { type: 'vpipt', cluster: 1 } as const;

const machine = (cores: readonly Json[], bootCores = 1): Json => ({ cores, hypervisor: { bootCores } });
const VPIPT = machine([{ ...vpiptCore, cluster: 0 }]);
const LATE_VIPT = machine([a57, vipt]);
const LATE_VPIPT = machine([a57, vpiptCore]);

/** CTR_EL0 of a core of each kind, as the hardware has it. */
const RAW = { PIPT: '0x8444c004', VIPT: '0x84448004', VPIPT: '0x84440004' } as const;

export const vpipt = scenario({
  name: 'vpipt',
  title: 'VMID-tagged instruction caches, and cores of another kind that come late',
  thread: 0,
  program: 'kvm-vpipt',
  machine: 'kvm-vpipt',
  outcomes,
  variants: [
    {
      name: 'refused',
      title: 'a VPIPT machine, and the refusal as posted: KVM does not start',
      checker: 'actual',
      kvm: '6.2',
      policies: { vpipt: 'refuse' },
      machine: VPIPT,
      expect: { found: 'nothing', starts: false, refusal: true },
    },
    {
      name: 'v6.7-vpipt',
      title: 'the same machine, a kernel that knows VPIPT: invalidated when VMIDs begin anew',
      checker: 'actual',
      kvm: '6.7',
      machine: VPIPT,
      expect: { found: 'nothing', starts: true, refusal: false, other: 2, reused: 2 },
    },
    {
      name: 'v6.8-vpipt',
      title: 'a kernel that takes it for an aliasing cache: stale lines of the old VMID',
      checker: 'actual',
      kvm: '6.8',
      machine: VPIPT,
      expect: { found: 'stale fetch', starts: true, refusal: false, other: 2, reused: 1 },
    },
    {
      name: 'v6.8-pipt',
      title: 'for comparison: a PIPT machine',
      checker: 'actual',
      kvm: '6.8',
      machine: machine([a57]),
      expect: { found: 'nothing', starts: true, patch: 2, other: 2, reused: 2 },
    },
    {
      name: 'v5.15-late-vipt',
      title: 'PIPT boots, VIPT comes late: nobody stops it, no program is told',
      checker: 'actual',
      kvm: '5.15',
      machine: LATE_VIPT,
      expect: {
        found: 'VIPT alias',
        before0: RAW.PIPT,
        late: 'online',
        ipa: false,
        conflict: false,
        after0: RAW.PIPT,
        after1: RAW.VIPT,
        guest: '3',
        guestLate: '2',
        patch: 2,
        patchBefore: 1,
        patchNow: 2,
      },
    },
    {
      name: 'v6.8-late-vipt',
      title: 'the same with CTR_EL0 trapped: from then on the guest reads VIPT',
      checker: 'actual',
      kvm: '6.8',
      machine: LATE_VIPT,
      expect: {
        found: 'VIPT alias',
        late: 'online',
        after0: RAW.PIPT,
        after1: RAW.VIPT,
        guest: '3',
        guestLate: '2',
        patch: 2,
        patchBefore: 1,
        patchNow: 2,
      },
    },
    {
      name: 'v6.12-late-vipt',
      title: 'a VM has a CTR_EL0 of its own (since v6.11): the guest reads PIPT there as well, and cannot know',
      checker: 'actual',
      kvm: '6.12',
      machine: LATE_VIPT,
      expect: {
        found: 'VIPT alias',
        late: 'online',
        after0: RAW.PIPT,
        after1: RAW.VIPT,
        guest: '3',
        guestLate: '3',
        patch: 2,
        patchBefore: 1,
        patchNow: 1,
      },
    },
    {
      name: 'posted-late-vipt',
      title: 'ICACHE_PIPT as posted: the core does not come online',
      checker: 'actual',
      kvm: '6.8',
      policies: { lateOnlining: 'icachePipt' },
      machine: LATE_VIPT,
      expect: { found: 'nothing', late: 'died', conflict: true, after0: RAW.PIPT, patch: 2, other: 2, reused: 2 },
    },
    {
      name: 'v5.15-late-a53',
      title:
        'a Cortex-A53 comes late, which is VIPT too: it has 40 address bits, KVM has promised the 44 of the others',
      checker: 'actual',
      kvm: '5.15',
      machine: machine([a57, { type: 'cortex-a53', cluster: 1 }]),
      expect: { found: 'nothing', starts: true, late: 'died', ipa: true, conflict: false, after0: RAW.PIPT, patch: 2 },
    },
    {
      name: 'v6.7-late-vpipt',
      title: 'PIPT boots, VPIPT comes late to a kernel that knows it',
      checker: 'actual',
      kvm: '6.7',
      machine: LATE_VPIPT,
      expect: { found: 'nothing', starts: true, late: 'online', after1: RAW.VPIPT, other: 2, reused: 2 },
    },
    {
      name: 'refused-late-vpipt',
      title: 'the refusal as posted looks when KVM starts: the late core slips through',
      checker: 'actual',
      kvm: '6.2',
      policies: { vpipt: 'refuse' },
      machine: LATE_VPIPT,
      expect: {
        found: 'stale fetch',
        starts: true,
        refusal: false,
        late: 'online',
        guestLate: '0',
        other: 2,
        reused: 1,
      },
    },
    {
      name: 'posted-late-vpipt',
      title: 'with ICACHE_PIPT besides, it does not come online',
      checker: 'actual',
      kvm: '6.8',
      policies: { vpipt: 'refuse', lateOnlining: 'icachePipt' },
      machine: LATE_VPIPT,
      expect: { found: 'nothing', starts: true, late: 'died', conflict: true, other: 2, reused: 2 },
    },
    {
      name: 'late-lines',
      title: 'cores whose lines differ boot, one with shorter D-lines comes late: only it and core 0 trap CTR_EL0',
      checker: 'actual',
      kvm: '5.15',
      machine: machine([a57, { type: 'small-lines', cluster: 1 }, { ...a57, cluster: 2, l1d: { lineBytes: 32 } }], 2),
      expect: {
        found: 'nothing',
        before0: '0x8444c003, trapped',
        before1: '0x8444c003',
        late: 'online',
        after0: '0x8443c003, trapped',
        after1: '0x8444c003',
        after2: '0x8443c003, trapped',
      },
    },
  ],
});
