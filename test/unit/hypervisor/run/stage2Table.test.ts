/** Stage-2 tables in memory: mapping, breaking and relaxing, read back as a walker reads them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stage2Table, type TableMemory } from '../../../../src/hypervisor/run/stage2Table';

const RWX = { read: true, write: true, execute: true };
const RW = { read: true, write: true, execute: false };
const MiB = 2 ** 20;

function memory(pageBytes: number): TableMemory & { readonly words: Map<number, bigint> } {
  const words = new Map<number, bigint>();
  let next = 0x1000_0000;
  return {
    words,
    load: (address) => words.get(address) ?? 0n,
    store: (address, value) => void words.set(address, value),
    allocate: () => {
      next += pageBytes;
      return next;
    },
  };
}

function mapped(table: Stage2Table, m: TableMemory, ipa: number): { address: number; execute: boolean } | undefined {
  const { entry, bytes } = table.find(m, ipa);
  if (!Stage2Table.isValid(entry)) return undefined;
  const base = Number(entry & 0x0000_ffff_ffff_f000n);
  return { address: Math.floor(base / bytes) * bytes + (ipa % bytes), execute: Stage2Table.isExecutable(entry) };
}

for (const [pageBytes, blockBytes] of [
  [4096, 2 * MiB],
  [16384, 32 * MiB],
  [65536, 512 * MiB],
] as const) {
  test(`a block of ${blockBytes / MiB} MiB with pages of ${pageBytes / 1024} KiB, broken for a page in it`, () => {
    const m = memory(pageBytes);
    const table = new Stage2Table(pageBytes, m.allocate(), 42);
    const level = table.levelFor(blockBytes, 4 * blockBytes, blockBytes);
    assert.equal(table.bytesAt(level), blockBytes);
    const block = table.reach(m, blockBytes, level);
    m.store(block.at, table.leaf(level, { address: 4 * blockBytes, memAttr: 15, permissions: RW }));
    const inside = blockBytes + 5 * pageBytes + 12;
    assert.deepEqual(mapped(table, m, inside), { address: 4 * blockBytes + 5 * pageBytes + 12, execute: false });
    assert.equal(mapped(table, m, 0), undefined);
    assert.throws(() => table.reach(m, inside, 3), /a block that nobody broke/);
    m.store(block.at, 0n);
    const page = table.reach(m, inside, 3);
    assert.deepEqual([page.bytes, page.ipa], [pageBytes, blockBytes + 5 * pageBytes]);
    m.store(page.at, table.leaf(3, { address: 4 * blockBytes + 5 * pageBytes, memAttr: 15, permissions: RW }));
    m.store(page.at, table.relaxed(m.load(page.at), RWX));
    assert.deepEqual(mapped(table, m, inside), { address: inside + 3 * blockBytes, execute: true });
    for (const other of [blockBytes, blockBytes + 6 * pageBytes, 2 * blockBytes - 8])
      assert.equal(mapped(table, m, other), undefined);
    assert.deepEqual(table.entry(m, inside, level).at, block.at, 'the table is where the block was');
  });
}

test('the largest entry fits slot, addresses and levels', () => {
  const table = new Stage2Table(4096, 0x1000, 39);
  assert.equal(table.levelFor(0, 0, 2 ** 30), 1);
  assert.equal(table.levelFor(0, 2 * MiB, 2 ** 30), 2);
  assert.equal(table.levelFor(0, 4096, 2 ** 30), 3);
  assert.equal(table.levelFor(0, 0, 4096), 3);
});

/** First level by granule and SL0: the Arm manual's table of VTCR_EL2.SL0, with TG0 as VTCR_EL2 has it. */
const firstLevels: Readonly<Record<number, readonly number[]>> = { 0: [2, 1, 0], 2: [3, 2, 1], 1: [3, 2, 1] };

test('VTCR_EL2 says where the tables begin, how many stand side by side, and how many bits there are', () => {
  const rows = [
    { page: 4096, bits: 40, level: 1, tables: 2 },
    { page: 4096, bits: 36, level: 1, tables: 1 },
    { page: 4096, bits: 32, level: 2, tables: 4 },
    { page: 4096, bits: 48, level: 0, tables: 1 },
    { page: 16384, bits: 40, level: 2, tables: 16 },
    { page: 16384, bits: 36, level: 2, tables: 1 },
    { page: 16384, bits: 48, level: 1, tables: 2 },
    { page: 65536, bits: 40, level: 2, tables: 1 },
    { page: 65536, bits: 48, level: 1, tables: 1 },
  ] as const;
  for (const { page, bits, level, tables } of rows) {
    const table = new Stage2Table(page, 0x10_0000, bits);
    const vtcr = Number(table.vtcr({ paRange: 5, wideVmids: false, hardwareFlag: false }));
    const says = {
      level: firstLevels[(vtcr >>> 14) & 3][(vtcr >>> 6) & 3],
      bits: 64 - (vtcr & 63),
      ps: (vtcr >>> 16) & 7,
    };
    assert.deepEqual(says, { level, bits, ps: 5 }, `${page} ${bits}`);
    assert.deepEqual([table.startLevel, table.rootBytes / page], [level, tables], `${page} ${bits}`);
  }
  const both = new Stage2Table(4096, 0, 40).vtcr({ paRange: 5, wideVmids: true, hardwareFlag: true });
  assert.equal((both >> 19n) & 5n, 5n, 'VS and HA');
});

test('addresses of every table at the top are told apart', () => {
  const m = memory(16384);
  const table = new Stage2Table(16384, 0x40_0000, 40);
  const places = Array.from({ length: 16 }, (_, n) => table.reach(m, n * 2 ** 36, 2).at);
  assert.deepEqual(
    places,
    Array.from({ length: 16 }, (_, n) => 0x40_0000 + n * 16384),
  );
});
