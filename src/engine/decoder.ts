/**
 * Decodes I-granules into records, for cores with one set of features. Each word's record is kept in a direct-mapped table by
 * instruction word, so a granule that comes back costs a few loads a word; decoding depends on the word and the features only.
 * A handler that a word is the first to want is generated here.
 */
import { type FeatureSet, featureKey, type HasFeature } from '../arch/features';
import { type Decoded, decoderFor } from '../isa';
import { RECORD_BYTES, recordField } from '../memory/layout';
import { FixedHandler, type HandlerTable, placeOperand } from './handlers';
import type { LaterCode } from './laterCode';
import { OpenContext } from './openContext';

/** log2 of the words remembered: the boot of a kernel decodes 150,000 different ones, and those that collide are decoded again. */
const CACHE_BITS = 18;

export class Decoder {
  private readonly words: Int32Array;
  /** word cache: per slot the word, a valid flag, loads | stores << 8, and the record's four words. */
  private readonly tags = new Int32Array(1 << CACHE_BITS);
  private readonly counts = new Int32Array(1 << CACHE_BITS).fill(-1);
  private readonly templates = new Int32Array(4 << CACHE_BITS);
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
    const { words, tags, counts, templates } = this;
    const n = this.granuleBytes >> 2;
    let before = 0;
    let last = 0;
    let out = recordBase >> 2;
    const from = bytesAddress >> 2;
    for (let i = 0; i < n; i++, out += 4) {
      const word = words[from + i];
      const slot = (Math.imul(word, 0x9e3779b1) >>> (32 - CACHE_BITS)) | 0;
      if (tags[slot] !== word || counts[slot] < 0) this.fill(slot, word);
      words[out] = templates[slot * 4] | (before << 16);
      words[out + 1] = templates[slot * 4 + 1];
      words[out + 2] = templates[slot * 4 + 2];
      words[out + 3] = templates[slot * 4 + 3];
      before += counts[slot];
      const handler = templates[slot * 4] & 0xffff;
      if (i > 0) {
        const joined = this.pairs.known(last, handler);
        if (joined !== last) words[out - 4] = (words[out - 4] & ~0xffff) | joined;
      }
      last = handler;
    }
    words[out] = FixedHandler.lineEnd | (before << 16);
    this.later.flush();
  }

  private fill(slot: number, word: number): void {
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
    for (let i = 0; i < 4; i++) this.templates[slot * 4 + i] = scratch.getInt32(i * 4, true);
    this.tags[slot] = word;
    this.counts[slot] = counts;
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
