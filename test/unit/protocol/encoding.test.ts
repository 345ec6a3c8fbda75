import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { fromBase64, fromHex, toBase64, toHex, Utf8Stream, utf8Bytes } from '../../../src/protocol';

const random = new SeededRandom(new Uint32Array(1));
random.seed(5);
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.below(256));

test('base64 and hexadecimal agree with the platform’s', () => {
  for (let length = 0; length < 40; length++) {
    const data = bytes(length);
    assert.equal(toBase64(data), Buffer.from(data).toString('base64'));
    assert.deepEqual(fromBase64(toBase64(data)), data);
    assert.equal(toHex(data), Buffer.from(data).toString('hex'));
    assert.deepEqual(fromHex(toHex(data)), data);
  }
});

test('what is not base64 is refused', () => {
  for (const wrong of ['a', 'ab*d', 'äbcd', 'abcde']) assert.equal(fromBase64(wrong), undefined, wrong);
});

test('UTF-8 survives any cut', () => {
  const text = 'a£€😀\u07ff\u0800\uffff\u{10ffff} end';
  const whole = utf8Bytes(text);
  assert.deepEqual(whole, new Uint8Array(Buffer.from(text)));
  for (let cut = 0; cut <= whole.length; cut++) {
    const stream = new Utf8Stream();
    assert.equal(stream.push(whole.slice(0, cut)) + stream.push(whole.slice(cut)), text);
  }
});

test('bytes that are no UTF-8 give replacement characters and lose nothing else', () => {
  const wrong: [number[], string][] = [
    [[0x80, 0x41], '\ufffdA'],
    [[0xc0, 0x80, 0x41], '\ufffd\ufffdA'],
    [[0xe2, 0x82, 0x41], '\ufffd\ufffdA'],
    [[0xed, 0xa0, 0x80, 0x41], '\ufffd\ufffd\ufffdA'],
    [[0xff, 0x41], '\ufffdA'],
    [[0xf4, 0x90, 0x80, 0x80, 0x41], '\ufffd\ufffd\ufffd\ufffdA'],
  ];
  for (const [input, expected] of wrong) assert.equal(new Utf8Stream().push(Uint8Array.from(input)), expected);
});
