/**
 * Entry of the suites that run inside VS Code's extension host, be it a desktop VS Code or code-server. Loads every
 * `*.test.cjs` beside it and writes what happened to `$ELSCOPE_TEST_RESULTS`: an extension host that dies looks like a
 * success from outside, so the runner believes only that file.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { SuiteResults, TestResult } from '../results';

export async function run(): Promise<void> {
  const { default: Mocha } = await import('mocha');
  const grep = process.env.ELSCOPE_TEST_GREP;
  const mocha = new Mocha({ ui: 'tdd', color: false, timeout: 60_000, ...(grep ? { grep } : {}) });
  const load = createRequire(__filename);
  for (const name of readdirSync(__dirname).filter((file) => file.endsWith('.test.cjs'))) {
    const file = path.join(__dirname, name);
    mocha.suite.emit('pre-require', globalThis, file, mocha);
    mocha.suite.emit('require', load(file), file, mocha);
    mocha.suite.emit('post-require', globalThis, file, mocha);
  }
  const results: TestResult[] = [];
  await new Promise<void>((resolve, reject) => {
    const runner = mocha.run((failures) => {
      const summary: SuiteResults = { failures, passes: runner.stats?.passes ?? 0, results };
      const out = process.env.ELSCOPE_TEST_RESULTS;
      if (out) writeFileSync(out, JSON.stringify(summary, null, 1));
      if (failures > 0) reject(new Error(`${failures} tests failed`));
      else resolve();
    });
    runner.on('pass', (test) => results.push({ title: test.fullTitle(), state: 'passed', ms: test.duration }));
    runner.on('pending', (test) => results.push({ title: test.fullTitle(), state: 'pending' }));
    runner.on('fail', (test, error: Error) => {
      results.push({ title: test.fullTitle(), state: 'failed', error: error.stack ?? error.message });
    });
  });
}
