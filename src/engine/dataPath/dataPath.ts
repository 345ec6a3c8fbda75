/**
 * Generated code for what memory/ does on most L1D misses: the page is known (memory/recentPages.ts), the line comes from the
 * outer cache or memory, a victim goes and is written back, a clean line becomes dirty, the line table gets its entry. It is
 * the same as DataAccess, DataCaches and Versions do, step by step on the same linear memory, with all addresses constants.
 *
 * Whatever is rarer (other cores' copies, watched units, monitors, DIC, uncached memory, faults, two lines at once) is left to
 * memory/: a function that returns 0 or -1 has changed nothing. There is no such code for cores whose lines are not one
 * coherence unit; then only hits that reorder their set are answered here.
 *
 * A coherence checker in actual mode has nothing to say of loads, but wants to know when a line that goes lets other bytes be
 * seen which an I-cache may hold. Stores that it has to hear of are left to memory/ (memory/notedWrites.ts).
 */
import { Counter } from '../../memory/counters';
import {
  entryField,
  LINE_ENTRY_BYTES,
  LINE_TABLE_ENTRIES,
  PAGE_ENTRIES,
  PAGE_ENTRY_BYTES,
  RECORD_BYTES,
  TAG_NOT_PLAIN,
} from '../../memory/layout';
import { PageUse } from '../../memory/recentPages';
import { Dir } from '../../memory/shared';
import { FunctionBuilder, type I32, i32, load, op32 } from '../../wasm/code';
import { addF64, fromInteger, geF64 } from '../../wasm/float';
import type { FunctionType, ModuleBuilder } from '../../wasm/module';
import { addHelpers } from './helpers';
import { type DataPathFacts, field, type Outside } from './lineCode';
import { MissCode } from './missCode';
import { TagCode } from './tagCode';

export type { DataPathFacts, Outside };

const { add, and, eq, eqz, ne, or, shl, shrU, sub, xor } = op32;
const PAGE_MASK = 4095;
const zero = i32(0);

class CorePath extends MissCode {
  /** Whether memory/ has to do this access after all: see the file head. */
  private refused(isStore: boolean, d: I32): I32 {
    const { noStoreEntry, blocks } = this.facts;
    if (!isStore) {
      const dirtyElsewhere = eq(and(d, i32(Dir.L1Dirty | this.mine)), i32(Dir.L1Dirty));
      return or(and(d, i32(Dir.Watch)), dirtyElsewhere);
    }
    const monitors = blocks.filter((_, other) => other !== this.core).map((b) => load.i32(zero, b + field('monitor')));
    const shared = and(d, i32(noStoreEntry | (Dir.L1D & ~this.mine)));
    return monitors.reduce((any, armed) => or(any, armed), shared);
  }

  /** Whether the checker has to hear of a store to some piece of a unit (NotedWrites.has). */
  private isNews(unit: I32): I32 {
    const { noted, unitLog2 } = this.facts.plan;
    const log2 = unitLog2 - noted.pieceLog2;
    if (this.timed && log2 > 0) return i32(1); // which piece's time it is would have to be found
    const mark = add(load.i32(zero, noted.epoch), i32(this.core));
    const marks = shl(unit, i32(2 + log2));
    const differing = Array.from({ length: 1 << log2 }, (_, i) => xor(load.i32(marks, noted.marks + 4 * i), mark));
    return differing.reduce(or);
  }

  private get timed(): boolean {
    return this.facts.plan.noted.times !== 0;
  }

  /** A store that is no news leaves its time where that counts (SyncTracker.repeated; ElscopeMachine.instructions). */
  private noteTime(f: FunctionBuilder, unit: I32, record: I32): void {
    if (!this.timed) return;
    const { blocks, plan } = this.facts;
    const block = i32(blocks[this.core]);
    const inRun = shrU(sub(record, load.i32(block, field('entryRec'))), i32(31 - Math.clz32(RECORD_BYTES)));
    const executed = add(sub(load.i32(block, field('limit')), load.i32(block, field('budget'))), inRun);
    const before = blocks.map((other) => load.f64(zero, other + field('instructions')));
    const time = before.reduce(addF64, fromInteger.f64.i32S(executed));
    f.store('f64', shl(unit, i32(3)), time, plan.noted.times);
  }

