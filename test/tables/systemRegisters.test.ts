/** The register and operation tables: validators on the real tables, must-fail fixtures, look-ups, LLVM's encodings. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { operationByKey, operationByName, operationKey, systemOperations } from '../../src/arch/sysops/index';
import { validateSystemOperations } from '../../src/arch/sysops/validate';
import {
  byEncoding,
  byName,
  encodingKey,
  MAX_SYSTEM_REGISTERS,
  registerNameOf,
  systemRegisters,
} from '../../src/arch/sysregs/index';
import { noFeatures, onesMask, writableMask } from '../../src/arch/sysregs/masks';
import { namedRegisters } from '../../src/arch/sysregs/named';
import { bits } from '../../src/arch/sysregs/row';
import type { SystemRegisterRow } from '../../src/arch/sysregs/types';
import { checkFields, validateSystemRegisters } from '../../src/arch/sysregs/validate';

const row = (name: string): SystemRegisterRow => systemRegisters[byName(name)];

test('the tables hold', () => {
  assert.deepEqual(validateSystemRegisters(systemRegisters, MAX_SYSTEM_REGISTERS), []);
  assert.deepEqual(validateSystemOperations(systemOperations, systemRegisters), []);
});

/** The table with one row changed; the validator must say something that matches. */
function mustFail(name: string, change: Partial<SystemRegisterRow>, expected: RegExp): void {
  const rows = systemRegisters.map((r) => (r.name === name ? { ...r, ...change } : r));
  const complaints = validateSystemRegisters(rows, MAX_SYSTEM_REGISTERS);
  assert.match(complaints.join('\n'), expected);
}

test('each broken register row is found', () => {
  mustFail('TCR_EL1', { fields: bits('63:32 RES0\n30:0 A') }, /TCR_EL1.A: starts at bit 30, expected 31/);
  mustFail('TCR_EL1', { fields: bits('63:32 RES0\n32:0 A') }, /starts at bit 32, expected 31/);
  mustFail('TCR_EL1', { fields: bits('63:1 RES0') }, /bits 0:0 not described/);
  mustFail('TCR_EL1', { fields: bits('63:1 A\n0 A') }, /named twice/);
  mustFail('TCR_EL1', { fields: bits('63:2 RES0\n1:0 A {4 much}') }, /value 4 does not fit/);
  mustFail('TCR_EL1', { encoding: [3, 0, 1, 0, 0] }, /TCR_EL1: encoding not above/);
  mustFail('TCR_EL1', { encoding: [3, 8, 1, 0, 0] }, /encoding out of range/);
  mustFail('TCR_EL1', { name: 'MAIR_EL1' }, /names are not unique/);
  mustFail('TCR_EL1', { section: ' ' }, /cites no section/);
  mustFail('TCR_EL1', { status: 'partial' }, /does not say why/);
  mustFail('TCR_EL1', { behaviour: 'whatever' }, /behaviour whatever is not in/);
  mustFail('DAIF', { behaviour: 'storage' }, /behaviour DAIF is used by no register/);
  mustFail('SCTLR_EL1', { reset: 0n }, /reset value lacks RES1 bits/);
  mustFail('TCR_EL1', { reset: 1n << 63n }, /RES0 bits set/);
  const trap = { control: 'HCR_EL2.TVM', value: 1, from: [1], to: 2 } as const;
  mustFail('TCR_EL1', { traps: [{ ...trap, control: 'HCR_EL2.TVN' }] }, /HCR_EL2.TVN is no field/);
  mustFail('TCR_EL1', { traps: [{ ...trap, control: 'HCR_EL2.BSU' }] }, /wider than a bit/);
  mustFail('TCR_EL1', { traps: [{ ...trap, to: 1 }] }, /cannot trap to EL1/);
  mustFail('TCR_EL1', { traps: [{ ...trap, from: [2] }] }, /traps from EL2 to EL2/);
});

