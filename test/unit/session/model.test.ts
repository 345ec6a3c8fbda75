/** Debugging the hypervisor model: frames with source, steps over and out of its routines, breakpoints, and its views. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../../src/build/paths';
import { allRoutines } from '../../../src/hypervisor/run/allRoutines';
import { RoutineTable } from '../../../src/hypervisor/run/routines';
import type { VcpuRow } from '../../../src/protocol/views';
import { ModelCode } from '../../../src/session/model/code';
import { modelSources } from '../../../src/worker/modelSources';
import { ModelBench } from './modelBench';

const CCSIDR = { name: 'kvm_handle_sys_reg', condition: '$trap == CCSIDR_EL1' };
const NORMALISED = '0x0000000000000002';

/** Stopped where the first trapped read of CCSIDR_EL1 begins to be handled. */
function atTrap(): ModelBench {
  const bench = new ModelBench('kvm-ccsidr', { kvm: '6.12' });
  assert.deepEqual(
    bench.breakAt(CCSIDR).map(({ verified }) => verified),
    [true],
  );
  assert.equal(bench.start().reason, 'function breakpoint');
  return bench;
}

test('every step has its own line, which holds its name', () => {
  const sources = modelSources();
  const code = new ModelCode(new RoutineTable(allRoutines), sources);
  for (const { name, steps } of allRoutines) {
    const lines = steps.map((_, at) => code.lineOf({ routine: name, at }));
    for (const [at, place] of lines.entries()) {
      const text = sources[place?.file ?? 0].text.split('\n')[(place?.line ?? 0) - 1] ?? '';
      assert.ok(text.includes(steps[at].name), `${name}: ${steps[at].name} is at ${place?.line}: ${text}`);
    }
    assert.equal(new Set(lines.map((place) => place?.line)).size, steps.length, name);
  }
});

test('a trap shows the model’s frames with source above the guest’s, with its registers and variables', () => {
  const b = atTrap();
  const frames = b.frames();
  assert.deepEqual(
    frames.map((frame) => frame.name),
    [
      ...['kvm_handle_sys_reg: decode the access', 'handle_exit: decode ESR_EL2'],
      ...['kvm_arch_vcpu_ioctl_run: handle the exit', 'vm1/vcpu0: EL2 took MRS x0, CCSIDR_EL1 from EL1'],
      ...['ccsidr', 'speak', 'main', 'leave_higher_levels'],
    ],
  );
  const [top] = frames;
  assert.deepEqual(
    [top.source?.name, top.source?.path, top.source?.origin],
    ['exits.ts', 'hypervisor model/exits.ts', 'hypervisor model'],
  );
  const { content } = b.ask('source', { sourceReference: top.source?.sourceReference ?? 0 });
  assert.equal(content, readFileSync(path.join(ROOT, 'src/hypervisor/run/exits.ts'), 'utf8'));
  assert.match(content.split('\n')[top.line - 1], /decode the access/);
  const guest = frames[4];
  assert.equal(guest.instructionPointerReference?.slice(0, 9), 'core0/el1');
  assert.equal(b.value('selector', guest.id), '0');
  assert.equal(b.value('x0', guest.id), '0x0000000000000000');
  assert.match(b.value('pc', guest.id), /ccsidr\+0x8/);
  assert.match(b.threads()[0], /^core0 · EL2 · vm1\/vcpu0 · kvm_handle_sys_reg$/);
  assert.throws(() => b.ask('source', { sourceReference: 99 }), /no source/);
});

test('local values are a scope, and mean themselves in expressions', () => {
  const b = atTrap();
  b.go('stepIn');
  const [top] = b.frames();
  const [locals] = b.ask('scopes', { frameId: top.id }).scopes;
  assert.equal(locals.name, 'Locals');
  const rows = b.ask('variables', { variablesReference: locals.variablesReference }).variables;
  assert.deepEqual(
    rows.map(({ name, value }) => `${name} ${value}`),
    ['register "CCSIDR_EL1"', 'rt 0', 'read true'],
  );
  assert.equal(b.value('rt == 0 && register == "CCSIDR_EL1" && read'), '1');
  assert.equal(b.value('$exit == SYS64 && $vcpu == "vm1/vcpu0" && $trap != CTR_EL0'), '1');
  assert.equal(b.value('$step'), '"emulate the access"');
  assert.throws(() => b.value('register + 1'), /is a text/);
});

