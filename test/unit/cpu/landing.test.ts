/** BTypeCompatible: what a branch may come to in a guarded page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLandingPad } from '../../../src/cpu/landing';
import { coreOf, Rig } from './rig';

/** Instruction, and the values of BTYPE that may come to it, with SCTLR_ELx.BT 0 and 1. */
const rows: readonly [string, number, readonly number[], readonly number[]][] = [
  ['bti', 0xd503241f, [], []],
  ['bti c', 0xd503245f, [1, 2], [1, 2]],
  ['bti j', 0xd503249f, [1, 3], [1, 3]],
  ['bti jc', 0xd50324df, [1, 2, 3], [1, 2, 3]],
  ['paciasp', 0xd503233f, [1, 2, 3], [1, 2]],
  ['pacibsp', 0xd503237f, [1, 2, 3], [1, 2]],
  ['paciaz', 0xd503231f, [], []],
  ['brk #1', 0xd4200020, [1, 2, 3], [1, 2, 3]],
  ['hlt #1', 0xd4400020, [1, 2, 3], [1, 2, 3]],
  ['nop', 0xd503201f, [], []],
  ['ret', 0xd65f03c0, [], []],
  ['svc #0', 0xd4000001, [], []],
];
for (const [name, word, without, withBt] of rows)
  test(`${name}: ${without.join(' ') || 'nothing'}; with BT ${withBt.join(' ') || 'nothing'}`, () => {
    const from = (bt: boolean): number[] => [1, 2, 3].filter((type) => isLandingPad(word, type, () => bt));
    assert.deepEqual([from(false), from(true)], [without, withBt]);
    assert.deepEqual(
      [1, 2, 3].filter((type) => isLandingPad(word | 0, type, () => false)),
      without,
      'as a signed word',
    );
  });

test('the exception keeps BTYPE in SPSR and reports it; a landing clears it', () => {
  const rig = new Rig({ highestEl: 1, ...coreOf('max') }).at(0);
  const { state } = rig.cpu;
  state.others |= 2 << 10;
  assert.ok(!rig.cpu.land(true, 0xd503201f));
  assert.deepEqual([rig.ec, rig.last.esr & 0x1ffffff & ~(1 << 25), state.el], [0x0d, 2, 1]);
  assert.equal((rig.mrs('SPSR_EL1')! >> 10n) & 3n, 2n);
  assert.equal(state.others & 0xc00, 0);
  rig.cpu.eret();
  assert.equal(state.others & 0xc00, 2 << 10, 'an exception return restores it');
  assert.ok(rig.cpu.land(true, 0xd503245f));
  assert.equal(state.others & 0xc00, 0);
  state.others |= 3 << 10;
  assert.ok(rig.cpu.land(false, 0xd503201f), 'not a guarded page');
});

test('SCTLR_EL1.BT0 is of EL0, BT1 of EL1', () => {
  const PACIASP = 0xd503233f;
  for (const [el, field] of [
    [0, 'BT0'],
    [1, 'BT1'],
  ] as const) {
    const lands = (value: number): boolean => {
      const rig = new Rig({ highestEl: 1, ...coreOf('max') });
      rig.set(`SCTLR_EL1.${field}`, value);
      rig.at(el).cpu.state.others |= 3 << 10;
      return rig.cpu.land(true, PACIASP);
    };
    assert.deepEqual([lands(0), lands(1)], [true, false], field);
  }
});