test('each broken operation row is found', () => {
  const mustComplain = (name: string, change: object, expected: RegExp): void => {
    const rows = systemOperations.map((r) => (r.name === name ? { ...r, ...change } : r));
    assert.match(validateSystemOperations(rows, systemRegisters).join('\n'), expected);
  };
  mustComplain('DC CVAU', { encoding: [3, 7, 10, 1] }, /encoding not above/);
  mustComplain('DC CVAU', { action: undefined }, /does not say what it does/);
  mustComplain('TLBI VAE1', { regime: undefined }, /regime and stage/);
  mustComplain('TLBI VAE1', { broadcastAs: 'TLBI VAAE1' }, /no broadcast form/);
  mustComplain('DC CVAU', { status: 'unimplemented' }, /does not say why/);
  mustComplain('DC CVAU', { name: 'IC CVAU' }, /name and kind differ/);
  mustComplain('DC CVAU', { traps: [{ control: 'HCR_EL2.TPX', value: 1, from: [1], to: 2 }] }, /no field/);
});

test('traps stand in the order of the manual', () => {
  const order = (name: string): string[] =>
    (name.includes(' ') ? operationByName(name) : row(name))?.traps?.map(
      (t) => `${t.control}=${t.value}:${t.from.join('')}>${t.to}`,
    ) ?? [];
  assert.deepEqual(order('CTR_EL0'), ['SCTLR_EL1.UCT=0:0>1', 'HCR_EL2.TID2=1:01>2']);
  for (const name of ['CLIDR_EL1', 'CCSIDR_EL1', 'CSSELR_EL1'])
    assert.deepEqual(order(name), ['HCR_EL2.TID2=1:1>2', 'HCR_EL2.TID4=1:1>2']);
  const pou = ['SCTLR_EL1.UCI=0:0>1', 'HCR_EL2.TPU=1:01>2', 'HCR_EL2.TOCU=1:01>2'];
  assert.deepEqual(order('IC IVAU'), pou);
  assert.deepEqual(order('DC CVAU'), pou);
  for (const name of ['DC CVAC', 'DC CIVAC', 'DC CVAP'])
    assert.deepEqual(order(name), ['SCTLR_EL1.UCI=0:0>1', 'HCR_EL2.TPCP=1:01>2']);
  assert.deepEqual(order('DC IVAC'), ['HCR_EL2.TPCP=1:1>2']);
  assert.deepEqual(order('DC CISW'), ['HCR_EL2.TSW=1:1>2']);
  assert.deepEqual(order('DC ZVA'), ['SCTLR_EL1.DZE=0:0>1', 'HCR_EL2.TDZ=1:01>2']);
  assert.deepEqual(order('IC IALLUIS'), ['HCR_EL2.TPU=1:1>2', 'HCR_EL2.TICAB=1:1>2']);
  assert.deepEqual(order('IC IALLU'), ['HCR_EL2.TPU=1:1>2', 'HCR_EL2.TOCU=1:1>2']);
  assert.deepEqual(order('TLBI VAE1IS'), ['HCR_EL2.TTLB=1:1>2', 'HCR_EL2.TTLBIS=1:1>2']);
  assert.deepEqual(order('CPACR_EL1'), ['CPTR_EL2.TCPAC=1:1>2', 'CPTR_EL3.TCPAC=1:12>3']);
  assert.deepEqual(order('CNTPCT_EL0'), ['CNTKCTL_EL1.EL0PCTEN=0:0>1', 'CNTHCTL_EL2.EL1PCTEN=0:01>2']);
});

test('field text is refused when it is malformed', () => {
  assert.throws(() => bits('63-0 A'), /register field/);
  assert.throws(() => bits('63:0 A [feat]'), /field flags/);
  assert.throws(() => bits('0 A {0 x; 0 y}'), /named twice/);
  assert.deepEqual(checkFields('R', bits('31:0 A'), 32), []);
});

test('look-ups by encoding and by name', () => {
  systemRegisters.forEach((r, i) => {
    assert.equal(byEncoding(encodingKey(r.encoding)), i);
    assert.equal(byName(r.name), i);
  });
  assert.equal(byEncoding(encodingKey([3, 0, 1, 0, 5])), -1);
  assert.equal(byName('NOPE_EL1'), -1);
  for (const r of namedRegisters) {
    assert.equal(byEncoding(encodingKey(r.encoding)), -1, `${r.name} is named only and implemented`);
    assert.equal(registerNameOf(encodingKey(r.encoding)), r.name);
  }
  assert.equal(operationByKey(operationKey([3, 7, 5, 1])), operationByName('IC IVAU'));
  assert.equal(operationByKey(0xd5), undefined);
});

