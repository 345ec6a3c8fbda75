/** PSCI of guests as KVM answers it, system events, and what KVM_ARM_VCPU_INIT of a vCPU that has run does. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KVM_REG_ARM_PSCI_VERSION } from '../../../../src/hypervisor/kvmApi';
import { getOneReg, regList, setOneReg } from '../../../../src/hypervisor/run/oneReg';
import { call, code, load, type Operation, run, type Script, script, store, until } from './scriptGuest';

const AT = 0x4010_0000;
const FLAG = 0x4020_0000;
const SYSTEM = { CPU_SUSPEND: 0xc400_0001, CPU_ON: 0xc400_0003, AFFINITY_INFO: 0xc400_0004 } as const;
const INVALID_PARAMETERS = BigInt.asUintN(64, -2n);
const vcpus = [{ core: 0 }, { core: 1 }];
const two = { kvm: '6.12', cores: [{}, {}], vms: [{ memory: '8M', vcpus }] };
const one = { kvm: '6.12', vms: [{ memory: '8M', vcpus: [{ core: 0 }] }] };

function ended(settings: Parameters<typeof script>[0], ...lists: readonly (readonly Operation[])[]): Script {
  const s = script(settings, ...lists);
  assert.equal(s.finish().reason, 'exited');
  return s;
}

test('AFFINITY_INFO knows levels: on if any vCPU there is', () => {
  const asked: readonly (readonly [target: number, level: number, answer: bigint])[] = [
    [0, 0, 0n],
    [1, 0, 1n],
    [1, 1, 0n],
    [0xff, 3, 0n],
    [0x100, 1, INVALID_PARAMETERS],
    [0, 4, INVALID_PARAMETERS],
    [0x8000_0000, 0, INVALID_PARAMETERS],
  ];
  const s = ended(
    two,
    asked.map(([target, level]) => call(SYSTEM.AFFINITY_INFO, target, level)),
  );
  assert.deepEqual(
    s.results().map(({ x0 }) => x0),
    asked.map(([, , answer]) => answer),
  );
});

test('a vCPU may be started where there is no memory', () => {
  const s = ended(two, [call(SYSTEM.CPU_ON, 1, 0x1_0000_0000)]);
  assert.equal(s.results()[0].x0, 0n);
  assert.equal(s.model.vms[0].vcpus[1].registers.SCTLR_EL1, 0x00c5_0078n);
});

test('CPU_SUSPEND waits for an interrupt, whatever power state it names', () => {
  const s = script(one, [call(SYSTEM.CPU_SUSPEND, -1)]);
  assert.equal(s.machine.run(1e6).reason, 'idle');
  assert.equal(s.model.vms[0].vcpus[0].state, 'waiting');
});

test('a vCPU that is started while it leaves its core has the registers of a reset', () => {
  // CPACR_EL1.FPEN; TPIDR_EL1 and FPCR from X1, in its first life; in each later one they are ORed into the word at X0.
  // Lives of different lengths, so that the next one begins at each of the steps that end a life.
  const waits = [0xf940_0404, 0x9100_0484, 0xf900_0404, 0x9240_1084, 0xb400_0064, 0xd100_0484, 0x17ff_fffe];
  const enable = [0xd2a0_0602, 0xd518_1042, 0xd503_3fdf];
  const first = code(AT, [...enable, 0xd518_d081, 0xd51b_4401, 0xd65f_03c0]);
  const later = [
    ...enable,
    ...waits,
    ...[0xd538_d081, 0xd53b_4402, 0xaa02_0021, 0xf940_0002, 0xaa01_0042, 0xf900_0002, 0xd2a0_0801, 0xd518_d081],
    ...[0xd51b_4401, 0xd2b0_8000, 0xf280_0040, 0xd400_0002],
  ];
  const starts = Array.from({ length: 600 }, () => call(SYSTEM.CPU_ON, 1, AT + 0x100, FLAG));
  const operations = [...code(AT + 0x100, later), ...starts, call(SYSTEM.AFFINITY_INFO, 1, 0)];
  const s = ended({ ...two, quantum: 1 }, operations, [...first, run(AT, 1 << 22)]);
  const successes = s.results().filter(({ x0 }, n) => n >= 11 && x0 === 0n).length;
  assert.ok(successes > 10, 'it has had later lives');
  const { mappings } = s.model.vms[0];
  const word = s.machine.peek(0, 'pa', BigInt(mappings[0].vma.start + FLAG - 0x4000_0000), 8);
  assert.deepEqual([...word], new Array(8).fill(0));
});

describe('the version of PSCI', () => {
  const NOT_SUPPORTED = BigInt.asUintN(64, -1n);
  const [VERSION, FEATURES, RESET2, OFF2] = [0x8400_0000, 0x8400_000a, 0xc400_0012, 0xc400_0015] as const;
  /** PSCI_VERSION, PSCI_FEATURES of SYSTEM_RESET2 and SYSTEM_OFF2, and what the calls say of types that there are not. */
  const questions = [
    ...[call(VERSION), call(FEATURES, RESET2), call(FEATURES, OFF2), call(RESET2, 1), call(OFF2, 2)],
    call(OFF2, 1, 1),
  ];
  const answers = (kvm: string): bigint[] =>
    ended({ ...one, kvm }, questions)
      .results()
      .map(({ x0 }) => x0);
  const none = NOT_SUPPORTED;
  const bad = INVALID_PARAMETERS;

  test('is 1.0 before v5.18, 1.1 with SYSTEM_RESET2 before v6.13, 1.3 with SYSTEM_OFF2 since', () => {
    assert.deepEqual(answers('5.17'), [0x1_0000n, none, none, none, none, none]);
    for (const kvm of ['5.18', '6.1', '6.12']) assert.deepEqual(answers(kvm), [0x1_0001n, 0n, none, bad, none, none]);
    assert.deepEqual(answers('6.13'), [0x1_0003n, 0n, 1n, bad, bad, bad]);
  });
  test('SYSTEM_OFF2 ends the VM', () => {
    for (const type of [0, 1]) {
      const s = ended({ ...one, kvm: '6.13' }, [call(OFF2, type), call(VERSION)]);
      assert.equal(s.results()[1].x0, 0n);
      assert.equal(s.model.vms[0].vcpus[0].exits.KVM_EXIT_SYSTEM_EVENT, 1);
    }
  });
  test('user space may ask for an older one, which the guest then has, and for none that KVM lacks', () => {
    const of = (kvm: string, wanted: bigint) => {
      const { machine, model, results, finish } = script({ ...one, kvm }, questions);
      while (model.vms.length === 0 && machine.run(1).reason === 'limit');
      const vcpu = model.vms[0].vcpus[0];
      assert.ok(regList(model, vcpu).includes(KVM_REG_ARM_PSCI_VERSION));
      const outcome = setOneReg(model, vcpu, KVM_REG_ARM_PSCI_VERSION, wanted);
      const now = getOneReg(model, vcpu, KVM_REG_ARM_PSCI_VERSION);
      finish();
      assert.equal(results()[0].x0, now);
      return [outcome, now, results()[1].x0];
    };
    assert.deepEqual(of('6.13', 0x1_0001n), ['ok', 0x1_0001n, 0n]);
    assert.deepEqual(of('6.13', 0x1_0000n), ['ok', 0x1_0000n, none]);
    assert.deepEqual(of('6.13', 2n), ['ok', 2n, none]);
    assert.deepEqual(of('6.12', 0x1_0003n), ['EINVAL', 0x1_0001n, 0n]);
    assert.deepEqual(of('6.12', 1n), ['EINVAL', 0x1_0001n, 0n]);
  });
});

