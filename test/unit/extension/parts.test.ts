/** The pure parts of the extension: pins, console logs, ELF headers, translations, the page of a webview. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SAMPLES } from '../../../src/build/paths';
import { ConsoleLog } from '../../../src/extension/consoleLog';
import { ELF_HEADER_BYTES, isGuestElf } from '../../../src/extension/elf';
import { webviewHtml } from '../../../src/extension/panel/webviewHtml';
import { isLasting, type Pin, Pins, pinOf } from '../../../src/extension/pins';
import { withPolicy } from '../../../src/extension/policyList';
import { dumpRows, plus, shortHex, wordAt } from '../../../src/protocol/presentation';
import { hex64, staleLine } from './sampleViews';

test('a changed policy takes the place of the old one in a configuration', () => {
  const fwb = { name: 'fwb', released: 'on' };
  assert.deepEqual(withPolicy(undefined, fwb, 'off'), ['fwb=off']);
  assert.deepEqual(withPolicy(['fwb=off', 'fb=off', 7], fwb, 'on'), ['fb=off']);
  assert.deepEqual(withPolicy(['fb=off', 'fwb=off'], fwb, 'other'), ['fb=off', 'fwb=other']);
  // The machine file had changed it.
  assert.deepEqual(withPolicy(['fb=off'], fwb, 'on'), ['fb=off', 'fwb=on']);
});

test('symbols and numbers last; registers and expressions are pinned where they lead', () => {
  for (const text of ['main', '.L1', 'main+0x10', 'main + 4', '0x40200000', 'pa:0x40200000', 'core1/va:0x10']) {
    assert.equal(isLasting(text), true, text);
    assert.deepEqual(pinOf(` ${text} `, staleLine({ symbol: undefined })), { address: text, label: text });
  }
  for (const text of ['x0', 'X30', 'sp', 'pc', 'ELR_EL1', 'p->next', '*p', 'a[2]', 'x0+8']) {
    assert.equal(isLasting(text), false, text);
  }
  assert.deepEqual(pinOf('0x40201204', staleLine()), { address: '0x40201204', label: 'patched' });
  assert.deepEqual(pinOf('x0', staleLine({ offset: 4, symbol: 'patched+0x4' })), {
    address: hex64(0x40201204),
    label: 'patched+0x4',
  });
  assert.deepEqual(pinOf('x0', staleLine({ va: undefined, symbol: undefined })), {
    address: `pa:${hex64(0x40201200)}`,
    label: `pa:${hex64(0x40201200)}`,
  });
});

test('pins are kept, each once, and what was stored by mistake is left out', () => {
  let stored: unknown = [{ address: 'a', label: 'a' }, 'nonsense', { address: 1 }];
  let changes = 0;
  const storage = { get: () => stored, set: (pins: readonly Pin[]) => (stored = pins) };
  const pins = new Pins(storage, () => changes++);
  assert.deepEqual(pins.all, [{ address: 'a', label: 'a' }]);
  assert.equal(pins.add({ address: 'a', label: 'again' }), false);
  assert.equal(pins.add({ address: 'b', label: 'b' }), true);
  pins.remove('a');
  assert.deepEqual(stored, [{ address: 'b', label: 'b' }]);
  pins.clear();
  assert.deepEqual([stored, changes], [[], 3]);
});

test('a console log gives line feeds their carriage returns, also across pieces', () => {
  const log = new ConsoleLog();
  assert.equal(log.push('a\nb\r'), 'a\r\nb\r');
  assert.equal(log.push('\nc\n'), '\nc\r\n');
  assert.equal(log.text, 'a\r\nb\r\nc\r\n');
  log.clear();
  assert.equal(log.push('\n'), '\r\n');
});

test('a console log keeps the end, from a whole line on', () => {
  const log = new ConsoleLog(20);
  for (let i = 0; i < 10; i++) log.push(`line ${i}\n`);
  assert.equal(log.text, 'line 8\r\nline 9\r\n');
});

test('AArch64 programs are told from other files', () => {
  const header = readFileSync(`${SAMPLES}/el-tour.elf`).subarray(0, ELF_HEADER_BYTES);
  assert.equal(isGuestElf(header), true);
  const changed = (at: number, value: number): Uint8Array =>
    Uint8Array.from(header, (byte, i) => (i === at ? value : byte));
  assert.equal(isGuestElf(changed(18, 0x3e)), false, 'x86-64');
  assert.equal(isGuestElf(changed(4, 1)), false, '32 bits');
  assert.equal(isGuestElf(changed(5, 2)), false, 'big-endian');
  assert.equal(isGuestElf(changed(16, 1)), false, 'an object file');
  assert.equal(isGuestElf(header.subarray(0, 10)), false);
});

test('a webview’s page allows its own script and styles only', () => {
  const html = webviewHtml({
    title: 'a<b',
    source: 'https://x',
    script: 'https://x/a.js',
    styles: ['https://x/a.css'],
    nonce: 'n1',
  });
  const policy = /content="([^"]*)"/.exec(html)?.[1];
  assert.equal(policy, `default-src 'none'; style-src https://x; font-src https://x; script-src 'nonce-n1'`);
  assert.match(html, /<title>a&#60;b<\/title>/);
  assert.equal(html.match(/<script/g)?.length, 1);
  assert.doesNotMatch(html, /<style|style=|onload=/);
});

test('addresses are short, bytes are compared one by one', () => {
  assert.equal(shortHex('0x0000000040201000'), '0x40201000');
  assert.equal(shortHex('0xffff800010000000'), '0xffff800010000000');
  assert.equal(shortHex('0x0000000000000000'), '0x00000000');
  assert.equal(plus('0xffffffffffffffff', 1), '0x0000000000000000');
  assert.equal(wordAt('20008052c0035fd6', 4), '0xd65f03c0');
  assert.equal(wordAt('2000', 0), undefined);
  const [row, rest] = dumpRows('410a'.repeat(9), `41${'0a41'.repeat(7)}0a`);
  assert.equal(row.ascii, 'A.A.A.A.A.A.A.A.');
  assert.deepEqual(row.differs, Array(16).fill(false));
  assert.deepEqual([rest.offset, rest.bytes, rest.differs], [16, ['41', '0a'], [false, false]]);
  assert.deepEqual(dumpRows('4142', '4143')[0].differs, [false, true]);
});
