/**
 * C paths: `p->next[2].x`, `*p`, `&a.b`, `(struct node *)0x40201000`, `((struct node *)x0)->next`, `*(p + 1)`, `sizeof(*p)`.
 * Not an expression language: arithmetic is what moves a pointer, everything else belongs to the session's own expressions.
 */

import { UserError } from '../base/errors';
import type { DebugInfo, EvaluationPort, Scope, Variable } from './debugModel';
import { bytesOf } from './dwarf/operands';
import { parseNumber } from './encode';
import { elementOf } from './format';
import { addressOf, isMissing, readInteger } from './objects';
import type { CType } from './types';
import { commonName, findMember, sizeOf, spell, strip } from './typeTools';
import type { PathScope, TypedObject } from './valueModel';
import { memberOf, pointedTo } from './values';

const MAX_TEXT = 1000;
const MAX_DEPTH = 64;
const LONG: CType = { kind: 'base', name: 'long', size: 8, encoding: 'signed' };
const UNSIGNED: Readonly<Record<number, CType>> = {
  4: { kind: 'base', name: 'unsigned int', size: 4, encoding: 'unsigned' },
  8: { kind: 'base', name: 'unsigned long', size: 8, encoding: 'unsigned' },
};

/**
 * What a C path means in a scope: an object, or a computed value (its location is then of kind `value`).
 * @throws UserError `path.*`
 */
export function resolvePath(scope: PathScope, text: string): TypedObject {
  return new PathParser(scope, text).parse();
}

/**
 * Scopes of one shown frame, innermost first. At a pc inside of inlined copies there are several frames: `level` 0 is the
 * innermost copy, the last one the concrete function (the order of `callChainAt`).
 */
export function frameScopes(debug: DebugInfo, pc: bigint, level = 0): readonly Scope[] {
  let at = 0;
  return debug.scopesAt(pc).filter((scope) => {
    const mine = at === level;
    if (scope.kind !== 'block') at++;
    return mine;
  });
}

/** Names seen from a stopped frame: locals from the innermost block outwards, the file's globals, then the program's. */
export function frameScope(debug: DebugInfo, pc: bigint, port: EvaluationPort, level = 0): PathScope {
  const find = (name: string): Variable | undefined => {
    for (const scope of frameScopes(debug, pc, level)) {
      const local = scope.variables.find((variable) => variable.name === name);
      if (local !== undefined) return local;
    }
    return debug.globalsNamed(name, pc)[0];
  };
  return { pc, port, variable: find, typeNamed: (name) => debug.typeNamed(name, pc) };
}

const TOKEN =
  /\s*(?:(->|[.[\]()*&+-])|([A-Za-z_$][\w$]*(?:::[A-Za-z_$][\w$]*)*)|(0[xX][0-9a-fA-F]+|\d+)[uUlL]*|('(?:\\.|[^'\\])+'))/y;

interface Token {
  readonly kind: 'sign' | 'name' | 'number';
  readonly text: string;
}

function tokenize(text: string): Token[] {
  const fail = (what: string): never => {
    throw new UserError('path.syntax', { text: text.slice(0, 80), what });
  };
  if (text.length > MAX_TEXT) fail('it is too long');
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) return fail(`"${text.slice(at).trim().slice(0, 10)}" is not understood`);
    const [, sign, name, number, character] = match;
    if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else tokens.push({ kind: 'number', text: number ?? character });
  }
  if (tokens.length === 0) fail('it is empty');
  return tokens;
}

class PathParser {
  private readonly tokens: readonly Token[];
  private at = 0;
  private depth = 0;

  constructor(
    private readonly scope: PathScope,
    private readonly text: string,
  ) {
    this.tokens = tokenize(text);
  }

  parse(): TypedObject {
    const result = this.sum();
    if (this.at < this.tokens.length) this.fail(`"${this.tokens[this.at].text}" is not expected`);
    return result;
  }

  private fail(what: string): never {
    throw new UserError('path.syntax', { text: this.text.slice(0, 80), what });
  }

  private isSign(...signs: string[]): boolean {
    const token = this.tokens[this.at];
    return token?.kind === 'sign' && signs.includes(token.text);
  }

  private isName(text: string): boolean {
    const token = this.tokens[this.at];
    return token?.kind === 'name' && token.text === text;
  }

  private accept(sign: string): boolean {
    if (!this.isSign(sign)) return false;
    this.at++;
    return true;
  }

  private expect(sign: string): void {
    if (!this.accept(sign)) this.fail(`"${sign}" is missing`);
  }

  private name(): string {
    const token = this.tokens[this.at++];
    if (token?.kind !== 'name') this.fail('a name is missing');
    return token.text;
  }

  /** Text of the tokens from `start` to here, for messages. */
  private since(start: number): string {
    return this.tokens
      .slice(start, this.at)
      .map((token) => token.text)
      .join('');
  }

