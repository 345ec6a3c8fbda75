/**
 * The host kernel's side: merging CTR_EL0, messages, traps of EL0, late cores. CTR_EL0 values are of real cores (FIDELITY B1) and
 * of logs.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getField, setField } from '../../../src/hypervisor/fields';
import {
  type CpuRegisters,
  capabilityRows,
  effectiveCtr,
  lateConflict,
  validateCapabilities,
} from '../../../src/hypervisor/host/capabilities';
import { FtrRegister, type FtrTable, safeValue, validateFtrTable } from '../../../src/hypervisor/host/ftr';
import { ctrTable, idTables } from '../../../src/hypervisor/host/ftrTables';
import { HostCpus, type HostOptions, userMaintenance } from '../../../src/hypervisor/host/hostCpus';
import { policiesOf } from '../../../src/hypervisor/policies';

const PIPT = 0x8444c004n;
const PIPT_IDC = 0x9444c004n;
const PIPT_IDC_DIC = 0xb444c004n;
const VIPT = 0x84448004n;
const VPIPT = 0x84440004n;
/** Separate level 1, unified level 2, LoUIS = LoUU = 1, LoC = 2: cleaning to the PoU is needed. */
const CLIDR = 0x0a200023n;
/** The same with LoUIS = LoUU = 0. */
const CLIDR_IDC = 0x02000023n;

const cpu = (ctr: bigint, more: Partial<CpuRegisters> = {}): CpuRegisters => ({ ctr, clidr: CLIDR, ...more });
const mmfr = (n: number, value: bigint): Partial<CpuRegisters> => ({ id: { [`ID_AA64MMFR${n}_EL1`]: value } });

function host(boot: CpuRegisters, others: readonly CpuRegisters[] = [], options: Partial<HostOptions> = {}): HostCpus {
  const system = new HostCpus({ policies: policiesOf('v6.12'), boot, ...options });
  others.forEach((other, index) => {
    system.bootSecondary(index + 1, other);
  });
  system.finalise();
  return system;
}
const texts = (system: HostCpus): string[] => system.messages.map((message) => message.text);
const sanity = (system: HostCpus): string[] => texts(system).filter((text) => text.includes('SANITY'));

test('tables hold, and overlapping, foreign or too large fields are found', () => {
  for (const table of [ctrTable, ...idTables]) assert.deepEqual(validateFtrTable(table), []);
  const fields = ctrTable.fields;
  const broken: readonly (readonly [FtrTable, RegExp])[] = [
    [{ ...ctrTable, fields: [fields[1], fields[0]] }, /not below/],
    [{ ...ctrTable, register: 'CLIDR_EL1', fields: [fields[0]] }, /no field/],
    [{ ...ctrTable, fields: [{ ...fields[1], safe: 2n }] }, /does not fit/],
  ];
  for (const [table, problem] of broken) assert.match(validateFtrTable(table)[0] ?? '', problem);
  assert.deepEqual(validateCapabilities(), []);
  const [first, second] = capabilityRows;
  assert.match(validateCapabilities([second, first])[0], /order/);
  assert.match(validateCapabilities([{ ...first, systemHas: undefined }])[0], /scope/);
  assert.match(validateCapabilities([{ ...first, description: ' ' }])[0], /description/);
});

test('A0: ftr_ctr, field by field: strictness, rule and safe value', () => {
  const rows = ctrTable.fields.map((row) => [row.field.slice(8), row.strict, row.rule, row.safe]);
  assert.deepEqual(rows, [
    ['RES1', true, 'exact', 1n],
    ['DIC', true, 'lower', 1n],
    ['IDC', true, 'lower', 1n],
    ['CWG', true, 'higherOrZero', 0n],
    ['ERG', true, 'higherOrZero', 0n],
    ['DminLine', true, 'lower', 1n],
    ['L1Ip', false, 'exact', 2n],
    ['IminLine', true, 'lower', 0n],
  ]);
});

