/** Dirty logging and ageing of guests that run: what stage 2 says, which faults come, and what is told. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resultOf } from '../../../../src/hypervisor/errno';
import { capabilities, memoryFlags } from '../../../../src/hypervisor/kvmApi';
import { Stage2Table } from '../../../../src/hypervisor/run/stage2Table';
import { AGEING, VmmCall } from '../../../../src/hypervisor/run/vmmApi';
import { call, code, entryOf, load, type Operation, run, type Script, script, store } from './scriptGuest';

const MiB = 2 ** 20;
const PAGE = 4096;
const AT = 2 ** 31;
const LOG = memoryFlags.KVM_MEM_LOG_DIRTY_PAGES;
const ok = resultOf('ok');
const SLOT = 1;

const setLog = (on: boolean): Operation => call(VmmCall.SET_MEMORY_REGION, SLOT, on ? LOG : 0);
const getLog = call(VmmCall.GET_DIRTY_LOG, SLOT);
const word = (n: number): Operation => call(VmmCall.DIRTY_PAGES, SLOT, n);

function ran(operations: readonly Operation[], settings: object = {}): Script {
  const slots = [{ at: AT, size: 4 * MiB, mapSize: '2M' }];
  const vms = [{ memory: '8M', vcpus: [{ core: 0 }], slots }];
  const s = script({ kvm: '6.12', vms, ...settings }, operations);
  s.finish();
  assert.deepEqual(s.model.userSpace.errors, []);
  return s;
}
const flushes = ({ model }: Script): number => model.operations['TLBI VMALLS12E1IS'] ?? 0;
/** Faults on the slot: what was done, its bytes, and where. */
const faults = ({ model }: Script): (readonly [string, number, number])[] =>
  model.faults.filter(({ ipa }) => ipa >= AT).map(({ action, bytes, ipa }) => [action, bytes, ipa - AT] as const);

/** A table of level 1 at AT: 1 GiB blocks of Normal memory, that of the program with the access flag, that of AT without. */
const TABLE: readonly Operation[] = [store(AT + 8, 0x4000_0701), store(AT + 16, 0x8000_0301)];
/** Stage 1 on with TCR_EL1.HA, and off again after one load from X1 into X0. */
const MAPPED_LOAD = [
  ...[0xd518_2042, 0xd518_2003, 0xd518_a204, 0xd508_871f, 0xd503_3b9f, 0xd503_3fdf, 0xd538_1009, 0xd518_1005],
  ...[0xd503_3fdf, 0xf940_002a, 0xd518_1009, 0xd503_3fdf, 0xaa0a_03e0, 0xd65f_03c0],
];
const CODE = 0x4010_0000;
const TCR = 0x19n | (1n << 8n) | (1n << 10n) | (3n << 12n) | (1n << 23n) | (2n << 32n) | (1n << 39n);

