import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/base/errors';
import { LARGEST_MEMORY, memorySize } from '../../../src/machine/sizes';

const MiB = 2 ** 20;

test('sizes as people write them', () => {
  const rows: readonly (readonly [string | number, number])[] = [
    ['16M', 16 * MiB],
    ['512M', 512 * MiB],
    ['512m', 512 * MiB],
    ['512MiB', 512 * MiB],
    ['512MB', 512 * MiB],
    [' 1G ', 1024 * MiB],
    ['1.5G', 1536 * MiB],
    ['3G', LARGEST_MEMORY],
    ['65536K', 64 * MiB],
    ['0x10000000', 256 * MiB],
    ['268435456', 256 * MiB],
    [268435456, 256 * MiB],
  ];
  for (const [text, bytes] of rows) assert.equal(memorySize(text), bytes, String(text));
});

test('sizes that are none, too small, too large or uneven are refused in one line', () => {
  const bad = [
    '',
    'M',
    '1',
    '15M',
    '16383K',
    '4G',
    '3073M',
    '1T',
    '-1G',
    '1e9',
    '512 MM',
    '0x',
    '16777217',
    '1.3M',
    'NaN',
  ];
  for (const text of [...bad, 0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(
      () => memorySize(text),
      (error: unknown) =>
        error instanceof UserError && error.code === 'machine.memory' && !error.message.includes('\n'),
      String(text),
    );
});
