/**
 * The routines of pointer authentication. The algorithm: the published vector of QARMA-64 with five rounds and its third S-box
 * (Avanzi, "The QARMA Block Cipher Family", appendix). What is made of its result: the manual's AddPAC() and Auth(), written down
 * bit by bit.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PauthFlag } from '../../../src/arch/pointerAuthentication';
import { SeededRandom } from '../../../src/base/random';
import { routineModule } from '../../../src/engine/laterCode';

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
const { module } = routineModule(1, ['computePac', 'addPac', 'authenticate']);
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module as BufferSource), { env: { memory } });
type Call = (...args: (number | bigint)[]) => bigint;
const routine = (name: string): Call => {
  const call = exports[`routine.${name}`] as Call;
  return (...args) =>
    BigInt.asUintN(64, call(0, ...args.map((a) => (typeof a === 'bigint' ? BigInt.asIntN(64, a) : a))));
};
const computePac = routine('computePac');
const addPac = routine('addPac');
const authenticate = routine('authenticate');

const W0 = 0x84be85ce9804e94bn;
const K0 = 0xec2802d4e0a488e9n;
const TWEAK = 0x477d469dec0b8762n;

test('QARMA5 gives the published result', () => {
  assert.equal(computePac(0xfb623599da6e8127n, TWEAK, W0, K0, 0).toString(16), 'c003b93999b33765');
});

test('the own algorithm depends on every bit of pointer, modifier and key', () => {
  const inputs = [0xfb623599da6e8127n, TWEAK, W0, K0];
  const seen = new Set([computePac(...inputs, PauthFlag.IMP)]);
  for (let i = 0; i < 4; i++)
    for (let bit = 0n; bit < 64n; bit++)
      seen.add(computePac(...inputs.map((v, at) => (at === i ? v ^ (1n << bit) : v)), PauthFlag.IMP));
  assert.equal(seen.size, 257);
  assert.notEqual(computePac(...inputs, PauthFlag.IMP), computePac(...inputs, 0));
});

interface Layout {
  readonly tbi: boolean;
  readonly bottom: number;
}
const bit = (v: bigint, n: number): boolean => ((v >> BigInt(n)) & 1n) === 1n;
/** Bits [hi:lo]. */
const field = (hi: number, lo: number): bigint => ((1n << BigInt(hi + 1)) - 1n) & ~((1n << BigInt(lo)) - 1n);
const maskOf = ({ tbi, bottom }: Layout): bigint => field(tbi ? 55 : 63, bottom);
const LEVELS = [0, PauthFlag.EPAC, PauthFlag.PAuth2] as const;

/** AddPAC() for a regime whose ranges have the same layout. */
function expectedAdd(pointer: bigint, { tbi, bottom }: Layout, level: number): bigint {
  const top = tbi ? 55 : 63;
  const selected = bit(pointer, top);
  const all = field(top, bottom);
  const good = selected ? pointer | all : pointer & ~all;
  let code = computePac(good, TWEAK, W0, K0, 0);
  if ((pointer & all) !== 0n && (pointer & all) !== all) {
    if (level === PauthFlag.EPAC) code = 0n;
    else if (level === 0) code ^= 1n << BigInt(top - 1);
  }
  const codeBits = field(54, bottom) | (tbi ? 0n : field(63, 56));
  const placed = level === PauthFlag.PAuth2 ? (pointer ^ code) & codeBits : code & codeBits;
  return (pointer & ~all) | placed | (selected ? 1n << 55n : 0n);
}

/** Auth() with an A key. */
function expectedAuth(pointer: bigint, { tbi, bottom }: Layout, level: number): bigint {
  const upper = bit(pointer, 55);
  const all = field(tbi ? 55 : 63, bottom);
  const original = upper ? pointer | all : pointer & ~all;
  const codeBits = field(54, bottom) | (tbi ? 0n : field(63, 56));
  const code = computePac(original, TWEAK, W0, K0, 0) & codeBits;
  if (level === PauthFlag.PAuth2) return pointer ^ code;
  if (code === (pointer & codeBits)) return original;
  const at = tbi ? 53n : 61n;
  return (original & ~(3n << at)) | (1n << at);
}

const random = new SeededRandom(new Uint32Array(1));
random.seed(7);
const next64 = (): bigint => (BigInt(random.next()) << 32n) | BigInt(random.next());

for (const tbi of [false, true])
  for (const bottom of [25, 32, 39, 48])
    for (const level of LEVELS)
      test(`tags ${tbi}, addresses of ${bottom} bits, features ${level}: as the pseudocode`, () => {
        const layout = { tbi, bottom };
        const mask = maskOf(layout);
        for (let i = 0; i < 200; i++) {
          const canonical = random.below(2) ? next64() & ~mask : next64() | mask;
          const pointer = i % 2 ? canonical : next64();
          const added = addPac(pointer, TWEAK, W0, K0, level, mask, mask, tbi ? 55 : 63);
          assert.equal(added, expectedAdd(pointer, layout, level), pointer.toString(16));
          if (i % 2) assert.equal(authenticate(added, TWEAK, W0, K0, level, mask, 1n), pointer);
          const wrong = added ^ (1n << BigInt(random.below(55)));
          assert.equal(authenticate(wrong, TWEAK, W0, K0, level, mask, 1n), expectedAuth(wrong, layout, level));
        }
      });

test('the lower and upper range may differ: bit 55 or 63 chooses', () => {
  const [low, high] = [maskOf({ tbi: true, bottom: 39 }), maskOf({ tbi: false, bottom: 48 })];
  const pointer = 0x0080_0000_1234_5678n;
  const by55 = addPac(pointer, TWEAK, W0, K0, 0, low, high, 55);
  assert.equal(by55 & ~high, pointer & ~high);
  assert.ok(bit(by55, 55));
  const by63 = addPac(pointer, TWEAK, W0, K0, 0, low, low, 63);
  assert.ok(!bit(by63, 55));
});
