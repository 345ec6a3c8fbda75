import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame, MessageReader } from '../../../src/adapter/framing';
import { shifted } from '../../../src/adapter/lineBase';

function reader() {
  const seen: unknown[] = [];
  const wrong: string[] = [];
  const r = new MessageReader({ message: (m) => void seen.push(m), malformed: (what) => void wrong.push(what) });
  return { seen, wrong, push: (text: string | Buffer) => r.push(Buffer.from(text)) };
}

test('messages survive any cut', () => {
  const stream = Buffer.from(frame({ a: 'ä' }) + frame({ b: [1, 2] }));
  for (let cut = 0; cut <= stream.length; cut++) {
    const { seen, wrong, push } = reader();
    push(stream.subarray(0, cut));
    push(stream.subarray(cut));
    assert.deepEqual(seen, [{ a: 'ä' }, { b: [1, 2] }], String(cut));
    assert.deepEqual(wrong, []);
  }
});

test('one byte at a time', () => {
  const { seen, push } = reader();
  for (const byte of Buffer.from(frame({ text: 'x'.repeat(300) }))) push(Buffer.of(byte));
  assert.equal(seen.length, 1);
});

test('after garbage the next message is read', () => {
  const garbage = [
    'Content-Length: nothing\r\n\r\n',
    'Content-Type: x\r\n\r\n',
    'Content-Length: 3\r\n\r\n{,}',
    'Content-Length: 999999999999\r\n\r\n',
    `${'x'.repeat(5000)}\r\n\r\n`,
  ];
  for (const text of garbage) {
    const { seen, wrong, push } = reader();
    push(text);
    push(frame({ ok: true }));
    assert.deepEqual(seen, [{ ok: true }], text.slice(0, 40));
    assert.ok(wrong.length >= 1, text.slice(0, 40));
  }
});

test('further header lines and other spellings are fine', () => {
  const { seen, push } = reader();
  push('Content-Type: application/json\r\ncontent-length: 2\r\n\r\n{}');
  assert.deepEqual(seen, [{}]);
});

test('lines and columns move by the client’s base, nothing else does', () => {
  const body = { line: 5, count: 5, list: [{ column: 1, endLine: 7 }], line2: 3, text: 'line' };
  assert.deepEqual(shifted(body, -1, -1), {
    line: 4,
    count: 5,
    list: [{ column: 0, endLine: 6 }],
    line2: 3,
    text: 'line',
  });
  assert.equal(shifted(body, 0, 0), body);
});
