/** `elscope check` on the samples: what is reported, in which mode, on which machine, and what is not. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { SAMPLES } from '../../../src/build/paths';
import { findingKinds } from '../../../src/machine/api';
import { elscope, type Result, scratch } from './program';

const sample = (name: string): string => path.join(SAMPLES, `${name}.elf`);
const check = (name: string, ...args: string[]): Promise<Result> => elscope(['check', sample(name), ...args]);

/** First lines of findings, without `elscope: `; the second lines are advice. */
const findings = ({ stderr }: Result): string[] =>
  stderr
    .split('\n')
    .filter((line) => / ran "/.test(line))
    .map((line) => line.slice('elscope: '.length));
const missing = ({ stderr }: Result): string[] =>
  [...stderr.matchAll(/^elscope: {3}missing: ([^.]*)\./gm)].map((match) => match[1]);

test('a missing IC IVAU is found before the old instruction runs', async () => {
  const result = await check('selfmod-noic');
  assert.equal(result.code, 3);
  assert.deepEqual(findings(result).length, 1);
  const [finding] = findings(result);
  assert.match(finding, /^stale fetch: core0 EL1 ran "mov w0, #1" where memory holds "mov w0, #2" at 0x[0-9a-f]+ /);
  assert.match(finding, /written by core0 at 0x[0-9a-f]+, after \d+ instructions$/);
  assert.match(missing(result)[0], /^IC IVAU; DSB ISH$/);
  assert.match(
    result.stderr,
    /^elscope: {3}in answer_no_ic \([^ ]*patch\.S:63\), written in rewrite_no_ic \([^ ]*patch\.S:57\)$/m,
  );
  assert.doesNotMatch(result.stdout, /ran 1/, 'stopped before');
});

test('each variant that leaves a step out is found, and only those', async () => {
  const result = await check('selfmod', '--all');
  assert.equal(result.code, 3);
  assert.equal(findings(result).length, 3);
  assert.deepEqual(missing(result), ['DC CVAU; DSB ISH', 'IC IVAU; DSB ISH', 'DC CVAU; DSB ISH; IC IVAU; DSB ISH']);
  assert.match(
    result.stdout,
    /full: ran 2[\s\S]*no-dc: ran 1[\s\S]*no-ic: ran 1[\s\S]*neither: ran 1[\s\S]*no-isb: ran 2/,
  );
});

test('architectural mode finds the missing ISB too, which this machine forgives', async () => {
  const result = await check('selfmod', '--all', '--check', 'architectural');
  assert.equal(findings(result).length, 4);
  assert.match(findings(result)[3], /^missing context synchronisation: core0 EL1 ran "mov w0, #2"/);
  assert.equal(missing(result)[3], 'ISB');
  assert.equal((await check('selfmod-noisb')).code, 0, 'it does no harm here');
  const prefetching = ['--machine', path.join(SAMPLES, 'fetch-ahead.json')];
  const harm = await check('selfmod-noisb', ...prefetching);
  assert.equal(harm.code, 3);
  assert.match(findings(harm)[0], /^stale fetch: .*"mov w0, #1" where memory holds "mov w0, #2"/);
});

test('only the word that was written is blamed, where the old line left by itself as well', async () => {
  for (const machine of ['cortex-a57', 'neoverse-n1', 'cortex-a53']) {
    const result = await check('selfmod', '--all', '--check', 'architectural', '--machine', machine);
    const noIsb = findings(result).filter((finding) => finding.startsWith('missing context synchronisation'));
    assert.equal(noIsb.length, 1, machine);
    assert.match(noIsb[0], /ran "mov w0, #2"/, machine);
  }
});

describe('nothing is found where nothing is wrong', () => {
  const rows: readonly (readonly [string, ...string[]])[] = [
    ['jit'],
    ['jit', '--machine', 'cortex-a53'],
    ['jit', '--machine', 'neoverse-n1'],
    ['jit', '--machine', 'vpipt'],
    ['jit', '--machine', 'mixed-lines', '--cpus', '2'],
    ['el-tour'],
    ['el-tour', '--el', '3', '--machine', 'max'],
  ];
  for (const [name, ...args] of rows)
    for (const mode of ['actual', 'architectural'])
      test([name, ...args, mode].join(' '), async () => {
        const result = await check(name, '--check', mode, ...args);
        assert.deepEqual([result.code, result.stderr], [0, ''], result.stdout);
      });

  test('selfmod on cores with IDC and DIC, in actual mode', async () => {
    const { code, stderr, stdout } = await check('selfmod', '--machine', 'neoverse-n1', '--all');
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(stdout.match(/ran 2 \(new\)/g)?.length, 5);
  });
});

test('a stride that suits only the patching core', async () => {
  const result = await check('two-lines', '--machine', 'mixed-lines', '--cpus', '2', '--all');
  assert.equal(result.code, 3);
  const list = findings(result);
  assert.equal(list.length, 4, 'every other of eight lines');
  for (const finding of list) assert.match(finding, /^wrong stride: core0 EL1 ran "add w0, w0, #1" .*by core1/);
  assert.match(result.stdout, /core 0 ran 32 old and 32 new instructions: WRONG/);
  assert.equal((await check('two-lines', '--machine', 'cortex-a57', '--cpus', '2')).code, 0);
});

test('run --check reports and goes on, with its own exit status', async () => {
  const result = await elscope(['run', sample('selfmod-noic'), '--check', 'actual']);
  assert.equal(result.code, 0);
  assert.equal(findings(result).length, 1);
  assert.match(result.stdout, /no-ic: ran 1 \(stale\)\nselfmod: end\n$/);
  assert.equal((await elscope(['run', sample('selfmod-noic')])).stderr, '', 'off by default');
});

test('--sarif and --stats name the findings', async () => {
  const [sarif, stats] = ['log.sarif', 'check.json'].map((name) => path.join(scratch(), name));
  assert.equal((await check('selfmod', '--all', '--sarif', sarif, '--stats', stats)).code, 3);
  const log = JSON.parse(readFileSync(sarif, 'utf8'));
  assert.equal(log.version, '2.1.0');
  const [{ tool, results }] = log.runs;
  assert.equal(tool.driver.name, 'elscope');
  assert.deepEqual(
    tool.driver.rules.map((rule: { id: string }) => rule.id),
    ['stale-fetch'],
  );
  assert.equal(tool.driver.rules[0].fullDescription.text, findingKinds['stale fetch'].what);
  assert.equal(results.length, 3);
  for (const { ruleId, level, message, locations } of results) {
    assert.deepEqual([ruleId, level], ['stale-fetch', 'error']);
    assert.match(message.text, /^stale fetch: core0/);
    assert.ok(locations[0].physicalLocation.address.absoluteAddress >= 0x40200000);
  }
  // Source positions, which is what CI systems show.
  const [{ physicalLocation, logicalLocations }] = results[1].locations;
  assert.match(physicalLocation.artifactLocation.uri, /selfmod\/patch\.S$/);
  assert.deepEqual(
    [physicalLocation.region, logicalLocations],
    [{ startLine: 63 }, [{ fullyQualifiedName: 'answer_no_ic' }]],
  );
  assert.equal(results[1].relatedLocations[0].physicalLocation.region.startLine, 57);
  const report = JSON.parse(readFileSync(stats, 'utf8'));
  assert.equal(report.findings, 3);
  assert.match(report.findingList[0], /^elscope: stale fetch/);
});

test('a clean run writes an empty log', async () => {
  const sarif = path.join(scratch(), 'clean.sarif');
  assert.equal((await check('el-tour', '--sarif', sarif)).code, 0);
  assert.deepEqual(JSON.parse(readFileSync(sarif, 'utf8')).runs[0].results, []);
});
