/** DC IVAC hits the guest's watchpoints as a store to its whole line, with ISS.CM set; other cache maintenance does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElscopeMachine } from '../../../src/machine/machine';
import { presetConfig } from '../../../src/machine/presets';
import { nodePorts } from '../../../src/worker/nodePorts';

const CODE = 0x4000_0000;
const WATCHED = 0x4000_1020;

/** Watches stores to the doubleword at WATCHED from EL1, then executes `word` with X1 = the start of its 64-byte line. */
const program = (word: number): readonly number[] => [
  0x10004000, // adr x0, .+0x800
  0xd518c000, // msr vbar_el1, x0
  0xd2a80001, // mov x1, #0x40000000
  0xf2820001, // movk x1, #0x1000
  0x91008022, // add x2, x1, #0x20
  0xd51000c2, // msr dbgwvr0_el1, x2
  0x5283fe63, // mov w3, #0x1ff3 (E, EL1, stores, 8 bytes)
  0xd51000e3, // msr dbgwcr0_el1, x3
  0xd2940000, // mov x0, #0xa000 (KDE, MDE)
  0xd5100240, // msr mdscr_el1, x0
  0xd510109f, // msr oslar_el1, xzr
  0xd50348ff, // msr daifclr, #8
  0xd5033fdf, // isb
  word,
];

const cases: readonly [name: string, word: number, iss: bigint | undefined][] = [
  ['dc ivac, x1', 0xd5087621, 0x162n], // CM, WnR
  ['dc ivac, x2', 0xd5087622, 0x162n],
  ['str x3, [x2]', 0xf9000043, 0x62n],
  ['dc civac, x1', 0xd50b7e21, undefined],
  ['dc cvac, x1', 0xd50b7a21, undefined],
  ['dc ivac, x0', 0xd5087620, undefined], // elsewhere
];

for (const [name, word, iss] of cases)
  test(`${name} ${iss === undefined ? 'hits no watchpoint' : 'hits the watchpoint'}`, () => {
    const machine = new ElscopeMachine({ ...presetConfig('cortex-a57', 1), memoryBytes: 2 ** 24 }, nodePorts().wasm, {
      load: (m) => {
        m.memory.pokeView(CODE, new Uint8Array(Uint32Array.from([...program(word), 0x14000000]).buffer));
        m.memory.pokeView(CODE + 0xa00, new Uint8Array(Uint32Array.of(0x14000000).buffer)); // b .
        return { entry: CODE, x0: 0 };
      },
    });
    machine.run(100);
    const [unit] = machine.units;
    const esr = unit.peekSystem('ESR_EL1') ?? 0n;
    if (iss === undefined) {
      assert.equal(esr, 0n);
      return;
    }
    assert.equal(esr >> 26n, 0x35n, 'Watchpoint exception from the same level');
    assert.equal(esr & 0x1ff_ffffn, iss);
    assert.equal(unit.peekSystem('FAR_EL1'), BigInt(WATCHED));
    assert.equal(unit.peekSystem('ELR_EL1'), BigInt(CODE + 4 * (program(word).length - 1)));
  });
