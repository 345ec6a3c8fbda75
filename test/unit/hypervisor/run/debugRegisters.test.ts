/** Breakpoints, watchpoints and the OS lock of a guest: each vCPU has its own, and they are on a core only while it uses them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { byName, encodingKey, systemRegisters } from '../../../../src/arch/sysregs';
import { sysregId } from '../../../../src/hypervisor/kvmApi';
import { VendorCall } from '../../../../src/hypervisor/run/exits';
import { restoreGuest, saveGuest } from '../../../../src/hypervisor/run/guestState';
import { getOneReg, regList, setOneReg } from '../../../../src/hypervisor/run/oneReg';
import { loadSnapshot, snapshotOf } from './modelBench';
import {
  call,
  code,
  isWaiting,
  load,
  type Operation,
  type Result,
  run,
  type Script,
  script,
  store,
  until,
} from './scriptGuest';
import { goUntil } from './stopped';

const MEMORY = 2 ** 23;
const PIECE = 2 ** 16;
const AT = 0x4010_0000;
const FLAG = 0x4020_0000;
const RET = 0xd65f_03c0;
/** The handler's ERET keeps it clear. */
const DAIFCLR_D = 0xd503_48ff;
const ISB = 0xd503_3fdf;
const STR_X0_X1 = 0xf900_0020;
const MOV_X0_1 = 0xd280_0020;

const access =
  (direction: number) =>
  (register: string, rt: number): number => {
    const { encoding } = systemRegisters[byName(register)] ?? assert.fail(register);
    return (0xd500_0000 | (direction << 21) | (encodingKey(encoding) << 5) | rt) >>> 0;
  };
const msr = access(0);
const mrs = access(1);

/** Exceptions from the same level. */
const BREAKPOINT = 0x31;
const WATCHPOINT = 0x35;
/** Enabled, at EL1, all bytes; for watchpoints loads and stores. */
const BCR = 0x1e3;
const WCR = 0x1ffb;
const MDE_KDE = (1 << 15) | (1 << 13);

/** Where code of a test is, and each piece's operations to put it there. */
const [SET, READ, LATER, LOCK, SPARE] = [AT, AT + 0x100, AT + 0x200, AT + 0x300, AT + 0x400];
/** X1 and X2 into the first breakpoint or watchpoint, X3 into MDSCR_EL1. */
const setting = (kind: 'B' | 'W' = 'B'): Operation[] =>
  code(SET, [msr(`DBG${kind}VR0_EL1`, 1), msr(`DBG${kind}CR0_EL1`, 2), msr('MDSCR_EL1', 3), DAIFCLR_D, ISB, RET]);
/** [X1] and X0 = DBGBVR0_EL1. */
const reading = code(READ, [mrs('DBGBVR0_EL1', 0), STR_X0_X1, RET]);
/** [X1] = 1. */
const later = code(LATER, [MOV_X0_1, STR_X0_X1, RET]);
/** OSLAR_EL1 = X1, OSDLR_EL1 = X2; X0 = OSLSR_EL1, X1 = OSDLR_EL1 */
const locking = code(LOCK, [msr('OSLAR_EL1', 1), msr('OSDLR_EL1', 2), mrs('OSLSR_EL1', 0), mrs('OSDLR_EL1', 1), RET]);
const all = [...setting(), ...reading, ...later, ...locking];
const breakAt = (address: number, mdscr = MDE_KDE): Operation => run(SET, address, BCR, mdscr);
const readBack = run(READ, SPARE);

const ONE = [{ memory: '8M', vcpus: [{ core: 0 }] }];
const TWO = [{ memory: '8M', vcpus: [{ core: 0 }, { core: 0 }] }];
const classOf = ({ esr }: Result): number => Number(esr >> 26n);
const vcpuOf = ({ model }: Script, index = 0) => model.vms[0].vcpus[index];
const trapsOf = (s: Script, register: string): number => vcpuOf(s).traps[register] ?? 0;

