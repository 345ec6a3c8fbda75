/** The flash bank through its command interface, as a driver probes and programs it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLASH_SECTOR_BYTES, Flash } from '../../../src/devices/flash';

const SIZE = 64 * 2 ** 20;

interface Bench {
  readonly flash: Flash;
  readonly bytes: Uint8Array;
  readonly changes: [number, number][];
  readonly modes: boolean[];
}
function bench(): Bench {
  const bytes = new Uint8Array(SIZE).fill(0xff);
  const changes: [number, number][] = [];
  const modes: boolean[] = [];
  const flash = new Flash('flash0', 0, {
    bytes,
    changed: (offset, length) => void changes.push([offset, length]),
    arrayMode: (on) => void modes.push(on),
  });
  return { flash, bytes, changes, modes };
}
const both = (command: number): number => (command | (command << 16)) >>> 0;

test('the query table, as two 16-bit chips in a 32-bit bank give it', () => {
  const { flash, modes } = bench();
  flash.write(0x55 * 4, 4, both(0x98));
  assert.deepEqual(modes, [false]);
  const at = (index: number): number => flash.read(index * 4, 2);
  assert.deepEqual([at(0x10), at(0x11), at(0x12)], [0x51, 0x52, 0x59]);
  assert.equal(flash.read(0x10 * 4, 4), both(0x51), 'both chips answer');
  assert.equal(flash.read(0x10 * 4, 1), 0x51);
  assert.equal(flash.read(0x10 * 4 + 1, 1), 0);
  assert.equal(at(0x13) | (at(0x14) << 8), 1, 'the Intel command set');
  assert.equal(2 * 2 ** at(0x27), SIZE, 'two chips make the bank');
  const blocks = (at(0x2d) | (at(0x2e) << 8)) + 1;
  const blockBytes = (at(0x2f) | (at(0x30) << 8)) * 256;
  assert.deepEqual([at(0x2c), blocks, 2 * blockBytes, 2 * blocks * blockBytes], [1, 256, FLASH_SECTOR_BYTES, SIZE]);
  const extended = at(0x15) | (at(0x16) << 8);
  assert.deepEqual(
    [0, 1, 2].map((i) => at(extended + i)),
    [0x50, 0x52, 0x49],
  );
  flash.write(0, 4, both(0xff));
  assert.deepEqual(modes, [false, true]);
  assert.equal(flash.read(0x40, 4), 0xffffffff);
});

test('a store that is no command leaves the contents readable', () => {
  const { flash, modes } = bench();
  flash.write(0xed0, 4, 1);
  assert.deepEqual(modes, []);
  assert.equal(flash.read(0xed0, 4), 0xffffffff);
  flash.write(0, 4, both(0x70));
  assert.equal(flash.read(0, 2), 0x80, 'the status register');
  flash.write(0, 4, both(0x77));
  assert.equal(flash.read(0, 4), 0xffffffff);
  assert.deepEqual(modes, [false, true]);
});

test('identification', () => {
  const { flash } = bench();
  flash.write(0, 4, both(0x90));
  assert.deepEqual([flash.read(0, 2), flash.read(4, 2)], [0x89, 0x18]);
});

test('programming clears bits, erasing sets them', () => {
  const { flash, bytes, changes } = bench();
  const at = 3 * FLASH_SECTOR_BYTES + 8;
  flash.write(at, 4, both(0x40));
  flash.write(at, 4, 0x12345678);
  assert.equal(flash.read(at, 4), both(0x80), 'ready');
  flash.write(at, 4, both(0x10));
  flash.write(at, 4, 0xffff00ff);
  flash.write(at, 4, both(0xff));
  assert.equal(flash.read(at, 4), 0x12340078);
  flash.write(at, 4, both(0x20));
  flash.write(at, 4, both(0xd0));
  assert.equal(flash.read(at, 2), 0x80);
  flash.write(at, 4, both(0xff));
  assert.equal(flash.peek(at, 4), 0xffffffff);
  assert.deepEqual(changes, [
    [at, 4],
    [at, 4],
    [3 * FLASH_SECTOR_BYTES, FLASH_SECTOR_BYTES],
  ]);
  assert.equal(bytes[at], 0xff);
});

test('an erase that is not confirmed fails, and the status says so until cleared', () => {
  const { flash, changes } = bench();
  flash.write(0, 4, both(0x20));
  flash.write(0, 4, both(0x11));
  assert.equal(flash.read(0, 2), 0xb0);
  flash.write(0, 4, both(0x50));
  flash.write(0, 4, both(0x70));
  assert.equal(flash.read(0, 2), 0x80);
  assert.deepEqual(changes, []);
});

test('buffered programming', () => {
  const { flash, bytes, changes } = bench();
  flash.write(0x1000, 4, both(0xe8));
  assert.equal(flash.read(0x1000, 2), 0x80);
  flash.write(0x1000, 4, both(3));
  for (let i = 0; i < 4; i++) flash.write(0x1000 + 4 * i, 4, 0x01010101 * i);
  assert.deepEqual(changes, [], 'nothing before the confirmation');
  flash.write(0x1000, 4, both(0xd0));
  assert.deepEqual(changes, [[0x1000, 16]]);
  assert.deepEqual([bytes[0x1000], bytes[0x1004], bytes[0x100f]], [0, 1, 3]);
  flash.write(0x1000, 4, both(0xe8));
  flash.write(0x1000, 4, both(0));
  flash.write(0x1000, 4, 0);
  flash.write(0x1000, 4, both(0xff));
  assert.equal(flash.read(0, 2), 0xb0, 'not confirmed');
});

test('blocks unlock, and a snapshot keeps the mode', () => {
  const { flash } = bench();
  flash.write(0, 4, both(0x60));
  flash.write(0, 4, both(0xd0));
  assert.equal(flash.read(0, 2), 0x80);
  flash.write(0, 4, both(0x98));
  const other = bench();
  other.flash.load(JSON.parse(JSON.stringify(flash.save())));
  assert.equal(other.flash.read(0x40, 2), 0x51);
  assert.deepEqual(other.modes, [false]);
  other.flash.reset();
  assert.deepEqual(other.modes, [false, true]);
});