  private sum(): TypedObject {
    const start = this.at;
    let left = this.unary();
    while (this.isSign('+', '-')) {
      const sign = this.tokens[this.at++].text === '+' ? 1n : -1n;
      const right = this.number(this.unary(), this.since(start));
      left = this.moved(left, sign * right, this.since(start));
    }
    return left;
  }

  /** A pointer some elements further, or an integer plus another. */
  private moved(object: TypedObject, by: bigint, text: string): TypedObject {
    const type = this.decayed(object, text);
    const plain = strip(type.type);
    const step = plain.kind === 'pointer' ? BigInt(sizeOf(plain.target) || 1) : 1n;
    const value = this.number(type, text) + by * step;
    const resultType = plain.kind === 'pointer' ? type.type : LONG;
    return { type: resultType, location: { kind: 'value', bytes: bytesOf(value, 8) }, offset: 0 };
  }

  /** An array as a pointer to its first element; other objects as they are. */
  private decayed(object: TypedObject, text: string): TypedObject {
    const plain = strip(object.type);
    if (plain.kind !== 'array') return object;
    const type: CType = { kind: 'pointer', flavour: 'pointer', size: 8, target: plain.element };
    return { type, location: { kind: 'value', bytes: bytesOf(this.address(object, text), 8) }, offset: 0 };
  }

  private number(object: TypedObject, text: string): bigint {
    const { kind } = strip(object.type);
    if (kind !== 'base' && kind !== 'enum' && kind !== 'pointer') {
      throw new UserError('path.notNumber', { text, type: spell(object.type) });
    }
    const value = readInteger(object, this.scope.port);
    if (isMissing(value)) throw new UserError('path.unavailable', { text, why: value.missing });
    return value;
  }

  private address(object: TypedObject, text: string): bigint {
    const address = addressOf(object);
    if (address === undefined) {
      const { location } = object;
      if (location.kind === 'unavailable') throw new UserError('path.unavailable', { text, why: location.reason });
      throw new UserError('path.noAddress', { text });
    }
    return address;
  }

  private unary(): TypedObject {
    if (++this.depth > MAX_DEPTH) this.fail('it is nested too deep');
    const result = this.unaryInner();
    this.depth--;
    return result;
  }

  private unaryInner(): TypedObject {
    const start = this.at;
    if (this.accept('*')) {
      const object = this.unary();
      return this.pointee(object, this.since(start + 1));
    }
    if (this.accept('&')) {
      const object = this.unary();
      const bytes = bytesOf(this.address(object, this.since(start + 1)), 8);
      const type: CType = { kind: 'pointer', flavour: 'pointer', size: 8, target: object.type };
      return { type, location: { kind: 'value', bytes }, offset: 0 };
    }
    if (this.accept('-')) {
      const value = -this.number(this.unary(), this.since(start));
      return { type: LONG, location: { kind: 'value', bytes: bytesOf(value, 8) }, offset: 0 };
    }
    if (this.isName('sizeof')) return this.size();
    const cast = this.castType();
    return cast === undefined ? this.postfix() : this.cast(cast);
  }

  /** `sizeof(type)` or `sizeof` of an object. */
  private size(): TypedObject {
    this.at++;
    const type = this.castType(true) ?? this.unary().type;
    return { type: UNSIGNED[8], location: { kind: 'value', bytes: bytesOf(BigInt(sizeOf(type)), 8) }, offset: 0 };
  }

  private pointee(object: TypedObject, text: string): TypedObject {
    const plain = strip(object.type);
    if (plain.kind === 'array') return elementOf(object, plain, 0);
    if (plain.kind !== 'pointer') throw new UserError('path.notPointer', { text, type: spell(object.type) });
    return pointedTo(plain, this.number(object, text));
  }

  /** `(type *)`: leaves the position where it was unless that is what stands here, before an operand or (`alone`) without. */
  private castType(alone = false): CType | undefined {
    const start = this.at;
    if (!this.accept('(')) return undefined;
    const words: string[] = [];
    while (this.tokens[this.at]?.kind === 'name') words.push(this.tokens[this.at++].text);
    let stars = 0;
    while (this.accept('*')) stars++;
    const closed = this.accept(')');
    const follows = this.tokens[this.at];
    const name = words.filter((word) => word !== 'const' && word !== 'volatile').join(' ');
    const type = closed && name !== '' && (alone || follows !== undefined) ? this.namedType(name, stars) : undefined;
    if (type === undefined) {
      this.at = start;
      return undefined;
    }
    let result = type;
    for (let i = 0; i < stars; i++) result = { kind: 'pointer', flavour: 'pointer', size: 8, target: result };
    return result;
  }

