/**
 * KVM of Debian's kernel, entered at EL2, runs a virtual machine inside the emulated one: nVHE on Cortex-A57, VHE on `max`. The
 * machine monitor is kvm/probe.c; what its guest does is in kvm/guest.S. The lines are what QEMU prints with the same files.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { linuxKernel } from '../../src/build/guests';
import { initrdBytes } from '../../src/build/initrd';
import { elscope, file, scratch } from '../unit/cli/program';

const LINES = [
  'read 1 at 9000001',
  'read 2 at 9000002',
  'read 4 at 9000004',
  'read 8 at 9000008',
  'write 4 at 9000010 of 81',
  'write 8 at 9000018 of 8281',
  'write 8 at 9000020 of 84838281',
  'write 2 at 9000028 of 8281',
  'write 1 at 9000029 of 0',
  'write 8 at 9000030 of 820', // the sum of 1 … 64
  'write 8 at 9000038 of 4', // EL1
  'write 8 at 9000040 of 80000000', // MPIDR_EL1
  'system event 1', // PSCI SYSTEM_OFF
];
const LIMIT = 1_500_000_000;
/** Milliseconds: a boot takes half a minute on an idle machine. */
const LONGEST = 600_000;
const FLAGS = ['-static', '-nostdlib', '-nostartfiles', '-ffreestanding', '-fno-stack-protector', '-O2', '-Wall'];

/** The RAM disk whose init starts the monitor. */
async function ramDisk(): Promise<string> {
  const out = path.join(scratch(), 'kvm-probe');
  const sources = ['probe.c', 'guest.S'].map((name) => path.join(import.meta.dirname, 'kvm', name));
  execFileSync('aarch64-linux-gnu-gcc', [...FLAGS, '-mgeneral-regs-only', '-o', out, ...sources]);
  return file('kvm.cpio.gz', await initrdBytes({ kvm: readFileSync(out) }));
}

describe('a virtual machine in the machine', { concurrency: 1 }, () => {
  for (const [machine, mode] of [
    ['cortex-a57', 'Hyp mode'],
    ['max', 'VHE mode'],
  ]) {
    test(`${mode} on ${machine}`, async () => {
      const args = ['run', '--kernel', await linuxKernel('6.1-cloud'), '--initrd', await ramDisk(), '--el', '2'];
      args.push('--machine', machine, '--memory', '512M', '--max-instructions', `${LIMIT}`);
      args.push('--append', 'console=ttyAMA0 rdinit=/init elscope.poweroff');
      const { code, stdout, stderr } = await elscope(args, { timeout: LONGEST });
      assert.deepEqual([code, stderr], [0, ''], stdout.slice(-2000));
      assert.match(stdout, new RegExp(`kvm \\[1\\]: ${mode} initialized successfully`));
      const lines = stdout.split(/\r?\n/).filter((line) => line.startsWith('kvm: '));
      assert.deepEqual(
        lines.map((line) => line.slice(5)),
        LINES,
      );
    });
  }
});
