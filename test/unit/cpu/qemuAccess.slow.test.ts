import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { operationByKey } from '../../../src/arch/sysops/index';
import { registerNameOf } from '../../../src/arch/sysregs/index';
import type { AccessFixture, AccessScenario } from './makeAccessFixture';
import { coreOf, Rig } from './rig';

const firstKey = { MRS: 0x8000, MSR: 0x8000, SYS: 0x4000 } as const;
const lastKey = { MRS: 0x10000, MSR: 0x10000, SYS: 0x8000 } as const;
/** Where the recorded program's operations work, and Rt of its instructions. */
const SCRATCH = 0x6000_0000n;
const Rt = { MRS: 0, MSR: 31, SYS: 2 } as const;

const fixtureOf = (core: string): AccessFixture =>
  JSON.parse(
    readFileSync(path.join(import.meta.dirname, `../../fixtures/cpu/accesses-${core}.json`), 'utf8'),
  ) as AccessFixture;

/** Differences with reasons; a reason that nothing needs any more fails. */
const known: readonly (readonly [RegExp, string, ((s: AccessScenario) => boolean)?])[] = [
  [
    /^(OSDTRRX|OSDTRTX|OSECCR|DBGPRCR|DBGCLAIMSET|DBGCLAIMCLR|DBGAUTHSTATUS)_EL1$/,
    'QEMU 7.2 lacks these debug registers',
  ],
  [/^(DBGDTR|DBGDTRRX)_EL0$/, 'QEMU 7.2 lacks the data half of the debug channel'],
  [/^(FPCR|FPSR|FPEXC32_EL2)$/, 'no floating point here'],
  [/^RMR_EL2$/, 'QEMU 7.2 has RMR at EL3 only'],
  [
    /^(PMSELR|PMCCNTR|PMXEVCNTR|PMEVCNTR\d)_EL0$/,
    'QEMU lets the finer enables of PMUSERENR_EL0 pass MDCR_EL2.TPM, which the manual checks too',
  ],
  [/_EL[01]2$/, 'QEMU 7.2 has the EL12 and EL02 names without E2H', (s) => !usesE2h(s)],
  [/^S[13]_\d_C1[15]_/, 'HCR_EL2.TIDCP: QEMU has no trap of IMPLEMENTATION DEFINED encodings'],
];
const usesE2h = (s: AccessScenario): boolean => ((BigInt(s.setup.HCR_EL2 ?? 0) >> 34n) & 1n) === 1n;
const used = new Set<string>();

/** True for a difference that has a reason. */
function explained(name: string, s: AccessScenario): boolean {
  const reason = known.find(([pattern, , only]) => pattern.test(name) && only?.(s) !== false)?.[1];
  if (reason !== undefined) used.add(reason);
  return reason !== undefined;
}

const nameOf = (key: number): string =>
  operationByKey(key)?.name ??
  registerNameOf(key) ??
  `S${key >> 14}_${(key >> 11) & 7}_C${(key >> 7) & 15}_C${(key >> 3) & 15}_${key & 7}`;

/** ESR of the exception, 0 for none, undefined for UNDEFINED. */
function ours(rig: Rig, s: AccessScenario, key: number): number | undefined {
  rig.word = Rt[s.kind];
  rig.cpu.state.setValue(0, s.kind === 'SYS' ? Number(SCRATCH) : 0);
  const taken =
    s.kind === 'MRS'
      ? rig.cpu.systemRead(key)
      : s.kind === 'MSR'
        ? rig.cpu.systemWrite(key)
        : rig.cpu.systemOperation(key);
  if (taken === 0) return 0;
  return rig.ec === 0 ? undefined : rig.last.esr;
}

const show = (esr: number | undefined): string =>
  esr === undefined ? 'UNDEFINED' : esr === 0 ? 'ok' : `0x${esr.toString(16)}`;

const scenarios = (['cortex-a57', 'neoverse-n1'] as const).flatMap((core) =>
  fixtureOf(core).scenarios.map((s) => ({ ...s, core })),
);
for (const s of scenarios) {
  test(`${s.kind} at ${s.name}: every encoding as QEMU's ${s.core}`, () => {
    const rig = new Rig({ highestEl: 2, ...coreOf(s.core) });
    const differences: string[] = [];
    let executed = true; // and may have changed the controls
    for (let key = firstKey[s.kind]; key < lastKey[s.kind]; key++) {
      const theirs = s.results[`0x${key.toString(16)}`];
      if (executed) for (const [name, value] of Object.entries(s.setup)) rig.poke(name, BigInt(value));
      rig.at(s.el);
      const mine = ours(rig, s, key);
      executed = mine === 0;
      if (mine !== theirs && !explained(nameOf(key), s))
        differences.push(`${nameOf(key)}: ${show(mine)}, QEMU ${show(theirs)}`);
    }
    assert.deepEqual(differences, []);
  });
}

test('every known difference is still one', () => {
  assert.deepEqual(
    known.map(([, reason]) => reason).filter((reason) => !used.has(reason)),
    [],
  );
});
