import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Firmware } from '../../../src/cpu/index';
import type { AbortFault } from '../../../src/memory/types';
import { plainFault, Rig } from './rig';

const PC = 0x4000_1000;

type Setup = Readonly<Record<string, number>>;

/** A machine with these field values, at a level. */
function machine(highestEl: 1 | 2 | 3, el: number, setup: Setup = {}): Rig {
  const rig = new Rig({ highestEl });
  if (highestEl === 3 && !('SCR_EL3.NS' in setup)) rig.set('SCR_EL3.NS', 1);
  for (const [field, value] of Object.entries(setup)) rig.set(field, value);
  return rig.at(el).pc(PC);
}

const call = {
  svc: (rig: Rig) => rig.cpu.svc(0x1234),
  hvc: (rig: Rig) => rig.cpu.hvc(0x1234),
  smc: (rig: Rig) => rig.cpu.smc(0x1234),
  brk: (rig: Rig) => rig.cpu.brk(0x1234),
  hlt: (rig: Rig) => rig.cpu.hlt(0x1234),
  udf: (rig: Rig) => rig.cpu.undefined(0),
  pc: (rig: Rig) => rig.cpu.pcAlignment(),
  illegal: (rig: Rig) => rig.cpu.illegalState(),
} as const;

const EC = { undefined: 0, illegal: 0x0e, svc: 0x15, hvc: 0x16, smc: 0x17, pc: 0x22, brk: 0x3c } as const;
const NEXT = PC + 4;
const TGE: Setup = { 'HCR_EL2.TGE': 1 };
const HCE: Setup = { 'SCR_EL3.HCE': 1 };

/** Instruction, highest level, level, setup -> target, class, return address. */
const rows: readonly [keyof typeof call, 1 | 2 | 3, number, Setup, number, number, number][] = [
  ['svc', 1, 0, {}, 1, EC.svc, NEXT],
  ['svc', 1, 1, {}, 1, EC.svc, NEXT],
  ['svc', 2, 0, TGE, 2, EC.svc, NEXT],
  ['svc', 2, 2, {}, 2, EC.svc, NEXT],
  ['svc', 3, 3, {}, 3, EC.svc, NEXT],
  ['svc', 3, 0, { ...TGE, 'SCR_EL3.NS': 0 }, 1, EC.svc, NEXT],
  ['hvc', 1, 1, {}, 1, EC.undefined, PC],
  ['hvc', 2, 0, {}, 1, EC.undefined, PC],
  ['hvc', 2, 1, {}, 2, EC.hvc, NEXT],
  ['hvc', 2, 2, {}, 2, EC.hvc, NEXT],
  ['hvc', 2, 1, { 'HCR_EL2.HCD': 1 }, 1, EC.undefined, PC],
  ['hvc', 2, 2, { 'HCR_EL2.HCD': 1 }, 2, EC.undefined, PC],
  ['hvc', 3, 1, {}, 1, EC.undefined, PC],
  ['hvc', 3, 1, HCE, 2, EC.hvc, NEXT],
  ['hvc', 3, 1, { ...HCE, 'HCR_EL2.HCD': 1 }, 2, EC.hvc, NEXT],
  ['hvc', 3, 1, { ...HCE, 'SCR_EL3.NS': 0 }, 1, EC.undefined, PC],
  ['hvc', 3, 3, HCE, 3, EC.hvc, NEXT],
  ['hvc', 3, 3, {}, 3, EC.undefined, PC],
  ['smc', 1, 1, {}, 1, EC.undefined, PC],
  ['smc', 2, 1, {}, 1, EC.undefined, PC],
  ['smc', 2, 1, { 'HCR_EL2.TSC': 1 }, 1, EC.undefined, PC],
  ['smc', 3, 0, {}, 1, EC.undefined, PC],
  ['smc', 3, 0, TGE, 2, EC.undefined, PC],
  ['smc', 3, 1, {}, 3, EC.smc, NEXT],
  ['smc', 3, 1, { 'HCR_EL2.TSC': 1 }, 2, EC.smc, PC],
  ['smc', 3, 1, { 'HCR_EL2.TSC': 1, 'SCR_EL3.SMD': 1 }, 2, EC.smc, PC],
  ['smc', 3, 1, { 'HCR_EL2.TSC': 1, 'SCR_EL3.NS': 0 }, 3, EC.smc, NEXT],
  ['smc', 3, 2, { 'SCR_EL3.SMD': 1 }, 2, EC.undefined, PC],
  ['smc', 3, 2, {}, 3, EC.smc, NEXT],
  ['smc', 3, 3, {}, 3, EC.smc, NEXT],
  ['brk', 1, 0, {}, 1, EC.brk, PC],
  ['brk', 2, 1, {}, 1, EC.brk, PC],
  ['brk', 2, 1, { 'MDCR_EL2.TDE': 1 }, 2, EC.brk, PC],
  ['brk', 2, 0, TGE, 2, EC.brk, PC],
  ['brk', 3, 3, { 'MDCR_EL2.TDE': 1 }, 3, EC.brk, PC],
  ['brk', 3, 1, { 'MDCR_EL2.TDE': 1, 'SCR_EL3.NS': 0 }, 1, EC.brk, PC],
  ['hlt', 1, 1, {}, 1, EC.undefined, PC],
  ['udf', 2, 0, {}, 1, EC.undefined, PC],
  ['udf', 2, 0, TGE, 2, EC.undefined, PC],
  ['udf', 2, 2, {}, 2, EC.undefined, PC],
  ['pc', 2, 0, {}, 1, EC.pc, PC],
  ['pc', 2, 0, TGE, 2, EC.pc, PC],
  ['pc', 3, 2, {}, 2, EC.pc, PC],
  ['illegal', 2, 0, TGE, 2, EC.illegal, PC],
  ['illegal', 3, 1, {}, 1, EC.illegal, PC],
];

