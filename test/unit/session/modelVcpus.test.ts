/** Where vCPUs run and whether they do: pins, pauses, resets, schedules; what their exits cost; policies; machines as files. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeUtf8 } from '../../../src/base/utf8';
import { readVm } from '../../../src/machine/vmFile';
import { machineFile } from '../hypervisor/run/modelBench';
import { ModelBench } from './modelBench';

/** A guest that counts, on four cores. */
const machine = (hypervisor: object, name: string): string =>
  machineFile(name, { cores: [{}, {}, {}, {}], memory: '64M', hypervisor: { kvm: '6.12', ...hypervisor } });
const random = { slice: 3000, migrate: true };
const one = [{ memory: '8M', vcpus: [{ core: 0 }] }];

const vcpuRow = (b: ModelBench, vcpu = 0) => b.ask('elscope/vms', {}).vms[0].vcpus[vcpu];

/** Cores that a vCPU is loaded on, at its next so many loads. */
function coresOf(b: ModelBench, loads: number): Set<number> {
  b.breakAt({ name: 'kvm_arch_vcpu_load: compare last_vcpu_ran' });
  const cores = new Set<number>();
  for (let n = 0; n < loads; n++) cores.add((b.go('continue').threadId ?? 0) - 1);
  b.breakAt();
  return cores;
}

/** Stopped in main, after the VM was made. */
function started(hypervisor: object, name: string, sample = 'selfmod'): ModelBench {
  const b = new ModelBench(sample, { machine: machine(hypervisor, name) });
  b.breakAt({ name: 'main' });
  b.start();
  b.breakAt();
  return b;
}

test('a pinned vCPU never moves at random; unpinned it does', () => {
  const b = started({ ...random, vms: one }, 'pin');
  b.ask('elscope/pinVcpu', { vm: 1, vcpu: 0, core: 3 });
  assert.equal(vcpuRow(b).pinned, 3);
  assert.deepEqual([...coresOf(b, 8)], [3]);
  b.ask('elscope/migrateVcpu', { vm: 1, vcpu: 0, core: 1 });
  b.ask('elscope/pinVcpu', { vm: 1, vcpu: 0, core: vcpuRow(b).core });
  assert.equal(vcpuRow(b).goesTo, undefined, 'it stays');
  b.ask('elscope/pinVcpu', { vm: 1, vcpu: 0 });
  assert.equal(vcpuRow(b).pinned, undefined);
  assert.ok(coresOf(b, 8).size > 1);
  assert.throws(() => b.ask('elscope/pinVcpu', { vm: 1, vcpu: 0, core: 4 }), /core 4 is not online/);
  const fromFile = started({ ...random, vms: [{ memory: '8M', vcpus: [{ core: 2, pinned: true }] }] }, 'pinned');
  assert.deepEqual([...coresOf(fromFile, 6)], [2]);
});

test('a paused vCPU runs no instruction until it is resumed', () => {
  const b = started({ vms: one }, 'pause');
  b.ask('elscope/pauseVcpu', { vm: 1, vcpu: 0, paused: true });
  b.breakAt({ name: 'kvm_arch_vcpu_ioctl_run: schedule' });
  b.go('continue');
  b.breakAt();
  b.go('next');
  const { pc } = vcpuRow(b);
  assert.equal(vcpuRow(b).state, 'paused');
  // Nothing else can happen: the machine sleeps.
  b.ask('continue', { threadId: 1 });
  b.turns(50);
  assert.deepEqual([vcpuRow(b).pc, vcpuRow(b).state], [pc, 'paused']);
  b.ask('elscope/pauseVcpu', { vm: 1, vcpu: 0, paused: false });
  assert.match(JSON.stringify(b.settle()), /exit/);
  assert.notEqual(vcpuRow(b).pc, pc);
});

test('a reset vCPU begins again, in its guest and while it waits', () => {
  const b = started({ vms: one }, 'reset');
  const entry = b.session.machine.hypervisor?.config.vms[0].vcpus[0].entry ?? 0n;
  b.ask('elscope/resetVcpu', { vm: 1, vcpu: 0 });
  b.stepTo('guestEntry');
  assert.equal(BigInt(vcpuRow(b).pc), entry);
  assert.equal(b.value('SCTLR_EL1 & 1'), '0', 'the MMU is off');
  b.breakAt({ name: 'main' });
  assert.equal(b.go('continue').reason, 'function breakpoint');
  b.breakAt({ name: 'kvm_arch_vcpu_put' });
  b.ask('elscope/pauseVcpu', { vm: 1, vcpu: 0, paused: true });
  b.go('continue');
  b.breakAt({ name: 'do_idle: pick the next thread' });
  b.go('continue');
  assert.notEqual(BigInt(vcpuRow(b).pc), entry);
  b.ask('elscope/resetVcpu', { vm: 1, vcpu: 0 });
  assert.equal(BigInt(vcpuRow(b).pc), entry, 'at once');
});

