/** Semihosting operations against a small memory at 0x1000 and one folder of files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '../../../src/base/utf8';
import { type GuestMemory, relativePath, Semihosting, type SemihostingAnswer } from '../../../src/devices/semihosting';
import { FakeClock } from './fakes';

const BASE = 0x1000n;

class Memory implements GuestMemory {
  readonly bytes = new Uint8Array(0x1000);
  private at(address: bigint, length: number): number {
    const offset = address - BASE;
    return offset >= 0n && offset + BigInt(length) <= BigInt(this.bytes.length) ? Number(offset) : -1;
  }
  read(address: bigint, length: number): Uint8Array | undefined {
    const at = this.at(address, length);
    return at < 0 ? undefined : this.bytes.slice(at, at + length);
  }
  write(address: bigint, bytes: Uint8Array): boolean {
    const at = this.at(address, bytes.length);
    if (at >= 0) this.bytes.set(bytes, at);
    return at >= 0;
  }
}

class Bench {
  readonly memory = new Memory();
  readonly clock = new FakeClock();
  readonly typed: number[] = [];
  output = '';
  readonly semihosting = new Semihosting({
    clock: this.clock,
    commandLine: 'prog -v',
    files: { read: (path) => (path === 'data/a.txt' ? encodeUtf8('0123456789') : undefined) },
    output: (bytes) => void (this.output += String.fromCharCode(...bytes)),
    input: () => this.typed.shift(),
  });

  /** An operation with its parameter block at 0x1000. */
  block(operation: number, ...words: readonly bigint[]): SemihostingAnswer {
    const view = new DataView(this.memory.bytes.buffer);
    words.forEach((word, i) => void view.setBigUint64(8 * i, BigInt.asUintN(64, word), true));
    return this.semihosting.call(operation, BASE, this.memory);
  }
  call(operation: number, parameter: bigint): SemihostingAnswer {
    return this.semihosting.call(operation, parameter, this.memory);
  }
  put(address: bigint, text: string): bigint {
    this.memory.write(address, encodeUtf8(text));
    return BigInt(text.length);
  }
  open(path: string, mode: bigint): SemihostingAnswer {
    return this.block(0x01, 0x1800n, mode, this.put(0x1800n, path));
  }
}
const value = (answer: SemihostingAnswer): bigint => {
  assert.equal(answer.kind, 'return');
  return answer.kind === 'return' ? BigInt.asIntN(64, answer.x0) : 0n;
};

test('the console: characters, strings, blocks', () => {
  const b = new Bench();
  b.put(0x1900n, 'Hello\0');
  b.call(0x03, 0x1900n);
  b.call(0x04, 0x1900n);
  const tt = value(b.open(':tt', 4n));
  assert.equal(value(b.block(0x05, tt, 0x1900n, 5n)), 0n);
  assert.equal(b.output, 'HHelloHello');
  assert.equal(value(b.block(0x09, tt)), 1n);
  assert.equal(value(b.call(0x04, 0x99999n)), -1n);
  assert.equal(value(b.block(0x05, tt, 0x1fffn, 5n)), 5n, 'nothing written');
  assert.equal(b.output, 'HHelloHello');
});

test('reading what was typed waits for it', () => {
  const b = new Bench();
  assert.deepEqual(b.call(0x07, 0n), { kind: 'wait' });
  const tt = value(b.open(':tt', 0n));
  assert.deepEqual(b.block(0x06, tt, 0x1a00n, 8n), { kind: 'wait' });
  b.typed.push(0x61, 0x62, 0x63);
  assert.equal(value(b.call(0x07, 0n)), 0x61n);
  assert.equal(value(b.block(0x06, tt, 0x1a00n, 8n)), 6n);
  assert.deepEqual([...b.memory.read(0x1a00n, 3)!], [0x62, 0x63, 0]);
});

