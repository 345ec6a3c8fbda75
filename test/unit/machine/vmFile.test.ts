/** Virtual machines as files: saved by one machine, restored by another, as far as KVM there takes their registers. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { UserError } from '../../../src/base/errors';
import { SeededRandom } from '../../../src/base/random';
import { encodeUtf8 } from '../../../src/base/utf8';
import type { LaunchOptions } from '../../../src/machine/launch.types';
import type { ElscopeMachine } from '../../../src/machine/machine';
import { readVm, writeVm } from '../../../src/machine/vmFile';
import { besideOf, finish, machineFile, modelMachine } from '../hypervisor/run/modelBench';
import type { Bench } from './samples';

const m2 = (core: number): string =>
  machineFile(`m2-${core}`, { preset: 'm2-like', hypervisor: { vms: [{ memory: '4M', vcpus: [{ core }] }] } });
const isolation = machineFile('isolation', {
  cores: [{}],
  hypervisor: { vms: [{ memory: '4M', mapSize: '4K', vcpus: [{ core: 0 }, { core: 0 }] }] },
});

type Options = Omit<LaunchOptions, 'program'>;
const ccsidr = (core: number, kvm: string): Options => ({ machine: m2(core), kvm });

/** Runs a sample until the console has said something, and its guest runs again. */
function until(sample: string, options: Options, words: string): Bench & { file: string } {
  const bench = modelMachine(sample, options);
  while (!bench.text().includes(words)) bench.machine.run(50);
  const entered = (): boolean => bench.machine.hypervisor?.cores.some(({ guest }) => guest === 'entered') ?? false;
  while (entered()) bench.machine.run(1);
  while (!entered()) bench.machine.run(1);
  bench.machine.run(3);
  return { ...bench, file: writeVm(bench.machine, 1) };
}

let files = 0;
function restored(sample: string, options: Options, text: string): Bench {
  const restoreVm = machineFile(`vm${++files}`, {});
  writeFileSync(restoreVm, text);
  return modelMachine(sample, { ...options, restoreVm });
}

/** What the guests' console says, without the host's log. */
const said = ({ machine, text }: Bench): string =>
  (machine.hypervisor?.log ?? []).reduce((rest, line) => rest.replace(`${line}\n`, ''), text());

test('a VM goes on in another machine where it was', () => {
  const { machine, text, file } = until('kvm-ccsidr', ccsidr(0, '6.12'), 'core 0: ');
  const before = said({ machine, text });
  assert.equal(finish(machine).reason, 'exited');
  const whole = said({ machine, text });
  const other = restored('kvm-ccsidr', ccsidr(0, '6.12'), file);
  assert.deepEqual(finish(other.machine), { reason: 'exited', code: 0, how: 'every vCPU is off' });
  // Caches are cold there: the last line says how long something took.
  const withoutTicks = (all: string): string => all.replace(/\d+ ticks/, '');
  assert.equal(withoutTicks(before + said(other)), withoutTicks(whole));
});

test('a VM saved before v6.7 keeps the debug version of Armv8.0, and one saved since has too much for an older kernel', () => {
  const version = ({ machine }: Bench): bigint => (machine.hypervisor?.vms[0].debugFeatures ?? 0n) & 0xfn;
  const old = until('kvm-ccsidr', ccsidr(0, '6.3'), 'core 0: ').file;
  const goesOn = restored('kvm-ccsidr', ccsidr(0, '6.12'), old);
  assert.deepEqual(finish(goesOn.machine), { reason: 'exited', code: 0, how: 'every vCPU is off' });
  assert.equal(version(goesOn), 6n);
  const later = until('kvm-ccsidr', ccsidr(0, '6.12'), 'core 0: ').file;
  const stop = finish(restored('kvm-ccsidr', ccsidr(0, '6.3'), later).machine);
  assert.match(
    stop.reason === 'exited' ? stop.how : '',
    /KVM_SET_ONE_REG ID_AA64DFR0_EL1 = 0x[0-9a-f]+ of vCPU 0: EINVAL$/,
  );
});

