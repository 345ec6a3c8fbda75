/** What images are, and where QEMU's virt board would put them. Expected addresses are those seen on QEMU 7.2. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { UserError } from '../../../src/base/errors';
import {
  identifyImage,
  type PlacementRequest,
  placeFirmware,
  placeKernel,
  plainDtbAddress,
  rawImage,
} from '../../../src/program/index';
import { fixtureBytes } from './fixture';

const MiB = 2 ** 20;
const RAM = 0x40000000;

/** An arm64 Image header with some code behind it. */
function linux(fields: { textOffset?: number; imageSize?: number; flags?: number; length?: number } = {}): Uint8Array {
  const bytes = new Uint8Array(fields.length ?? 4096).fill(0x5a);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(8, BigInt(fields.textOffset ?? 0), true);
  view.setBigUint64(16, BigInt(fields.imageSize ?? 0), true);
  view.setBigUint64(24, BigInt(fields.flags ?? 0), true);
  view.setUint32(56, 0x644d5241, true);
  return bytes;
}

const request = (ramSize: number, initrdSize = 0): PlacementRequest => ({ ramBase: RAM, ramSize, initrdSize });

const code = (body: () => unknown): string => {
  try {
    body();
  } catch (error) {
    if (error instanceof UserError) return error.code;
    throw error;
  }
  return 'none';
};

test('images are known by their content', () => {
  assert.equal(identifyImage(fixtureBytes('v5-O0.elf'), 'a').kind, 'elf');
  assert.equal(identifyImage(linux(), 'a').kind, 'linux');
  assert.equal(identifyImage(new Uint8Array(100), 'a').kind, 'raw');
  assert.equal(rawImage(linux(), 'a').kind, 'raw');
  assert.equal(
    code(() => identifyImage(new Uint8Array(0), 'a')),
    'image.empty',
  );
});

test('the header of an arm64 Image', () => {
  const image = identifyImage(linux({ textOffset: 0x80000, imageSize: 0x123456, flags: 0b1010 }), 'Image');
  assert.ok(image.kind === 'linux');
  const { textOffset, imageSize, pageSize, anywhere, compressed } = image;
  assert.deepEqual(
    { textOffset, imageSize, pageSize, anywhere, compressed },
    { textOffset: 0x80000, imageSize: 0x123456, pageSize: 4096, anywhere: true, compressed: false },
  );
  assert.equal(
    code(() => identifyImage(linux({ flags: 1 }), 'a')),
    'image.bigEndian',
  );
  assert.equal(
    code(() => identifyImage(linux({ imageSize: 2 ** 45 }), 'a')),
    'image.oversized',
  );
});

test('compressed images', () => {
  const plain = linux({ imageSize: 8192 });
  const image = identifyImage(new Uint8Array(gzipSync(plain)), 'Image.gz');
  assert.ok(image.kind === 'linux' && image.compressed);
  assert.deepEqual(image.data, plain);
  assert.equal(identifyImage(new Uint8Array(gzipSync(fixtureBytes('v5-O0.elf'))), 'a').kind, 'elf');
});

test('damaged compressed images are refused', () => {
  const packed = new Uint8Array(gzipSync(linux()));
  const flipped = packed.slice();
  flipped[flipped.length - 8] ^= 1;
  assert.equal(
    code(() => identifyImage(flipped, 'a')),
    'image.gzip',
  );
  assert.equal(
    code(() => identifyImage(packed.slice(0, packed.length - 9), 'a')),
    'image.gzip',
  );
  assert.equal(
    code(() => identifyImage(packed.slice(0, 12), 'a')),
    'image.gzip',
  );
  const bomb = new Uint8Array(gzipSync(new Uint8Array(257 * MiB)));
  assert.ok(bomb.length < MiB);
  assert.equal(
    code(() => identifyImage(bomb, 'a')),
    'image.gzip',
  );
});

