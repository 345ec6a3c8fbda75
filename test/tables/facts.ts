/**
 * What upstream Linux did about the five mail threads, fact by fact, and the tests that hold the model to it. The facts are those
 * of the project's notes on fidelity that concern behaviour: A0 to A4 are threads 0 to 4, `read` says how the fact is known:
 * 'source' is read in the release's source, a commit or the lists, 'older source' in one of another release. Where real kernels
 * said something else (test/guests/oracle.slow.test.ts, or a source found later), the fact is in `corrections`, not here.
 * facts.test.ts checks that every test named here exists under its title and that every outcome is asserted.
 *
 * Left out, since nothing here could show it: a late core's ASIDs, ELF hwcaps and vector lengths (no core of ours differs in them),
 * the SIGSEGV of a trapped operation (there are no processes), what concerns AArch32 (ID_MMFR4_EL1, TID1), names and numbers that
 * stand for no behaviour (the split of user_mem_abort, capabilities 244 and 245).
 */

import type { KernelVersion } from '../../src/build/guests';

/** A test by its file below test/ and its title, an asserted outcome of a scenario, or a machine on which a kernel was asked. */
export type Proof =
  | { readonly file: string; readonly title: string }
  | { readonly scenario: string; readonly variant: string; readonly outcome: string }
  | { readonly kernel: KernelVersion; readonly machine: string };

export interface Fact {
  /** 'A2.4' */
  readonly id: string;
  readonly fact: string;
  readonly read: 'source' | 'older source';
  readonly proofs: readonly Proof[];
}

const inFile =
  (file: string) =>
  (...titles: readonly string[]): Proof[] =>
    titles.map((title) => ({ file, title }));

const policy = inFile('unit/hypervisor/policies.test.ts');
const host = inFile('unit/hypervisor/hostCpus.test.ts');
const icache = inFile('unit/hypervisor/icache.test.ts');
const hcr = inFile('unit/hypervisor/hcr.test.ts');
const ctr = inFile('unit/hypervisor/vmCtr.test.ts');
const caches = inFile('unit/hypervisor/virtualCaches.test.ts');
const pfnmap = inFile('unit/hypervisor/pfnmap.test.ts');
const slots = inFile('unit/hypervisor/memslots.test.ts');
const api = inFile('unit/hypervisor/kvmApi.test.ts');
const guests = inFile('unit/hypervisor/run/guests.test.ts');
const world = inFile('unit/hypervisor/run/worldSwitch.test.ts');
const calls = inFile('unit/hypervisor/run/vmmCalls.test.ts');
const stage2 = inFile('unit/memory/mmu/stage2.test.ts');

const told =
  (scenario: string) =>
  (variant: string, ...outcomes: readonly string[]): Proof[] =>
    outcomes.map((outcome) => ({ scenario, variant, outcome }));

const vpipt = told('vpipt');
const isolation = told('vcpu-isolation');
const lockup = told('soft-lockup');
const device = told('cacheable-pfnmap');
const m2 = told('ccsidr');

const kernel = (version: KernelVersion, machine: string): Proof => ({ kernel: version, machine });
const kernels = (machine: string): Proof[] => [kernel('6.1-cloud', machine), kernel('6.12', machine)];

const of =
  (read: Fact['read']) =>
  (id: string, fact: string, ...proofs: readonly (readonly Proof[])[]): Fact => ({
    id,
    fact,
    read,
    proofs: proofs.flat(),
  });
const fact = of('source');
const older = of('older source');