test('A0: HIGHER_OR_ZERO_SAFE: zero wins over any value, otherwise the larger', () => {
  const field = { rule: 'higherOrZero', safe: 0n } as const;
  assert.equal(safeValue(field, 0n, 4n), 0n);
  assert.equal(safeValue(field, 4n, 0n), 0n);
  assert.equal(safeValue(field, 4n, 5n), 5n);
  assert.equal(safeValue({ rule: 'lower', safe: 9n }, 3n, 4n), 3n);
  assert.equal(safeValue({ rule: 'higher', safe: 9n }, 0n, 4n), 4n);
  assert.equal(safeValue({ rule: 'exact', safe: 9n }, 3n, 4n), 9n);
});

test('A0: cores are merged: smallest lines, largest granules, zero granule wins', () => {
  let small = PIPT;
  for (const [field, value] of [
    ['IminLine', 3n],
    ['DminLine', 5n],
    ['CWG', 5n],
    ['ERG', 0n],
  ] as const)
    small = setField(`CTR_EL0.${field}`, small, value);
  const merged = host(cpu(PIPT), [cpu(small)]).sanitisedCtr;
  const read = (field: string): bigint => getField(`CTR_EL0.${field}`, merged);
  assert.deepEqual(['IminLine', 'DminLine', 'CWG', 'ERG', 'L1Ip'].map(read), [3n, 4n, 5n, 0n, 3n]);
});

test('A0: a field that the kernel does not know is RES0 system-wide, and strict', () => {
  const tagged = PIPT | (4n << 32n);
  const system = host(cpu(PIPT), [cpu(tagged)]);
  assert.equal(system.sanitisedCtr, PIPT);
  assert.equal(sanity(system).length, 1);
  assert.equal(host(cpu(tagged)).sanitisedCtr, PIPT);
});

test('A0: a variation in strict bits is reported as the kernel words it, and taints', () => {
  const system = host(cpu(PIPT), [cpu(PIPT_IDC), cpu(PIPT_IDC)]);
  assert.deepEqual(texts(system), [
    'Detected PIPT I-cache on CPU0',
    'CPU features: detected: Mismatched cache type (CTR_EL0)',
    'Detected PIPT I-cache on CPU1',
    'CPU features: SANITY CHECK: Unexpected variation in SYS_CTR_EL0. Boot CPU: 0x0000008444c004, CPU1: 0x0000009444c004',
    'CPU features: Unsupported CPU feature variation detected.',
    'Detected PIPT I-cache on CPU2',
    'CPU features: SANITY CHECK: Unexpected variation in SYS_CTR_EL0. Boot CPU: 0x0000008444c004, CPU2: 0x0000009444c004',
  ]);
  assert.ok(system.tainted);
  assert.equal(system.sanitisedCtr, PIPT);
});

test('A0: L1Ip is not strict: a PIPT/VIPT mix gives no warning, no taint, no trap, and becomes VIPT', () => {
  const system = host(cpu(PIPT), [cpu(VIPT)]);
  assert.deepEqual(texts(system), ['Detected PIPT I-cache on CPU0', 'Detected VIPT I-cache on CPU1']);
  assert.equal(system.tainted, false);
  assert.equal(system.sanitisedCtr, VIPT);
  assert.ok(system.icacheIsAliasing);
  assert.deepEqual([system.uct(0), system.uct(1)], [true, true]);
  assert.deepEqual([system.el0Ctr(0), system.el0Ctr(1)], [PIPT, VIPT]);
});

test('A0: effective IDC: raw IDC, or LoC = 0, or LoUIS = LoUU = 0', () => {
  const idc = (clidr: bigint, ctr = PIPT): bigint => getField('CTR_EL0.IDC', effectiveCtr({ ctr, clidr }));
  assert.equal(idc(CLIDR), 0n);
  assert.equal(idc(CLIDR, PIPT_IDC), 1n);
  assert.equal(idc(CLIDR_IDC), 1n);
  assert.equal(idc(CLIDR & ~(7n << 24n)), 1n, 'LoC');
  assert.equal(idc(CLIDR & ~(7n << 21n)), 0n, 'LoUIS alone');
  assert.equal(idc(CLIDR & ~(7n << 27n)), 0n, 'LoUU alone');
});

