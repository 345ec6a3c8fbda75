/**
 * Registers and calls that a guest finds trapped, and capabilities that its monitor asks for. Values are those that Debian's 6.1 and
 * 6.12 gave on these cores.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { capabilities } from '../../../../src/hypervisor/kvmApi';
import { VendorCall } from '../../../../src/hypervisor/run/exits';
import { VmmCall } from '../../../../src/hypervisor/run/vmmApi';
import { call, code, isWaiting, run, script, store, until } from './scriptGuest';

const AT = 0x4010_0000;
const RET = 0xd65f_03c0;
const UNDEFINED = 'UNDEFINED';

/** What X0 is after an instruction, or the exception. */
function ran(instruction: readonly number[], settings: Parameters<typeof script>[0] = {}): bigint | string {
  const operations = [...code(AT, [...instruction, RET]), run(AT)];
  const s = script({ kvm: '6.12', vms: [{ memory: '8M', vcpus: [{ core: 0 }] }], ...settings }, operations);
  s.finish();
  const { x0, esr } = s.results()[operations.length - 1];
  if (esr === 0n) return x0;
  return esr >> 26n === 0n ? UNDEFINED : `class ${esr >> 26n}`;
}

describe('registers', () => {
  test('the reserved space of ID registers reads as 0', () => {
    // S3_0_C0_C3_7, S3_0_C0_C4_3, S3_0_C0_C7_7, MVFR0_EL1
    for (const word of [0xd538_03e0, 0xd538_0460, 0xd538_07e0, 0xd538_0300]) assert.equal(ran([word]), 0n);
  });
  test('there is no PMU', () => {
    assert.equal(ran([0xd53b_9c00]), UNDEFINED, 'mrs x0, pmcr_el0');
    assert.equal(ran([0xd53b_9d00]), UNDEFINED, 'mrs x0, pmccntr_el0');
  });
  test('ID registers are the host’s sanitised ones, whatever core the guest is on', () => {
    // x0 = ID_AA64MMFR0_EL1.PARange, of cores with 44 and with 40 bits
    const range = [0xd538_0700, 0x9240_0c00];
    const cores = [{ type: 'cortex-a57' }, { type: 'cortex-a53' }];
    for (const core of [0, 1]) assert.equal(ran(range, { cores, vms: [{ memory: '8M', vcpus: [{ core }] }] }), 2n);
    assert.equal(ran(range, { cores: [cores[0]] }), 4n);
  });
  test('the debug version is that of Armv8.0 before v6.7', () => {
    const of = (kvm: string) => ran([0xd538_0500], { kvm, cores: [{ type: 'max', idc: true, dic: true }] });
    assert.deepEqual([of('6.1'), of('6.12')], [0x1030_5006n, 0x1030_5007n]);
  });
  test('the OS lock is off', () => assert.equal(ran([0xd530_1180]), 8n));
  test('limited ordering regions are there, without any, where cores have them', () => {
    const cores = [{ features: { FEAT_LOR: true } }];
    for (const word of [0xd538_a460, 0xd538_a4e0]) {
      assert.equal(ran([word], { cores }), 0n);
      assert.equal(ran([word]), UNDEFINED);
    }
    assert.equal(ran([0xd518_a4e0], { cores }), UNDEFINED, 'msr lorid_el1, x0');
  });
});

test('HCR_EL2 in a guest, as Debian’s kernels have it on these cores, but for E2H and keys', () => {
  const inGuest = (core: object, kvm: string, gic: 2 | 3): bigint => {
    const vms = [{ memory: '8M', vcpus: [{ core: 0 }] }];
    const s = script({ kvm, cores: [core], gic, vms }, [until(AT, 1)]);
    const [unit] = s.machine.units;
    for (let n = 0; n < 1000 && !isWaiting(unit); n++) s.machine.run(100);
    assert.ok(isWaiting(unit));
    return unit.peekSystem('HCR_EL2') ?? 0n;
  };
  // TWE was seen under 6.12, where another thread of the host was about to run.
  const [E2H, TWE, TID2] = [1n << 34n, 1n << 14n, 1n << 17n];
  // API and APK: this VMM asks for pointer authentication, that one did not.
  const KEYS = 3n << 40n;
  const max = { type: 'max', idc: true, dic: true };
  assert.equal(inGuest(max, '6.1', 3), (0x403c_807c_263fn & ~E2H) | KEYS);
  assert.equal(inGuest(max, '6.12', 3), (0x2_403c_807c_663fn & ~E2H & ~TWE) | KEYS);
  // That was seen on cores with mismatched cache types.
  assert.equal(inGuest({}, '6.1', 2), 0x847e_263fn & ~TID2);
  assert.equal(inGuest({}, '6.12', 2), 0x847e_663fn & ~TWE);
});

