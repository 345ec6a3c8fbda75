/** Names of system registers and operations for the disassembler, from the tables. */
import { operationByKey, operationKey } from '../arch/sysops';
import { byEncoding, encodingKey, systemRegisters } from '../arch/sysregs';
import type { DisassembleOptions } from '../isa';

/** What the disassembler asks for, but for symbols. */
export const systemNames: DisassembleOptions = {
  sysregName(op0, op1, CRn, CRm, op2) {
    const index = byEncoding(encodingKey([op0, op1, CRn, CRm, op2]));
    return index < 0 ? undefined : systemRegisters[index].name.toLowerCase();
  },
  sysOpName(op1, CRn, CRm, op2) {
    const row = operationByKey(operationKey([op1, CRn, CRm, op2]));
    return row && { name: row.name.toLowerCase(), register: row.operand !== 'none' };
  },
};