describe('SYSTEM_RESET', () => {
  // TPIDR_EL1 into X0; counts in the word at X1, and resets unless it is 2: TPIDR_EL1 = X2, SYSTEM_RESET.
  const BOOT = [
    ...[0xd538_d080, 0xf940_0022, 0x9100_0442, 0xf900_0022, 0xf100_085f, 0x5400_00a0, 0xd518_d082],
    ...[0xd2b0_8000, 0xf280_0120, 0xd400_0002, 0xd65f_03c0],
  ];
  /** In the program, which does not use it: 0. */
  const UNUSED = 0x4008_07f8;
  const boot = [load(UNUSED), store(UNUSED, 1), ...code(AT, BOOT), run(AT, FLAG)];
  const last = (s: Script) => s.results()[boot.length - 1];
  const exits = ({ model }: Script, reason: string): number => model.vms[0].vcpus[0].exits[reason] ?? 0;

  test('starts the VM again: its program is loaded, registers are as after KVM_ARM_VCPU_INIT, other memory stays', () => {
    const s = ended(one, boot);
    assert.equal(last(s).x0, 0n, 'TPIDR_EL1 in the second run');
    assert.equal(s.results()[0].x0, 0n, 'a word of the program that the first run has changed');
    assert.equal(exits(s, 'KVM_EXIT_SYSTEM_EVENT'), 2, 'reset and off');
    assert.deepEqual(s.model.log.slice(-1), ['vmm [1]: KVM_SYSTEM_EVENT_RESET']);
  });
  test('unmaps the memory, which is cleaned when it is mapped again', () => {
    const s = ended(one, boot);
    const pages = s.model.faults.map(({ ipa, action }) => `${action} ${ipa}`);
    assert.equal(pages.filter((page) => page === `map ${FLAG}`).length, 2);
  });
  test('with FWB memory stays mapped, and the I-caches are invalidated', () => {
    const s = ended({ ...one, cores: [{ idc: true, features: { FEAT_S2FWB: true } }] }, boot);
    assert.equal(s.model.faults.filter(({ ipa, action }) => action === 'map' && ipa === FLAG).length, 1);
    const ofFaults = s.model.faults.flatMap(({ steps }) => steps).filter(({ name }) => name === 'IC IALLUIS').length;
    assert.equal(s.model.operations['IC IALLUIS'] - ofFaults, 1);
  });
  test('takes vCPUs that run elsewhere out of the guest first', () => {
    const s = ended(two, boot, [until(FLAG + 8, 1)]);
    assert.equal(s.results().at(-1)?.x0, 0n);
    assert.deepEqual(
      s.model.vms[0].vcpus.map(({ state }) => state),
      ['off', 'off'],
    );
  });
});