test('A0: the boot CPU initialises the sanitised copy with its effective IDC', () => {
  assert.equal(host(cpu(PIPT, { clidr: CLIDR_IDC })).sanitisedCtr, PIPT_IDC);
});

test('A0: mismatched cache type only when both the raw and the effective value differ', () => {
  const effective = cpu(PIPT, { clidr: CLIDR_IDC });
  assert.equal(host(cpu(PIPT_IDC), [effective]).has('MISMATCHED_CACHE_TYPE'), false, 'effective agrees');
  assert.equal(host(cpu(PIPT), [effective]).has('MISMATCHED_CACHE_TYPE'), false, 'raw agrees');
  assert.equal(host(cpu(PIPT), [cpu(PIPT_IDC)]).has('MISMATCHED_CACHE_TYPE'), true, 'neither');
});

test('A0: only cores whose raw strict bits differ trap CTR_EL0 from EL0', () => {
  const later = host(cpu(PIPT), [cpu(PIPT_IDC), cpu(PIPT)]);
  assert.deepEqual(
    [0, 1, 2].map((n) => later.uct(n)),
    [true, false, true],
  );
  assert.equal(later.el0Ctr(1), PIPT);
  const boot = host(cpu(PIPT_IDC), [cpu(PIPT)]);
  assert.deepEqual([boot.uct(0), boot.uct(1)], [false, true], 'the sanitised value is the later core’s');
  assert.equal(boot.el0Ctr(0), PIPT);
});

test('A0: a core with raw IDC 0 and effective IDC 1 traps and reads the effective value', () => {
  const system = host(cpu(PIPT_IDC), [cpu(PIPT, { clidr: CLIDR_IDC })]);
  assert.deepEqual([system.uct(0), system.uct(1)], [true, false]);
  assert.equal(system.el0Ctr(1), PIPT_IDC);
});

test('A0: erratum 1542419 traps everywhere, hides DIC and reports IminLine = PAGE_SHIFT - 2', () => {
  const core = cpu(PIPT_IDC_DIC, { erratum1542419: true });
  const system = host(core, [core]);
  assert.deepEqual([system.uct(0), system.uct(1)], [false, false]);
  assert.equal(getField('CTR_EL0.DIC', system.el0Ctr(0)), 0n);
  assert.equal(getField('CTR_EL0.IminLine', system.el0Ctr(0)), 10n);
  assert.equal(getField('CTR_EL0.IminLine', host(core, [], { pageBytes: 65536 }).userCtr), 14n);
  assert.equal(host(cpu(PIPT_IDC, { erratum1542419: true })).uct(0), true, 'it needs DIC');
});

test('A0: EL0 maintenance that traps: DC CVAU and CVAC are done as DC CIVAC, the others as themselves', () => {
  assert.deepEqual(userMaintenance, {
    'DC CVAU': 'DC CIVAC',
    'DC CVAC': 'DC CIVAC',
    'DC CVAP': 'DC CVAP',
    'DC CVADP': 'DC CVADP',
    'DC CIVAC': 'DC CIVAC',
    'IC IVAU': 'IC IVAU',
  });
});

test('A0: hidden fields read as their safe value at EL0', () => {
  const table: FtrTable = { ...ctrTable, fields: [{ ...ctrTable.fields[5], visible: false }] };
  const register = new FtrRegister(table, PIPT);
  assert.equal(getField('CTR_EL0.DminLine', register.sanitised), 4n);
  assert.equal(getField('CTR_EL0.DminLine', register.userVisible), 1n);
});

test('A0: VPIPT is named and flagged up to v6.7, and an aliasing reserved value from v6.8', () => {
  const old = host(cpu(VPIPT), [], { policies: policiesOf('v6.7') });
  assert.deepEqual(texts(old), ['Detected VPIPT I-cache on CPU0']);
  assert.deepEqual([old.icacheIsVpipt, old.icacheIsAliasing], [true, false]);
  const now = host(cpu(VPIPT), [], { policies: policiesOf('v6.8') });
  assert.deepEqual(texts(now), ['Detected RESERVED/UNKNOWN I-cache on CPU0']);
  assert.deepEqual([now.icacheIsVpipt, now.icacheIsAliasing], [false, true]);
});