for (const [name, highestEl, el, setup, target, ec, back] of rows) {
  test(`${name} at EL${el} of ${highestEl} with ${JSON.stringify(setup)}: EL${target}, EC 0x${ec.toString(16)}`, () => {
    const rig = machine(highestEl, el, setup);
    assert.equal(call[name](rig), 1);
    assert.equal(rig.cpu.state.el, target);
    assert.equal(rig.ec, ec);
    assert.equal(rig.iss, ec === 0 || ec === EC.pc || ec === EC.illegal ? 0 : 0x1234);
    assert.equal(rig.last.elrLo, back);
    assert.equal(rig.peek(`ELR_EL${target}`), BigInt(back));
    assert.equal(rig.peek(`ESR_EL${target}`), BigInt(rig.last.esr));
    assert.ok(rig.last.esr & 0x0200_0000, 'IL');
    assert.deepEqual(rig.levels, target === el ? [] : [[el, target]]);
  });
}

test('firmware behind HVC answers at EL1, is not reached from EL0, and leaves the PC to the next instruction', () => {
  let result: 0 | 1 = 0;
  const calls: number[] = [];
  const firmware: Firmware = {
    conduit: 'hvc',
    call: (core) => {
      calls.push(core);
      return result;
    },
  };
  const rig = new Rig({ highestEl: 1 }, { firmware }).at(1).pc(PC);
  assert.equal(rig.cpu.hvc(0), 0);
  assert.equal(rig.pcValue, PC);
  result = 1;
  assert.equal(rig.cpu.hvc(0), 1);
  assert.equal(rig.pcValue, NEXT);
  rig.at(0).pc(PC).cpu.hvc(0);
  assert.equal(rig.ec, EC.undefined);
  assert.deepEqual(calls, [0, 0]);
});

test('firmware behind SMC: HCR_EL2.TSC comes first', () => {
  let calls = 0;
  const firmware: Firmware = {
    conduit: 'smc',
    call: () => {
      calls++;
      return 0;
    },
  };
  const rig = new Rig({ highestEl: 2 }, { firmware }).at(1);
  assert.equal(rig.cpu.smc(0), 0);
  rig.set('HCR_EL2.TSC', 1);
  assert.equal(rig.at(1).cpu.smc(5), 1);
  assert.equal(rig.ec, EC.smc);
  assert.equal(rig.cpu.state.el, 2);
  assert.equal(rig.cpu.smc(0), 0);
  assert.equal(calls, 2);
});

