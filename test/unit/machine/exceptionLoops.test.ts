/** A core that takes one exception for ever is noticed, and one that works is not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LOOP_LENGTH, RETRY_LENGTH } from '../../../src/machine/exceptionLoops';
import { ElscopeMachine } from '../../../src/machine/machine';
import { presetConfig } from '../../../src/machine/presets';
import { nodePorts } from '../../../src/worker/nodePorts';

const BASE = 0x4000_0000;
const ports = nodePorts();

/** A machine with words of code at the start of RAM, entered at EL1. */
function machineWith(places: Readonly<Record<number, readonly number[]>>, highestEl: 1 | 2 = 1): ElscopeMachine {
  const config = { ...presetConfig('cortex-a57', 1), memoryBytes: 16 * 2 ** 20, highestEl };
  return new ElscopeMachine(config, ports.wasm, {
    load: (m) => {
      for (const [at, words] of Object.entries(places))
        m.memory.pokeView(BASE + Number(at), new Uint8Array(Uint32Array.from(words).buffer));
      return { entry: BASE, x0: 0 };
    },
  });
}

const UDF = 0;
const SVC = 0xd4000001;
const NOP = 0xd503201f;
const ERET = 0xd69f03e0;
/** mov x0, #0x40000000; add x0, x0, #0x800; msr VBAR_EL1, x0 */
const SET_VBAR = [0xd2a80000, 0x91200000, 0xd518c000];
/** mov x1, #0x5000_0000_0000; mov sp, x1 */
const BAD_STACK = [0xd2ca0001, 0x9100003f];
/** stp x0, x1, [sp, #-16]! */
const PUSH = 0xa9bf07e0;
const VECTOR = 0x800 + 0x200;
const branch = (words: number): number => 0x14000000 | (words & 0x3ffffff);

describe('found', () => {
  test('vectors that are not there', () => {
    const machine = machineWith({ 0: [UDF] });
    const stop = machine.run(1_000_000);
    assert.equal(stop.reason, 'exceptionLoop');
    if (stop.reason !== 'exceptionLoop') return;
    assert.deepEqual([stop.core, stop.exception.elr, stop.exception.vector], [0, 0x200n, 0x200n]);
    assert.ok(machine.instructions() <= LOOP_LENGTH + 10);
    assert.equal(machine.run(100).reason, 'limit', 'it goes on when it is told to');
    assert.equal(machine.run(1_000_000).reason, 'exceptionLoop', 'and is found again');
  });

  test('a stack that cannot be written, further down each time', () => {
    const machine = machineWith({ 0: [...SET_VBAR, ...BAD_STACK, UDF], [VECTOR]: [NOP, PUSH] });
    const stop = machine.run(1_000_000);
    assert.equal(stop.reason, 'exceptionLoop');
    if (stop.reason === 'exceptionLoop') assert.equal(stop.exception.elr, BigInt(BASE + VECTOR + 4));
  });
});

describe('found as well', () => {
  const looping = (places: Readonly<Record<number, readonly number[]>>, limit = 1_000_000): ElscopeMachine => {
    const machine = machineWith(places);
    assert.equal(machine.run(limit).reason, 'exceptionLoop');
    return machine;
  };
  test('a handler that uses floating point while it is trapped', () => {
    // CPACR_EL1.FPEN is 0 at reset; fmov d0, x0
    looping({ 0: [...SET_VBAR, 0x9e670000], [VECTOR]: [NOP, 0x9e670000] });
  });
  test('a vector that calls', () => {
    looping({ 0: [...SET_VBAR, SVC], [VECTOR]: [SVC] });
    looping({ 0: [...SET_VBAR, SVC], [VECTOR]: [0xd4200000] }); // brk #0
  });
  test('a handler that returns to the instruction that faults', () => {
    // mov x1, #0x5000_0000_0000; ldr x0, [x1]
    const machine = looping({ 0: [...SET_VBAR, 0xd2ca0001, 0xf9400020], [VECTOR]: [ERET] }, 3_000_000);
    assert.ok(machine.instructions() > RETRY_LENGTH);
  });
});

describe('not found', () => {
  test('a handler that returns for long, and then has done its work', () => {
    // Counts X3 up to 1,000,000 less a few before it gives X1 an address that is there.
    const program = [...SET_VBAR, 0xd2ca0001, 0xd2800003, 0xd287cb04, 0xf2a001e4, 0xf9400020, branch(0)];
    // add x3, x3, #1; cmp x3, x4; b.lo +8; adr x1, .+4; eret
    const handler = [0x91000463, 0xeb04007f, 0x54000043, 0x10000021, ERET];
    const machine = machineWith({ 0: program, [VECTOR]: handler });
    assert.equal(machine.run(6_000_000).reason, 'limit');
    assert.equal(machine.units[0].pc(), BigInt(BASE + 4 * (program.length - 1)));
  });

  test('a handler that returns', () => {
    // mrs x2, ELR_EL1; add x2, x2, #4; msr ELR_EL1, x2; eret
    const handler = [0xd5384022, 0x91001042, 0xd5184022, ERET];
    const machine = machineWith({ 0: [...SET_VBAR, UDF, branch(-1)], [VECTOR]: handler });
    assert.equal(machine.run(200_000).reason, 'limit');
  });

  test('calls without a return, and faults with work between them', () => {
    const calls = machineWith({ 0: [...SET_VBAR, SVC], [VECTOR]: [branch(0x1000)], [VECTOR + 0x4000]: [SVC] });
    assert.equal(calls.run(200_000).reason, 'limit');
    const work = new Array<number>(80).fill(NOP);
    const slow = machineWith({ 0: [...SET_VBAR, UDF], [VECTOR]: [branch(0x1000)], [VECTOR + 0x4000]: [...work, UDF] });
    assert.equal(slow.run(2_000_000).reason, 'limit');
  });
});
