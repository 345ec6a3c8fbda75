/** Guests for the fake machine, written by hand. Addresses are offsets from RAM_BASE. */
import type { Launched } from '../../src/machine/launch.types';
import { addi, assemble, branch, call, label, ldr, movz, op, str } from './asm';
import { FakeMachine, RAM_BASE } from './fakeMachine';

const at = (offset: number): bigint => RAM_BASE + BigInt(offset);

function machineOf(words: readonly number[], cores: number, prepare: (m: FakeMachine) => void): Launched {
  const machine = new FakeMachine(cores, (m) => {
    m.write(RAM_BASE, new Uint8Array(Uint32Array.from(words).buffer));
    m.cores[0].cpu.pc = RAM_BASE;
    prepare(m);
  });
  return { machine, images: [], entry: RAM_BASE };
}

/** EL0 code that calls EL1 by SVC in a loop; vectors at 0x800, saving x0, x1, ELR and SPSR before the handler runs. */
export const levels = assemble([
  label('user'),
  movz(0, 7),
  op('SVC', { imm16: 3 }),
  label('after'),
  addi(2, 2, 1),
  branch('user'),
  label('@0x800'),
  label('vectors'),
  label('@0xc00'), // from a lower EL, synchronous
  branch('handler'),
  label('@0xc80'), // IRQ
  branch('handler'),
  label('@0x1000'),
  label('handler'),
  op('STP_pre', { sf: 1, Rt: 0, Rt2: 1, Rn: 31, imm7: -4 & 0x7f }),
  movz(0, 99),
  call('body'),
  label('restore'),
  op('LDP_post', { sf: 1, Rt: 0, Rt2: 1, Rn: 31, imm7: 4 }),
  op('ERET'),
  label('body'),
  addi(1, 1, 1),
  op('RET', { Rn: 30 }),
]);

/** Stores to 0x2000 in a loop, on as many cores as it has. */
export const stores = assemble([
  movz(1, 0x4000, 1),
  op('MOVK', { sf: 1, Rd: 1, imm16: 0x2000, hw: 0 }),
  label('loop'),
  addi(0, 0, 1),
  str(0, 1),
  ldr(3, 1),
  label('end'),
  branch('loop'),
]);

/** Runs `target` once, replaces its first instruction, and runs it again without any maintenance. */
export const stale = assemble([
  call('target'),
  movz(1, 0x4000, 1),
  op('MOVK', { sf: 1, Rd: 1, imm16: 0x40, hw: 0 }),
  movz(2, 0x0040),
  op('MOVK', { sf: 1, Rd: 2, imm16: 0xd280, hw: 1 }),
  label('store'),
  op('STR_imm_uoff', { size: 2, Rt: 2, Rn: 1 }),
  call('target'),
  label('stop'),
  branch('stop'),
  label('@0x40'),
  label('target'),
  movz(0, 1),
  op('RET', { Rn: 30 }),
]);

/** Writes "hi\n" to the UART, then ends by SMC. */
export const hello = assemble([
  movz(1, 0x0900, 1),
  movz(0, 0x68),
  str(0, 1),
  movz(0, 0x69),
  str(0, 1),
  movz(0, 0x0a),
  str(0, 1),
  op('SMC', { imm16: 0 }),
]);

const forever = assemble([label('loop'), branch('loop')]);
const waits = assemble([label('loop'), op('WFI'), branch('loop')]);

export const guests = {
  levels: () =>
    machineOf(levels.words, 1, (m) => {
      const { cpu } = m.cores[0];
      cpu.setPstate(0n);
      cpu.system.set('VBAR_EL1', at(levels.labels.vectors)).set('SP_EL1', at(0x9000)).set('SP_EL0', at(0xa000));
    }),
  stores: () =>
    machineOf(stores.words, 2, (m) => {
      m.cores[1].cpu.pc = RAM_BASE;
      m.cores[1].state = 'running';
    }),
  stale: () => machineOf(stale.words, 1, () => {}),
  hello: () => machineOf(hello.words, 1, () => {}),
  forever: () => machineOf(forever.words, 1, () => {}),
  waits: () => machineOf(waits.words, 1, () => {}),
} satisfies Readonly<Record<string, () => Launched>>;
