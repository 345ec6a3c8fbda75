import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRegisters } from '../../../src/arch/sysregs/index';
import type { CpuFacts } from '../../../src/cpu/index';
import { coreOf, Rig } from './rig';

type Setup = Readonly<Record<string, number>>;

function machine(highestEl: 1 | 2 | 3, el: number, setup: Setup = {}, facts: Partial<CpuFacts> = {}): Rig {
  const rig = new Rig({ highestEl, ...facts });
  if (highestEl === 3 && !('SCR_EL3.NS' in setup)) rig.set('SCR_EL3.NS', 1);
  for (const [field, value] of Object.entries(setup)) rig.set(field, value);
  return rig.at(el);
}

/** What an access came to: 'ok', 'undefined', or 'ELn' for a trap with EC 0x18. */
function outcome(rig: Rig, name: string, access: 'read' | 'write'): string {
  const key = Rig.key(name);
  const taken = access === 'read' ? rig.cpu.systemRead(key) : rig.cpu.systemWrite(key);
  if (taken === 0) return 'ok';
  return rig.ec === 0 ? 'undefined' : rig.ec === 0x18 ? `EL${rig.cpu.state.el}` : `EC ${rig.ec}`;
}

const UCT = { 'SCTLR_EL1.UCT': 1 };
const TID2 = { 'HCR_EL2.TID2': 1 };
const TGE = { 'HCR_EL2.TGE': 1 };
const TID4 = { 'HCR_EL2.TID4': 1 };
const A57 = {};
/** A core with every modelled extension (FEAT_EVT, FEAT_IDST, FEAT_PAN2). */
const MAX = coreOf('max');

