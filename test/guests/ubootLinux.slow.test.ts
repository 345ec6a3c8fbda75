/**
 * U-Boot loads Debian's kernel and a RAM disk from a FAT file system on a virtio disk and boots it to a shell that answers,
 * then to power-off: U-Boot's tables and caches go, the kernel's come. The same disk and dialogue on QEMU first.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { linuxKernel, uBoot } from '../../src/build/guests';
import { initrd, SHELL_PROMPT } from '../../src/build/initrd';
import { elscope, file } from '../unit/cli/program';
import { fatDisk } from './fatDisk';
import { messages } from './linux';
import { hasQemu, runOnQemu } from './qemu';
import { uBootDialogue } from './uboot';

const COMMANDS = [
  'ls virtio 0',
  'load virtio 0 $kernel_addr_r IMAGE',
  'load virtio 0 $ramdisk_addr_r INITRD.GZ',
  'setenv bootargs console=ttyAMA0',
  // The size is that of the file loaded last; the device tree is the board's, at which U-Boot looked itself.
  'booti $kernel_addr_r $ramdisk_addr_r:$filesize $fdtcontroladdr',
];
/** Not as it is typed, so that the echo does not look like it. */
const DIALOGUE = [
  ...uBootDialogue(COMMANDS),
  { expect: SHELL_PROMPT, type: 'uname -m; echo $((6*7)) is the answer\n' },
  { expect: '42 is the answer', type: 'poweroff -f\n' },
];

/** What has to be said on the way, in this order. */
function check(console: string, files: readonly Uint8Array[]): void {
  const text = messages(console.replaceAll('\r', '')).join('\n');
  let from = 0;
  const [kernel, ramDisk] = files.map(({ length }) => length);
  for (const message of [
    `${kernel}   IMAGE`,
    `${ramDisk}   INITRD.GZ`,
    `${kernel} bytes read in `,
    `${ramDisk} bytes read in `,
    'Starting kernel ...',
    'Booting Linux on physical CPU 0x0000000000',
    'Kernel command line: console=ttyAMA0',
    'aarch64\n42 is the answer',
    'reboot: Power down',
  ]) {
    const at = text.indexOf(message, from);
    assert.ok(at >= 0, `${message}\n${text.slice(-2000)}`);
    from = at + message.length;
  }
}

/** @returns the disk's path, and what is on it. */
async function bootDisk(): Promise<{ path: string; files: readonly Uint8Array[] }> {
  const files = [readFileSync(await linuxKernel('6.1-cloud')), readFileSync(await initrd())];
  return { path: file('boot.img', fatDisk({ IMAGE: files[0], 'INITRD.GZ': files[1] })), files };
}

describe('U-Boot boots Linux 6.1 from a virtio disk', { concurrency: 1 }, () => {
  test('QEMU', { skip: hasQemu() ? false : 'QEMU is not installed' }, async () => {
    const { path, files } = await bootDisk();
    const extra = ['-drive', `file=${path},format=raw,if=none,id=d`, '-device', 'virtio-blk-device,drive=d'];
    const run = { bios: await uBoot('2025.01'), memory: '1G', dialogue: DIALOGUE, extra };
    check((await runOnQemu({ ...run, el: 1 })).console, files);
  });

  for (const { el, machine } of [
    { el: '1', machine: 'cortex-a57' },
    { el: '2', machine: 'mixed-lines' },
  ])
    test(`${machine}, EL${el}`, { timeout: 600_000 }, async () => {
      const { path, files } = await bootDisk();
      const args = ['run', '--bios', await uBoot('2025.01'), '--drive', path, '--el', el, '--machine', machine];
      args.push('--max-instructions', '10000000000');
      for (const { expect, type } of DIALOGUE)
        args.push('--expect', expect.replaceAll('\n', '\\n'), '--send', type.replaceAll('\n', '\\n'));
      const { code, stdout, stderr } = await elscope(args, { timeout: 600_000 });
      assert.deepEqual([code, stderr], [0, ''], stdout.slice(-2000));
      check(stdout, files);
    });
});
