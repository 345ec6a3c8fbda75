/** Generated code of one core about lines of its L1D: directory and side words, line table entries, clean to dirty. */
import { coreLayout } from '../../cpu/layout';
import { Counter } from '../../memory/counters';
import { EMPTY_TAG_BYTE, entryField, LINE_ENTRY_BYTES, LINE_TABLE_ENTRIES, TAG_EMPTY } from '../../memory/layout';
import type { MemoryPlan } from '../../memory/plan';
import { Dir } from '../../memory/shared';
import type { MemoryConfig } from '../../memory/types';
import { Side } from '../../memory/versions';
import { FunctionBuilder, type I32, i32, type Local, load, op32, select } from '../../wasm/code';
import { addF64, f64 } from '../../wasm/float';
import type { ModuleBuilder } from '../../wasm/module';
import { countOne, type Helpers, markEntries } from './helpers';
import { TagCode } from './tagCode';

const { add, and, eqz, ne, or, shl, shrU, sub, xor } = op32;
const EMPTY_TAG = EMPTY_TAG_BYTE * 0x01010101;
const zero = i32(0);
export const field = (name: keyof typeof coreLayout): number => coreLayout[name][0];

/** What the code is made for. */
export interface DataPathFacts {
  readonly plan: MemoryPlan;
  readonly config: MemoryConfig;
  /** StoreEffects.noStoreEntry. */
  readonly noStoreEntry: number;
  /** Addresses of the cores' state blocks. */
  readonly blocks: readonly number[];
}

/** Functions (record, core block, address low, high, descriptor) -> exit code, and others that return nothing. */
export interface Outside {
  readonly load: number;
  readonly store: number;
  /** (record, core block): the penalty limit was passed: the end of the run may have come nearer. */
  readonly look: number;
  /** (unit): MemorySystem.viewChanged; called under a checker only. */
  readonly viewChanged: number;
}

/** The functions of one core. */
export class LineCode {
  protected readonly l1: TagCode;
  protected readonly mine: number;
  protected readonly units: number;
  protected readonly unitsLog2: number;

  constructor(
    private readonly m: ModuleBuilder,
    protected readonly facts: DataPathFacts,
    protected readonly core: number,
    protected readonly helpers: Helpers,
    protected readonly outside: Outside,
  ) {
    const { plan, config } = facts;
    const { l1d } = config.cores[core];
    this.l1 = new TagCode(plan.l1d[core], l1d, helpers);
    this.mine = 1 << core;
    this.units = l1d.lineBytes >> plan.unitLog2;
    this.unitsLog2 = 31 - Math.clz32(this.units);
  }

  /** Declares and defines a function of words. */
  protected function(params: number, results: 0 | 1, body: (f: FunctionBuilder, ...p: Local<'i32'>[]) => void): number {
    const types = new Array<'i32'>(params).fill('i32');
    const index = this.m.declare({ params: types, results: results === 1 ? ['i32'] : [] });
    const f = new FunctionBuilder(types);
    body(f, ...types.map((type, i) => f.param(i, type)));
    this.m.define(index, f.finish());
    return index;
  }

  protected count(f: FunctionBuilder, counter: Counter): void {
    countOne(f, this.facts.plan, this.core, counter);
  }
  protected penalty(f: FunctionBuilder, cycles: number): void {
    const at = this.facts.blocks[this.core] + field('penalty');
    if (cycles !== 0) f.store('f64', zero, addF64(load.f64(zero, at), f64(cycles)), at);
  }
  protected dir(unit: I32): I32 {
    return load.i32(shl(unit, i32(2)), this.facts.plan.directory);
  }
  protected setDir(f: FunctionBuilder, unit: I32, value: I32): void {
    f.store('i32', shl(unit, i32(2)), value, this.facts.plan.directory);
  }
  protected side(unit: I32): I32 {
    return load.i32(shl(unit, i32(2)), this.facts.plan.side);
  }
  protected setSide(f: FunctionBuilder, unit: I32, value: I32): void {
    f.store('i32', shl(unit, i32(2)), value, this.facts.plan.side);
  }
  protected hostOf(unit: I32): I32 {
    return add(shl(unit, i32(this.facts.plan.unitLog2)), i32(this.facts.plan.ram));
  }
  /** Address of a record's half; `half` is 0 or 1. */
  protected half(side: I32, half: I32): I32 {
    const index = add(shl(and(side, i32(Side.Record)), i32(1)), half);
    return add(shl(index, i32(this.facts.plan.unitLog2)), i32(this.facts.plan.recordBytes));
  }
  protected copy(f: FunctionBuilder, to: I32, from: I32): void {
    f.callVoid(this.helpers.copyUnit, to, from);
  }