describe('dirty logging', () => {
  test('a walk that sets the access flag in a protected table is a write of that page', () => {
    const cores = [{ features: { FEAT_HAFDBS: true } }];
    const mapped = run(CODE, AT + 0x1000, TCR, AT, 0xff, 0x00c5_0079);
    const s = ran(
      [...TABLE, store(AT + 0x1000, 7), ...code(CODE, MAPPED_LOAD), setLog(true), mapped, getLog, word(0)],
      {
        cores,
      },
    );
    const [value, log, pages] = s.results().slice(-3);
    assert.equal(value.x0, 7n);
    assert.deepEqual([log.x1, pages.x1], [1n, 1n], 'the table, which hardware wrote');
    assert.equal(
      new DataView(
        s.machine.peek(0, 'pa', BigInt(s.model.vms[0].slots[1].hostAddress + 16), 8).slice().buffer,
      ).getUint32(0, true),
      0x8000_0701,
    );
  });

  test('protects the block; a write breaks it into pages that come one by one, a read does not', () => {
    const s = ran([store(AT, 1), setLog(true), load(AT), store(AT + 5 * PAGE, 5), load(AT), store(AT + 8, 2)]);
    assert.deepEqual(faults(s), [
      ['map', 2 * MiB, 0],
      ['map', PAGE, 5 * PAGE],
      ['map', PAGE, 0],
      ['relax', PAGE, 0],
    ]);
    assert.equal(flushes(s), 1, 'once, for the VM');
    assert.equal(s.model.operations['TLBI IPAS2E1IS'], 1, 'the block that was broken');
    assert.equal(entryOf(s, AT).bytes, PAGE);
    assert.equal(Stage2Table.isValid(entryOf(s, AT + PAGE).entry), false, 'mapped lazily');
    assert.deepEqual([s.results()[2].x0, s.results()[4].x0], [1n, 1n]);
  });

  test('the log has the pages that were written since it was taken, which are protected again', () => {
    const s = ran([
      setLog(true),
      store(AT, 1),
      store(AT + 70 * PAGE, 1),
      load(AT + 3 * PAGE),
      ...[getLog, word(0), word(1)],
      store(AT + 70 * PAGE, 2),
      ...[getLog, word(0), word(1)],
      getLog,
    ]);
    const [, , , , got, w0, w1, , again, v0, v1, none] = s.results();
    assert.deepEqual([got.x0, got.x1, w0.x1, w1.x1], [ok, 2n, 1n, 1n << 6n]);
    assert.deepEqual([again.x1, v0.x1, v1.x1], [1n, 0n, 1n << 6n]);
    assert.equal(none.x1, 0n);
    assert.equal(flushes(s), 3, 'the beginning and two logs with pages: none for an empty one');
    assert.deepEqual(faults(s).at(-1), ['relax', PAGE, 70 * PAGE]);
    assert.equal(Stage2Table.isWritable(entryOf(s, AT + 70 * PAGE).entry), false);
  });

  test('when it ends, blocks come back with the next write fault, and their tables are free', () => {
    const s = ran([
      setLog(true),
      store(AT, 1),
      load(AT + PAGE),
      setLog(false),
      store(AT + PAGE, 2),
      store(AT + 2 * PAGE, 3),
      load(AT),
      load(AT + PAGE),
      getLog,
    ]);
    assert.deepEqual(faults(s), [
      ['map', PAGE, 0],
      ['map', PAGE, PAGE],
      ['map', 2 * MiB, 0],
    ]);
    assert.equal(entryOf(s, AT).bytes, 2 * MiB);
    assert.equal(flushes(s), 2, 'a table that a block replaces is forgotten with all of the VM');
    assert.equal(s.model.vms[0].freeTables.length, 1);
    const [a, b, log] = s.results().slice(6);
    assert.deepEqual([a.x0, b.x0, log.x0], [1n, 2n, resultOf('ENOENT')]);
  });

  test('with manual protection the log stays until its pages are cleared', () => {
    const cap = capabilities.KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2;
    const clear = (first: number, pages: number): Operation => call(VmmCall.CLEAR_DIRTY_LOG, SLOT, first, pages);
    const s = ran([
      call(VmmCall.CHECK_EXTENSION, cap),
      call(VmmCall.ENABLE_CAP, cap, 2),
      call(VmmCall.ENABLE_CAP, cap, 1),
      setLog(true),
      store(AT, 1),
      store(AT + 64 * PAGE, 1),
      getLog,
      store(AT + PAGE, 1),
      clear(0, 64),
      getLog,
      ...[word(0), word(1)],
      clear(1, 64),
    ]);
    const results = s.results();
    assert.deepEqual(
      results.slice(0, 3).map(({ x0 }) => x0),
      [3n, resultOf('EINVAL'), ok],
    );
    assert.equal(results[6].x1, 2n);
    assert.equal(results[8].x0, ok);
    assert.deepEqual([results[9].x1, results[10].x1, results[11].x1], [2n, 2n, 1n], 'page 1 was not in the log');
    assert.equal(results[12].x0, resultOf('EINVAL'));
    assert.deepEqual(
      [0, 1, 64].map((page) => Stage2Table.isWritable(entryOf(s, AT + page * PAGE).entry)),
      [false, true, true],
    );
  });

  test('with all pages dirty from the start, nothing is protected until they are cleared', () => {
    const cap = capabilities.KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2;
    const s = ran([
      store(AT, 1),
      call(VmmCall.ENABLE_CAP, cap, 3),
      setLog(true),
      store(AT, 2),
      getLog,
      call(VmmCall.CLEAR_DIRTY_LOG, SLOT, 0, 64),
      store(AT, 3),
      getLog,
    ]);
    const results = s.results();
    assert.equal(results[4].x1, 1024n);
    assert.deepEqual(faults(s), [
      ['map', 2 * MiB, 0],
      ['map', PAGE, 0],
    ]);
    assert.equal(results[7].x1, 1024n - 63n);
  });
});

describe('ageing', () => {
  const age = (how: bigint, at = AT, bytes = PAGE): Operation => call(VmmCall.AGE, at, bytes, how);

  test('an old entry faults at the next walk, and is young again', () => {
    const s = ran([
      store(AT, 1),
      age(AGEING.testYoung),
      age(AGEING.clearFlushYoung),
      age(AGEING.testYoung),
      load(AT),
      age(AGEING.testYoung),
    ]);
    const [, young, cleared, old, read, again] = s.results();
    assert.deepEqual([young.x1, cleared.x1, old.x1, read.x0, again.x1], [1n, 1n, 0n, 1n, 1n]);
    assert.equal(flushes(s), 1);
    assert.equal(Stage2Table.isYoung(entryOf(s, AT).entry), true);
    assert.deepEqual(faults(s).length, 1, 'the access flag fault maps nothing');
  });

  test('where walks set the access flag there is no fault', () => {
    const aborts = (features: object): number => {
      const operations = [store(AT, 1), age(AGEING.clearFlushYoung), load(AT), age(AGEING.testYoung)];
      const s = ran(operations, { cores: [{ features }] });
      assert.equal(s.results()[3].x1, 1n);
      return s.model.vms[0].vcpus[0].exits.DABT_LOW ?? 0;
    };
    assert.equal(aborts({}) - aborts({ FEAT_HAFDBS: true }), 1);
  });

  test('without a flush the TLB goes on, and the use goes unseen', () => {
    const s = ran([store(AT, 1), age(AGEING.clearYoung), load(AT), age(AGEING.testYoung)]);
    const [, cleared, read, young] = s.results();
    assert.deepEqual([cleared.x1, read.x0, young.x1], [1n, 1n, 0n]);
    assert.equal(flushes(s), 0);
  });

  test('a range counts whole since v6.5, its first entry before', () => {
    const says = (kvm: string): (readonly [bigint, bigint])[] => {
      const s = ran(
        [load(AT + 2 * MiB), age(AGEING.clearYoung, AT, 4 * MiB), load(AT), age(AGEING.clearYoung, AT, 4 * MiB)],
        {
          kvm,
        },
      );
      return [1, 3].map((n) => [s.results()[n].x1, BigInt(Stage2Table.isYoung(entryOf(s, AT + 2 * MiB).entry))]);
    };
    assert.deepEqual(says('6.5'), [
      [1n, 0n],
      [1n, 0n],
    ]);
    assert.deepEqual(says('6.4'), [
      [0n, 1n],
      [1n, 1n],
    ]);
  });
});