/** Highest level, level, setup, register, access, outcome, core. In the order of the manual's accessors. */
const rows: readonly [1 | 2 | 3, number, Setup, string, 'read' | 'write', string, Partial<CpuFacts>?][] = [
  // CTR_EL0: SCTLR_EL1.UCT first (EL1, or EL2 under TGE), then TID2.
  [1, 0, {}, 'CTR_EL0', 'read', 'EL1'],
  [1, 0, UCT, 'CTR_EL0', 'read', 'ok'],
  [2, 0, { ...TID2 }, 'CTR_EL0', 'read', 'EL1'],
  [2, 0, { ...TID2, ...UCT }, 'CTR_EL0', 'read', 'EL2'],
  [2, 0, TGE, 'CTR_EL0', 'read', 'EL2'],
  [2, 0, { ...TGE, ...UCT }, 'CTR_EL0', 'read', 'ok'],
  [2, 1, TID2, 'CTR_EL0', 'read', 'EL2'],
  [2, 1, TID4, 'CTR_EL0', 'read', 'ok', MAX],
  [2, 2, TID2, 'CTR_EL0', 'read', 'ok'],
  [3, 1, { ...TID2, 'SCR_EL3.NS': 0 }, 'CTR_EL0', 'read', 'ok'],
  [3, 3, TID2, 'CTR_EL0', 'read', 'ok'],
  [1, 1, {}, 'CTR_EL0', 'write', 'undefined'],
  // CCSIDR_EL1, CLIDR_EL1, CSSELR_EL1: TID2, and TID4 with FEAT_EVT; EL0 has no access.
  [2, 1, {}, 'CCSIDR_EL1', 'read', 'ok'],
  [2, 1, TID2, 'CCSIDR_EL1', 'read', 'EL2'],
  [2, 1, TID4, 'CCSIDR_EL1', 'read', 'EL2', MAX],
  [2, 1, TID2, 'CLIDR_EL1', 'read', 'EL2'],
  [2, 1, TID4, 'CLIDR_EL1', 'read', 'EL2', MAX],
  [2, 1, TID2, 'CSSELR_EL1', 'read', 'EL2'],
  [2, 1, TID2, 'CSSELR_EL1', 'write', 'EL2'],
  [2, 1, TID4, 'CSSELR_EL1', 'write', 'EL2', MAX],
  [2, 2, TID2, 'CCSIDR_EL1', 'read', 'ok'],
  [2, 0, TID2, 'CCSIDR_EL1', 'read', 'undefined'],
  [2, 0, {}, 'CCSIDR_EL1', 'read', 'EL1', MAX],
  [2, 0, TGE, 'CCSIDR_EL1', 'read', 'EL2', MAX],
  [2, 1, TID2, 'CCSIDR_EL1', 'write', 'undefined'],
  [1, 1, {}, 'CCSIDR2_EL1', 'read', 'undefined', A57],
  [1, 1, {}, 'CCSIDR2_EL1', 'read', 'ok', { features: new Set(['FEAT_CCIDX']) }],
  [2, 0, {}, 'DCZID_EL0', 'read', 'ok'],
  // TVM and TRVM
  [2, 1, { 'HCR_EL2.TVM': 1 }, 'SCTLR_EL1', 'read', 'ok'],
  [2, 1, { 'HCR_EL2.TVM': 1 }, 'SCTLR_EL1', 'write', 'EL2'],
  [2, 1, { 'HCR_EL2.TRVM': 1 }, 'TTBR0_EL1', 'read', 'EL2'],
  [2, 1, { 'HCR_EL2.TRVM': 1 }, 'TTBR0_EL1', 'write', 'ok'],
  [2, 2, { 'HCR_EL2.TRVM': 1 }, 'TTBR0_EL1', 'read', 'ok'],
  // ID groups
  [2, 1, { 'HCR_EL2.TID3': 1 }, 'ID_AA64MMFR0_EL1', 'read', 'EL2'],
  [2, 1, { 'HCR_EL2.TID3': 1 }, 'MIDR_EL1', 'read', 'ok'],
  [2, 1, { 'HCR_EL2.TID1': 1 }, 'REVIDR_EL1', 'read', 'EL2'],
  [2, 0, {}, 'MIDR_EL1', 'read', 'undefined'],
  [2, 0, {}, 'MIDR_EL1', 'read', 'EL1', MAX],
  // levels that are not there, or higher
  [1, 1, {}, 'HCR_EL2', 'read', 'undefined'],
  [2, 1, {}, 'HCR_EL2', 'read', 'undefined'],
  [2, 2, {}, 'HCR_EL2', 'write', 'ok'],
  [2, 2, {}, 'SCR_EL3', 'read', 'undefined'],
  [3, 3, {}, 'SCR_EL3', 'write', 'ok'],
  [2, 2, {}, 'RVBAR_EL1', 'read', 'undefined'],
  [2, 2, {}, 'RVBAR_EL2', 'read', 'ok'],
  [1, 1, {}, 'RVBAR_EL1', 'read', 'ok'],
  [2, 2, {}, 'RMR_EL1', 'write', 'undefined'],
  // two controls in a row: CPTR_EL2 before CPTR_EL3
  [3, 1, { 'CPTR_EL2.TCPAC': 1, 'CPTR_EL3.TCPAC': 1 }, 'CPACR_EL1', 'read', 'EL2'],
  [3, 1, { 'CPTR_EL3.TCPAC': 1 }, 'CPACR_EL1', 'read', 'EL3'],
  [3, 2, { 'CPTR_EL3.TCPAC': 1 }, 'CPACR_EL1', 'write', 'EL3'],
  [3, 3, { 'CPTR_EL3.TCPAC': 1 }, 'CPACR_EL1', 'write', 'ok'],
  // EL0
  [1, 0, {}, 'DAIF', 'read', 'EL1'],
  [1, 0, { 'SCTLR_EL1.UMA': 1 }, 'DAIF', 'write', 'ok'],
  [1, 0, {}, 'NZCV', 'write', 'ok'],
  [1, 0, {}, 'TPIDRRO_EL0', 'read', 'ok'],
  [1, 0, {}, 'TPIDRRO_EL0', 'write', 'undefined'],
  [1, 0, {}, 'SPSel', 'read', 'undefined'],
  [1, 0, {}, 'CurrentEL', 'read', 'undefined'],
  // timers
  [1, 0, {}, 'CNTVCT_EL0', 'read', 'EL1'],
  [1, 0, { 'CNTKCTL_EL1.EL0VCTEN': 1 }, 'CNTVCT_EL0', 'read', 'ok'],
  [1, 0, { 'CNTKCTL_EL1.EL0VCTEN': 1 }, 'CNTFRQ_EL0', 'read', 'ok'],
  [1, 0, {}, 'CNTFRQ_EL0', 'read', 'EL1'],
  [1, 0, { 'CNTKCTL_EL1.EL0PCTEN': 1 }, 'CNTPCT_EL0', 'read', 'ok'],
  [2, 0, { 'CNTKCTL_EL1.EL0PCTEN': 1, 'CNTHCTL_EL2.EL1PCTEN': 0 }, 'CNTPCT_EL0', 'read', 'EL2'],
  [2, 1, { 'CNTHCTL_EL2.EL1PCTEN': 0 }, 'CNTPCT_EL0', 'read', 'EL2'],
  [1, 1, { 'CNTHCTL_EL2.EL1PCTEN': 0 }, 'CNTPCT_EL0', 'read', 'ok'],
  [2, 1, { 'CNTHCTL_EL2.EL1PCEN': 0 }, 'CNTP_CTL_EL0', 'write', 'EL2'],
  [2, 1, { 'CNTHCTL_EL2.EL1PCEN': 0 }, 'CNTV_CTL_EL0', 'write', 'ok'],
  [1, 1, {}, 'CNTFRQ_EL0', 'write', 'ok'],
  [2, 1, {}, 'CNTFRQ_EL0', 'write', 'undefined'],
  [3, 1, { 'SCR_EL3.NS': 0 }, 'CNTPS_CTL_EL1', 'read', 'EL3'],
  [3, 1, { 'SCR_EL3.NS': 0, 'SCR_EL3.ST': 1 }, 'CNTPS_CTL_EL1', 'read', 'ok'],
  [3, 1, { 'SCR_EL3.ST': 1 }, 'CNTPS_CTL_EL1', 'read', 'undefined'],
  [3, 2, { 'SCR_EL3.ST': 1 }, 'CNTPS_CTL_EL1', 'read', 'undefined'],
  [3, 3, {}, 'CNTPS_CTL_EL1', 'read', 'ok'],
  // debug and performance monitors
  [2, 1, { 'MDCR_EL2.TDA': 1 }, 'MDSCR_EL1', 'write', 'EL2'],
  [3, 1, { 'MDCR_EL3.TDA': 1 }, 'MDSCR_EL1', 'write', 'EL3'],
  [2, 0, TGE, 'MDCCSR_EL0', 'read', 'EL2'],
  [1, 0, {}, 'PMCCNTR_EL0', 'read', 'EL1'],
  [1, 0, { 'PMUSERENR_EL0.CR': 1 }, 'PMCCNTR_EL0', 'read', 'ok'],
  [1, 0, { 'PMUSERENR_EL0.CR': 1 }, 'PMCCNTR_EL0', 'write', 'EL1'],
  [2, 1, { 'MDCR_EL2.TPM': 1 }, 'PMCR_EL0', 'read', 'EL2'],
  // features
  [1, 1, {}, 'PAN', 'read', 'undefined'],
  [1, 1, {}, 'PAN', 'read', 'ok', MAX],
];

