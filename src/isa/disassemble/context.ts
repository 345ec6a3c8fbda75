/** What an operand printer sees, and what callers may supply to name things. */

import type { Fields, InstructionRow } from '../../arch/instructions';

/** A DC, IC, AT or TLBI operation, e.g. `dc ivac`; `register` says whether it takes one. */
export interface SysOpName {
  readonly name: string;
  readonly register: boolean;
}

export interface DisassembleOptions {
  /** `name` or `name+0x..` for an address, printed after PC-relative addresses. */
  readonly symbol?: (address: bigint) => string | undefined;
  readonly sysregName?: (op0: number, op1: number, crn: number, crm: number, op2: number) => string | undefined;
  readonly sysOpName?: (op1: number, crn: number, crm: number, op2: number) => SysOpName | undefined;
}

export interface OperandContext {
  readonly row: InstructionRow;
  readonly f: Fields;
  readonly pc: bigint;
  readonly options: DisassembleOptions;
  /** Called by PC-relative operands. */
  readonly setTarget: (address: bigint) => void;
}

export type OperandPrinter = (c: OperandContext) => string;
