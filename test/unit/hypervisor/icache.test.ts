/** I-cache maintenance: isolation between vCPUs, VMID rollover, ranges by policy, and the order of steps of a fault. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setField } from '../../../src/hypervisor/fields';
import { flushIpaSteps, loadSteps, NO_VCPU, vmidRolloverSteps } from '../../../src/hypervisor/guestSwitch';
import {
  type IcacheFacts,
  icacheOperations,
  icacheSteps,
  maxDvmOps,
  maxRangeBytes,
  type PageBytes,
} from '../../../src/hypervisor/icacheRange';
import { policiesOf } from '../../../src/hypervisor/policies';
import {
  actionFor,
  type FaultFacts,
  faultSteps,
  icacheBeforeEntry,
  permissionsFor,
  type Stage2Host,
} from '../../../src/hypervisor/stage2Map';
import { broadcasts, misspelt, type Step } from '../../../src/hypervisor/steps';

const CTR = 0x8444c004n;
const DIC = 0xb444c004n;
const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

const facts: IcacheFacts = { ctr: CTR, aliasing: false, vpipt: false, hostEl: 2, pageBytes: 4096 };
const names = (steps: readonly Step[]): string[] => {
  assert.deepEqual(misspelt(steps), []);
  return steps.map((step) => step.name);
};
const withLine = (words: bigint): IcacheFacts => ({ ...facts, ctr: setField('CTR_EL0.IminLine', CTR, words) });
const v66 = policiesOf('v6.6');
const v67 = policiesOf('v6.7');
const v68 = policiesOf('v6.8');

test('steps that look like operations and are none are found', () => {
  assert.deepEqual(misspelt([{ name: 'IC IALLUS' }, { name: 'DSB ISHLD' }, { name: 'ISB' }, { name: 'write' }]), [
    'IC IALLUS',
    'DSB ISHLD',
  ]);
});

test('A1: __kvm_flush_cpu_context when another vCPU of the VM comes: TLBI VMALLE1, IC IALLU, DSB NSH, ISB', () => {
  const load = ["load the guest's VTTBR_EL2", 'ISB'];
  assert.deepEqual(names(loadSteps(0, 1, policiesOf('v5.12'))), [
    ...load,
    'TLBI VMALLE1',
    'IC IALLU',
    'DSB NSH',
    'ISB',
  ]);
  assert.deepEqual(names(loadSteps(0, 1, policiesOf('v5.11'))), [...load, 'TLBI VMALLE1', 'DSB NSH', 'ISB']);
});

test('A1: the same vCPU again needs nothing; the first one does', () => {
  assert.deepEqual(loadSteps(1, 1, v68), []);
  assert.ok(names(loadSteps(NO_VCPU, 0, v68)).includes('IC IALLU'));
});

test('A1: VMID rollover is DSB ISHST, TLBI ALLE1IS, DSB ISH since v6.8; IC IALLUIS for VPIPT before', () => {
  const plain = ['DSB ISHST', 'TLBI ALLE1IS', 'DSB ISH'];
  assert.deepEqual(names(vmidRolloverSteps({ icacheIsVpipt: false }, v67)), plain);
  assert.deepEqual(names(vmidRolloverSteps({ icacheIsVpipt: true }, v68)), plain);
  const aware = ['DSB ISHST', 'TLBI ALLE1IS', 'IC IALLUIS', 'DSB ISH'];
  assert.deepEqual(names(vmidRolloverSteps({ icacheIsVpipt: true }, v67)), aware);
});

test('A0: a host at EL1 leaves VPIPT lines to EL2’s flush by IPA, up to v6.7', () => {
  const vpipt = { ...facts, vpipt: true, hostEl: 1 } as const;
  assert.deepEqual(icacheSteps(4 * KiB, vpipt, v67), []);
  assert.equal(icacheOperations(4 * KiB, { ...vpipt, hostEl: 2 }, v67), 64);
  assert.deepEqual(names(flushIpaSteps({ icacheIsVpipt: true }, v67, 1)).slice(-2), ['IC IALLUIS', 'DSB ISH']);
  for (const steps of [
    flushIpaSteps({ icacheIsVpipt: true }, v67, 2),
    flushIpaSteps({ icacheIsVpipt: true }, v68, 1),
    flushIpaSteps({ icacheIsVpipt: false }, v67, 1),
  ])
    assert.ok(!names(steps).includes('IC IALLUIS'));
});

test('A2: MAX_DVM_OPS is PTRS_PER_PTE: 512, 2048, 8192', () => {
  assert.deepEqual(([4096, 16384, 65536] as const).map(maxDvmOps), [512, 2048, 8192]);
});

test('A2: the largest range is MAX_DVM_OPS << (IminLine + 2): 32 KiB with 4K pages and 64-byte lines', () => {
  assert.equal(maxRangeBytes(4096, CTR), 32 * KiB);
  assert.equal(maxRangeBytes(4096, withLine(3n).ctr), 16 * KiB);
  assert.equal(maxRangeBytes(4096, withLine(5n).ctr), 64 * KiB);
  assert.equal(maxRangeBytes(16384, CTR), 128 * KiB);
  assert.equal(maxRangeBytes(65536, CTR), 512 * KiB);
});

/** Broadcast operations by block and policy. */
const blocks: readonly (readonly [bytes: number, everyLine: number, bounded: number, abovePage: number])[] = [
  [4 * KiB, 64, 64, 64],
  [32 * KiB, 512, 512, 1],
  [36 * KiB, 576, 1, 1],
  [2 * MiB, 32768, 1, 1],
  [512 * MiB, 8388608, 1, 1],
  [1 * GiB, 16777216, 1, 1],
];

