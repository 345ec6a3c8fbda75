/** Kernel images' own symbol tables, written here by the rules of scripts/kallsyms.c in both orders; and damaged ones. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { readKallsyms } from '../../../src/program';

const BASE = 0xffff_8000_0800_0000n;
const START = 0x10_0000;

interface Row {
  readonly type: string;
  readonly name: string;
  readonly offset: number;
}

/** More than one marker's worth; one name is longer than a one-byte length can say. */
const rows: readonly Row[] = [
  { type: 'T', name: '_text', offset: 0 },
  { type: 'T', name: '_stext', offset: 0 },
  { type: 't', name: `long_${'x'.repeat(200)}`, offset: 0x40 },
  ...Array.from({ length: 300 }, (_, i) => ({
    type: i % 2 ? 't' : 'T',
    name: `function_${i}`,
    offset: 0x100 + 16 * i,
  })),
  { type: 'D', name: 'jiffies', offset: 0x8_0000 },
];

/** Tokens of one character each, and one of several at 1: what compression leaves when it finds one pair of use. */
const tokens = Array.from({ length: 256 }, (_, i) =>
  i === 1 ? 'function_' : i >= 0x30 && i < 0x7f ? String.fromCharCode(i) : '',
);

class Writer {
  bytes: number[] = [];
  align(): this {
    while (this.bytes.length % 8) this.bytes.push(0);
    return this;
  }
  u16(value: number): void {
    this.bytes.push(value & 0xff, value >> 8);
  }
  u32(value: number): void {
    this.u16(value & 0xffff);
    this.u16(value >>> 16);
  }
  u64(value: bigint): number {
    const at = this.align().bytes.length;
    this.u32(Number(value & 0xffffffffn));
    this.u32(Number(value >> 32n));
    return at;
  }
}

interface Shape {
  readonly order: 'offsets first' | 'offsets last';
  /** The base is written by the kernel's own start code. */
  readonly relocated: boolean;
}

function image({ order, relocated }: Shape, list = rows): Uint8Array {
  const w = new Writer();
  let baseAt = 0;
  const addresses = (): void => {
    w.align();
    for (const { offset } of list) w.u32(offset);
    baseAt = w.u64(relocated ? 0n : BASE + BigInt(START));
  };
  if (order === 'offsets first') addresses();
  w.align().u32(list.length);
  w.align();
  const from = w.bytes.length;
  const markers: number[] = [];
  for (const [i, { type, name }] of list.entries()) {
    if (i % 256 === 0) markers.push(w.bytes.length - from);
    const text = type + name;
    const codes = text.slice(1).startsWith('function_')
      ? [text.charCodeAt(0), 1, ...[...text.slice(10)].map((c) => c.charCodeAt(0))]
      : [...text].map((c) => c.charCodeAt(0));
    w.bytes.push(
      ...(codes.length < 0x80 ? [codes.length] : [(codes.length & 0x7f) | 0x80, codes.length >> 7]),
      ...codes,
    );
  }
  w.align();
  for (const mark of markers) w.u32(mark);
  w.align();
  const starts: number[] = [];
  const table = w.bytes.length;
  for (const text of tokens) {
    starts.push(w.bytes.length - table);
    w.bytes.push(...[...text].map((c) => c.charCodeAt(0)), 0);
  }
  w.align();
  for (const start of starts) w.u16(start);
  if (order === 'offsets last') addresses();
  if (relocated) {
    w.u64(BASE + BigInt(baseAt));
    w.u64(0x403n);
    w.u64(BASE + BigInt(START));
  }
  // The table stands somewhere in an image that is large enough for its symbols.
  const whole = new Uint8Array(0x20_0000);
  whole.set(w.bytes, 0x1000);
  return whole;
}

/** The relocation names the place in the whole image. */
function moved(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer);
  for (let at = 0x1000; at + 24 <= bytes.length; at += 8)
    if (view.getBigUint64(at + 8, true) === 0x403n) view.setBigUint64(at, view.getBigUint64(at, true) + 0x1000n, true);
  return bytes;
}

describe('the symbol table in a kernel', () => {
  for (const order of ['offsets first', 'offsets last'] as const) {
    test(`is found and read: ${order}, base in place`, () => {
      const table = readKallsyms(image({ order, relocated: false }));
      assert.equal(table?.base, BASE + BigInt(START), 'the address of _text');
      assert.deepEqual(
        table.symbols.map(({ name, value, kind, binding }) => [name, value, kind, binding]),
        rows.map(({ type, name, offset }) => [
          name,
          BASE + BigInt(START + offset),
          type === 'D' ? 'object' : 'function',
          type === 't' ? 'local' : 'global',
        ]),
      );
      assert.deepEqual(
        table.symbols.slice(0, 4).map(({ size }) => size),
        [0n, 0x40n, 0xc0n, 16n],
        'each reaches to the next',
      );
    });

    test(`is found and read: ${order}, base by relocation`, () => {
      const table = readKallsyms(moved(image({ order, relocated: true })));
      assert.equal(table?.base, BASE);
      assert.equal(
        table.symbols.find(({ name }) => name === 'function_7')?.value,
        BASE + BigInt(START + 0x100 + 16 * 7),
      );
    });
  }

  test('is not found where there is none, or where it does not agree with itself', () => {
    assert.equal(readKallsyms(new Uint8Array(0x1000)), undefined);
    assert.equal(readKallsyms(new Uint8Array()), undefined);
    const bytes = image({ order: 'offsets last', relocated: false });
    const index = Buffer.from(bytes).indexOf(Buffer.from('0\x001\x002\x003\x00'));
    for (const [what, at] of [
      ['a token', index],
      ['the count', 0x1000],
    ] as const) {
      const damaged = bytes.slice();
      damaged[at] ^= 0x55;
      assert.equal(readKallsyms(damaged), undefined, what);
    }
    const unordered = image({ order: 'offsets first', relocated: false }, [...rows].reverse());
    assert.equal(readKallsyms(unordered), undefined, 'addresses that go down');
  });

  test('never throws, whatever is wrong', () => {
    const random = new SeededRandom(new Uint32Array(1));
    random.seed(7);
    const good = image({ order: 'offsets first', relocated: false });
    for (let i = 0; i < 200; i++) {
      const bytes = good.slice(0, 0x1000 + random.below(0x4000));
      for (let n = random.below(8); n > 0; n--) bytes[0x1000 + random.below(bytes.length - 0x1000)] = random.below(256);
      readKallsyms(bytes);
    }
  });
});
