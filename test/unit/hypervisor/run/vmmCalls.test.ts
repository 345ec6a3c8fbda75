/** What guests ask of user space: the numbers that their header has, and what unmapping and VMIDs come to. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { SAMPLES } from '../../../../src/build/paths';
import { errnoNames, returnValue } from '../../../../src/hypervisor/errno';
import { capabilities, ccsidrId, sysregId } from '../../../../src/hypervisor/kvmApi';
import { AGEING, CLEANING, HOST_MEMORY, isVmmCall, VmmCall } from '../../../../src/hypervisor/run/vmmApi';
import { vmmCall } from '../../../../src/hypervisor/run/vmmCalls';
import type { LaunchOptions } from '../../../../src/machine/launch.types';
import type { ElscopeMachine } from '../../../../src/machine/machine';
import { launchSample } from '../../machine/samples';
import { beforeFirstRun, goUntil, type Stopped } from './stopped';

const common = (name: string): string => readFileSync(path.join(SAMPLES, 'common', name), 'utf8');
const header = common('hypercalls.h') + common('memory-calls.h');
const listOf = (name: string): string[] =>
  new RegExp(`enum ${name} \\{([^}]*)\\}`)
    .exec(header)?.[1]
    .split(',')
    .map((word) => word.trim()) ?? [];

test('hypercalls.h and memory-calls.h have the numbers of the model', () => {
  const numbers = new Map([...header.matchAll(/VMM_(\w+) = (0x\w+)u/g)].map(([, name, n]) => [name, BigInt(n)]));
  assert.deepEqual(Object.fromEntries(numbers), VmmCall);
  assert.ok([...numbers.values()].every(isVmmCall));
  assert.equal(isVmmCall(0xc600_0100n), false);
  assert.deepEqual(
    listOf('host_memory'),
    HOST_MEMORY.map((name) => `HOST_${name}`),
  );
  const defined = (name: string): bigint =>
    BigInt(new RegExp(`#define ${name} (\\w+?)(?:ul)?\\n`).exec(header)?.[1] ?? -1);
  assert.equal(listOf('ageing').length, Object.keys(AGEING).length);
  assert.equal(Number(defined('KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2')), capabilities.KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2);
  assert.equal(listOf('cleaning').length, Object.keys(CLEANING).length);
  assert.equal(defined('REG_CLIDR'), sysregId('CLIDR_EL1'));
  assert.equal(defined('REG_CTR'), sysregId('CTR_EL0'));
  assert.match(header, new RegExp(`REG_CCSIDR\\(csselr\\) \\(0x${ccsidrId(0).toString(16)}ul`));
  assert.equal(
    Number(defined('KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED')),
    capabilities.KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED,
  );
  for (const name of errnoNames)
    if (header.includes(`${name} = `)) assert.match(header, new RegExp(`${name} = ${-returnValue(name)}\\b`));
});

function ran(name: string, options: Partial<LaunchOptions>): ElscopeMachine {
  const machineFile = path.join(SAMPLES, `${name}.json`);
  const { machine, text } = launchSample(name, { memory: '128M', machine: machineFile, ...options });
  for (;;) {
    const stop = machine.run(1e6);
    if (stop.reason === 'exited') return machine;
    assert.equal(stop.reason, 'limit', text());
  }
}

test('a mapping that changes is forgotten at stage 2, on all cores, and nothing of a device is cleaned', () => {
  const { hypervisor } = ran('kvm-pfnmap', { kvm: '6.17' });
  assert.ok(hypervisor);
  assert.equal(hypervisor.operations['TLBI IPAS2E1IS'], 6, 'one page and its two tables, twice');
  assert.equal(hypervisor.operations['DC CIVAC'], undefined, 'FWB, and no mapping to clean through');
  const faults = hypervisor.faults.filter(({ ipa }) => ipa === 0x8000_0000);
  assert.equal(faults.length, 3, 'mapped, and again after each change');
});

test('VMIDs begin anew where they are used up, and a VM that sleeps meanwhile gets another one', () => {
  const { hypervisor } = ran('kvm-vpipt', { kvm: '6.8' });
  assert.ok(hypervisor);
  assert.equal(hypervisor.vmids.generation, 4);
  assert.equal(hypervisor.vms[0].vmid, 1);
  assert.equal(hypervisor.operations['TLBI ALLE1IS'], 3);
});

test('a slot that KVM refuses is an error of the ioctl, and not there for the guest', () => {
  const { hypervisor } = ran('kvm-pfnmap', { kvm: '6.17' });
  assert.deepEqual(hypervisor?.userSpace.ioctls, [
    { vm: 1, call: 'KVM_SET_USER_MEMORY_REGION slot 2', errno: 'EFAULT' },
  ]);
  assert.equal(hypervisor?.vms[0].slotOf(2 ** 40), undefined);
  assert.match(hypervisor?.log.join('\n') ?? '', /^vmm \[1\]: KVM_SET_USER_MEMORY_REGION slot 2: EFAULT$/m);
});

test('a program of the host reads CTR_EL0 at EL0 as the host says that it does, and leaves the guest as it was', () => {
  const { machine, text } = launchSample('kvm-vpipt', {
    memory: '128M',
    machine: path.join(SAMPLES, 'kvm-vpipt.json'),
  });
  while (machine.run(1e6).reason === 'limit');
  const seen = [...text().matchAll(/^after: a program of the host reads (\w+) on core (\d)/gm)];
  assert.deepEqual(
    seen.map(([, value, core]) => [Number(core), BigInt(value)]),
    [0, 1].map((core) => [core, machine.hypervisor?.host.el0Ctr(core)]),
  );
  assert.match(text(), /the first VMID again/);
});

/** What a hypercall of the vCPU gives: X0 as a signed number, and X1. */
function call({ c }: Stopped, id: bigint, x1 = 0n, x2 = 0n): readonly [number, bigint] {
  c.vcpu.x.splice(0, 3, id, x1, x2);
  vmmCall.steps[0].run(c, {});
  return [Number(BigInt.asIntN(64, c.vcpu.x[0])), c.vcpu.x[1]];
}
const ioctls = (stopped: Stopped) => ({
  get: (id: bigint) => call(stopped, VmmCall.GET_ONE_REG, id),
  set: (id: bigint, value: bigint) => call(stopped, VmmCall.SET_ONE_REG, id, value)[0],
});
const [CTR, CLIDR] = [sysregId('CTR_EL0'), sysregId('CLIDR_EL1')];
const IDC = 1n << 28n;
const EINVAL = -22;