test('step by step through EL2 and back to the guest, with the virtual value in its register', () => {
  const b = atTrap();
  const names = (): string => b.names()[0];
  b.go('next');
  assert.equal(names(), 'kvm_handle_sys_reg: emulate the access');
  b.go('stepIn');
  assert.equal(b.value('x0', b.frames()[3].id), NORMALISED, 'the vCPU’s register, before it is on the core');
  b.go('stepOut');
  assert.equal(names(), 'handle_exit: return to the loop');
  b.go('stepOut');
  assert.equal(names(), 'kvm_arch_vcpu_ioctl_run: go back, or give the core away');
  b.go('next');
  assert.equal(names(), 'kvm_arch_vcpu_ioctl_run: run the guest');
  b.go('stepIn');
  assert.match(names(), /^__kvm_vcpu_run: /);
  for (let steps = 0; steps < 20 && b.value('$el') === '2'; steps++) b.go('next');
  assert.deepEqual(b.names().slice(0, 2), ['ccsidr', 'speak']);
  assert.equal(b.value('$el'), '1');
  assert.equal(b.value('x0'), NORMALISED);
});

test('over a call: the guest’s whole run, up to the next exit', () => {
  const b = atTrap();
  b.breakAt({ name: 'kvm_arch_vcpu_ioctl_run: run the guest' });
  b.go('continue');
  b.breakAt();
  b.go('next');
  assert.equal(b.names()[0], 'kvm_arch_vcpu_ioctl_run: handle the exit');
  assert.equal(b.value('$trap'), '"CSSELR_EL1"');
  b.go('stepOut');
  assert.equal(b.names()[0], 'ccsidr', 'the loop does not return: out of it is the guest');
});

test('a guest’s steps: over a trap they stay, in by instruction they go to EL2’s first step', () => {
  const b = new ModelBench('kvm-ccsidr', { kvm: '6.12' });
  b.breakAt({ name: 'ccsidr' });
  b.start();
  b.breakAt();
  const at = (): string => b.names()[0];
  const word = (): string => {
    const memoryReference = b.frames()[0].instructionPointerReference ?? '';
    return b.ask('disassemble', { memoryReference, instructionCount: 1 }).instructions[0].instruction;
  };
  while (!/^mrs/.test(word())) b.go('next', { granularity: 'instruction' });
  assert.equal(at(), 'ccsidr');
  const pc = BigInt(b.value('pc').split(' ')[0]);
  b.go('stepIn', { granularity: 'instruction' });
  assert.equal(at(), '__kvm_vcpu_run: save general registers');
  assert.match(
    b.value('pc', b.frames()[3].id),
    new RegExp(`^0x0*${pc.toString(16)} `),
    'not saved yet: it is on the core',
  );
  b.stepTo('return');
  assert.equal(BigInt(b.value('pc').split(' ')[0]), pc + 4n);
  b.breakAt({ name: 'ccsidr' });
  b.go('continue');
  b.breakAt();
  while (!/^mrs/.test(word())) b.go('next', { granularity: 'instruction' });
  b.go('next', { granularity: 'instruction' });
  assert.equal(at(), 'ccsidr');
  assert.equal(b.value('$el'), '1');
  assert.equal(b.value('x0'), NORMALISED);
});

test('a step over a hypercall follows the vCPU to another core', () => {
  const b = new ModelBench('kvm-ccsidr', { kvm: '6.12' });
  b.breakAt({ name: 'speak' });
  b.start();
  b.breakAt();
  while (b.names()[0] !== 'main') b.go('next');
  let line = 0;
  let stop: ReturnType<typeof b.go>;
  do {
    line = b.frames()[0].line;
    stop = b.go('next');
  } while (stop.threadId === 1);
  assert.deepEqual([stop.reason, stop.threadId, b.names(5)[0]], ['step', 5, 'main']);
  assert.equal(b.frames(5)[0].line, line + 1);
  assert.match(b.threads()[4], /^core4 · EL1 · vm1\/vcpu0 · main$/);
});

