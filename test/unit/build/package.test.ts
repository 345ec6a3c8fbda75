/** The check of a package finds what is missing or too much, and README becomes a page that VS Code shows whole. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { strToU8, zipSync } from 'fflate';
import { pageOf } from '../../../src/build/package';
import { MOST_BYTES, packageProblems } from '../../../src/build/packageCheck';
import { ROOT } from '../../../src/build/paths';

const MANIFEST = { main: './dist/extension.cjs', contributes: { commands: [{ icon: { dark: 'media/icons/x.svg' } }] } };
const GOOD: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify(MANIFEST),
  'readme.md': 'see [the samples](media/samples/README.md), [below](#below) and [there](https://example.com/x)',
  'changelog.md': '',
  'LICENSE.txt': '',
  'dist/extension.cjs': '',
  'dist/worker.cjs': '',
  'media/icons/x.svg': '',
  'media/samples/README.md': '![picture](../icons/x.svg)',
};
const BUILT = ['dist/extension.cjs', 'dist/worker.cjs'];

function problems(files: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(files).map(([name, text]) => [`extension/${name}`, strToU8(text)] as const);
  return packageProblems(zipSync({ ...Object.fromEntries(entries), 'extension.vsixmanifest': strToU8('') }), BUILT);
}

describe('the check of a package', () => {
  test('finds nothing wrong with a good one', () => assert.deepEqual(problems(GOOD), []));

  for (const [name, why] of [
    ['LICENSE.txt', 'every package has it'],
    ['media/icons/x.svg', 'media/samples/README.md shows it'],
    ['dist/worker.cjs', 'it was built'],
    ['media/samples/README.md', 'readme.md shows it'],
  ])
    test(`misses ${name}`, () => {
      const { [name]: _, ...rest } = GOOD;
      assert.deepEqual(problems(rest), [`${name} is missing: ${why}`]);
    });

  test('misses what the manifest names', () => {
    const { 'dist/extension.cjs': _, ...rest } = GOOD;
    assert.equal(problems(rest).length, 1);
    const named = JSON.stringify({ ...MANIFEST, icon: 'media/icon.png' });
    assert.deepEqual(problems({ ...GOOD, 'package.json': named }), [
      'media/icon.png is missing: package.json names it',
    ]);
  });

  test('finds what does not belong in it', () => {
    const names = ['dist/worker.cjs.map', 'dist/test/index.cjs', 'src/x.ts', 'node_modules/a/index.js'];
    const more = Object.fromEntries(names.map((name) => [name, '']));
    assert.deepEqual(
      problems({ ...GOOD, ...more }),
      names.map((name) => `${name} does not belong in it`),
    );
  });

  test('finds that it has grown', () => {
    const bytes = new Uint8Array(MOST_BYTES + 1);
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.imul(i, 2654435761) >>> 13;
    const found = packageProblems(zipSync({ 'extension/big': [bytes, { level: 0 }] }), []);
    assert.ok(found.at(-1)?.startsWith('it has '), found.join());
  });
});

describe('README on the extension’s page', () => {
  test('has no pictures and links that lead nowhere there, and is the same otherwise', () => {
    const text =
      'a\n\n![p](media/p.png)\n\n*What it shows,\nin words.*\n\nb [c](src/C.md) [d](https://d) [e](#e) *f*\n';
    assert.equal(pageOf(text), 'a\n\nb c [d](https://d) [e](#e) *f*\n');
    const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
    assert.doesNotMatch(pageOf(readme), /!\[|\]\((?!https?:|#)/);
    assert.ok(readme.length - pageOf(readme).length < 600);
  });
});
