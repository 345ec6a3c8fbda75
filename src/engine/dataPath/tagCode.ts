/** A tag array in generated code: what memory/tags.ts does, with the set's ways unrolled. */
import { isPowerOfTwo } from '../../base/bits';
import type { TagPlan } from '../../memory/plan';
import { NO_LINE } from '../../memory/tags';
import type { CacheGeometry } from '../../memory/types';
import { type FunctionBuilder, type I32, i32, type Local, load, op32, select } from '../../wasm/code';
import type { Helpers } from './helpers';

const { add, and, eq, eqz, geS, shl, shrU, sub, xor } = op32;
const zero = i32(0);

export class TagCode {
  readonly ordered: boolean;
  readonly isLru: boolean;
  constructor(
    private readonly plan: TagPlan,
    private readonly g: CacheGeometry,
    private readonly helpers: Pick<Helpers, 'toFront'>,
  ) {
    this.ordered = g.replacement !== 'random';
    this.isLru = g.replacement === 'lru';
  }

  /** First way of a line's set. */
  first(f: FunctionBuilder, line: I32): Local<'i32'> {
    return f.let(op32.mul(and(line, i32(this.g.sets - 1)), i32(this.g.ways)));
  }

  /** First way of the set that a way is in. */
  firstOf(f: FunctionBuilder, way: I32): Local<'i32'> {
    const { ways } = this.g;
    return f.let(sub(way, isPowerOfTwo(ways) ? and(way, i32(ways - 1)) : op32.remU(way, i32(ways))));
  }

  /** The first of the set's ways whose tag is `line`, -1 if there is none. */
  find(f: FunctionBuilder, first: I32, line: I32): Local<'i32'> {
    const way = f.let(i32(-1));
    const first4 = f.let(shl(first, i32(2)));
    for (let w = this.g.ways - 1; w >= 0; w--)
      f.set(way, select(eq(load.i32(first4, this.plan.tag + 4 * w), line), add(first, i32(w)), way));
    return way;
  }

  tag(way: I32): I32 {
    return load.i32(shl(way, i32(2)), this.plan.tag);
  }

  /** The way to fill next. `commit` stores what that changes: nothing else was touched before. */
  victim(f: FunctionBuilder, first: I32): { readonly way: Local<'i32'>; readonly commit: () => void } {
    const { plan, g } = this;
    const set = f.let(op32.divU(first, i32(g.ways)));
    const way = f.let(i32(-1));
    f.if(eqz(load.u8(set, plan.full)), () => f.set(way, this.find(f, first, i32(NO_LINE))));
    const full = f.let(op32.ltS(way, zero));
    const next = f.let(zero);
    f.if(full, () => {
      if (this.ordered) f.set(way, add(first, load.u8(first, plan.order + g.ways - 1)));
      else {
        f.set(next, load.i32(zero, plan.random));
        f.set(next, xor(next, shl(next, i32(13))));
        f.set(next, xor(next, shrU(next, i32(17))));
        f.set(next, xor(next, shl(next, i32(5))));
        f.set(way, add(first, isPowerOfTwo(g.ways) ? and(next, i32(g.ways - 1)) : op32.remU(next, i32(g.ways))));
      }
    });
    const commit = (): void => {
      f.if(full, () => {
        f.store('i32as8', set, i32(1), plan.full);
        if (!this.ordered) f.store('i32', zero, next, plan.random);
      });
    };
    return { way, commit };
  }

  /** Moves a way to the front of its set; the one that was there before, in the whole cache, goes to `then` (true LRU only). */
  toFront(f: FunctionBuilder, first: I32, way: I32, then?: (before: Local<'i32'>) => void): void {
    if (!this.ordered) return;
    const before = f.let(f.call(this.helpers.toFront, 'i32', add(first, i32(this.plan.order)), sub(way, first)));
    if (this.isLru && then) f.if(geS(before, zero), () => then(f.let(add(first, before))));
  }

  /** A hit. */
  touch(f: FunctionBuilder, first: I32, way: I32, then?: (before: Local<'i32'>) => void): void {
    if (this.isLru) this.toFront(f, first, way, then);
  }

  insert(f: FunctionBuilder, first: I32, way: I32, line: I32, then?: (before: Local<'i32'>) => void): void {
    f.store('i32', shl(way, i32(2)), line, this.plan.tag);
    this.toFront(f, first, way, then);
  }
}
