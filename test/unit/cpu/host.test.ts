/** EL2 as a host: HCR_EL2.{E2H,TGE}, register redirection, the EL2&0 regime, traps and routing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EC } from '../../../src/arch/syndromes/index';
import { redirections } from '../../../src/arch/sysregs/aliases';
import { byName, encodingKey, registerAliases, systemRegisters } from '../../../src/arch/sysregs/index';
import { hostFields } from '../../../src/arch/sysregs/masks';
import type { RegisterField } from '../../../src/arch/sysregs/types';
import { coreTypes } from '../../../src/machine/presets';
import { Rig } from './rig';

const E2H = 1n << 34n;
const TGE = 1n << 27n;
const RW = 1n << 31n;

const rigOf = (hcr: bigint, el = 2): Rig => {
  const rig = new Rig({ ...coreTypes['neoverse-n1'], highestEl: 2 });
  rig.poke('HCR_EL2', RW | hcr);
  return rig.at(el);
};
/** MRS or MSR by an alias. */
const keyOf = (name: string): number => encodingKey(registerAliases.find((a) => a.name === name)!.encoding);

test("under E2H EL1's names reach EL2's registers, and EL12 and EL02 names EL1's", () => {
  for (const [from, to] of redirections) {
    const rig = rigOf(E2H);
    if (to === 'CNTHP_TVAL_EL2' || to === 'CNTHV_TVAL_EL2') continue;
    const before = rig.peek(from);
    assert.ok(rig.msr(from, 0x30_0002n), from);
    assert.equal(rig.peek(from), before, `${from} is left alone`);
    assert.equal(rig.mrs(from), rig.mrs(to), `${from} reads ${to}`);
    rig.cpu.state.setValue(0, 0x30_0002);
    assert.equal(rig.cpu.systemWrite(keyOf(`${from}2`)), 0, `${from}2`);
    assert.notEqual(rig.peek(from), before, `${from}2 is ${from}`);
  }
});

test('without E2H there are no such names; below EL2 there never are', () => {
  for (const rig of [rigOf(0n), rigOf(E2H, 1), rigOf(E2H | TGE, 0)]) {
    assert.equal(rig.cpu.systemRead(keyOf('SCTLR_EL12')), 1);
    assert.equal(rig.ec, EC.UNKNOWN);
  }
  const rig = rigOf(0n);
  rig.msr('TTBR0_EL1', 0x4000_0000n);
  assert.equal(rig.peek('TTBR0_EL1'), 0x4000_0000n);
});

test("the controls that a host has in place of EL1's stand at the same bits", () => {
  for (const [from, to] of redirections) {
    const fields = hostFields(systemRegisters[byName(to)]);
    if (fields === undefined) continue;
    for (const field of systemRegisters[byName(from)].fields) {
      if (field.res !== undefined || field.feature === 'FEAT_NV2') continue;
      const there: RegisterField | undefined = fields.find((f) => f.name === field.name);
      assert.deepEqual([there?.hi, there?.lo], [field.hi, field.lo], `${from}.${field.name}`);
    }
  }
});

test('a register with two layouts keeps the reserved bits of the current one', () => {
  const rig = rigOf(0n);
  rig.msr('CPTR_EL2', 0n);
  assert.equal(rig.mrs('CPTR_EL2'), 0x33ffn);
  rig.msr('HCR_EL2', RW | E2H);
  rig.msr('CPTR_EL2', (1n << 64n) - 1n);
  assert.equal(rig.mrs('CPTR_EL2'), 0x8030_0000n);
  rig.msr('TCR_EL2', (1n << 36n) | (1n << 22n));
  assert.equal(rig.mrs('TCR_EL1'), (1n << 36n) | (1n << 22n));
});

test('the EL2&0 regime: two ranges, ASIDs, and EL0 of a host in it', () => {
  const rig = rigOf(E2H | TGE);
  rig.msr('TTBR0_EL2', (7n << 48n) | 0x4000_0000n);
  rig.msr('TTBR1_EL2', 0x5000_0000n);
  rig.msr('TCR_EL2', (1n << 36n) | (16n << 16n) | 16n);
  rig.msr('SCTLR_EL2', 1n);
  rig.at(0);
  const { context } = rig.cpu;
  assert.deepEqual(
    [context.regime, context.el, context.mmu, context.asid, context.ranges[1].base, context.vmid, context.stage2],
    ['EL2&0', 0, true, 7, 0x5000_0000, 0, false],
  );
  rig.at(2);
  assert.equal(rig.cpu.context.userAccess, true);
  assert.equal(rigOf(E2H).cpu.context.userAccess, false, 'LDTR is privileged at EL2 without TGE');
});