test('HLT #0xf000 is a semihosting call where the machine takes it', () => {
  let result: -1 | 0 | 1 = 0;
  const rig = new Rig({ highestEl: 1 }, { semihosting: () => result }).at(1).pc(PC);
  assert.equal(rig.cpu.hlt(0xf000), 0);
  assert.equal(rig.pcValue, PC);
  result = 1;
  assert.equal(rig.cpu.hlt(0xf000), 1);
  assert.equal(rig.pcValue, NEXT);
  result = -1;
  rig.cpu.hlt(0xf000);
  assert.equal(rig.ec, EC.undefined);
});

// ---- aborts ----

const fault = (more: Partial<AbortFault>): AbortFault => ({ ...plainFault, ...more });

/** Fault, level, setup -> target, EC, ISS. */
const aborts: readonly [string, 'data' | 'fetch', Partial<AbortFault>, number, Setup, number, number, number][] = [
  ['translation level 2 read', 'data', { kind: 'translation', level: 2 }, 1, {}, 1, 0x25, 0x06],
  ['translation level 3 write from EL0', 'data', { kind: 'translation', level: 3, write: true }, 0, {}, 1, 0x24, 0x47],
  ['permission level 1 under TGE', 'data', { kind: 'permission', level: 1, write: true }, 0, TGE, 2, 0x24, 0x4d],
  ['access flag level 3', 'data', { kind: 'accessFlag', level: 3 }, 2, {}, 2, 0x25, 0x0b],
  ['address size level 0', 'data', { kind: 'addressSize', level: 0 }, 1, {}, 1, 0x25, 0x00],
  ['alignment', 'data', { kind: 'alignment', write: true }, 1, {}, 1, 0x25, 0x61],
  ['external', 'data', { kind: 'external' }, 1, {}, 1, 0x25, 0x10],
  ['external to EL3', 'data', { kind: 'external' }, 1, { 'SCR_EL3.EA': 1 }, 3, 0x24, 0x10],
  ['external at EL3 itself', 'data', { kind: 'external' }, 3, { 'SCR_EL3.EA': 1 }, 3, 0x25, 0x10],
  ['external on a walk', 'data', { kind: 'externalWalk', level: 1 }, 1, {}, 1, 0x25, 0x15],
  ['maintenance', 'data', { kind: 'translation', level: 3, cacheMaintenance: true }, 0, {}, 1, 0x24, 0x147],
  ['exclusive unsupported', 'data', { kind: 'unsupportedExclusive' }, 1, {}, 1, 0x25, 0x35],
  ['stage 2', 'data', { kind: 'translation', level: 2, stage2: true, ipa: 0x1_2345_6000 }, 1, {}, 2, 0x24, 0x06],
  ['stage 2 on a walk', 'data', { kind: 'permission', level: 3, stage2: true, s1ptw: true }, 1, {}, 2, 0x24, 0x8f],
  ['fetch translation', 'fetch', { kind: 'translation', level: 3 }, 1, {}, 1, 0x21, 0x07],
  ['fetch permission from EL0', 'fetch', { kind: 'permission', level: 3 }, 0, {}, 1, 0x20, 0x0f],
  ['fetch external to EL3', 'fetch', { kind: 'external' }, 2, { 'SCR_EL3.EA': 1 }, 3, 0x20, 0x10],
];

for (const [name, side, what, el, setup, target, ec, iss] of aborts) {
  test(`abort: ${name} at EL${el}`, () => {
    const rig = machine(3, el, setup);
    rig.fault = fault(what);
    rig.faultHi = 0xffff_0000;
    rig.faultLo = 0x1234_5678;
    assert.equal(side === 'data' ? rig.cpu.abort() : rig.cpu.fetchAbort(), 1);
    assert.deepEqual([rig.cpu.state.el, rig.ec, rig.iss], [target, ec, iss]);
    assert.equal(rig.peek(`FAR_EL${target}`), 0xffff_0000_1234_5678n);
    assert.deepEqual([rig.last.farHi, rig.last.farLo], [0xffff_0000, 0x1234_5678]);
    assert.equal(rig.peek(`ELR_EL${target}`), BigInt(PC));
    if (what.ipa !== undefined) assert.equal(rig.peek('HPFAR_EL2'), 0x123_4560n);
  });
}

