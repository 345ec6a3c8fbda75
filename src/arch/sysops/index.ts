/** The table of system operations and its look-ups. The key is that of sysregs with op0 = 1. */
import { maintenanceRows } from './maintenance';
import { translationRows } from './translation';
import type { OperationEncoding, SystemOperationRow } from './types';

export * from './types';

/** The 16-bit key op0<<14 | op1<<11 | CRn<<7 | CRm<<3 | op2 with op0 = 1. */
export const operationKey = ([op1, CRn, CRm, op2]: OperationEncoding): number =>
  (1 << 14) | (op1 << 11) | (CRn << 7) | (CRm << 3) | op2;

/** All operations, by encoding; those with status 'unimplemented' are UNDEFINED. */
export const systemOperations: readonly SystemOperationRow[] = [...maintenanceRows, ...translationRows].sort(
  (a, b) => operationKey(a.encoding) - operationKey(b.encoding),
);

const rowByKey = new Map(systemOperations.map((row) => [operationKey(row.encoding), row]));
const rowByName = new Map(systemOperations.map((row) => [row.name, row]));

/** The operation with this 16-bit key. */
export const operationByKey = (key: number): SystemOperationRow | undefined => rowByKey.get(key & 0xffff);

/** The operation of this name ('DC CVAU'). */
export const operationByName = (name: string): SystemOperationRow | undefined => rowByName.get(name);