for (const [highestEl, el, setup, name, access, expected, facts = {}] of rows) {
  const what = `${access} ${name} at EL${el} of ${highestEl} ${JSON.stringify(setup)}${'midr' in facts ? ', max' : ''}`;
  test(`${what}: ${expected}`, () => {
    assert.equal(outcome(machine(highestEl, el, setup, facts), name, access), expected);
  });
}

test('the syndrome of a trapped access names it, register and direction included', () => {
  const rig = machine(2, 1, TID2).pc(0x4000_0000);
  rig.word = 0xd5390007; // mrs x7, ccsidr_el1
  rig.cpu.systemRead(Rig.key('CCSIDR_EL1'));
  const iss = { op0: 3, op2: 0, op1: 1, CRn: 0, Rt: 7, CRm: 0, read: 1 };
  assert.equal(
    rig.iss,
    (iss.op0 << 20) | (iss.op2 << 17) | (iss.op1 << 14) | (iss.CRn << 10) | (iss.Rt << 5) | (iss.CRm << 1) | iss.read,
  );
  assert.equal(rig.peek('ELR_EL2'), 0x4000_0000n);
});

test('HCR_EL2.TIDCP traps what is IMPLEMENTATION DEFINED, known here or not', () => {
  const unknown = (3 << 14) | (0 << 11) | (15 << 7) | (9 << 3) | 5;
  const rig = machine(2, 1, { 'HCR_EL2.TIDCP': 1 });
  rig.cpu.systemRead(unknown);
  assert.equal(rig.ec, 0x18);
  assert.equal(outcome(machine(2, 1, { 'HCR_EL2.TIDCP': 1 }), 'S3_1_C15_C2_0', 'write'), 'EL2');
  const free = machine(2, 1);
  free.cpu.systemRead(unknown);
  assert.equal(free.ec, 0);
});

