/** README's examples, run: they print what it says. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { optionsMarkdown, presetsMarkdown } from '../../../src/build/reference';
import { runOptions } from '../../../src/cli/options';
import { parseMachineFile } from '../../../src/machine/machineFile';
import { presets } from '../../../src/machine/presets';
import { elscope, file } from './program';
import { consoleExamples, machineExample, shellWords, uBootExample } from './readme';

describe('the console examples', () => {
  const examples = consoleExamples();
  test('there are some', () =>
    assert.deepEqual([...new Set(examples.map(({ args }) => args[0]))], ['run', 'check', 'explain']));
  for (const { args, output } of examples)
    test(`elscope ${args.join(' ')}`, async () => {
      const { stdout, stderr } = await elscope(args);
      assert.match(stdout + stderr, output);
    });
});

test('the machine file is one, and a guest runs on it', async () => {
  const { cores, clusters, jitter, memoryBytes } = parseMachineFile(machineExample(), 'example');
  assert.deepEqual(
    cores.map(({ name, cluster, prefetch }) => [name, cluster, prefetch]),
    [
      ['cortex-a57', 0, 32],
      ['cortex-a53', 0, 0],
      ['cortex-a57', 1, 0],
    ],
  );
  const { sets, ways, lineBytes, policy } = cores[1].l1i;
  assert.deepEqual([sets * ways * lineBytes, policy], [8192, 'VIPT']);
  assert.deepEqual([clusters.length, clusters[1], jitter, memoryBytes], [2, null, true, 2 ** 28]);
  assert.equal(cores[2].idc, false);
  const machine = file('example.elscope.json', machineExample());
  const { code, stdout } = await elscope(['run', 'media/samples/selfmod.elf', '--machine', machine]);
  assert.equal(code, 0);
  assert.match(stdout, /no-isb: ran 1 \(stale\)/, 'by what the core keeps');
});

test('the U-Boot example is understood', () => {
  const args = uBootExample();
  assert.deepEqual(args.slice(0, 3), ['run', '--bios', 'u-boot.bin']);
  assert.ok(args.includes('\\n=> ') && args.at(-2) === '--until-console');
});

test('shell words', () => assert.deepEqual(shellWords("a --b 'c d' \\\n  'e\\n'"), ['a', '--b', 'c d', 'e\\n']));

test('tables have a row for each option and preset, with bars that do not end a cell', () => {
  const rows = optionsMarkdown().split('\n');
  assert.equal(rows.length, runOptions.length + 2);
  for (const row of rows) assert.equal(row.match(/(?<!\\)\|/g)?.length, 3, row);
  for (const name of Object.keys(presets)) assert.ok(presetsMarkdown().includes(`| \`${name}\` |`));
});
