/** What a launch makes of its options: machine, placement, entry state, and errors in one line. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError, type UserErrorCode } from '../../../src/base/errors';
import { SeededRandom } from '../../../src/base/random';
import { launch } from '../../../src/machine/launch';
import type { LaunchOptions, LaunchPorts } from '../../../src/machine/launch.types';
import { ElscopeMachine } from '../../../src/machine/machine';
import { nodePorts } from '../../../src/worker/nodePorts';
import { sampleFile } from './samples';

const node = nodePorts();
type Files = Readonly<Record<string, Uint8Array | string>>;
/** Files by name; others do not exist. */
const portsWith = (files: Files): LaunchPorts => ({
  ...node,
  readFile: (path, what) => {
    const content = Object.hasOwn(files, path) ? files[path] : undefined;
    if (content === undefined) throw new UserError('image.missing', { what, path, why: 'there is no such file' });
    return typeof content === 'string' ? Buffer.from(content) : content;
  },
});

const RAW = Uint8Array.from([0x1f, 0x20, 0x03, 0xd5]); // NOP
const FILES = { raw: RAW, elf: node.readFile(sampleFile('selfmod'), 'program') };

function started(options: LaunchOptions, files: Files = {}): ElscopeMachine {
  const { machine } = launch({ memory: '16M', ...options }, portsWith({ ...FILES, ...files }));
  return machine instanceof ElscopeMachine ? machine : assert.fail('another machine');
}
const u32 = (m: ElscopeMachine, address: bigint): number => {
  const bytes = m.peek(0, 'pa', address, 4);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, false);
};
const FDT_MAGIC = 0xd00dfeed;

describe('where a guest begins', () => {
  test('an ELF at its entry, at EL2, with the device tree at the start of RAM', () => {
    const machine = started({ program: 'elf' });
    const [core] = machine.cores;
    assert.deepEqual([core.el, core.pc(), core.x(0)], [2, 0x4020_0000n, 0n]);
    assert.equal(u32(machine, 0x4000_0000n), FDT_MAGIC);
  });

  test('a raw image by the Linux protocol, at EL1', () => {
    const machine = started({ program: 'raw', memory: '64M' });
    const [core] = machine.cores;
    assert.deepEqual([core.el, core.pc()], [1, 0x4008_0000n]);
    assert.equal(u32(machine, core.x(0)), FDT_MAGIC, 'X0 is the device tree');
    assert.equal(u32(machine, core.pc()), 0x1f2003d5);
  });

  test('--bios in flash at 0, at EL1', () => {
    const machine = started({ bios: 'raw' });
    const [core] = machine.cores;
    assert.deepEqual([core.el, core.pc(), core.x(0)], [1, 0n, 0n]);
    assert.equal(u32(machine, 0n), 0x1f2003d5);
    assert.equal(u32(machine, 0x4000_0000n), FDT_MAGIC);
  });

  test('--el is the highest level and the one that is entered', () => {
    for (const el of [1, 2, 3] as const) {
      const machine = started({ program: 'elf', el, cpus: 2 });
      assert.equal(machine.cores[0].el, el);
      const pfr0 = machine.cores[0].peekSystem('ID_AA64PFR0_EL1') ?? 0n;
      assert.deepEqual([(pfr0 >> 8n) & 15n, (pfr0 >> 12n) & 15n], [el >= 2 ? 1n : 0n, el === 3 ? 1n : 0n]);
      assert.equal(machine.cores[1].state, el === 3 ? 'running' : 'off', 'with EL3 the firmware is the guest’s own');
    }
  });

  test('an initrd and a command line are in the device tree', () => {
    const machine = started(
      { kernel: 'raw', initrd: 'rd', append: 'quiet loglevel=3', memory: '64M' },
      { rd: 'INITRD' },
    );
    const text = Buffer.from(machine.peek(0, 'pa', machine.cores[0].x(0), 0x10000)).toString('latin1');
    assert.match(text, /quiet loglevel=3\0/);
    const at = BigInt(0x4000_0000 + 32 * 2 ** 20);
    assert.equal(Buffer.from(machine.peek(0, 'pa', at, 6)).toString(), 'INITRD');
  });

  test('a device tree of the user’s, with what the options say filled in', () => {
    const own = started({ program: 'elf' });
    const tree = own.peek(0, 'pa', 0x4000_0000n, 2 ** 20);
    const machine = started({ program: 'elf', dtb: 'tree', append: 'from the options' }, { tree });
    const text = Buffer.from(machine.peek(0, 'pa', 0x4000_0000n, 0x10000)).toString('latin1');
    assert.match(text, /from the options\0/);
    assert.match(text, /linux,dummy-virt/);
  });

  test('a machine file, repeated or cut to the cores asked for', () => {
    const files = { 'm.json': '\ufeff// größer\n{"preset": "pipt-vipt", "seed": 9, "el": 3, "memory": "32M"}' };
    const { machine } = launch({ program: 'elf', machine: 'm.json', cpus: 3 }, portsWith({ ...FILES, ...files }));
    assert.deepEqual(
      machine.config.cores.map((core) => core.name),
      ['cortex-a57', 'cortex-a53', 'cortex-a57'],
    );
    const { seed, highestEl, memoryBytes } = machine.config;
    assert.deepEqual([seed, highestEl, memoryBytes], [9, 3, 32 * 2 ** 20], 'the file says what no option says');
    assert.equal(started({ program: 'elf', machine: 'm.json', el: 1, seed: 2 }, files).config.seed, 2);
    const silent = { m: '{}' };
    assert.equal(started({ program: 'elf', machine: 'm' }, silent).cores[0].el, 2);
    assert.equal(started({ bios: 'raw', machine: 'm' }, silent).cores[0].el, 1);
  });

  test('a reset is as power-on', () => {
    const machine = started({ program: 'elf' });
    machine.run(5000);
    machine.reset();
    const [core] = machine.cores;
    assert.deepEqual([core.el, core.pc(), machine.time.now()], [2, 0x4020_0000n, 0]);
    let text = '';
    machine.onConsole((_uart, bytes) => {
      text += Buffer.from(bytes).toString();
    });
    assert.equal(machine.run(1e6).reason, 'exited');
    assert.match(text, /^selfmod: CTR_EL0 0x8444c004[\s\S]*end/);
  });
});

