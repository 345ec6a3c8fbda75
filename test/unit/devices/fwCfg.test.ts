/** The firmware configuration device: what it holds and how it is read, as QEMU's does, and DMA with a memory of ours. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { FwCfg, FwCfgKey } from '../../../src/devices/fwCfg';
import { virtMap } from '../../../src/devices/virtBoard';
import { fwCfgItems } from '../../../src/machine/fwCfgItems';
import { FakeMemory } from './fakes';
import { hasQemu, onQemu, type RegisterAccess, read, write } from './qtest';

const BASE = virtMap.fwCfg.base;
const RAM = 0x4000_0000;

const kernel = Uint8Array.from({ length: 300 }, (_, i) => (i * 7) & 0xff);
const initrd = Uint8Array.from({ length: 77 }, (_, i) => 255 - i);
const commandLine = 'console=ttyAMA0 quiet';

interface Bench {
  readonly device: FwCfg;
  readonly memory: FakeMemory;
}
function bench(): Bench {
  const memory = new FakeMemory(RAM, 0x10000);
  const device = new FwCfg('fwCfg', BASE, fwCfgItems(2, { kernel, initrd, commandLine }), memory);
  return { device, memory };
}

const key = (value: number): RegisterAccess => write(BASE + 8, ((value & 0xff) << 8) | (value >> 8), 2);

function apply(device: FwCfg, { at, size, value }: RegisterAccess): number {
  if (value === undefined) return device.read(at - BASE, size);
  device.write(at - BASE, size, value);
  return 0;
}

test('items and reads of all sizes as on QEMU', { skip: hasQemu ? false : 'QEMU is not installed' }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elscope-'));
  try {
    const file = (name: string, bytes: Uint8Array): string => {
      writeFileSync(path.join(folder, name), bytes);
      return path.join(folder, name);
    };
    const random = new SeededRandom(new Uint32Array(1));
    random.seed(5);
    // The directory lists QEMU's SMBIOS tables as well: it is compared below.
    const keys = Array.from({ length: FwCfgKey.Directory }, (_, i) => i);
    const accesses = keys.flatMap((k) => [
      key(k),
      ...Array.from({ length: 30 }, () => read(BASE, ([1, 2, 4] as const)[random.below(3)])),
    ]);
    accesses.push(read(BASE + 0x10), read(BASE + 0x14), read(BASE + 0x11, 1));
    const directory = [key(FwCfgKey.Directory), ...Array.from({ length: 4 + 3 * 64 }, () => read(BASE, 1))];
    const bios = ['-smp', '2', '-bios', file('bios', new Uint8Array(16))];
    const options = ['-kernel', file('kernel', kernel), '-initrd', file('initrd', initrd), '-append', commandLine];
    const theirs = await onQemu([...accesses, ...directory], [...bios, ...options]);
    const { device } = bench();
    const mine = [...accesses, ...directory].map((access) => apply(device, access));
    const count = accesses.length + 4;
    assert.deepEqual([mine[count], theirs[count]], [3, 5], 'two files with SMBIOS tables are not there');
    mine[count] = theirs[count];
    assert.deepEqual(mine, theirs);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Control word, length and address of an access, all big-endian. */
function structure(control: number, length: number, address: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, control);
  view.setUint32(4, length);
  view.setBigUint64(8, BigInt(address));
  return bytes;
}

function start(device: FwCfg, address: number): void {
  const swapped = new DataView(new ArrayBuffer(8));
  swapped.setBigUint64(0, BigInt(address));
  device.write(0x10, 4, swapped.getUint32(0, true));
  device.write(0x14, 4, swapped.getUint32(4, true));
}

const word = (memory: FakeMemory, at: number): number => new DataView(memory.bytes.buffer).getUint32(at - RAM);

test('DMA: select and read, skip, and what cannot be done', () => {
  const { device, memory } = bench();
  const at = RAM + 0x100;
  const go = (control: number, length: number, to: number): number => {
    memory.write(at, structure(control, length, to));
    start(device, at);
    return word(memory, at);
  };
  assert.equal(go((FwCfgKey.KernelData << 16) | 8 | 2, 100, RAM + 0x1000), 0);
  assert.deepEqual(memory.bytes.subarray(0x1000, 0x1064), kernel.subarray(0, 100));
  assert.equal(go(4, 50, 0), 0, 'skip');
  assert.equal(go(2, 200, RAM + 0x2000), 0);
  assert.deepEqual(memory.bytes.subarray(0x2000, 0x2096), kernel.subarray(150));
  assert.deepEqual(memory.bytes.subarray(0x2096, 0x20c8), new Uint8Array(50), 'zeros after its end');
  assert.equal(go(16, 4, RAM), 1, 'items cannot be written');
  assert.equal(go(2, 100, 0x1000), 1, 'no memory there');
  assert.equal(go(2, 0xffff_ffff, RAM + 0xff00), 1, 'nor after the end of RAM');
  start(device, 0x10);
});

test('a saved state comes back', () => {
  const { device } = bench();
  device.write(8, 2, (FwCfgKey.InitrdData << 8) & 0xffff);
  device.read(0, 4);
  device.write(0x10, 4, 0x12345678);
  const other = bench().device;
  other.load(JSON.parse(JSON.stringify(device.save())));
  assert.deepEqual(other.save(), device.save());
  assert.equal(other.read(0, 1), initrd[4]);
  other.reset();
  assert.equal(other.read(0, 1), 'Q'.charCodeAt(0));
});
