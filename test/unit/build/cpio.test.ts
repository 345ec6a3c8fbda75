/** Archives of the "newc" format: read back by its rules (the kernel's buffer-format.rst), and by cpio where there is one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { type CpioEntry, cpioArchive } from '../../../src/build/cpio';

const entries: readonly CpioEntry[] = [
  { name: 'bin', kind: 'folder', mode: 0o755 },
  { name: 'bin/a', kind: 'file', mode: 0o755, data: new TextEncoder().encode('hello') },
  { name: 'bin/link', kind: 'link', mode: 0o777, data: new TextEncoder().encode('a') },
  { name: 'empty', kind: 'file', mode: 0o600 },
];

interface Member {
  name: string;
  mode: number;
  data: string;
}

function read(archive: Uint8Array): Member[] {
  const text = (from: number, length: number): string => Buffer.from(archive.subarray(from, from + length)).toString();
  const members: Member[] = [];
  for (let at = 0; at < archive.length; ) {
    assert.equal(text(at, 6), '070701');
    const field = (n: number): number => Number.parseInt(text(at + 6 + 8 * n, 8), 16);
    const [mode, size, nameBytes] = [field(1), field(6), field(11)];
    const data = (at + 110 + nameBytes + 3) & ~3;
    members.push({ name: text(at + 110, nameBytes - 1), mode, data: text(data, size) });
    assert.equal(archive[at + 110 + nameBytes - 1], 0);
    at = (data + size + 3) & ~3;
  }
  return members;
}

describe('cpio archives', () => {
  test('have their entries in order, and a trailer', () => {
    assert.deepEqual(read(cpioArchive(entries)), [
      { name: 'bin', mode: 0o040755, data: '' },
      { name: 'bin/a', mode: 0o100755, data: 'hello' },
      { name: 'bin/link', mode: 0o120777, data: 'a' },
      { name: 'empty', mode: 0o100600, data: '' },
      { name: 'TRAILER!!!', mode: 0, data: '' },
    ]);
  });

  const cpio = spawnSync('cpio', ['--version']).status === 0;
  test('are listed by cpio', { skip: !cpio }, () => {
    const { stdout } = spawnSync('cpio', ['-it', '--quiet'], { input: cpioArchive(entries), encoding: 'utf8' });
    assert.deepEqual(stdout.trim().split('\n'), ['bin', 'bin/a', 'bin/link', 'empty']);
  });

  test('are the same for the same files', () => {
    assert.deepEqual(cpioArchive(entries), cpioArchive(entries));
  });
});
