/** Facts and small steps of the VS Code hosts; the hosts themselves are tried by the workbench tests. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { missingPackages, REQUIREMENTS } from '../../../src/build/host/debian';
import { freePort } from '../../../src/build/host/server';
import { HOSTS } from '../../../src/build/host/versions';
import { ROOT } from '../../../src/build/paths';
import { attempt, npmEnvironment, processesWith, run, stopGroup } from '../../../src/build/processes';

describe('VS Code hosts', () => {
  test('the oldest one is what the manifest promises', () => {
    const { engines } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
    assert.equal(engines.vscode, `^${HOSTS.oldest.vscode.replace(/\.\d+$/, '.0')}`);
    for (const host of Object.values(HOSTS)) assert.equal(host.codeServer.slice(2), host.vscode.slice(2));
  });

  test('a package is missing when none of its signs is there', () => {
    const rows = [
      { package: 'here', shownBy: ['no-such-program', process.execPath] },
      { package: 'shell', shownBy: ['sh'] },
      { package: 'gone', shownBy: ['no-such-program', '/no/such/file'] },
    ];
    assert.deepEqual(missingPackages(rows), ['gone']);
    assert.equal(new Set(REQUIREMENTS.map((row) => row.package)).size, REQUIREMENTS.length);
  });

  test('a free port is free', async () => {
    const port = await freePort();
    assert.ok(port > 0 && port < 65536);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  });
});

describe('child processes', () => {
  test('a command that fails says how, and with what output', async () => {
    await assert.rejects(run('sh', ['-c', 'echo why; exit 3']), /exit 3\nwhy/);
    assert.equal(await run('sh', ['-c', 'echo fine']), 'fine\n');
    assert.equal((await attempt('no-such-program', [])).code, 127);
  });

  test('stopping a group ends grandchildren too, also those that do not listen', async () => {
    const mark = randomUUID();
    const script = "trap '' TERM; sleep 60 & echo ready; wait";
    const child = spawn('sh', ['-c', script], { detached: true, env: { ...process.env, MARK: mark } });
    await once(child.stdout, 'data');
    assert.equal(processesWith(mark).length, 2);
    await stopGroup(child, 50);
    assert.deepEqual(processesWith(mark), []);
  });

  test('npm in a child does not take the package that is being run for its own', () => {
    const outer = { npm_config_local_prefix: '/x', npm_package_name: 'x', npm_config_registry: 'r' };
    assert.deepEqual(npmEnvironment(outer), { npm_config_registry: 'r' });
  });
});
