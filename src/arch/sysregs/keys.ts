/** Keys of pointer authentication: FEAT_PAuth. */
import { rowsOf, WHOLE } from './row';
import { PAUTH_KEY } from './traps';
import type { SystemRegisterRow } from './types';

const key = rowsOf({ group: 'control', read: 1, write: 1, reset: 0n, behaviour: 'storage' });

/** Name, what it authenticates, CRm, op2 of its low half. */
const keys = [
  ['APIA', 'A for Instruction', 1, 0],
  ['APIB', 'B for Instruction', 1, 2],
  ['APDA', 'A for Data', 2, 0],
  ['APDB', 'B for Data', 2, 2],
  ['APGA', 'A for Code', 3, 0],
] as const;

export const keyRows: readonly SystemRegisterRow[] = keys.flatMap(([name, what, CRm, op2]) =>
  (['Lo', 'Hi'] as const).map((half, i) =>
    key(
      `${name}Key${half}_EL1`,
      `3 0 2 ${CRm} ${op2 + i}`,
      `Pointer Authentication Key ${what} (bits[${i === 0 ? '63:0' : '127:64'}])`,
      WHOLE,
      { feature: 'FEAT_PAuth', traps: PAUTH_KEY },
    ),
  ),
);
