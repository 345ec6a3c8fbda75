/**
 * Generated code for fetches that hit a line which is not its set's most recent one (true LRU): the set is reordered, as
 * Fetch.demote and TagArray.touch do, and the I-line table's entry answers. Everything else about fetches is memory/'s.
 */
import { isPowerOfTwo } from '../../base/bits';
import { COUNTER_NAMES, Counter } from '../../memory/counters';
import { TAG_NOT_PLAIN } from '../../memory/layout';
import { FunctionBuilder, type I32, i32, load, op32 } from '../../wasm/code';
import { addF64, f64 } from '../../wasm/float';
import type { ModuleBuilder } from '../../wasm/module';
import { addToFront } from './helpers';
import type { DataPathFacts } from './lineCode';
import { TagCode } from './tagCode';

const { and, eq, or, remU, shl, shrU, sub } = op32;
const zero = i32(0);

/** Clears or sets a bit in the tags of the entries of a way's granules. */
function mark(f: FunctionBuilder, slots: number, way: I32, granulesLog2: number, plain: boolean): void {
  const at = f.let(shl(way, i32(2 + granulesLog2)));
  for (let granule = 0; granule < 1 << granulesLog2; granule++) {
    const entry = f.let(load.i32(at, slots + 4 * granule));
    const tag = load.i32(entry);
    f.if(entry, () => f.store('i32', entry, plain ? and(tag, i32(~TAG_NOT_PLAIN)) : or(tag, i32(TAG_NOT_PLAIN))));
  }
}

function coreBody(f: FunctionBuilder, facts: DataPathFacts, core: number, toFront: number, granule: I32): void {
  const { plan, config } = facts;
  const { l1i } = config.cores[core];
  const granulesLog2 = 31 - Math.clz32(l1i.lineBytes >> plan.granuleLog2);
  const count = (counter: Counter): void => {
    const at = plan.counters + 8 * (core * COUNTER_NAMES.length + counter);
    f.store('f64', zero, addF64(load.f64(zero, at), f64(1)), at);
  };
  count(Counter.slowFetches);
  const way = f.let(shrU(granule, i32(granulesLog2)));
  const inSet = isPowerOfTwo(l1i.ways) ? and(way, i32(l1i.ways - 1)) : remU(way, i32(l1i.ways));
  new TagCode(plan.l1i[core], l1i, { toFront }).touch(f, f.let(sub(way, inSet)), way, (before) => {
    count(Counter.fetchPromotions);
    mark(f, plan.l1i[core].slot, before, granulesLog2, false);
    mark(f, plan.l1i[core].slot, way, granulesLog2, true);
  });
}

/** Adds a function (core block, I-cache granule) -> nothing. */
export function addFetchPath(m: ModuleBuilder, facts: DataPathFacts): number {
  const toFront = addToFront(m);
  const index = m.declare({ params: ['i32', 'i32'], results: [] });
  const f = new FunctionBuilder(['i32', 'i32']);
  const [block, granule] = [f.param(0, 'i32'), f.param(1, 'i32')];
  facts.blocks.forEach((address, core) => {
    if (facts.config.cores[core].l1i.replacement !== 'lru') return;
    f.if(eq(block, i32(address)), () => coreBody(f, facts, core, toFront, granule));
  });
  m.define(index, f.finish());
  return index;
}
