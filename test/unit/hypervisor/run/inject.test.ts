/** Exceptions that KVM gives a guest: their class by the level that they come from, and PSTATE at the handler. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VendorCall } from '../../../../src/hypervisor/run/exits';
import { call, code, load, type Operation, type Result, run, script, store, until } from './scriptGuest';

const AT = 0x4010_0000;
const HOLE = 0x9000_0000;
/** More than the 40 bits of a VM, less than the 44 of a Cortex-A57. */
const BEYOND = 2 ** 41;
const settings = { kvm: '6.12', vms: [{ memory: '8M', vcpus: [{ core: 0 }] }] };

/** msr spsr_el1, xzr; adr x11, el0; msr elr_el1, x11; eret; el0: what is given. */
const atEl0 = (...words: readonly number[]): number[] => [0xd518_401f, 0x1000_006b, 0xd518_402b, 0xd69f_03e0, ...words];
/** br x1; ldr x2, [x1]. */
const BR_X1 = 0xd61f_0020;
const LDR_X1 = 0xf940_0022;

function ran(operations: readonly Operation[]): Result[] {
  const s = script(settings, operations);
  s.finish();
  return s.results();
}
const classOf = ({ esr }: Result): number => Number(esr >> 26n);
const lastOf = (results: readonly Result[]): Result => results[results.length - 1];
const at = (words: readonly number[], x1: number): Operation[] => [...code(AT, words), run(AT, x1)];

const MOV_X0_X2 = 0xaa02_03e0;
const RET = 0xd65f_03c0;
const LATER = AT + 0x1000;

describe('aborts of a guest at EL0 and at EL1', () => {
  test('fetch outside of memory: 0x20 from EL0, 0x21 from EL1', () => {
    const fromEl0 = lastOf(ran(at(atEl0(BR_X1), HOLE)));
    assert.deepEqual([classOf(fromEl0), fromEl0.esr & 0x3fn], [0x20, 0x10n]);
    assert.equal(classOf(lastOf(ran([run(HOLE)]))), 0x21);
  });
  test('data beyond the VM\u2019s addresses: 0x24 from EL0, 0x25 from EL1', () => {
    const fromEl0 = lastOf(ran(at(atEl0(LDR_X1), BEYOND)));
    assert.deepEqual([classOf(fromEl0), fromEl0.esr & 0x3fn], [0x24, 0x10n]);
    assert.equal(classOf(lastOf(ran([load(BEYOND)]))), 0x25);
  });
});

test('flags are at the handler as they were', () => {
  const negative = at(atEl0(0xeb01_03ff, LDR_X1), BEYOND);
  // cset w0, mi
  const asked = [...code(LATER, [0x1a9f_57e0, RET]), ...negative, run(LATER)];
  assert.equal(lastOf(ran(asked)).x0, 1n);
});

test('software step stops behind an instruction that was emulated', () => {
  // The OS lock is off, vectors are the page's; MDSCR_EL1.{SS,KDE}; to EL1h with SPSR.SS, and debug exceptions not masked.
  const step = [
    ...[
      0xd510_109f, 0x10ff_ffe9, 0xd518_c009, 0xd284_0029, 0xd510_0249, 0xd503_3fdf, 0xd280_00a9, 0xf2a0_0409,
      0xb27a_0929,
    ],
    ...[0xd518_4009, 0x1000_0069, 0xd518_4029, 0xd69f_03e0],
  ];
  // mrs x2, ccsidr_el1; mov x0, #1; mov x0, #2
  const stepped = [0xd539_0002, 0xd280_0020, 0xd280_0040];
  // msr mdscr_el1, xzr; mrs x1, elr_el1; back to the caller
  const handler = [0xd510_025f, 0xd538_4021, 0xd280_78a9, 0xd518_4009, 0xd518_403e, 0xd69f_03e0];
  const { x1 } = lastOf(ran([...code(AT + 0x200, handler), ...code(AT, [...step, ...stepped]), run(AT)]));
  assert.equal(x1, BigInt(AT + 4 * (step.length + 1)));
});

describe('accesses of a guest to a device', () => {
  /** UARTPCellID3 is 0xb1. */
  const CELL_ID = 0x0900_0ffc;
  const read = (word: number): bigint => lastOf(ran(at([word, MOV_X0_X2, RET], CELL_ID))).x0;

  test('loads extend as the instruction says', () => {
    assert.equal(read(0x3940_0022), 0xb1n, 'ldrb w2');
    assert.equal(read(0x3980_0022), 0xffff_ffff_ffff_ffb1n, 'ldrsb x2');
    assert.equal(read(0x39c0_0022), 0xffff_ffb1n, 'ldrsb w2');
    assert.equal(read(0xb980_0022), 0xb1n, 'ldrsw x2');
  });
  test('KVM_RUN is ENOSYS where ESR_EL2 does not describe the instruction: ldr x2, [x1], #8', () => {
    const s = script(settings, at([0xf840_8422, RET], HOLE));
    const ended = s.finish();
    assert.deepEqual(ended, { reason: 'exited', code: 1, how: 'KVM_RUN of vm1/vcpu0 failed: ENOSYS' });
    assert.deepEqual(
      s.model.userSpace.errors.map(({ vcpu, errno }) => [vcpu, errno]),
      [['vm1/vcpu0', 'ENOSYS']],
    );
  });
});

test('a vCPU whose KVM_RUN fails ends its VM, and nothing else', () => {
  const vms = [
    { memory: '4M', vcpus: [{ core: 0 }, { core: 1 }] },
    { memory: '4M', vcpus: [{ core: 1 }] },
  ];
  const [isOn, never] = [0x4020_0000, 0x4020_0008];
  const forEver = [store(isOn, 1), until(never, 1)];
  const fails = [until(isOn, 1), ...at([0xf840_8422, RET], HOLE)];
  const s = script({ kvm: '6.12', cores: [{}, {}], vms }, fails, forEver);
  const list = [...Array.from({ length: 2000 }, () => call(VendorCall.YIELD)), call(VendorCall.CORE)];
  s.second(0x4140_0000, list);
  assert.equal(s.finish().reason, 'exited');
  assert.equal(lastOf(s.secondResults(list)).x0, 1n, 'the other VM came to its end');
});
