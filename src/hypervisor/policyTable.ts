/**
 * THE table of policies: what KVM/arm64 and the host kernel did at each release, and what was only posted, raised in a thread
 * or is ours. A value with `since` holds from that release on until a later one of the same policy; the others are taken by
 * name only. `source` says what was read to confirm the row: the commit's change itself, the state of a later source, or
 * nothing ("remembered": check before relying on it).
 */

/** merged: in a release. posted: a patch on the lists. raised: proposed in words. ours: no kernel does it. */
export type Standing = 'merged' | 'posted' | 'raised' | 'ours';

export interface PolicyValue {
  readonly meaning: string;
  readonly standing: Standing;
  /** First release, of a merged value: 'v6.3'. */
  readonly since?: string;
  readonly commit?: string;
  readonly source: string;
  /** Values of other policies without which this one has no effect or no sense. */
  readonly needs?: Readonly<Record<string, readonly string[]>>;
}

export interface PolicyRow {
  readonly about: string;
  readonly values: Readonly<Record<string, PolicyValue>>;
}

const merged = (since: string, meaning: string, source: string, commit?: string): PolicyValue => ({
  meaning,
  standing: 'merged',
  since,
  source,
  ...(commit === undefined ? {} : { commit }),
});

const unmerged = (standing: Exclude<Standing, 'merged'>, meaning: string, source: string): PolicyValue => ({
  meaning,
  standing,
  source,
});

const TRAPPED = { cacheTrap: ['tid2', 'tid4'] } as const;