for (const [bytes, everyLine, bounded, abovePage] of blocks) {
  test(`A2: operations for ${bytes / KiB} KiB of 64-byte lines: ${everyLine} unbounded, ${bounded} bounded`, () => {
    assert.equal(icacheOperations(bytes, facts, v66), everyLine);
    assert.equal(icacheOperations(bytes, facts, v67), bounded);
    assert.equal(icacheOperations(bytes, facts, policiesOf('v6.6', { icacheInvalidation: 'abovePage' })), abovePage);
    assert.equal(icacheOperations(bytes, facts, policiesOf('v6.6', { icacheInvalidation: 'all' })), 1);
  });
}

test('A2: operations follow the sanitised IminLine', () => {
  assert.equal(icacheOperations(4 * KiB, withLine(3n), v67), 128);
  assert.equal(icacheOperations(4 * KiB, withLine(5n), v67), 32);
  assert.equal(icacheOperations(32 * KiB, withLine(3n), v67), 1, 'beyond 512 lines of 32 bytes');
  assert.equal(icacheOperations(64 * KiB, withLine(5n), v67), 512);
});

test('A2: other page sizes', () => {
  const at = (pageBytes: PageBytes, bytes: number): number => icacheOperations(bytes, { ...facts, pageBytes }, v67);
  assert.equal(at(16384, 16 * KiB), 256);
  assert.equal(at(16384, 128 * KiB), 2048);
  assert.equal(at(16384, 32 * MiB), 1);
  assert.equal(at(65536, 64 * KiB), 1024);
  assert.equal(at(65536, 512 * KiB), 8192);
  assert.equal(at(65536, 512 * MiB), 1);
  assert.throws(() => at(65536, 4 * KiB), /elscope bug/);
});

test('A2: an aliasing I-cache is invalidated whole: IC IALLUIS and DSB ISH', () => {
  for (const policies of [v66, v67])
    assert.deepEqual(names(icacheSteps(4 * KiB, { ...facts, aliasing: true }, policies)), ['IC IALLUIS', 'DSB ISH']);
});

test('A2: with DIC neither form issues an operation', () => {
  const dic = { ...facts, ctr: DIC };
  assert.deepEqual(names(icacheSteps(4 * KiB, dic, v67)), ['ISB']);
  assert.deepEqual(names(icacheSteps(2 * MiB, dic, v67)), []);
  assert.deepEqual(names(icacheSteps(4 * KiB, { ...dic, aliasing: true }, v67)), []);
});

const fault: FaultFacts = {
  kind: 'translation',
  access: 'read',
  writable: true,
  logging: false,
  mapBytes: 4096,
  forceNonCacheable: false,
};
const execute = { ...fault, access: 'execute' } as const;
const relaxed = { ...execute, kind: 'permission', faultBytes: 4096 } as const;
const host: Stage2Host = { ...facts, fwb: false, dataLineBytes: 64 };

