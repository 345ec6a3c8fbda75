/** `npm start` as a user meets it: the printed address shows the samples, under the debugger and stopped at entry. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { selectedHost } from '../../../src/build/host/versions';
import { artefactsDir, ROOT } from '../../../src/build/paths';
import { exitOnSignals } from '../../../src/build/processes';
import { startBrowser } from '../browser';
import { Ui } from '../ui';

// It serves the current version whatever the other tests run on.
const skip = selectedHost().id !== 'current';

describe('npm start', { skip }, () => {
  test('shows the sample guest, stopped at its entry, and ends on Ctrl-C', async () => {
    exitOnSignals();
    const work = mkdtempSync(path.join(os.tmpdir(), 'elscope-start-'));
    const setup = path.join(ROOT, 'src', 'build', 'setup.mjs');
    const args = [setup, 'start', '--server', '--no-open', '--profile', path.join(work, 'profile')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const stop = (): boolean => child.kill('SIGINT');
    process.once('exit', stop);
    try {
      const url = await printedAddress(child);
      const { context, page, outside } = await startBrowser(work);
      const ui = new Ui(page, artefactsDir(selectedHost().vscode));
      try {
        await page.goto(url);
        assert.match(await ui.waitStopped(), /^Stack Frame _start, line \d+, levels\.S/);
        await page.locator('.debug-top-stack-frame-line').first().waitFor();
        assert.deepEqual(await ui.notifications(), []);
        assert.deepEqual(outside, []);
      } finally {
        await ui.screenshot('start').catch(() => undefined);
        await context.close();
      }
      const ended = new Promise((resolve) => child.once('exit', resolve));
      stop();
      assert.equal(await ended, 0);
      await assert.rejects(fetch(url), 'the server still answers');
    } finally {
      stop();
      process.off('exit', stop);
      rmSync(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    }
  });
});

function printedAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const url = /elscope is at (http:\S+)/.exec(output)?.[1];
      if (url) resolve(url);
    });
    child.once('exit', () => reject(new Error(`npm start printed no address:\n${output}`)));
  });
}