test('breakpoints in the served text, by exit reason, and on a step; nowhere in a guest', () => {
  const b = new ModelBench('kvm-ccsidr', { kvm: '6.12' });
  b.breakAt({ name: 'start_kernel' });
  b.start();
  b.breakAt();
  const [file] = b.ask('loadedSources', {}).sources.filter(({ name }) => name === 'exits.ts');
  const line = b
    .ask('source', { sourceReference: file.sourceReference ?? 0 })
    .content.split('\n')
    .findIndex((t) => /decode ESR_EL2/.test(t));
  const source = { name: file.name, path: file.path, sourceReference: file.sourceReference };
  const [made] = b.ask('setBreakpoints', {
    source,
    breakpoints: [{ line: line - 2, condition: '$exit == HVC64' }],
  }).breakpoints;
  assert.deepEqual([made.verified, made.line, made.source?.path], [true, line + 1, 'hypervisor model/exits.ts']);
  const stop = b.go('continue');
  assert.deepEqual([stop.reason, stop.hitBreakpointIds], ['breakpoint', [made.id]]);
  assert.equal(b.value('$exit'), '"HVC64"');
  const { breakpoints } = b.ask('breakpointLocations', { source, line: line + 1, endLine: line + 30 });
  assert.equal(breakpoints[0].line, line + 1);
  b.ask('setBreakpoints', { source, breakpoints: [] });
  b.breakAt({ name: 'kvm_arch_vcpu_put: save EL1 registers' }, { name: 'kvm_arch_vcpu_put: fly' });
  b.go('continue');
  assert.equal(b.names()[0], 'kvm_arch_vcpu_put: save EL1 registers');
});

test('to the next guest entry and exit, and only under the model', () => {
  const b = atTrap();
  b.stepTo('guestEntry');
  assert.equal(b.names()[0], 'ccsidr');
  b.stepTo('guestExit');
  assert.equal(b.names()[0], '__kvm_vcpu_run: save general registers');
  const alone = new ModelBench('kvm-ccsidr', { machine: 'm2-like' });
  assert.throws(() => alone.stepTo('guestEntry'), /no hypervisor model/);
});

test('an exit that the hypervisor itself asks for is one to run to', () => {
  const b = new ModelBench('kvm-ccsidr', { kvm: '6.12' });
  b.breakAt({ name: 'restore' });
  const { threadId = 0 } = b.start();
  b.ask('elscope/migrateVcpu', { vm: 1, vcpu: 0, core: 2 });
  b.stepTo('guestExit', threadId);
  assert.equal(b.names(threadId)[0], '__kvm_vcpu_run: save general registers');
});

test('unpinned before it moved, a vCPU stays where it is', () => {
  const b = new ModelBench('kvm-ccsidr', { kvm: '6.12' });
  b.breakAt({ name: 'restore' });
  b.start();
  const vcpu = (): VcpuRow => b.ask('elscope/vms', {}).vms[0].vcpus[0];
  const { core } = vcpu();
  b.ask('elscope/pinVcpu', { vm: 1, vcpu: 0, core: 2 });
  assert.deepEqual([vcpu().goesTo, vcpu().pinned], [2, 2]);
  b.ask('elscope/pinVcpu', { vm: 1, vcpu: 0 });
  assert.deepEqual([vcpu().goesTo, vcpu().pinned], [undefined, undefined]);
  b.breakAt({ name: 'try_values' });
  b.go('continue');
  assert.equal(vcpu().core, core);
});

test('the debugger’s steps and stops leave no trace in the run', () => {
  const run = (stops: boolean): string => {
    const b = new ModelBench('kvm-ccsidr', { kvm: '6.12' });
    b.breakAt({ name: 'kvm_handle_sys_reg', condition: '$trap == CCSIDR_EL1' });
    b.start();
    if (stops) {
      for (const kind of ['guestEntry', 'guestExit', 'elChange'] as const) b.stepTo(kind);
      for (const how of ['stepIn', 'next', 'stepOut'] as const) b.go(how);
    }
    b.breakAt();
    b.go('continue');
    const { instructions, guestSeconds } = b.session.machine.statistics();
    return JSON.stringify([instructions, guestSeconds]);
  };
  assert.equal(run(true), run(false));
});

test('disassembly and memory at the model’s addresses', () => {
  const b = atTrap();
  const memoryReference = b.frames()[0].instructionPointerReference ?? '';
  const rows = b.ask('disassemble', { memoryReference, instructionOffset: -1, instructionCount: 4 }).instructions;
  assert.deepEqual(
    rows.map((row) => row.instruction),
    ['', '// decode the access', '// emulate the access', '// skip the instruction'],
  );
  assert.equal(b.ask('readMemory', { memoryReference, count: 8 }).data, undefined);
  assert.deepEqual(b.ask('stepInTargets', { frameId: b.frames()[0].id }).targets, []);
});

test('the host’s log is lines of the debug console, and none of the guest’s', () => {
  const b = atTrap();
  assert.match(b.output().join(''), /^host: Detected PIPT I-cache on CPU0\nhost: Detected/);
  const consoles = b.events.filter(({ name }) => name === 'elscope/console').map(({ body }) => body);
  assert.ok(!JSON.stringify(consoles).includes('Detected'));
  assert.match(b.ask('elscope/consoleHistory', { uart: 9 }).text, /Detected PIPT/);
});

