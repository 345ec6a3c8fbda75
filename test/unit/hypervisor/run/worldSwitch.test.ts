/** What a running vCPU costs the core that it comes to, and what becomes of a guest that turns its caches on or off. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SAMPLES } from '../../../../src/build/paths';
import { runVariant } from '../../../../src/scenarios/run';
import type { Json, Ran } from '../../../../src/scenarios/types';
import { vcpuIsolation } from '../../../../src/scenarios/vcpuIsolation';
import { nodePorts } from '../../../../src/worker/nodePorts';
import { beforeFirstRun, goUntil, type Stopped } from './stopped';

/** selfmod in each VM on one core, which gives every vCPU its slice. */
function inTurns(vms: readonly Json[]): Ran {
  const hypervisor = { slice: 20_000, vms };
  const variant = { name: 'turns', title: '', kvm: '6.12', program: 'selfmod', machine: { hypervisor }, expect: {} };
  return runVariant(vcpuIsolation, variant, { ports: nodePorts(), folder: SAMPLES });
}
const slices = ({ model }: Ran): number =>
  model.vms.flatMap((vm) => vm.vcpus).reduce((sum, vcpu) => sum + (vcpu.exits.IRQ ?? 0), 0);

test('A1: VMs take turns on a core without maintenance: VMIDs keep them apart', () => {
  const vm = { memory: '16M', mapSize: '4K', vcpus: [{ core: 0 }] };
  const run = inTurns([vm, vm]);
  assert.equal(run.ended, 'every vCPU is off', run.console);
  assert.ok(slices(run) > 4, 'they did take turns');
  assert.deepEqual(
    run.model.vms.map(({ vmid }) => vmid),
    [1, 2],
  );
  assert.equal(run.model.operations['IC IALLU'], 2, 'each VM’s first vCPU on the core');
});

test('A1: the VMID is brought up to date before __kvm_flush_cpu_context uses it', () => {
  const stopped = beforeFirstRun('kvm-isolation', { kvm: '6.12' });
  const { c, model } = stopped;
  const { vm } = c.vcpu;
  const { vmids } = model;
  vm.vmid = 5;
  vm.generation = vmids.generation - 1;
  // Another VM has it in this generation.
  vmids.used = [1 << 5];
  goUntil(stopped, () => (model.operations['TLBI VMALLE1'] ?? 0) > 0);
  assert.deepEqual([vm.vmid, vm.generation], [1, vmids.generation]);
  assert.equal(c.read('VTTBR_EL2') >> 48n, 1n, 'not the VMID that it had');
});

/** DC CIVAC of stage2_flush_vm: all that no fault has issued. */
const flushed = ({ model }: Stopped): number => {
  const ofFaults = model.faults.flatMap(({ steps }) => steps.filter(({ name }) => name === 'DC CIVAC'));
  return (model.operations['DC CIVAC'] ?? 0) - ofFaults.reduce((sum, { count = 1 }) => sum + count, 0);
};
const LINES_A_PAGE = 64;
const TVM = 1n << 26n;
const hcrInGuest = (stopped: Stopped): bigint => {
  goUntil(stopped, () => stopped.c.guest === 'entered');
  return stopped.c.read('HCR_EL2');
};

test('A0: stage-1 controls are trapped until M and C are set, and then the VM is cleaned', () => {
  const stopped = beforeFirstRun('kvm-isolation', { kvm: '6.12' });
  const { c, model } = stopped;
  const { vcpu } = c;
  assert.notEqual(hcrInGuest(stopped) & TVM, 0n);
  goUntil(stopped, () => !vcpu.tvm);
  const pages = model.faults.length;
  assert.ok(pages > 0);
  assert.deepEqual([vcpu.traps.TTBR0_EL1, vcpu.traps.TCR_EL1, vcpu.traps.MAIR_EL1], [1, 1, 1]);
  assert.equal(hcrInGuest(stopped) & TVM, 0n, 'no more');
  assert.equal(flushed(stopped), pages * LINES_A_PAGE);
});

/** DC CISW, XZR; HVC #0, with PSCI's SYSTEM_OFF in X0. */
const SET_WAY = [0xd508_7e5f, 0xd508_7e5f, 0xd508_7e5f, 0xd400_0002];
const SYSTEM_OFF = 0x8400_0008n;

/** The guest goes on with set/way operations where it is, and no further. */
function doSetWay(stopped: Stopped): void {
  const { c, machine } = stopped;
  goUntil(stopped, () => c.guest === 'left');
  const { vm, pc, x } = c.vcpu;
  const slot = vm.slotOf(Number(pc)) ?? assert.fail('no memory');
  x[0] = SYSTEM_OFF;
  const code = new Uint8Array(Uint32Array.from(SET_WAY).buffer);
  machine.memory.pokeView(slot.hostAddress + Number(pc) - slot.guestAddress, code);
  goUntil(stopped, () => c.vcpu.state === 'off');
}

test('A4: set/way with caches on: the VM is cleaned once and its controls are trapped again', () => {
  const stopped = beforeFirstRun('kvm-isolation', { kvm: '6.12' });
  const { c, model } = stopped;
  const { vcpu } = c;
  goUntil(stopped, () => !vcpu.tvm);
  goUntil(stopped, () => c.guest === 'entered');
  const before = flushed(stopped);
  doSetWay(stopped);
  assert.ok(vcpu.traps['DC CISW'] >= 2, 'HCR_EL2.TSW');
  assert.ok(vcpu.tvm);
  assert.equal(flushed(stopped) - before, model.faults.filter(({ action }) => action === 'map').length * LINES_A_PAGE);
});

test('A4: with FWB neither set/way nor the caches’ switch does anything', () => {
  const stopped = beforeFirstRun('kvm-pfnmap', { kvm: '6.17' });
  const { vcpu } = stopped.c;
  assert.equal(hcrInGuest(stopped) & TVM, 0n);
  // As if the switch had been seen, so that the operations are what is judged.
  vcpu.tvm = false;
  doSetWay(stopped);
  assert.ok(vcpu.traps['DC CISW'] >= 2);
  assert.equal(vcpu.tvm, false);
  assert.equal(stopped.model.operations['DC CIVAC'], undefined);
});
