/** Memory slots and the host's mappings behind them, changed while the guest runs: what stage 2 forgets, and what the guest finds. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Outcome, resultOf } from '../../../../src/hypervisor/errno';
import { memoryFlags } from '../../../../src/hypervisor/kvmApi';
import { Stage2Table } from '../../../../src/hypervisor/run/stage2Table';
import { VmmCall } from '../../../../src/hypervisor/run/vmmApi';
import { call, entryOf, load, type Operation, run, type Script, script, store } from './scriptGuest';

const MiB = 2 ** 20;
const GiB = 2 ** 30;
const AT = 2 * GiB;
const SIZE = 4 * MiB;
/** The model's tables and the guest's own memory come before it. */
const USER = 0x4180_0000;
const READONLY = memoryFlags.KVM_MEM_READONLY;
const LOG = memoryFlags.KVM_MEM_LOG_DIRTY_PAGES;

const ok = resultOf('ok');
const vm = (slot: object = {}): object => ({
  memory: '8M',
  vcpus: [{ core: 0 }],
  slots: [{ at: AT, size: SIZE, mapSize: '2M', ...slot }],
});
const region = (id: number, flags: number, at: number, bytes: number, user = USER): Operation =>
  call(VmmCall.SET_USER_MEMORY_REGION, id, flags, at, bytes, user);

function ran(operations: readonly Operation[], settings: object = {}): Script {
  const s = script({ kvm: '6.12', vms: [vm()], ...settings }, operations);
  s.finish();
  return s;
}

const isMapped = (s: Script, ipa: number): boolean => Stage2Table.isValid(entryOf(s, ipa).entry);
const exits = ({ model }: Script, reason: string): number => model.vms[0].vcpus[0].exits[reason] ?? 0;
const ABORT = { fetch: 0x21n, data: 0x25n, external: 0x10n } as const;

describe('a slot that moves', () => {
  const s = ran([
    store(AT + 2 * MiB, 0x11),
    store(AT, 0x22),
    call(VmmCall.USER_ADDRESS, AT + 8),
    region(1, 0, 3 * GiB, SIZE),
    load(3 * GiB + 2 * MiB),
    load(AT),
    run(AT),
  ]);
  const results = s.results();

  test('has the same memory at the new address', () => {
    assert.deepEqual([results[2].x0, results[2].x1], [ok, BigInt(USER + 8)]);
    assert.equal(results[3].x0, ok);
    assert.equal(results[4].x0, 0x11n);
    assert.deepEqual(
      s.model.vms[0].slots.map(({ id, guestAddress }) => [id, guestAddress]),
      [
        [0, GiB],
        [1, 3 * GiB],
      ],
    );
  });
  test('is MMIO at the old one, and an external abort for fetches', () => {
    assert.deepEqual([results[5].x0, results[5].esr], [0n, 0n]);
    assert.equal(exits(s, 'KVM_EXIT_MMIO'), 1);
    assert.equal(results[6].esr >> 26n, ABORT.fetch);
    assert.equal(results[6].esr & 0x3fn, ABORT.external);
  });
  test('is unmapped in memory, entry by entry with TLBI by IPA, cleaned, and its empty table freed', () => {
    assert.ok(!isMapped(s, AT) && !isMapped(s, AT + 2 * MiB));
    assert.ok(isMapped(s, 3 * GiB + 2 * MiB));
    assert.equal(s.model.operations['TLBI IPAS2E1IS'], 3, 'two blocks and their table');
    const lines = (2 * MiB) / 64;
    const own = s.model.faults.reduce((sum, { bytes, action }) => sum + (action === 'map' ? bytes / 64 : 0), 0);
    assert.equal(s.model.operations['DC CIVAC'], own + 2 * lines);
    assert.equal(s.model.vms[0].freeTables.length, 0, 'the table is used again for the new place');
  });
});

test('a slot that is deleted: later accesses are MMIO, its table is free, and it cannot be deleted again', () => {
  const s = ran([store(AT, 1), region(1, 0, AT, 0), store(AT, 2), load(AT), region(1, 0, AT, 0)]);
  const [, gone, , read, again] = s.results();
  assert.deepEqual([gone.x0, read.x0, again.x0], [ok, 0n, resultOf('EINVAL')]);
  assert.equal(exits(s, 'KVM_EXIT_MMIO'), 2);
  assert.deepEqual([isMapped(s, AT), s.model.vms[0].slots.length], [false, 1]);
  assert.equal(s.model.vms[0].freeTables.length, 1);
  const [{ id, start }] = [{ id: 1, start: USER }];
  const word = s.machine.peek(0, 'pa', BigInt(start), 1)[0];
  assert.deepEqual([id, word], [1, 1], 'the memory is as it was');
});