test('A0: the reserved L1Ip 0b01 has no name and counts as aliasing, at every release', () => {
  for (const kernel of ['v5.15', 'v6.7', 'v6.8', 'v6.12']) {
    const system = host(cpu(setField('CTR_EL0.L1Ip', PIPT, 1n)), [], { policies: policiesOf(kernel) });
    assert.deepEqual(texts(system), ['Detected RESERVED/UNKNOWN I-cache on CPU0']);
    assert.deepEqual([system.icacheIsVpipt, system.icacheIsAliasing], [false, true]);
  }
});

test('A0: a late VIPT core slips through as merged: flags and sanitised value change under user space', () => {
  const system = host(cpu(PIPT), [cpu(PIPT)]);
  const before = system.el0Ctr(0);
  assert.equal(system.icacheIsAliasing, false);
  assert.equal(system.onlineLate(2, cpu(VIPT)), 'online');
  assert.ok(system.icacheIsAliasing);
  assert.equal(system.sanitisedCtr, VIPT);
  assert.equal(system.el0Ctr(0), before, 'the cores that were there still show what they are');
  assert.deepEqual(
    [0, 1, 2].map((n) => system.uct(n)),
    [true, true, true],
  );
  assert.equal(system.tainted, false);
});

test('A0: the posted ICACHE_PIPT capability refuses a late core that is not PIPT', () => {
  const policies = policiesOf('v6.8', { lateOnlining: 'icachePipt' });
  for (const late of [VIPT, VPIPT]) {
    const system = host(cpu(PIPT), [], { policies });
    assert.equal(system.icacheIsAliasing, false);
    assert.equal(system.onlineLate(1, cpu(late)), 'died');
    assert.equal(system.sanitisedCtr, PIPT);
    assert.deepEqual(system.online, [0]);
    const conflict =
      'CPU features: CPU1: Detected conflict for capability ICACHE_PIPT (PIPT I-cache), System: 1, CPU: 0';
    assert.ok(texts(system).includes(conflict));
  }
  const refusing = policiesOf('v6.7', { lateOnlining: 'icachePipt', vpipt: 'refuse' });
  assert.ok(host(cpu(VPIPT), [], { policies: refusing }).icacheIsAliasing, 'all that is not PIPT');
  const vipt = host(cpu(VIPT), [], { policies });
  assert.ok(vipt.icacheIsAliasing);
  assert.equal(vipt.onlineLate(1, cpu(PIPT)), 'online', 'a better core may come');
  assert.ok(vipt.icacheIsAliasing);
});

test('A0: conflicts: what the system has and a core lacks, and the other way round', () => {
  const row = (permitted: boolean, optional: boolean) => ({
    ...capabilityRows[0],
    permittedForLateCpu: permitted,
    optionalForLateCpu: optional,
  });
  assert.equal(lateConflict(row(true, false), true, false), 'cpuLacks');
  assert.equal(lateConflict(row(true, true), true, false), undefined);
  assert.equal(lateConflict(row(false, true), false, true), 'cpuHas');
  assert.equal(lateConflict(row(true, true), false, true), undefined);
  assert.equal(lateConflict(row(false, false), true, true), undefined);
  assert.equal(lateConflict(row(false, false), false, false), undefined);
});

test('A0: a late core that lacks DIC dies, with the kernel’s words', () => {
  const system = host(cpu(PIPT_IDC_DIC));
  const before = system.messages.length;
  assert.equal(system.onlineLate(1, cpu(PIPT_IDC)), 'died');
  assert.deepEqual(texts(system).slice(before), [
    'CPU features: CPU1: Detected conflict for capability 8 ' +
      '(Instruction cache invalidation not required for I/D coherence), System: 1, CPU: 0',
    'CPU1: will not boot',
    'CPU1: failed to come online',
    'CPU1: died during early boot',
  ]);
  const stuck = host(cpu(PIPT_IDC_DIC), [], { psci: false });
  stuck.onlineLate(1, cpu(PIPT_IDC));
  assert.equal(texts(stuck).at(-1), 'CPU1: is stuck in kernel');
});