export const policyTable = {
  icacheIsolation: {
    about: 'the I-cache when another vCPU of the same VM comes to a physical core',
    values: {
      none: merged(
        'v4.9',
        'lines that the last vCPU fetched stay',
        'remembered: TLBI only, in the code before the commit',
      ),
      invalidate: merged(
        'v5.12',
        'TLBI VMALLE1 and IC IALLU whenever last_vcpu_ran differs, whatever DIC, IDC and FWB say',
        'FIDELITY A1 (commit)',
        '01dc9262ff57',
      ),
    },
  },
  vpipt: {
    about: 'a VMID-tagged PIPT instruction cache (CTR_EL0.L1Ip = 0)',
    values: {
      aware: merged(
        'v4.12',
        'invalidated on VMID rollover; a host at EL1 leaves guest lines to EL2',
        'the lines that ced242ba9d7c takes out of kvm_mmu.h (series as posted), the rest FIDELITY B4',
      ),
      unaware: merged(
        'v6.8',
        'taken for an aliasing cache: L1Ip = 0 is reserved',
        'the series as posted (change of kvm_mmu.h and its cover letter); FIDELITY A0 (commits)',
        'ced242ba9d7c',
      ),
      refuse: unmerged('posted', 'KVM does not start: ENODEV, with a message', 'the patch in thread 0 (Jan 2023)'),
    },
  },
  lateOnlining: {
    about: 'a core with another I-cache policy that comes online after boot',
    values: {
      none: merged('v4.7', 'L1Ip is not strict: nothing stops it', "cpufeature.c's ftr_ctr (v5.15 and v6.3 sources)"),
      icachePipt: {
        ...unmerged(
          'posted',
          'ICACHE_PIPT is a system capability: a core that is not PIPT cannot join an all-PIPT system',
          'the patch 8f88afb0b317 as quoted on the list (Dec 2023); its description text is not',
        ),
        needs: { vpipt: ['unaware', 'refuse'] },
      },
    },
  },
  lateIpaRange: {
    about:
      'which ID_AA64MMFR0_EL1.PARange must reach the intermediate addresses that KVM promised, when a core comes late',
    values: {
      core: merged(
        'v5.8',
        'its own: a core with too few bits dies',
        'verify_hyp_capabilities as posted (May 2020) and in v5.13 and v6.3 sources; Debian’s 6.1 does it; the release is remembered',
      ),
      system: merged(
        'v6.14',
        'the sanitised one of the cores before it: that core comes online, and every later one dies',
        'the change as quoted on the list, its commit in a branch’s record; Debian’s 6.12 does it, whose stable tree carries it',
        '62cffa496aac',
      ),
    },
  },
  icacheInvalidation: {
    about: 'how the I-cache is invalidated for a guest page or block',
    values: {
      everyLine: merged(
        'v4.16',
        'IC IVAU for every line, however large the block; everything if the I-cache aliases',
        'the lines that 909b583f81b5 replaces (patch as posted)',
      ),
      bounded: merged(
        'v6.7',
        'as before up to MAX_DVM_OPS lines (PTRS_PER_PTE), everything above',
        'the patch as posted, and as applied in that branch (push record of the tree)',
        '909b583f81b5',
      ),
      abovePage: unmerged('raised', 'everything for whatever is larger than a page', 'thread 2 (Sep 2023)'),
      all: unmerged('ours', 'everything, always', 'for comparison'),
    },
  },
  relaxTlbi: {
    about: 'which cores forget a stage-2 entry whose permissions are relaxed',
    values: {
      broadcast: merged('v4.16', 'all: TLBI … IS', 'the code before a12ab1378a88, remembered'),
      local: merged(
        'v6.5',
        'this one: others take a fault at most',
        'title in the pull request for v6.5; the operations are remembered',
        'a12ab1378a88',
      ),
    },
  },
  executePermission: {
    about: 'execute permission of stage-2 entries where DIC is not set',
    values: {
      lazy: merged(
        'v4.16',
        'given on the first fetch (execute fault), with the I-cache invalidated then',
        'user_mem_abort in a v6.17 source; the release is remembered (d0e22b4ac3ba)',
      ),
      eager: unmerged('ours', 'given on the first fault of any kind, as before v4.16', 'FIDELITY A2'),
    },
  },
  ccsidr: {
    about: "CCSIDR_EL1 and CLIDR_EL1 of a guest, and user space's view of them",
    values: {
      host: merged(
        'v3.13',
        "the current core's own values; restoring other ones fails with EINVAL",
        'sys_regs.c of a v5.18 source: demux_c15_set, access_ccsidr, invariant_sys_regs; Debian’s 6.1 does the same',
      ),
      overrideAssociativity: unmerged(
        'posted',
        'where cores differ in associativity: trapped, one set and one way for all caches, in one-reg too',
        'patches 1 to 3 of 3 as posted (Dec 2022)',
      ),
      normalised: {
        ...merged(
          'v6.3',
          'a fabricated topology (one set, one way); other values are accepted from user space',
          'sys_regs.c of a v6.17 source and the series as posted; Debian’s 6.12 gives the same values and errnos',
          '7af0c2534f4c',
        ),
        needs: TRAPPED,
      },
    },
  },
  clidrReset: {
    about:
      'CLIDR_EL1 of a guest that user space has stored, when the vCPU is reset (KVM_ARM_VCPU_INIT again, PSCI CPU_ON)',
    values: {
      always: merged('v6.3', 'made anew', 'kvm_reset_sys_regs before e016333745c7 (patch as posted)'),
      once: merged(
        'v6.10',
        'kept: feature ID registers of a vCPU are made once',
        'the patch as posted and the record of its merge; Debian’s 6.12 keeps it',
        'e016333745c7',
      ),
    },
  },
  cacheTrap: {
    about: 'which bit of HCR_EL2 traps the cache ID registers',
    values: {
      tid2WhenMismatched: merged(
        'v4.19',
        'TID2 only with mismatched cache types (or an AArch32 guest), else no trap',
        'vcpu_reset_hcr as the v6.3 series (patch as posted) finds it; the release is remembered (793acf870ea3)',
      ),
      tid2: merged('v6.3', 'TID2, always: CTR_EL0 is trapped too', 'the patch "Always set HCR_TID2" as posted'),
      tid4: merged(
        'v6.5',
        "TID4 where FEAT_EVT is there, cache types match and CTR_EL0 is the host's; else TID2",
        'the patch as posted, its commit in the pull request for v6.5',
        'c876c3f182a5',
      ),
    },
  },
  ctrWritable: {
    about: 'whether user space may write CTR_EL0 of a VM',
    values: {
      no: merged(
        'v3.13',
        "it is the host's sanitised value; another one is EINVAL. User space's is from when KVM started, a trapped guest's of now",
        'invariant_sys_regs, v5.18 source; Debian’s 6.1 keeps it when a late core lowers L1Ip',
      ),
      yes: {
        ...merged(
          'v6.11',
          'DIC, IDC, DminLine and IminLine, downwards, before the first run; one value for the VM',
          'the patches as posted (their mask has no L1Ip); Debian’s 6.12 gives the same mask and errnos',
          '2843cae26644',
        ),
        needs: TRAPPED,
      },
      withL1Ip: {
        ...merged(
          'v6.13',
          'L1Ip too, from PIPT to VIPT',
          'sys_regs.c of a v6.17 source; in the pull request for v6.13',
          'e9b57d7f9740',
        ),
        needs: TRAPPED,
      },
    },
  },
  cacheablePfnmap: {
    about: 'a cacheable mapping in user space of memory without struct page (VM_PFNMAP)',
    values: {
      device: merged('v3.9', 'silently mapped as Device or Non-cacheable', 'FIDELITY A3; the code before 2a8dfab26677'),
      refused: unmerged(
        'posted',
        'EINVAL for the slot, EFAULT at the fault: the state between two commits of one series (2a8dfab26677)',
        'FIDELITY A3 (commit)',
      ),
      capability: merged(
        'v6.17',
        'cacheable if FWB and DIC allow it, which capability 243 tells; else refused',
        'mmu.c of a v6.17 source; the value of the capability from the patch as posted, its number from later headers',
        'f55ce5a6cd33',
      ),
      unchecked: unmerged(
        'ours',
        'cacheable whatever FWB and DIC say, and never cleaned: what the checks are there to prevent',
        'for comparison',
      ),
      buyIn: unmerged(
        'ours',
        'as capability, but user space must enable it, and a fault that is refused exits with KVM_EXIT_MEMORY_FAULT',
        'what thread 3 asks for (Mar 2025)',
      ),
    },
  },
  anyUncached: {
    about: 'VM_ALLOW_ANY_UNCACHED of a mapping of device memory (vfio-pci)',
    values: {
      ignored: merged('v3.9', 'Device-nGnRE', 'remembered'),
      normalNc: merged(
        'v6.9',
        'Normal Non-cacheable',
        'mmu.c of a v6.17 source; the release is remembered',
        '8c47ce3e1d2c',
      ),
    },
  },
  vmidAllocator: {
    about: 'VMIDs, and what becomes of those in use when they are used up',
    values: {
      exitAll: merged(
        'v3.9',
        'one number after the other; every core leaves its guest when they begin anew, and gets another',
        'update_vmid, remembered; the patch that replaces it tells of the exits',
      ),
      reserve: merged(
        'v5.18',
        'any free number, the old one if it is free; cores keep the one that they run when they begin anew',
        'vmid.c as it was merged (a source at 100b4f092f87); the release is remembered',
        '3248136b3637',
      ),
    },
  },
  ageing: {
    about: 'which stage-2 entries of a range are made old when the host ages its memory (kvm_age_gfn)',
    values: {
      firstEntry: merged(
        'v4.7',
        'the one at the first address: the range is taken for one page or block',
        'pgtable.c of a v6.1 source; the release is remembered',
      ),
      everyEntry: merged(
        'v6.5',
        'all of the range',
        'the title among the commits of v6.5-rc3, the walker in a later source',
        'df6556adf27b',
      ),
    },
  },
  debugVersion: {
    about: 'ID_AA64DFR0_EL1.DebugVer of a guest',
    values: {
      v8p0: merged('v4.19', 'that of Armv8.0, 6', 'Debian’s 6.1 shows it; the release is remembered'),
      v8p8: merged(
        'v6.7',
        'the host’s up to that of Armv8.8; user space may lower it to 6 before the first run',
        'Debian’s 6.12 shows it; the release and that it is writable are remembered',
      ),
    },
  },
  debugRegisters: {
    about:
      'breakpoints and watchpoints of a guest: when they are switched with the host’s, and accesses no longer trap',
    values: {
      untilExit: merged(
        'v3.17',
        'from a write that trapped until the next exit, and in every run while MDSCR_EL1.MDE or KDE is set, trapped then',
        'debug.c of a v6.13 source, debug-sr.h before that change, sys_regs.c of several; the release is remembered',
      ),
      whileLoaded: merged(
        'v6.14',
        'from any access that trapped until the vCPU leaves its core; from the start while MDE or KDE is set',
        'the commit’s text; debug.c and sys_regs.c of later sources; the release from the fixes of its pull request',
        'beb470d96cec',
      ),
    },
  },
  osLock: {
    about: 'the OS lock of a guest (OSLAR_EL1)',
    values: {
      ignored: merged('v3.17', 'never locked', 'the lines that f24adc65c556 replaces (patches as posted)'),
      emulated: merged(
        'v5.18',
        'one for each vCPU, which takes MDSCR_EL1.MDE and SS from it (KDE too since v6.14); user space sees OSLSR_EL1',
        'the series as posted and debug.c of later sources; the push record of its tree; the release is remembered',
        '7dabf02f43a1',
      ),
    },
  },
  psciVersion: {
    about: 'the version of PSCI that guests have unless user space asks for an older one (KVM_ARM_PSCI_LATEST)',
    values: {
      v1_0: merged('v4.16', '1.0', 'arm_psci.h before 512865d83fd9 (patch as posted); the release is remembered'),
      v1_1: merged(
        'v5.18',
        '1.1, with SYSTEM_RESET2',
        'the patches as posted and psci.c of a later source; in the pull request for v5.18; Debian’s 6.1 shows it',
        '512865d83fd9',
      ),
      v1_3: merged(
        'v6.13',
        '1.3, with SYSTEM_OFF2',
        'the patches as posted; in the pull request for v6.13, its commit in the push record of a tree',
        '8be82d536a9f',
      ),
    },
  },
  smcCalls: {
    about: 'calls that a guest makes by SMC, which traps',
    values: {
      refused: merged('v4.4', 'all of them are NOT_SUPPORTED', 'Debian’s 6.1 does it; the release is remembered'),
      answered: merged(
        'v6.4',
        'as those by HVC, if the immediate is 0',
        'the patch as posted (Mar 2023), which names a commit of v6.3; Debian’s 6.12 does it',
      ),
    },
  },
  fwb: {
    about: 'stage 2 forced write-back (FEAT_S2FWB)',
    values: {
      on: merged('v4.19', 'used where every core has it', 'FIDELITY A0 (base HCR); the release is remembered'),
      off: unmerged('ours', 'not used', 'for comparison'),
    },
  },
  fb: {
    about: "HCR_EL2.FB: EL1's local TLBI and IC IALLU reach the Inner Shareable domain",
    values: {
      on: merged('v3.7', 'set', 'HCR_GUEST_FLAGS in several sources'),
      off: unmerged('ours', 'clear', 'for comparison'),
    },
  },
} as const satisfies Record<string, PolicyRow>;
