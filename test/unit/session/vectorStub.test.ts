import assert from 'node:assert/strict';
import { test } from 'node:test';
import { branchTargets, entryCode, stubState } from '../../../src/session/vectorStub';
import { type Assembled, addi, assemble, branch, call, label, movz, op } from '../../fakes/asm';

const BASE = 0x8000n;
const SP = 31;
const mrs = (Rt: number, CRm: number, op2: number) => op('MRS', { o0: 1, op1: 0, CRn: 4, CRm, op2, Rt });
const stp = (Rt: number, Rt2: number, imm7: number) => op('STP_off', { sf: 1, Rt, Rt2, Rn: SP, imm7 });

const program = assemble([
  label('@0x400'), // a lower EL, synchronous
  op('SUB_imm', { sf: 1, Rd: SP, Rn: SP, imm12: 64 }),
  stp(0, 1, 0),
  branch('save'),
  label('@0x480'), // IRQ
  branch('save'),
  label('@0x800'),
  label('save'),
  stp(2, 3, 2),
  mrs(2, 0, 1), // ELR
  mrs(3, 0, 0), // SPSR
  stp(2, 3, 4),
  movz(5, 1),
  stp(4, 5, 6),
  call('handler'),
  label('back'),
  op('LDP_off', { sf: 1, Rt: 4, Rt2: 6, Rn: SP, imm7: 6 }),
  op('LDP_off', { sf: 1, Rt: 0, Rt2: 1, Rn: SP, imm7: 0 }),
  label('restored'),
  op('LDP_post', { sf: 1, Rt: 2, Rt2: 3, Rn: SP, imm7: 8 }),
  label('end'),
  op('ERET'),
  label('handler'),
  addi(1, 1, 1),
]);
const reader =
  ({ words }: Assembled) =>
  (address: bigint): number | undefined =>
    words[Number(address - BASE) / 4];
const at = (name: string): bigint => BASE + BigInt(program.labels[name]);
const state = (name: string) => stubState(BASE, 8, at(name), reader(program));

test('the targets of unconditional branches in the table are the handlers', () => {
  assert.deepEqual(branchTargets(BASE, reader(program)), [at('save')]);
});

test('saves, the system registers among them, by offset from the stack pointer at the vector', () => {
  const found = state('back');
  assert.equal(found?.slot, 8);
  assert.equal(found?.spDelta, -64n);
  assert.deepEqual(Object.fromEntries([...(found?.saved ?? [])].map(([name, offset]) => [name, Number(offset)])), {
    0: -64,
    1: -56,
    2: -48,
    3: -40,
    elr: -32,
    spsr: -24,
    4: -16,
  });
});

test('what a call or a move has overwritten is lost, callee-saved registers are not', () => {
  const lost = state('back')?.lost;
  for (const n of [0, 5, 17, 30]) assert.equal(lost?.has(n), true, `x${n}`);
  for (const n of [19, 29]) assert.equal(lost?.has(n), false, `x${n}`);
});

test('a restore from the register’s own place brings it back, another one does not', () => {
  const found = state('restored');
  assert.deepEqual(
    [0, 1, 4, 6].map((n) => found?.lost.has(n)),
    [false, false, false, true],
  );
  assert.equal(state('end')?.spDelta, 0n);
});

test('code that no slot reaches straight has no state', () => {
  assert.equal(state('handler'), undefined);
  const entries = entryCode(BASE, reader(program));
  assert.deepEqual(entries.get(BASE + 0x480n), [9]);
  assert.deepEqual(entries.get(at('back'))?.slice(0, 2), [8, 9]);
  assert.equal(entries.has(at('handler')), false);
});