export const facts: readonly Fact[] = [
  // ---- A0: VPIPT, late cores, CTR_EL0 ----
  fact(
    'A0.1',
    'VPIPT is looked after up to v6.7 and not since v6.8: at VMID rollover, and by IPA for a host at EL1',
    policy('A0: VPIPT handled up to v6.7, unknown from v6.8'),
    icache(
      'A1: VMID rollover is DSB ISHST, TLBI ALLE1IS, DSB ISH since v6.8; IC IALLUIS for VPIPT before',
      'A0: a host at EL1 leaves VPIPT lines to EL2’s flush by IPA, up to v6.7',
    ),
    vpipt('v6.7-vpipt', 'reused', 'found'),
    vpipt('v6.8-vpipt', 'reused', 'found'),
  ),
  fact(
    'A0.2',
    'since v6.8 L1Ip 0b00 is a reserved value as 0b01 is: without a name, and aliasing',
    host(
      'A0: VPIPT is named and flagged up to v6.7, and an aliasing reserved value from v6.8',
      'A0: the reserved L1Ip 0b01 has no name and counts as aliasing, at every release',
    ),
  ),
  fact(
    'A0.3',
    'ICACHE_PIPT as a capability of the system was posted and not merged: it would refuse late cores that are not PIPT',
    host('A0: the posted ICACHE_PIPT capability refuses a late core that is not PIPT'),
    policy('what was only posted, raised or is ours holds at no release'),
    vpipt('posted-late-vipt', 'late', 'conflict'),
    vpipt('posted-late-vpipt', 'late', 'conflict'),
  ),
  fact(
    'A0.4',
    'each core’s policy is looked at: PIPT changes nothing, all else makes the system’s I-cache aliasing; a line in the log',
    host(
      'A0: L1Ip is not strict: a PIPT/VIPT mix gives no warning, no taint, no trap, and becomes VIPT',
      'A0: a late VIPT core slips through as merged: flags and sanitised value change under user space',
    ),
    guests('A0: the host’s log and sanitised CTR_EL0 on a PIPT and a VIPT core'),
    vpipt('v5.15-late-vipt', 'late', 'after0', 'after1'),
  ),
  fact(
    'A0.5',
    'the patch of thread 0 refuses to start KVM on VPIPT cores, and looks when KVM starts only',
    host('A0: the posted refusal of VPIPT: ENODEV and its message'),
    vpipt('refused', 'starts', 'refusal'),
    vpipt('refused-late-vpipt', 'starts', 'late', 'reused'),
  ),
  older(
    'A0.6',
    'ftr_ctr: strictness, rule and safe value of each field of CTR_EL0',
    host(
      'A0: ftr_ctr, field by field: strictness, rule and safe value',
      'A0: a field that the kernel does not know is RES0 system-wide, and strict',
    ),
  ),
  older(
    'A0.7',
    'HIGHER_OR_ZERO_SAFE: zero wins, else the larger value',
    host('A0: HIGHER_OR_ZERO_SAFE: zero wins over any value, otherwise the larger'),
  ),
  older(
    'A0.8',
    'the boot core begins with its effective IDC, every later one is merged',
    host(
      'A0: the boot CPU initialises the sanitised copy with its effective IDC',
      'A0: cores are merged: smallest lines, largest granules, zero granule wins',
    ),
  ),
  fact(
    'A0.9',
    'a difference in strict bits is warned of and taints; the words are those of a real log',
    host('A0: a variation in strict bits is reported as the kernel words it, and taints'),
  ),
  older(
    'A0.10',
    'L1Ip is not strict: PIPT beside VIPT brings no warning, no taint and no trap, and is VIPT',
    host('A0: L1Ip is not strict: a PIPT/VIPT mix gives no warning, no taint, no trap, and becomes VIPT'),
    vpipt('v5.15-late-vipt', 'guestLate', 'patchBefore'),
  ),
  older(
    'A0.11',
    'effective IDC: the bit, or LoC = 0, or LoUIS and LoUU = 0',
    host('A0: effective IDC: raw IDC, or LoC = 0, or LoUIS = LoUU = 0'),
  ),
  older(
    'A0.12',
    'MISMATCHED_CACHE_TYPE: both the raw and the effective value differ in strict bits',
    host('A0: mismatched cache type only when both the raw and the effective value differ'),
  ),
  older(
    'A0.13',
    'EL0’s reads are trapped on cores whose raw strict bits differ, and everywhere with erratum 1542419',
    host(
      'A0: only cores whose raw strict bits differ trap CTR_EL0 from EL0',
      'A0: erratum 1542419 traps everywhere, hides DIC and reports IminLine = PAGE_SHIFT - 2',
    ),
    vpipt('late-lines', 'before0', 'before1'),
  ),
  older(
    'A0.14',
    'and on cores whose IDC is effective only',
    host('A0: a core with raw IDC 0 and effective IDC 1 traps and reads the effective value'),
  ),
  fact(
    'A0.15',
    'a trapped read gives the user-visible sanitised value; erratum 1542419 hides DIC, and its IminLine is a page',
    host(
      'A0: hidden fields read as their safe value at EL0',
      'A0: erratum 1542419 traps everywhere, hides DIC and reports IminLine = PAGE_SHIFT - 2',
    ),
    calls('a program of the host reads CTR_EL0 at EL0 as the host says that it does, and leaves the guest as it was'),
  ),
  fact(
    'A0.16',
    'trapped maintenance of EL0: DC CVAU and CVAC are done as DC CIVAC, the others as themselves',
    host('A0: EL0 maintenance that traps: DC CVAU and CVAC are done as DC CIVAC, the others as themselves'),
  ),
  older(
    'A0.17',
    'a late core conflicts if it lacks what the system has, or brings what it has not, unless the capability’s type allows it',
    host(
      'A0: conflicts: what the system has and a core lacks, and the other way round',
      'A0: a late core that brings a mismatched cache type dies unless the system has one already',
    ),
  ),
  older(
    'A0.18',
    'such a core dies early, with the kernel’s lines: off by PSCI, or parked',
    host('A0: a late core that lacks DIC dies, with the kernel’s words'),
  ),
  older(
    'A0.19',
    'one that may join gets what the system has enabled; cores that were there before keep theirs',
    host('A0: after late onlining only the mismatched core traps, and earlier ones keep showing the raw value'),
    vpipt('late-lines', 'after0', 'after1', 'after2'),
  ),
  older(
    'A0.20',
    'verify_hyp_capabilities: VMIDs no narrower than the system’s, addresses that reach KVM’s limit',
    host(
      'A0: verify_hyp_capabilities: VMIDBits and PARange of a late core',
      'a late core is held to the IPA limit once KVM has started, to VMIDs wherever there is EL2',
    ),
    vpipt('v5.15-late-a53', 'late', 'ipa'),
  ),
  fact(
    'A0.21',
    'since v6.11 CTR_EL0 belongs to the VM: one value for its vCPUs, found by the writable masks',
    policy('A0: CTR_EL0 writable since v6.11'),
    calls('A0: one CTR_EL0 for all vCPUs of a VM, which no vCPU changes once one has run'),
    ctr('A0: one value for the VM, checked against the host each time: it can be raised again before the first run'),
    vpipt('v6.12-late-vipt', 'guestLate'),
  ),
  fact(
    'A0.22',
    'after the first run the same value is accepted, another one is EBUSY',
    ctr('A0: after the first run the same value is accepted, another one is EBUSY'),
    calls('A0: one CTR_EL0 for all vCPUs of a VM, which no vCPU changes once one has run'),
    m2('v6.17', 'ctrLater'),
  ),
  fact(
    'A0.23',
    'set_ctr_el0: L1Ip 0b00 and 0b01 are EINVAL; PIPT may become VIPT, not the reverse; other fields go down only',
    ctr(
      'A0: PIPT may become VIPT, VIPT not PIPT, and 0b00 and 0b01 are EINVAL',
      'A0: DIC, IDC and the line sizes may go down, not up',
      'A0: fields that are not writable must be the host’s',
    ),
  ),
  fact(
    'A0.24',
    'a violation is E2BIG inside and EINVAL to user space',
    ctr('A0: arm64_check_features says E2BIG, which user space sees as EINVAL'),
  ),
  fact(
    'A0.25',
    'CTR_EL0, CLIDR_EL1 and CCSIDR_EL1 are not held against each other',
    calls('A0: CTR_EL0, CLIDR_EL1 and CCSIDR_EL1 are each held against the host, never against each other'),
    [kernel('6.12', 'max')],
  ),
  fact(
    'A0.26',
    'TID4 with FEAT_EVT, matching cache types and the host’s CTR_EL0, else TID2',
    hcr('A0: TID4 with FEAT_EVT, matching cache types and the host’s CTR_EL0; else TID2'),
    policy('A0: TID4 since v6.5'),
    m2('v6.5', 'trapsCtr', 'trapsCcsidr'),
    m2('v6.5-no-evt', 'trapsCtr', 'trapsCcsidr'),
  ),
  fact('A0.27', 'the bits of HCR_EL2 that every guest has', hcr('A0: base guest HCR_EL2')),
  fact(
    'A0.28',
    'FWB where it is there; else TVM until the guest has M and C set',
    hcr('A0: FWB when it is there, else TVM until the guest’s caches are on'),
    world(
      'A0: stage-1 controls are trapped until M and C are set, and then the VM is cleaned',
      'A4: with FWB neither set/way nor the caches’ switch does anything',
    ),
  ),

  // ---- A1: vCPUs of one VM on one core ----
  fact(
    'A1.1',
    '__kvm_flush_cpu_context: TLBI VMALLE1, IC IALLU, DSB NSH, ISB in the guest’s VMID, since v5.12',
    policy('A1: I-cache isolation between vCPUs since v5.12'),
    icache('A1: __kvm_flush_cpu_context when another vCPU of the VM comes: TLBI VMALLE1, IC IALLU, DSB NSH, ISB'),
    guests('A1: a vCPU runs a line that another vCPU of its VM left, until v5.12'),
    isolation('v5.11-plain', 'second', 'inherited'),
    isolation('v5.12-plain', 'second', 'inherited'),
  ),
  fact(
    'A1.2',
    'it is done when last_vcpu_ran of the VM on this core is another vCPU, or none yet',
    icache('A1: the same vCPU again needs nothing; the first one does'),
    isolation('v5.12-plain', 'ialluOnSwitch'),
  ),
  fact(
    'A1.3',
    'DIC, IDC and FWB do not matter',
    isolation('v5.12-idc', 'second', 'ialluOnSwitch'),
    isolation('v5.12-dic', 'second', 'ialluOnSwitch'),
    isolation('v5.12-fwb', 'ialluOnSwitch'),
    isolation('v5.12-fwb-dic', 'ialluOnSwitch'),
  ),
  fact(
    'A1.4',
    'VMs are kept apart by VMID, without it',
    world('A1: VMs take turns on a core without maintenance: VMIDs keep them apart'),
    stage2('two guests with the same addresses do not meet in the TLB'),
  ),
  fact(
    'A1.5',
    'the VMID is brought up to date before',
    world('A1: the VMID is brought up to date before __kvm_flush_cpu_context uses it'),
  ),
  fact(
    'A1.6',
    '__kvm_flush_vm_context: DSB ISHST, TLBI ALLE1IS, DSB ISH',
    icache('A1: VMID rollover is DSB ISHST, TLBI ALLE1IS, DSB ISH since v6.8; IC IALLUIS for VPIPT before'),
    calls('VMIDs begin anew where they are used up, and a VM that sleeps meanwhile gets another one'),
  ),
  fact(
    'A1.7',
    'FWB binds fetches too, so that with the MMU off they are cacheable, unless HCR_EL2.ID is set',
    stage2('types: the weaker stage without FWB, what stage 2 says with it, and the overrides of HCR_EL2'),
    isolation('v5.11-fwb', 'first', 'vmm'),
    isolation('v5.11-plain', 'first', 'vmm'),
  ),

  // ---- A2: soft lockup on relaxing permissions ----
  fact(
    'A2.1',
    'without a bound every line of the block is one broadcast: 32,768 for 2 MiB, 8.4 million for 512 MiB, a soft lockup',
    icache('A2: relaxing a 2 MiB block: 32,768 broadcasts before v6.7, one and no more after'),
    lockup('v6.6-2M', 'broadcasts'),
    lockup('v6.6-512M', 'broadcasts', 'lockup'),
    lockup('v6.7-512M', 'broadcasts', 'lockup'),
  ),
  fact(
    'A2.2',
    'the bound is MAX_DVM_OPS = PTRS_PER_PTE, since v6.7: 512, 2048 or 8192',
    policy('A2: I-cache maintenance bounded since v6.7'),
    icache('A2: MAX_DVM_OPS is PTRS_PER_PTE: 512, 2048, 8192', 'A2: other page sizes'),
  ),
  fact(
    'A2.3',
    'in bytes MAX_DVM_OPS << (IminLine + 2): 32 KiB with 4K pages and 64-byte lines',
    icache('A2: the largest range is MAX_DVM_OPS << (IminLine + 2): 32 KiB with 4K pages and 64-byte lines'),
    lockup('v6.7-64K-32', 'atFetch', 'broadcasts'),
  ),
  fact(
    'A2.4',
    'IminLine is the sanitised, smallest one',
    icache('A2: operations follow the sanitised IminLine'),
    lockup('v6.6-lines-32', 'atFetch'),
    lockup('v6.6-lines-128', 'atFetch'),
    lockup('v6.6-lines-mixed', 'atFetch'),
  ),
  fact(
    'A2.5',
    'an aliasing I-cache or a range beyond the bound: IC IALLUIS and DSB ISH; else IC IVAU line by line',
    icache(
      'A2: an aliasing I-cache is invalidated whole: IC IALLUIS and DSB ISH',
      'A2: operations for 32 KiB of 64-byte lines: 512 unbounded, 512 bounded',
      'A2: operations for 36 KiB of 64-byte lines: 576 unbounded, 1 bounded',
    ),
    lockup('v6.6-vipt', 'atFetch', 'broadcasts'),
    lockup('v6.7-4K', 'atFetch', 'broadcasts'),
  ),
  fact(
    'A2.6',
    'with DIC neither issues an operation',
    icache('A2: with DIC neither form issues an operation'),
    lockup('v6.6-dic', 'broadcasts', 'lockup'),
  ),
  fact(
    'A2.7',
    'execute permission comes with a fetch, or at once with DIC',
    icache('A2: execute permission is lazy: with a fetch, or at once with DIC'),
    lockup('v6.6-512M', 'atRead', 'atFetch'),
    lockup('v6.6-dic', 'atRead'),
  ),
  fact(
    'A2.8',
    'a permission fault on an entry of the same size is relaxed in place, the I-cache before the entry',
    icache(
      'A2: permissions are relaxed in place only if the size stays',
      'A2: relaxing invalidates the I-cache before the entry, and cleans nothing',
    ),
  ),
  fact(
    'A2.9',
    'mapping: the old entry is broken and its TLB entries go, data is cleaned to the PoC, the I-cache invalidated, then the entry',
    icache(
      'A2: a first mapping: D-side to the PoC, I-side if executable, then the entry',
      'A2: an entry that is replaced is broken and forgotten first',
    ),
  ),
  fact(
    'A2.10',
    'data is cleaned at the first mapping only (not with FWB); what is written later, its writer has to clean',
    icache('A2: relaxing invalidates the I-cache before the entry, and cleans nothing'),
    lockup('v6.7-2M', 'before', 'between', 'clean', 'unclean', 'cleaned'),
    lockup('v6.6-fwb', 'cleaned'),
  ),

  // ---- A3: cacheable PFNMAP ----
  fact(
    'A3.1',
    'what is neither PFNMAP nor MIXEDMAP is taken for cacheable',
    pfnmap(
      'A3: a VMA that is neither PFNMAP nor MIXEDMAP is taken for cacheable, whatever its type and whatever FWB and DIC say',
      'A3: VM_MIXEDMAP counts at the fault, and memory of the kernel is ordinary whatever maps it',
    ),
  ),
  fact(
    'A3.2',
    'before v6.17 a cacheable mapping of device memory is silently Device',
    policy('A3: cacheable PFNMAP since v6.17'),
    pfnmap('A3: before v6.17 a cacheable mapping of device memory was silently Device'),
    device('v6.16', 'slot', 'unaligned'),
  ),
  fact(
    'A3.3',
    'between two commits of the series it is refused: EINVAL for the slot, EFAULT at the fault',
    device('between', 'made', 'slot', 'run'),
  ),
  fact(
    'A3.4',
    'capability 243 is FWB and DIC, of a VM only (EINVAL on the system’s descriptor); there is nothing to enable',
    api('A3: KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED is 243, KVM_CAP_ARM_SEA_TO_USER 245'),
    pfnmap('A3: capability 243 is FWB and DIC, of a VM only', 'A3: there is nothing to enable upstream'),
    device('v6.17', 'capability'),
    device('v6.17-fwb', 'capability'),
    device('v6.17-plain', 'capability'),
  ),
  fact(
    'A3.5',
    'a VMA is cacheable unless its type is NORMAL_NC, DEVICE_nGnRnE or DEVICE_nGnRE',
    pfnmap('A3: a VMA is cacheable unless NORMAL_NC, DEVICE_nGnRnE or DEVICE_nGnRE'),
  ),
  fact(
    'A3.6',
    'slots, when made, moved or given other flags: beyond the IPA size EFAULT; MTE, dirty logging of PFNMAP, cacheable PFNMAP ' +
      'that is not supported EINVAL; mapping by mapping',
    pfnmap(
      'A3: slots: beyond the IPA size EFAULT',
      'A3: slots: PFNMAP with dirty logging EINVAL',
      'A3: slots: cacheable PFNMAP that is not supported EINVAL',
      'A3: slots: each mapping under the slot is looked at, others and holes are not',
      'A3: slots and faults of a VM with MTE need mappings that allow tags',
    ),
    device('v6.17-plain', 'made', 'slot', 'dirty', 'beyond'),
  ),
  fact(
    'A3.7',
    'faults on a cacheable VMA: cacheable where supported, else EFAULT from KVM_RUN',
    pfnmap(
      'A3: faults: a cacheable PFNMAP page is cacheable where supported, else EFAULT from KVM_RUN',
      'A3: an mmap flip behind KVM’s back is judged at the next fault, and never worse than an error',
    ),
    device('v6.17', 'off', 'on', 'unaligned', 'flip'),
    device('v6.17-fwb', 'run'),
  ),
  fact(
    'A3.8',
    'on another VMA: Device, or Normal Non-cacheable with VM_ALLOW_ANY_UNCACHED; a fetch is an external abort in the guest',
    pfnmap(
      'A3: faults: not cacheable: Device, or Normal-NC with VM_ALLOW_ANY_UNCACHED',
      'A3: faults: a fetch from forced Non-cacheable memory is ENOEXEC: an abort into the guest',
    ),
    device('v6.17-nc', 'unaligned', 'fetch'),
    device('v6.17-uncached', 'unaligned', 'fetch'),
  ),
  fact(
    'A3.9',
    'no KVM_EXIT_MEMORY_FAULT on this path',
    pfnmap('A3: no released behaviour exits with KVM_EXIT_MEMORY_FAULT on this path'),
    device('v6.17', 'memoryFaults'),
  ),
  fact(
    'A3.10',
    'outside of slots maintenance is skipped, a stage-1 walk gets an external abort; an access flag fault makes the page young',
    pfnmap(
      'A3: aborts outside of slots: CMO skipped, walk and fetch aborted, the rest MMIO',
      'A3: aborts inside of slots: access flag faults make the page young, others map',
    ),
  ),
  fact(
    'A3.11',
    'mappings that changed meanwhile (mmu_invalidate_seq): the guest faults again',
    pfnmap('A3: mmu_invalidate_seq changed: the guest runs on and faults again'),
  ),
  fact(
    'A3.12',
    'MemAttr[3:0]: 0xF, 0x5, 0x1, 0xF without FWB; 6, 5, 1, 7 with it',
    pfnmap('A3: MemAttr[3:0] without FWB 0xF, 0x5, 0x1, 0xF and with it 6, 5, 1, 7'),
  ),

  // ---- A4: cache topology of a guest ----
  fact(
    'A4.1',
    'before v6.3 a guest sees the current core’s registers, and values saved on one M2 cluster cannot be restored on the other',
    caches(
      'A4: a vCPU sees the registers of the core that it is on',
      'A4: QEMU’s restore fails on the other cluster: EINVAL for each value that differs',
    ),
    guests('A4: CCSIDR_EL1 follows the physical core before v6.3, and says one set and one way since'),
    m2('v6.2', 'near', 'far', 'farI', 'farL2', 'restore'),
  ),
  fact(
    'A4.2',
    'since v6.3 the topology is normalised and TID2 is always set',
    policy('A4: topology normalised since v6.3', 'A4: TID2 always since v6.3'),
    hcr('A4: TID2 always in v6.3; before, only with mismatched cache types'),
    m2('v6.3', 'near', 'far', 'restore', 'trapsCtr'),
  ),
  fact(
    'A4.3',
    'FEAT_CCIDX is hidden, CCSIDR2_EL1 is UNDEFINED',
    caches(
      'A4: FEAT_CCIDX is hidden',
      'A4: a trapped write to CCSIDR_EL1 or CLIDR_EL1 is UNDEFINED, and so is CCSIDR2_EL1',
    ),
  ),
  fact(
    'A4.4',
    'nothing is stored until user space changes a value; then all 14',
    caches('A4: set_ccsidr of the current value stores nothing; another value stores all 14'),
  ),
  fact(
    'A4.5',
    'get_ccsidr: one set, one way, the smallest line of the side by the sanitised CTR_EL0',
    caches(
      'A4: get_ccsidr fabricates one set and one way with the smallest line of each side',
      'A4: the guest reads it through the trap, whatever core it is on',
    ),
  ),
  fact(
    'A4.6',
    'set_ccsidr: a line below the smallest is EINVAL; the values of an old VM pass',
    caches(
      'A4: set_ccsidr refuses a line below the smallest with EINVAL, by side',
      'A4: the values of an old VM are accepted as they are',
    ),
    m2('v6.3', 'smallLine', 'older', 'afterOlder'),
  ),
  fact(
    'A4.7',
    'access_ccsidr: a write is UNDEFINED, CSSELR_EL1 counts by Level and InD, from 14 on the register keeps its value',
    caches(
      'A4: a trapped write to CCSIDR_EL1 or CLIDR_EL1 is UNDEFINED, and so is CCSIDR2_EL1',
      'A4: the guest reads it through the trap, whatever core it is on',
      'A4: CSSELR_EL1 of 14 and more leaves the destination register as it was',
    ),
  ),
  fact(
    'A4.8',
    'CSSELR_EL1 is each vCPU’s own',
    caches('A4: CSSELR_EL1 is each vCPU’s own, and what was written is read back'),
  ),
  fact(
    'A4.9',
    'reset_clidr by IDC and DIC: 0x09200003, 0x02000021, 0x01000004; with MTE Ttype at the level of coherence, in 64 bits',
    caches(
      'A4: reset_clidr by IDC and DIC: 0x09200003, 0x02000021, 0x01000004',
      'A4: with MTE tags are unified with data at the level of coherence',
    ),
    m2('v6.3', 'clidr'),
    m2('v6.17-idc', 'clidr'),
    m2('v6.17-idc-dic', 'clidr'),
  ),
  fact(
    'A4.10',
    'set_clidr: RES0 bits, or IDC that the host does not have, are EINVAL',
    caches('A4: set_clidr refuses RES0 bits, and IDC that the host does not have'),
    m2('v6.17', 'clidrReserved', 'clidrIdc'),
    m2('v6.17-idc', 'clidrIdc'),
  ),
  fact(
    'A4.11',
    'one-reg: KVM_REG_ARM_DEMUX ids of 32 bits; a bad index is ENOENT, a bad pointer EFAULT',
    api('A4: one-reg ids of CCSIDR_EL1 are KVM_REG_ARM_DEMUX, 32 bits wide'),
    caches('A4: one-reg: bad index ENOENT, bad pointer EFAULT'),
    m2('v6.3', 'eighthLevel'),
  ),
  fact(
    'A4.12',
    'KVM_GET_REG_LIST ends with 14 of them',
    caches('A4: all 14 CCSIDR_EL1 stand at the end of the register list'),
  ),
  fact(
    'A4.13',
    'set/way without FWB: the first cleans the VM and sets TVM, later ones wait',
    hcr('A4: set/way: the first flushes the VM and sets TVM, later ones wait for the caches; FWB ignores them'),
    world(
      'A4: set/way with caches on: the VM is cleaned once and its controls are trapped again',
      'A4: with FWB neither set/way nor the caches’ switch does anything',
    ),
  ),
  fact(
    'A4.14',
    'kvm_toggle_cache: the VM is cleaned when M and C together change, and no longer trapped once they are on',
    hcr('A4: kvm_toggle_cache: flush when M and C together change, no more traps once they are on'),
    world('A0: stage-1 controls are trapped until M and C are set, and then the VM is cleaned'),
  ),
  fact(
    'A4.15',
    'the first posted version: where cores differ in sets or ways, all geometry is hidden, trapped and in one-reg',
    host('A4: the posted detection of associativity mismatches (Dec 2022) compares sets and ways'),
    caches('A4: all caches show one set and one way where cores differ, in one-reg too'),
    m2('posted', 'near', 'far', 'restore', 'trapsCcsidr'),
  ),
];