  /** Whether hits on a way are plain, in the tags of all its entries. */
  protected mark(f: FunctionBuilder, way: I32, plain: boolean): void {
    const { loadSlot, storeSlot } = this.facts.plan.l1d[this.core];
    markEntries(f, [loadSlot, storeSlot], this.unitsLog2, way, plain);
  }

  /** (way): a hit, which may reorder its set (DataCaches.hit). */
  protected hit(): number {
    return this.function(1, 0, (f, way) => {
      this.l1.touch(f, this.l1.firstOf(f, way), way, (before) => {
        this.count(f, Counter.promotions);
        this.mark(f, before, false);
        this.mark(f, way, true);
      });
    });
  }

  protected empty(f: FunctionBuilder, entry: I32): void {
    f.store('i32', entry, i32(EMPTY_TAG), entryField.tag);
    f.store('i32', entry, i32(EMPTY_TAG), entryField.tag + 4);
  }

  /** The view of a unit, whose directory word is `d`, was replaced (DataCaches.changed). */
  protected viewChanged(f: FunctionBuilder, unit: I32, d: I32): void {
    if (this.facts.config.checker === 'off') return;
    f.if(and(d, i32(Dir.L1I)), () => f.callVoid(this.outside.viewChanged, unit));
  }

  /** clean to dirty, before the view is written (DataCaches.makeDirty). */
  protected makeDirty(f: FunctionBuilder, unit: I32): void {
    const { plan } = this.facts;
    const d = f.let(this.dir(unit));
    f.if(eqz(and(d, i32(Dir.L1Dirty))), () => {
      this.count(f, Counter.dirtyings);
      this.setDir(f, unit, or(d, i32(Dir.L1Dirty)));
      const side = f.let(this.side(unit));
      f.if(eqz(side), () => {
        const free = f.let(load.i32(zero, plan.recordFree));
        f.if(eqz(free), () => f.unreachable());
        f.store('i32', zero, sub(free, i32(1)), plan.recordFree);
        f.set(side, load.i32(shl(free, i32(2)), plan.recordFree));
      });
      f.if(eqz(and(side, i32(Side.HasP))), () => {
        const otherHalf = xor(shrU(and(side, i32(Side.HalfC)), i32(Side.HalfCShift)), i32(1));
        const half = f.let(select(and(side, i32(Side.HasC)), otherHalf, zero));
        this.copy(f, this.half(side, half), this.hostOf(unit));
        this.setSide(f, unit, or(or(side, i32(Side.HasP)), shl(half, i32(Side.HalfPShift))));
      });
    });
  }

  /** The access's entry in the line table (LineTables.install; its page's note told the TLB entry already). */
  protected install(f: FunctionBuilder, isStore: boolean, low: I32, high: I32, unit: I32, way: I32): void {
    const { plan, blocks } = this.facts;
    const slots = isStore ? plan.l1d[this.core].storeSlot : plan.l1d[this.core].loadSlot;
    const block = i32(blocks[this.core]);
    const index = and(shrU(low, i32(plan.unitLog2 - 4)), i32((LINE_TABLE_ENTRIES - 1) * LINE_ENTRY_BYTES));
    const entry = f.let(add(load.i32(block, field(isStore ? 'storeTable' : 'loadTable')), index));
    const way4 = f.let(shl(way, i32(2)));
    const old = f.let(load.i32(way4, slots));
    f.if(ne(old, entry), () => {
      f.if(old, () => this.empty(f, old));
      f.if(eqz(and(load.i32(entry), i32(TAG_EMPTY))), () =>
        f.store('i32', shl(load.i32(entry, entryField.way), i32(2)), zero, slots),
      );
      f.store('i32', way4, entry, slots);
    });
    f.store('i32', entry, and(low, i32(-(1 << plan.unitLog2))), entryField.tag);
    f.store('i32', entry, high, entryField.tag + 4);
    f.store('i32', entry, this.hostOf(unit), entryField.host);
    f.store('i32', entry, way, entryField.way);
  }
}