test('an encoding without a register is UNDEFINED', () => {
  const rig = machine(1, 1);
  rig.cpu.systemWrite((3 << 14) | (7 << 11) | (3 << 7));
  assert.equal(rig.ec, 0);
});

test('MSR (immediate): EL0 needs SCTLR_EL1.UMA for DAIF and has no SPSel', () => {
  const rig = machine(2, 0);
  assert.equal(rig.cpu.msrImmediate(3, 6, 0b1010), 1);
  assert.equal(rig.cpu.state.el, 1);
  assert.equal(rig.ec, 0x18);
  // op0 0, op2 6, op1 3, CRn 4, Rt 31, CRm 0b1010, write
  assert.equal(rig.iss, (6 << 17) | (3 << 14) | (4 << 10) | (31 << 5) | (0b1010 << 1));
  rig.set('SCTLR_EL1.UMA', 1);
  rig.at(0, 1, 0);
  assert.equal(rig.cpu.msrImmediate(3, 6, 0b1010), 0);
  assert.equal(rig.cpu.state.daif, 0x280);
  assert.equal(rig.cpu.msrImmediate(3, 7, 0b1000), 0);
  assert.equal(rig.cpu.state.daif, 0x80);
  rig.cpu.msrImmediate(0, 5, 1);
  assert.equal(rig.ec, 0);
  rig.at(1).cpu.msrImmediate(0, 4, 1);
  assert.equal(rig.ec, 0, 'no PAN on this core');
});

test('PAN: MSR, entry by SCTLR_EL1.SPAN, and back by ERET', () => {
  const rig = machine(1, 1, {}, MAX);
  rig.cpu.msrImmediate(0, 4, 1);
  assert.equal(rig.mrs('PAN'), 0x40_0000n);
  assert.ok(rig.cpu.context.pan);
  rig.set('SCTLR_EL1.SPAN', 0);
  rig.at(0).cpu.svc(0);
  assert.equal(rig.mrs('PAN'), 0x40_0000n, 'set on entry');
  rig.set('SCTLR_EL1.SPAN', 1);
  rig.at(0).cpu.svc(0);
  assert.equal(rig.mrs('PAN'), 0n);
  rig.poke('SPSR_EL1', 0x40_0005n);
  rig.cpu.eret();
  assert.ok(rig.cpu.context.pan);
});

test('UAO, DIT and SSBS: MSR, what entry makes of them, and back by ERET', () => {
  const rig = machine(1, 1, {}, MAX);
  const all = (): (bigint | undefined)[] => ['UAO', 'DIT', 'SSBS'].map((name) => rig.mrs(name));
  const set = [0x80_0000n, 0x100_0000n, 0x1000n];
  for (const [op1, op2] of [
    [0, 3],
    [3, 2],
    [3, 1],
  ])
    rig.cpu.msrImmediate(op1, op2, 1);
  assert.deepEqual(all(), set);
  assert.ok(!rig.cpu.context.userAccess);
  rig.cpu.svc(0);
  assert.deepEqual(all(), [0n, 0x100_0000n, 0n], 'SCTLR_EL1.DSSBS is 0');
  assert.equal(rig.mrs('SPSR_EL1')! & 0x180_1000n, 0x180_1000n);
  rig.cpu.eret();
  assert.deepEqual(all(), set);
  rig.set('SCTLR_EL1.DSSBS', 1);
  for (const name of ['UAO', 'DIT', 'SSBS']) rig.msr(name, 0n);
  rig.cpu.svc(0);
  assert.deepEqual(all(), [0n, 0n, 0x1000n]);
});

