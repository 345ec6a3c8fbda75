/**
 * Thread 1: lines that one vCPU fetched, in the way of another vCPU of the same VM on the same physical core; on cores of all kinds
 * that the thread argues about, with and without the fix.
 */
import { issued, saidNumber } from './console';
import { type Json, scenario, type Value, type Variant } from './types';

const vcpu = (n: 0 | 1, what: string) => saidNumber(new RegExp(`vCPU ${n}[^:]*: ${what} returns (\\d)`));

const outcomes = {
  first: { title: 'vCPU 1 gets, MMU off', of: vcpu(1, 'the function') },
  second: { title: 'vCPU 0 then gets', of: (run) => vcpu(0, 'the function')(lastOf(run)) },
  firstI: { title: 'vCPU 1, SCTLR.I set', of: vcpu(1, 'with SCTLR_EL1.I, the function') },
  secondI: { title: 'vCPU 0 then', of: vcpu(0, 'with SCTLR_EL1.I, the function') },
  firstXn: { title: 'vCPU 1, page not executed yet', of: vcpu(1, 'on a page that was not executed, the function') },
  secondXn: { title: 'vCPU 0 then', of: vcpu(0, 'on a page that was not executed, the function') },
  vmm: { title: 'VMM wrote, no cleaning', of: vcpu(1, 'written by the VMM, not cleaned, the function') },
  vmmClear: { title: 'clear_cache', of: vcpu(1, 'written by the VMM, with clear_cache, the function') },
  vmmPoc: { title: 'DC CVAC', of: vcpu(1, 'written by the VMM, cleaned to the PoC, the function') },
  vmmFresh: {
    title: 'page not mapped yet',
    of: vcpu(1, 'written by the VMM on a page that was not mapped, the function'),
  },
  inherited: {
    title: 'findings of the checker',
    of: ({ findings }) => findings.filter((f) => f.vcpu === 'vm1/vcpu0' && f.filledBy === 'vm1/vcpu1').length,
  },
  ialluOnSwitch: { title: 'IC IALLU', of: issued('IC IALLU') },
} as const satisfies Parameters<typeof scenario>[0]['outcomes'];

/** The last line is the one that counts: the first says what the function returned as built. */
function lastOf<R extends { readonly console: string }>(run: R): R {
  return { ...run, console: run.console.trim().split('\n').at(-1) ?? '' };
}

interface Kind {
  readonly name: string;
  readonly title: string;
  readonly core: Json;
  readonly machine?: Json;
  readonly policies?: Readonly<Record<string, string>>;
  /** What vCPU 1 gets: an old function or a new one. */
  readonly first: number;
  readonly firstI: number;
  /** Of what the VMM wrote: plain, with clear_cache, cleaned to the PoC, on an unmapped page. */
  readonly vmm: readonly [number, number, number, number];
}

const FWB = { FEAT_S2FWB: true };

const kinds: readonly Kind[] = [
  { name: 'plain', title: 'IDC=0, DIC=0', core: {}, first: 1, firstI: 2, vmm: [1, 1, 2, 2] },
  {
    name: 'plain-poc',
    title: 'the same, and fetches with SCTLR.I read the PoC too (mmuOffFetch)',
    core: {},
    machine: { mmuOffFetch: 'poc' },
    first: 1,
    firstI: 1,
    vmm: [1, 1, 2, 2],
  },
  {
    name: 'plain-eager',
    title: 'execute permission given at once: no page is XN at stage 2',
    core: {},
    policies: { executePermission: 'eager' },
    first: 1,
    firstI: 2,
    vmm: [1, 1, 2, 2],
  },
  { name: 'idc', title: 'IDC=1, DIC=0', core: { idc: true }, first: 1, firstI: 2, vmm: [1, 1, 2, 2] },
  { name: 'dic', title: 'IDC=1, DIC=1', core: { idc: true, dic: true }, first: 1, firstI: 2, vmm: [1, 1, 2, 2] },
  {
    name: 'fwb',
    title: 'FWB, IDC=1, DIC=0',
    core: { idc: true, features: FWB },
    first: 2,
    firstI: 2,
    vmm: [2, 2, 2, 2],
  },
  {
    name: 'fwb-poc',
    title: 'the same, and FWB does not bind fetches with the MMU off (mmuOffFetch)',
    core: { idc: true, features: FWB },
    machine: { mmuOffFetch: 'poc' },
    first: 1,
    firstI: 1,
    vmm: [1, 1, 2, 1],
  },
  {
    name: 'fwb-dic',
    title: 'FWB, IDC=1, DIC=1',
    core: { idc: true, dic: true, features: FWB },
    first: 2,
    firstI: 2,
    vmm: [2, 2, 2, 2],
  },
];

const releases = [
  { kvm: '5.11', isolated: false },
  { kvm: '5.12', isolated: true },
] as const;

const variants = kinds.flatMap((kind) =>
  releases.map(({ kvm, isolated }): Variant<keyof typeof outcomes> => {
    const then = (first: number): Value => (isolated ? 2 : first);
    const [vmm, vmmClear, vmmPoc, vmmFresh] = kind.vmm;
    return {
      name: `v${kvm}-${kind.name}`,
      title: `${kind.title}${isolated ? ', isolated' : ''}`,
      kvm,
      policies: kind.policies,
      checker: 'actual',
      machine: { ...kind.machine, cores: [kind.core] },
      expect: {
        first: kind.first,
        second: then(kind.first),
        firstI: kind.firstI,
        secondI: then(kind.firstI),
        firstXn: kind.first,
        secondXn: then(kind.first),
        vmm,
        vmmClear,
        vmmPoc,
        vmmFresh,
        // One for each function of which vCPU 0 ran the line that vCPU 1 had brought.
        inherited: isolated ? 0 : [kind.first, kind.firstI, kind.first].filter((got) => got === 1).length,
        ialluOnSwitch: isolated ? 3 : 0,
      },
    };
  }),
);

export const vcpuIsolation = scenario({
  name: 'vcpu-isolation',
  title: 'a line of one vCPU in the way of another one of its VM',
  thread: 1,
  program: 'kvm-isolation',
  machine: 'kvm-isolation',
  outcomes,
  variants,
});
