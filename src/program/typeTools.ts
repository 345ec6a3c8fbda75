/** What is asked of C types everywhere: size, the type behind typedefs and qualifiers, and its C spelling. */

import type { CType, FunctionType, Member, RecordType } from './types';

/** Longest chain of typedefs, qualifiers and derived types that is followed. */
const MAX_CHAIN = 64;
/** Steps that the spelling of one type may take. */
const MAX_SPELLED = 100;

export const VOID: CType = { kind: 'void' };

/** The type behind typedefs and qualifiers; unknown when the chain does not end. */
export function strip(type: CType): Exclude<CType, { kind: 'alias' }> {
  let at = type;
  for (let i = 0; i < MAX_CHAIN; i++) {
    if (at.kind !== 'alias') return at;
    at = at.target;
  }
  return { kind: 'unknown', name: 'endless typedef', size: 0 };
}

/** Size in bytes; 0 for void, functions, incomplete types and arrays of unknown length. */
export function sizeOf(type: CType): number {
  const plain = strip(type);
  switch (plain.kind) {
    case 'void':
    case 'function':
      return 0;
    case 'array': {
      const size = (plain.count ?? 0) * plain.stride;
      return Number.isSafeInteger(size) ? size : 0;
    }
    default:
      return plain.size;
  }
}

/** C spelling of a type, with a declarator in its place: `int (*name)(char)`, `char [16]`. */
export function spell(type: CType, declarator = ''): string {
  return spellPart(type, declarator, { left: MAX_SPELLED });
}

/** `budget` counts down over the whole spelling, so that types of types of themselves come to an end. */
function spellPart(type: CType, declarator: string, budget: { left: number }): string {
  let inner = declarator;
  let at = type;
  let qualifiers = '';
  while (budget.left-- > 0) {
    switch (at.kind) {
      case 'pointer': {
        const sign = at.flavour === 'pointer' ? '*' : '&';
        inner = `${sign}${qualifiers === '' ? '' : `${qualifiers.trimEnd()} `}${inner}`.trimEnd();
        qualifiers = '';
        at = at.target;
        if (at.kind === 'array' || at.kind === 'function') inner = `(${inner})`;
        break;
      }
      case 'array':
        inner = `${inner}[${at.count ?? ''}]`;
        at = at.element;
        break;
      case 'function':
        inner = `${inner}(${spellParameters(at, budget)})`;
        at = at.returns;
        break;
      case 'alias':
        if (at.flavour === 'typedef') return place(`${qualifiers}${at.name}`, inner);
        qualifiers = `${at.flavour === 'atomic' ? '_Atomic' : at.flavour} ${qualifiers}`;
        at = at.target;
        break;
      default:
        return place(`${qualifiers}${baseName(at)}`, inner);
    }
  }
  return place('…', inner);
}

const place = (base: string, declarator: string): string => (declarator === '' ? base : `${base} ${declarator}`);

function spellParameters(type: FunctionType, budget: { left: number }): string {
  if (budget.left <= 0) return '…';
  const parameters = type.parameters.slice(0, 32).map((parameter) => spellPart(parameter, '', budget));
  if (type.variadic) parameters.push('...');
  return parameters.length === 0 ? 'void' : parameters.join(', ');
}

function baseName(type: Exclude<CType, { kind: 'alias' | 'pointer' | 'array' | 'function' }>): string {
  switch (type.kind) {
    case 'void':
      return 'void';
    case 'record':
      return `${type.keyword} ${type.name || '{...}'}`;
    case 'enum':
      return `enum ${type.name || '{...}'}`;
    default:
      return type.name || '<unknown type>';
  }
}

/** A base type's name as C programmers write it: `long unsigned int` is `unsigned long`. Other names stay as they are. */
export function commonName(name: string): string {
  const words = name.trim().split(/\s+/);
  if (!words.every((word) => /^(unsigned|signed|short|long|int|char)$/.test(word))) return words.join(' ');
  const count = (word: string): number => words.filter((w) => w === word).length;
  const size =
    count('short') > 0
      ? 'short'
      : Array<string>(Math.min(count('long'), 2))
          .fill('long')
          .join(' ');
  const isChar = count('char') > 0;
  const sign = count('unsigned') > 0 ? 'unsigned' : isChar && count('signed') > 0 ? 'signed' : '';
  const base = isChar ? 'char' : size === '' ? 'int' : '';
  return [sign, size, base].filter((part) => part !== '').join(' ');
}

/** A member by name, looking into anonymous members and base classes; `offset` is from the start of `record`. */
export function findMember(record: RecordType, name: string, depth = 0): Member | undefined {
  if (depth > 16) return undefined;
  const direct = record.members.find((member) => member.name === name && !member.inherited);
  if (direct !== undefined) return direct;
  for (const member of record.members) {
    if (member.name !== '' && !member.inherited) continue;
    const inner = strip(member.type);
    const found = inner.kind === 'record' ? findMember(inner, name, depth + 1) : undefined;
    if (found !== undefined) return { ...found, offset: found.offset + member.offset };
  }
  return undefined;
}