test('EL0 may write DIT and SSBS, not UAO and PAN; cores without them have none', () => {
  const rig = machine(1, 0, {}, MAX);
  assert.equal(rig.cpu.msrImmediate(3, 2, 1), 0);
  assert.equal(rig.cpu.msrImmediate(3, 1, 1), 0);
  assert.deepEqual([rig.mrs('DIT'), rig.mrs('SSBS')], [0x100_0000n, 0x1000n]);
  for (const op2 of [3, 4]) {
    rig.at(0).cpu.msrImmediate(0, op2, 1);
    assert.deepEqual([rig.ec, rig.cpu.state.el], [0, 1]);
  }
  const plain = machine(1, 1);
  plain.cpu.msrImmediate(3, 2, 1);
  assert.equal(plain.ec, 0);
  plain.poke('SPSR_EL1', 0x180_1005n);
  plain.cpu.eret();
  assert.equal(plain.cpu.state.others, 0);
});

test('RNDR: other numbers at each read, the same ones from the same seed, NZCV clear; peeking draws none', () => {
  const draw = (seed: number): (bigint | undefined)[] => {
    const rig = machine(1, 1, {}, { ...MAX, seed });
    rig.cpu.reset(1, 0n, 0n);
    rig.at(0).cpu.state.nzcv = 0xf0000000 | 0;
    const numbers = ['RNDR', 'RNDR', 'RNDRRS'].map((name) => rig.mrs(name));
    assert.equal(rig.cpu.state.nzcv, 0);
    return numbers;
  };
  const [a, b, c] = [draw(1), draw(1), draw(2)];
  assert.deepEqual(a, b);
  assert.equal(new Set([...a, ...c]).size, 6);
  const rig = machine(1, 1, {}, MAX);
  assert.equal(rig.cpu.peekSystem('RNDR'), 0n);
  assert.equal(machine(1, 1).mrs('RNDR'), undefined);
});

test('reserved and read-only bits keep their values', () => {
  const rig = machine(3, 3);
  rig.msr('SCTLR_EL1', 0n);
  assert.equal(rig.mrs('SCTLR_EL1'), 0x30d0_0980n);
  rig.msr('HCR_EL2', 0n);
  assert.equal(rig.mrs('HCR_EL2'), 0x8000_0000n, 'RW: there is no AArch32');
  rig.msr('SCR_EL3', 0n);
  assert.equal(rig.mrs('SCR_EL3'), 0x430n);
  rig.msr('VBAR_EL1', 0xffff_ffff_ffff_ffffn);
  assert.equal(rig.mrs('VBAR_EL1'), 0xffff_ffff_ffff_f800n);
  rig.msr('PAR_EL1', 0x1234_5678_9abc_def0n);
  assert.equal(rig.mrs('PAR_EL1'), 0x1234_5678_9abc_def0n);
});

test('every register that a level may read can be read there, and peeked with the same value', () => {
  const rig = machine(3, 3);
  for (const row of systemRegisters) {
    if (row.feature !== undefined && !rig.cpu.identity.has(row.feature)) continue;
    const value = rig.mrs(row.name);
    if (value === undefined) continue;
    assert.equal(rig.cpu.peekSystem(row.name), value, row.name);
  }
  assert.ok(rig.exceptions.length < 20);
});

test('the debugger pokes what can change and nothing else', () => {
  const rig = machine(2, 1);
  const before = rig.selected.length;
  assert.ok(rig.cpu.pokeSystem('SCTLR_EL1', 0x30d0_1985n));
  assert.ok(rig.selected.length > before, 'the context was selected anew');
  assert.ok(rig.cpu.context.mmu && rig.cpu.context.fetchCacheable && rig.cpu.context.dataCacheable);
  assert.equal(rig.cpu.pokeSystem('CTR_EL0', 0n), false);
  assert.equal(rig.cpu.pokeSystem('SCR_EL3', 0n), false);
  assert.equal(rig.cpu.peekSystem('SCR_EL3'), undefined);
  assert.equal(rig.cpu.pokeSystem('NOT_A_REGISTER', 0n), false);
  assert.ok(rig.cpu.pokeSystem('OSLAR_EL1', 0n), 'only written');
  assert.equal(rig.cpu.peekSystem('OSLSR_EL1'), 8n);
  assert.equal(rig.cpu.peekSystem('OSLAR_EL1'), undefined);
  assert.equal(rig.exceptions.length, 0);
});

