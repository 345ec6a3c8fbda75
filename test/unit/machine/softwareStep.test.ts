/** ISS.EX of a Software Step exception: whether a load exclusive was stepped. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElscopeMachine } from '../../../src/machine/machine';
import { presetConfig } from '../../../src/machine/presets';
import { nodePorts } from '../../../src/worker/nodePorts';

const CODE = 0x4000_0000;

/** Steps one instruction at EL1; X1 is the address of some memory. */
const program = (word: number): readonly number[] => [
  0x10004000, // adr x0, .+0x800
  0xd518c000, // msr vbar_el1, x0
  0xd2a80001, // mov x1, #0x40000000
  0xf2820001, // movk x1, #0x1000
  0xd2840020, // mov x0, #0x2001 (KDE, SS)
  0xd5100240, // msr mdscr_el1, x0
  0xd28038a0, // mov x0, #0x1c5
  0xf2a00400, // movk x0, #0x20, lsl #16 (PSTATE.SS, EL1h, D clear)
  0xd5184000, // msr spsr_el1, x0
  0x100000a0, // adr x0, .+20
  0xd5184020, // msr elr_el1, x0
  0xd510109f, // msr oslar_el1, xzr
  0xd5033fdf, // isb
  0xd69f03e0, // eret
  word,
];

const stepped: readonly [name: string, word: number, exclusive: boolean][] = [
  ['ldxr x2, [x1]', 0xc85f7c22, true],
  ['ldaxrb w2, [x1]', 0x085ffc22, true],
  ['ldaxp x2, x3, [x1]', 0xc87f8c22, true],
  ['ldar x2, [x1]', 0xc8dffc22, false],
  ['stxr w4, x2, [x1]', 0xc8047c22, false],
  ['caspa x2, x3, x4, x5, [x1]', 0x48627c24, false],
  ['nop', 0xd503201f, false],
];

for (const [name, word, exclusive] of stepped)
  test(`${name} is ${exclusive ? 'a load exclusive' : 'none'}`, () => {
    const machine = new ElscopeMachine({ ...presetConfig('max', 1), memoryBytes: 2 ** 24 }, nodePorts().wasm, {
      load: (m) => {
        m.memory.pokeView(CODE, new Uint8Array(Uint32Array.from(program(word)).buffer));
        m.memory.pokeView(CODE + 0xa00, new Uint8Array(Uint32Array.of(0x14000000).buffer)); // b .
        return { entry: CODE, x0: 0 };
      },
    });
    machine.run(100);
    const esr = machine.units[0].peekSystem('ESR_EL1') ?? 0n;
    assert.equal(esr >> 26n, 0x33n, 'Software Step exception from the same level');
    assert.equal((esr >> 6n) & 1n, exclusive ? 1n : 0n);
  });
