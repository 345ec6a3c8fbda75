import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ccsidrValues, clidrEl1, ctrEl0 } from '../../../src/cpu/cacheIdentity';
import { cache, coreTypes } from '../../../src/machine/presets';
import { a57, Rig } from './rig';

const KiB = 1024;
const hex = (value: bigint | undefined): string => `0x${(value ?? -1n).toString(16)}`;

/** Cores, their outer cache, and what QEMU (A57, A53) or the machines themselves (M2, FIDELITY A4) read. */
const machines = [
  [
    'cortex-a57',
    cache(2048 * KiB, 16, 64, 'random'),
    '0x8444c004',
    '0xa200023',
    '0x701fe00a',
    '0x201fe012',
    '0x70ffe07a',
  ],
  [
    'cortex-a53',
    cache(1024 * KiB, 16, 64, 'random'),
    '0x84448004',
    '0xa200023',
    '0x700fe01a',
    '0x201fe00a',
    '0x707fe07a',
  ],
  [
    'cortex-a72',
    cache(1024 * KiB, 16, 64, 'random'),
    '0x8444c004',
    '0xa200023',
    '0x701fe00a',
    '0x201fe012',
    '0x707fe07a',
  ],
  [
    'm2-efficiency',
    cache(4096 * KiB, 16, 128, 'random'),
    undefined,
    undefined,
    '0x700fe03a',
    '0x203fe01a',
    '0x70ffe07b',
  ],
  [
    'm2-performance',
    cache(16384 * KiB, 16, 128, 'random'),
    undefined,
    undefined,
    '0x701fe03a',
    '0x203fe02a',
    '0x73ffe07b',
  ],
] as const;

for (const [name, l2, ctr, clidr, l1d, l1i, outer] of machines) {
  test(`${name}: CTR_EL0, CLIDR_EL1 and CCSIDR_EL1 follow from its caches`, () => {
    const facts = { ...coreTypes[name], l2, exclusivesBytes: 64 };
    if (ctr) assert.equal(hex(ctrEl0(facts)), ctr);
    if (clidr) assert.equal(hex(clidrEl1(facts)), clidr);
    assert.deepEqual(ccsidrValues(facts, false).slice(0, 4).map(hex), [l1d, l1i, outer, '0x0']);
  });
}

test('Neoverse N1: IDC and DIC, unification before any cache', () => {
  const facts = { ...coreTypes['neoverse-n1'], l2: cache(1024 * KiB, 8, 64, 'random'), exclusivesBytes: 64 };
  assert.equal(hex(ctrEl0(facts)), '0xb444c004');
  assert.equal(hex(clidrEl1(facts)), '0x2000023');
});

test('different lines: DminLine is the smallest data line, CWG the largest, L1Ip the policy', () => {
  const facts = { ...coreTypes['vpipt'], l2: cache(2048 * KiB, 16, 128, 'random'), exclusivesBytes: 128 };
  assert.equal(hex(ctrEl0(facts)), '0x85540004');
});

test('FEAT_CCIDX: the 64-bit format', () => {
  const values = ccsidrValues(a57, true);
  assert.deepEqual(values.slice(0, 3).map(hex), ['0xff0000000a', '0xff00000012', '0x7ff0000007a']);
});

test('CCSIDR_EL1 follows CSSELR_EL1; caches that do not exist read zero', () => {
  const rig = new Rig({ highestEl: 1 }).at(1);
  const expected = ['0x701fe00a', '0x201fe012', '0x70ffe07a', '0x0', '0x0', '0x0'];
  for (const [selected, value] of expected.entries()) {
    assert.ok(rig.msr('CSSELR_EL1', BigInt(selected)));
    assert.equal(hex(rig.mrs('CCSIDR_EL1')), value, `CSSELR ${selected}`);
  }
  assert.ok(rig.msr('CSSELR_EL1', 0xffff_ffff_ffff_ffffn));
  assert.equal(hex(rig.mrs('CSSELR_EL1')), '0xf');
  assert.equal(rig.mrs('CCSIDR2_EL1'), undefined);
});

