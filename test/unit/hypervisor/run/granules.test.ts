/** Guests under stage-2 tables of every granule: blocks, pages, and addresses that are too large. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resultOf } from '../../../../src/hypervisor/errno';
import { memoryFlags } from '../../../../src/hypervisor/kvmApi';
import { Stage2Table } from '../../../../src/hypervisor/run/stage2Table';
import { VmmCall } from '../../../../src/hypervisor/run/vmmApi';
import { call, entryOf, load, run, script, store } from './scriptGuest';

const MiB = 2 ** 20;
const AT = 2 ** 31;
const RET = 0xd65f_03c0;
const ok = resultOf('ok');

interface Granule {
  readonly page: 4096 | 16384 | 65536;
  readonly block: number;
  readonly memory: string;
  /** VTCR_EL2.{TG0, SL0, T0SZ} */
  readonly vtcr: readonly [number, number, number];
}
/** SL0 = 1 is level 1 with 4 KB, level 2 with the others. */
const granules: readonly Granule[] = [
  { page: 4096, block: 2 * MiB, memory: '64M', vtcr: [0, 1, 24] },
  { page: 16384, block: 32 * MiB, memory: '256M', vtcr: [2, 1, 24] },
  { page: 65536, block: 512 * MiB, memory: '2G', vtcr: [1, 1, 24] },
];

for (const { page, block, memory, vtcr } of granules)
  describe(`pages of ${page / 1024} KiB`, () => {
    const last = AT + block - page;
    const top = 2 ** 40 - block;
    const hidden = call(VmmCall.SET_USER_MEMORY_REGION, 1, 0, AT, 0, 0);
    const log = (flags: number) => call(VmmCall.SET_MEMORY_REGION, 1, flags);
    const slots = [{ at: AT, size: block, mapSize: block }];
    // So that 512 MiB need no maintenance line by line, and code that was stored no cleaning.
    const cores = [{ idc: true, features: { FEAT_S2FWB: true, FEAT_TGran16K: true } }];
    const settings = {
      kvm: '6.12',
      cores,
      page: `${page}`,
      memory,
      vms: [{ memory: '16M', vcpus: [{ core: 0 }], slots }],
    };
    /** Runs the operations; the bytes of each entry that was mapped for the slot. */
    const ran = (...operations: Parameters<typeof script>[1]) => {
      const s = script(settings, operations);
      s.finish();
      const sizes = s.model.faults
        .filter(({ ipa }) => ipa >= AT)
        .map(({ action, bytes }) => `${action} ${bytes / page}`);
      return { s, sizes, results: s.results() };
    };
    const inBlock = block / page;

    test('VTCR_EL2', () => {
      const { s } = ran();
      const value = Number(s.machine.units[0].peekSystem('VTCR_EL2') ?? 0n);
      assert.deepEqual([(value >>> 14) & 3, (value >>> 6) & 3, value & 63], vtcr);
    });

    test('one block, with data from end to end, and its instructions', () => {
      const { s, sizes, results } = ran(store(AT, RET), store(last, 2), load(AT), load(last), run(AT));
      assert.deepEqual([results[2].x0, results[3].x0, results[4].esr], [BigInt(RET), 2n, 0n]);
      assert.deepEqual(sizes, [`map ${inBlock}`, `relax ${inBlock}`]);
      assert.deepEqual([entryOf(s, last).bytes, entryOf(s, last).level], [block, 2]);
    });

    test('dirty logging breaks it into pages, and it comes back', () => {
      const { s, sizes, results } = ran(
        ...[store(AT, 1), log(memoryFlags.KVM_MEM_LOG_DIRTY_PAGES), store(last, 2), load(AT)],
        ...[call(VmmCall.GET_DIRTY_LOG, 1), call(VmmCall.DIRTY_PAGES, 1, (inBlock - 1 - ((inBlock - 1) % 64)) / 64)],
        ...[log(0), store(AT, 3), load(last)],
      );
      assert.deepEqual(sizes, [`map ${inBlock}`, 'map 1', 'map 1', `map ${inBlock}`]);
      assert.deepEqual([results[4].x1, results[5].x1, results[8].x0], [1n, 1n << 63n, 2n]);
      assert.equal(entryOf(s, AT).bytes, block);
    });

    test('nothing of it is left when the slot goes', () => {
      const { s, results } = ran(store(AT, 1), hidden, load(AT));
      assert.deepEqual([results[1].x0, results[2].x0], [ok, 0n]);
      assert.equal(Stage2Table.isValid(entryOf(s, AT).entry), false);
    });

    test('the last address of the VM is memory like any other; beyond it a slot is EFAULT, an access an external abort', () => {
      const { s, results } = ran(
        call(VmmCall.USER_ADDRESS, AT),
        call(VmmCall.SET_USER_MEMORY_REGION, 2, 0, 2 ** 40, block, 0),
        hidden,
      );
      const user = Number(results[0].x1);
      assert.equal(results[1].x0, resultOf('EFAULT'));
      const again = ran(
        hidden,
        call(VmmCall.SET_USER_MEMORY_REGION, 1, 0, top, block, user),
        ...[store(2 ** 40 - 8, 7), load(2 ** 40 - 8), load(2 ** 40), run(2 ** 40), load(2 ** 44)],
      );
      const [, made, , read, beyond, fetch, size] = again.results;
      assert.deepEqual([made.x0, read.x0, entryOf(again.s, 2 ** 40 - 8).bytes], [ok, 7n, block]);
      assert.deepEqual([beyond.esr >> 26n, beyond.esr & 0x3fn], [0x25n, 0x10n]);
      assert.deepEqual([fetch.esr >> 26n, fetch.esr & 0x3fn], [0x21n, 0x10n]);
      assert.deepEqual([size.esr >> 26n, size.esr & 0x3cn], [0x25n, 0n], 'beyond what the core has: address size');
      assert.equal(s.model.userSpace.errors.length, 0);
    });
  });

test('a host with pages that a core does not have is refused', () => {
  const settings = { page: '16384', cores: [{ features: { FEAT_TGran16K: true } }, {}] };
  assert.throws(() => script(settings, []), /core 1 has no pages of 16 KB/);
});