test('masks follow the features', () => {
  const span = 1n << 23n;
  assert.equal(onesMask(row('SCTLR_EL1'), noFeatures) & span, span);
  assert.equal(writableMask(row('SCTLR_EL1'), noFeatures) & span, 0n);
  const pan = (feature: string): boolean => feature === 'FEAT_PAN';
  assert.equal(onesMask(row('SCTLR_EL1'), pan) & span, 0n);
  assert.equal(writableMask(row('SCTLR_EL1'), pan) & span, span);
  assert.equal(writableMask(row('CNTP_CTL_EL0'), noFeatures), 3n);
  assert.equal(writableMask(row('HCR_EL2'), noFeatures), 0x3_ffff_ffffn);
});

/** What LLVM's assembler calls by no name, and why. */
const unknownToLlvm: Readonly<Record<string, string>> = {
  ID_DFR1_EL1: 'newer than the assembler',
  ID_AA64PFR2_EL1: 'newer than the assembler',
  ID_AA64MMFR3_EL1: 'newer than the assembler',
  ID_AA64MMFR4_EL1: 'newer than the assembler',
  'DC CIVAPS': 'newer than the assembler',
  'DC CIGDVAPS': 'newer than the assembler',
  'DC CVAOC': 'newer than the assembler',
  'DC CIVAOC': 'newer than the assembler',
  'DC CIPAE': 'newer than the assembler',
  'DC CIPAPA': 'newer than the assembler',
};

const FEATURES =
  '+v8.7a,+mte,+sve,+sme,+pan-rwp,+ccpp,+ccdp,+tlb-rmi,+rand,+pauth,+ccidx,+el2vmsa,+el3,+tracev8.4,+lor,+ras,+ssbs,+dit';

/** Assembles every line by itself; undefined where the assembler refuses. */
function assemble(lines: readonly string[]): (number | undefined)[] {
  const run = spawnSync('llvm-mc', ['-triple=aarch64', `-mattr=${FEATURES}`, '-show-encoding'], {
    input: lines.map((line, i) => `L${i}: ${line}`).join('\n') + '\n',
    encoding: 'utf8',
  });
  const words: (number | undefined)[] = lines.map(() => undefined);
  let label = -1;
  for (const line of run.stdout.split('\n')) {
    const at = /^L(\d+):/.exec(line.trim());
    if (at !== null) label = Number(at[1]);
    const found = /encoding: \[(.*)\]/.exec(line);
    if (found === null) continue;
    const [a, b, c, d] = found[1].split(',').map((byte) => Number.parseInt(byte, 16));
    words[label] = (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  }
  return words;
}

function compared(name: string, word: number | undefined, expected: number, unknown: boolean): string[] {
  if (unknown) return word === undefined ? [] : [`${name} is known: take it off the list`];
  return word === expected
    ? []
    : [`${name}: ${word?.toString(16) ?? 'unknown to LLVM'}, here ${expected.toString(16)}`];
}

const haveLlvm = spawnSync('llvm-mc', ['--version']).status === 0;
const needsLlvm = { skip: haveLlvm ? false : 'llvm-mc is not installed' };

test('names and encodings agree with LLVM', needsLlvm, () => {
  const rows = [
    ...systemRegisters.map((r) => ({ name: r.name, key: encodingKey(r.encoding), read: r.read !== 'none' })),
    ...namedRegisters.map((r) => ({ name: r.name, key: encodingKey(r.encoding), read: true })),
  ].map((r) => (/^ICC_(EOIR|DIR|SGI|ASGI)/.test(r.name) ? { ...r, read: false } : r));
  const words = assemble(rows.map((r) => (r.read ? `mrs x0, ${r.name}` : `msr ${r.name}, x0`)));
  const wrong = rows.flatMap((r, i) => {
    const expected = ((r.read ? 0xd5200000 : 0xd5000000) | (r.key << 5)) >>> 0;
    return compared(r.name, words[i], expected, r.name in unknownToLlvm);
  });
  assert.deepEqual(wrong, []);
});

test('operations agree with LLVM', needsLlvm, () => {
  const words = assemble(systemOperations.map((r) => r.name + (r.operand === 'none' ? '' : ', x0')));
  const wrong = systemOperations.flatMap((r, i) => {
    const expected = (0xd5000000 | (operationKey(r.encoding) << 5) | (r.operand === 'none' ? 31 : 0)) >>> 0;
    return compared(r.name, words[i], expected, r.name in unknownToLlvm);
  });
  assert.deepEqual(wrong, []);
});
