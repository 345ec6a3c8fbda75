/**
 * Debian's kernel on the board's virtio devices, with its own drivers out of the package: disk, shared folder, network,
 * random numbers, second console; through both interfaces.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { CpioEntry } from '../../src/build/cpio';
import { linuxKernel } from '../../src/build/guests';
import { initrdBytes, SHELL_PROMPT } from '../../src/build/initrd';
import { elscope, file, scratch } from '../unit/cli/program';

/** In the order in which they need each other. */
const MODULES = [
  ...['virtio', 'virtio_ring', 'virtio_mmio', 'virtio_blk', 'failover', 'net_failover', 'virtio_net'],
  ...['rng-core', 'virtio-rng', 'virtio_console', 'netfs', 'fscache', '9pnet', '9pnet_virtio', '9p'],
];

/** Those of the kernel's modules that exist as files; the others are built in. */
function modules(kernel: string): CpioEntry[] {
  const root = path.join(path.dirname(kernel), '..', 'lib', 'modules');
  const found = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const entries: CpioEntry[] = [{ name: 'modules', kind: 'folder', mode: 0o755 }];
  for (const [i, name] of MODULES.entries()) {
    const place = found.find((at) => path.basename(at) === `${name}.ko`);
    if (place === undefined) continue;
    const number = `${i}`.padStart(2, '0');
    const data = readFileSync(path.join(root, place));
    entries.push({ name: `modules/${number}-${name}.ko`, kind: 'file', mode: 0o644, data });
  }
  return entries;
}

const TEXT = 'a file of the host\n';
function sharedFolder(): string {
  const folder = path.join(scratch(), 'shared');
  mkdirSync(path.join(folder, 'sub'), { recursive: true });
  writeFileSync(path.join(folder, 'sub', 'file'), TEXT);
  writeFileSync(path.join(folder, 'large'), new Uint8Array(300_000).fill(0x61));
  symlinkSync('/etc/passwd', path.join(folder, 'link'));
  return folder;
}

const COMMANDS: readonly (readonly [command: string, answer: RegExp])[] = [
  ['for m in /modules/*; do insmod $m; done', /^(?![\s\S]*can't insert)/],
  ['head -c 12 /dev/vda; echo', /the first se\n/],
  ['cat /sys/block/vda/size /sys/block/vda/ro', /^2048\n0\n/],
  ['printf written | dd of=/dev/vda bs=512 seek=7 conv=notrunc 2>/dev/null; sync', /^/],
  [
    'echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/vda bs=512 skip=7 count=1 2>/dev/null | head -c 7; echo',
    /written\n/,
  ],
  [
    'mkdir /mnt; mount -t 9p -o trans=virtio,version=9p2000.L,ro share /mnt && ls /mnt /mnt/sub',
    /large[\s\S]*link[\s\S]*file/,
  ],
  [
    'cat /mnt/sub/file; md5sum < /mnt/large; readlink /mnt/link; touch /mnt/x',
    /a file of the host\n[0-9a-f]{32} {2}-\n\/etc\/passwd\n.*Read-only/,
  ],
  [
    'ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; ping -c 2 10.0.2.2',
    /2 packets transmitted, 2 packets received/,
  ],
  ['cat /sys/class/misc/hw_random/rng_current; head -c 8 /dev/hwrng | wc -c', /virtio_rng[\s\S]*8\n/],
  ['echo over the second console > /dev/hvc0', /over the second console/],
];

describe('Linux 6.1 on virtio devices', { concurrency: 1 }, () => {
  const variants = { legacy: '{}', modern: '{"virtio": "modern"}' };
  const folder = sharedFolder();
  for (const [name, machine] of Object.entries(variants))
    test(name, { timeout: 900_000 }, async (t) => {
      const kernel = await linuxKernel('6.1');
      const initrd = file('devices.cpio.gz', await initrdBytes({}, modules(kernel)));
      const disk = new Uint8Array(1024 * 1024);
      disk.set(Buffer.from('the first sector'));
      const image = file('linux-disk.img', disk);
      const args = ['run', '--kernel', kernel, '--initrd', initrd, '--append', 'console=ttyAMA0'];
      args.push('--machine', file('linux-virtio.json', machine), '--max-instructions', '20000000000');
      args.push('--drive', image, '--share', folder, '--device', 'net', '--device', 'rng', '--device', 'console');
      COMMANDS.forEach(([command], i) => {
        const typed = `${command.replaceAll('\\', '\\\\')}; echo E""ND${i}\\n`;
        args.push('--expect', i === 0 ? SHELL_PROMPT : `END${i - 1}`, '--send', typed);
      });
      args.push('--expect', `END${COMMANDS.length - 1}`, '--send', 'poweroff -f\\n');
      const { code, stdout, stderr } = await elscope(args, { timeout: 900_000 });
      assert.deepEqual([code, stderr], [0, ''], stdout.slice(-3000));
      COMMANDS.forEach(([command, answer], i) => {
        const end = stdout.indexOf(`END${i}`);
        const echo = stdout.lastIndexOf(`E""ND${i}`, end);
        assert.match(stdout.slice(stdout.indexOf('\n', echo) + 1, end), answer, command);
      });
      assert.equal(Buffer.compare(readFileSync(image), disk), 0, 'the file is as it was');
      t.diagnostic(`virtio, ${name}: ${COMMANDS.length} commands`);
    });
});