test('without TGE, EL1 and EL0 are a guest, with VMID and stage 2', () => {
  const rig = rigOf(E2H | 1n);
  rig.msr('VTTBR_EL2', (0x1234n << 48n) | 0x4000_0000n);
  rig.msr('VTCR_EL2', (1n << 31n) | (1n << 19n) | (1n << 6n) | 24n);
  rig.at(1);
  const { context } = rig.cpu;
  assert.deepEqual([context.regime, context.vmid, context.stage2, context.s2.valid], ['EL1&0', 0x1234, true, true]);
  assert.deepEqual([context.s2.ipaBits, context.s2.startLevel, context.s2.base], [40, 1, 0x4000_0000]);
  rig.set('VTCR_EL2.VS', 0);
  assert.equal(rig.cpu.context.vmid, 0x34);
});

test('exceptions of EL0 go to its host, interrupts are masked by its PSTATE', () => {
  const rig = rigOf(E2H | TGE, 0);
  rig.cpu.svc(3);
  assert.deepEqual([rig.ec, rig.last.toEl], [EC.SVC, 2]);
  rig.at(0, 0, 0x80);
  rig.cpu.setIrq(true);
  assert.equal(rig.cpu.interruptPending(), false);
  rig.poke('HCR_EL2', RW | TGE);
  assert.equal(rig.cpu.interruptPending(), true, 'without E2H the mask of a lower level does not hold');
});

test('EL0 of a host obeys the controls of EL2, and no trap of HCR_EL2', () => {
  const TID2 = 1n << 17n;
  const rig = rigOf(E2H | TGE | TID2, 0);
  rig.poke('SCTLR_EL1', 0n);
  rig.set('CNTHCTL_EL2.EL1PCTEN', 0);
  rig.poke('SCTLR_EL2', 1n << 15n); // UCT
  assert.ok(rig.mrs('CTR_EL0') !== undefined);
  rig.poke('SCTLR_EL2', 0n);
  rig.poke('SCTLR_EL1', 1n << 15n);
  assert.equal(rig.mrs('CTR_EL0'), undefined);
  assert.deepEqual([rig.ec, rig.last.toEl], [EC.SYSTEM_REGISTER, 2]);
  rig.at(0);
  rig.poke('CNTHCTL_EL2', 1n); // EL0PCTEN
  assert.ok(rig.mrs('CNTPCT_EL0') !== undefined);
  rig.poke('CNTHCTL_EL2', 1n << 9n); // EL0PTEN
  assert.ok(rig.msr('CNTP_CVAL_EL0', 77n));
  assert.equal(rig.peek('CNTHP_CVAL_EL2'), 77n);
});

test('below a host that runs a guest the timer traps stand at bits 10 and 11', () => {
  const rig = rigOf(E2H, 1);
  rig.poke('CNTHCTL_EL2', 3n);
  assert.equal(rig.mrs('CNTPCT_EL0'), undefined);
  assert.equal(rig.last.toEl, 2);
  rig.at(1);
  rig.poke('CNTHCTL_EL2', 3n << 10n);
  assert.ok(rig.mrs('CNTPCT_EL0') !== undefined && rig.mrs('CNTP_CTL_EL0') !== undefined);
});

test('the virtual count of a host has no offset', () => {
  const rig = rigOf(E2H | TGE);
  rig.poke('CNTVOFF_EL2', 100n);
  assert.equal(rig.mrs('CNTVCT_EL0'), 1000n);
  rig.at(0);
  rig.poke('CNTHCTL_EL2', 2n);
  assert.equal(rig.mrs('CNTVCT_EL0'), 1000n);
  rig.poke('HCR_EL2', RW);
  assert.equal(rig.at(2).mrs('CNTVCT_EL0'), 900n);
});

