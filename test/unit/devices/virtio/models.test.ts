/** Disks, console and network card as a driver uses them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  OverlayDisk,
  type RawFile,
  respond,
  VirtioBlock,
  VirtioConsole,
  VirtioNet,
} from '../../../../src/devices/virtio';
import { internetChecksum } from '../../../../src/devices/virtio/netResponder';
import { Driver, RAM } from './driver';

const SECTOR = 512;

class MemoryFile implements RawFile {
  readonly log: string[] = [];
  constructor(
    readonly bytes: Uint8Array,
    readonly writable = false,
  ) {}
  get size(): number {
    return this.bytes.length;
  }
  read(offset: number, out: Uint8Array): void {
    out.fill(0);
    out.set(this.bytes.subarray(offset, offset + out.length));
  }
  write? = (offset: number, bytes: Uint8Array): void => {
    if (!this.writable) return;
    this.bytes.set(bytes, offset);
  };
  flush? = (): void => void this.log.push('flush');
}

const fill = (length: number, value: (i: number) => number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => value(i));
const diskBytes = (): Uint8Array => fill(10 * SECTOR + 100, (i) => (i >> 9) + 1);

function header(type: number, sector: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, type, true);
  new DataView(bytes.buffer).setBigUint64(8, BigInt(sector), true);
  return bytes;
}

for (const legacy of [true, false])
  describe(`block device, ${legacy ? 'legacy' : 'modern'}`, () => {
    const started = (file = new MemoryFile(diskBytes()), readOnly = false): Driver =>
      new Driver(new VirtioBlock(new OverlayDisk(file, readOnly), 'drive0'), legacy).start();

    test('what is read is the file, zeros after its end', () => {
      const driver = started();
      assert.equal(driver.configBytes(8)[0], 11);
      const { written, length } = driver.request(0, [header(0, 9)], [2 * SECTOR, 1]);
      assert.equal(length, 2 * SECTOR + 1);
      assert.deepEqual([written[0][0], written[0][SECTOR], written[0][SECTOR + 100], written[1][0]], [10, 11, 0, 0]);
      // Header and status in pieces with the data: drivers may cut where they like.
      const head = header(0, 1);
      const cut = driver.request(0, [head.slice(0, 7), head.slice(7)], [100, 412, 1]);
      assert.deepEqual([cut.written[0][0], cut.written[1][411], cut.written[2][0]], [2, 2, 0]);
    });

    test('what is written is read again, and the file stays as it was', () => {
      const file = new MemoryFile(diskBytes());
      const driver = started(file);
      const out = fill(SECTOR, (i) => i & 0xff);
      assert.deepEqual(driver.request(0, [header(1, 3), out], [1]).written[0], Uint8Array.of(0));
      const { written } = driver.request(0, [header(0, 2)], [3 * SECTOR, 1]);
      assert.deepEqual(written[0].slice(SECTOR, 2 * SECTOR), out);
      assert.deepEqual([written[0][0], written[0][2 * SECTOR]], [3, 5]);
      assert.deepEqual(file.bytes, diskBytes());
      const state = driver.slot.save();
      const other = started(file);
      other.slot.load(state);
      assert.deepEqual((other.slot.save() as { model: unknown }).model, (state as { model: unknown }).model);
    });

    test('a file that may be written is', () => {
      const file = new MemoryFile(diskBytes(), true);
      const driver = started(file);
      driver.request(0, [header(1, 10), new Uint8Array(SECTOR).fill(0x55)], [1]);
      assert.deepEqual([file.bytes[10 * SECTOR], file.bytes.length], [0x55, 10 * SECTOR + 100]);
      assert.equal(driver.request(0, [header(4, 0)], [1]).written[0][0], 0);
      assert.deepEqual(file.log, ['flush']);
    });

    test('requests that cannot be done say so', () => {
      const driver = started();
      const status = (d: Driver, out: Uint8Array[], room: number): number =>
        d.request(0, out, [room, 1]).written.at(-1)?.[0] ?? -1;
      assert.equal(status(driver, [header(0, 10)], 2 * SECTOR), 1, 'beyond the end');
      assert.equal(status(driver, [header(0, 2 ** 53)], SECTOR), 1);
      assert.equal(status(driver, [header(0, 0)], 100), 1, 'no whole sector');
      assert.equal(status(driver, [header(99, 0)], 4), 2);
      assert.equal(status(driver, [header(1, 10), new Uint8Array(2 * SECTOR)], 4), 1);
      const frozen = started(undefined, true);
      assert.ok(frozen.read(0x10) & (1 << 5));
      assert.equal(status(frozen, [header(1, 0), new Uint8Array(SECTOR)], 4), 1);
      const name = driver.request(0, [header(8, 0)], [20, 1]).written;
      assert.equal(Buffer.from(name[0]).toString().replace(/\0+$/, ''), 'drive0');
      assert.equal(driver.request(0, [header(0, 0).slice(0, 8)], [SECTOR, 1]).length, 0, 'half a header');
      assert.equal(driver.request(0, [header(0, 0)], []).length, 0, 'no room for a status');
    });
  });

test('the console sends at once, and what is typed waits for buffers', () => {
  const said: string[] = [];
  const model = new VirtioConsole((bytes) => said.push(Buffer.from(bytes).toString()));
  const driver = new Driver(model, true).start();
  driver.request(1, [Buffer.from('hel'), Buffer.from('lo')], []);
  assert.equal(said.join(''), 'hello');
  model.input(Buffer.from('typed'));
  assert.deepEqual(driver.used(0), []);
  const [at] = driver.post(0, [], [3]);
  driver.notify(0);
  assert.deepEqual(driver.used(0), [{ head: 0, length: 3 }]);
  assert.equal(Buffer.from(driver.memory.bytes.slice(at - RAM, at - RAM + 3)).toString(), 'typ');
  const [rest] = driver.post(0, [], [16]);
  driver.notify(0);
  assert.equal(Buffer.from(driver.memory.bytes.slice(rest - RAM, rest - RAM + 2)).toString(), 'ed');
  driver.used(0);
  driver.post(0, [], [16]);
  driver.notify(0);
  assert.deepEqual(driver.used(0), [], 'the buffer waits');
  model.input(Buffer.from('!'));
  assert.deepEqual(driver.used(0), [{ head: 0, length: 1 }]);
});

// ---- network ----

const GUEST_MAC = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
const GUEST_IP = [10, 0, 2, 15];
const HOST_IP = [10, 0, 2, 2];
const two = (n: number): number[] => [n >> 8, n & 0xff];

const frameOf = (
  type: number,
  payload: readonly number[],
  to: readonly number[] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
) => Uint8Array.from([...to, ...GUEST_MAC, ...two(type), ...payload]);
function ip(protocol: number, payload: readonly number[], to = HOST_IP): Uint8Array {
  const head = [0x45, 0, ...two(20 + payload.length), 0, 1, 0, 0, 64, protocol, 0, 0, ...GUEST_IP, ...to];
  const sum = two(internetChecksum(head));
  return frameOf(0x800, [...head.slice(0, 10), ...sum, ...head.slice(12), ...payload]);
}
const hasGoodIpSum = (frame: Uint8Array): boolean => internetChecksum(frame.subarray(14, 34)) === 0;
function hasGoodTransportSum(frame: Uint8Array): boolean {
  const segment = frame.subarray(34);
  const pseudo = [...frame.subarray(26, 34), 0, frame[23], ...two(segment.length)];
  return internetChecksum(pseudo, segment) === 0;
}

describe('the host on the wire', () => {
  test('the checksum of RFC 1071', () => {
    // The example of section 3.
    assert.equal(internetChecksum([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), ~0xddf2 & 0xffff);
  });

  test('ARP', () => {
    const request = [0, 1, 8, 0, 6, 4, 0, 1, ...GUEST_MAC, ...GUEST_IP, 0, 0, 0, 0, 0, 0, ...HOST_IP];
    const [reply] = respond(frameOf(0x806, request));
    assert.deepEqual([...reply.subarray(0, 6)], GUEST_MAC);
    assert.deepEqual([...reply.subarray(20, 22)], [0, 2]);
    assert.deepEqual([...reply.subarray(28, 32)], HOST_IP);
    assert.deepEqual([...reply.subarray(22, 28)], [...reply.subarray(6, 12)]);
    assert.deepEqual(respond(frameOf(0x806, [...request.slice(0, 24), 10, 0, 2, 9])), [], 'nobody else is there');
  });

  test('ping', () => {
    const [reply] = respond(ip(1, [8, 0, 0, 0, 1, 2, 0, 5, 7, 7, 7]));
    assert.ok(hasGoodIpSum(reply));
    assert.equal(internetChecksum(reply.subarray(34)), 0);
    assert.deepEqual([...reply.subarray(26, 34)], [...HOST_IP, ...GUEST_IP]);
    assert.deepEqual([reply[34], ...reply.subarray(38)], [0, 1, 2, 0, 5, 7, 7, 7]);
    assert.deepEqual(respond(ip(1, [8, 0, 0, 0, 1, 2, 0, 5], [1, 1, 1, 1])), []);
  });

  test('UDP echo; other ports are silent', () => {
    const datagram = (port: number): number[] => [...two(4000), ...two(port), 0, 11, 0, 0, 65, 66, 67];
    const [reply] = respond(ip(17, datagram(7)));
    assert.ok(hasGoodIpSum(reply) && hasGoodTransportSum(reply));
    assert.deepEqual([...reply.subarray(34, 38), ...reply.subarray(42)], [0, 7, ...two(4000), 65, 66, 67]);
    assert.deepEqual(respond(ip(17, datagram(53))), []);
  });

  test('TCP is refused', () => {
    const syn = [...two(5000), ...two(80), 0, 0, 1, 0xff, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0];
    const [reply] = respond(ip(6, syn));
    assert.ok(hasGoodIpSum(reply) && hasGoodTransportSum(reply));
    assert.deepEqual([...reply.subarray(34, 38)], [...two(80), ...two(5000)]);
    assert.deepEqual([...reply.subarray(42, 46), reply[47]], [0, 0, 2, 0, 0x14], 'it acknowledges the SYN');
  });

  test('DHCP: an offer, then the address', () => {
    const message = (type: number): number[] => {
      const body = new Array<number>(240).fill(0);
      body.splice(0, 8, 1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef);
      body.splice(28, 6, ...GUEST_MAC);
      body.splice(236, 4, 99, 130, 83, 99);
      const options = [12, 1, 65, 53, 1, type, 255];
      const data = [...body, ...options];
      return [...two(68), ...two(67), ...two(8 + data.length), 0, 0, ...data];
    };
    for (const [ask, answer] of [
      [1, 2],
      [3, 5],
    ]) {
      const [reply] = respond(ip(17, message(ask), [255, 255, 255, 255]));
      assert.ok(hasGoodIpSum(reply) && hasGoodTransportSum(reply));
      const body = reply.subarray(42);
      assert.deepEqual([body[0], ...body.subarray(4, 8)], [2, 0xde, 0xad, 0xbe, 0xef]);
      assert.deepEqual([...body.subarray(16, 20)], GUEST_IP);
      assert.deepEqual([...body.subarray(240, 243)], [53, 1, answer]);
    }
    assert.deepEqual(respond(ip(17, message(4), [255, 255, 255, 255])), []);
  });

  test('any bytes at all', () => {
    const good = [
      ip(1, [8, 0, 0, 0, 1, 2, 0, 5]),
      ip(17, [15, 160, 0, 7, 0, 9, 0, 0, 1]),
      ip(6, new Array(20).fill(2)),
    ];
    for (const frame of good)
      for (let cut = 0; cut <= frame.length; cut++)
        for (let at = 12; at < cut; at++) {
          const bad = frame.slice(0, cut);
          bad[at] = (bad[at] * 7 + 255) & 0xff;
          assert.ok(Array.isArray(respond(bad)));
        }
  });
});

for (const legacy of [true, false])
  test(`network card, ${legacy ? 'legacy' : 'modern'}: frames behind a header`, () => {
    const driver = new Driver(new VirtioNet(Uint8Array.from(GUEST_MAC), respond), legacy).start(1 << 5);
    assert.deepEqual([...driver.configBytes(8)], [...GUEST_MAC, 1, 0]);
    const bytes = legacy ? 10 : 12;
    const ping = ip(1, [8, 0, 0, 0, 1, 2, 0, 5]);
    driver.request(1, [new Uint8Array(bytes), ping], []);
    assert.deepEqual(driver.used(0), [], 'no buffer yet');
    const [at] = driver.post(0, [], [1600]);
    driver.notify(0);
    assert.deepEqual(driver.used(0), [{ head: 0, length: bytes + 42 }]);
    const frame = driver.memory.bytes.slice(at - RAM + bytes, at - RAM + bytes + 42);
    assert.deepEqual(frame, respond(ping)[0]);
  });
