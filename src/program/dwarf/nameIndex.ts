/**
 * Names of a program's top-level functions, variables and types. Built by one pass over the top level of all units when the
 * first name is asked for.
 */

import { commonName } from '../typeTools';
import { AT, TAG } from './constants';
import type { Die, Unit } from './unit';
import type { CompileUnit, Units } from './units';

export interface IndexedEntry {
  /** Undefined for entries of type units. */
  readonly unit: CompileUnit | undefined;
  readonly dieUnit: Unit;
  readonly offset: number;
}

type Kind = 'functions' | 'variables' | 'types';

const kindOfTag: Readonly<Record<number, Kind>> = {
  [TAG.subprogram]: 'functions',
  [TAG.variable]: 'variables',
  [TAG.structureType]: 'types',
  [TAG.unionType]: 'types',
  [TAG.classType]: 'types',
  [TAG.enumerationType]: 'types',
  [TAG.typedef]: 'types',
  [TAG.baseType]: 'types',
};

/** Nested namespaces (C++, Rust) that are looked into. */
const MAX_NESTING = 16;

/** Key of a type's name: tags have a name space of their own in C. */
export const typeKey = (tag: number, name: string): string => {
  const keyword = { [TAG.structureType]: 'struct', [TAG.unionType]: 'union', [TAG.classType]: 'class' }[tag];
  return `${keyword ?? (tag === TAG.enumerationType ? 'enum' : '')} ${name}`;
};

export class NameIndex {
  private readonly maps = {
    functions: new Map<string, IndexedEntry[]>(),
    variables: new Map<string, IndexedEntry[]>(),
    types: new Map<string, IndexedEntry[]>(),
  };
  private built = false;

  constructor(private readonly units: Units) {}

  /** Entries of a name; for types, `typeKey`. Declarations without a definition are not listed. */
  find(kind: Kind, name: string): readonly IndexedEntry[] {
    if (!this.built) {
      this.built = true;
      for (const unit of this.units.list) {
        for (const die of topLevel(unit)) this.add(unit, die);
      }
      for (const die of this.units.file.signedTypes()) this.add(undefined, die);
    }
    return this.maps[kind].get(name) ?? [];
  }

  private add(unit: CompileUnit | undefined, die: Die): void {
    const kind = kindOfTag[die.tag];
    if (kind === undefined || die.flag(AT.declaration) || die.has(AT.signature)) return;
    const { problems } = this.units.file;
    const names = problems.guard('names', [], () => this.namesOf(die, kind));
    for (const name of names) {
      const same = this.maps[kind].get(name);
      const entry = { unit, dieUnit: die.unit, offset: die.offset };
      if (same === undefined) this.maps[kind].set(name, [entry]);
      else same.push(entry);
    }
  }

  private namesOf(die: Die, kind: Kind): string[] {
    const { file } = this.units;
    const origin = die.has(AT.name)
      ? die
      : (file.reference(die, AT.specification) ?? file.reference(die, AT.abstractOrigin) ?? die);
    const name = file.text(origin, AT.name) ?? '';
    if (kind === 'types')
      return name === '' ? [] : [typeKey(die.tag, die.tag === TAG.baseType ? commonName(name) : name)];
    const linkage = file.text(origin, AT.linkageName) ?? file.text(origin, AT.mipsLinkageName) ?? '';
    return [name, linkage].filter((text, i, all) => text !== '' && all.indexOf(text) === i);
  }
}

/** Top-level entries of a unit, with those of namespaces. */
export function topLevel(unit: CompileUnit): Die[] {
  const result: Die[] = [];
  const walk = (dies: readonly Die[], depth: number): void => {
    for (const die of dies) {
      if (die.tag === TAG.namespace && depth < MAX_NESTING) walk(die.children(), depth + 1);
      else result.push(die);
    }
  };
  walk(unit.unit.root.children(), 0);
  return result;
}