test('a debugger, too, is told the level that the core is at', () => {
  for (const el of [0, 1, 2]) assert.equal(machine(2, el).cpu.peekSystem('CurrentEL'), BigInt(el << 2));
});

test('OS lock, claim tags', () => {
  const rig = machine(1, 1);
  assert.equal(rig.mrs('OSLSR_EL1'), 0xan);
  rig.msr('OSLAR_EL1', 0n);
  assert.equal(rig.mrs('OSLSR_EL1'), 8n);
  rig.msr('DBGCLAIMSET_EL1', 0x1a5n);
  assert.equal(rig.mrs('DBGCLAIMSET_EL1'), 0xffn);
  assert.equal(rig.mrs('DBGCLAIMCLR_EL1'), 0xa5n);
  rig.msr('DBGCLAIMCLR_EL1', 0x5n);
  assert.equal(rig.mrs('DBGCLAIMCLR_EL1'), 0xa0n);
});

test('the cycle counter counts enabled cycles of the levels that its filter lets through', () => {
  const rig = machine(2, 1);
  rig.msr('PMCNTENSET_EL0', 0x8000_0000n);
  rig.cycles = 100;
  assert.equal(rig.mrs('PMCCNTR_EL0'), 0n, 'PMCR_EL0.E is clear');
  rig.msr('PMCR_EL0', 1n);
  rig.cycles = 150;
  assert.equal(rig.mrs('PMCCNTR_EL0'), 50n);
  rig.cpu.hvc(0);
  rig.cycles = 250;
  assert.equal(rig.mrs('PMCCNTR_EL0'), 51n, 'the HVC counts, EL2 without NSH does not');
  rig.cpu.eret();
  rig.cycles = 260;
  assert.equal(rig.cpu.state.el, 1);
  assert.equal(rig.mrs('PMCCNTR_EL0'), 60n);
  rig.msr('PMSELR_EL0', 31n);
  rig.msr('PMXEVTYPER_EL0', 0x8000_0000n);
  rig.cycles = 300;
  assert.equal(rig.mrs('PMCCNTR_EL0'), 60n, 'EL1 filtered');
  rig.msr('PMCCFILTR_EL0', 0n);
  rig.msr('PMCCNTR_EL0', 0xffff_fff0n);
  rig.cycles = 320;
  assert.equal(rig.mrs('PMOVSSET_EL0'), 0x8000_0000n, '32-bit overflow');
  assert.equal(rig.mrs('PMCCNTR_EL0'), 0x1_0000_0004n);
  rig.msr('PMOVSCLR_EL0', 0x8000_0000n);
  assert.equal(rig.mrs('PMOVSCLR_EL0'), 0n);
  rig.msr('PMCR_EL0', 0xdn);
  rig.cycles = 320 + 640 + 32;
  assert.equal(rig.mrs('PMCCNTR_EL0'), 10n, 'every 64th');
  rig.cycles = 320 + 704;
  assert.equal(rig.mrs('PMCCNTR_EL0'), 11n);
  assert.equal(rig.mrs('PMCR_EL0'), 0x4100_3009n);
});

test('FEAT_IDST reports every UNDEFINED read of the feature ID space as a trap', () => {
  const key = (op1: number, CRm: number, op2: number): number => (3 << 14) | (op1 << 11) | (CRm << 3) | op2;
  const ec = (el: number, at: number, write: boolean, facts: Partial<CpuFacts>): number => {
    const rig = machine(2, el, {}, facts);
    assert.notEqual(write ? rig.cpu.systemWrite(at) : rig.cpu.systemRead(at), 0);
    return rig.ec;
  };
  for (const el of [0, 1, 2])
    for (const at of [key(0, 0, 1), key(1, 1, 0), key(3, 0, 0)]) {
      assert.equal(ec(el, at, false, MAX), 0x18);
      assert.equal(ec(el, at, true, MAX), 0, 'writes are none of its business');
      assert.equal(ec(el, at, false, A57), 0);
    }
  assert.equal(ec(1, key(0, 8, 0), false, MAX), 0, 'CRm 8 lies outside');
  assert.equal(ec(1, key(4, 0, 0), false, MAX), 0, 'op1 4 as well');
});
