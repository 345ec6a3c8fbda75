/** Names of system registers and operations from their tables, as the disassembler's options take them. */

import { operationByKey, operationKey } from '../../arch/sysops';
import { encodingKey, registerNameOf } from '../../arch/sysregs';
import type { DisassembleOptions } from './context';

export const systemNames: Pick<DisassembleOptions, 'sysregName' | 'sysOpName'> = {
  sysregName: (...encoding) => registerNameOf(encodingKey(encoding)),
  sysOpName: (...encoding) => {
    const row = operationByKey(operationKey(encoding));
    return row && { name: row.name.toLowerCase(), register: row.operand !== 'none' };
  },
};
