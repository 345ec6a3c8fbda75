/**
 * ISV and what it makes valid, in the syndrome of a stage 2 data abort: size, sign extension, register and ordering of a load
 * or store of one general-purpose register without write-back. Section: ESR_EL2, ISS encoding for an exception from a Data
 * Abort. From the instruction word: the encodings are those of the instruction table's load and store rows.
 */

const ISV = 1 << 24;
const SAS_SHIFT = 22;
const SSE = 1 << 21;
const SRT_SHIFT = 16;
const SF = 1 << 15;
const AR = 1 << 14;
/** o0 of the ordered loads and stores. */
const ORDERED_EVERYWHERE = 1 << 15;

/** `opc` of LDR, LDRS*, STR and their kin: bit 1 sign-extends, to 32 bits where bit 0 is set. */
function single(word: number, size: number, opc: number, ordered: boolean): number {
  // A prefetch faults not at all.
  if (size === 3 && opc === 2) return 0;
  const signed = opc >= 2;
  const wide = signed ? opc === 2 : size === 3;
  return describe(size, signed, word, wide, ordered);
}

const describe = (size: number, signed: boolean, word: number, wide: boolean, ordered: boolean): number =>
  ISV | (size << SAS_SHIFT) | (signed ? SSE : 0) | ((word & 31) << SRT_SHIFT) | (wide ? SF : 0) | (ordered ? AR : 0);

/** Bits 24:14 of the ISS; 0 where ISV is. */
export function accessSyndrome(word: number): number {
  const size = word >>> 30;
  const opc = (word >>> 22) & 3;
  // LDR, LDRSW (literal): opc is in the place of size.
  if ((word & 0x3f000000) >>> 0 === 0x18000000) {
    if (size === 3) return 0;
    return describe(size === 1 ? 3 : 2, size === 2, word, size !== 0, false);
  }
  // Unsigned offset.
  if ((word & 0x3f000000) >>> 0 === 0x39000000) return single(word, size, opc, false);
  if ((word & 0x3f200000) >>> 0 === 0x38000000) {
    // Unscaled and unprivileged; with write-back nothing is said.
    return ((word >>> 10) & 1) === 0 ? single(word, size, opc, false) : 0;
  }
  // Register offset.
  if ((word & 0x3f200c00) >>> 0 === 0x38200800) return single(word, size, opc, false);
  // STLR, LDAR; STLLR, LDLAR, whose ordering is that of a region and is not told.
  if ((word & 0x3fa00000) >>> 0 === 0x08800000)
    return describe(size, false, word, size === 3, (word & ORDERED_EVERYWHERE) !== 0);
  // LDAPR.
  if ((word & 0x3ffffc00) >>> 0 === 0x38bfc000) return describe(size, false, word, size === 3, true);
  // STLUR, LDAPUR.
  if ((word & 0x3f200c00) >>> 0 === 0x19000000) return single(word, size, opc, true);
  return 0;
}
