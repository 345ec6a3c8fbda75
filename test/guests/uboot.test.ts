/** Debian's U-Boot answers as it does on QEMU's virt board, but for what is listed here with its reason. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { uBootVersions } from '../../src/build/guests';
import { hasQemu } from './qemu';
import { REFERENCE_COMMANDS, referenceTranscript, type Transcript } from './uboot';
import { pace, runUBoot } from './ubootOnElscope';

interface Difference {
  readonly reason: string;
  /** Lines that are taken out of both texts. */
  readonly lines: RegExp;
}

const BANNER: readonly Difference[] = [
  {
    reason: 'the board has no PCIe',
    lines: /^Core: {2}\d+ devices, \d+ uclasses, devicetree: board$/,
  },
  {
    reason: 'there are no SMBIOS tables in fw_cfg',
    lines: /^Falling back to U-Boot generated SMBIOS tables$/,
  },
];
const ANSWERS: readonly Difference[] = [
  { reason: 'fewer devices are found before relocation', lines: /^Early malloc usage: [0-9a-f]+ \/ 2000$/ },
];

const without = (lines: readonly string[], differences: readonly Difference[]): string[] =>
  lines.map((line) => line.trimEnd()).filter((line) => !differences.some((difference) => difference.lines.test(line)));

/** The order of a node's properties says nothing, and it is another one in elscope's tree. */
const inOrder = (command: string, lines: readonly string[]): readonly string[] =>
  command.startsWith('fdt print') ? [...lines].sort() : lines;

function comparable({ banner, answers }: Transcript): unknown {
  return {
    banner: without(banner.split('\n'), BANNER),
    answers: answers.map(({ command, lines }) => [command, inOrder(command, without(lines, ANSWERS))]),
  };
}

describe('U-Boot answers as on QEMU', { skip: hasQemu() ? false : 'QEMU is not installed', concurrency: 1 }, () => {
  for (const version of uBootVersions)
    for (const el of [1, 2] as const)
      test(`${version} at EL${el}`, async (t) => {
        const run = { version, el, commands: REFERENCE_COMMANDS };
        const reference = await referenceTranscript(run);
        const result = await runUBoot({ ...run, check: 'actual' });
        assert.deepEqual([result.code, result.stderr], [0, ''], 'powered off, and nothing was found');
        assert.deepEqual(comparable(result.transcript()), comparable(reference));
        t.diagnostic(`U-Boot ${version} at EL${el}, ${REFERENCE_COMMANDS.length} commands: ${pace(result)}`);
      });
});

test('the lists of differences take out no more than they say', () => {
  const keep = ['=> ', 'DRAM:  1 GiB', 'Core:  many devices', 'relocaddr   = 0x7f6b7000', 'Early malloc usage'];
  assert.deepEqual(
    without(keep, [...BANNER, ...ANSWERS]),
    keep.map((line) => line.trimEnd()),
  );
});
