/**
 * Generated code for fetches that hit a line which is not its set's most recent one (true LRU): the set is reordered, as
 * Fetch.demote and TagArray.touch do, and the I-line table's entry answers. Everything else about fetches is memory/'s.
 */
import { Counter } from '../../memory/counters';
import { FunctionBuilder, type I32, i32, op32 } from '../../wasm/code';
import type { ModuleBuilder } from '../../wasm/module';
import { addToFront, countOne, markEntries } from './helpers';
import type { DataPathFacts } from './lineCode';
import { TagCode } from './tagCode';

function coreBody(f: FunctionBuilder, facts: DataPathFacts, core: number, toFront: number, granule: I32): void {
  const { plan, config } = facts;
  const { l1i } = config.cores[core];
  const granulesLog2 = 31 - Math.clz32(l1i.lineBytes >> plan.granuleLog2);
  const slots = [plan.l1i[core].slot];
  countOne(f, plan, core, Counter.slowFetches);
  const tags = new TagCode(plan.l1i[core], l1i, { toFront });
  const way = f.let(op32.shrU(granule, i32(granulesLog2)));
  tags.touch(f, tags.firstOf(f, way), way, (before) => {
    countOne(f, plan, core, Counter.fetchPromotions);
    markEntries(f, slots, granulesLog2, before, false);
    markEntries(f, slots, granulesLog2, way, true);
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
    f.if(op32.eq(block, i32(address)), () => coreBody(f, facts, core, toFront, granule));
  });
  m.define(index, f.finish());
  return index;
}