test('A0: CTR_EL0, CLIDR_EL1 and CCSIDR_EL1 are each held against the host, never against each other', () => {
  const stopped = beforeFirstRun('kvm-pfnmap', { kvm: '6.17' });
  const { get, set } = ioctls(stopped);
  const host = get(CTR)[1];
  assert.notEqual(host & IDC, 0n, 'the host has IDC');
  const clidr = get(CLIDR)[1];
  const ccsidr = get(ccsidrId(0))[1];
  // The VM needs cleaning to the PoU now, and has smaller lines; its topology still says otherwise and may be written so.
  const poorer = (host & ~IDC & ~0xf_000fn) | 0x3_0003n;
  assert.equal(set(CTR, poorer), 0);
  assert.deepEqual(get(CTR), [0, poorer]);
  assert.deepEqual(
    [get(CLIDR), get(ccsidrId(0))],
    [
      [0, clidr],
      [0, ccsidr],
    ],
  );
  assert.equal(set(CLIDR, clidr), 0, 'LoUIS = LoUU = 0');
  assert.equal(set(ccsidrId(0), ccsidr - 1n), EINVAL, 'lines that the VM has, and the host has not');
  // And the other way: a topology that needs cleaning does not keep CTR_EL0 down.
  assert.equal(set(CLIDR, 0x0a20_0023n), 0);
  assert.equal(set(CTR, host), 0);
});

test('A0: one CTR_EL0 for all vCPUs of a VM, which no vCPU changes once one has run', () => {
  const stopped = beforeFirstRun('kvm-isolation', { kvm: '6.17' });
  const { model, c } = stopped;
  const { get, set } = ioctls(stopped);
  const host = get(CTR)[1];
  const lower = host - 1n;
  assert.equal(set(CTR, lower), 0);
  const [first, second] = c.queue;
  c.thread = second;
  assert.equal(c.vcpu.index, 1);
  assert.deepEqual(get(CTR), [0, lower]);
  c.thread = first;
  goUntil(stopped, () => model.vms[0].hasRun);
  c.thread = second;
  assert.deepEqual([set(CTR, lower), set(CTR, host)], [0, -16]);
});

test('before v6.11 user space reads CTR_EL0 as it was when KVM started, whatever a late core does to it', () => {
  for (const kvm of ['6.1', '6.12']) {
    const stopped = beforeFirstRun('kvm-vpipt', { kvm });
    const { model } = stopped;
    assert.equal(model.host.onlineLate(1, model.registersOf(1)), 'online');
    assert.equal((model.host.sanitisedCtr >> 14n) & 3n, 2n);
    assert.equal((ioctls(stopped).get(CTR)[1] >> 14n) & 3n, 3n, kvm);
  }
});