test('the VMs: policies, memory, stage 2, and vCPUs with their exits', () => {
  const b = new ModelBench('kvm-ccsidr', { kvm: '6.12', policies: ['cacheTrap=tid2'] });
  b.breakAt(CCSIDR);
  b.start();
  const view = b.ask('elscope/vms', {});
  assert.deepEqual([view.model, view.kvm, view.started, view.errors], [true, '6.12', true, []]);
  const changed = view.policies.filter((policy) => policy.changed);
  assert.deepEqual(
    changed.map(({ name, value }) => `${name}=${value}`),
    ['cacheTrap=tid2'],
  );
  const [vm] = view.vms;
  assert.deepEqual([vm.slots[0].guestAddress, vm.slots[0].bytes], ['0x0000000040000000', 16 << 20]);
  assert.deepEqual([vm.stage2.tables, vm.stage2.inputBits, vm.stage2.startLevel], [3, 40, 1]);
  const [vcpu] = vm.vcpus;
  assert.deepEqual([vcpu.name, vcpu.core, vcpu.state, vcpu.el], ['vm1/vcpu0', 0, 'host', 1]);
  assert.equal(vcpu.symbol, 'ccsidr+0x8');
  assert.ok(vcpu.exits.some(({ name, count }) => name === 'SYS64' && count > 0));
  assert.ok(vcpu.traps.some(({ name }) => name === 'CSSELR_EL1'));
});

test('a vCPU is moved: at its next exit, which comes at once', () => {
  const b = new ModelBench('kvm-ccsidr', { kvm: '6.12' });
  b.breakAt({ name: 'ccsidr' });
  b.start();
  b.breakAt();
  b.ask('elscope/migrateVcpu', { vm: 1, vcpu: 0, core: 6 });
  assert.equal(b.ask('elscope/vms', {}).vms[0].vcpus[0].goesTo, 6);
  const stop = b.go('next');
  assert.equal(stop.threadId, 7);
  assert.match(b.threads()[6], /^core6 · EL1 · vm1\/vcpu0/);
  b.breakAt(CCSIDR);
  b.go('continue');
  b.ask('elscope/migrateVcpu', { vm: 1, vcpu: 0, core: 2 });
  b.breakAt({ name: 'kvm_arch_vcpu_load' });
  assert.equal(b.go('continue').threadId, 3, 'also where the exit would have gone back to the guest');
  assert.throws(() => b.ask('elscope/migrateVcpu', { vm: 1, vcpu: 7, core: 0 }), /no vm1\/vcpu7/);
  assert.throws(() => b.ask('elscope/migrateVcpu', { vm: 1, vcpu: 0, core: 99 }), /not online/);
});

test('cache ID registers: the core’s, the host’s, and what a guest reads', () => {
  const rows = (kvm: string) => {
    const b = new ModelBench('kvm-ccsidr', { kvm });
    b.breakAt({ name: 'ccsidr' });
    b.start();
    const list = b.ask('elscope/idRegisters', {}).rows;
    const outcome = b.session.machine.hypervisor?.vms[0].vcpus[0].caches.setCcsidr(2, 0x00ff_e07bn);
    const stored = b.ask('elscope/idRegisters', {}).rows.find((row) => row.name === 'CCSIDR_EL1[L2]');
    assert.equal(outcome, kvm === '6.12' ? 'ok' : 'EINVAL');
    assert.equal(stored?.cells[4].guest === '0x0000000000ffe07b', outcome === 'ok', 'what user space has stored');
    return (name: string) => list.find((row) => row.name === name);
  };
  const now = rows('6.12');
  assert.equal(now('CTR_EL0')?.sanitised, '0x000000008554c004');
  const l1d = now('CCSIDR_EL1[L1 D]');
  assert.deepEqual(
    [l1d?.cells[0].raw, l1d?.cells[0].guest, l1d?.cells[4].guest],
    ['0x00000000700fe03a', NORMALISED, NORMALISED],
  );
  assert.equal(now('CLIDR_EL1')?.cells[0].guest, '0x0000000009200003');
  const before = rows('6.2')('CCSIDR_EL1[L1 D]');
  assert.deepEqual([before?.cells[0].guest, before?.cells[4].guest], ['0x00000000700fe03a', '0x00000000701fe03a']);
});