test('A0: a late core that brings a mismatched cache type dies unless the system has one already', () => {
  assert.equal(host(cpu(PIPT)).onlineLate(1, cpu(PIPT_IDC)), 'died');
  const mismatched = host(cpu(PIPT), [cpu(PIPT_IDC)]);
  assert.equal(mismatched.onlineLate(2, cpu(PIPT_IDC)), 'online');
});

test('A0: after late onlining only the mismatched core traps, and earlier ones keep showing the raw value', () => {
  const system = host(cpu(PIPT), [cpu(PIPT_IDC)]);
  const small = setField('CTR_EL0.IminLine', PIPT, 3n);
  assert.equal(system.onlineLate(2, cpu(small)), 'online');
  assert.equal(system.sanitisedCtr, small);
  assert.deepEqual(
    [0, 1, 2].map((n) => system.uct(n)),
    [true, false, false],
  );
  assert.equal(system.el0Ctr(0), PIPT, 'larger lines than the system has');
  assert.equal(sanity(system).length, 2);
});

test('A0: the posted refusal of VPIPT: ENODEV and its message', () => {
  const start = (boot: CpuRegisters, policies = policiesOf('v6.2', { vpipt: 'refuse' })) => {
    const system = host(boot, [], { policies });
    return [system.startKvm(), texts(system).at(-1)];
  };
  assert.deepEqual(start(cpu(VPIPT)), ['ENODEV', 'kvm [1]: Incompatible VPIPT I-Cache policy']);
  assert.equal(start(cpu(PIPT))[0], 'ok');
  assert.equal(start(cpu(VPIPT), policiesOf('v6.2'))[0], 'ok');
});

test('the IPA limit of KVM is what every boot core reaches, and 48 bits with pages of 4 KiB at most', () => {
  const core = (parange: bigint): CpuRegisters => cpu(PIPT, mmfr(0, parange));
  const limit = (parange: readonly bigint[], pageBytes?: number): (number | string | undefined)[] => {
    const [boot, ...others] = parange.map(core);
    const system = host(boot, others, { pageBytes });
    assert.equal(system.kvmIpaLimit, 0, 'KVM has not started');
    assert.equal(system.startKvm(), 'ok');
    return [system.kvmIpaLimit, texts(system).at(-1)];
  };
  assert.deepEqual(limit([4n, 2n]), [40, 'kvm [1]: IPA Size Limit: 40 bits']);
  assert.equal(limit([6n])[0], 48);
  assert.equal(limit([6n], 65536)[0], 52);
  assert.deepEqual(limit([1n]), [
    36,
    'kvm [1]: IPA Size Limit: 36 bits (Reduced IPA size, limited VM/VMM compatibility)',
  ]);
});

const VMID16 = 0x20n;
const widths = (parange: bigint, vmid: bigint): CpuRegisters =>
  cpu(PIPT, { id: { ID_AA64MMFR0_EL1: parange, ID_AA64MMFR1_EL1: vmid } });

function withKvm(boot: CpuRegisters, options: Partial<HostOptions> = {}): HostCpus {
  const system = host(boot, [], options);
  system.startKvm();
  return system;
}

test('A0: verify_hyp_capabilities: VMIDBits and PARange of a late core', () => {
  const tries: readonly (readonly [CpuRegisters, string])[] = [
    [widths(5n, 0n), 'CPU features: CPU1: VMID width mismatch'],
    [widths(4n, VMID16), 'CPU features: CPU1: IPA range mismatch'],
    [widths(4n, 0n), 'CPU features: CPU1: VMID width mismatch'],
  ];
  for (const [registers, message] of tries) {
    const system = withKvm(widths(5n, VMID16));
    const before = system.messages.length;
    assert.equal(system.onlineLate(1, registers), 'died');
    assert.deepEqual(system.online, [0]);
    assert.deepEqual(texts(system).slice(before), [
      message,
      'CPU1: will not boot',
      'CPU1: failed to come online',
      'CPU1: died during early boot',
    ]);
  }
  assert.equal(withKvm(widths(5n, VMID16)).onlineLate(1, widths(5n, VMID16)), 'online');
  assert.equal(withKvm(widths(4n, 0n)).onlineLate(1, widths(5n, VMID16)), 'online', 'wider ones may come');
  assert.equal(withKvm(widths(6n, VMID16)).onlineLate(1, widths(5n, VMID16)), 'online', '48 bits are the limit');
});

