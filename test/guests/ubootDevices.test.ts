/**
 * U-Boot's drivers for the board's devices: a virtio disk and network card, found and used as on QEMU, through the legacy
 * interface and through that of version 1; disks that may be written and those that may not; fw_cfg.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { uBoot } from '../../src/build/guests';
import { elscope, file } from '../unit/cli/program';
import { hasQemu, runOnQemu } from './qemu';
import { parseTranscript, type Transcript, uBootDialogue } from './uboot';

const disk = (): Uint8Array => {
  const bytes = new Uint8Array(1024 * 1024);
  bytes.set(Buffer.from('the first sector'));
  bytes.set(Buffer.from('the second sector'), 512);
  return bytes;
};
const COMMANDS = [
  'virtio info',
  'virtio read 50000000 0 2',
  'md.b 50000000 10',
  'md.b 50000200 11',
  'mw.b 50000000 41 400',
  'virtio write 50000000 1 2',
  'virtio read 51000000 0 4',
  'crc32 51000000 800',
  'setenv ipaddr 10.0.2.15',
  'ping 10.0.2.2',
  'poweroff',
];
const LIMIT = '600000000';

interface Run {
  readonly drive: string;
  readonly more?: readonly string[];
  readonly commands?: readonly string[];
}

async function onElscope({ drive, more = [], commands = COMMANDS }: Run): Promise<Transcript> {
  const args = ['run', '--bios', await uBoot('2025.01'), '--drive', drive, '--max-instructions', LIMIT, ...more];
  for (const { expect, type } of uBootDialogue(commands))
    args.push('--expect', expect.replaceAll('\n', '\\n'), '--send', type.replaceAll('\n', '\\n'));
  const { code, stdout, stderr } = await elscope(args);
  assert.deepEqual([code, stderr], [0, ''], stdout.slice(-600));
  return parseTranscript(stdout, commands);
}

/** U-Boot shows how fast the disk is, and no two machines are. */
const comparable = ({ answers }: Transcript): unknown =>
  answers.map(({ command, lines }) => [command, lines.map((line) => line.trimEnd())]);

describe('virtio devices in U-Boot', { concurrency: 1 }, () => {
  test('as on QEMU', { skip: hasQemu() ? false : 'QEMU is not installed' }, async () => {
    const image = file('qemu-disk.img', disk());
    const drive = ['-drive', `file=${image},format=raw,if=none,id=d`, '-device', 'virtio-blk-device,drive=d'];
    const net = ['-netdev', 'user,id=n', '-device', 'virtio-net-device,netdev=n'];
    const dialogue = uBootDialogue(COMMANDS);
    const bios = await uBoot('2025.01');
    const reference = await runOnQemu({ bios, el: 1, memory: '1G', dialogue, extra: [...drive, ...net] });
    const expected = comparable(parseTranscript(reference.console, COMMANDS));
    const own = file('own-disk.img', disk());
    assert.deepEqual(comparable(await onElscope({ drive: own, more: ['--device', 'net'] })), expected);
    assert.deepEqual(Buffer.compare(readFileSync(own), disk()), 0, 'the file is as it was');
    const modern = file('modern.json', '{"virtio": "modern"}');
    const more = ['--device', 'net', '--machine', modern, '--check', 'actual'];
    assert.deepEqual(comparable(await onElscope({ drive: own, more })), expected, 'version 1 of the specification');
  });

  test('a disk that may be written is, one that is read-only is not', async () => {
    const commands = ['mw.b 50000000 41 400', 'virtio write 50000000 1 2', 'poweroff'];
    const own = file('write-disk.img', disk());
    await onElscope({ drive: `${own},write`, commands });
    const expected = disk();
    expected.fill(0x41, 512, 1536);
    assert.equal(Buffer.compare(readFileSync(own), expected), 0);
    const { answers } = await onElscope({ drive: `${own},readonly`, commands: ['virtio info', ...commands] });
    assert.match(answers[2].lines.join('\n'), /ERROR|fail/i);
  });

  test('fw_cfg', async () => {
    const { answers } = await onElscope({
      drive: file('q.img', disk()),
      commands: ['qfw list', 'qfw cpus', 'poweroff'],
      more: ['--cpus', '3'],
    });
    const names = answers[0].lines.map((line) => line.trim().split(/\s+/)[1]);
    assert.deepEqual(names, ['bios-geometry', 'bootorder', 'etc/boot-fail-wait']);
    assert.match(answers[1].lines.join(), /3 cpu\(s\)/);
  });
});
