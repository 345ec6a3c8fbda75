/**
 * Debian's kernel on two cores whose lines differ: to a shell that answers, and to power-off. The kernel itself says what
 * does not fit together, and shows user space the caches of the machine file.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { presetConfig } from '../../src/machine/presets';
import { idLines, messages, pace, runLinux } from './linux';
import { CACHES, cacheLines } from './linuxCaches';

/** Floating point of user space, with context switches between; the answer is that of the same program on QEMU. */
const FLOATS = "awk 'BEGIN{x=.1;for(;i<3e3;i++)x*=3.9*(1-x);print x*1e5,1/3}'";
const FLOATS_ANSWER = '43984.6 0.333333\n';

describe('Linux 6.1 on cores with different lines', () => {
  test('boots to a shell, names the mismatch, shows the caches, and powers off', { timeout: 600_000 }, async (t) => {
    const run = await runLinux({
      version: '6.1-cloud',
      machine: 'mixed-lines',
      commands: ['uname -m', 'nproc', CACHES, FLOATS],
    });
    assert.deepEqual([run.code, run.stderr], [0, ''], run.console.slice(-2000));
    const said = messages(run.console);
    for (const message of [
      'Detected PIPT I-cache on CPU0',
      'Detected PIPT I-cache on CPU1',
      'CPU features: detected: Mismatched cache type (CTR_EL0)',
      'CPU features: SANITY CHECK: Unexpected variation in SYS_CTR_EL0. Boot CPU: 0x0000008454c003, CPU1: 0x0000008555c004',
      'reboot: Power down',
    ])
      assert.ok(said.includes(message), message);
    assert.deepEqual(run.answers.slice(0, 2), ['aarch64\n', '2\n']);
    assert.deepEqual(cacheLines(run.answers[2]), cacheLines(presetConfig('mixed-lines')));
    assert.equal(run.answers[3], FLOATS_ANSWER);
    // Both differ from the sanitised value, so the kernel traps and answers both.
    assert.deepEqual(
      idLines(run.console),
      [0, 1].map((cpu) => `cpu${cpu} CTR_EL0 0x8554c003 DCZID_EL0 0x4`),
    );
    t.diagnostic(`to power-off: ${pace(run)}`);
  });
});
