import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instructionGroups, instructionRows } from '../../../src/arch/instructions';
import { coverageFile, coveragePage } from '../../../src/build/coveragePage';
import { staleness } from '../../../src/build/generated';
import { grammarFile } from '../../../src/build/grammar';
import { manifestFile } from '../../../src/build/manifest';
import { readmeFile } from '../../../src/build/readme';
import { schemaFile } from '../../../src/build/schema';

for (const generated of [grammarFile, coverageFile, schemaFile, manifestFile, readmeFile]) {
  test(`${generated.file} is what the tables make`, () => assert.equal(staleness(generated), undefined));
}

test('a changed or missing file is stale', () => {
  const changed = { ...coverageFile, text: () => `${coveragePage()} ` };
  assert.match(staleness(changed) ?? '', /COVERAGE\.md is stale: npm run coverage-page/);
  assert.match(staleness({ ...grammarFile, file: 'syntaxes/none.json' }) ?? '', /is missing: npm run grammar/);
});

test('the page lists every row once', () => {
  assert.deepEqual(
    instructionGroups.flatMap((g) => g.rows.map((r) => r.id)),
    instructionRows.map((r) => r.id),
  );
  const page = coveragePage();
  for (const { id } of instructionRows) assert.equal(page.split(`\n| ${id} |`).length, 2, id);
});
