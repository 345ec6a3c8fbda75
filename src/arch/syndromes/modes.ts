/** M[4:0] of SPSR_ELx and of PSTATE as the debugger shows it. */

export const modes: Readonly<Record<number, string>> = {
  0: 'EL0t',
  4: 'EL1t',
  5: 'EL1h',
  8: 'EL2t',
  9: 'EL2h',
  12: 'EL3t',
  13: 'EL3h',
  16: 'User (AArch32)',
  17: 'FIQ (AArch32)',
  18: 'IRQ (AArch32)',
  19: 'Supervisor (AArch32)',
  22: 'Monitor (AArch32)',
  23: 'Abort (AArch32)',
  26: 'Hyp (AArch32)',
  27: 'Undefined (AArch32)',
  31: 'System (AArch32)',
};

/** Name of a mode number; 'reserved' for those that an ERET makes an illegal exception return of. */
export const modeName = (m: number): string => modes[m & 0x1f] ?? 'reserved';
