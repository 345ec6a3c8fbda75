/** The runner of the unit tests, run on small files that go wrong in each way. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { deal, filesBelow } from '../../../src/build/nodeTests';
import { ROOT } from '../../../src/build/paths';

const FILES = {
  'good.test.ts': `import test from 'node:test'; const n: number = 1; test('one', () => {}); test('two', () => n);`,
  'bad.test.ts': `import test, { describe } from 'node:test';
    describe('group', () => { test('fine', () => {}); test('wrong', () => { throw new Error('so wrong'); }); });`,
  'load.test.ts': `throw new Error('cannot load');`,
  'exit.test.ts': `import test from 'node:test'; test('ends', () => process.exit(0));`,
  'skipped.test.ts': `import test, { describe } from 'node:test';
    describe('elsewhere', { skip: true }, () => { test('never', () => {}); });`,
  'skip.test.ts': `import test from 'node:test'; test.skip('later', () => {}); test('now', () => {});`,
};

describe('the unit-test runner', () => {
  let dir = '';
  before(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'elscope-runner-'));
    writeFileSync(path.join(dir, 'package.json'), '{"type":"module"}');
    for (const [name, text] of Object.entries(FILES)) writeFileSync(path.join(dir, name), text);
    writeFileSync(
      path.join(dir, 'run.mts'),
      `import { runNodeTests } from ${JSON.stringify(path.join(ROOT, 'src/build/nodeTests.ts'))};
       await runNodeTests(process.argv.slice(2), { processes: 2 });`,
    );
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  function runner(...names: (keyof typeof FILES)[]) {
    const counts = path.join(dir, 'counts.json');
    const files = names.map((name) => path.join(dir, name));
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', path.join(dir, 'run.mts'), ...files], {
      cwd: ROOT,
      env: { ...env, ELSCOPE_TEST_COUNTS: counts },
      encoding: 'utf8',
    });
    return { status, stdout, ...JSON.parse(readFileSync(counts, 'utf8')) };
  }

  test('counts what passed', () => {
    const { status, passed, failed } = runner('good.test.ts', 'skip.test.ts');
    assert.deepEqual({ status, passed, failed }, { status: 0, passed: 3, failed: 0 });
  });

  test('names what failed, each once, with its group', () => {
    const { status, passed, failed, stdout } = runner('good.test.ts', 'bad.test.ts');
    assert.deepEqual({ status, passed, failed }, { status: 1, passed: 3, failed: 1 });
    assert.match(stdout, /✖ group › wrong\n {4}Error: so wrong/);
  });

  test('a file that cannot be loaded fails, and the others still run', () => {
    const { status, passed, failed, stdout } = runner('load.test.ts', 'good.test.ts', 'skip.test.ts');
    assert.deepEqual({ status, passed, failed }, { status: 1, passed: 3, failed: 1 });
    assert.match(stdout, /load\.test\.ts\n {4}Error: cannot load/);
  });

  test('no tests at all are a failure', () => {
    assert.equal(runner().status, 1);
  });

  test('a suite that is skipped whole is no failure', () => {
    const { status, passed, failed, stdout } = runner('skipped.test.ts');
    assert.deepEqual({ status, passed, failed }, { status: 0, passed: 0, failed: 0 });
    assert.match(stdout, /skipped 1/);
  });

  test('a test that ends the process is a failure', () => {
    const { status, passed, failed, stdout } = runner('exit.test.ts', 'good.test.ts', 'skip.test.ts');
    assert.deepEqual({ status, passed, failed }, { status: 1, passed: 3, failed: 1 });
    assert.match(stdout, /✖ ends\n {4}Error: called process\.exit\(0\)/);
  });

  test('files are found below a folder, in order, and dealt out evenly', () => {
    mkdirSync(path.join(dir, 'inner'));
    writeFileSync(path.join(dir, 'inner', 'x.test.ts'), '');
    const names = filesBelow(dir, '.test.ts').map((file) => path.relative(dir, file));
    assert.deepEqual(names, [...Object.keys(FILES), 'inner/x.test.ts'].sort());
    assert.equal(filesBelow(dir, '.test.ts', ['inner']).length, names.length - 1);
    const size = (file: string): number => file.length;
    assert.deepEqual(deal(['aaaa', 'bbb', 'cc', 'd'], 2, size), [
      ['aaaa', 'd'],
      ['bbb', 'cc'],
    ]);
    assert.deepEqual(deal(['a'], 8, size), [['a']]);
  });
});
