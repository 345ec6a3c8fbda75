/**
 * Types from debugging information entries. Each entry becomes one object, made when first asked for; what it refers to is
 * read when its getters are used. Broken entries become `unknown` types and a problem.
 */

import { Malformed } from '../reader';
import type { AliasType, ArrayType, BaseEncoding, CType, EnumType, FunctionType, Member, RecordType } from '../types';
import { commonName, sizeOf, strip, VOID } from '../typeTools';
import { AT, ENCODING, TAG } from './constants';
import type { DebugFile } from './debugFile';
import { evaluateLocation } from './expression';
import { bareContext } from './expressionContext';
import type { Die } from './unit';

const MAX_MEMBERS = 20_000;
/** Pointers deep; only malformed data nests array types deeper. */
const MAX_DIMENSIONS = 32;

/** Finds the definition of a record or enum that a unit only declares. */
export type FindDefinition = (tag: number, name: string) => Die | undefined;

const encodings: Readonly<Record<number, BaseEncoding>> = {
  [ENCODING.address]: 'address',
  [ENCODING.boolean]: 'bool',
  [ENCODING.float]: 'float',
  [ENCODING.signed]: 'signed',
  [ENCODING.signedChar]: 'char',
  [ENCODING.unsigned]: 'unsigned',
  [ENCODING.unsignedChar]: 'unsignedChar',
  [ENCODING.utf]: 'utf',
};

const aliases: Readonly<Record<number, AliasType['flavour']>> = {
  [TAG.typedef]: 'typedef',
  [TAG.constType]: 'const',
  [TAG.volatileType]: 'volatile',
  [TAG.restrictType]: 'restrict',
  [TAG.atomicType]: 'atomic',
};

const records: Readonly<Record<number, RecordType['keyword']>> = {
  [TAG.structureType]: 'struct',
  [TAG.unionType]: 'union',
  [TAG.classType]: 'class',
};

export class TypeReader {
  private readonly cache = new Map<string, CType>();

  constructor(
    private readonly file: DebugFile,
    private readonly findDefinition: FindDefinition,
  ) {}

  /** The type that DW_AT_type of an entry names; void when it has none. */
  typeOf(die: Die): CType {
    return this.guard(() => {
      const target = this.file.reference(die, AT.type);
      return target === undefined ? VOID : this.read(target);
    });
  }

  /** The type that a type entry is. */
  read(die: Die): CType {
    const key = `${die.unit.header.section}${die.offset}`;
    let type = this.cache.get(key);
    if (type === undefined) {
      type = this.guard(() => this.make(die));
      this.cache.set(key, type);
    }
    return type;
  }

  private guard(body: () => CType): CType {
    return this.file.problems.guard<CType>('type', { kind: 'unknown', name: '<broken type>', size: 0 }, body);
  }

  private make(die: Die): CType {
    const keyword = records[die.tag];
    if (keyword !== undefined) return this.record(die, keyword);
    const flavour = aliases[die.tag];
    if (flavour !== undefined) return this.alias(die, flavour);
    const name = this.file.text(die, AT.name) ?? '';
    const size = die.number(AT.byteSize);
    switch (die.tag) {
      case TAG.baseType:
        return {
          kind: 'base',
          name: commonName(name),
          size: size ?? 0,
          encoding: encodings[die.number(AT.encoding) ?? 0] ?? 'other',
        };
      case TAG.pointerType:
      case TAG.referenceType:
      case TAG.rvalueReferenceType:
        return this.pointer(die, size ?? die.unit.header.addressSize);
      case TAG.arrayType:
        return this.array(die);
      case TAG.enumerationType:
        return this.enumeration(die);
      case TAG.subroutineType:
        return this.subroutine(die);
      case TAG.unspecifiedType:
        return VOID;
      default:
        return { kind: 'unknown', name: name || `<type of tag 0x${die.tag.toString(16)}>`, size: size ?? 0 };
    }
  }

  private alias(die: Die, flavour: AliasType['flavour']): CType {
    const reader = this;
    return {
      kind: 'alias',
      flavour,
      name: this.file.text(die, AT.name) ?? '',
      get target() {
        return reader.typeOf(die);
      },
    };
  }

  private pointer(die: Die, size: number): CType {
    const reader = this;
    return {
      kind: 'pointer',
      flavour: die.tag === TAG.pointerType ? 'pointer' : 'reference',
      size,
      get target() {
        return reader.typeOf(die);
      },
    };
  }

  private record(declared: Die, keyword: RecordType['keyword']): RecordType {
    const die = this.defined(declared);
    const name = this.file.text(die, AT.name) ?? '';
    const reader = this;
    let members: readonly Member[] | undefined;
    return {
      kind: 'record',
      keyword,
      name,
      size: die.number(AT.byteSize) ?? 0,
      incomplete: die.flag(AT.declaration),
      get members() {
        members ??= reader.file.problems.guard(`members of ${name}`, [], () => reader.members(die));
        return members;
      },
    };
  }

  /** The entry itself unless its definition stands elsewhere: in a type unit that it names, or under the same name. */
  private defined(die: Die): Die {
    const signed = this.file.reference(die, AT.signature);
    if (signed !== undefined) return signed;
    const name = die.flag(AT.declaration) ? this.file.text(die, AT.name) : undefined;
    return (name === undefined ? undefined : this.findDefinition(die.tag, name)) ?? die;
  }

