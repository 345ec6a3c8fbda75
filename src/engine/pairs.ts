/**
 * Pairs of instructions in one handler. Where turns often end, code is hot: the records of such a granule get handlers that run
 * an instruction and the one after it, which saves a dispatch. They are generated from the same semantic functions, when first
 * wanted; every record still has its own handler to be entered at, and a mark on the second one takes the pair apart.
 */
import { RECORD_BYTES, recordField } from '../memory/layout';
import { FunctionBuilder } from '../wasm/code';
import type { Handler, HandlerTable } from './handlers';
import type { LaterCode } from './laterCode';
import { OpenContext } from './openContext';
import { PAIR_CAPACITY, PairIndex } from './pairIndex';
import type { GeneratedNames } from './stateContext';

/** Samples after which a granule counts as hot. */
const HOT_SAMPLES = 3;
/** A module is dear: pairs wait for so many others, or for so many samples. */
const BATCH = 64;
const PATIENCE = 32;
const SAMPLE_BITS = 12;

const endsRun = new Set(['B', 'BL', 'BR', 'BLR', 'RET']);
const plainEffects = new Set(['none', 'branch', 'call', 'return', 'load', 'store', 'loadstore']);

const canBeSecond = (h: Handler): boolean => plainEffects.has(h.row.effect) && !/X[RP]$/.test(h.row.id);
const canBeFirst = (h: Handler): boolean => canBeSecond(h) && !endsRun.has(h.row.id);

/** Both instructions in one function. */
function pairBody(a: Handler, b: Handler, names: GeneratedNames): number[] {
  const code = new FunctionBuilder(['i32', 'i32']);
  const first = new OpenContext(a.row, a.statics, names, [], code, 0, true);
  first.emit(a.semantics);
  first.joint();
  const second = new OpenContext(b.row, b.statics, names, [], code, RECORD_BYTES);
  second.emit(b.semantics);
  return second.finish();
}

export class Pairs {
  private readonly index = new PairIndex();
  /** Neighbours that make no pair, as first << 16 | second. */
  private readonly refused = new Set<number>();
  /** By pair handler: the first instruction's own handler; 0 for what is no pair. */
  private readonly firsts = new Uint16Array(1 << 16);
  private readonly samples = new Uint8Array(1 << SAMPLE_BITS);
  private readonly sampled = new Int32Array(1 << SAMPLE_BITS);
  /** Hot granules whose pairs are yet to be made, the neighbours in them that want one, and samples since the first. */
  private hot: number[] = [];
  private readonly wanted = new Set<number>();
  private waited = 0;
  count = 0;

  constructor(
    private readonly u16: Uint16Array,
    private readonly handlers: HandlerTable,
    private readonly granuleWords: number,
    private readonly later: LaterCode,
  ) {}

  /** The handler of a record's own instruction. */
  single(handler: number): number {
    return this.firsts[handler] || handler;
  }

  /** The known pair handler for two neighbours, or the first one's own. */
  known(first: number, second: number): number {
    return this.index.get(first, second) || first;
  }

  /** A turn ended in this granule; `recordBase` is its first record. No record of any granule is marked now. */
  sample(recordBase: number): void {
    const slot = (recordBase >>> 8) & ((1 << SAMPLE_BITS) - 1);
    if (this.sampled[slot] !== recordBase) {
      this.sampled[slot] = recordBase;
      this.samples[slot] = 0;
    }
    if (this.samples[slot] < HOT_SAMPLES && ++this.samples[slot] === HOT_SAMPLES) this.want(recordBase);
    if (this.hot.length > 0 && (this.wanted.size >= BATCH || ++this.waited >= PATIENCE)) this.make();
  }

  private handlerAt(recordBase: number, i: number): number {
    return this.single(this.u16[(recordBase + i * RECORD_BYTES + recordField.handler) >> 1]);
  }

  private want(recordBase: number): void {
    this.hot.push(recordBase);
    for (let i = 0; i + 1 < this.granuleWords; i++) {
      const key = (this.handlerAt(recordBase, i) << 16) | this.handlerAt(recordBase, i + 1);
      if (!this.refused.has(key)) this.wanted.add(key);
    }
  }

  /** Makes the pairs that are wanted and puts them into the hot granules, whatever these hold by now. */
  private make(): void {
    for (const key of this.wanted) {
      const [first, second] = [key >>> 16, key & 0xffff];
      if (this.index.get(first, second) === 0) this.decide(first, second);
    }
    this.later.flush();
    for (const recordBase of this.hot)
      for (let i = 0; i + 1 < this.granuleWords; i++) {
        const first = this.handlerAt(recordBase, i);
        const at = (recordBase + i * RECORD_BYTES + recordField.handler) >> 1;
        this.u16[at] = this.known(first, this.handlerAt(recordBase, i + 1));
      }
    this.hot = [];
    this.wanted.clear();
    this.waited = 0;
  }

  private decide(first: number, second: number): void {
    const key = (first << 16) | second;
    if (this.refused.has(key)) return;
    const a = this.handlers.at(first);
    const b = this.handlers.at(second);
    if (!a || !b || !canBeFirst(a) || !canBeSecond(b) || this.count >= PAIR_CAPACITY) {
      this.refused.add(key);
      return;
    }
    const pair = this.handlers.allocate();
    this.count++;
    this.index.set(first, second, pair);
    this.firsts[pair] = first;
    this.later.add(pair, (names) => pairBody(a, b, names));
  }
}
