/** Attributes that an entry inherits: a concrete entry points to its abstract origin or to the declaration it completes. */

import type { SourcePosition } from '../debugModel';
import { AT } from './constants';
import type { DebugFile } from './debugFile';
import type { Die } from './unit';
import type { Units } from './units';

const MAX_HOPS = 8;

/** The entry itself, then what it inherits from. @throws Malformed */
export function lineage(file: DebugFile, die: Die): Die[] {
  const result = [die];
  for (let at: Die | undefined = die; at !== undefined && result.length < MAX_HOPS; ) {
    at = file.reference(at, AT.abstractOrigin) ?? file.reference(at, AT.specification);
    if (at !== undefined) result.push(at);
  }
  return result;
}

/** The first entry of the lineage that has the attribute. @throws Malformed */
export const holder = (file: DebugFile, die: Die, name: number): Die | undefined =>
  die.has(name) ? die : lineage(file, die).find((other) => other.has(name));

/** @throws Malformed */
export function nameOf(file: DebugFile, die: Die): string {
  const owner = holder(file, die, AT.name);
  return owner === undefined ? '' : (file.text(owner, AT.name) ?? '');
}

/** Position by a file, line and column attribute that stand on one entry. */
export function positionOf(
  units: Units,
  die: Die,
  names: { file: number; line: number; column: number },
): SourcePosition | undefined {
  const line = die.number(names.line);
  const file = units.of(die.unit)?.filePath(die.number(names.file) ?? -1);
  if (line === undefined || file === undefined) return undefined;
  return { file, line, column: die.number(names.column) ?? 0 };
}

/** Where an entry was declared. @throws Malformed */
export function declaredAt(units: Units, die: Die): SourcePosition | undefined {
  const owner = holder(units.file, die, AT.declLine);
  if (owner === undefined) return undefined;
  // A concrete entry may restate the line only: the file is then its origin's.
  const own = positionOf(units, owner, { file: AT.declFile, line: AT.declLine, column: AT.declColumn });
  if (own !== undefined) return own;
  const fileOwner = holder(units.file, die, AT.declFile);
  const file = fileOwner && units.of(fileOwner.unit)?.filePath(fileOwner.number(AT.declFile) ?? -1);
  return file === undefined ? undefined : { file, line: owner.number(AT.declLine) ?? 0, column: 0 };
}
