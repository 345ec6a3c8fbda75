/** Generated code that all cores use: one function each, declared once in a module. */
import { COUNTER_NAMES, type Counter } from '../../memory/counters';
import { TAG_NOT_PLAIN } from '../../memory/layout';
import type { MemoryPlan } from '../../memory/plan';
import { Side } from '../../memory/versions';
import { FunctionBuilder, type I32, i32, load, op32 } from '../../wasm/code';
import { addF64, f64 } from '../../wasm/float';
import type { ModuleBuilder } from '../../wasm/module';

const { add, eq, ne, shl } = op32;
const zero = i32(0);

/** Counts one of a core's slow paths. */
export function countOne(f: FunctionBuilder, plan: MemoryPlan, core: number, counter: Counter): void {
  const at = plan.counters + 8 * (core * COUNTER_NAMES.length + counter);
  f.store('f64', zero, addF64(load.f64(zero, at), f64(1)), at);
}

/**
 * Whether hits on a way are plain, in the tags of all its line table entries: 1 << entriesLog2 in each of the tables of entry
 * addresses at `slots`.
 */
export function markEntries(
  f: FunctionBuilder,
  slots: readonly number[],
  entriesLog2: number,
  way: I32,
  plain: boolean,
): void {
  const at = f.let(shl(way, i32(2 + entriesLog2)));
  for (let n = 0; n < 1 << entriesLog2; n++)
    for (const table of slots) {
      const entry = f.let(load.i32(at, table + 4 * n));
      const tag = load.i32(entry);
      const marked = plain ? op32.and(tag, i32(~TAG_NOT_PLAIN)) : op32.or(tag, i32(TAG_NOT_PLAIN));
      f.if(entry, () => f.store('i32', entry, marked));
    }
}

export interface Helpers {
  /** (address of a set's order list, way in set): to the front. Returns the one that was there, -1 if it is the same. */
  readonly toFront: number;
  /** (to, from): copies one unit. */
  readonly copyUnit: number;
  /** (unit, side word): Versions.keep. */
  readonly keep: number;
}

function toFrontBody(): number[] {
  const f = new FunctionBuilder(['i32', 'i32']);
  const list = f.param(0, 'i32');
  const way = f.param(1, 'i32');
  const before = f.let(load.u8(list));
  f.if(eq(before, way), () => f.return(i32(-1)));
  const carried = f.let(way);
  const here = f.let(zero);
  f.loop((again) => {
    f.set(here, load.u8(list));
    f.store('i32as8', list, carried);
    f.set(carried, here);
    f.set(list, add(list, i32(1)));
    again(ne(here, way));
  });
  f.return(before);
  return f.finish();
}

function copyUnitBody(unitBytes: number): number[] {
  const f = new FunctionBuilder(['i32', 'i32']);
  const [to, from] = [f.param(0, 'i32'), f.param(1, 'i32')];
  for (let at = 0; at < unitBytes; at += 8) f.store('i64', to, load.i64(from, at), at);
  return f.finish();
}

function keepBody(plan: MemoryPlan): number[] {
  const f = new FunctionBuilder(['i32', 'i32']);
  const unit4 = f.let(shl(f.param(0, 'i32'), i32(2)));
  const side = f.param(1, 'i32');
  f.if(op32.gtU(side, i32(Side.Record)), () => {
    f.store('i32', unit4, side, plan.side);
    f.leave();
  });
  f.store('i32', unit4, zero, plan.side);
  const free = f.let(add(load.i32(zero, plan.recordFree), i32(1)));
  f.store('i32', zero, free, plan.recordFree);
  f.store('i32', shl(free, i32(2)), side, plan.recordFree);
  return f.finish();
}

/** Adds the function of the order lists alone. */
export function addToFront(m: ModuleBuilder): number {
  const index = m.declare({ params: ['i32', 'i32'], results: ['i32'] });
  m.define(index, toFrontBody());
  return index;
}

export function addHelpers(m: ModuleBuilder, plan: MemoryPlan): Helpers {
  const helper = (body: number[], results: 0 | 1): number => {
    const index = m.declare({ params: ['i32', 'i32'], results: results === 1 ? ['i32'] : [] });
    m.define(index, body);
    return index;
  };
  return {
    toFront: addToFront(m),
    copyUnit: helper(copyUnitBody(1 << plan.unitLog2), 0),
    keep: helper(keepBody(plan), 0),
  };
}
