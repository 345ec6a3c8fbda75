/** The row type of DC, IC, AT and TLBI operations (SYS instructions): encoding, scope, who may use it, what traps it. */
import type { TrapRule } from '../sysregs/types';

/** op0 is 1. */
export type OperationEncoding = readonly [op1: number, CRn: number, CRm: number, op2: number];

export interface SystemOperationRow {
  readonly name: string; // 'DC CVAU', 'IC IVAU', 'TLBI VMALLE1IS', 'AT S1E1R'
  readonly kind: 'DC' | 'IC' | 'AT' | 'TLBI';
  readonly encoding: OperationEncoding;
  readonly section: string;
  /** Lowest EL that may use it; below it the instruction is UNDEFINED. */
  readonly el: 0 | 1 | 2 | 3;
  readonly operand: 'none' | 'va' | 'setway' | 'asid' | 'va+asid' | 'ipa' | 'range';
  /** Trap rules in the order in which they are checked; the rules of traps in sysregs/types.ts hold. */
  readonly traps?: readonly TrapRule[];
  /** For DC/IC: what happens to the line and to which point; IC ALL* have operand none. */
  readonly action?: 'clean' | 'invalidate' | 'clean+invalidate' | 'zero';
  readonly to?: 'PoU' | 'PoC' | 'PoP';
  /** Inner Shareable broadcast (the …IS forms); HCR_EL2.FB upgrades are the executor's business. */
  readonly shareable?: boolean;
  /** The row that this operation becomes under HCR_EL2.FB (EL1's local TLBI and IC IALLU). */
  readonly broadcastAs?: string;
  /** For TLBI / AT: regime and stage. TLBI: stage 1, 2 (by IPA), or 12 (both). */
  readonly regime?: 'EL1&0' | 'EL2' | 'EL3' | 'EL0';
  readonly stage?: 1 | 2 | 12;
  /** TLBI of all entries of the regime, whatever VMID (ALLE1) rather than of the current VMID (VMALLE1). */
  readonly allVmids?: boolean;
  /** TLBI: the operand has an ASID in 63:48; of EL2's, which have one in regimes with EL0 (HCR_EL2.E2H). */
  readonly asid?: boolean;
  readonly lastLevel?: boolean;
  readonly write?: boolean; // AT …W
  readonly feature?: string;
  readonly status: 'done' | 'partial' | 'unimplemented';
  /** Required unless the status is done. */
  readonly note?: string;
}
