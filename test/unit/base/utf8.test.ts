/** UTF-8 against the host's codecs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeUtf8, encodeUtf8 } from '../../../src/base/utf8';

test('text of every length class goes there and back', () => {
  for (const text of ['', 'plain', 'ß€𐍈', '\0\x7f\x80\u07ff\u0800\uffff\u{10000}\u{10ffff}']) {
    assert.deepEqual([...encodeUtf8(text)], [...new TextEncoder().encode(text)]);
    assert.equal(decodeUtf8(encodeUtf8(text)), text);
  }
  assert.deepEqual([...encodeUtf8('a\ud800b')], [0x61, 0xef, 0xbf, 0xbd, 0x62]);
});

test('what is not UTF-8 becomes replacement characters and nothing is read past the end', () => {
  const bad = [
    [0xff],
    [0xc3],
    [0xc0, 0x80],
    [0xe0, 0x80, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf5, 0x80],
  ];
  for (const bytes of bad) {
    const text = decodeUtf8(Uint8Array.from([0x61, ...bytes, 0x62]));
    assert.match(text, /^a\ufffd+b$/, bytes.join(' '));
  }
});