/** A fact as it was noted, and what holds instead. */
export interface Correction {
  readonly id: string;
  readonly noted: string;
  readonly holds: string;
  /** What showed it. */
  readonly because: string;
  readonly proofs: readonly Proof[];
}

export const corrections: readonly Correction[] = [
  {
    id: 'A0.20',
    noted: 'a late core’s own PARange has to reach KVM’s IPA limit',
    holds:
      'up to v6.13; since v6.14 (62cffa496aac, in 6.12.14 too) the sanitised one of the cores before it has to, so that a core with too ' +
      'few bits comes online, and every core after it is parked',
    because: 'Debian’s 6.1 parks such a core, Debian’s 6.12 the next one',
    proofs: [
      ...host('since v6.14 a core with too few address bits comes online, and every core after it dies'),
      ...kernels('late cores of a machine like cortex-a57'),
    ],
  },
  {
    id: 'A0.23',
    noted:
      'v6.11 makes L1Ip of CTR_EL0 writable with the other fields, and refuses 0b00 and 0b01 with EINVAL first of all',
    holds:
      'L1Ip is writable since v6.13 (e9b57d7f9740); before that any other value of it is EINVAL, and EBUSY after the first run',
    because: 'the writable mask and the errnos of Debian’s 6.12',
    proofs: [
      ...ctr(
        'A0: the writable mask is DIC, IDC, DminLine and IminLine, and L1Ip since v6.13',
        'A0: PIPT may become VIPT, VIPT not PIPT, and 0b00 and 0b01 are EINVAL',
        'A0: after the first run the same value is accepted, another one is EBUSY',
      ),
      ...policy('L1Ip of CTR_EL0 writable since v6.13'),
      kernel('6.12', 'max'),
    ],
  },
  {
    id: 'A2.8',
    noted: 'relaxing a permission is told to all cores, as any change of stage 2',
    holds: 'since v6.5 (a12ab1378a88) to this core only: another one faults once more',
    because: 'the pull request for v6.5; no answer of a kernel shows it',
    proofs: icache('relaxing tells all cores up to v6.4, and this one since v6.5'),
  },
  {
    id: 'A3.6',
    noted: 'a slot that ends beyond the IPA size is EFAULT',
    holds: 'unless it is over another slot, which is EEXIST and looked at first',
    because: 'the errnos of Debian’s 6.1 and 6.12',
    proofs: [
      ...slots('over another slot is EEXIST, which comes before EFAULT for what is beyond the last address'),
      ...kernels('max'),
    ],
  },
  {
    id: 'A4.1',
    noted: 'restoring the other cluster’s CCSIDR_EL1 fails with EFAULT (the mail)',
    holds: 'with EINVAL',
    because: 'the errno of Debian’s 6.1',
    proofs: [
      ...caches('A4: QEMU’s restore fails on the other cluster: EINVAL for each value that differs'),
      ...m2('v6.2', 'restore'),
      kernel('6.1-cloud', 'm2-like, a core of each cluster'),
    ],
  },
  {
    id: 'A4.6',
    noted: 'bits [31:28] of a stored CCSIDR_EL1 are RES0: EINVAL',
    holds: 'they are UNKNOWN and accepted, or no old VM could be restored: the M2’s values have bits there',
    because: 'Debian’s 6.12; the kernel’s register table (Unkn 31:28) and its own check of RES0 masks',
    proofs: [
      ...caches('A4: set_ccsidr accepts bits [31:28], which are UNKNOWN and not RES0'),
      ...m2('v6.3', 'afterOlder'),
      kernel('6.12', 'm2-like, a core of each cluster'),
    ],
  },
  {
    id: 'A4.9',
    noted: 'CLIDR_EL1 is made anew whenever the vCPU is reset',
    holds: 'up to v6.9; since v6.10 (e016333745c7) what user space stored stays',
    because: 'Debian’s 6.12 keeps it over KVM_ARM_VCPU_INIT',
    proofs: [
      ...caches(
        'a stored CLIDR_EL1 stays when the vCPU is reset, since v6.10',
        'A4: a stored CLIDR_EL1 is what guest and user space read, until the vCPU is reset',
      ),
      kernel('6.12', 'mixed-lines'),
    ],
  },
  {
    id: 'A4.11',
    noted: 'a one-reg id with wrong bits is ENOENT',
    holds: 'EINVAL if the bits say another architecture or are among [51:32]; ENOENT for the others',
    because: 'the errnos of Debian’s 6.1 and 6.12',
    proofs: [...api('A4: ids with other bits, sizes or kinds are none'), ...kernels('max')],
  },
];
