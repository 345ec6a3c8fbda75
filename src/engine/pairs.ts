/**
 * Pairs of instructions in one handler. Where turns often end, code is hot: the records of such a granule get handlers that run
 * an instruction and the one after it, which saves a dispatch. They are generated from the same semantic functions, when first
 * wanted; every record still has its own handler to be entered at, and a mark on the second one takes the pair apart.
 */
import { RECORD_BYTES, recordField } from '../memory/layout';
import { FunctionBuilder } from '../wasm/code';
import { ModuleBuilder } from '../wasm/module';
import { FIRST_ROW_HANDLER, type Handler, type HandlerTable } from './handlers';
import { handlerSignature, importNames, importSignature, PAIR_CAPACITY } from './interpreter';
import { type GeneratedNames, OpenContext } from './openContext';

/** Samples after which a granule counts as hot. */
const HOT_SAMPLES = 3;
const SAMPLE_BITS = 12;

const endsRun = new Set(['B', 'BL', 'BR', 'BLR', 'RET']);
const plainEffects = new Set(['none', 'branch', 'call', 'return', 'load', 'store', 'loadstore']);

const canBeSecond = (h: Handler): boolean => plainEffects.has(h.row.effect) && !/X[RP]$/.test(h.row.id);
const canBeFirst = (h: Handler): boolean => canBeSecond(h) && !endsRun.has(h.row.id);

/** What the pair modules need of the main one. */
export interface PairHost {
  /** Imports of the main module, its `goto` and its table. */
  readonly env: Readonly<Record<string, unknown>>;
  readonly shape: { readonly pages: number; readonly unitLog2: number; readonly tableMask: number };
  instantiate(bytes: Uint8Array, imports: Record<string, Record<string, unknown>>): Record<string, unknown>;
  readonly table: { set(index: number, value: unknown): void };
}

export class Pairs {
  /** Handler of a pair by first * size + second, 0 = none yet, -1 = never. */
  private readonly index: Int16Array;
  /** By pair handler - size: the first instruction's own handler. */
  private readonly firsts: number[] = [];
  private readonly samples = new Uint8Array(1 << SAMPLE_BITS);
  private readonly sampled = new Int32Array(1 << SAMPLE_BITS);
  private readonly size: number;

  constructor(
    private readonly u16: Uint16Array,
    private readonly handlers: HandlerTable,
    private readonly granuleWords: number,
    private readonly host: PairHost,
  ) {
    this.size = handlers.size;
    this.index = new Int16Array(this.size * this.size);
  }

  get count(): number {
    return this.firsts.length;
  }

  /** The handler of a record's own instruction. */
  single(handler: number): number {
    return handler < this.size ? handler : this.firsts[handler - this.size];
  }

  /** The known pair handler for two neighbours, or the first one's own. */
  known(first: number, second: number): number {
    const pair = this.index[first * this.size + second];
    return pair > 0 ? pair : first;
  }

  /** A turn ended in this granule; `recordBase` is its first record. */
  sample(recordBase: number): void {
    const slot = (recordBase >>> 8) & ((1 << SAMPLE_BITS) - 1);
    if (this.sampled[slot] !== recordBase) {
      this.sampled[slot] = recordBase;
      this.samples[slot] = 0;
    }
    if (this.samples[slot] < HOT_SAMPLES && ++this.samples[slot] === HOT_SAMPLES) this.join(recordBase);
  }

  private handlerAt(recordBase: number, i: number): number {
    return this.single(this.u16[(recordBase + i * RECORD_BYTES + recordField.handler) >> 1]);
  }

  /** Makes the pairs that a hot granule wants and puts them in. No record of it is marked now. */
  private join(recordBase: number): void {
    const wanted: number[] = [];
    for (let i = 0; i + 1 < this.granuleWords; i++) {
      const first = this.handlerAt(recordBase, i);
      const second = this.handlerAt(recordBase, i + 1);
      const key = first * this.size + second;
      if (this.index[key] === 0) this.decide(first, second, key, wanted);
    }
    if (wanted.length > 0) this.generate(wanted);
    for (let i = 0; i + 1 < this.granuleWords; i++) {
      const first = this.handlerAt(recordBase, i);
      const at = (recordBase + i * RECORD_BYTES + recordField.handler) >> 1;
      this.u16[at] = this.known(first, this.handlerAt(recordBase, i + 1));
    }
  }

  private decide(first: number, second: number, key: number, wanted: number[]): void {
    const a = this.handlers.handlers[first - FIRST_ROW_HANDLER];
    const b = this.handlers.handlers[second - FIRST_ROW_HANDLER];
    if (!a || !b || !canBeFirst(a) || !canBeSecond(b) || this.firsts.length >= PAIR_CAPACITY) {
      this.index[key] = -1;
      return;
    }
    this.index[key] = this.size + this.firsts.length;
    this.firsts.push(first);
    wanted.push(key);
  }

  private generate(wanted: readonly number[]): void {
    const { shape } = this.host;
    const m = new ModuleBuilder();
    m.importMemory(shape.pages);
    m.importTable(this.size);
    const slow = {} as Record<(typeof importNames)[number], number>;
    for (const name of importNames) slow[name] = m.importFunction(name, importSignature(name));
    const names: GeneratedNames = {
      handlerType: m.type(handlerSignature),
      goto: m.importFunction('goto', { params: ['i32', 'i32', 'i64'], results: ['i32'] }),
      slow,
      unitLog2: shape.unitLog2,
      tableMask: shape.tableMask,
    };
    for (const key of wanted) {
      const a = this.handlers.handlers[Math.floor(key / this.size) - FIRST_ROW_HANDLER];
      const b = this.handlers.handlers[(key % this.size) - FIRST_ROW_HANDLER];
      const code = new FunctionBuilder(['i32', 'i32']);
      const first = new OpenContext(a.row, a.statics, names, [], code, 0, true);
      a.semantics.emit(first);
      first.joint();
      const second = new OpenContext(b.row, b.statics, names, [], code, RECORD_BYTES);
      b.semantics.emit(second);
      const f = m.declare(handlerSignature);
      m.define(f, second.finish());
      m.exportFunction(`p${key}`, f);
    }
    const exports = this.host.instantiate(m.finish(), { env: { ...this.host.env } });
    for (const key of wanted) this.host.table.set(this.index[key], exports[`p${key}`]);
  }
}