  private members(die: Die): Member[] {
    const members: Member[] = [];
    for (const child of die.children()) {
      if (child.tag !== TAG.member && child.tag !== TAG.inheritance) continue;
      // Static members of C++ classes are declarations without a place in the object.
      if (child.flag(AT.declaration) || child.flag(AT.external)) continue;
      if (members.length >= MAX_MEMBERS) throw new Malformed('too many members');
      members.push(this.member(child));
    }
    return members;
  }

  private member(die: Die): Member {
    const type = this.typeOf(die);
    const name = this.file.text(die, AT.name) ?? '';
    const inherited = die.tag === TAG.inheritance;
    const start = this.memberOffset(die);
    const size = die.number(AT.bitSize);
    if (size === undefined) return { name, type, offset: start, inherited };
    const first = start * 8 + this.bitPosition(die, type, size);
    const offset = Math.floor(first / 8);
    return { name, type, offset, bits: { offset: first - offset * 8, size }, inherited };
  }

  private memberOffset(die: Die): number {
    const expression = die.bytes(AT.dataMemberLocation);
    if (expression === undefined) return Math.max(0, die.number(AT.dataMemberLocation) ?? 0);
    const port = {
      register: () => undefined,
      memory: () => undefined,
      cfa: () => undefined,
      frameBase: () => undefined,
    };
    const location = evaluateLocation(expression, port, bareContext, 0n);
    return location.kind === 'address' && location.address < 1n << 40n ? Number(location.address) : 0;
  }

  /** Least significant bit of a bit field, counted from the member's location. */
  private bitPosition(die: Die, type: CType, size: number): number {
    const direct = die.number(AT.dataBitOffset);
    if (direct !== undefined) return Math.max(0, direct);
    const fromTop = die.number(AT.bitOffset);
    if (fromTop === undefined) return 0;
    const storage = (die.number(AT.byteSize) ?? sizeOf(type)) * 8;
    return Math.max(0, storage - fromTop - size);
  }

  private array(die: Die): CType {
    const dimensions = die.children().filter((child) => child.tag === TAG.subrangeType);
    if (dimensions.length > MAX_DIMENSIONS) throw new Malformed('too many array dimensions');
    const counts = dimensions.map((dimension) => elementCount(dimension));
    if (counts.length === 0) counts.push(undefined);
    const bitStride = die.number(AT.bitStride);
    const stated = die.number(AT.byteStride) ?? (bitStride === undefined ? undefined : bitStride / 8);
    return this.dimension(die, counts, die.flag(AT.gnuVector), stated);
  }

  private dimension(die: Die, counts: readonly (number | undefined)[], vector: boolean, stated?: number): ArrayType {
    const reader = this;
    const [count, ...inner] = counts;
    let element: CType | undefined;
    let stride: number | undefined;
    const array: ArrayType = {
      kind: 'array',
      count,
      vector,
      get element() {
        element ??= inner.length === 0 ? reader.typeOf(die) : reader.dimension(die, inner, vector, stated);
        return element;
      },
      get stride() {
        if (stride === undefined) {
          // An array that contains itself (malformed data) finds 0 here on its way round.
          stride = 0;
          stride = inner.length === 0 && stated !== undefined ? stated : sizeOf(array.element);
        }
        return stride;
      },
    };
    return array;
  }

  private enumeration(declared: Die): EnumType {
    const die = this.defined(declared);
    const name = this.file.text(die, AT.name) ?? '';
    const size = Math.min(Math.max(die.number(AT.byteSize) ?? 4, 1), 16);
    const enumerators: { name: string; value: bigint }[] = [];
    for (const child of die.children()) {
      if (child.tag !== TAG.enumerator || enumerators.length >= MAX_MEMBERS) continue;
      const value = child.raw(AT.constValue);
      if (typeof value !== 'number' && typeof value !== 'bigint') continue;
      enumerators.push({ name: this.file.text(child, AT.name) ?? '', value: BigInt(value) });
    }
    const underlying = die.has(AT.type) ? strip(this.typeOf(die)) : undefined;
    const signed =
      underlying?.kind === 'base' ? underlying.encoding === 'signed' : enumerators.some(({ value }) => value < 0n);
    const normal = (value: bigint): bigint =>
      signed ? BigInt.asIntN(size * 8, value) : BigInt.asUintN(size * 8, value);
    return {
      kind: 'enum',
      name,
      size,
      signed,
      enumerators: enumerators.map((e) => ({ name: e.name, value: normal(e.value) })),
    };
  }

  private subroutine(die: Die): FunctionType {
    const reader = this;
    const children = die.children();
    return {
      kind: 'function',
      variadic: children.some((child) => child.tag === TAG.unspecifiedParameters),
      get returns() {
        return reader.typeOf(die);
      },
      get parameters() {
        return children.filter((child) => child.tag === TAG.formalParameter).map((child) => reader.typeOf(child));
      },
    };
  }
}

/** Elements of a dimension where the data states a number. */
function elementCount(dimension: Die): number | undefined {
  const count = dimension.number(AT.count);
  const upper = dimension.number(AT.upperBound);
  const n = count ?? (upper === undefined ? undefined : upper - (dimension.number(AT.lowerBound) ?? 0) + 1);
  return n === undefined || n < 0 || n > 2 ** 40 ? undefined : n;
}