function ended(settings: Parameters<typeof script>[0], ...lists: readonly (readonly Operation[])[]): Script {
  const s = script(settings, ...lists);
  assert.equal(s.finish().reason, 'exited');
  return s;
}
/** What the last operations of the first vCPU gave. */
const last = (s: Script, count = 1): Result[] => s.results().slice(-count);

/** One release of each way to switch them. */
for (const kvm of ['6.12', '6.17'] as const)
  describe(`under ${kvm}`, () => {
    test('another vCPU on the core does not see them, nor change them', () => {
      const first = [...all, breakAt(SPARE), store(FLAG, 1), until(FLAG + 8, 1), readBack, load(FLAG + 16)];
      const second = [
        ...[until(FLAG, 1), run(READ, FLAG + 16), run(SET, 0x1000, BCR, MDE_KDE), store(FLAG + 8, 1)],
        until(FLAG + 24, 1),
      ];
      const [own, others] = last(ended({ kvm, slice: 20_000, vms: TWO }, first, second), 2);
      assert.deepEqual([own.x0, others.x0], [BigInt(SPARE), 0n]);
    });

    test('a breakpoint goes where its vCPU goes, and stays away from the one that is left behind', () => {
      const first = [...all, breakAt(LATER), call(VendorCall.MIGRATE, 1), store(FLAG, 1), until(FLAG + 8, 1)];
      const taken = [run(LATER, SPARE), call(VendorCall.CORE), load(FLAG + 16)];
      // Its own MDSCR_EL1 has debug exceptions on.
      const ownMdscr = code(AT + 0x500, [msr('MDSCR_EL1', 3), DAIFCLR_D, ISB, RET]);
      const second = [
        ...[until(FLAG, 1), ...ownMdscr, run(AT + 0x500, 0, 0, MDE_KDE), run(LATER, FLAG + 16), store(FLAG + 8, 1)],
        until(FLAG + 24, 1),
      ];
      const s = ended({ kvm, slice: 20_000, cores: [{}, {}], vms: TWO }, [...first, ...taken], second);
      const [there, core, other] = last(s, 3);
      assert.equal(classOf(there), BREAKPOINT);
      assert.deepEqual([core.x0, other.x0], [1n, 1n]);
    });

    test('so does a watchpoint', () => {
      const watched = [
        ...setting('W'),
        run(SET, FLAG, WCR, MDE_KDE),
        load(FLAG),
        call(VendorCall.MIGRATE, 1),
        load(FLAG),
      ];
      const s = ended({ kvm, cores: [{}, {}], vms: ONE }, watched);
      assert.deepEqual(last(s, 3).map(classOf), [WATCHPOINT, 0, WATCHPOINT]);
    });

    test('user space saves and restores them while the guest uses them', () => {
      // The second setting neither traps nor is followed by an exit: the core alone has it.
      const list = [
        ...[...all, store(FLAG, 0), breakAt(SPARE), breakAt(LATER), until(FLAG, 1), readBack],
        run(LATER, SPARE),
      ];
      const settings = { kvm, cores: [{}, {}], vms: ONE };
      const s = script(settings, list);
      const waiting = (): boolean => isWaiting(s.machine.units[0]);
      for (let n = 0; n < 1000 && !(waiting() && trapsOf(s, 'DBGBVR0_EL1') > 0); n++) s.machine.run(200);
      assert.ok(waiting());
      const guest = saveGuest(s.model, s.model.vms[0]);
      const registers = new Map(guest.vcpus[0].registers);
      const of = (name: string) => registers.get(sysregId(name));
      assert.deepEqual([of('DBGBVR0_EL1'), of('DBGBCR0_EL1'), of('MDSCR_EL1')].map(Number), [LATER, BCR, MDE_KDE]);
      const t = script(settings, list);
      goUntil(t, () => t.model.vms.length > 0);
      const at = (one: Script): number => one.model.vms[0].mappings[0].vma.start;
      assert.equal(at(s), at(t));
      for (let n = 0; n < MEMORY; n += PIECE)
        t.machine.memory.pokeView(at(t) + n, s.machine.peek(0, 'pa', BigInt(at(s) + n), PIECE));
      assert.equal(restoreGuest(t.model, t.model.vms[0], guest), undefined);
      t.machine.memory.pokeView(at(t) + FLAG - 0x4000_0000, Uint8Array.of(1));
      assert.equal(t.finish().reason, 'exited');
      const [read, taken] = last(t, 2);
      assert.deepEqual([read.x0, classOf(taken)], [BigInt(LATER), BREAKPOINT]);
    });

    test('a snapshot has them', () => {
      const list = [...all, breakAt(LATER), call(VendorCall.CORE), readBack, run(LATER, SPARE)];
      const settings = { kvm, vms: ONE };
      const s = script(settings, list);
      goUntil(s, () => s.model.vms[0]?.vcpus[0].traps.DBGBVR0_EL1 === 1);
      const t = script(settings, list);
      s.machine.run(20);
      loadSnapshot(t.machine, snapshotOf(s.machine));
      for (const one of [s, t]) {
        assert.equal(one.finish().reason, 'exited');
        const [read, taken] = last(one, 2);
        assert.deepEqual([read.x0, classOf(taken)], [BigInt(LATER), BREAKPOINT]);
      }
    });

    test('KVM_ARM_VCPU_INIT clears them and the OS lock', () => {
      const s = ended({ kvm, vms: ONE }, [...all, breakAt(LATER), run(LOCK, 1, 0), call(VendorCall.CORE)]);
      const vcpu = vcpuOf(s);
      const of = (name: string) => getOneReg(s.model, vcpu, sysregId(name));
      assert.deepEqual([of('DBGBVR0_EL1'), of('OSLSR_EL1')], [BigInt(LATER), 10n]);
      vcpu.reset(0n, 0n);
      for (const name of ['DBGBVR0_EL1', 'DBGBCR0_EL1', 'MDSCR_EL1']) assert.equal(of(name), 0n, name);
      assert.equal(of('OSLSR_EL1'), 8n);
    });

    test('the OS lock keeps debug exceptions away, and gives MDSCR_EL1 back', () => {
      const mdscr = code(SPARE + 0x100, [mrs('MDSCR_EL1', 0), RET]);
      const tries = [run(LOCK, 1, 0), run(LATER, SPARE), run(SPARE + 0x100), run(LOCK, 0, 1), run(LATER, SPARE)];
      const s = ended({ kvm, vms: ONE }, [...all, ...mdscr, breakAt(LATER), ...tries]);
      const [locked, through, read, unlocked, taken] = last(s, 5);
      assert.deepEqual([locked.x0, locked.x1, unlocked.x0, unlocked.x1], [10n, 0n, 8n, 0n], 'OSLSR_EL1, OSDLR_EL1');
      assert.deepEqual([through.x0, through.esr, read.x0], [1n, 0n, BigInt(MDE_KDE)]);
      assert.equal(classOf(taken), BREAKPOINT);
    });

    test('what is trapped until it is used: breakpoints, watchpoints, MDSCR_EL1; always: the OS lock, the ROM', () => {
      const s = script({ kvm, vms: ONE }, [until(FLAG, 1)]);
      for (let n = 0; n < 1000 && !isWaiting(s.machine.units[0]); n++) s.machine.run(100);
      // TDRA, TDOSA, TDA, TPM, TPMCR; HPMN of the core's six counters.
      assert.equal(s.machine.units[0].peekSystem('MDCR_EL2'), 0xe66n);
    });
  });