test('an EFI zboot image is unpacked if it is gzip inside', () => {
  const packed = new Uint8Array(gzipSync(linux({ imageSize: 8192 })));
  const zboot = (method: string): Uint8Array => {
    const bytes = new Uint8Array(256 + packed.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 0x5a4d, true);
    view.setUint32(4, 0x676d697a, true);
    view.setUint32(8, 256, true);
    view.setUint32(12, packed.length, true);
    bytes.set(new TextEncoder().encode(method), 24);
    bytes.set(packed, 256);
    return bytes;
  };
  assert.equal(identifyImage(zboot('gzip'), 'a').kind, 'linux');
  assert.equal(
    code(() => identifyImage(zboot('zstd'), 'a')),
    'image.zboot',
  );
  assert.equal(
    code(() => identifyImage(zboot('gzip').slice(0, 300), 'a')),
    'image.gzip',
  );
});

test('a kernel of today: 2 MiB above the start of RAM', () => {
  const image = identifyImage(linux({ imageSize: 0x1f00000 }), 'Image');
  const placed = placeKernel(image, request(1024 * MiB, 5 * MiB));
  assert.equal(placed.protocol, 'linux');
  assert.equal(placed.entry, 0x40200000);
  assert.equal(placed.segments[0].address, 0x40200000);
  assert.equal(placed.initrd, 0x48000000);
  assert.equal(placed.dtb, 0x48600000);
});

test('a kernel with a text offset, one without a size, and raw bytes', () => {
  const at = (bytes: Uint8Array): number => placeKernel(identifyImage(bytes, 'a'), request(1024 * MiB)).entry;
  assert.equal(at(linux({ textOffset: 0x80000, imageSize: 4096 })), 0x40080000);
  assert.equal(at(linux({ textOffset: 0x800, imageSize: 4096 })), 0x40200800);
  assert.equal(at(linux({ textOffset: 0x123000 })), 0x40080000);
  assert.equal(at(new Uint8Array(64)), 0x40080000);
});

test('little memory, and a kernel that reaches above the initrd', () => {
  const small = placeKernel(identifyImage(linux({ imageSize: 4 * MiB }), 'a'), request(64 * MiB, 100));
  assert.equal(small.initrd, RAM + 32 * MiB);
  assert.equal(small.dtb, RAM + 34 * MiB);
  const large = placeKernel(identifyImage(linux({ imageSize: 200 * MiB + 1 }), 'a'), request(1024 * MiB, 100));
  assert.equal(large.initrd, RAM + 202 * MiB + 0x1000);
  const none = placeKernel(identifyImage(linux({ imageSize: 4 * MiB }), 'a'), request(1024 * MiB));
  assert.deepEqual([none.initrd, none.dtb], [undefined, RAM + 128 * MiB]);
});

test('what does not fit in RAM is refused', () => {
  const image = identifyImage(linux({ imageSize: 4 * MiB }), 'a');
  assert.equal(
    code(() => placeKernel(image, request(4 * MiB))),
    'image.doesNotFit',
  );
  assert.equal(
    code(() => placeKernel(image, request(64 * MiB, 33 * MiB))),
    'image.doesNotFit',
  );
  assert.equal(
    code(() => placeKernel(image, request(64 * MiB, 32 * MiB - 4096))),
    'image.doesNotFit',
  );
});

test('an ELF stays where it is, with a device tree if there is room below it', () => {
  const placed = placeKernel(identifyImage(fixtureBytes('v5-O0.elf'), 'a'), request(128 * MiB));
  assert.equal(placed.protocol, 'plain');
  assert.equal(placed.entry, 0x40200000);
  assert.equal(placed.dtb, RAM);
  assert.equal(plainDtbAddress(RAM, MiB, RAM + 0x80000, RAM + 0x90000), undefined);
  assert.equal(plainDtbAddress(RAM, MiB, RAM, RAM + 0x90000), undefined);
  assert.equal(plainDtbAddress(RAM, MiB, 0, 0x1000), RAM);
  assert.equal(plainDtbAddress(RAM, MiB, RAM + MiB, RAM + 2 * MiB), RAM);
});

test('firmware lies in flash', () => {
  const placed = placeFirmware(new Uint8Array(1000), 'u-boot.bin');
  assert.deepEqual([placed.entry, placed.segments[0].address, placed.dtb], [0, 0, RAM]);
  assert.equal(
    code(() => placeFirmware(new Uint8Array(65 * MiB), 'a')),
    'image.oversized',
  );
});
