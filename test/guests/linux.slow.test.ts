/** Debian's kernels on every kind of machine: to a shell that answers, and to power-off by PSCI. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { presetConfig } from '../../src/machine/presets';
import { type LinuxResult, type LinuxRun, messages, pace, runLinux } from './linux';
import { CACHES, cacheLines } from './linuxCaches';

interface Boot extends LinuxRun {
  /** What the kernel has to say; and what it must not say. */
  readonly says?: readonly (string | RegExp)[];
  readonly not?: readonly RegExp[];
}

const HYP = /kvm \[1\]: (Hyp mode|Hyp nVHE mode|VHE mode) initialized successfully/;

const BOOTS: readonly Boot[] = [
  {
    version: '6.1',
    cpus: 1,
    gic: 2,
    el: 1,
    check: 'actual',
    says: ['Detected PIPT I-cache on CPU0', 'kvm [1]: HYP mode not available'],
  },
  { version: '6.1', cpus: 2, gic: 3, el: 1 },
  { version: '6.1', cpus: 4, gic: 2, el: 2, check: 'actual', says: [HYP] },
  { version: '6.12', cpus: 1, gic: 3, el: 1, check: 'architectural' },
  { version: '6.12', cpus: 4, gic: 3, el: 2, says: [HYP] },
  { version: '6.12', cpus: 8, gic: 2, el: 1 },
  { version: '6.12', machine: 'max', cpus: 2, gic: 3, el: 2, says: ['kvm [1]: VHE mode initialized successfully'] },
  { version: '6.1', machine: 'cortex-a53', cpus: 1, says: ['Detected VIPT I-cache on CPU0'] },
  { version: '6.1', machine: 'neoverse-n1', cpus: 4, gic: 3, check: 'architectural' },
  {
    version: '6.1',
    machine: 'pipt-vipt',
    says: ['Detected PIPT I-cache on CPU0', 'Detected VIPT I-cache on CPU1'],
    not: [/SANITY CHECK/, /Mismatched cache type/],
  },
  {
    version: '6.12',
    machine: 'mixed-lines',
    check: 'architectural',
    says: [
      /SANITY CHECK: Unexpected variation in SYS_CTR_EL0/,
      'CPU features: detected: Mismatched cache type (CTR_EL0)',
    ],
  },
  { version: '6.12', machine: 'm2-like', gic: 3, not: [/SANITY CHECK/] },
];

const said = (lines: readonly string[], wanted: string | RegExp): boolean =>
  lines.some((line) => (typeof wanted === 'string' ? line === wanted : wanted.test(line)));

/**
 * One finding is the kernel's own: ftrace turns the NOP at the start of __set_fixmap into MOV X9, X30 (which is not among the
 * instructions that may be modified concurrently), and calls __set_fixmap to unmap the alias before it does the maintenance. With
 * IDC and DIC the new instruction runs, which architectural mode alone tells.
 */
function checkFindings({ stderr, statistics }: LinuxResult, checked: boolean): void {
  if (!checked) {
    assert.equal(stderr, '');
    return;
  }
  assert.equal(statistics.findings, 1, stderr);
  const ran = '(stale fetch: .* ran "nop" where memory holds|missing maintenance: .* ran) "mov x9, x30"';
  assert.match(stderr, new RegExp(`${ran}[^\\n]*\\n[^\\n]*in __set_fixmap`));
}

describe('Debian’s kernels boot to a shell', { concurrency: 1 }, () => {
  for (const { says = [], not = [], ...run } of BOOTS) {
    const { version, machine = 'cortex-a57', cpus = presetConfig(machine).cores.length, gic = 2, el = 1 } = run;
    const name = `${version} on ${machine}, ${cpus} cores, GICv${gic}, EL${el}`;
    test(name, { timeout: 1_200_000 }, async (t) => {
      const result = await runLinux({ ...run, cpus, commands: ['nproc', CACHES] });
      assert.equal(result.code, 0, result.console.slice(-2000));
      checkFindings(result, run.check !== undefined);
      const lines = messages(result.console);
      for (const message of says) assert.ok(said(lines, message), `${message}`);
      for (const message of [...not, /WARNING:|BUG:|Oops|Call trace|rcu.*stall/])
        assert.ok(!said(lines, message), `${message}`);
      assert.equal(result.answers[0], `${cpus}\n`);
      assert.deepEqual(cacheLines(result.answers[1]), cacheLines(presetConfig(machine, cpus)));
      t.diagnostic(`${name}: ${pace(result)}`);
    });
  }
});
