/**
 * Fields of system registers by name ('CTR_EL0.IminLine'), from the architecture's table: bit positions are nowhere else.
 * Values are 64-bit BigInts; nothing here runs per instruction.
 */
import { byName, type RegisterField, systemRegisters } from '../arch/sysregs';
import { fieldMask } from '../arch/sysregs/masks';
import { bug } from '../base/errors';

const found = new Map<string, RegisterField>();

/** The field of a name such as 'CLIDR_EL1.LoC'; a name that the table lacks is a bug. */
export function fieldOf(name: string): RegisterField {
  const known = found.get(name);
  if (known !== undefined) return known;
  const [register, field] = name.split('.');
  const row = systemRegisters[byName(register)] ?? bug(`register ${register}`);
  const result = row.fields.find((candidate) => candidate.name === field) ?? bug(`field ${name}`);
  found.set(name, result);
  return result;
}

export const maskOf = (name: string): bigint => fieldMask(fieldOf(name));

/** The mask of several fields of a register. */
export const masksOf = (register: string, ...fields: readonly string[]): bigint =>
  fields.reduce((all, field) => all | maskOf(`${register}.${field}`), 0n);

/** Bits hi to lo of a syndrome or the like. */
export const bitsOf = (value: bigint, hi: number, lo: number): number =>
  Number(BigInt.asUintN(hi - lo + 1, value >> BigInt(lo)));

/** Value of a field within a register's value. */
export const getField = (name: string, value: bigint): bigint => (value & maskOf(name)) >> BigInt(fieldOf(name).lo);

/** The register's value with one field set; bits that do not fit are a bug. */
export function setField(name: string, value: bigint, part: bigint): bigint {
  const mask = maskOf(name);
  const shifted = part << BigInt(fieldOf(name).lo);
  if ((shifted & ~mask) !== 0n) bug(`${part} does not fit ${name}`);
  return (value & ~mask) | shifted;
}

/** A register's value of named fields: compose('CLIDR_EL1', { LoC: 1n, Ctype1: 3n }). */
export const compose = (register: string, parts: Readonly<Record<string, bigint>>): bigint =>
  Object.entries(parts).reduce((value, [field, part]) => setField(`${register}.${field}`, value, part), 0n);

/** Bits of a register that are RES0 on every core; those that are UNKNOWN, as CCSIDR_EL1's [31:28], are not among them. */
export function reservedZeroMask(register: string): bigint {
  const row = systemRegisters[byName(register)] ?? bug(`register ${register}`);
  return row.fields.filter((field) => field.res === 0).reduce((mask, field) => mask | fieldMask(field), 0n);
}
