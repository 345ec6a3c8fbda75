/** The first step of `npm test` and `npm start`: when it installs dependencies, and how `npm start` finds VS Code. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ROOT } from '../../../src/build/paths';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'elscope-setup-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A clone that has nothing but the script and a lock file, and an npm that only writes down what it was asked. */
function clone(lock: object): { run(): { calls: string; text: string }; installed: string } {
  const script = path.join(dir, 'src', 'build', 'setup.mjs');
  mkdirSync(path.dirname(script), { recursive: true });
  copyFileSync(path.join(ROOT, 'src', 'build', 'setup.mjs'), script);
  writeFileSync(path.join(dir, 'package-lock.json'), JSON.stringify(lock));
  const npm = path.join(dir, 'npm-cli.js');
  writeFileSync(
    npm,
    `const fs = require('node:fs');
     fs.appendFileSync(${JSON.stringify(path.join(dir, 'calls'))}, process.argv.slice(2).join(' ') + '\\n');
     fs.mkdirSync(${JSON.stringify(path.join(dir, 'node_modules'))}, { recursive: true });`,
  );
  const run = () => {
    rmSync(path.join(dir, 'calls'), { force: true });
    const env = { ...process.env, npm_execpath: npm };
    const { stdout, stderr } = spawnSync(process.execPath, [script, 'test'], { env, encoding: 'utf8' });
    const calls = path.join(dir, 'calls');
    return { calls: existsSync(calls) ? readFileSync(calls, 'utf8') : '', text: stdout + stderr };
  };
  return { run, installed: path.join(dir, 'node_modules', '.package-lock.json') };
}

const LOCK = {
  packages: {
    '': { name: 'x' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '2.0.0', optional: true },
  },
};

describe('set-up', () => {
  test('installs when there is nothing, and again when the lock file has changed', () => {
    const { run } = clone(LOCK);
    assert.match(run().calls, /^ci --ignore-scripts/);
    assert.equal(run().calls, '');
    const { run: runChanged } = clone({ packages: { ...LOCK.packages, 'node_modules/c': { version: '3.0.0' } } });
    assert.match(runChanged().calls, /^ci /);
  });

  test('keeps what was installed by hand when it is what the lock file says', () => {
    const { run, installed } = clone(LOCK);
    mkdirSync(path.dirname(installed));
    writeFileSync(installed, JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' } } }));
    assert.equal(run().calls, '');
  });

  test('replaces what was installed by hand when it is something else', () => {
    const { run, installed } = clone(LOCK);
    mkdirSync(path.dirname(installed));
    writeFileSync(installed, JSON.stringify({ packages: { 'node_modules/a': { version: '0.9.0' } } }));
    assert.match(run().calls, /^ci /);
  });
});

describe('npm start', () => {
  const start = (args: string[], env: NodeJS.ProcessEnv = {}) =>
    spawnSync(process.execPath, [path.join(ROOT, 'src', 'build', 'setup.mjs'), 'start', '--no-build', ...args], {
      encoding: 'utf8',
      env: { ...process.env, INIT_CWD: dir, VSCODE_IPC_HOOK_CLI: '', ...env },
    });

  test('uses the VS Code on PATH, in a profile of its own, and asks the extension to start', () => {
    const code = path.join(dir, 'code');
    writeFileSync(code, '#!/bin/sh\nfor word in "$@"; do echo "<$word>"; done\necho "[$ELSCOPE_AUTOSTART]"\n', {
      mode: 0o755,
    });
    mkdirSync(path.join(dir, 'guest', '.vscode'), { recursive: true });
    const launch =
      '// mine\n{"configurations":[{"type":"node","name":"x"},{"type":"elscope","name":"first"}, {"type":"elscope","name":"second"}]}';
    writeFileSync(path.join(dir, 'guest', '.vscode', 'launch.json'), launch);
    const env = { PATH: `${dir}:${process.env.PATH}` };
    const { status, stdout } = start(['--folder', 'guest', '--profile', 'mine'], env);
    assert.equal(status, 0);
    const words = [`--extensionDevelopmentPath=${ROOT}`, path.join(dir, 'guest'), path.join(dir, 'mine', 'data')];
    for (const word of words) assert.ok(stdout.includes(`<${word}>`), word);
    assert.ok(stdout.includes('[first]'));
    assert.ok(start(['--folder', 'guest', '--profile', 'mine', '--config', 'second'], env).stdout.includes('[second]'));
    assert.ok(start(['--folder', 'guest', '--profile', 'mine', '--no-debug'], env).stdout.includes('[]'));
  });

  test('says what is wrong with its options', () => {
    assert.match(start(['--nonsense']).stderr, /Unknown option '--nonsense'/);
    assert.match(start(['--port', 'x']).stderr, /--port is a number/);
    assert.match(start(['--folder', 'nowhere']).stderr, /there is no folder .*nowhere/);
    assert.match(start(['--folder', '.', '--config', 'x']).stderr, /no launch configuration 'x'; it has: none/);
    assert.equal(start(['--nonsense']).status, 2);
    assert.match(start(['--help']).stdout, /--no-open/);
  });
});