test('a schedule moves a vCPU before the guest entries that it names', () => {
  const file = machineFile('moves', {});
  writeFileSync(file, '# to the last core and back\n3 vm1/vcpu0 3\n5 vm1/vcpu0 1\n');
  const entries = (options: object): string[] => {
    const b = new ModelBench('selfmod', options);
    b.breakAt({ name: '__kvm_vcpu_run: ERET to the guest' });
    b.start();
    const seen: string[] = [];
    for (let n = 1; n <= 6; n++) {
      const { entries: count, core } = b.session.machine.hypervisor?.vms[0].vcpus[0] ?? {};
      seen.push(`${count}: ${core}`);
      b.go('continue');
    }
    return seen;
  };
  const expected = ['1: 0', '2: 0', '3: 3', '4: 3', '5: 1', '6: 1'];
  assert.deepEqual(entries({ machine: machine({ vms: one }, 'free'), schedule: file }), expected);
  const schedule = [
    { entry: 3, vcpu: 'vm1/vcpu0', core: 3 },
    { entry: 5, vcpu: 'vm1/vcpu0', core: 1 },
  ];
  assert.deepEqual(entries({ machine: machine({ vms: one, schedule }, 'scheduled') }), expected);
});

test('a schedule that says nothing, or what cannot be, is one clear line', () => {
  const launch = (text: string) => {
    const schedule = machineFile('wrong', {});
    writeFileSync(schedule, text);
    return () => new ModelBench('selfmod', { machine: machine({ vms: one }, 'wrong-machine'), schedule });
  };
  assert.throws(launch('1 vm1/vcpu0 1\n2 vm1/vcpu0'), /^UserError: line 2 of the schedule .* says nothing/);
  assert.throws(launch('0 vm1/vcpu0 1'), /counted from 1/);
  assert.throws(launch('1 vm1/vcpu1 1'), /the move "1 vm1\/vcpu1 1" cannot be: vCPUs are vm1\/vcpu0/);
  assert.throws(launch('1 vm1/vcpu0 4'), /cores are 0 to 3/);
  assert.throws(launch('1 vm1/vcpu0 1\n1 vm1/vcpu0 2'), /another move/);
});

test('exits and traps have their cycles', () => {
  const b = new ModelBench('kvm-ccsidr', { kvm: '6.12' });
  b.breakAt({ name: 'kvm_handle_sys_reg', condition: '$trap == CCSIDR_EL1' });
  b.start();
  const before = vcpuRow(b);
  const of = (row: typeof before, kind: 'exits' | 'traps', name: string) =>
    row[kind].find((each) => each.name === name) ?? { count: 0, cycles: 0 };
  assert.equal(of(before, 'traps', 'CCSIDR_EL1').cycles, 0, 'it is not over');
  const cycles = (): number => b.session.machine.statistics().cores[0].cycles;
  b.breakAt();
  const at = cycles();
  b.stepTo('guestEntry');
  const after = vcpuRow(b);
  const cost = of(after, 'traps', 'CCSIDR_EL1').cycles;
  assert.ok(cost >= cycles() - at && cost > 100, `${cost} cycles, of which ${cycles() - at} from the breakpoint on`);
  const sys = of(after, 'exits', 'SYS64');
  assert.equal(sys.cycles - of(before, 'exits', 'SYS64').cycles, cost, 'what its exit costs');
});

test('policies say what they can be, and what the release does', () => {
  const b = new ModelBench('kvm-ccsidr', { kvm: '6.12', policies: ['cacheTrap=tid2'] });
  b.breakAt({ name: 'main' });
  b.start();
  const policy = b.ask('elscope/vms', {}).policies.find(({ name }) => name === 'cacheTrap');
  assert.deepEqual([policy?.value, policy?.released, policy?.changed], ['tid2', 'tid4', true]);
  assert.ok((policy?.values.length ?? 0) >= 3);
  for (const { value, meaning, standing } of policy?.values ?? []) assert.ok(value && meaning && standing);
});

test('a VM as a file, and the refusal in the midst of an exit', () => {
  const b = started({ vms: one }, 'file');
  const { text } = b.ask('elscope/saveVm', { vm: 1 });
  assert.equal(readVm(encodeUtf8(text), 'f').guest.vcpus.length, 1);
  b.breakAt({ name: 'io_mem_abort' });
  b.go('continue');
  assert.throws(() => b.ask('elscope/saveVm', { vm: 1 }), /vm1\/vcpu0 is in the midst of an exit \(io_mem_abort\)/);
  assert.throws(() => b.ask('elscope/saveVm', { vm: 2 }), /there is no virtual machine 2/);
});
