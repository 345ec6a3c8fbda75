/** The UART's behaviour: FIFO, flags, interrupts, the input queue. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pl011 } from '../../../src/devices/pl011';
import { FakeLine } from './fakes';

const [DR, FR, LCR_H, CR, IFLS, IMSC, RIS, MIS, ICR] = [0, 0x18, 0x2c, 0x30, 0x34, 0x38, 0x3c, 0x40, 0x44];
const [RXFE, RXFF, TXFF, TXFE, BUSY] = [1 << 4, 1 << 6, 1 << 5, 1 << 7, 1 << 3];
const [RX, TX, RT] = [1 << 4, 1 << 5, 1 << 6];

function uart(): { device: Pl011; line: FakeLine; sent: number[] } {
  const line = new FakeLine();
  const sent: number[] = [];
  const device = new Pl011('pl011', 0x0900_0000, { interrupt: line, output: (byte) => void sent.push(byte) });
  return { device, line, sent };
}
const type = (device: Pl011, text: string): void => device.input(Uint8Array.from([...text], (c) => c.charCodeAt(0)));

test('bytes go out at once and transmission never blocks', () => {
  const { device, sent } = uart();
  for (let i = 0; i < 100; i++) {
    assert.equal(device.read(FR, 4) & (TXFF | TXFE | BUSY), TXFE);
    device.write(DR, i % 2 === 0 ? 4 : 1, 0x100 + i);
  }
  assert.deepEqual(
    sent,
    Array.from({ length: 100 }, (_, i) => i),
  );
});

test('typed bytes wait in the queue and pass through a FIFO of 16, or of 1', () => {
  const { device } = uart();
  device.write(LCR_H, 4, 0x70);
  type(device, 'abcdefghijklmnopqrst');
  assert.equal(device.read(FR, 4) & (RXFE | RXFF), RXFF);
  assert.equal(device.peek(DR, 4), 0x61);
  assert.equal(device.pendingInput(), 20);
  assert.equal(device.read(DR, 4), 0x61);
  assert.equal(device.read(FR, 4) & RXFF, RXFF, 'the next byte came in at once');
  for (let i = 1; i < 20; i++) assert.equal(device.read(DR, 4), 0x61 + i);
  assert.equal(device.read(FR, 4) & (RXFE | RXFF), RXFE);
  assert.equal(device.read(DR, 4), 0);
  device.write(LCR_H, 4, 0x60);
  type(device, 'xy');
  assert.equal(device.read(FR, 4) & RXFF, RXFF);
});

test('switching the FIFO off or resetting loses no typed byte', () => {
  const { device } = uart();
  device.write(LCR_H, 4, 0x10);
  type(device, 'abc');
  device.write(LCR_H, 4, 0);
  device.reset();
  device.write(LCR_H, 4, 0x10);
  assert.deepEqual([device.read(DR, 4), device.read(DR, 4), device.read(DR, 4)], [0x61, 0x62, 0x63]);
});

test('receive interrupt at the trigger level, timeout interrupt below it', () => {
  const { device, line } = uart();
  device.write(LCR_H, 4, 0x10);
  device.write(IMSC, 4, RX | RT);
  type(device, 'a');
  assert.equal(device.read(RIS, 4), RT);
  assert.equal(line.level, true);
  device.write(ICR, 4, RT);
  assert.equal(line.level, false, 'cleared until the next byte');
  type(device, 'bcdefgh'); // eight bytes: half, the reset value of RXIFLSEL
  assert.equal(device.read(MIS, 4), RX);
  assert.equal(device.read(DR, 4), 0x61);
  assert.equal(device.read(RIS, 4) & RX, 0);
  while ((device.read(FR, 4) & RXFE) === 0) device.read(DR, 4);
  assert.equal(line.level, false);
  device.write(IFLS, 4, 0);
  type(device, 'yz');
  assert.equal(device.read(RIS, 4), RX);
});

test('a line follows the mask', () => {
  const { device, line } = uart();
  type(device, 'a');
  assert.equal(device.read(RIS, 4), RX, 'a FIFO of one is full');
  assert.equal(line.level, false);
  device.write(IMSC, 4, RX);
  assert.equal(line.level, true);
  device.write(IMSC, 4, 0);
  assert.equal(line.level, false);
});

test('transmit interrupt after a byte, cleared by ICR', () => {
  const { device, line } = uart();
  device.write(IMSC, 4, TX);
  assert.equal(line.level, false);
  device.write(DR, 4, 0x41);
  assert.equal(line.level, true);
  device.write(ICR, 4, TX);
  assert.equal(line.level, false);
});

test('loopback', () => {
  const { device, sent } = uart();
  device.write(CR, 4, 0x381);
  device.write(DR, 4, 0x42);
  assert.deepEqual(sent, []);
  assert.equal(device.read(DR, 4), 0x42);
});

test('a snapshot holds the FIFO, the queue and the line', () => {
  const { device, line } = uart();
  device.write(LCR_H, 4, 0x10);
  device.write(IMSC, 4, RT);
  type(device, 'abcdefghijklmnopqr'.slice(0, 5));
  const state: unknown = JSON.parse(JSON.stringify(device.save()));
  const other = uart();
  other.device.load(state);
  assert.equal(other.line.level, line.level);
  assert.equal(other.device.pendingInput(), 5);
  assert.equal(other.device.read(DR, 4), 0x61);
});