test('a late core is held to the IPA limit once KVM has started, to VMIDs wherever there is EL2', () => {
  const boot = widths(5n, VMID16);
  assert.equal(host(boot).onlineLate(1, widths(1n, VMID16)), 'online', 'no limit yet');
  assert.equal(host(boot).onlineLate(1, widths(5n, 0n)), 'died', 'KVM need not have started');
  const refused = host({ ...boot, ctr: VPIPT }, [], { policies: policiesOf('v6.2', { vpipt: 'refuse' }) });
  assert.equal(refused.startKvm(), 'ENODEV');
  assert.equal(refused.onlineLate(1, { ...widths(1n, VMID16), ctr: VPIPT }), 'online', 'nor does one that refused');
  assert.equal(host(boot, [], { hypMode: false }).onlineLate(1, widths(1n, 0n)), 'online', 'at EL1 nobody asks');
});

test('since v6.14 a core with too few address bits comes online, and every core after it dies', () => {
  const core = (parange: bigint): CpuRegisters => cpu(PIPT, mmfr(0, parange));
  const system = withKvm(core(4n), { policies: policiesOf('v6.14') });
  assert.equal(system.onlineLate(1, core(4n)), 'online');
  assert.equal(system.onlineLate(2, core(2n)), 'online');
  assert.equal(system.onlineLate(3, core(4n)), 'died');
  assert.ok(texts(system).includes('CPU features: CPU3: IPA range mismatch'));
});

test('features of KVM are there when every boot core has them', () => {
  const fwb = cpu(PIPT, mmfr(2, 1n << 40n));
  assert.equal(host(fwb, [fwb]).has('HAS_STAGE2_FWB'), true);
  assert.equal(host(fwb, [cpu(PIPT)]).has('HAS_STAGE2_FWB'), false);
  assert.equal(host(fwb, [fwb], { policies: policiesOf('v6.12', { fwb: 'off' }) }).has('HAS_STAGE2_FWB'), false);
  const evt = cpu(PIPT, mmfr(2, 1n << 56n));
  assert.equal(host(evt).has('HAS_EVT'), true);
  assert.equal(host(evt, [], { policies: policiesOf('v6.4') }).has('HAS_EVT'), false);
  assert.equal(host(fwb).sanitisedId('ID_AA64MMFR2_EL1'), 1n << 40n);
});

test('A4: the posted detection of associativity mismatches (Dec 2022) compares sets and ways', () => {
  const policies = policiesOf('v6.2', { ccsidr: 'overrideAssociativity' });
  const core = (...ccsidr: bigint[]): CpuRegisters => cpu(PIPT, { ccsidr });
  const little = core(0x700fe03an, 0x203fe01an, 0x70ffe07bn);
  const big = core(0x701fe03an, 0x203fe02an, 0x73ffe07bn);
  assert.equal(host(little, [big], { policies }).has('MISMATCHED_CACHE_ASSOCIATIVITY'), true);
  assert.equal(host(little, [little], { policies }).has('MISMATCHED_CACHE_ASSOCIATIVITY'), false);
  assert.equal(host(little, [big]).has('MISMATCHED_CACHE_ASSOCIATIVITY'), false, 'v6.12 does not look');
});

test('cores come in their phase', () => {
  const system = new HostCpus({ policies: policiesOf(), boot: cpu(PIPT) });
  assert.throws(() => system.onlineLate(1, cpu(PIPT)), /elscope bug/);
  system.finalise();
  assert.throws(() => system.bootSecondary(1, cpu(PIPT)), /elscope bug/);
  assert.throws(() => system.uct(7), /CPU7/);
});
