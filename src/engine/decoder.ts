/**
 * Decodes I-granules into records, for cores with one set of features. Each word's record is kept in a two-way table by
 * instruction word, so a granule that comes back costs a few loads a word; decoding depends on the word and the features only.
 * A handler that a word is the first to want is generated here.
 */
import { type FeatureSet, featureKey, type HasFeature } from '../arch/features';
import { type Decoded, decoderFor } from '../isa';
import { RECORD_BYTES, recordField } from '../memory/layout';
import { FixedHandler, type HandlerTable, placeOperand } from './handlers';
import type { LaterCode } from './laterCode';
import { OpenContext } from './openContext';

/**
 * log2 of the sets of words remembered. The boot of a kernel decodes 120,000 different ones; of those that share a set, all but
 * two are decoded again.
 */
const SETS_LOG2 = 18;
/** int32 of a remembered word: the record's four, the word, and VALID | loads | stores << 8; a set of two is 64 bytes. */
const ENTRY = 8;
const WORD = 4;
const COUNTS = 5;
const VALID = 1 << 16;

export class Decoder {
  private readonly words: Int32Array;
  private readonly known = new Int32Array((2 * ENTRY) << SETS_LOG2);
  private readonly decodeWord: (word: number) => Decoded | undefined;
  private readonly scratch = new DataView(new ArrayBuffer(RECORD_BYTES));

  constructor(
    buffer: ArrayBuffer,
    private readonly table: HandlerTable,
    private readonly granuleBytes: number,
    private readonly pairs: { known(first: number, second: number): number },
    private readonly later: LaterCode,
    private readonly has: HasFeature,
  ) {
    this.words = new Int32Array(buffer);
    this.decodeWord = decoderFor(has);
  }

  /** Fills the granule's records (one per word and LINE_END) from its bytes. Both addresses are 4-byte aligned. */
  decodeGranule(bytesAddress: number, recordBase: number): void {
    const { words, known } = this;
    const n = this.granuleBytes >> 2;
    let before = 0;
    let last = 0;
    let out = recordBase >> 2;
    const from = bytesAddress >> 2;
    for (let i = 0; i < n; i++, out += 4) {
      const word = words[from + i];
      const set = (Math.imul(word, 0x9e3779b1) >>> (32 - SETS_LOG2)) * (2 * ENTRY);
      let at = set;
      if (known[at + WORD] !== word || known[at + COUNTS] === 0) {
        at += ENTRY;
        if (known[at + WORD] !== word || known[at + COUNTS] === 0) {
          // What was decoded last is the first of its set.
          at = set;
          known.copyWithin(at + ENTRY, at, at + ENTRY);
          this.fill(at, word);
        }
      }
      words[out] = known[at] | (before << 16);
      words[out + 1] = known[at + 1];
      words[out + 2] = known[at + 2];
      words[out + 3] = known[at + 3];
      before += known[at + COUNTS] & (VALID - 1);
      const handler = known[at] & 0xffff;
      if (i > 0) {
        const joined = this.pairs.known(last, handler);
        if (joined !== last) words[out - 4] = (words[out - 4] & ~0xffff) | joined;
      }
      last = handler;
    }
    words[out] = FixedHandler.lineEnd | (before << 16);
    this.later.flush();
  }

  private fill(at: number, word: number): void {
    const { scratch } = this;
    for (let i = 0; i < RECORD_BYTES; i += 4) scratch.setInt32(i, 0, true);
    const decoded = this.decodeWord(word >>> 0);
    const handler = decoded && this.table.find(decoded.row, decoded.fields, this.has);
    for (const { index, row, statics, operands, semantics } of this.table.takeFresh())
      this.later.add(index, (names) => {
        const context = new OpenContext(row, statics, names, operands);
        context.emit(semantics);
        return context.finish();
      });
    let counts = 0;
    if (!decoded || !handler) {
      scratch.setUint16(recordField.handler, FixedHandler.undefined, true);
      scratch.setInt32(recordField.imm, word, true);
    } else {
      scratch.setUint16(recordField.handler, handler.index, true);
      for (const { place, derive } of handler.operands) placeOperand(scratch, place, derive(decoded.fields));
      counts = (handler.semantics.loads ?? 0) | ((handler.semantics.stores ?? 0) << 8);
    }
    for (let i = 0; i < 4; i++) this.known[at + i] = scratch.getInt32(i * 4, true);
    this.known[at + WORD] = word;
    this.known[at + COUNTS] = VALID | counts;
  }
}

/** A decoder for each core; cores with the same features share one. */
export function decodersFor(features: readonly FeatureSet[], make: (has: HasFeature) => Decoder): readonly Decoder[] {
  const bySet = new Map<string, Decoder>();
  return features.map((set) => {
    const key = featureKey(set);
    const decoder = bySet.get(key) ?? make((feature) => set.has(feature));
    bySet.set(key, decoder);
    return decoder;
  });
}