describe('which accesses trap', () => {
  const exit = call(VendorCall.CORE);
  const leave = call(VendorCall.YIELD);
  /** Traps of DBGBVR0_EL1 before, and with each further operation. */
  function trapped(kvm: string, mdscr: number, ...between: readonly Operation[]): number {
    const again = between.flatMap((operation) => [operation, breakAt(SPARE, mdscr)]);
    return trapsOf(ended({ kvm, vms: ONE }, [...all, breakAt(SPARE, mdscr), ...again]), 'DBGBVR0_EL1');
  }
  test('before v6.14 the first write after each exit, also while the guest has debug exceptions on', () => {
    assert.equal(trapped('6.13', 0), 1);
    for (const mdscr of [0, MDE_KDE]) assert.equal(trapped('6.13', mdscr, exit, exit, leave), 4);
  });
  test('since v6.14 the first until the vCPU leaves its core, and none while debug exceptions are on', () => {
    assert.equal(trapped('6.14', 0, exit, exit), 1);
    assert.equal(trapped('6.14', 0, exit, leave), 2);
    assert.equal(trapped('6.14', MDE_KDE, exit, leave), 1);
  });
  test('a read is a use since v6.14 alone', () => {
    const traps = (kvm: string): number =>
      trapsOf(ended({ kvm, vms: ONE }, [...all, readBack, readBack, readBack]), 'DBGBVR0_EL1');
    assert.deepEqual([traps('6.13'), traps('6.14')], [3, 1]);
  });
});

