/** The row type of DC, IC, AT and TLBI operations (SYS instructions): encoding, scope, who may use it, what traps it. */
import type { TrapRule } from '../sysregs/types';

export interface SystemOperationRow {
  readonly name: string; // 'DC CVAU', 'IC IVAU', 'TLBI VMALLE1IS', 'AT S1E1R'
  readonly kind: 'DC' | 'IC' | 'AT' | 'TLBI';
  readonly encoding: readonly [op1: number, CRn: number, CRm: number, op2: number]; // op0 = 1
  readonly section: string;
  /** Lowest EL that may use it; below it the instruction is UNDEFINED. */
  readonly el: 0 | 1 | 2 | 3;
  readonly operand: 'none' | 'va' | 'setway' | 'asid' | 'va+asid' | 'ipa' | 'range';
  readonly traps?: readonly TrapRule[];
  /** For DC/IC: what happens to the line and to which point; IC ALL* have operand none. */
  readonly action?: 'clean' | 'invalidate' | 'clean+invalidate' | 'zero';
  readonly to?: 'PoU' | 'PoC' | 'PoP';
  /** Inner Shareable broadcast (the …IS forms); HCR_EL2.FB upgrades are the executor's business. */
  readonly shareable?: boolean;
  /** For TLBI / AT: regime and stage. */
  readonly regime?: 'EL1&0' | 'EL2' | 'EL3' | 'EL0';
  readonly stage?: 1 | 2 | 12;
  readonly lastLevel?: boolean;
  readonly write?: boolean; // AT …W
  readonly feature?: string;
  readonly status: 'done' | 'partial' | 'unimplemented';
}
