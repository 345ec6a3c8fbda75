/** Generated code of one core's L1D misses: a line comes in, another one goes out (memory/dataCaches.ts). */
import { Counter } from '../../memory/counters';
import { Dir } from '../../memory/shared';
import { NO_LINE } from '../../memory/tags';
import { Side } from '../../memory/versions';
import { type FunctionBuilder, type I32, i32, load, op32, select } from '../../wasm/code';
import { LineCode } from './lineCode';
import type { TagCode } from './tagCode';

const { add, and, eq, eqz, ne, or, shl, shrU } = op32;
const zero = i32(0);

export class MissCode extends LineCode {
  /** (unit) -> way: puts the line into the outer cache, which does not hold it (DataCaches.intoL2). */
  private intoL2(k: number, l2: TagCode): number {
    const present = 1 << (k + Dir.L2Shift);
    const { dirty } = this.facts.plan.l2[k];
    return this.function(1, 1, (f, unit) => {
      const first = l2.first(f, unit);
      const { way, commit } = l2.victim(f, first);
      commit();
      const old = f.let(l2.tag(way));
      f.if(ne(old, i32(NO_LINE)), () => {
        this.count(f, Counter.l2Evictions);
        this.leaveL2(f, old, f.let(add(shl(way, i32(1)), i32(dirty))), present);
      });
      l2.insert(f, first, way, unit);
      this.setDir(f, unit, or(this.dir(unit), i32(present)));
      f.return(way);
    });
  }

  /** The outer line of a unit goes; `dirty` is the address of its dirty bits (DataCaches.leaveL2). */
  private leaveL2(f: FunctionBuilder, unit: I32, dirty: I32, present: number): void {
    const d = f.let(and(this.dir(unit), i32(~present)));
    const side = f.let(this.side(unit));
    f.if(load.u16(dirty), () => {
      f.store('i32as16', dirty, zero);
      f.set(d, and(d, i32(~Dir.L2Dirty)));
      f.if(and(side, i32(Side.HasC)), () => {
        f.set(side, and(side, i32(~(Side.HasC | Side.HalfC))));
        f.callVoid(this.helpers.keep, unit, side);
      });
    });
    this.setDir(f, unit, d);
    f.if(and(eqz(and(d, i32(Dir.L2))), ne(and(side, i32(Side.HasC)), zero)), () => {
      f.if(
        and(d, i32(Dir.L1D)),
        () => {
          const asP = shrU(and(side, i32(Side.HasC | Side.HalfC)), i32(Side.PToC));
          this.setSide(f, unit, or(and(side, i32(Side.Record)), asP));
        },
        () => {
          const half = shrU(and(side, i32(Side.HalfC)), i32(Side.HalfCShift));
          this.copy(f, this.hostOf(unit), this.half(side, half));
          f.callVoid(this.helpers.keep, unit, and(side, i32(Side.Record)));
          this.viewChanged(f, unit, d);
        },
      );
    });
  }

  /** (way, unit): the line goes from L1D, dirty data to the outer cache (DataCaches.evictL1). */
  private evict(k: number, l2: TagCode, intoL2: number): number {
    const { plan } = this.facts;
    const { loadSlot, storeSlot } = plan.l1d[this.core];
    const present = i32(1 << (k + Dir.L2Shift));
    return this.function(2, 0, (f, way, unit) => {
      this.count(f, Counter.evictions);
      const way4 = f.let(shl(way, i32(2)));
      for (const slots of [loadSlot, storeSlot]) {
        const entry = f.let(load.i32(way4, slots));
        f.if(entry, () => {
          this.empty(f, entry);
          f.store('i32', way4, zero, slots);
        });
      }
      const d = f.let(this.dir(unit));
      const side = f.let(this.side(unit));
      f.if(
        and(d, i32(Dir.L1Dirty)),
        () => {
          this.count(f, Counter.writebacks);
          const outer = f.let(zero);
          f.if(
            and(d, present),
            () => {
              const first = l2.first(f, unit);
              f.set(outer, l2.find(f, first, unit));
              l2.touch(f, first, outer);
            },
            () => f.set(outer, f.call(intoL2, 'i32', unit)),
          );
          const isP = and(side, i32(Side.HasP | Side.HalfP));
          const asC = or(and(side, i32(Side.Record)), shl(isP, i32(Side.PToC)));
          const withoutP = and(side, i32(~(Side.HasP | Side.HalfP)));
          f.if(and(side, i32(Side.HasP)), () =>
            this.setSide(f, unit, select(and(side, i32(Side.HasC)), withoutP, asC)),
          );
          f.store('i32as16', shl(outer, i32(1)), i32(1), plan.l2[k].dirty);
          const clean = and(d, i32(~(Dir.L1Dirty | this.mine)));
          this.setDir(f, unit, or(clean, or(present, i32(Dir.L2Dirty))));
        },
        () => {
          f.set(d, and(d, i32(~this.mine)));
          this.setDir(f, unit, d);
          f.if(and(eqz(and(d, i32(Dir.L1D))), ne(and(side, i32(Side.HasP)), zero)), () => {
            const half = shrU(and(side, i32(Side.HalfP)), i32(Side.HalfPShift));
            this.copy(f, this.hostOf(unit), this.half(side, half));
            f.callVoid(this.helpers.keep, unit, and(side, i32(~(Side.HasP | Side.HalfP))));
            this.viewChanged(f, unit, d);
          });
        },
      );
    });
  }

  /** (unit) -> way: a miss (DataCaches.fill); -1 where another outer cache has the victim's dirty data. */
  protected fill(k: number, l2: TagCode): number {
    const { config } = this.facts;
    const present = 1 << (k + Dir.L2Shift);
    const intoL2 = this.intoL2(k, l2);
    const evict = this.evict(k, l2, intoL2);
    return this.function(1, 1, (f, unit) => {
      const first = this.l1.first(f, unit);
      const { way, commit } = this.l1.victim(f, first);
      const old = f.let(this.l1.tag(way));
      if (config.l2.length > 1)
        f.if(ne(old, i32(NO_LINE)), () => {
          const both = Dir.L1Dirty | Dir.L2Dirty;
          const d = f.let(this.dir(old));
          const elsewhere = ne(and(d, i32(Dir.L2 & ~present)), zero);
          f.if(and(eq(and(d, i32(both)), i32(both)), elsewhere), () => f.return(i32(-1)));
        });
      commit();
      this.count(f, Counter.l1dMisses);
      this.penalty(f, config.cost.l1dMiss);
      f.if(ne(old, i32(NO_LINE)), () => f.callVoid(evict, way, old));
      this.count(f, Counter.l2Accesses);
      f.if(
        and(this.dir(unit), i32(present)),
        () => {
          if (!l2.isLru) return;
          const outer = l2.first(f, unit);
          l2.touch(f, outer, l2.find(f, outer, unit));
        },
        () => {
          this.count(f, Counter.l2Misses);
          this.penalty(f, config.cost.l2Miss);
          f.drop(f.call(intoL2, 'i32', unit));
        },
      );
      this.setDir(f, unit, or(this.dir(unit), i32(this.mine)));
      this.l1.insert(f, first, way, unit, (before) => this.mark(f, before, false));
      f.return(way);
    });
  }
}