describe('refused', () => {
  const rows: readonly (readonly [LaunchOptions, UserErrorCode, Files?])[] = [
    [{}, 'cli.noImage'],
    [{ program: 'elf', bios: 'raw' }, 'cli.twoImages'],
    [{ kernel: 'elf', program: 'raw' }, 'cli.twoImages'],
    [{ kernel: 'elf', bios: 'raw', program: 'raw' }, 'cli.twoImages'],
    [{ kernel: 'none', bios: 'raw' }, 'image.missing'],
    [{ program: 'none' }, 'image.missing'],
    [{ bios: 'none' }, 'image.missing'],
    [{ program: 'empty' }, 'image.empty', { empty: '' }],
    [{ bios: 'empty' }, 'image.empty', { empty: '' }],
    [{ program: 'elf', machine: 'cortex-a9' }, 'machine.unknown'],
    [{ program: 'elf', machine: 'toString' }, 'machine.unknown'],
    [{ program: 'elf', machine: 'm' }, 'machine.syntax', { m: '{' }],
    [{ program: 'elf', semihostingRoot: '/no/such' }, 'launch.folder'],
    [{ program: 'elf', machine: 'm' }, 'machine.syntax', { m: Uint8Array.of(0xff, 0xfe, 0x7b) }],
    [{ program: 'elf', cpus: 0 }, 'machine.cpus'],
    [{ program: 'elf', cpus: 9 }, 'machine.cpus'],
    [{ program: 'elf', cpus: 1.5 }, 'machine.cpus'],
    [{ program: 'elf', memory: '4G' }, 'machine.memory'],
    [{ program: 'elf', el: 4 as 3 }, 'machine.el'],
    [{ kernel: 'raw', initrd: 'none' }, 'image.missing'],
    [{ kernel: 'raw', initrd: 'raw', memory: '16M', dtb: 'bad' }, 'dtb.malformed', { bad: 'not a tree at all, no' }],
    [{ program: 'elf', memory: '3G', machine: 'm' }, 'machine.tooBig', { m: '{"cores":[{"l1d":{"lineBytes":16}}]}' }],
  ];
  for (const [options, code, files] of rows)
    test(`${JSON.stringify(options)} is ${code}`, () => {
      assert.throws(
        () => started(options, files),
        (error: unknown) => {
          assert.ok(error instanceof UserError, String(error));
          assert.equal(error.code, code, error.message);
          assert.doesNotMatch(error.message, /\n|\{\w+\}/);
          return true;
        },
      );
    });
});

test('damaged ELF headers are refused in one line, or start somewhere', () => {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(21);
  let refusals = 0;
  for (let i = 0; i < 120; i++) {
    const elf = Uint8Array.from(FILES.elf);
    for (let n = 1 + random.below(3); n > 0; n--) elf[4 + random.below(116)] = [0, 1, 64, 128, 255][random.below(5)];
    try {
      started({ program: 'elf' }, { elf });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      assert.doesNotMatch(error.message, /\n|\{\w+\}|NaN|undefined/);
      refusals++;
    }
  }
  assert.ok(refusals > 40 && refusals < 110, `${refusals} refused`);
});
