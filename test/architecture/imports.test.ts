/** The rules of src/build/layers.ts hold for this working copy. Also shows the ten longest files, for whoever looks. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'jsonc-parser';
import { findViolations, largest } from '../../src/build/layers';
import { filesBelow } from '../../src/build/nodeTests';
import { ROOT } from '../../src/build/paths';

const SRC = path.join(ROOT, 'src');
const relative = (file: string): string => path.relative(SRC, file).split(path.sep).join('/');
const files = new Map(filesBelow(SRC, '.ts').map((file) => [relative(file), readFileSync(file, 'utf8')]));
const references = new Map(
  filesBelow(SRC, 'tsconfig.json').map((file) => {
    const config = parse(readFileSync(file, 'utf8')) as { references?: { path: string }[] };
    return [path.basename(path.dirname(file)), (config.references ?? []).map((row) => path.basename(row.path))];
  }),
);

describe('layers of src/', () => {
  test('imports obey them', () => {
    assert.ok(files.size > 10 && references.size > 10);
    assert.deepEqual(findViolations({ files, references }), []);
  });

  test('every folder is a project of its own', () => {
    const folders = new Set([...files.keys()].filter((file) => file.includes('/')).map((file) => file.split('/')[0]));
    assert.deepEqual(
      [...folders].filter((folder) => !references.has(folder)),
      [],
    );
  });

  test('the ten longest files', (t) => {
    const rows = largest(files, 10);
    assert.equal(rows.length, 10);
    t.diagnostic(`longest files: ${rows.map(([lines, file]) => `${file} ${lines}`).join(', ')}`);
  });
});
