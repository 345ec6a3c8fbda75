/** The slots' registers: random accesses as QEMU's virt answers them, and what drivers may get wrong. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { SeededRandom } from '../../../../src/base/random';
import { virtMap } from '../../../../src/devices/virtBoard';
import { OverlayDisk, VirtioBlock, VirtioEntropy, VirtioMmio } from '../../../../src/devices/virtio';
import { Register, Status } from '../../../../src/devices/virtio/transport';
import { FakeLine, FakeMemory } from '../fakes';
import { hasQemu, onQemu, type RegisterAccess, read, write } from '../qtest';
import { Driver, RAM } from './driver';

const FIRST = virtMap.virtio.base + 31 * virtMap.virtio.size;
const names = Object.keys(Register) as (keyof typeof Register)[];

/** Registers that are compared, written with values that do not start the device. */
const readable = names.filter((name) => !/^(Config|SHM)/.test(name)).map((name) => Register[name]);
const values: Readonly<Partial<Record<keyof typeof Register, readonly number[]>>> = {
  DeviceFeaturesSel: [0, 0, 1],
  DriverFeaturesSel: [0, 1],
  DriverFeatures: [0, 0x10000000],
  QueueSel: [0],
  QueueNum: [1, 16, 256],
  QueueReady: [0, 1],
  QueueAlign: [4096],
  GuestPageSize: [4096],
  QueuePFN: [0, 0x40000, 0x40010],
  InterruptACK: [1, 3],
  Status: [0, 1, 3, 3],
  QueueDescLow: [0x4000_0000],
  QueueDriverLow: [0x4000_1000],
  QueueDeviceLow: [0x4000_2000],
};

function randomAccesses(seed: number, count: number): RegisterAccess[] {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(seed);
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)];
  const writable = Object.entries(values) as [keyof typeof Register, readonly number[]][];
  const start = [write(FIRST + Register.GuestPageSize, 4096)];
  const end = [
    write(FIRST + Register.QueueSel, 7),
    read(FIRST + Register.QueueNumMax),
    read(FIRST + Register.QueuePFN),
  ];
  const middle = Array.from({ length: count }, () => {
    if (random.below(2) === 0) return read(FIRST + pick(readable));
    const [name, list] = pick(writable);
    return write(FIRST + Register[name], pick(list));
  });
  return [...start, ...middle, ...end];
}

/** Feature bits of QEMU that are not offered, with the reason; their names are the specification's. */
const notOffered: Readonly<Record<number, string>> = {
  24: 'VIRTIO_F_NOTIFY_ON_EMPTY: of the old legacy interface',
  29: 'VIRTIO_F_EVENT_IDX',
  40: 'VIRTIO_F_RING_RESET',
};
const withoutFeatures = (word: number, index: number): number => {
  const bits = Object.keys(notOffered).map((bit) => Number(bit) - 32 * index);
  return bits.filter((bit) => bit >= 0 && bit < 32).reduce((left, bit) => left & ~(1 << bit), word) >>> 0;
};

