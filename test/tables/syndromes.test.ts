/** Syndromes, descriptors and explanations: the tables cover their bits, and hand-worked values decode as they should. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Described } from '../../src/arch/described';
import {
  type DescriptorContext,
  describeDescriptor,
  descriptorAddress,
  descriptorFields,
  descriptorKind,
  levelShift,
} from '../../src/arch/descriptors';
import { describe, explain } from '../../src/arch/explain';
import { decodeEsr, EC, exceptionClasses, faultStatus, issFormats, modeName } from '../../src/arch/syndromes/index';
import { checkFields } from '../../src/arch/sysregs/validate';

const find = (node: Described | undefined, name: string): Described | undefined =>
  node?.name === name ? node : node?.children?.map((child) => find(child, name)).find((found) => found !== undefined);

test('syndrome formats cover 25 bits, classes are unique and sorted', () => {
  for (const [name, fields] of Object.entries(issFormats)) assert.deepEqual(checkFields(name, fields, 25), []);
  exceptionClasses.forEach((row, i) => {
    assert.ok(row.section.length > 10 && row.ec < 64);
    if (i > 0) assert.ok(row.ec > exceptionClasses[i - 1].ec, `class ${row.ec}`);
  });
  for (const ec of Object.values(EC)) {
    const row = exceptionClasses.find((r) => r.ec === ec);
    assert.ok(row !== undefined && row.foreign !== true, `EC ${ec}`);
  }
  assert.equal(faultStatus[0x07], 'translation fault, level 3');
  assert.ok(Object.keys(faultStatus).every((code) => Number(code) < 64));
});

test('known syndromes', () => {
  const meaning = (value: bigint): string | undefined => decodeEsr(value).meaning;
  assert.equal(meaning(0x96000045n), 'data abort, same EL: translation fault, level 1, write');
  assert.equal(meaning(0x92000147n), 'data abort, lower EL: translation fault, level 3, cache maintenance');
  assert.equal(
    meaning((0x24n << 26n) | 0x2000000n | (1n << 24n) | (2n << 22n) | (5n << 16n) | 0x0fn),
    'data abort, lower EL: permission fault, level 3, read, word of w5',
  );
  assert.equal(meaning(0x8600000en), 'instruction abort, same EL: permission fault, level 2');
  assert.equal(meaning(0x56000002n), 'SVC: #0x2');
  assert.equal(meaning(0x5a000000n), 'HVC: #0x0');
  assert.equal(meaning(0xf2000001n), 'BRK: #0x1');
  assert.equal(meaning(0x02000000n), 'unknown reason (UNDEFINED instruction)');
  assert.equal(meaning(0x06000001n), 'trapped WFI or WFE: WFE');
  assert.equal(meaning(0x3a000000n), 'illegal execution state');
  assert.equal(meaning(0xfe000000n), 'reserved class 0x3f: ISS 0x0');
});

test('trapped system accesses name the instruction', () => {
  const iss = (op0: number, op1: number, crn: number, crm: number, op2: number, rt: number, read: number): bigint =>
    BigInt((op0 << 20) | (op2 << 17) | (op1 << 14) | (crn << 10) | (rt << 5) | (crm << 1) | read);
  const trapped = (...parts: Parameters<typeof iss>): string | undefined =>
    find(decodeEsr(0x62000000n | iss(...parts)), 'ISS')?.meaning;
  assert.equal(trapped(3, 3, 0, 0, 1, 2, 1), 'MRS x2, CTR_EL0');
  assert.equal(trapped(3, 0, 1, 0, 0, 31, 0), 'MSR SCTLR_EL1, xzr');
  assert.equal(trapped(1, 3, 7, 5, 1, 7, 0), 'IC IVAU, x7');
  assert.equal(trapped(1, 0, 7, 5, 0, 31, 0), 'IC IALLU');
  assert.equal(trapped(3, 0, 15, 1, 2, 0, 1), 'MRS x0, S3_0_C15_C1_2');
});

test('an invalid syndrome hides the fields that ISV leaves meaningless', () => {
  assert.equal(find(decodeEsr(0x96000045n), 'SRT'), undefined);
  assert.equal(find(decodeEsr(0x96000045n), 'WnR')?.meaning, 'write');
  assert.equal(find(decodeEsr(0x93000045n), 'SRT')?.value, 0n);
});

test('registers describe themselves', () => {
  const tcr = describe('TCR_EL1', 0x5_b550_3510n);
  assert.equal(find(tcr, 'IPS')?.meaning, '48 bits, 256 TB');
  assert.equal(find(tcr, 'TG1')?.meaning, '4 KB');
  assert.equal(find(tcr, 'T0SZ')?.value, 16n);
  assert.equal(find(tcr, 'RES0'), undefined);
  assert.equal(find(describe('TCR_EL1', 0x40n), 'RES0')?.unexpected, true);
  assert.equal(find(describe('CTR_EL0', 0x8444c004n), 'L1Ip')?.meaning, 'PIPT');
  assert.equal(find(describe('CTR_EL0', 0x0444c004n), 'RES1')?.meaning, 'reserved, should be one');
  assert.equal(describe('SPSR_EL2', 0x3c5n)?.meaning, 'EL1h');
  assert.equal(describe('ESR_EL1', 0x56000000n)?.meaning, 'SVC: #0x0');
  const ccidx = (feature: string): boolean => feature === 'FEAT_CCIDX';
  assert.equal(find(describe('CCSIDR_EL1', 0x701fe03an), 'Associativity')?.value, 7n);
  assert.equal(find(describe('CCSIDR_EL1', 0x701fe03an), 'NumSets')?.value, 0xffn);
  assert.equal(find(describe('CCSIDR_EL1', 0xff_0000_003an, { has: ccidx }), 'NumSets')?.value, 0xffn);
  assert.equal(find(describe('PAR_EL1', 0x80fn), 'FST')?.meaning, 'translation fault, level 3');
  assert.equal(find(describe('PAR_EL1', 0xff00_0000_4020_0b80n), 'SH')?.meaning, 'Inner Shareable');
  assert.equal(describe('NOPE', 0n), undefined);
  assert.equal(find(describe('HCR_EL2', 0n, { has: () => false }), 'E2H'), undefined);
  assert.equal(modeName(0x0d), 'EL3h');
  assert.equal(modeName(0x01), 'reserved');
});

test('descriptor fields cover 64 bits at every granule, level and stage', () => {
  for (const granuleLog2 of [12, 14, 16] as const)
    for (const level of [0, 1, 2, 3])
      for (const stage of [1, 2] as const)
        for (const singleRange of [false, true])
          for (const kind of ['invalid', 'table', 'block', 'page'] as const) {
            if ((kind === 'page') !== (level === 3) && kind !== 'table' && kind !== 'invalid') continue;
            if (kind === 'block' && level === 0) continue;
            const context: DescriptorContext = { granuleLog2, level, stage, singleRange };
            const owner = `${kind} ${granuleLog2} ${level} ${stage}`;
            assert.deepEqual(checkFields(owner, descriptorFields(kind, context)), []);
          }
});

test('descriptors are told apart and read', () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((level) => levelShift(12, level)),
    [39, 30, 21, 12],
  );
  assert.deepEqual([levelShift(14, 2), levelShift(16, 2)], [25, 29]);
  assert.equal(descriptorKind(12, 0, 1n), 'invalid');
  assert.equal(descriptorKind(12, 1, 1n), 'block');
  assert.equal(descriptorKind(14, 1, 1n), 'invalid');
  assert.equal(descriptorKind(16, 2, 1n), 'block');
  assert.equal(descriptorKind(12, 3, 1n), 'invalid');
  assert.equal(descriptorKind(12, 3, 3n), 'page');
  assert.equal(descriptorKind(12, 2, 3n), 'table');
  const block = { granuleLog2: 12, level: 2, stage: 1 } as const;
  const value = 0x0060_0000_4020_0f45n;
  assert.equal(descriptorAddress('block', block, value), 0x4020_0000n);
  const described = describeDescriptor(block, value);
  assert.match(
    described.meaning ?? '',
    /^block at 0x40200000: AttrIndx 1; Inner Shareable; EL1 and EL0 read, write; nG; UXN; PXN$/,
  );
  assert.equal(describeDescriptor({ ...block, level: 1 }, 0x8000_3003n).meaning, 'table at 0x80003000');
  assert.equal(describeDescriptor(block, 0n).meaning, 'invalid');
  const stage2 = describeDescriptor({ granuleLog2: 12, level: 3, stage: 2 }, 0x4000_07ffn);
  assert.match(stage2.meaning ?? '', /^page at 0x40000000: Normal WB; Inner Shareable; read, write$/);
});

test('explanations', () => {
  assert.match(explain('sctlr_el1')?.join('\n') ?? '', /SCTLR_EL1: System Control Register[\s\S]*HCR_EL2.TVM=1: write/);
  assert.match(explain('CTR')?.[0] ?? '', /^CTR_EL0: Cache Type Register/);
  assert.equal(explain('SCTLR'), undefined); // three registers
  assert.match(explain('dc cvau')?.join('\n') ?? '', /SCTLR_EL1.UCI=0: access from EL0 traps to EL1/);
  assert.match(explain('0x96000045')?.[0] ?? '', /translation fault, level 1, write/);
  assert.match(explain('CTR_EL0=0x8444c004')?.join('\n') ?? '', /L1Ip \[15:14\] = 0x3 {2}PIPT/);
  assert.match(explain('FPEXC32_EL2')?.join('\n') ?? '', /not implemented/);
  for (const text of ['', '=', 'A=B', 'X=1=2', '0x1ffffffffffffffff', 'CTR_EL0=0x1ffffffffffffffff', 'nothing'])
    assert.equal(explain(text), undefined, text);
});
