/**
 * What a change of a translation table descriptor means to a TLB entry that was made from it. Sections: VMSAv8-64 translation
 * table format descriptors; Using break-before-make when updating translation table entries.
 *
 * Not told apart from no change: the access flag, the dirty state (DBM), the Contiguous bit, what is left to software.
 */

const VALID = 1;
const TABLE = 2;
/** Output address or next table: bits 47:12. */
const ADDRESS_LO = 0xffff_f000;
const ADDRESS_HI = 0xffff;
/** AttrIndx (4:2) of stage 1, MemAttr (5:2) of stage 2. */
const MEMORY = [0, 0x1c, 0x3c] as const;
const SH = 3 << 8;

/** Stage 1, lower word: NS and nG; AP[1] gives EL0 access and takes execution at EL1 away; AP[2] is read only. */
const NS_AND_NG = (1 << 5) | (1 << 11);
const AP1 = 1 << 6;
const AP2 = 1 << 7;
/** Upper word: GP; UXN and PXN, which are XN[1:0] of stage 2; the limits of a table descriptor, bits 63:59. */
const GUARDED = 1 << 18;
const XN = 3 << 21;
const LIMITS = 0xf800_0000;
/** S2AP. */
const S2AP = 3 << 6;

/** A descriptor before and after, as walks read it: its upper and lower words. */
export interface Change {
  stage: 1 | 2;
  level: number;
  oldHi: number;
  oldLo: number;
  newHi: number;
  newLo: number;
}

const isValid = (level: number, lo: number): boolean => (lo & VALID) !== 0 && (level < 3 || (lo & TABLE) !== 0);
export const isTable = (level: number, lo: number): boolean => level < 3 && (lo & (VALID | TABLE)) === (VALID | TABLE);

const isMoved = ({ oldHi, oldLo, newHi, newLo }: Change): boolean =>
  ((newLo ^ oldLo) & ADDRESS_LO) !== 0 || ((newHi ^ oldHi) & ADDRESS_HI) !== 0;

/** A valid one became another valid one that asks for break-before-make: other address, memory type or block size. */
export function skipsBreak(c: Change): boolean {
  if (!isValid(c.level, c.newLo)) return false;
  const table = isTable(c.level, c.oldLo);
  if (table !== isTable(c.level, c.newLo) || isMoved(c)) return true;
  return !table && ((c.newLo ^ c.oldLo) & MEMORY[c.stage]) !== 0;
}

/** Any access gets another result: no longer valid, or another address, memory type or size. */
export const replaces = (c: Change): boolean => !isValid(c.level, c.newLo) || skipsBreak(c);

/** A stage 1 leaf that is closed to EL0: a page of the kernel's own. */
export const isOwn = (stage: number, level: number, lo: number): boolean =>
  stage === 1 && !isTable(level, lo) && (lo & AP1) === 0;

/** An entry made from the old one may give accesses what the new one does not: all but what gives more rights. */
export function outdates(c: Change): boolean {
  const { stage, level, oldHi, oldLo, newHi, newLo } = c;
  if (!isValid(level, newLo)) return true;
  const table = isTable(level, oldLo);
  if (table !== isTable(level, newLo) || isMoved(c)) return true;
  if (table) return stage === 1 && (newHi & ~oldHi & LIMITS) !== 0;
  if (((newLo ^ oldLo) & (MEMORY[stage] | SH)) !== 0) return true;
  if (stage === 2) return (oldLo & ~newLo & S2AP) !== 0 || (((newHi ^ oldHi) & XN) !== 0 && (newHi & XN) !== 0);
  if (((newLo ^ oldLo) & (NS_AND_NG | AP1)) !== 0 || (newLo & ~oldLo & AP2) !== 0) return true;
  return (newHi & ~oldHi & XN) !== 0 || ((newHi ^ oldHi) & GUARDED) !== 0;
}
