/**
 * The system register table and its look-ups. A register's index here is its storage index in the core's state block
 * (coreLayout.system), so rows stand in order of encoding and there are at most 640.
 */
import { aliasesOf, redirections } from './aliases';
import { cacheRows } from './cache';
import { controlRows } from './control';
import { debugRows } from './debug';
import { exceptionRows } from './exception';
import { floatingPointRows } from './floatingPoint';
import { identificationRows } from './identification';
import { implementationDefinedRows } from './implementationDefined';
import { interruptRows } from './interrupt';
import { keyRows } from './keys';
import { namedRegisters } from './named';
import { performanceRows } from './performance';
import { timerRows } from './timer';
import { translationRows } from './translation';
import type { Encoding, SystemRegisterRow } from './types';

export * from './types';

/** The 16-bit key op0<<14 | op1<<11 | CRn<<7 | CRm<<3 | op2, as in bits [20:5] of MRS and MSR. */
export const encodingKey = ([op0, op1, CRn, CRm, op2]: Encoding): number =>
  (op0 << 14) | (op1 << 11) | (CRn << 7) | (CRm << 3) | op2;

/** Rows in the order in which they are written, group by group. */
export const unsortedRows: readonly SystemRegisterRow[] = [
  ...identificationRows,
  ...cacheRows,
  ...controlRows,
  ...translationRows,
  ...keyRows,
  ...exceptionRows,
  ...floatingPointRows,
  ...timerRows,
  ...debugRows,
  ...performanceRows,
  ...interruptRows,
  ...implementationDefinedRows,
];

/** All implemented registers, by encoding. */
export const systemRegisters: readonly SystemRegisterRow[] = [...unsortedRows].sort(
  (a, b) => encodingKey(a.encoding) - encodingKey(b.encoding),
);

/** Number of system registers that the core's state block has room for. */
export const MAX_SYSTEM_REGISTERS = 640;

const indexByKey = new Int16Array(65536).fill(-1);
const indexByName = new Map<string, number>();
systemRegisters.forEach((row, index) => {
  indexByKey[encodingKey(row.encoding)] = index;
  indexByName.set(row.name, index);
});

/** Index of the register with this 16-bit key, or -1: not implemented, the access is UNDEFINED. */
export const byEncoding = (key: number): number => indexByKey[key & 0xffff];

/** Index of the register of this name ('SCTLR_EL1'), or -1. */
export const byName = (name: string): number => indexByName.get(name) ?? -1;

/** Names that reach other registers while HCR_EL2.E2H is set. */
export const registerAliases = aliasesOf((name) => systemRegisters[byName(name)].encoding);

const aliasByKey = new Int16Array(65536).fill(-1);
for (const alias of registerAliases) aliasByKey[encodingKey(alias.encoding)] = byName(alias.of);
const redirected = Int16Array.from(systemRegisters, () => -1);
for (const [from, to] of redirections) redirected[byName(from)] = byName(to);

/** Index of the register that an EL12 or EL02 name with this key reaches, or -1. */
export const aliasedBy = (key: number): number => aliasByKey[key & 0xffff];

/** Index of the register that a host reaches by the name of another, or -1. */
export const redirectedTo = (index: number): number => redirected[index];

const names = new Map(
  [...namedRegisters, ...systemRegisters, ...registerAliases].map(
    (row) => [encodingKey(row.encoding), row.name] as const,
  ),
);

/** The name of the register with this 16-bit key, implemented or not; undefined where the manual gives none. */
export const registerNameOf = (key: number): string | undefined => names.get(key & 0xffff);
