/** Memory accesses of semantic functions: the line tables inline, everything else on the slow path. */
import type { AccessKind, Semantics, SemanticsContext } from '../isa/sem';
import { entryField, RECORD_BYTES } from '../memory/layout';
import { type I32, type I64, i32, i64, type Local, load, op32, op64, type V128, wrap } from '../wasm/code';
import { type AtomicHost, emitAtomic, emitCompareAndSwapPair } from './atomicCode';
import { offset } from './stateContext';
import { VectorContext } from './vectorContext';

/** Bits of the access descriptor handed to slow loads and stores (see memory/). */
export const descriptor = (sizeLog2: number, kind: AccessKind, exclusive = false): number =>
  sizeLog2 |
  (kind.unprivileged ? 8 : 0) |
  (kind.ordered ? 16 : 0) |
  (exclusive ? 32 : 0) |
  (kind.atomic ? 64 : 0) |
  (kind.elementLog2 === undefined || kind.elementLog2 >= sizeLog2 ? 0 : (kind.elementLog2 + 1) << 8);

const V_LOG2 = 4;
const V_BYTES = 1 << V_LOG2;

export abstract class AccessContext extends VectorContext implements SemanticsContext {
  /** Set by slow accesses of an instruction that another one follows in the same function. */
  private slowTaken: Local<'i32'> | undefined;

  /** The whole instruction. */
  emit(semantics: Semantics): void {
    this.checkNeeds();
    semantics.emit(this);
  }

  private entry(table: 'loadTable' | 'storeTable', low: Local<'i32'>): Local<'i32'> {
    const { unitLog2, tableMask } = this.names;
    const index = op32.and(op32.shrU(low, i32(unitLog2 - 4)), i32(tableMask));
    return this.code.let(op32.add(load.i32(this.core, offset(table)), index));
  }

  /** Tag compare that also fails for accesses not aligned to their size: those take the slow path. */
  private hit(entry: I32, address: I64, sizeLog2: number): I32 {
    const unit = 1 << this.names.unitLog2;
    const kept = -unit | ((1 << sizeLog2) - 1);
    return op64.eq(load.i64(entry, entryField.tag), op64.and(address, i64(kept)));
  }

  private host(entry: I32, low: I32): I32 {
    const unit = 1 << this.names.unitLog2;
    return op32.add(load.i32(entry, entryField.host), op32.and(low, i32(unit - 1)));
  }

  private slowAccess(which: 'load' | 'store' | 'loadExclusive' | 'storeExclusive', address: I64, bits: number): void {
    const high = wrap(op64.shrU(address, i64(32)));
    this.leaveIfNonZero(
      this.code.call(this.names.slow[which], 'i32', this.rec, this.core, wrap(address), high, i32(bits)),
    );
    if (!this.first) return;
    this.slowTaken ??= this.code.local('i32');
    this.code.set(this.slowTaken, i32(1));
  }

  /**
   * Between two instructions of one function: a slow access may have asked for a stop before the second, so then it is
   * reached through its record.
   */
  joint(): void {
    const { slowTaken } = this;
    if (slowTaken) this.code.if(slowTaken, () => this.dispatch(op32.add(this.rec, i32(RECORD_BYTES))));
  }

  load(address: I64, sizeLog2: number, kind: AccessKind = {}): Local<'i64'> {
    const a = this.code.let(address);
    const value = this.code.let(i64(0));
    const slow = (): void => {
      this.slowAccess('load', a, descriptor(sizeLog2, kind));
      this.code.set(value, this.value(0));
    };
    if (kind.unprivileged) {
      slow();
      return value;
    }
    const low = this.code.let(wrap(a));
    const entry = this.entry('loadTable', low);
    const read = [load.i64u8, load.i64u16, load.i64u32, load.i64][sizeLog2];
    this.code.if(this.hit(entry, a, sizeLog2), () => this.code.set(value, read(this.host(entry, low))), slow);
    return value;
  }

