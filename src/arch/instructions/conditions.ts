/**
 * Conditions on field values that several rows share: which encodings within a pattern are reserved, and when an alias is the
 * preferred spelling. Shared pseudocode: DecodeBitMasks, MoveWidePreferred, BFXPreferred.
 */

import type { Fields } from './types';

/** A 6-bit amount that a 32-bit form cannot use. */
export const is32WithHighShift = (sf: number, amount: number): boolean => sf === 0 && amount >= 32;

/** Shifted-register forms. */
export const isBadShift = (f: Fields): boolean => is32WithHighShift(f.sf, f.imm6);

/** Bit field moves: N must equal sf, and 32-bit forms have 5-bit amounts. */
export const isBadBitfield = (f: Fields): boolean =>
  f.N !== f.sf || is32WithHighShift(f.sf, f.immr) || is32WithHighShift(f.sf, f.imms);

export const isBadMoveWide = (f: Fields): boolean => f.sf === 0 && f.hw >= 2;

/** Logical immediates: DecodeBitMasks(N, imms, immr, immediate = TRUE) fails. */
export function isBadBitmask(f: Fields): boolean {
  if (f.sf === 0 && f.N === 1) return true;
  const combined = (f.N << 6) | (~f.imms & 0x3f);
  if (combined < 2) return true;
  const levels = (1 << (31 - Math.clz32(combined))) - 1;
  return (f.imms & levels) === levels;
}

/** MoveWidePreferred(): the bitmask could also be made by MOVZ or MOVN, which then own the `mov` spelling. */
function moveWidePreferred(f: Fields): boolean {
  const width = f.sf === 1 ? 64 : 32;
  if (f.sf === 1 && f.N !== 1) return false;
  if (f.sf === 0 && (f.N !== 0 || (f.imms & 0x20) !== 0)) return false;
  if (f.imms < 16) return (-f.immr & 15) <= 15 - f.imms;
  if (f.imms >= width - 15) return (f.immr & 15) <= f.imms - (width - 15);
  return false;
}

export const movBitmaskPreferred = (f: Fields): boolean => f.Rn === 31 && !moveWidePreferred(f);

/** A zero half-word in a shifted position has no `mov` spelling: `mov` of zero is hw = 0. */
export const movzPreferred = (f: Fields): boolean => !(f.imm16 === 0 && f.hw !== 0);

/** As MOVZ; the 32-bit form of all ones is left to MOVZ's and ORR's value range. */
export const movnPreferred = (f: Fields): boolean =>
  !(f.imm16 === 0 && f.hw !== 0) && !(f.sf === 0 && f.imm16 === 0xffff);

/** Bit field moves that take a field out, rather than put one in at a position. */
export const isBitfieldExtract = (f: Fields): boolean => f.imms >= f.immr;

/** Register offset: option<1> = 0 would extend from a byte or halfword. */
export const isBadIndexOption = (f: Fields): boolean => (f.option & 2) === 0;

/** Sign-extending loads: there is no 64-bit source, and no 32-bit result from a word. */
export const isBadSignedLoad = (f: Fields): boolean => f.size === 3 || (f.size === 2 && f.opc === 1);

/** PSTATE fields of Armv8.0 that MSR (immediate) writes: SPSel, DAIFSet, DAIFClr. */
export const hasPstateField = (f: Fields): boolean =>
  (f.op1 === 0 && f.op2 === 5) || (f.op1 === 3 && (f.op2 === 6 || f.op2 === 7));