  /**
   * (low, high, where times count the record too) -> linear-memory address of the datum, its line present and its entry in
   * place; 0: not done here.
   */
  private access(isStore: boolean, fill: number, hit: number): number {
    const { plan, blocks, config } = this.facts;
    const pages = plan.pages[this.core];
    return this.function(isStore && this.timed ? 3 : 2, 1, (f, low, high, record) => {
      const use = isStore ? PageUse.Store : PageUse.Load;
      const page = f.let(op32.mul(and(shrU(low, i32(12)), i32(PAGE_ENTRIES - 1)), i32(PAGE_ENTRY_BYTES)));
      const slot = load.i32(i32(blocks[this.core]), field('contextSlot'));
      const wanted = or(or(and(low, i32(~PAGE_MASK)), i32(use)), slot);
      const compared = i32(~PAGE_MASK | use | PageUse.SlotMask);
      const differs = and(xor(load.i32(page, pages), wanted), compared);
      f.if(or(differs, ne(load.i32(page, pages + 4), high)), () => f.return(zero));
      const host = f.let(add(load.i32(page, pages + 8), and(low, i32(PAGE_MASK))));
      const unit = f.let(shrU(sub(host, i32(plan.ram)), i32(plan.unitLog2)));
      const d = f.let(this.dir(unit));
      f.if(this.refused(isStore, d), () => f.return(zero));
      if (isStore && config.checker !== 'off') f.if(this.isNews(unit), () => f.return(zero));
      const way = f.let(zero);
      f.if(
        and(d, i32(this.mine)),
        () => {
          if (!isStore) this.count(f, Counter.lineTableRefills);
          f.set(way, this.l1.find(f, this.l1.first(f, unit), unit));
          if (this.l1.isLru) f.callVoid(hit, way);
        },
        () => {
          f.set(way, f.call(fill, 'i32', unit));
          f.if(op32.ltS(way, zero), () => f.return(zero));
        },
      );
      this.count(f, isStore ? Counter.slowStores : Counter.slowLoads);
      if (isStore) {
        this.noteTime(f, unit, record);
        this.makeDirty(f, unit);
      }
      this.install(f, isStore, low, high, unit, way);
      f.return(host);
    });
  }

  /** Whether misses are handled: one unit a line, an outer cache, no checker that wants to hear of everything. */
  private get simple(): boolean {
    const { plan, config } = this.facts;
    const { l2 } = config.cores[this.core];
    if (config.checker === 'architectural' || this.units !== 1 || l2 < 0) return false;
    // Prefetch buffers are compared with memory after every store that the checker hears of.
    if (config.checker !== 'off' && config.cores.some((c) => c.prefetch > 0)) return false;
    return config.l2[l2].lineBytes === 1 << plan.unitLog2;
  }

  /** The slow paths of loads and stores. */
  build(): { readonly load: number; readonly store: number } {
    const hit = this.hit();
    if (!this.simple) return { load: this.entry(false, hit), store: this.entry(true, hit) };
    const k = this.facts.config.cores[this.core].l2;
    const fill = this.fill(k, new TagCode(this.facts.plan.l2[k], this.facts.config.l2[k], this.helpers));
    return {
      load: this.entry(false, hit, this.access(false, fill, hit)),
      store: this.entry(true, hit, this.access(true, fill, hit)),
    };
  }

