/** The bench's judgement, and that its guests give the checksums they always gave. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkerLine, parseGuestLine, targetLines } from '../../../src/build/bench';
import { bootTargets } from '../../../src/build/benchBoot';
import { type BenchGuestName, buildBenchGuest } from '../../../src/build/benchGuests';
import { latencyLine, percentile } from '../../../src/build/benchLatency';
import { hasCrossCompiler } from '../../../src/build/crossCompiler';
import { hasQemu, runOnQemu } from '../../guests/qemu';

const found = (mips: number, l1dMissPercent = 9, residentMiB = 300) => ({
  mips,
  l1dMissPercent,
  residentMiB,
  checksum: '0x00000000',
});
const verdicts = (lines: readonly string[]): string[] => lines.map((line) => line.slice(0, 7).trim());

describe('bench', () => {
  test('judges each target by its own figure', () => {
    const good = { integer: found(150), memory: found(60, 5), integer4: found(105) };
    assert.deepEqual(verdicts(targetLines(good)), Array(5).fill('reached'));
    const slow = { integer: found(149.9), memory: found(59, 4.9), integer4: found(100, 9, 450) };
    assert.deepEqual(verdicts(targetLines(slow)), Array(5).fill('missed'));
    assert.deepEqual(verdicts(targetLines({ memory: found(61) })), ['reached', 'reached', 'reached']);
    assert.deepEqual(targetLines({}), []);
  });

  test('judges what the checker costs', () => {
    assert.match(checkerLine('memory', 60, 41), /^reached .*: 1\.46 \(60\.0 and 41\.0 MIPS\)$/);
    assert.match(checkerLine('memory', 60, 40), /^missed /);
  });

  test('judges the boot by time, by time an instruction on four cores, by the checker’s price, and by memory', () => {
    const boot = (seconds: number, millions: number, residentMiB = 1200) => {
      return { seconds, instructions: millions * 1e6, residentMiB };
    };
    const judged = (one: number, four: number, checked: number, resident: number): string[] =>
      verdicts(bootTargets(boot(one, 950), boot(four, 1000, resident), boot(checked, 950), boot(1, 950)));
    assert.deepEqual(judged(8, 10.9, 11.9, 1330), Array(4).fill('reached'));
    assert.deepEqual(judged(8.1, 11.3, 12.2, 1331), Array(4).fill('missed'));
  });

  test('reads the line of a guest and nothing else', () => {
    assert.deepEqual(parseGuestLine('x: checksum 0x0123abcd ticks 42\r\n'), { checksum: '0x0123abcd', ticks: 42 });
    assert.throws(() => parseGuestLine('unexpected exception: vector 4'), /the guest printed "unexpected/);
  });

  test('percentiles are samples, and a latency is judged by the 95th', () => {
    const samples = Array.from({ length: 20 }, (_, i) => 20 - i);
    assert.deepEqual([percentile(samples, 50), percentile(samples, 95), percentile([7], 95)], [10, 19, 7]);
    assert.match(
      latencyLine({ name: 'pause', samples, target: 19 }),
      /^pause +20 +10\.0 +19\.0 {2}reached {2}at most 19$/,
    );
    assert.match(latencyLine({ name: 'pause', samples, target: 18 }), /missed/);
    assert.doesNotMatch(latencyLine({ name: 'step', samples }), /reached|missed/);
  });
});

/** Changing a guest changes what is measured: figures of before and after cannot be compared. */
const CHECKSUMS: readonly (readonly [BenchGuestName, number, string])[] = [
  ['integer', 1, '0x3762e68d'],
  ['memory', 1, '0xdc1357f4'],
  ['branch', 1, '0x3a132d94'],
  ['double', 1, '0x88cef56d'],
  ['integer4', 4, '0x68c9ca80'],
];

const skip = hasCrossCompiler() && hasQemu() ? false : 'the cross compiler or QEMU is not installed';
describe('bench guests on QEMU', { skip }, () => {
  for (const [name, cpus, checksum] of CHECKSUMS)
    test(name, async () => {
      const { console } = await runOnQemu({ kernel: await buildBenchGuest(name), el: 2, cpus, memory: '256M' });
      assert.equal(parseGuestLine(console).checksum, checksum);
    });
});
