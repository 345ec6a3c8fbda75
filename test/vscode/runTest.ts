/**
 * Runs the extension-host suites by @vscode/test-electron. With `$ELSCOPE_HOST` (current, oldest) the VS Code is a
 * code-server of the cache, else one that is downloaded: version `$ELSCOPE_VSCODE`, default the newest stable.
 * Build first. Believes the results file only (see suite/index.ts).
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runTests } from '@vscode/test-electron';
import { ROOT, SAMPLES, SUITE } from '../../src/build/paths';
import { reportCounts } from '../../src/build/stages';
import type { SuiteResults } from './results';

const work = mkdtempSync(path.join(os.tmpdir(), 'elscope-suite-'));
const folder = path.join(work, 'samples');
const file = path.join(work, 'results.json');
cpSync(SAMPLES, folder, { recursive: true });
process.env.ELSCOPE_TEST_RESULTS = file;
const shim = path.join(ROOT, 'test', 'vscode', 'codeServerShim.mjs');
try {
  await runTests({
    ...(process.env.ELSCOPE_HOST
      ? { vscodeExecutablePath: shim }
      : { version: process.env.ELSCOPE_VSCODE ?? 'stable' }),
    extensionDevelopmentPath: ROOT,
    extensionTestsPath: path.join(SUITE, 'index.cjs'),
    extensionTestsEnv: { ELSCOPE_TEST_RESULTS: file },
    launchArgs: [folder, '--disable-workspace-trust', '--disable-extensions'],
  });
} catch (error) {
  console.log(String(error));
  process.exitCode = 1;
}
summarise();
rmSync(work, { recursive: true, force: true });

function summarise(): void {
  let results: SuiteResults;
  try {
    results = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    console.log('✖ no results: the extension host died, or never ran the suite');
    process.exitCode = 1;
    return;
  }
  for (const test of results.results) {
    const mark = { passed: '✔', failed: '✖', pending: '-' }[test.state];
    console.log(`${mark} ${test.title}${test.ms === undefined ? '' : ` (${test.ms} ms)`}`);
    if (test.error) console.log(test.error.replace(/^/gm, '    '));
  }
  reportCounts({ passed: results.passes, failed: results.failures });
  if (results.failures > 0 || results.passes === 0) process.exitCode = 1;
}
