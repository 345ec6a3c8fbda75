/** The GPIO block: random accesses as QEMU answers them, and the power key's edges as a driver sees them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { Pl061 } from '../../../src/devices/pl061';
import { virtMap } from '../../../src/devices/virtBoard';
import { FakeLine } from './fakes';
import { hasQemu, onQemu, type RegisterAccess } from './qtest';

const BASE = virtMap.gpio.base;
const DIR = 0x400;
const IS = 0x404;
const IBE = 0x408;
const IEV = 0x40c;
const IE = 0x410;
const RIS = 0x414;
const MIS = 0x418;
const IC = 0x41c;

function randomAccesses(seed: number, count: number): RegisterAccess[] {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(seed);
  // Not GPIOIS: QEMU remembers levels until they are cleared, which the manual says of edges only.
  const offsets = [DIR, IBE, IEV, IE, RIS, MIS, IC, 0xfe0, 0xfe4, 0xff0, 0xffc];
  return Array.from({ length: count }, () => {
    const at = BASE + (random.below(3) === 0 ? random.below(256) * 4 : offsets[random.below(offsets.length)]);
    return random.below(2) === 0 ? { at, size: 4 } : { at, size: 4, value: random.below(256) };
  });
}

test('random accesses as on QEMU', { skip: hasQemu ? false : 'QEMU is not installed' }, async () => {
  const accesses = randomAccesses(3, 1500);
  const theirs = await onQemu(accesses);
  const gpio = new Pl061('gpio', BASE, new FakeLine());
  const wrong = accesses.flatMap(({ at, value }, i) => {
    if (value !== undefined) {
      gpio.write(at - BASE, 4, value);
      return [];
    }
    const mine = gpio.read(at - BASE, 4);
    return mine === theirs[i] ? [] : [`${i}: ${(at - BASE).toString(16)} ${mine} ${theirs[i]}`];
  });
  assert.deepEqual(wrong, []);
});

const PIN = 1 << 3;
interface Bench {
  readonly gpio: Pl061;
  readonly line: FakeLine;
}
function bench(): Bench {
  const line = new FakeLine();
  return { gpio: new Pl061('gpio', BASE, line), line };
}

test('an edge is remembered until it is cleared', () => {
  const { gpio, line } = bench();
  gpio.write(IBE, 4, PIN);
  gpio.write(IE, 4, PIN);
  gpio.setPin(3, true);
  assert.equal(line.level, true);
  assert.equal(gpio.read(PIN << 2, 4), PIN, 'the pin reads high');
  assert.equal(gpio.read(4 << 2, 4), 0, 'not through another mask');
  gpio.write(IC, 4, PIN);
  assert.equal(line.level, false);
  gpio.setPin(3, true);
  assert.equal(line.level, false, 'no edge');
  gpio.setPin(3, false);
  assert.deepEqual([line.level, gpio.read(RIS, 4), gpio.read(MIS, 4)], [true, PIN, PIN]);
});

test('one edge, or a level', () => {
  const { gpio, line } = bench();
  gpio.write(IE, 4, PIN);
  gpio.setPin(3, true);
  assert.equal(line.level, false, 'falling edges only');
  gpio.setPin(3, false);
  assert.equal(line.level, true);
  gpio.write(IS, 4, PIN);
  gpio.write(IEV, 4, PIN);
  assert.equal(line.level, false, 'low, and the edge is forgotten');
  gpio.setPin(3, true);
  gpio.write(IC, 4, PIN);
  assert.equal(line.level, true, 'levels cannot be cleared');
  const other = bench();
  other.gpio.load(JSON.parse(JSON.stringify(gpio.save())));
  assert.equal(other.line.level, true);
  gpio.reset();
  assert.deepEqual([line.level, gpio.read(PIN << 2, 4)], [false, PIN], 'the key is still held');
});

test('outputs read what was written, inputs the pin', () => {
  const { gpio } = bench();
  gpio.write(DIR, 4, 0x0f);
  gpio.write(0xff << 2, 4, 0xff);
  assert.equal(gpio.read(0xff << 2, 4), 0x0f);
  gpio.write(0x03 << 2, 4, 0);
  assert.equal(gpio.read(0xff << 2, 4), 0x0c);
});