test('a misaligned PC: FAR and ELR are the PC', () => {
  const rig = machine(1, 0).pc(0x4000_0002);
  rig.fault = fault({ kind: 'pcAlignment' });
  rig.cpu.fetchAbort();
  assert.equal(rig.ec, EC.pc);
  assert.equal(rig.peek('FAR_EL1'), 0x4000_0002n);
  assert.equal(rig.peek('ELR_EL1'), 0x4000_0002n);
});

test('SP alignment: SCTLR_EL1.SA0 at EL0, SA of the own level above', () => {
  for (const [el, field] of [
    [0, 'SCTLR_EL1.SA0'],
    [1, 'SCTLR_EL1.SA'],
    [2, 'SCTLR_EL2.SA'],
    [3, 'SCTLR_EL3.SA'],
  ] as const) {
    const others = { 'SCTLR_EL1.SA0': 1, 'SCTLR_EL1.SA': 1, 'SCTLR_EL2.SA': 1, 'SCTLR_EL3.SA': 1 };
    assert.equal(machine(3, el, { ...others, [field]: 0 }).cpu.spAlignment(), 0);
    const rig = machine(3, el, { [field]: 1 });
    assert.equal(rig.cpu.spAlignment(), 1);
    assert.equal(rig.ec, 0x26);
    assert.equal(rig.cpu.state.el, Math.max(el, 1));
  }
});

// ---- ERET ----

const returns: readonly [string, 1 | 2 | 3, number, number, Setup, boolean][] = [
  ['EL1 to EL0', 1, 1, 0x0, {}, true],
  ['EL1 to EL1t', 1, 1, 0x4, {}, true],
  ['EL1 to EL1h', 1, 1, 0x5, {}, true],
  ['EL1 to EL2', 2, 1, 0x9, {}, false],
  ['EL2 to EL1', 2, 2, 0x5, {}, true],
  ['EL2 to EL1 under TGE', 2, 2, 0x5, TGE, false],
  ['EL2 to EL0 under TGE', 2, 2, 0x0, TGE, true],
  ['EL3 to EL2', 3, 3, 0x9, { 'SCR_EL3.NS': 1 }, true],
  ['EL3 to EL2, Secure', 3, 3, 0x9, { 'SCR_EL3.NS': 0 }, false],
  ['EL3 to EL1, Secure, TGE', 3, 3, 0x5, { ...TGE, 'SCR_EL3.NS': 0 }, true],
  ['EL3 to EL1, TGE', 3, 3, 0x5, { ...TGE, 'SCR_EL3.NS': 1 }, false],
  ['EL0 with SP_EL1', 1, 1, 0x1, {}, false],
  ['reserved mode 2', 1, 1, 0x2, {}, false],
  ['reserved mode 6', 1, 1, 0x6, {}, false],
  ['AArch32', 1, 1, 0x10, {}, false],
  ['EL3 absent', 2, 2, 0xd, {}, false],
];

for (const [name, highestEl, el, mode, setup, legal] of returns) {
  test(`ERET ${name}: ${legal ? 'legal' : 'illegal'}`, () => {
    const rig = machine(highestEl, el, setup);
    rig.poke(`SPSR_EL${el}`, BigInt(0xa000_0080 | mode) & 0xffffffffn);
    rig.poke(`ELR_EL${el}`, 0xffff_0000_4321_0000n);
    const before = rig.cpu.state.spsel;
    assert.equal(rig.cpu.eret(), 1);
    assert.deepEqual([rig.cpu.state.pcHi, rig.cpu.state.pcLo], [0xffff_0000, 0x4321_0000]);
    assert.equal(rig.cpu.illegalPending, !legal);
    assert.equal(rig.cpu.state.el, legal ? mode >> 2 : el);
    assert.equal(rig.cpu.state.spsel, legal ? mode & 1 : before);
    assert.equal(rig.cpu.state.nzcv >>> 0, 0xa000_0000);
    assert.equal(rig.cpu.state.daif, 0x80);
    assert.equal(rig.cleared, 2, 'once at reset, once by ERET');
    assert.equal(rig.cpu.state.get('eventRegister'), 1);
  });
}

