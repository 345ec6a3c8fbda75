/** The differential test's command: options, which QEMU judges what, and what it says of a run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coreTypes } from '../../../src/machine/presets';
import { benches } from '../../difftest/benches';
import { allRecipes } from '../../difftest/generate';
import type { KnownDifference } from '../../difftest/known';
import { readOptions } from '../../difftest/options';
import { ENOUGH, Tally } from '../../difftest/tally';

test('a run without --seed gets a fresh one, a replay its own', () => {
  const fresh = (): number => 77;
  assert.equal(readOptions([], fresh).seed, 77);
  const replay = readOptions(['--row', 'ADD_imm', '--seed', '5', '--case', '9'], fresh);
  assert.deepEqual(replay, { seconds: 10, seed: 5, rows: ['ADD_imm'], only: 9, subject: 'elscope', cpu: undefined });
  assert.throws(() => readOptions(['--seconds', 'x'], fresh), /--seconds takes a number, not "x"/);
  assert.throws(() => readOptions(['--cpu', 'z80'], fresh), /--cpu takes one of cortex-a53, /);
});

test('every row that some core has runs once, on a core that has it', () => {
  const all = benches({ subject: 'elscope' }, () => true);
  const names = all.flatMap(({ recipes }) => recipes.map(({ name }) => name));
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(
    allRecipes(coreTypes.max.features).filter(({ name }) => !names.includes(name)),
    [],
  );
  for (const { cpu, recipes } of all)
    for (const { name, feature } of recipes)
      assert.ok(!feature || coreTypes[cpu].features.has(feature), `${name} on ${cpu}`);
  assert.deepEqual(
    benches({ cpu: 'cortex-a53', subject: 'elscope' }, ({ name }) => name === 'ADD_imm').map(({ cpu, recipes }) => [
      cpu,
      recipes.length,
    ]),
    [['cortex-a53', 1]],
  );
});

const entry = (rows: RegExp): KnownDifference => ({ reason: String(rows), rows, matches: () => true });

test('a known difference that does not show in enough cases is gone', () => {
  const tally = new Tally();
  const [seen, unseen, elsewhere] = [entry(/^A$/), entry(/^[AB]$/), entry(/^C$/)];
  for (let i = 0; i < ENOUGH; i++) tally.count('A');
  tally.sawKnown(seen);
  for (let i = 0; i < ENOUGH - 1; i++) tally.count('B');
  assert.deepEqual(tally.gone([seen, unseen, elsewhere]), [], 'row B had too few cases');
  assert.deepEqual(tally.tooFew, ['B']);
  tally.count('B');
  assert.deepEqual(tally.gone([seen, unseen, elsewhere]), [unseen]);
  assert.deepEqual(tally.tooFew, []);
});

test('the report has the cases of every row and names those with too few', () => {
  const tally = new Tally();
  for (const [row, count] of Object.entries({ ADD_imm: ENOUGH, SUB_imm: 3 }))
    for (let i = 0; i < count; i++) tally.count(row);
  const text = tally.report().join('\n');
  assert.match(text, /^ADD_imm +1000 +SUB_imm +3\n/);
  assert.match(text, /\nbelow 1000 cases: SUB_imm$/);
  tally.sawDifferent('SUB_imm');
  assert.equal(tally.different, 1);
  assert.equal(tally.report().at(-1), 'different: SUB_imm 1');
  assert.equal(tally.total, ENOUGH + 3);
});
