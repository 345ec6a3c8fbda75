/**
 * The word of the core block that says all about pointer authentication at the current level but keys and masks; cpu/pauth.ts
 * keeps it, generated code reads it.
 */
export const PauthFlag = {
  /** SCTLR_ELx.EnIA, EnIB, EnDA, EnDB by number of the key. */
  enabled: 1,
  /** The upper and lower range are told apart by bit 55 of a pointer to instructions / data, else by bit 63. */
  instructionsBy55: 1 << 4,
  dataBy55: 1 << 5,
  /** Level that traps all of it, in two bits: 0, 2 or 3. */
  trapShift: 6,
  trap: 3 << 6,
  /** Features of the core. */
  EPAC: 1 << 8,
  PAuth2: 1 << 9,
  FPAC: 1 << 10,
  FPACCOMBINE: 1 << 11,
  /** The algorithm is the IMPLEMENTATION DEFINED one. */
  IMP: 1 << 12,
} as const;