  /** (record, core block, low, high, descriptor) -> exit code: what can be done here, else outside. */
  private entry(isStore: boolean, hit: number, access?: number): number {
    const { outside } = this;
    return this.function(5, 1, (f, record, core, low, high, bits) => {
      const { plan, config } = this.facts;
      const unitMask = (1 << plan.unitLog2) - 1;
      const sizeMask = f.let(sub(shl(i32(1), and(bits, i32(7))), i32(1)));
      const host = f.let(zero);
      const inLine = op32.leU(add(and(low, i32(unitMask)), sizeMask), i32(unitMask));
      const unaligned = and(eqz(load.i32(core, field('alignMask'))), inLine);
      f.if(and(or(eqz(and(low, sizeMask)), unaligned), op32.leU(bits, i32(4))), () => {
        const index = and(shrU(low, i32(plan.unitLog2 - 4)), i32((LINE_TABLE_ENTRIES - 1) * LINE_ENTRY_BYTES));
        const entry = f.let(add(load.i32(core, field(isStore ? 'storeTable' : 'loadTable')), index));
        const line = f.let(and(low, i32(~unitMask)));
        const tag = f.let(load.i32(entry));
        f.if(
          and(eq(and(tag, i32(~TAG_NOT_PLAIN)), line), eq(load.i32(entry, 4), high)),
          () => {
            if (isStore && config.checker !== 'off') {
              const ram = i32(plan.ram);
              const unit = f.let(shrU(sub(load.i32(entry, entryField.host), ram), i32(plan.unitLog2)));
              f.if(this.isNews(unit), () => f.tailCall(outside.store, record, core, low, high, bits));
              this.noteTime(f, unit, record);
            }
            // A plain hit comes here when its address is not aligned.
            f.if(and(tag, i32(TAG_NOT_PLAIN)), () =>
              f.callVoid(hit, shrU(load.i32(entry, entryField.way), i32(this.unitsLog2))),
            );
            f.set(host, add(load.i32(entry, entryField.host), and(low, i32(unitMask))));
          },
          () => {
            if (access === undefined) return;
            f.set(host, f.call(access, 'i32', low, high, ...(isStore && this.timed ? [record] : [])));
            const late = geF64(load.f64(core, field('penalty')), load.f64(core, field('penaltyLimit')));
            f.if(and(ne(host, zero), late), () => f.callVoid(outside.look, record, core));
          },
        );
        f.if(host, () => this.move(f, isStore, core, host, bits));
      });
      f.tailCall(isStore ? outside.store : outside.load, record, core, low, high, bits);
    });
  }

  /** Moves the datum between memory and the core block's value field, and is done. */
  private move(f: FunctionBuilder, isStore: boolean, core: I32, host: I32, bits: I32): void {
    const moves = [
      [load.i64u8, 'i64as8'],
      [load.i64u16, 'i64as16'],
      [load.i64u32, 'i64as32'],
      [load.i64, 'i64'],
    ] as const;
    const value = field('value');
    for (const [log2, [read, write]] of moves.entries())
      f.if(eq(bits, i32(log2)), () => {
        if (isStore) f.store(write, host, load.i64(core, value));
        else f.store('i64', core, read(host), value);
        f.return(zero);
      });
    if (isStore) f.store('v128', host, load.v128(core, value));
    else f.store('v128', core, load.v128(host), value);
    f.return(zero);
  }
}

/** Adds the slow paths of all cores to a module; returns those that choose by core. */
export function addDataPath(m: ModuleBuilder, facts: DataPathFacts, outside: Outside): { load: number; store: number } {
  const helpers = addHelpers(m, facts.plan);
  const cores = facts.blocks.map((_, core) => new CorePath(m, facts, core, helpers, outside).build());
  return { load: choose(m, facts, (core) => cores[core].load), store: choose(m, facts, (core) => cores[core].store) };
}

/** A function that goes on in the one of the core whose block it is given. */
function choose(m: ModuleBuilder, facts: DataPathFacts, of: (core: number) => number): number {
  const last = facts.blocks.length - 1;
  if (last === 0) return of(0);
  const type: FunctionType = { params: new Array(5).fill('i32'), results: ['i32'] };
  const index = m.declare(type);
  const f = new FunctionBuilder(type.params);
  const args = type.params.map((_, i) => f.param(i, 'i32'));
  for (let core = 0; core < last; core++)
    f.if(eq(args[1], i32(facts.blocks[core])), () => f.tailCall(of(core), ...args));
  f.tailCall(of(last), ...args);
  m.define(index, f.finish());
  return index;
}
