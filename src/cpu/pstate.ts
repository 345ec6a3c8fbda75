/**
 * PSTATE in its SPSR_ELx form. The flags are kept unpacked in the core block (layout.ts); everything else stands at its SPSR
 * position: DAIF in bits 9:6 of one word, IL, SS and the bits of extensions in another, EL and SP as small numbers.
 */
import type { HasFeature } from '../arch/features/index';

/** SPSR_ELx positions. */
export const Pstate = {
  N: 0x80000000 | 0,
  Z: 1 << 30,
  C: 1 << 29,
  V: 1 << 28,
  DIT: 1 << 24,
  UAO: 1 << 23,
  PAN: 1 << 22,
  SS: 1 << 21,
  IL: 1 << 20,
  SSBS: 1 << 12,
  BTYPE: 3 << 10,
  D: 1 << 9,
  A: 1 << 8,
  I: 1 << 7,
  F: 1 << 6,
  DAIF: 0x3c0,
  nRW: 1 << 4,
} as const;

/** Bits that came with extensions, and stand at their SPSR positions beside IL and SS. */
const extensions: Readonly<Record<string, number>> = {
  FEAT_DIT: Pstate.DIT,
  FEAT_UAO: Pstate.UAO,
  FEAT_PAN: Pstate.PAN,
  FEAT_SSBS: Pstate.SSBS,
  FEAT_BTI: Pstate.BTYPE,
};

/** Those that a core has. */
export const extensionBits = (has: HasFeature): number =>
  Object.entries(extensions).reduce((mask, [feature, bit]) => (has(feature) ? mask | bit : mask), 0);

/** M[3:0] of an AArch64 mode. */
export const modeOf = (el: number, spsel: number): number => (el << 2) | (el === 0 ? 0 : spsel);
