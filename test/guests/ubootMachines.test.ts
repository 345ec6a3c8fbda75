/**
 * Debian's U-Boot on other machines, and what it shows: a stored and executed instruction without any cache maintenance
 * (`mw.l` and `go`) is found wherever it goes wrong or could, and nothing else of U-Boot's is in actual mode.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { uBoot } from '../../src/build/guests';
import { elscope } from '../unit/cli/program';
import { uBootExample } from '../unit/cli/readme';
import { type ElscopeResult, type ElscopeRun, pace, runUBoot } from './ubootOnElscope';

const COMMANDS = ['md.l 40000000 1', 'crc32 40000000 40', 'poweroff'];
/** The device tree's magic number, big-endian, read as a word. */
const MAGIC = /40000000: edfe0dd0 {2,}\.\.\.\./;

const MACHINES: readonly Omit<ElscopeRun, 'commands'>[] = [
  { version: '2025.01', machine: 'cortex-a57', cpus: 4, el: 1 },
  { version: '2025.01', machine: 'cortex-a57', cpus: 4, el: 2 },
  { version: '2025.01', machine: 'cortex-a53', cpus: 1, el: 1 },
  { version: '2023.01', machine: 'cortex-a53', cpus: 4, el: 2 },
  { version: '2025.01', machine: 'pipt-vipt', cpus: 2, el: 2 },
  { version: '2023.01', machine: 'mixed-lines', cpus: 2, el: 1 },
  { version: '2025.01', machine: 'mixed-lines', cpus: 4, el: 2 },
  { version: '2025.01', machine: 'neoverse-n1', cpus: 1, el: 1 },
  { version: '2025.01', machine: 'm2-like', cpus: 8, el: 2 },
];

describe('U-Boot reaches its prompt and answers', { concurrency: 1 }, () => {
  for (const run of MACHINES) {
    const { version, machine, cpus, el } = run;
    test(`${version} on ${machine}, ${cpus} cores, EL${el}`, async (t) => {
      const result = await runUBoot({ ...run, commands: COMMANDS });
      assert.deepEqual([result.code, result.stderr], [0, ''], result.console.slice(-500));
      const { banner, answers } = result.transcript();
      assert.match(banner, new RegExp(`^\\s*U-Boot ${version}[\\s\\S]*DRAM: {2}1 GiB\n[\\s\\S]*stop autoboot`));
      assert.match(answers[0].lines[0], MAGIC);
      assert.match(answers[1].lines[0], /^crc32 for 40000000 \.\.\. 4000003f ==> [0-9a-f]{8}$/);
      assert.equal(result.statistics.cores.length, cpus);
      t.diagnostic(`U-Boot ${version} on ${machine}, ${cpus} cores, EL${el}: ${pace(result)}`);
    });
  }
});

test('reset begins anew, with the same machine', async () => {
  const again = ['--expect', 'stop autoboot', '--send', '\\n', '--expect', '\\n=> '];
  const args = [...again, '--send', 'mw.l 50000000 5; reset\\n', ...again, '--send', 'poweroff\\n'];
  const { code, stdout } = await elscope(['run', '--bios', await uBoot('2025.01'), '--cpus', '2', ...args]);
  assert.equal(code, 0);
  assert.equal(stdout.match(/U-Boot 2025\.01/g)?.length, 2);
});

test('the example of README', async () => {
  const image = await uBoot('2025.01');
  const { code, stdout } = await elscope(uBootExample().map((word) => (word === 'u-boot.bin' ? image : word)));
  assert.equal(code, 0);
  assert.match(stdout, /crc32 for 50000000 \.\.\. 500003ff ==> f89c6f94\n=> $/);
});

/** First lines of the findings. */
const findings = ({ stderr }: ElscopeResult): string[] =>
  stderr.split('\n').filter((line) => /^elscope: [^:]+: core\d+ EL\d /.test(line));

describe('a RET that is stored and jumped to', { concurrency: 1 }, () => {
  const WORD = 'mw.l 50000000 d65f03c0; go 50000000';
  const go = (run: Partial<ElscopeRun>): Promise<ElscopeResult> =>
    runUBoot({ version: '2025.01', commands: [WORD, 'poweroff'], limit: 60_000_000, ...run });

  for (const machine of ['cortex-a57', 'cortex-a53', 'mixed-lines'])
    for (const check of ['actual', 'architectural'] as const)
      test(`is found on ${machine} in ${check} mode`, async () => {
        const result = await go({ machine, check });
        const found = findings(result).filter((line) => line.includes('at 0x50000000 '));
        assert.equal(found.length, 1, result.stderr);
        // IDC=0: the store is still in the data cache, and the fetch reads below it.
        assert.match(found[0], /^elscope: stale fetch: core0 EL1 ran "udf #0" where memory holds "ret" at 0x50000000 /);
        assert.match(result.stderr, /missing: DC CVAU; DSB ISH; IC IVAU; DSB ISH; ISB\./);
        if (check === 'actual') assert.equal(findings(result).length, 1, 'and nothing else');
      });

  test('runs on neoverse-n1, where IDC=1 and DIC=1', async () => {
    for (const check of ['actual', 'architectural'] as const) {
      const result = await go({ machine: 'neoverse-n1', check });
      assert.equal(result.code, 0, result.stderr);
      assert.deepEqual(findings(result), [], check);
      assert.match(result.console, /## Application terminated, rc = 0x1\n/);
    }
  });

  test('runs on cortex-a57 once its line has left the data cache', async () => {
    // Reading 8 MiB replaces every line, and what was dirty is written back.
    const sweep = 'crc32 60000000 800000';
    const commands = ['mw.l 50000000 d65f03c0', sweep, 'go 50000000', 'poweroff'];
    const result = await runUBoot({ version: '2025.01', commands, check: 'actual' });
    assert.deepEqual([result.code, findings(result)], [0, []]);
    assert.match(result.console, /## Application terminated, rc = 0x1\n/);
  });
});

describe('what architectural mode says of U-Boot itself', { concurrency: 1 }, () => {
  for (const version of ['2023.01', '2025.01'] as const)
    test(version, async () => {
      const result = await runUBoot({ version, check: 'architectural' });
      assert.equal(result.code, 0);
      assert.deepEqual(findings(result), []);
    });
});