test('a machine file may make registers lie, features stay', () => {
  const override = {
    CTR_EL0: 0x8444_8003n,
    'CCSIDR_EL1[2]': 0x1234n,
    ID_AA64MMFR1_EL1: 0x2n << 20n,
    AIDR_EL1: 7n,
  };
  const rig = new Rig({ highestEl: 1, override }).at(1);
  assert.equal(rig.mrs('CTR_EL0'), 0x8444_8003n);
  rig.msr('CSSELR_EL1', 2n);
  assert.equal(rig.mrs('CCSIDR_EL1'), 0x1234n);
  rig.msr('CSSELR_EL1', 0n);
  assert.equal(hex(rig.mrs('CCSIDR_EL1')), '0x701fe00a');
  assert.equal(rig.mrs('ID_AA64MMFR1_EL1'), 0x2n << 20n);
  assert.equal(rig.mrs('AIDR_EL1'), 7n);
  assert.equal(rig.mrs('PAN'), undefined, 'PAN is not there just because the ID register says so');
});

test('feature registers of a plain Armv8.0 core', () => {
  const el2 = new Rig({ highestEl: 2 }).at(1);
  assert.equal(hex(el2.mrs('ID_AA64PFR0_EL1')), '0x111');
  assert.equal(hex(new Rig({ highestEl: 3 }).at(3).mrs('ID_AA64PFR0_EL1')), '0x1111');
  assert.equal(hex(new Rig({ highestEl: 1 }).at(1).mrs('ID_AA64PFR0_EL1')), '0x11');
  assert.equal(hex(el2.mrs('ID_AA64DFR0_EL1')), '0x10305106');
  assert.equal(hex(el2.mrs('ID_AA64MMFR0_EL1')), '0x1024');
  assert.equal(hex(el2.mrs('ID_AA64ISAR0_EL1')), '0x11120', 'CRC32, SHA256, SHA1, AES and PMULL, as a Cortex-A57 says');
  for (const zero of ['ID_AA64ISAR1_EL1', 'ID_AA64MMFR1_EL1', 'ID_AA64MMFR2_EL1', 'ID_PFR0_EL1'])
    assert.equal(el2.mrs(zero), 0n, zero);
});

test('MIDR_EL1 and MPIDR_EL1: EL1 sees what EL2 gave it', () => {
  const rig = new Rig({ highestEl: 2, affinity: 0x102 }).at(2);
  assert.equal(hex(rig.mrs('MIDR_EL1')), '0x411fd070');
  assert.equal(hex(rig.mrs('MPIDR_EL1')), '0x80000102');
  assert.equal(rig.mrs('VPIDR_EL2'), rig.mrs('MIDR_EL1'));
  rig.msr('VPIDR_EL2', 0x410f_d034n);
  rig.msr('VMPIDR_EL2', 0x8000_0007n);
  assert.equal(hex(rig.mrs('MIDR_EL1')), '0x411fd070');
  rig.at(1);
  assert.equal(hex(rig.mrs('MIDR_EL1')), '0x410fd034');
  assert.equal(hex(rig.mrs('MPIDR_EL1')), '0x80000007');
  assert.equal(rig.mrs('VPIDR_EL2'), undefined);
  assert.equal(hex(rig.cpu.peekSystem('MIDR_EL1')), '0x411fd070');
});

test('DCZID_EL0.DZP follows SCTLR_EL1.DZE at EL0 and HCR_EL2.TDZ at both', () => {
  const rig = new Rig({ highestEl: 2 });
  const dzp = (el: number): bigint => rig.at(el).mrs('DCZID_EL0')! >> 4n;
  rig.set('SCTLR_EL1.DZE', 0);
  assert.deepEqual([0, 1, 2].map(dzp), [1n, 0n, 0n]);
  rig.set('SCTLR_EL1.DZE', 1);
  assert.deepEqual([0, 1, 2].map(dzp), [0n, 0n, 0n]);
  rig.set('HCR_EL2.TDZ', 1);
  assert.deepEqual([0, 1, 2].map(dzp), [1n, 1n, 0n]);
  assert.equal(rig.at(0).mrs('DCZID_EL0')! & 15n, 4n);
});
