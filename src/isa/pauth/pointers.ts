/**
 * AddPAC(), Auth() and Strip() as routines of generated code. `mask` has a one where the code of a pointer stands and in bit 55
 * between; without its code a pointer has copies of bit 55 there.
 */
import { PauthFlag } from '../../arch/pointerAuthentication';
import {
  extendU,
  FunctionBuilder,
  type I32,
  type I64,
  i32,
  i64,
  type Local,
  op32,
  op64,
  select,
} from '../../wasm/code';
import type { Routine } from '../fp';
import { computePac } from './qarma';

const BIT55 = 1n << 55n;
const TOP = 1n << 63n;
const { and, eqz, ne, or, shl, shrU, xor } = op64;
const not = (v: I64): I64 => xor(v, i64(-1));

/** The pointer with ones or zeros all over the mask. */
export const extended = (pointer: I64, mask: I64, upper: I32): I64 =>
  select(upper, or(pointer, mask), and(pointer, not(mask)));

/** (core, pointer, modifier, key high, key low, flags, mask of the low range, of the high range, bit that tells them apart). */
const addParams = ['i32', 'i64', 'i64', 'i64', 'i64', 'i32', 'i64', 'i64', 'i32'] as const;

const has = (flags: I32, flag: number): I32 => op32.and(flags, i32(flag));

const addPac: Routine = {
  params: addParams,
  result: 'i64',
  body: (_state, index) => {
    const f = new FunctionBuilder(addParams);
    const [pointer, modifier, key0, key1] = [1, 2, 3, 4].map((i) => f.param(i, 'i64'));
    const flags = f.param(5, 'i32');
    const selector = and(shrU(pointer, extendU(f.param(8, 'i32'))), i64(1));
    const upper = f.let(op64.ne(selector, i64(0)));
    const mask = f.let(select(upper, f.param(7, 'i64'), f.param(6, 'i64')));
    const good = f.let(extended(pointer, mask, upper));
    const code = f.let(f.call(index('computePac'), 'i64', f.param(0, 'i32'), good, modifier, key0, key1, flags));
    const there = f.let(and(pointer, mask));
    const bad = op32.and(ne(there, i64(0)), ne(there, mask));
    f.if(
      has(flags, PauthFlag.PAuth2),
      () => f.set(code, xor(code, pointer)),
      () =>
        f.if(bad, () =>
          f.if(
            has(flags, PauthFlag.EPAC),
            () => f.set(code, i64(0)),
            // The bit below the topmost one of the mask.
            () => f.set(code, xor(code, select(op64.ltS(mask, i64(0)), i64(TOP >> 1n), i64(BIT55 >> 1n)))),
          ),
        ),
    );
    const placed = and(code, and(mask, i64(~BIT55)));
    const base = and(pointer, not(mask));
    f.return(or(or(base, placed), select(upper, i64(BIT55), i64(0))));
    return f.finish();
  },
};

/** (core, pointer, modifier, key high, key low, flags, mask of the pointer's range, error code). */
const authParams = ['i32', 'i64', 'i64', 'i64', 'i64', 'i32', 'i64', 'i64'] as const;

const authenticate: Routine = {
  params: authParams,
  result: 'i64',
  body: (_state, index) => {
    const f = new FunctionBuilder(authParams);
    const [pointer, modifier, key0, key1] = [1, 2, 3, 4].map((i) => f.param(i, 'i64'));
    const flags = f.param(5, 'i32');
    const mask: Local<'i64'> = f.param(6, 'i64');
    const upper = f.let(ne(and(pointer, i64(BIT55)), i64(0)));
    const original = f.let(extended(pointer, mask, upper));
    const code = f.let(f.call(index('computePac'), 'i64', f.param(0, 'i32'), original, modifier, key0, key1, flags));
    f.set(code, and(code, and(mask, i64(~BIT55))));
    f.if(has(flags, PauthFlag.PAuth2), () => f.return(xor(pointer, code)));
    f.if(eqz(and(xor(code, pointer), and(mask, i64(~BIT55)))), () => f.return(original));
    // Where authentication fails, two bits below the sign tell which key it was.
    const at = f.let(select(op64.ltS(mask, i64(0)), i64(61), i64(53)));
    f.return(or(and(original, not(shl(i64(3), at))), shl(f.param(7, 'i64'), at)));
    return f.finish();
  },
};

export const pauthRoutines: Readonly<Record<string, Routine>> = { computePac, addPac, authenticate };
