/** The hypervisor part of a machine file: what cannot be is said in one line, before anything runs or in place of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/base/errors';
import { launch } from '../../../src/machine/launch';
import type { LaunchOptions } from '../../../src/machine/launch.types';
import { nodePorts } from '../../../src/worker/nodePorts';

/** B . */
const PROGRAM = Uint8Array.of(0, 0, 0, 0x14);

function started(file: object, options: Partial<LaunchOptions> = {}) {
  const files: Readonly<Record<string, Uint8Array>> = {
    program: PROGRAM,
    machine: new TextEncoder().encode(JSON.stringify({ memory: '128M', ...file })),
  };
  const ports = nodePorts();
  const readFile = (path: string, what: string): Uint8Array => files[path] ?? ports.readFile(path, what);
  return launch({ program: 'program', machine: 'machine', ...options }, { ...ports, readFile }).machine;
}

function refusal(hypervisor: object, options: Partial<LaunchOptions> = {}): string {
  try {
    started({ hypervisor }, options);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return assert.fail('it is accepted');
}

test('more cores cannot boot with the host than there are', () => {
  assert.match(refusal({ bootCores: 4 }), /^4 cores are to boot with the host, and there are 1: /);
});

test('EL2 is the highest level under a host with KVM', () => {
  for (const el of [1, 3] as const) assert.match(refusal({}, { el }), new RegExp(`so that EL${el} cannot be`));
  started({ hypervisor: {} }, { el: 2 });
});

test('blocks are powers of two from 4K to 1G', () => {
  for (const mapSize of [0, 3, '3M', '2K', '2G']) {
    assert.match(refusal({ vms: [{ mapSize }] }), /"hypervisor.vms\[0\].mapSize": it must be a power of two/);
    assert.match(refusal({ vms: [{ slots: [{ at: '2G', size: '1M', mapSize }] }] }), /slots\[0\].mapSize": it must be/);
  }
});

test('KVM_CREATE_VM refuses less than 32 bits of addresses, and more than the host has', () => {
  const of = (ipaBits: number) => started({ hypervisor: { vms: [{ memory: '16M', ipaBits }] } });
  for (const ipaBits of [31, 45, 48, 255]) {
    const machine = of(ipaBits);
    assert.deepEqual(machine.run(1e6), { reason: 'exited', code: 1, how: 'vm1 cannot be created: EINVAL' });
    assert.deepEqual(machine.hypervisor?.log.slice(-1), [
      `vmm [1]: KVM_CREATE_VM with ${ipaBits} bits of addresses: EINVAL`,
    ]);
  }
  for (const ipaBits of [32, 44]) {
    const machine = of(ipaBits);
    assert.equal(machine.run(1e5).reason, 'limit');
    const vtcr = machine.hypervisor?.cores[0].read('VTCR_EL2') ?? 0n;
    assert.equal(64n - (vtcr & 0x3fn), BigInt(ipaBits));
  }
});

test('a guest whose memory KVM refuses does not run', () => {
  const machine = started({ hypervisor: { vms: [{ memory: 2 ** 24 + 1 }] } });
  assert.deepEqual(machine.run(1e6), { reason: 'exited', code: 1, how: 'vm1 has no memory: slot 0 was refused' });
  assert.deepEqual(machine.hypervisor?.log.slice(-2), [
    'vmm [1]: KVM_SET_USER_MEMORY_REGION slot 0: EINVAL',
    'vmm [1]: slot 0 was refused',
  ]);
});