describe('WFE', () => {
  // Three times: an exception return is an event, which ends the first one.
  const thrice = code(AT, [0xd503_205f, 0xd503_205f, 0xd503_205f, RET]);
  const FLAG = 0x4020_0000;
  const traps = (s: ReturnType<typeof script>, vcpu = 0): number => s.model.vms[0].vcpus[vcpu].exits.WFx ?? 0;
  const sharing = (...cores: readonly number[]) => ({
    cores: [{}, {}],
    vms: [{ memory: '8M', vcpus: cores.map((core) => ({ core })) }],
  });

  test('does not trap where the vCPU is the only one that can run on its core', () => {
    // A slice's end is an event too.
    const s = script({ slice: 5000, ...sharing(0) }, [...thrice, run(AT), call(VendorCall.CORE)]);
    s.finish();
    assert.deepEqual([traps(s), s.results().at(-1)?.esr], [0, 0n]);
  });
  test('traps where another one can run there', () => {
    const s = script({ slice: 50_000, ...sharing(0, 0) }, [...thrice, run(AT), store(FLAG, 1)], [until(FLAG, 1)]);
    s.finish();
    assert.ok(traps(s) > 0);
  });
  test('a vCPU that comes to a core where another waits is not kept from it', () => {
    // wfe; until [x1] is 1
    const waits = [0xd503_205f, 0xf940_0022, 0xb4ff_ffc2, RET];
    const first = [...code(AT, waits), store(FLAG + 8, 1), run(AT, FLAG)];
    const second = [until(FLAG + 8, 1), ...Array.from({ length: 200 }, () => call(VendorCall.CORE))];
    const s = script(sharing(0, 1), first, [...second, call(VendorCall.MIGRATE, 0), store(FLAG, 1)]);
    assert.equal(s.finish().reason, 'exited');
  });
});

test('calls by SMC: NOT_SUPPORTED before v6.4, then as by HVC if the immediate is 0', () => {
  // x0 = PSCI_VERSION
  const by = (word: number, kvm: string) => ran([0xd2b0_8000, word], { kvm });
  const [HVC, SMC, SMC_1] = [0xd400_0002, 0xd400_0003, 0xd400_0023];
  const none = BigInt.asUintN(64, -1n);
  assert.deepEqual([by(HVC, '6.1'), by(SMC, '6.1'), by(SMC, '6.3'), by(SMC_1, '6.1')], [0x10001n, none, none, none]);
  assert.deepEqual(
    [by(HVC, '6.12'), by(SMC, '6.4'), by(SMC, '6.12'), by(SMC_1, '6.12')],
    [0x10001n, 0x10001n, 0x10001n, none],
  );
});

test('KVM_CHECK_EXTENSION on a VM', () => {
  const asked = [
    ...['KVM_CAP_USER_MEMORY', 'KVM_CAP_ONE_REG', 'KVM_CAP_NR_MEMSLOTS', 'KVM_CAP_ARM_VM_IPA_SIZE'],
    ...['KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES', 'KVM_CAP_USER_MEMORY2', 'KVM_CAP_MAX_VCPUS', 'KVM_CAP_ARM_EL1_32BIT'],
  ] as const;
  const of = (kvm: string): bigint[] => {
    const operations = [...asked.map((name) => capabilities[name]), 9999].map((n) => call(VmmCall.CHECK_EXTENSION, n));
    const s = script({ kvm, vms: [{ memory: '8M', vcpus: [{ core: 0 }] }] }, operations);
    s.finish();
    return s.results().map(({ x0 }) => x0);
  };
  assert.deepEqual(of('6.1'), [1n, 1n, 32767n, 44n, 0n, 0n, 8n, 0n, 0n]);
  assert.deepEqual(of('6.12'), [1n, 1n, 32767n, 44n, 1n, 1n, 8n, 0n, 0n]);
});

describe('a virtual timer that the guest polls, with its interrupt controller off', () => {
  // CNTV_CVAL = now + 100, enabled; 32768 turns; CNTV_CTL into X0; off.
  const timer = [
    ...[0xd53b_e042, 0x9101_9042, 0xd51b_e342, 0xd280_0023, 0xd51b_e323, 0xd290_0004, 0xf100_0484, 0x54ff_ffe1],
    ...[0xd53b_e320, 0xd51b_e33f, RET],
  ];
  const rounds = Array.from({ length: 5 }, () => [run(AT), call(VendorCall.CORE)]).flat();
  for (const gic of [2, 3] as const)
    test(`fires once each time, and the guest goes on: GICv${gic}`, () => {
      const asked = [...code(AT, timer), ...rounds];
      const s = script({ gic, vms: [{ memory: '8M', vcpus: [{ core: 0 }] }] }, asked);
      s.finish();
      const read = s.results().slice(asked.length - rounds.length);
      for (const { x0 } of read.filter((_, n) => n % 2 === 0))
        assert.equal(x0, 5n, 'enabled, and its condition is met');
      assert.equal(s.model.vms[0].vcpus[0].exits.IRQ, 5);
    });
});