describe('registers as on QEMU', { skip: hasQemu ? false : 'QEMU is not installed' }, () => {
  for (const legacy of [true, false])
    for (const seed of [1, 2])
      test(`${legacy ? 'legacy' : 'modern'}, seed ${seed}`, async () => {
        const accesses = randomAccesses(seed, 3000);
        const rng = ['-object', 'rng-random,id=r,filename=/dev/urandom', '-device', 'virtio-rng-device,rng=r'];
        const force = ['-global', `virtio-mmio.force-legacy=${legacy}`];
        const theirs = await onQemu(accesses, [...force, ...rng]);
        const dma = new FakeMemory(RAM, 0x10_0000);
        const slot = new VirtioMmio('slot', FIRST, new VirtioEntropy(1), { dma, interrupt: new FakeLine(), legacy });
        let features = 0;
        const wrong = accesses.flatMap(({ at, value }, i) => {
          const offset = at - FIRST;
          if (value !== undefined) {
            if (offset === Register.DeviceFeaturesSel) features = value;
            slot.write(offset, 4, value);
            return [];
          }
          const mine = slot.read(offset, 4);
          const other = offset === Register.DeviceFeatures ? withoutFeatures(theirs[i], features) : theirs[i];
          const name = names.find((n) => Register[n] === offset);
          return mine === other ? [] : [`${i} ${name}: ${mine.toString(16)}, QEMU ${other.toString(16)}`];
        });
        assert.deepEqual(wrong, []);
      });

  test('the first device is in the last slot, and empty slots look alike', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'elscope-'));
    try {
      const file = path.join(folder, 'disk');
      writeFileSync(file, new Uint8Array(1_000_000));
      const drive = ['-drive', `file=${file},format=raw,if=none,id=d`, '-device', 'virtio-blk-device,drive=d'];
      const slot = (i: number): number => virtMap.virtio.base + i * virtMap.virtio.size;
      const accesses = [31, 30].flatMap((i) => [0, 4, 8, 12].map((offset) => read(slot(i) + offset)));
      // Capacity, size_max, seg_max, then blk_size: no geometry here.
      const config = [0, 4, 8, 20].map((at) => read(slot(31) + Register.Config + at));
      const theirs = await onQemu([...accesses, ...config], drive);
      const disk = new VirtioBlock(new OverlayDisk({ size: 1_000_000, read: () => {} }, false), 'x');
      const driver = new Driver(disk, true);
      const mine = [0, 4, 8, 12].map((offset) => driver.read(offset));
      assert.deepEqual(mine, theirs.slice(0, 4));
      assert.deepEqual(theirs.slice(4, 8), [0x74726976, 1, 0, 0x554d4551]);
      const own = config.map(({ at }) => driver.read(at - slot(31)));
      assert.deepEqual([own[0], own[1], own[3]], [theirs[8], theirs[9], theirs[11]]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const entropy = (legacy: boolean): Driver => new Driver(new VirtioEntropy(7), legacy);

for (const legacy of [true, false])
  describe(legacy ? 'legacy' : 'modern', () => {
    test('a request is answered with an interrupt, unless the driver wants none', () => {
      const driver = entropy(legacy).start();
      const { length, written } = driver.request(0, [], [8, 24]);
      assert.equal(length, 32);
      assert.ok(written[1].some((byte) => byte !== 0));
      assert.deepEqual([driver.line.level, driver.read(Register.InterruptStatus)], [true, 1]);
      driver.write(Register.InterruptACK, 1);
      assert.deepEqual([driver.line.level, driver.read(Register.InterruptStatus)], [false, 0]);
      driver.view().setUint16(driver.queues[0].driver - RAM, 1, true);
      driver.request(0, [], [8]);
      assert.equal(driver.line.level, false);
    });

    test('indirect tables', () => {
      const driver = entropy(legacy).start(1 << 28);
      const table = new Uint8Array(32);
      const view = new DataView(table.buffer);
      const data = driver.buffer(new Uint8Array(20));
      view.setBigUint64(0, BigInt(data), true);
      view.setUint32(8, 4, true);
      view.setUint16(12, 3, true);
      view.setUint16(14, 1, true);
      view.setBigUint64(16, BigInt(data + 4), true);
      view.setUint32(24, 16, true);
      view.setUint16(28, 2, true);
      driver.describe(0, 5, driver.buffer(table), 32, 4, 0);
      driver.offer(0, 5);
      driver.notify(0);
      assert.deepEqual(driver.used(0), [{ head: 5, length: 20 }]);
    });

    test('what makes no sense needs a reset, and one helps', () => {
      const mistakes: Readonly<Record<string, (d: Driver) => void>> = {
        'no memory': (d) => d.describe(0, 0, 0x1000, 0, 4, 0),
        'a chain without end': (d) => d.describe(0, 0, RAM, 1, 3, 0),
        'a next that is none': (d) => d.describe(0, 0, RAM, 1, 3, 99),
        'an indirect table of odd size': (d) => d.describe(0, 0, RAM, 17, 4, 0),
        'an indirect table that goes on': (d) => d.describe(0, 0, RAM, 16, 5, 1),
        'readable after writable': (d) => {
          d.describe(0, 0, RAM, 1, 3, 1);
          d.describe(0, 1, RAM, 1, 0, 0);
        },
        'too much': (d) => d.describe(0, 0, RAM, 0xffffffff, 2, 0),
      };
      for (const [what, make] of Object.entries(mistakes)) {
        const driver = entropy(legacy).start();
        make(driver);
        driver.offer(0, 0);
        driver.notify(0);
        assert.ok(driver.read(Register.Status) & Status.NeedsReset, what);
        assert.deepEqual(driver.used(0), [], what);
        assert.equal(driver.read(Register.InterruptStatus), legacy ? 0 : 2, what);
        driver.start();
        assert.equal(driver.request(0, [], [4]).length, 4, what);
      }
      const driver = entropy(legacy).start();
      driver.view().setUint16(driver.queues[0].driver - RAM + 2, 1000, true);
      driver.notify(0);
      assert.ok(driver.read(Register.Status) & Status.NeedsReset, 'more available than there is');
    });

    test('nothing happens before DRIVER_OK, nor in queues that are not there', () => {
      const driver = entropy(legacy).start();
      driver.describe(0, 0, RAM + 0x8_0000, 4, 2, 0);
      driver.offer(0, 0);
      driver.notify(3);
      driver.write(Register.Status, 0);
      driver.notify(0);
      assert.deepEqual(driver.used(0), []);
    });

    test('a saved state goes on where it was', () => {
      const driver = entropy(legacy).start();
      driver.request(0, [], [8]);
      const state: unknown = JSON.parse(JSON.stringify(driver.slot.save()));
      const rest = driver.request(0, [], [8]).written[0];
      const other = entropy(legacy);
      other.memory.bytes.set(driver.memory.bytes);
      other.slot.load(state);
      assert.equal(other.line.level, true);
      assert.deepEqual(other.slot.save(), state);
      other.queues.push({ ...driver.queues[0] });
      // The request that the first machine did comes again, with the same answer.
      other.view().setUint16(other.queues[0].device - RAM + 2, 1, true);
      other.notify(0);
      const at = Number(other.view().getBigUint64(other.queues[0].descriptors - RAM, true));
      assert.deepEqual(other.memory.bytes.slice(at - RAM, at - RAM + 8), rest);
    });
  });

test('version 2 refuses features that were not offered', () => {
  const driver = entropy(false);
  driver.write(Register.Status, 3);
  driver.write(Register.DriverFeatures, 1);
  driver.write(Register.Status, 11);
  assert.equal(driver.read(Register.Status), 3);
});

test('registers are words', () => {
  const driver = entropy(true);
  driver.slot.write(Register.Status, 1, 1);
  driver.slot.write(Register.Status + 2, 4, 1);
  assert.equal(driver.read(Register.Status), 0);
});
