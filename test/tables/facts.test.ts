/** The table of facts: every one is proven by tests that exist, and every test that is named after a thread stands in it. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../src/build/paths';
import { scenarios } from '../../src/scenarios/index';
import { kernels, machines } from '../guests/oracle/machines';
import { corrections, facts, type Proof } from './facts';
import { matches, type Title, testTitles } from './testTitles';

const TESTS = path.join(ROOT, 'test');
const known = new Map<string, Title[]>();

function titlesIn(file: string): Title[] {
  const at = path.join(TESTS, file);
  const titles = known.get(file) ?? (existsSync(at) ? testTitles(readFileSync(at, 'utf8')) : []);
  known.set(file, titles);
  return titles;
}

/** Scenarios whose outcomes a test file judges. */
const judged = new Set(
  readdirSync(path.join(TESTS, 'unit/scenarios')).flatMap((name) => {
    const text = readFileSync(path.join(TESTS, 'unit/scenarios', name), 'utf8');
    return [...text.matchAll(/^checkScenario\((\w+)\);$/gm)].map(([, variable]) => variable);
  }),
);
const camel = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** What is wrong with a proof. */
function complaint(proof: Proof): string | undefined {
  if ('file' in proof) {
    const found = titlesIn(proof.file).some((title) => matches(title, proof.title));
    return found ? undefined : `test/${proof.file} has no test "${proof.title}"`;
  }
  if ('kernel' in proof) {
    const asked = kernels.includes(proof.kernel) && machines.some(({ name }) => name === proof.machine);
    return asked ? undefined : `${proof.kernel} is not asked on ${proof.machine}`;
  }
  const { scenario: name, variant, outcome } = proof;
  const scenario = scenarios.find((row) => row.name === name);
  if (scenario === undefined || !judged.has(camel(name))) return `no test judges the scenario ${name}`;
  const row = scenario.variants.find((one) => one.name === variant);
  if (row === undefined) return `${name} has no variant ${variant}`;
  const expected: Readonly<Record<string, unknown>> = row.expect;
  return expected[outcome] === undefined ? `${name} ${variant} asserts nothing of ${outcome}` : undefined;
}

const complaints = (proofs: readonly Proof[]): string[] => proofs.flatMap((proof) => complaint(proof) ?? []);

test('every fact has a test, and every test that the table names is there', () => {
  for (const { id, fact, proofs } of facts) {
    assert.ok(proofs.length > 0 && fact !== '', id);
    assert.deepEqual(complaints(proofs), [], id);
  }
});

test('facts are numbered by thread, in order, without gaps', () => {
  const counts = new Map<string, number>();
  let last = '';
  for (const { id } of facts) {
    const [thread, number] = id.split('.');
    assert.match(thread, /^A[0-4]$/);
    assert.ok(thread >= last, id);
    last = thread;
    counts.set(thread, (counts.get(thread) ?? 0) + 1);
    assert.equal(Number(number), counts.get(thread), id);
  }
  assert.equal(counts.size, 5);
});

test('what was corrected is a fact of the table, says what holds and why, and has tests', () => {
  for (const { id, noted, holds, because, proofs } of corrections) {
    assert.ok(
      facts.some((fact) => fact.id === id),
      id,
    );
    for (const text of [noted, holds, because]) assert.notEqual(text.trim(), '');
    assert.ok(proofs.some((proof) => 'file' in proof));
    assert.deepEqual(complaints(proofs), [], id);
  }
});

test('every test that is named after a thread stands in the table', () => {
  const listed = [...facts, ...corrections].flatMap(({ proofs }) =>
    proofs.flatMap((proof) => ('file' in proof ? [proof] : [])),
  );
  const files = readdirSync(path.join(TESTS, 'unit/hypervisor'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `unit/hypervisor/${name.replaceAll(path.sep, '/')}`);
  const missing = files.flatMap((file) =>
    titlesIn(file)
      .filter((title) => /^\^?A\d: /.test(typeof title === 'string' ? title : title.source))
      .filter((title) => !listed.some((proof) => proof.file === file && matches(title, proof.title)))
      .map((title) => `${file}: ${title}`),
  );
  assert.deepEqual(missing, []);
});

test('proofs that are none are found', () => {
  const file = 'unit/hypervisor/hcr.test.ts';
  assert.deepEqual(
    complaints([
      { file, title: 'A0: base guest HCR_EL2' },
      { file, title: 'A0: base guest' },
      { file: 'unit/none.test.ts', title: 'A0: base guest HCR_EL2' },
      { scenario: 'vpipt', variant: 'refused', outcome: 'starts' },
      { scenario: 'vpipt', variant: 'refused', outcome: 'reused' },
      { scenario: 'vpipt', variant: 'v4.0', outcome: 'starts' },
      { scenario: 'none', variant: 'refused', outcome: 'starts' },
      { kernel: '6.12', machine: 'max' },
      { kernel: '6.12', machine: 'none' },
    ]),
    [
      `test/${file} has no test "A0: base guest"`,
      'test/unit/none.test.ts has no test "A0: base guest HCR_EL2"',
      'vpipt refused asserts nothing of reused',
      'vpipt has no variant v4.0',
      'no test judges the scenario none',
      '6.12 is not asked on none',
    ],
  );
});

test('titles are read from literals, templates and rows', () => {
  const text = `
    const rows: readonly Row[] = [['one', 1], ['two', 2]] as const;
    for (const [title, n] of rows) {
      test(title, () => n);
    }
    describe('not this', () => {
      test('three', { timeout: 1 }, () => {});
    });
    test(\`four (\${n}) of \${m}\`, () => pattern.test('five'));
  `;
  const titles = testTitles(text);
  assert.deepEqual(titles.slice(0, 3), ['one', 'two', 'three']);
  assert.equal(titles.length, 4);
  assert.deepEqual(
    ['four (7) of 8', 'four (7) of ', 'four 7 of 8'].map((said) => matches(titles[3], said)),
    [true, false, false],
  );
});
