/**
 * Debian's perf in a guest, on the kernel's own driver of the performance monitors: exact counts of a program whose instructions
 * are known, counts of the model's caches and TLBs, samples by overflow interrupts.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compileBareMetal } from '../../src/build/crossCompiler';
import { initrdBytes, perfEntries } from '../../src/build/initrd';
import { ROOT } from '../../src/build/paths';
import { file, scratch } from '../unit/cli/program';
import { messages, pace, runLinux } from './linux';

/** What linux/loop.S executes, and the pages that it touches for the first time: 64 of data, one of code. */
const LOOP_INSTRUCTIONS = 6 + 3 * 1_000_000 + 4 * 64;
const LOOP_FAULTS = 64 + 1;
const PERIOD = 10_000;

const COMMANDS = [
  'perf stat -e instructions:u,faults loop',
  'perf stat -e instructions:u,branch-misses loop',
  'perf stat -e cycles,instructions,L1-icache-load-misses ls /',
  'perf stat -e L1-dcache-loads,L1-dcache-load-misses ls /',
  'perf stat -e dTLB-load-misses ls /',
  `perf record -e instructions:u -c ${PERIOD} -o /data loop`,
  'perf report -i /data --stdio --sort dso',
];

async function perfDisk(): Promise<string> {
  const loop = path.join(scratch(), 'loop.elf');
  await compileBareMetal(
    { root: ROOT, sources: ['test/guests/linux/loop.S'], linkerScript: 'test/guests/linux/ids.ld' },
    loop,
  );
  const entries = await perfEntries();
  const program = { name: 'bin/loop', kind: 'file', mode: 0o755, data: readFileSync(loop) } as const;
  return file('initrd-perf.cpio.gz', await initrdBytes({}, [...entries, program]));
}

/** The number before an event's name in what perf prints. */
function count(answer: string, event: string): number {
  const match = new RegExp(`^ *(\\d+) +${event}\\b`, 'm').exec(answer);
  assert.ok(match, `${event} in ${answer}`);
  return Number(match[1]);
}

test('perf in Linux 6.1 counts instructions exactly, and our caches', { timeout: 600_000 }, async (t) => {
  const run = await runLinux({ version: '6.1-cloud', initrd: await perfDisk(), commands: COMMANDS });
  assert.deepEqual([run.code, run.stderr], [0, ''], run.console.slice(-3000));
  const driver = 'hw perfevents: enabled with armv8_pmuv3 PMU driver, 7 counters available';
  assert.ok(messages(run.console).includes(driver), driver);
  const [first, again, ...others] = run.answers;
  assert.equal(count(first, 'instructions:u'), LOOP_INSTRUCTIONS);
  assert.equal(count(first, 'faults'), LOOP_FAULTS);
  assert.equal(count(again, 'instructions:u'), LOOP_INSTRUCTIONS);
  assert.match(again, /<not supported> +branch-misses/, 'no branch is predicted here');
  const all = others.join('\n');
  const [cycles, instructions, loads] = ['cycles', 'instructions', 'L1-dcache-loads'].map((event) => count(all, event));
  assert.ok(instructions > 100_000 && cycles > instructions, all);
  assert.ok(loads > instructions / 10 && loads < instructions, all);
  const misses = ['L1-icache-load-misses', 'L1-dcache-load-misses', 'dTLB-load-misses'].map((event) =>
    count(all, event),
  );
  for (const few of misses) assert.ok(few > 50 && few < loads / 4, all);
  assert.match(all, new RegExp(`\\(${Math.floor(LOOP_INSTRUCTIONS / PERIOD)} samples\\)`));
  assert.match(all, /(99|100)\.\d\d%\S* +loop/, 'where they were taken');
  t.diagnostic(`ls: ${instructions} instructions, L1I, L1D and TLB misses ${misses.join(', ')}; ${pace(run)}`);
});
