/** The real-time clock: guest time from a fixed date, load, match. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pl031, RTC_START_SECONDS } from '../../../src/devices/pl031';
import { FakeClock, FakeLine } from './fakes';

const [DR, MR, LR, IMSC, RIS, MIS, ICR] = [0, 4, 8, 0x10, 0x14, 0x18, 0x1c];
const SECOND = 1e9;

function rtc(): { device: Pl031; line: FakeLine; clock: FakeClock } {
  const line = new FakeLine();
  const clock = new FakeClock();
  return { device: new Pl031('rtc', 0x0901_0000, clock, line), line, clock };
}

test('it starts on 2024-01-01 and counts guest seconds', () => {
  const { device, clock } = rtc();
  assert.equal(RTC_START_SECONDS, Date.UTC(2024, 0, 1) / 1000);
  assert.equal(device.read(DR, 4), RTC_START_SECONDS);
  clock.advance(2.5 * SECOND);
  assert.equal(device.peek(DR, 4), RTC_START_SECONDS + 2);
  device.write(LR, 4, 100);
  clock.advance(1.5 * SECOND);
  assert.equal(device.read(DR, 4), 102);
});

test('the match raises the interrupt once, when the count gets there', () => {
  const { device, line, clock } = rtc();
  device.write(IMSC, 4, 1);
  device.write(MR, 4, RTC_START_SECONDS + 3);
  clock.advance(2.9 * SECOND);
  assert.equal(line.level, false);
  clock.advance(0.1 * SECOND);
  assert.equal(line.level, true);
  assert.deepEqual([device.read(RIS, 4), device.read(MIS, 4)], [1, 1]);
  device.write(ICR, 4, 1);
  assert.equal(line.level, false);
  clock.advance(10 * SECOND);
  assert.equal(line.level, false);
  device.write(MR, 4, device.read(DR, 4));
  assert.equal(line.level, true, 'equal already');
});

test('an alarm survives a snapshot', () => {
  const { device } = rtc();
  device.write(IMSC, 4, 1);
  device.write(MR, 4, RTC_START_SECONDS + 5);
  const other = rtc();
  other.device.load(JSON.parse(JSON.stringify(device.save())));
  other.clock.advance(5 * SECOND);
  assert.equal(other.line.level, true);
});