test('files: open, length, read to the end, seek, close', () => {
  const b = new Bench();
  const file = value(b.open('data/a.txt', 1n));
  assert.ok(file > 0n);
  assert.equal(value(b.block(0x0c, file)), 10n);
  assert.equal(value(b.block(0x06, file, 0x1a00n, 4n)), 0n);
  assert.equal(value(b.block(0x0a, file, 8n)), 0n);
  assert.equal(value(b.block(0x06, file, 0x1a00n, 4n)), 2n);
  assert.equal(value(b.block(0x06, file, 0x1a00n, 4n)), 4n, 'the end');
  assert.deepEqual([...b.memory.read(0x1a00n, 4)!], [...encodeUtf8('8923')]);
  assert.equal(value(b.block(0x0a, file, 11n)), -1n);
  assert.equal(value(b.block(0x05, file, 0x1a00n, 4n)), 4n, 'read-only');
  assert.equal(value(b.block(0x02, file)), 0n);
  assert.equal(value(b.block(0x02, file)), -1n);
  assert.equal(value(b.call(0x13, 0n)), 9n);
});

test('no path leads out of the folder, and nothing is written to it', () => {
  const b = new Bench();
  for (const path of ['../secret', 'a/../../secret', 'C:\\secret', 'missing'])
    assert.equal(value(b.open(path, 0n)), -1n);
  assert.equal(value(b.open('data/a.txt', 4n)), -1n);
  assert.equal(value(b.call(0x13, 0n)), 30n);
  assert.equal(relativePath('/etc//./passwd'), 'etc/passwd');
  assert.equal(relativePath('a\\..\\b'), undefined);
  assert.equal(relativePath(''), undefined);
});

test('exit', () => {
  const b = new Bench();
  assert.deepEqual(b.block(0x18, 0x20026n, 3n), { kind: 'exit', reason: 0x20026, code: 3 });
  assert.deepEqual(b.block(0x20, 0x20026n, 0n), { kind: 'exit', reason: 0x20026, code: 0 });
  assert.deepEqual(b.block(0x18, 0x20024n, 0n), { kind: 'exit', reason: 0x20024, code: 1 });
  assert.equal(value(b.call(0x18, 0n)), -1n, 'the block cannot be read');
});

test('time, command line, features', () => {
  const b = new Bench();
  b.clock.advance(2_345_000_000);
  assert.equal(value(b.call(0x10, 0n)), 234n);
  assert.equal(value(b.call(0x11, 0n)), 1_704_067_202n);
  assert.equal(value(b.call(0x31, 0n)), 1_000_000_000n);
  assert.equal(value(b.call(0x30, BASE)), 0n);
  assert.equal(new DataView(b.memory.bytes.buffer).getBigUint64(0, true), 2_345_000_000n);
  assert.equal(value(b.block(0x15, 0x1a00n, 100n)), 0n);
  assert.equal(String.fromCharCode(...b.memory.read(0x1a00n, 8)!), 'prog -v\0');
  assert.equal(new DataView(b.memory.bytes.buffer).getBigUint64(8, true), 7n);
  assert.equal(value(b.block(0x15, 0x1a00n, 7n)), -1n, 'no room for the end');
  const features = value(b.open(':semihosting-features', 0n));
  assert.equal(value(b.block(0x06, features, 0x1a00n, 5n)), 0n);
  assert.deepEqual([...b.memory.read(0x1a00n, 5)!], [0x53, 0x48, 0x46, 0x42, 3]);
});

test('whatever is asked, the answer is a value', () => {
  const b = new Bench();
  for (let operation = 0; operation < 0x40; operation++)
    for (const parameter of [0n, BASE, 0x1ff8n, 0xffff_ffff_ffff_fff8n]) {
      b.memory.bytes.fill(0xff);
      assert.ok(['return', 'wait', 'exit'].includes(b.call(operation, parameter).kind));
    }
});

test('open files survive a snapshot', () => {
  const b = new Bench();
  const file = value(b.open('data/a.txt', 0n));
  b.block(0x0a, file, 7n);
  const other = new Bench();
  other.semihosting.load(JSON.parse(JSON.stringify(b.semihosting.save())));
  assert.equal(value(other.block(0x06, file, 0x1a00n, 3n)), 0n);
  assert.deepEqual([...other.memory.read(0x1a00n, 3)!], [...encodeUtf8('789')]);
});
