/** PSCI and SMCCC calls against a machine of four cores, two clusters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PsciPort, psciCall, psciFunctions } from '../../../src/devices/psci';

const AFFINITIES = [0x000n, 0x001n, 0x100n, 0x101n];

class Machine implements PsciPort {
  readonly states: ('on' | 'off' | 'pending')[] = ['on', 'off', 'off', 'pending'];
  readonly log: string[] = [];
  coreOf(affinity: bigint): number {
    return AFFINITIES.indexOf(affinity);
  }
  state(core: number): 'on' | 'off' | 'pending' {
    return this.states[core];
  }
  isEntry(address: bigint): boolean {
    return address < 1n << 40n;
  }
  cpuOn(core: number, entry: bigint, context: bigint): void {
    this.log.push(`on ${core} ${entry.toString(16)} ${context.toString(16)}`);
    this.states[core] = 'on';
  }
  cpuOff(core: number): void {
    this.log.push(`off ${core}`);
  }
  suspend(core: number): void {
    this.log.push(`suspend ${core}`);
  }
  systemOff(): void {
    this.log.push('system off');
  }
  systemReset(): void {
    this.log.push('system reset');
  }
}

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
function call(machine: Machine, id: number, a = 0n, b = 0n, c = 0n): bigint {
  return signed(psciCall(machine, 0, BigInt(id), [a, b, c]).x0);
}

test('CPU_ON by affinity, with entry and context', () => {
  const machine = new Machine();
  assert.equal(call(machine, 0xc4000003, 0x100n, 0x4020_0000n, 0x1234_5678_9abc_def0n), 0n);
  assert.deepEqual(machine.log, ['on 2 40200000 123456789abcdef0']);
  assert.equal(call(machine, 0xc4000003, 0x100n, 0n, 0n), -4n);
  assert.equal(call(machine, 0xc4000003, 0x101n, 0n, 0n), -5n);
  assert.equal(call(machine, 0xc4000003, 0x002n, 0n, 0n), -2n);
  assert.equal(call(machine, 0xc4000003, 0x8000_0001n, 0n, 0n), -2n, 'bits that are not affinity');
  assert.equal(call(machine, 0xc4000003, 0x001n, 1n << 50n, 0n), -9n);
  assert.equal(machine.log.length, 1);
});

test('32-bit calls take 32 bits of their arguments, and of the function', () => {
  const machine = new Machine();
  const high = 0xdead_0000_0000_0000n;
  assert.equal(call(machine, 0x84000003, 0x001n | high, 0x4000_0000n | high, 7n | high), 0n);
  assert.deepEqual(machine.log, ['on 1 40000000 7']);
  assert.equal(signed(psciCall(machine, 0, 0xffff_ffff_8400_0000n, [0n, 0n, 0n]).x0), 0x10001n);
});

test('states, and the calls that do not return', () => {
  const machine = new Machine();
  assert.deepEqual(
    AFFINITIES.map((affinity) => call(machine, 0xc4000004, affinity)),
    [0n, 1n, 1n, 2n],
  );
  assert.equal(call(machine, 0xc4000004, 0n, 1n), -2n);
  for (const id of [0x84000002, 0x84000001, 0x84000008, 0x84000009]) call(machine, id);
  assert.deepEqual(machine.log, ['off 0', 'suspend 0', 'system off', 'system reset']);
});

test('SYSTEM_RESET2 resets for the one type that there is; CPU_SUSPEND wants a power state that exists', () => {
  const machine = new Machine();
  assert.equal(call(machine, 0xc4000012, 1n), -2n);
  assert.equal(call(machine, 0x84000012, 0xffff_ffff_0000_0000n), 0n, 'a 32-bit call');
  assert.equal(call(machine, 0xc4000001, 0x0002_0000n), -2n);
  assert.equal(call(machine, 0xc4000001, 0x0001_0003n), 0n, 'power-down is taken for standby');
  assert.deepEqual(machine.log, ['system reset', 'suspend 0']);
});

test('FEATURES answers from the table', () => {
  const machine = new Machine();
  for (const row of psciFunctions) {
    const psci = (row.id >= 0x84000000 && row.name !== 'SYSTEM_OFF2') || row.name === 'SMCCC_VERSION';
    assert.equal(call(machine, 0x8400000a, BigInt(row.id)), psci ? 0n : -1n, row.name);
  }
  assert.equal(call(machine, 0x8400000a, 0xc4000003n), 0n);
  assert.equal(call(machine, 0x8400000a, 0xc4000008n), -1n, 'SYSTEM_OFF has no 64-bit form');
  assert.equal(call(machine, 0x8400000a, 0x84000005n), -1n, 'MIGRATE');
  assert.equal(call(machine, 0x80000000), 0x10001n);
  assert.equal(call(machine, 0x80000001, 0x80000001n), 0n);
  assert.equal(call(machine, 0x80000001, 0x80008000n), -1n);
  assert.equal(call(machine, 0x84000006), 2n);
});

test('SYSTEM_OFF2 is there in version 1.3: both numbers of the one type, with nothing beside it', () => {
  const machine = new Machine();
  const by = (version: number, ...[id, a, b]: readonly [bigint, bigint, bigint]): bigint =>
    signed(psciCall(machine, 0, id, [a, b, 0n], version).x0);
  const [features, off2] = [0x8400000an, 0xc4000015n];
  assert.deepEqual([by(0x10001, off2, 1n, 0n), by(0x10001, features, off2, 0n)], [-1n, -1n]);
  assert.deepEqual(
    [by(0x10003, off2, 2n, 0n), by(0x10003, off2, 1n, 1n), by(0x10003, features, off2, 0n)],
    [-2n, -2n, 1n],
  );
  assert.deepEqual(machine.log, []);
  assert.deepEqual([by(0x10003, off2, 0n, 0n), by(0x10003, off2, 1n, 0n)], [0n, 0n]);
  assert.deepEqual(machine.log, ['system off', 'system off']);
});

test('what is not known is not supported', () => {
  const answer = psciCall(new Machine(), 1, 0x86000000n, [0n, 0n, 0n]);
  assert.deepEqual(answer, { name: undefined, x0: 0xffff_ffff_ffff_ffffn });
});