test('nothing is cleaned when FWB is in effect', () => {
  const cores = [{ features: { FEAT_S2FWB: true } }];
  const s = ran([store(AT, 1), region(1, 0, AT, 0)], { cores });
  assert.equal(s.results()[1].x0, ok);
  assert.equal(s.model.operations['DC CIVAC'], undefined);
  assert.equal(isMapped(s, AT), false);
});

test('what the pure function refuses is refused here, and changes nothing', () => {
  const asked: readonly (readonly [Operation, Outcome])[] = [
    [region(2, 0, AT + 2 * MiB, SIZE), 'EEXIST'],
    [region(1, 0, AT, SIZE / 2), 'EINVAL'],
    [region(1, READONLY, AT, SIZE), 'EINVAL'],
    [region(1, 4, AT, SIZE), 'EINVAL'],
    [region(2, 0, AT + SIZE + 0x800, SIZE), 'EINVAL'],
    [region(2, 0, 2 ** 40, SIZE), 'EFAULT'],
    [region(2, 0, 2 ** 40 - SIZE, SIZE), 'ok'],
  ];
  const s = ran(asked.map(([operation]) => operation));
  assert.deepEqual(
    s.results().map(({ x0 }) => x0),
    asked.map(([, outcome]) => resultOf(outcome)),
  );
  assert.deepEqual(
    s.model.vms[0].slots.map(({ id, flags }) => [id, flags]),
    [
      [0, 0],
      [1, 0],
      [2, 0],
    ],
  );
});

test('a slot that is made at run time, read-only: loads and fetches as of memory, a store is KVM_EXIT_MMIO', () => {
  const RET = 0xd65f_03c0;
  const s = ran([
    store(AT, RET),
    region(2, READONLY, AT + GiB, SIZE),
    load(AT + GiB),
    run(AT + GiB),
    store(AT + GiB, 7),
    load(AT),
  ]);
  const [, made, read, ran2, , after] = s.results();
  assert.deepEqual([made.x0, read.x0, ran2.esr], [ok, BigInt(RET), 0n]);
  assert.equal(after.x0, BigInt(RET), 'the store did not reach the memory');
  assert.equal(exits(s, 'KVM_EXIT_MMIO'), 1);
  assert.equal(Stage2Table.isWritable(entryOf(s, AT + GiB).entry), false);
});

test('flags alone: what is mapped stays', () => {
  const s = ran([store(AT, 1), region(1, LOG, AT, SIZE), load(AT)]);
  assert.deepEqual([s.results()[1].x0, s.results()[2].x0], [ok, 1n]);
  assert.equal(s.model.operations['TLBI IPAS2E1IS'], undefined);
  assert.equal(s.model.vms[0].slots.find(({ id }) => id === 1)?.flags, LOG);
});

describe('memory that user space unmaps', () => {
  test('is unmapped at stage 2 by the notifier, in whole blocks, and the next fault fails KVM_RUN', () => {
    const s = ran([
      store(AT, 1),
      store(AT + 2 * MiB, 2),
      call(VmmCall.MUNMAP, AT + 0x3000, 0x1000),
      load(AT + 2 * MiB),
      load(AT),
      load(AT + 0x3000),
    ]);
    const results = s.results();
    assert.deepEqual([results[2].x0, results[3].x0, results[4].x0], [ok, 2n, 1n]);
    assert.deepEqual(
      s.model.userSpace.errors.map(({ vcpu, errno }) => [vcpu, errno]),
      [['vm1/vcpu0', 'EFAULT']],
    );
    assert.equal(s.model.operations['TLBI IPAS2E1IS'], 1, 'the block of the page');
    assert.equal(entryOf(s, AT).bytes, 4096, 'a hole lets no block come back');
    assert.equal(entryOf(s, AT + 2 * MiB).bytes, 2 * MiB);
    assert.equal(isMapped(s, AT + 0x3000), false);
  });

  test('and maps again: the guest finds what it left', () => {
    const s = ran([store(AT, 5), call(VmmCall.MUNMAP, AT, SIZE), call(VmmCall.MMAP, 1, 0), load(AT)]);
    assert.deepEqual([s.results()[3].x0, s.model.userSpace.errors.length], [5n, 0]);
    assert.equal(entryOf(s, AT).bytes, 2 * MiB, 'as a block');
    assert.equal(s.model.vms[0].invalidateSequence, 2);
  });
});
