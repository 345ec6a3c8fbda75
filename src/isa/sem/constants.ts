/**
 * Tables that generated code reads: bytes that never change, in linear memory below everything else. The engine writes them
 * when it is made.
 */
import { bug } from '../../base/errors';

export interface ConstantTable {
  readonly length: number;
  readonly bytes: () => Uint8Array;
}

export const constantTables: Readonly<Record<string, ConstantTable>> = {};

/** The first bytes are nobody's: 0 is no address. */
const BASE = 64;
const ALIGNMENT = 16;
/** Where the tables end at the latest. */
export const CONSTANTS_END = 0x1000;

const addresses = new Map<string, number>();
let end = BASE;
for (const [name, table] of Object.entries(constantTables)) {
  addresses.set(name, end);
  end += Math.ceil(table.length / ALIGNMENT) * ALIGNMENT;
}
if (end > CONSTANTS_END) bug('too many constants');

/** Address of a table. */
export const constantAddress = (name: string): number => addresses.get(name) ?? bug(`constants ${name}`);

export function writeConstants(memory: Uint8Array): void {
  for (const [name, table] of Object.entries(constantTables)) memory.set(table.bytes(), constantAddress(name));
}