for (const gic of [2, 3] as const)
  test(`two vCPUs, GICv${gic}: what each had is there`, () => {
    const options: Options = { machine: isolation, gic };
    const { machine, file, text } = until('kvm-isolation', options, 'vCPU');
    const other = restored('kvm-isolation', options, file);
    while (other.machine.hypervisor?.vms[0]?.vcpus[1]?.hasRun !== true) other.machine.run(1);
    finish(other.machine);
    const rest = said(other);
    const before = said({ machine, text });
    finish(machine);
    assert.equal(before + rest, said({ machine, text }));
  });

describe('A4: CCSIDR_EL1 of another cluster', () => {
  const saved = until('kvm-ccsidr', ccsidr(0, '6.2'), 'core 0: ').file;

  test('before v6.3 KVM_SET_ONE_REG refuses it with EINVAL, and the VM does not run', () => {
    const { machine, text } = restored('kvm-ccsidr', ccsidr(4, '6.2'), saved);
    const why = 'KVM_SET_ONE_REG CCSIDR_EL1[0] = 0x700fe03a of vCPU 0: EINVAL';
    assert.deepEqual(finish(machine), { reason: 'exited', code: 1, how: `vm1 cannot be restored: ${why}` });
    assert.ok(text().includes(`vmm [1]: ${why}\n`));
    assert.equal(machine.hypervisor?.entered, 0);
  });

  test('on its own cluster it does', () => {
    const { machine } = restored('kvm-ccsidr', ccsidr(1, '6.2'), saved);
    assert.equal(finish(machine).reason, 'exited');
    assert.ok((machine.hypervisor?.entered ?? 0) > 0);
  });

  test('since v6.3 it is stored, and the guest goes on to see it', () => {
    const bench = restored('kvm-ccsidr', ccsidr(4, '6.3'), saved);
    const stop = finish(bench.machine);
    assert.deepEqual([stop.reason, stop.reason === 'exited' && stop.code], ['exited', 0]);
    assert.match(said(bench), /core 4: .* L1D 0x700fe03a L1I 0x203fe01a L2 0x70ffe07b/);
  });

  test('a core of another kind is refused by its MIDR_EL1', () => {
    const vms = [{ memory: '4M', vcpus: [{ core: 0 }, { core: 0 }] }];
    const a72 = machineFile('a72', { preset: 'cortex-a72', hypervisor: { vms } });
    const { file } = until('kvm-isolation', { machine: isolation, kvm: '6.12' }, 'vCPU');
    const { machine } = restored('kvm-isolation', { machine: a72, kvm: '6.12' }, file);
    assert.match(JSON.stringify(finish(machine)), /KVM_SET_ONE_REG MIDR_EL1 = 0x\w+ of vCPU 0: EINVAL/);
  });
});

test('each register is a line of the file, by name, id and value', () => {
  const { file } = until('kvm-isolation', { machine: isolation, kvm: '6.12' }, 'vCPU');
  const lines = file.split('\n');
  for (const row of ['["MPIDR_EL1","0x603000000013c005","0x80000001"]', '["CCSIDR_EL1[0]","0x6020000000110000","0x2"]'])
    assert.ok(
      lines.some((line) => line.startsWith(row)),
      row,
    );
  assert.ok(lines.length > 200);
});

test('looking changes nothing', () => {
  const { machine } = until('kvm-isolation', { machine: isolation }, 'vCPU');
  const before = besideOf(machine);
  writeVm(machine, 1);
  assert.equal(besideOf(machine), before);
});

test('registers are those of the guest, wherever its vCPU is', () => {
  const { machine } = until('kvm-isolation', { machine: isolation }, 'vCPU');
  const registersOf = (m: ElscopeMachine): string =>
    JSON.stringify((JSON.parse(writeVm(m, 1)) as { vcpus: unknown }).vcpus);
  const context = (): string => machine.hypervisor?.cores[0].guest ?? '';
  while (context() !== 'onCore') machine.run(1);
  // From the exit on until it is handled, nothing of the guest changes but what the timer counts.
  const first = registersOf(machine).replace(/"CNTVCT_EL0",[^\]]*/g, '');
  const seen = new Set<string>();
  while (machine.hypervisor?.cores[0].thread.frames.at(-1)?.routine !== 'handle_exit') {
    seen.add(context());
    assert.equal(registersOf(machine).replace(/"CNTVCT_EL0",[^\]]*/g, ''), first);
    machine.run(1);
  }
  assert.deepEqual([...seen].sort(), ['left', 'onCore']);
  machine.run(1);
  assert.throws(() => writeVm(machine, 1), /vm1\/vcpu0 is in the midst of an exit/);
});

