/** The shared folder over 9P, on a folder of the host with links that lead out of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SeededRandom } from '../../../../src/base/random';
import { VirtioNinep } from '../../../../src/devices/virtio';
import {
  ERROR_ANSWER,
  Errno,
  MessageReader,
  MessageWriter,
  Request,
} from '../../../../src/devices/virtio/ninepMessages';
import { NinepServer } from '../../../../src/devices/virtio/ninepServer';
import { openDisk, openFolder } from '../../../../src/worker/nodeFiles';
import { Driver } from './driver';

let top = '';
let folder = '';
before(() => {
  top = mkdtempSync(path.join(tmpdir(), 'elscope-'));
  folder = path.join(top, 'shared');
  mkdirSync(path.join(folder, 'sub', 'deep'), { recursive: true });
  writeFileSync(path.join(top, 'secret'), 'outside');
  writeFileSync(path.join(folder, 'a.txt'), 'hello, guest');
  writeFileSync(path.join(folder, 'sub', 'b.txt'), 'b');
  symlinkSync('../secret', path.join(folder, 'out'));
  symlinkSync('..', path.join(folder, 'up'));
  symlinkSync('sub', path.join(folder, 'in'));
  spawnSync('mkfifo', [path.join(folder, 'pipe')]);
  for (let i = 0; i < 40; i++) writeFileSync(path.join(folder, 'sub', 'deep', `file${`${i}`.padStart(2, '0')}`), '');
});
after(() => rmSync(top, { recursive: true }));

const w = (): MessageWriter => new MessageWriter();

/** A client of the server; `errno` is set by an error answer. */
class Client {
  readonly server = new NinepServer(openFolder(folder));
  constructor() {
    this.attach();
  }
  attach(): void {
    this.call(Request.Version, w().u32(8192).text('9P2000.L'));
    this.call(Request.Attach, w().u32(0).u32(0xffffffff).text('root').text('').u32(0));
  }
  call(type: number, body: MessageWriter): MessageReader | number {
    const answer = this.server.answer(body.done(type, 7));
    assert.ok(answer !== undefined);
    const reader = new MessageReader(answer);
    assert.equal(reader.u32(), answer.length);
    const kind = reader.u8();
    assert.equal(reader.u16(), 7);
    if (kind === ERROR_ANSWER) return reader.u32();
    assert.equal(kind, type + 1);
    return reader;
  }
  ok(type: number, body: MessageWriter): MessageReader {
    const reader = this.call(type, body);
    assert.ok(reader instanceof MessageReader, `error ${String(reader)}`);
    return reader;
  }
  walk(fid: number, ...names: string[]): number | MessageReader {
    const body = w().u32(0).u32(fid).u16(names.length);
    for (const name of names) body.text(name);
    return this.call(Request.Walk, body);
  }
  open(fid: number, flags = 0): number | MessageReader {
    return this.call(Request.Lopen, w().u32(fid).u32(flags));
  }
  read(fid: number, offset: number, count: number): string {
    const reader = this.ok(Request.Read, w().u32(fid).u64(offset).u32(count));
    return Buffer.from(Array.from({ length: reader.u32() }, () => reader.u8())).toString();
  }
  list(fid: number, count = 4096): string[] {
    const names: string[] = [];
    for (let offset = 0; ; ) {
      const reader = this.ok(Request.Readdir, w().u32(fid).u64(offset).u32(count));
      if (reader.u32() === 0) return names;
      for (;;) {
        reader.u8();
        reader.u32();
        reader.u64();
        const next = reader.u64();
        reader.u8();
        const name = reader.text();
        if (reader.bad) break;
        names.push(name);
        offset = next;
      }
    }
  }
}

