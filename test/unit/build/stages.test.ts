/** The stages of `npm test`: what is run, what is not, and what adds up. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { collectCounts, runStages, type Stage, withNeeded } from '../../../src/build/stages';

function quiet(t: TestContext): string[] {
  const lines: string[] = [];
  t.mock.method(console, 'log', (line: string) => lines.push(...line.split('\n')));
  return lines;
}

const fine: Stage = { name: 'fine', run: async () => ({ passed: 2, failed: 0 }) };
const silent: Stage = { name: 'silent', run: async () => undefined };
const broken: Stage = { name: 'broken', run: async () => Promise.reject(new Error('out of luck')) };

describe('stages', () => {
  test('add up, and end with one line of counts', async (t) => {
    const lines = quiet(t);
    assert.deepEqual(await runStages([fine, silent, fine]), { passed: 4, failed: 0 });
    assert.equal(lines.at(-1), '4 passed, 0 failed');
  });

  test('a stage that throws is one failure, and what needs it is another', async (t) => {
    const lines = quiet(t);
    const needy: Stage = { name: 'needy', needs: ['broken'], run: () => assert.fail('was run') };
    assert.deepEqual(await runStages([broken, needy, fine]), { passed: 2, failed: 2 });
    assert.ok(lines.includes('out of luck'));
    assert.ok(lines.includes('── needy: not run, because of broken'));
  });

  test('work ahead begins before the first stage, and fails its own stage only', async (t) => {
    quiet(t);
    const order: string[] = [];
    const first: Stage = { name: 'first', run: async () => void order.push('first') };
    const early: Stage = {
      name: 'early',
      ahead: async () => order.push('ahead'),
      run: async () => void order.push('early'),
    };
    const late: Stage = {
      name: 'late',
      ahead: () => Promise.reject(new Error('no network')),
      run: () => assert.fail('was run'),
    };
    assert.deepEqual(await runStages([first, early, late, fine]), { passed: 2, failed: 1 });
    assert.deepEqual([...order].sort(), ['ahead', 'early', 'first']);
    assert.ok(order.indexOf('ahead') < order.indexOf('early'));
  });

  test('are chosen with what they need, in the order of the list', () => {
    const list: Stage[] = [fine, broken, { ...silent, needs: ['fine'] }];
    const names = (starts: string[]): string[] => withNeeded(list, starts).map((stage) => stage.name);
    assert.deepEqual(names([]), ['fine', 'broken', 'silent']);
    assert.deepEqual(names(['sil']), ['fine', 'silent']);
    assert.throws(() => names(['nothing']), /no stage is called nothing/);
  });

  test('a test process that reports nothing, or fails without a failed test, has not passed', async () => {
    await assert.rejects(
      collectCounts('mute', async () => 0),
      /no test results \(exit 0\)/,
    );
    const { writeFileSync } = await import('node:fs');
    const report = (code: number) => async (env: NodeJS.ProcessEnv) => {
      writeFileSync(env.ELSCOPE_TEST_COUNTS ?? '', '{"passed":3,"failed":0}');
      return code;
    };
    assert.deepEqual(await collectCounts('good', report(0)), { passed: 3, failed: 0 });
    assert.deepEqual(await collectCounts('bad', report(1)), { passed: 3, failed: 1 });
  });
});