describe('what cannot be', () => {
  const code = (expected: string) => (error: unknown) =>
    error instanceof UserError && error.code === expected && !error.message.includes('\n');
  const { machine, file } = until('kvm-isolation', { machine: isolation }, 'vCPU');
  const parsed = JSON.parse(file) as Record<string, unknown>;
  const read = (value: unknown) => readVm(encodeUtf8(typeof value === 'string' ? value : JSON.stringify(value)), 'f');

  test('there is no such VM, or no model', () => {
    assert.throws(() => writeVm(machine, 2), code('vm.none'));
    assert.throws(() => writeVm(modelMachine('jit', { machine: 'cortex-a57' }).machine, 1), code('vm.none'));
    const nowhere = { machine: 'cortex-a57' };
    assert.throws(() => restored('kvm-isolation', nowhere, file), code('vm.noModel'));
  });

  test('a machine without its place', () => {
    const vm = (change: object): string =>
      machineFile(`place${++files}`, {
        cores: [{}],
        hypervisor: { vms: [{ memory: '4M', vcpus: [{}, { core: 0 }], ...change }] },
      });
    assert.throws(
      () => restored('kvm-isolation', { machine: vm({ vcpus: [{}] }) }, file),
      /2 vCPUs, and the machine's has 1/,
    );
    assert.throws(() => restored('kvm-isolation', { machine: vm({ memory: '8M' }) }, file), code('vm.other'));
    assert.throws(() => restored('kvm-isolation', { machine: vm({}), gic: 3 }, file), code('vm.other'));
  });

  test('files that are none', () => {
    const wrong: readonly [string, unknown][] = [
      ['no JSON', file.slice(0, -100)],
      ['no object', '[]'],
      ['another format', { ...parsed, format: 'x' }],
      ['another version', { ...parsed, version: 2 }],
      ['no memory', { ...parsed, memory: undefined }],
      ['memory outside of slots', { ...parsed, memory: [['0x1000', 'AAAA']] }],
      ['no base64', { ...parsed, memory: [['0x40000000', '?']] }],
      [
        'a register too long',
        {
          ...parsed,
          vcpus: [
            { mpState: 'KVM_MP_STATE_RUNNABLE', registers: [['X', '0x6020000000110000', `0x1${'0'.repeat(8)}`]] },
          ],
        },
      ],
      ['too many vCPUs', { ...parsed, vcpus: new Array(9).fill({}) }],
      ['no state', { ...parsed, vcpus: [{ registers: [] }] }],
    ];
    for (const [what, value] of wrong) assert.throws(() => read(value), code('vm.damaged'), what);
    assert.throws(
      () => restored('kvm-isolation', { machine: isolation }, JSON.stringify({ ...parsed, devices: [{}, {}] })),
      code('vm.other'),
    );
    assert.throws(
      () => restored('kvm-isolation', { machine: isolation }, JSON.stringify({ ...parsed, waiting: [] })),
      code('vm.damaged'),
    );
  });

  test('300 files that were damaged at random: one line, or a guest that runs', () => {
    const random = new SeededRandom(new Uint32Array(1));
    random.seed(4);
    // Memory is most of a file and says little.
    const short = JSON.stringify({ ...parsed, memory: [] });
    let refused = 0;
    let ran = 0;
    for (let n = 0; n < 300; n++) {
      const bytes = encodeUtf8(short);
      for (let i = 0; i <= random.below(4); i++)
        bytes[random.below(bytes.length)] = n % 2 === 0 ? 48 + random.below(10) : random.below(256);
      try {
        const bench =
          ran < 12
            ? restored('kvm-isolation', { machine: isolation }, Buffer.from(bytes).toString('latin1'))
            : undefined;
        if (bench === undefined) readVm(bytes, 'f');
        else {
          ran++;
          bench.machine.run(20_000);
        }
      } catch (error) {
        assert.ok(
          error instanceof UserError && /^vm\./.test(error.code) && !error.message.includes('\n'),
          String(error),
        );
        refused++;
      }
    }
    assert.ok(refused > 50 && ran > 5, `${refused} ${ran}`);
  });
});
