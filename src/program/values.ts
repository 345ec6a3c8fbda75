/**
 * Typed values as a tree: one node per line of a variables view, children made when asked for. Pointers to records open to
 * the record's members, other pointers to the one object that they point to.
 */

import type { EvaluationPort, Variable } from './debugModel';
import { elementOf, formatObject } from './format';
import { addressOf, isMissing, readInteger } from './objects';
import type { ArrayType, Member, PointerType, RecordType } from './types';
import { spell, strip } from './typeTools';
import type { FormatOptions, TypedObject, ValueNode } from './valueModel';

/** Most elements that one array node offers. */
const MAX_CHILDREN = 2 ** 31 - 1;

/** How the children of an object are made. */
interface Children {
  readonly count: number;
  readonly indexed: boolean;
  make(index: number): Child;
}

interface Child {
  readonly name: string;
  readonly path: string;
  readonly object: TypedObject;
  /** What goes before the names of its members, where that is not its path and a dot. */
  readonly prefix?: string;
}

const NO_CHILDREN: Children = {
  count: 0,
  indexed: false,
  make: () => {
    throw new RangeError('a value without children');
  },
};

/** The object that a variable is at `pc`. */
export const variableObject = (variable: Variable, pc: bigint, port: EvaluationPort): TypedObject => ({
  type: variable.type,
  location: variable.locate(pc, port),
  offset: 0,
});

/** Node of a variable as seen at `pc`. */
export function variableNode(
  variable: Variable,
  pc: bigint,
  port: EvaluationPort,
  options: FormatOptions = {},
): ValueNode {
  return valueNode(variable.name, variableObject(variable, pc, port), port, options);
}

/** Node of any typed object. `path` is what names it in an expression (its name if left out). */
export function valueNode(
  name: string,
  object: TypedObject,
  port: EvaluationPort,
  options: FormatOptions = {},
  path = name,
): ValueNode {
  return makeNode({ name, object, path }, port, options);
}

function makeNode({ name, object, path, prefix }: Child, port: EvaluationPort, options: FormatOptions): ValueNode {
  const seen = throughReference(object, port);
  const pointer = pointerValue(seen, port);
  const children = childrenOf(seen, path, prefix ?? `${operand(path)}.`, pointer);
  const address = addressOf(seen);
  return {
    name,
    display: formatObject(seen, port, options),
    typeName: spell(object.type),
    path,
    address,
    memoryReference: pointer ?? address,
    childCount: children.count,
    indexed: children.indexed,
    object: seen,
    child: (index) => {
      if (!(index >= 0 && index < children.count)) throw new RangeError(`no child ${index}`);
      return makeNode(children.make(index), port, options);
    },
  };
}

/** References show and change what they refer to. */
function throughReference(object: TypedObject, port: EvaluationPort): TypedObject {
  const type = strip(object.type);
  if (type.kind !== 'pointer' || type.flavour !== 'reference') return object;
  const value = readInteger(object, port);
  return isMissing(value) ? object : pointedTo(type, value);
}

/** The object at the address that a pointer holds. */
export const pointedTo = (type: PointerType, address: bigint): TypedObject => ({
  type: type.target,
  location: { kind: 'address', address: BigInt.asUintN(64, address) },
  offset: 0,
});

function pointerValue(object: TypedObject, port: EvaluationPort): bigint | undefined {
  if (strip(object.type).kind !== 'pointer') return undefined;
  const value = readInteger(object, port);
  return isMissing(value) || value === 0n ? undefined : value;
}

function childrenOf(object: TypedObject, path: string, prefix: string, pointer: bigint | undefined): Children {
  const type = strip(object.type);
  switch (type.kind) {
    case 'record':
      return object.location.kind === 'unavailable' ? NO_CHILDREN : memberChildren(object, type, prefix);
    case 'array':
      return object.location.kind === 'unavailable' ? NO_CHILDREN : elementChildren(object, type, path);
    case 'pointer':
      return pointer === undefined ? NO_CHILDREN : targetChildren(type, pointer, path);
    default:
      return NO_CHILDREN;
  }
}

/** A path that `.`, `->` and `[]` can follow. */
const operand = (path: string): string => (/^[*&(]/.test(path) && !/^\(.*\)$/.test(path) ? `(${path})` : path);

export const memberOf = (object: TypedObject, member: Member): TypedObject => ({
  type: member.type,
  location: object.location,
  offset: object.offset + member.offset,
  ...(member.bits === undefined ? {} : { bits: member.bits }),
});

function memberChildren(object: TypedObject, type: RecordType, prefix: string): Children {
  return {
    count: type.members.length,
    indexed: false,
    make: (index) => {
      const member = type.members[index];
      const anonymous = member.name === '' || member.inherited;
      const name = member.inherited ? spell(member.type) : member.name || '<anonymous>';
      const inner = memberOf(object, member);
      // Members of an anonymous member are named as if they were its parent's.
      if (anonymous) return { name, path: prefix.replace(/(\.|->)$/, ''), object: inner, prefix };
      return { name, path: prefix + member.name, object: inner };
    },
  };
}

function elementChildren(object: TypedObject, type: ArrayType, path: string): Children {
  return {
    count: Math.min(type.count ?? 0, MAX_CHILDREN),
    indexed: true,
    make: (index) => ({
      name: `[${index}]`,
      path: `${operand(path)}[${index}]`,
      object: elementOf(object, type, index),
    }),
  };
}

function targetChildren(type: PointerType, address: bigint, path: string): Children {
  const target = strip(type.target);
  if (target.kind === 'void' || target.kind === 'function' || target.kind === 'unknown') return NO_CHILDREN;
  const object = pointedTo(type, address);
  if (target.kind === 'record') return memberChildren(object, target, `${operand(path)}->`);
  return { count: 1, indexed: false, make: () => ({ name: `*${path}`, path: `*${operand(path)}`, object }) };
}