  store(address: I64, stored: I64, sizeLog2: number, kind: AccessKind = {}): void {
    const a = this.code.let(address);
    const value = this.code.let(stored);
    const slow = (): void => {
      this.setValue(0, value);
      this.slowAccess('store', a, descriptor(sizeLog2, kind));
    };
    if (kind.unprivileged) {
      slow();
      return;
    }
    const low = this.code.let(wrap(a));
    const entry = this.entry('storeTable', low);
    const how = (['i64as8', 'i64as16', 'i64as32', 'i64'] as const)[sizeLog2];
    this.code.if(this.hit(entry, a, sizeLog2), () => this.code.store(how, this.host(entry, low), value), slow);
  }

  /** Linear-memory address for a store that hits, or 0 in a local. */
  private storeHost(a: Local<'i64'>, sizeLog2: number): Local<'i32'> {
    const low = this.code.let(wrap(a));
    const entry = this.entry('storeTable', low);
    const host = this.code.let(i32(0));
    this.code.if(this.hit(entry, a, sizeLog2), () => this.code.set(host, this.host(entry, low)));
    return host;
  }

  private atomicHost(): AtomicHost {
    return {
      code: this.code,
      core: this.core,
      storeHost: (a, sizeLog2) => this.storeHost(a, sizeLog2),
      slowLoad: (a, sizeLog2) => this.slowAccess('load', a, descriptor(sizeLog2, { atomic: true })),
      slowStore: (a, sizeLog2) => this.slowAccess('store', a, descriptor(sizeLog2, {})),
    };
  }
  atomic(address: I64, sizeLog2: number, change: (old: I64) => I64, when?: (old: I64) => I32): Local<'i64'> {
    return emitAtomic(this.atomicHost(), address, sizeLog2, change, when);
  }
  compareAndSwapPair(
    address: I64,
    expected: readonly [I64, I64],
    wanted: readonly [I64, I64],
  ): readonly [Local<'i64'>, Local<'i64'>] {
    return emitCompareAndSwapPair(this.atomicHost(), address, expected, wanted);
  }

  loadExclusive(address: I64, sizeLog2: number, kind: AccessKind): void {
    this.slowAccess('loadExclusive', this.code.let(address), descriptor(sizeLog2, kind, true));
  }
  /** The slow path leaves the status in value(1). */
  storeExclusive(address: I64, sizeLog2: number, kind: AccessKind): I32 {
    this.slowAccess('storeExclusive', this.code.let(address), descriptor(sizeLog2, kind, true));
    return wrap(this.value(1));
  }

  /**
   * As `hit`, for 16 bytes, which are often not aligned: within the line that is fine unless the context checks alignment (of
   * elements, where the bytes are several).
   */
  private hitV(entry: I32, address: I64, low: I32, kind: AccessKind): I32 {
    const unit = 1 << this.names.unitLog2;
    const checked = op32.and(load.i32(this.core, offset('alignMask')), i32((1 << (kind.elementLog2 ?? V_LOG2)) - 1));
    const within = op32.leU(op32.and(low, i32(unit - 1)), i32(unit - V_BYTES));
    const same = op64.eq(load.i64(entry, entryField.tag), op64.and(address, i64(-unit)));
    return op32.and(op32.and(same, within), op32.eqz(op32.and(low, checked)));
  }

  loadV(address: I64, kind: AccessKind = {}): Local<'v128'> {
    const a = this.code.let(address);
    const low = this.code.let(wrap(a));
    const entry = this.entry('loadTable', low);
    const value = this.code.local('v128');
    this.code.if(
      this.hitV(entry, a, low, kind),
      () => this.code.set(value, load.v128(this.host(entry, low))),
      () => {
        this.slowAccess('load', a, descriptor(V_LOG2, kind));
        this.code.set(value, load.v128(this.core, offset('value')));
      },
    );
    return value;
  }

  storeV(address: I64, stored: V128, kind: AccessKind = {}): void {
    const a = this.code.let(address);
    const value = this.code.let(stored);
    const low = this.code.let(wrap(a));
    const entry = this.entry('storeTable', low);
    this.code.if(
      this.hitV(entry, a, low, kind),
      () => this.code.store('v128', this.host(entry, low), value),
      () => {
        this.code.store('v128', this.core, value, offset('value'));
        this.slowAccess('store', a, descriptor(V_LOG2, kind));
      },
    );
  }
}