describe('a folder over 9P', () => {
  test('version, names, contents', () => {
    const client = new Client();
    const version = client.ok(Request.Version, w().u32(1).text('9P2000'));
    assert.deepEqual([version.u32(), version.text()], [4096, 'unknown']);
    const fresh = new Client();
    fresh.walk(1);
    fresh.open(1);
    assert.deepEqual(fresh.list(1), ['.', '..', 'a.txt', 'in', 'out', 'sub', 'up'], 'no pipe');
    fresh.walk(2, 'a.txt');
    fresh.open(2);
    assert.deepEqual([fresh.read(2, 0, 5), fresh.read(2, 7, 100), fresh.read(2, 100, 10)], ['hello', 'guest', '']);
    fresh.walk(3, 'sub', 'deep');
    fresh.open(3);
    assert.equal(fresh.list(3, 200).length, 42, 'in many parts');
    const attributes = fresh.ok(Request.Getattr, w().u32(2).u64(0x7ff));
    assert.equal(attributes.u64(), 0x7ff);
    assert.deepEqual([attributes.u8(), attributes.u32(), attributes.u64() > 0], [0, 0, true]);
    assert.equal(attributes.u32() & 0o170000, 0o100000);
    for (const _ of [0, 0]) attributes.u32();
    assert.deepEqual([attributes.u64(), attributes.u64(), attributes.u64()], [1, 0, 12]);
  });

  test('links are links, and nothing leads out', () => {
    const client = new Client();
    client.walk(1, 'out');
    assert.equal(client.ok(Request.Readlink, w().u32(1)).text(), '../secret');
    client.open(1);
    assert.equal(client.call(Request.Read, w().u32(1).u64(0).u32(10)), Errno.EINVAL);
    const partly = client.walk(2, 'up', 'secret');
    assert.ok(partly instanceof MessageReader && partly.u16() === 1, 'the link itself, and no further');
    const inside = client.walk(2, 'in', 'b.txt');
    assert.ok(inside instanceof MessageReader && inside.u16() === 1);
    client.walk(3, '..', '..');
    client.open(3);
    assert.ok(client.list(3).includes('a.txt'), 'above the root is the root');
    for (const name of ['../secret', '/etc/passwd', '', '.', 'a\0b']) assert.equal(client.walk(4, name), Errno.ENOENT);
    const direct = openFolder(folder);
    assert.equal(direct.stat(['up', 'secret']), undefined);
    assert.equal(direct.stat(['in', 'b.txt']), undefined);
    assert.equal(direct.read(['out'], 0, new Uint8Array(4)), -1);
    assert.equal(direct.read(['pipe'], 0, new Uint8Array(4)), -1);
  });

  test('nothing can be changed', () => {
    const client = new Client();
    client.walk(1, 'a.txt');
    for (const flags of [1, 2, 0o1002]) assert.equal(client.open(1, flags), Errno.EROFS);
    for (const type of [
      Request.Write,
      Request.Lcreate,
      Request.Setattr,
      Request.Mkdir,
      Request.Unlinkat,
      Request.Remove,
    ])
      assert.equal(client.call(type, w().u32(1)), Errno.EROFS);
    assert.equal(client.call(Request.Xattrwalk, w().u32(1)), Errno.EOPNOTSUPP);
  });

  test('mistakes are answered with errors', () => {
    const client = new Client();
    assert.equal(client.call(Request.Read, w().u32(9).u64(0).u32(1)), Errno.EBADF);
    assert.equal(client.call(Request.Getattr, w()), Errno.EPROTO);
    assert.equal(client.call(200, w()), Errno.EOPNOTSUPP);
    client.walk(1);
    assert.equal(client.call(Request.Readdir, w().u32(1).u64(0).u32(100)), Errno.EBADF, 'not open');
    client.open(1);
    assert.equal(client.call(Request.Read, w().u32(1).u64(0).u32(100)), Errno.EISDIR);
    assert.equal(client.server.answer(new Uint8Array(3)), undefined);
    assert.equal(client.call(Request.Clunk, w().u32(1)) instanceof MessageReader, true);
    assert.equal(client.call(Request.Clunk, w().u32(1)), Errno.EBADF);
  });

  test('random messages never throw, and a saved server goes on', () => {
    const client = new Client();
    const random = new SeededRandom(new Uint32Array(1));
    random.seed(11);
    const types = Object.values(Request);
    for (let i = 0; i < 5000; i++) {
      const body = w();
      for (let n = random.below(30); n > 0; n--) body.u8(random.below(3) === 0 ? random.below(256) : random.below(4));
      client.server.answer(body.done(types[random.below(types.length)], 0));
    }
    client.attach();
    client.walk(5, 'a.txt');
    client.open(5);
    const other = new Client();
    other.server.load(JSON.parse(JSON.stringify(client.server.save())));
    assert.equal(other.read(5, 0, 5), 'hello');
    assert.deepEqual(other.server.save(), client.server.save());
  });

  test('through the device', () => {
    const driver = new Driver(new VirtioNinep('share', openFolder(folder)), false).start(1);
    assert.equal(Buffer.from(driver.configBytes(7)).toString(), '\x05\0share');
    const request = w().u32(8192).text('9P2000.L').done(Request.Version, 0xffff);
    const { length, written } = driver.request(0, [request], [100]);
    assert.equal(new DataView(written[0].buffer).getUint32(0, true), length);
    assert.equal(driver.request(0, [request], [5]).length, 0, 'no room for an answer');
  });
});

test('what cannot be opened is said in one line', () => {
  assert.throws(() => openFolder(path.join(top, 'secret')), /no folder .* to share/);
  assert.throws(() => openDisk(path.join(top, 'none'), false), /cannot read/);
  assert.throws(() => openDisk(folder, false), /no disk image/);
  assert.throws(() => openDisk(path.join(top, 'none'), true), /cannot be opened for writing/);
});