test('ERET at EL0 is UNDEFINED', () => {
  const rig = machine(1, 0);
  rig.cpu.eret();
  assert.equal(rig.ec, EC.undefined);
});

test('SPSR.IL is restored, and saved and cleared by the exception that it causes', () => {
  const rig = machine(1, 1);
  rig.poke('SPSR_EL1', 0x0010_0000n);
  rig.cpu.eret();
  assert.equal(rig.cpu.state.el, 0);
  assert.ok(rig.cpu.illegalPending);
  rig.cpu.illegalState();
  assert.equal(rig.peek('SPSR_EL1') & 0x0010_0000n, 0x0010_0000n);
  assert.ok(!rig.cpu.illegalPending);
});

test('ERET to a tagged address drops the tag where TBI says so', () => {
  const to = (elr: bigint, el: number, setup: Setup): bigint => {
    const rig = machine(2, el, setup);
    rig.poke(`SPSR_EL${el}`, el === 1 ? 0n : 9n);
    rig.poke(`ELR_EL${el}`, elr);
    rig.cpu.eret();
    return (BigInt(rig.cpu.state.pcHi) << 32n) | BigInt(rig.cpu.state.pcLo);
  };
  assert.equal(to(0x5a00_0000_4000_0000n, 1, {}), 0x5a00_0000_4000_0000n);
  assert.equal(to(0x5a00_0000_4000_0000n, 1, { 'TCR_EL1.TBI0': 1 }), 0x4000_0000n);
  assert.equal(to(0x5aff_0000_4000_0000n, 1, { 'TCR_EL1.TBI0': 1 }), 0x5aff_0000_4000_0000n);
  assert.equal(to(0x5aff_0000_4000_0000n, 1, { 'TCR_EL1.TBI1': 1 }), 0xffff_0000_4000_0000n);
  assert.equal(to(0x5aff_0000_4000_0000n, 2, { 'TCR_EL2.TBI': 1 }), 0x00ff_0000_4000_0000n);
});

test('stack pointers are banked by level and SPSel, SP_EL3 included', () => {
  const rig = new Rig({ highestEl: 3 });
  rig.set('SCR_EL3.NS', 1);
  const sp = (): number => rig.cpu.state.xLo(32);
  for (const el of [0, 1, 2, 3]) rig.cpu.state.setBankedSp(el, 0, 0x1000 + el);
  for (const [el, spsel] of [
    [3, 1],
    [2, 1],
    [1, 1],
    [0, 0],
    [1, 0],
    [2, 0],
    [3, 0],
    [3, 1],
  ]) {
    rig.at(el, spsel);
    assert.equal(sp(), 0x1000 + (spsel ? el : 0), `EL${el} SPSel ${spsel}`);
  }
  rig.at(1, 1).cpu.state.setX(32, 1, 0x7777);
  assert.equal(rig.cpu.peekSp(1), 0x1_0000_7777n);
  assert.equal(rig.cpu.peekSystem('SP_EL1'), 0x1_0000_7777n);
  rig.cpu.svc(0);
  rig.cpu.msrImmediate(0, 5, 0);
  assert.equal(sp(), 0x1000);
  rig.cpu.msrImmediate(0, 5, 1);
  assert.equal(sp(), 0x7777);
  assert.equal(rig.at(2).mrs('SP_EL1'), 0x1_0000_7777n);
  assert.ok(rig.msr('SP_EL1', 0x42n));
  rig.at(1);
  assert.equal(sp(), 0x42);
  assert.equal(rig.mrs('SP_EL1'), undefined, 'UNDEFINED at EL1');
});

test('SP_EL0 is UNDEFINED while it is the current SP', () => {
  const rig = machine(1, 1);
  assert.equal(rig.mrs('SP_EL0'), 0n);
  rig.cpu.msrImmediate(0, 5, 0);
  assert.equal(rig.mrs('SP_EL0'), undefined);
});
