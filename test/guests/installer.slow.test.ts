/**
 * The kernel and RAM disk of Debian's installer to its first screen: a large initial RAM disk, udev with modules, and programs
 * that wait for devices which the board does not have. Then what is chosen there. On QEMU first.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { installer } from '../../src/build/guests';
import { elscope, scratch } from '../unit/cli/program';
import { hasQemu, runOnQemu } from './qemu';

const SCREEN = '[!!] Select a language';
/** What is chosen already, so that Enter goes on to the next screen. */
const NEXT_SCREEN = '[!!] Select your location';
const PATIENCE = 900_000;

describe('the installer of Debian 12 asks for the language', { concurrency: 1 }, () => {
  test('QEMU', { skip: hasQemu() ? false : 'QEMU is not installed' }, async () => {
    const { kernel, initrd } = await installer();
    const extra = ['-initrd', initrd, '-append', 'console=ttyAMA0'];
    const dialogue = [{ expect: SCREEN, type: '\r' }];
    const run = { kernel, el: 1, memory: '1G', extra, dialogue, until: NEXT_SCREEN, seconds: 300 } as const;
    assert.equal((await runOnQemu(run)).code, 0);
  });

  test('elscope', { timeout: PATIENCE }, async (t) => {
    const { kernel, initrd } = await installer();
    const stats = path.join(scratch(), 'installer.json');
    const args = ['run', '--kernel', kernel, '--initrd', initrd, '--append', 'console=ttyAMA0', '--stats', stats];
    args.push('--expect', SCREEN, '--send', '\\r', '--until-console', NEXT_SCREEN);
    const { code, stdout, stderr } = await elscope([...args, '--max-instructions', '60000000000'], {
      timeout: PATIENCE,
    });
    assert.deepEqual([code, stderr], [0, ''], stdout.slice(-3000));
    assert.match(stdout, /Choose the language[\s\S]*English[\s\S]*<Go Back>/, 'all of the first screen');
    const { instructions, seconds } = JSON.parse(readFileSync(stats, 'utf8'));
    t.diagnostic(`to the second screen: ${(instructions / 1e6).toFixed(0)} M instructions in ${seconds.toFixed(0)} s`);
  });
});
