/** The prebuilt samples: what is committed is what the sources give, it names no folder of any machine, and it runs. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { compilerOf, hasCrossCompiler } from '../../../src/build/crossCompiler';
import { SAMPLES } from '../../../src/build/paths';
import { onPath } from '../../../src/build/processes';
import { buildSample, samples } from '../../../src/build/samples';
import { parseMachineFile } from '../../../src/machine/machineFile';
import { presets } from '../../../src/machine/presets';
import { hasQemu, runOnQemu } from '../../guests/qemu';

const committed = (name: string): string => path.join(SAMPLES, `${name}.elf`);
const names = Object.keys(samples);

describe('prebuilt samples', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'elscope-samples-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  for (const name of names)
    test(`${name}.elf is what its sources give`, async (t) => {
      if (!hasCrossCompiler()) return t.skip('aarch64-linux-gnu-gcc is not installed');
      const fresh = await buildSample(name, directory);
      const [made, wanted] = [compilerOf(fresh), compilerOf(committed(name))];
      assert.notEqual(wanted, '', 'the committed file does not say which compiler made it');
      if (made !== wanted) return t.skip(`made with ${wanted}, here is ${made}`);
      assert.ok(readFileSync(fresh).equals(readFileSync(committed(name))), 'differs: run `npm run samples`');
    });

  for (const name of names)
    test(`${name}.elf names no absolute path`, () => {
      const text = readFileSync(committed(name), 'latin1');
      assert.doesNotMatch(text, /\0\/[a-z]+\//);
      assert.ok(!text.includes(path.basename(process.cwd()) + '/media'));
    });

  test('every configuration of the sample workspace names a sample that exists', () => {
    const file = path.join(SAMPLES, '.vscode', 'launch.json');
    const { configurations } = JSON.parse(readFileSync(file, 'utf8')) as {
      configurations: readonly { name: string; type: string; request: string; program: string; machine: string }[];
    };
    for (const { name, type, request, program, machine } of configurations) {
      assert.equal(type, 'elscope');
      assert.equal(request, 'launch');
      assert.ok(existsSync(program.replace(/\$\{workspaceFolder\}/, SAMPLES)), `${name}: ${program}`);
      const file = machine.replace(/\$\{workspaceFolder\}/, SAMPLES);
      if (file === machine) assert.ok(machine in presets, `${name}: ${machine}`);
      else {
        const { cores, hypervisor } = parseMachineFile(readFileSync(file, 'utf8'), file);
        assert.ok(file.endsWith('fetch-ahead.json') ? cores[0].prefetch >= 8 : hypervisor !== undefined, file);
      }
    }
    const programs = new Set(configurations.map((c) => path.basename(c.program, '.elf')));
    for (const name of ['el-tour', 'selfmod', 'selfmod-noic', 'jit', 'cache-ids', 'two-lines'])
      assert.ok(programs.has(name), name);
  });
});

/** What each sample must print on a machine without caches, entered at that level, and its exit code. */
const EXPECTED: readonly (readonly [sample: string, el: 1 | 2 | 3, last: RegExp])[] = [
  ['el-tour', 1, /there is no EL2 of ours(.*\n)*.*SVC 9, IRQ 1, data abort 1; powering off/],
  ['el-tour', 2, /^\[EL2\] entered(.*\n)*.*\[EL2\] HVC taken(.*\n)*.*SVC 9, IRQ 1, data abort 1; powering off/],
  ['el-tour', 3, /^\[EL3\] entered(.*\n)*.*\[EL2\] HVC taken(.*\n)*.*\[EL3\] SMC: PSCI SYSTEM_OFF/],
  ['selfmod', 2, /full: ran 2(.*\n)*.*no-dc: ran 2(.*\n)*.*no-ic: ran 2(.*\n)*.*neither: ran 2(.*\n)*.*selfmod: end/],
  ['selfmod-noic', 1, /^selfmod: CTR.*\nvariant no-ic: ran 2 \(new\)\nselfmod: end/],
  ['jit', 2, /2000 rounds, 0 wrong: PASS/],
  [
    'cache-ids',
    2,
    /^core 0: MIDR_EL1 0x411fd070(.*\n)* {2}L2 CCSIDR_EL1 0x70ffe07a(.*\n)*core 1: (.*\n)*cache-ids: 2 cores/,
  ],
  ['two-lines', 2, /(.*0 old and 64 new instructions: right\n){4}two-lines: end/],
];

describe('samples on QEMU', {
  skip: hasQemu() && onPath('qemu-system-aarch64') ? false : 'QEMU is not installed',
}, () => {
  for (const [sample, el, expected] of EXPECTED)
    test(`${sample} entered at EL${el}`, async () => {
      const { code, console } = await runOnQemu({ kernel: committed(sample), el, cpus: 2 });
      assert.match(console.replaceAll('\r', ''), expected);
      assert.equal(code, 0);
    });
});
