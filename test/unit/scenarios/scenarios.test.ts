/** The table of scenarios, how results are judged and shown, and the command. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT, SAMPLES } from '../../../src/build/paths';
import { policiesOf } from '../../../src/hypervisor/policies';
import { scenarios } from '../../../src/scenarios/index';
import { resultMarkdown, resultTable } from '../../../src/scenarios/report';
import { judge, merged } from '../../../src/scenarios/run';
import type { Ran, Scenario } from '../../../src/scenarios/types';

test('names are unique, files and pages are there, policies exist, every outcome is asserted somewhere', () => {
  const names = scenarios.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
  for (const { name, program, machine, variants, outcomes } of scenarios) {
    const programs = [program, ...variants.flatMap((variant) => variant.program ?? [])];
    for (const file of [...programs.map((text) => `${text}.elf`), `${machine}.json`])
      assert.ok(existsSync(path.join(SAMPLES, file)), file);
    assert.ok(existsSync(path.join(ROOT, 'media', 'scenarios', `${name}.md`)), name);
    assert.deepEqual(
      variants.map((variant) => variant.name),
      [...new Set(variants.map((variant) => variant.name))],
    );
    for (const { kvm, policies } of variants) policiesOf(kvm, policies);
    for (const outcome of variants.flatMap((variant) => Object.keys(variant.expect))) assert.ok(outcome in outcomes);
    const asserted = new Set(variants.flatMap((variant) => Object.keys(variant.expect)));
    const shown = Object.keys(outcomes).filter((outcome) => !asserted.has(outcome));
    assert.ok(shown.length <= 3, `${name} asserts nothing about ${shown.join(', ')}`);
    for (const variant of variants) assert.ok(Object.keys(variant.expect).length > 0, `${name} ${variant.name}`);
  }
});

const fake: Scenario = {
  name: 'fake',
  title: 'a fake',
  thread: 0,
  program: '',
  machine: '',
  outcomes: { a: { title: 'the letter', of: ({ console }) => console }, b: { title: 'nothing', of: () => undefined } },
  variants: [{ name: 'v1', title: 'one', expect: { a: 'x' } }],
};
const gave = (console: string, ended = 'every vCPU is off'): Ran => ({ console, ended }) as unknown as Ran;

test('every page shows small pictures, with words for those who cannot see them, and names launch configurations', () => {
  const folder = path.join(ROOT, 'media', 'scenarios');
  const launch = JSON.parse(readFileSync(path.join(SAMPLES, '.vscode', 'launch.json'), 'utf8'));
  const configurations: readonly string[] = launch.configurations.map(({ name }: { name: string }) => name);
  const shown = scenarios.flatMap(({ name, program }) => {
    const text = readFileSync(path.join(folder, `${name}.md`), 'utf8');
    const mine = configurations.filter((title) => title.startsWith(program));
    assert.ok(mine.length >= 2, `${name}: before and after`);
    for (const title of mine) {
      const [, rest] = /^\S+?,? (on .*|[^o].*)$/.exec(title) ?? [];
      assert.ok(text.replaceAll('\n', ' ').includes(rest), `${name} does not name ${title}`);
    }
    const pictures = [...text.matchAll(/!\[([^\n]+)\]\(([\w-]+\.png)\)/g)];
    assert.ok(pictures.length > 0, name);
    for (const [, words, file] of pictures) {
      assert.ok(words.length > 80, `${name}: ${file}`);
      assert.ok(statSync(path.join(folder, file)).size < 150 * 1024, file);
    }
    return pictures.map(([, , file]) => file);
  });
  assert.deepEqual(
    readdirSync(folder).filter((file) => file.endsWith('.png')),
    shown.sort(),
  );
});

test('an outcome that differs, a missing one and a run without end are no success', () => {
  const [variant] = fake.variants;
  assert.equal(judge(fake, variant, gave('x')).holds, true);
  assert.equal(judge(fake, variant, gave('y')).holds, false);
  assert.equal(judge(fake, { ...variant, expect: { b: 1 } }, gave('x')).holds, false);
  for (const ended of ['limit', 'idle', 'exceptionLoop'])
    assert.equal(judge(fake, variant, gave('x', ended)).holds, false);
});

test('the table marks what holds and says what was expected', () => {
  const [variant] = fake.variants;
  const table = resultTable(fake, [judge(fake, variant, gave('x')), judge(fake, variant, gave('y'))]);
  assert.match(table, /the letter {2}✓ x {2}✗ y \(not x\)/);
  assert.match(table, /✗ 1 of 2 outcomes do not hold/);
  assert.equal(
    resultMarkdown([judge(fake, variant, gave('x'))]),
    ['| variant | the letter | nothing |', '| --- | --- | --- |', '| **v1** one | x | - |'].join('\n'),
  );
});

test('changes of a machine file', () => {
  const base = { preset: 'a', hypervisor: { kvm: '1', vms: [1] } };
  assert.deepEqual(merged(base, { preset: null, hypervisor: { vms: [] } }), { hypervisor: { kvm: '1', vms: [] } });
});

const elscope = (...args: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', path.join(ROOT, 'src/cli/main.ts'), 'scenario', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  });

test('elscope scenario: the list, one variant, a policy under which nothing holds, wrong names', () => {
  const list = elscope();
  assert.equal(list.status, 0);
  for (const { name } of scenarios) assert.match(list.stdout, new RegExp(`^${name}: `, 'm'));
  const one = elscope('ccsidr', '--variant', 'v6.5', '--console');
  assert.equal(one.status, 0, one.stdout + one.stderr);
  assert.match(one.stdout, /host: Detected PIPT I-cache on CPU0/);
  assert.match(one.stdout, /✓ all \d+ outcomes hold/);
  const other = elscope('ccsidr', '--variant', 'v6.2', '--policy', 'ccsidr=normalised', '--policy', 'cacheTrap=tid2');
  assert.equal(other.status, 1);
  assert.match(other.stdout, /✗ 0x2 \(not 0x700fe03a\)/);
  for (const args of [['nothing'], ['ccsidr', '--variant', 'nothing'], ['ccsidr', '--policy', 'nothing=1']])
    assert.equal(elscope(...args).status, 2, args.join(' '));
});