test('A2: execute permission is lazy: with a fetch, or at once with DIC', () => {
  assert.equal(permissionsFor(fault, CTR, v67).execute, false);
  assert.equal(permissionsFor(execute, CTR, v67).execute, true);
  assert.equal(permissionsFor(fault, DIC, v67).execute, true);
  assert.equal(permissionsFor({ ...fault, forceNonCacheable: true }, DIC, v67).execute, false);
  assert.equal(permissionsFor(fault, CTR, policiesOf('v6.7', { executePermission: 'eager' })).execute, true);
});

test('writes are allowed at once, and while logging only by a write', () => {
  assert.equal(permissionsFor(fault, CTR, v67).write, true);
  assert.equal(permissionsFor({ ...fault, writable: false }, CTR, v67).write, false);
  assert.equal(permissionsFor({ ...fault, logging: true }, CTR, v67).write, false);
  assert.equal(permissionsFor({ ...fault, logging: true, access: 'write' }, CTR, v67).write, true);
});

test('A2: permissions are relaxed in place only if the size stays', () => {
  assert.equal(actionFor(relaxed), 'relax');
  assert.equal(actionFor({ ...relaxed, faultBytes: 2 * MiB }), 'map');
  assert.equal(actionFor(fault), 'map');
});

test('A2: a first mapping: D-side to the PoC, I-side if executable, then the entry', () => {
  assert.deepEqual(names(faultSteps(execute, 'nothing', host, v67)), [
    'DC CIVAC',
    'DSB SY',
    'IC IVAU',
    'DSB ISH',
    'ISB',
    'write the entry',
    'DSB ISHST',
  ]);
  assert.deepEqual(names(faultSteps(fault, 'nothing', host, v67)), [
    'DC CIVAC',
    'DSB SY',
    'write the entry',
    'DSB ISHST',
  ]);
  assert.ok(!names(faultSteps(execute, 'nothing', { ...host, fwb: true }, v67)).includes('DC CIVAC'), 'FWB');
  assert.equal(faultSteps(execute, 'nothing', host, v67)[0].count, 64);
});

test('A2: an entry that is replaced is broken and forgotten first', () => {
  const steps = names(faultSteps(fault, 'entry', host, v67));
  assert.equal(steps[0], 'clear the entry');
  assert.ok(steps.indexOf('TLBI IPAS2E1IS') < steps.indexOf('DC CIVAC'));
});

test('A2: relaxing invalidates the I-cache before the entry, and cleans nothing', () => {
  const steps = faultSteps(relaxed, 'entry', host, v67);
  assert.deepEqual(names(steps).slice(0, 4), ['IC IVAU', 'DSB ISH', 'ISB', 'write the entry']);
  assert.ok(!names(steps).includes('DC CIVAC'));
  assert.ok(icacheBeforeEntry(steps));
  assert.ok(!icacheBeforeEntry([{ name: 'write the entry' }, { name: 'IC IVAU' }]));
  const write = names(faultSteps({ ...relaxed, access: 'write' }, 'entry', { ...host, ctr: DIC }, v67));
  assert.equal(write[0], 'write the entry');
});

test('relaxing tells all cores up to v6.4, and this one since v6.5', () => {
  const old = names(faultSteps(relaxed, 'entry', host, policiesOf('v6.4')));
  assert.ok(old.includes('TLBI IPAS2E1IS') && old.includes('TLBI VMALLE1IS'));
  const now = names(faultSteps(relaxed, 'entry', host, policiesOf('v6.5')));
  assert.ok(now.includes('TLBI IPAS2E1') && now.includes('TLBI VMALLE1'));
});

test('A2: relaxing a 2 MiB block: 32,768 broadcasts before v6.7, one and no more after', () => {
  const block = { ...relaxed, mapBytes: 2 * MiB, faultBytes: 2 * MiB };
  assert.equal(broadcasts(faultSteps(block, 'entry', host, v66)), 32768);
  assert.equal(broadcasts(faultSteps(block, 'entry', host, v67)), 1);
});
