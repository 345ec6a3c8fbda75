/**
 * Debian's EDK2 to the UEFI shell, which shows that the device tree, flash with its variables, the GPIO, fw_cfg and the timer are
 * as it wants them; and reads a virtio disk there.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type DebianRelease, debianFile } from '../../src/build/guests';
import { elscope, file, scratch } from '../unit/cli/program';

const MARKER = 'elscope was here';
const RELEASES: readonly DebianRelease[] = [12, 13];

describe('EDK2', { concurrency: 1 }, () => {
  for (const release of RELEASES)
    test(`of Debian ${release}: to the shell, and a sector of a virtio disk`, async (t) => {
      const bios = await debianFile(release, 'qemu-efi-aarch64', 'usr/share/qemu-efi-aarch64/QEMU_EFI.fd');
      const disk = new Uint8Array(1024 * 1024);
      disk.set(Buffer.from(MARKER));
      const stats = path.join(scratch(), 'edk2.json');
      const args = ['run', '--bios', bios, '--drive', file('edk2.img', disk), '--device', 'rng', '--stats', stats];
      args.push('--max-instructions', '3000000000');
      args.push('--expect', 'to skip', '--send', '\\x1b', '--expect', 'Shell> ', '--send', 'dblk blk0 0 1\\r');
      args.push('--expect', '000001F0', '--send', '', '--expect', 'Shell> ', '--send', 'reset -s\\r');
      const { code, stdout, stderr } = await elscope(args, { timeout: 300_000 });
      assert.deepEqual([code, stderr], [0, ''], stdout.slice(-1000));
      assert.match(stdout, /^UEFI firmware \(version/);
      assert.match(stdout, /UEFI Interactive Shell v2\.2/);
      assert.ok(stdout.includes(`*${MARKER}*`), 'the sector');
      const { instructions, seconds } = JSON.parse(readFileSync(stats, 'utf8'));
      t.diagnostic(
        `EDK2 of Debian ${release}: ${(instructions / 1e6).toFixed(0)} M instructions in ${seconds.toFixed(1)} s`,
      );
    });
});