  private namedType(name: string, stars: number): CType | undefined {
    if (name === 'void' && stars > 0) return { kind: 'void' };
    // A variable in parentheses is no cast; C has one name space for both.
    const isKeyword = /^(struct|union|enum|class) /.test(name);
    if (!isKeyword && this.scope.variable(name) !== undefined) return undefined;
    const type = this.scope.typeNamed?.(name) ?? builtinType(name);
    if (type === undefined && (isKeyword || stars > 0)) throw new UserError('path.noType', { name });
    return type;
  }

  private cast(type: CType): TypedObject {
    const start = this.at;
    const object = this.unary();
    const text = this.since(start);
    const { kind } = strip(type);
    if (kind !== 'base' && kind !== 'enum' && kind !== 'pointer') {
      throw new UserError('path.notNumber', { text: `(${spell(type)})`, type: spell(type) });
    }
    const value = this.number(this.decayed(object, text), text);
    return { type, location: { kind: 'value', bytes: bytesOf(value, sizeOf(type) || 8) }, offset: 0 };
  }

  private postfix(): TypedObject {
    const start = this.at;
    let object = this.primary();
    for (;;) {
      const text = this.since(start);
      if (this.accept('.')) object = this.member(object, this.name(), text);
      else if (this.accept('->')) object = this.member(this.pointee(object, text), this.name(), `*${text}`);
      else if (this.accept('[')) {
        const index = this.number(this.sum(), this.since(start));
        this.expect(']');
        object = this.element(object, index, text);
      } else return object;
    }
  }

  private member(object: TypedObject, name: string, text: string): TypedObject {
    let plain = strip(object.type);
    let owner = object;
    if (plain.kind === 'pointer' && plain.flavour === 'reference') {
      owner = this.pointee(object, text);
      plain = strip(owner.type);
    }
    if (plain.kind !== 'record') throw new UserError('path.notRecord', { text, type: spell(object.type) });
    const member = findMember(plain, name);
    if (member === undefined) throw new UserError('path.noMember', { type: spell(object.type), name });
    return memberOf(owner, member);
  }

  private element(object: TypedObject, index: bigint, text: string): TypedObject {
    const plain = strip(object.type);
    const within = plain.kind === 'array' && index >= 0n && index < BigInt(plain.count ?? 0);
    // Inside of the array it may lie in registers or pieces; beyond it only memory makes sense.
    if (within && plain.kind === 'array') return elementOf(object, plain, Number(index));
    const pointer = this.decayed(object, text);
    if (strip(pointer.type).kind !== 'pointer')
      throw new UserError('path.notPointer', { text, type: spell(object.type) });
    return this.pointee(this.moved(pointer, index, text), text);
  }

  private primary(): TypedObject {
    if (this.accept('(')) {
      const inner = this.sum();
      this.expect(')');
      return inner;
    }
    const token = this.tokens[this.at];
    if (token?.kind === 'number') {
      this.at++;
      const value = parseNumber(token.text);
      if (value === undefined) this.fail(`"${token.text}" is no number`);
      return { type: LONG, location: { kind: 'value', bytes: bytesOf(value, 8) }, offset: 0 };
    }
    const name = this.name();
    const variable = this.scope.variable(name);
    if (variable === undefined) return this.integer(name);
    const location = variable.locate(this.scope.pc, this.scope.port);
    return { type: variable.type, location, offset: 0 };
  }

  private integer(name: string): TypedObject {
    const found = this.scope.integer?.(name);
    if (found === undefined) throw new UserError('path.noName', { name });
    const { value, size } = found;
    return { type: UNSIGNED[size], location: { kind: 'value', bytes: bytesOf(value, size) }, offset: 0 };
  }
}

const builtins: Readonly<Record<string, readonly [size: number, encoding: 'signed' | 'unsigned' | 'unsignedChar']>> = {
  char: [1, 'unsignedChar'],
  'unsigned char': [1, 'unsignedChar'],
  short: [2, 'signed'],
  'unsigned short': [2, 'unsigned'],
  int: [4, 'signed'],
  'unsigned int': [4, 'unsigned'],
  long: [8, 'signed'],
  'unsigned long': [8, 'unsigned'],
  int8_t: [1, 'signed'],
  uint8_t: [1, 'unsigned'],
  int16_t: [2, 'signed'],
  uint16_t: [2, 'unsigned'],
  int32_t: [4, 'signed'],
  uint32_t: [4, 'unsigned'],
  int64_t: [8, 'signed'],
  uint64_t: [8, 'unsigned'],
};

/** Types that can be cast to even if the program does not use them (AAPCS64 sizes). */
function builtinType(name: string): CType | undefined {
  const plain = commonName(name);
  const row = Object.hasOwn(builtins, plain) ? builtins[plain] : undefined;
  return row && { kind: 'base', name: plain, size: row[0], encoding: row[1] };
}