test('exits are dearer while the registers are switched, and cost what they did before they are', () => {
  const cost = (kvm: string, ...before: readonly Operation[]): number => {
    const calls = Array.from({ length: 10 }, () => call(VendorCall.CORE));
    const s = ended({ kvm, vms: ONE }, [...all, ...before, ...calls]);
    return (vcpuOf(s).exitCycles.HVC64 ?? 0) / (vcpuOf(s).exits.HVC64 ?? 1);
  };
  for (const kvm of ['6.13', '6.14']) {
    const [unused, off, on] = [cost(kvm), cost(kvm, breakAt(SPARE, 0)), cost(kvm, breakAt(SPARE))];
    assert.ok(on > unused + 60, `${kvm}: ${on} against ${unused}`);
    // Before v6.14 they are put away at the first exit.
    assert.equal(off > unused + 60, kvm === '6.14', `${kvm}: ${off} against ${unused}`);
  }
});

test('there is no OS lock for guests before v5.18', () => {
  const s = ended({ kvm: '5.17', vms: ONE }, [...all, breakAt(LATER), run(LOCK, 1, 1), run(LATER, SPARE)]);
  const [locked, taken] = last(s, 2);
  assert.deepEqual([locked.x0, locked.x1, classOf(taken)], [8n, 0n, BREAKPOINT]);
  assert.equal(trapsOf(s, 'OSLAR_EL1'), 1);
});

test('registers that no external debugger is there for read as 0, and the ROM has no address', () => {
  const names = ['MDRAR_EL1', 'DBGPRCR_EL1', 'DBGCLAIMSET_EL1', 'DBGCLAIMCLR_EL1', 'MDCCSR_EL0', 'DBGDTR_EL0'];
  for (const name of names) {
    const s = ended({ kvm: '6.12', vms: ONE }, [...code(AT, [mrs(name, 0), RET]), run(AT)]);
    assert.deepEqual([last(s)[0].x0, last(s)[0].esr, trapsOf(s, name)], [0n, 0n, 1], name);
  }
});

test('one-reg of OSLSR_EL1: only the lock can be changed, since v5.18', () => {
  const set = (kvm: string, value: bigint) => {
    const s = ended({ kvm, vms: ONE }, [call(VendorCall.CORE)]);
    const id = sysregId('OSLSR_EL1');
    const isListed = regList(s.model, vcpuOf(s)).includes(id);
    return [isListed, setOneReg(s.model, vcpuOf(s), id, value)];
  };
  assert.deepEqual(set('5.18', 10n), [true, 'ok']);
  assert.deepEqual(set('5.18', 0n), [true, 'EINVAL']);
  assert.deepEqual(set('5.17', 8n), [false, 'ENOENT']);
});