test("EL1's TLBI and AT are the host's own; those of guests are not", () => {
  const seen: string[] = [];
  const rig = new Rig(
    { ...coreTypes['neoverse-n1'], highestEl: 2 },
    {
      mmu: {
        tlbi: (_core, row, _hi, _lo, context) => void seen.push(`${row.name} ${context.regime}`),
        at: (_core, row, _hi, _lo, context) => seen.push(`${row.name} ${context.regime}`) > 0,
        parHi: 0,
        parLo: 0,
        fault: {
          kind: 'translation',
          level: 0,
          stage2: false,
          s1ptw: false,
          write: false,
          cacheMaintenance: false,
          ipa: 0,
        },
      },
    },
  );
  rig.poke('HCR_EL2', RW | E2H | TGE);
  rig.at(2);
  const names = ['TLBI VAE1', 'TLBI VMALLE1', 'TLBI VAE2', 'AT S1E1R', 'AT S1E0R', 'AT S12E1R', 'AT S1E2R'];
  for (const name of [...names, 'TLBI IPAS2E1', 'TLBI VMALLS12E1', 'TLBI ALLE1']) rig.sys(name);
  assert.deepEqual(seen, [
    ...names.map((name) => `${name} EL2&0`),
    'TLBI IPAS2E1 EL1&0',
    'TLBI VMALLS12E1 EL1&0',
    'TLBI ALLE1 EL1&0',
  ]);
});

test('PSTATE.PAN is set on entry to a host as SCTLR_EL2.SPAN says, UAO is cleared', () => {
  const UAO = 1n << 23n;
  const PAN = 1n << 22n;
  for (const span of [0n, 1n << 23n]) {
    const rig = rigOf(E2H | TGE, 0);
    rig.poke('SCTLR_EL2', span);
    rig.cpu.setPstate(0x3c0n | UAO);
    rig.cpu.svc(0);
    assert.equal(rig.cpu.pstate() & (PAN | UAO), span === 0n ? PAN : 0n);
    assert.equal(rig.peek('SPSR_EL2') & UAO, UAO);
  }
  const rig = rigOf(E2H | TGE);
  assert.equal(rig.cpu.msrImmediate(0, 3, 1), 0);
  assert.equal(rig.cpu.context.userAccess, false);
  assert.equal(rig.mrs('UAO'), UAO);
});

// ---- what stage 2 reports to EL2 ----

test('a stage 2 abort describes its access where the instruction allows it, and says the IPA', () => {
  const words: readonly [number, number][] = [
    [0xf9400123, 0x01c3_8000], // ldr x3, [x9]
    [0xb8004d23, 0], // str w3, [x9, #4]!
    [0x39c00123, 0x0123_0000], // ldrsb w3, [x9]
    [0x39800123, 0x0123_8000], // ldrsb x3, [x9]
    [0x7869683f, 0x015f_0000], // ldrh wzr, [x1, x9]
    [0xf8000845, 0x01c5_8000], // sttr x5, [x2]
    [0xc8dffc20, 0x01c0_c000], // ldar x0, [x1]
    [0x885f7c20, 0], // ldxr w0, [x1]
    [0xa9400841, 0], // ldp x1, x2, [x2]
    [0xfd400123, 0], // ldr d3, [x9]
    [0x18000003, 0x0183_0000], // ldr w3, .
    [0x98000003, 0x01a3_8000], // ldrsw x3, .
  ];
  for (const [word, iss] of words) {
    const rig = rigOf(1n, 1);
    rig.word = word;
    rig.fault = { ...rig.fault, kind: 'translation', level: 3, stage2: true, ipa: 0x12_3456_7018 };
    rig.cpu.abort();
    assert.deepEqual([rig.ec, rig.last.toEl], [EC.DATA_ABORT_LOWER, 2]);
    assert.equal(rig.iss, iss | 7, word.toString(16));
    assert.equal(rig.peek('HPFAR_EL2'), 0x1234_5670n);
  }
  const rig = rigOf(1n, 1);
  rig.word = 0xf9400123;
  rig.fault = { ...rig.fault, kind: 'permission', level: 2, stage2: true, s1ptw: true, ipa: 0x4000_0000 };
  rig.cpu.abort();
  assert.equal(rig.iss, 0x80 | 14, 'not of a walk');
});
