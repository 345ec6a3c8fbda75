/**
 * Evaluation of expression trees against an environment. Integers keep the width and sign of where they come from; operands of
 * different width widen, a literal takes the other side's width, so `w0 == -1` means what it says.
 */
import type { Space } from '../../machine/api';
import type { ValueNode } from '../../program';
import { type BinaryOperator, type Expression, ExpressionError } from './syntax';

/** An integer with its width in bytes. A literal takes the width and sign of the other operand. */
export interface Scalar {
  readonly value: bigint;
  readonly size: number;
  readonly signed: boolean;
  readonly literal?: boolean;
}

/** A register, or a part of one, with the ways to read and write it. */
export interface RegisterAccess {
  readonly name: string;
  readonly size: 4 | 8 | 16;
  /** A part of a register: how many bits it has. */
  readonly bits?: number;
  /** Its name says what it is, but is no expression. */
  readonly computed?: true;
  /** Undefined: the core does not have it, or its value is not known in this frame. */
  read(): bigint | undefined;
  /** False: refused. Undefined: read only. */
  readonly write?: (value: bigint) => boolean;
  /** Its fields are those under HCR_EL2.E2H. */
  readonly e2h?: boolean;
  readonly fields?: readonly { readonly name: string; readonly hi: number; readonly lo: number }[];
  /** A part by what follows the name in an expression: `.d[1]`. Undefined: there is none. */
  readonly part?: (text: string) => RegisterAccess | undefined;
}

/** How C counts with a pointer. */
export interface PointerMath {
  /** Bytes of what it points to. */
  readonly step: bigint;
  /** The pointer `by` elements further; `text` is what it is called. */
  moved(by: bigint, text: string): ValueNode;
}

/** What names and memory mean. Nothing in it has an effect on the guest, but for `writeMemory` and `write`. */
export interface Environment {
  /** `name` without a leading `$`. */
  register(name: string): RegisterAccess | undefined;
  /** Debugger values such as `core`, `el`, `hits`. */
  special(name: string): Scalar | undefined;
  /** What the hypervisor model says by this name, with its `$`: a number or a text. */
  modelled(name: string): bigint | string | undefined;
  isVariable(name: string): boolean;
  /** A C path; the error as text. */
  object(path: string): ValueNode | string;
  scalarOf(node: ValueNode): Scalar | undefined;
  /** Undefined: neither a pointer nor an array. */
  pointer(node: ValueNode): PointerMath | undefined;
  symbol(name: string): bigint | undefined;
  memory(core: number | undefined, space: Space, address: bigint, size: number): Uint8Array | undefined;
  writeMemory(core: number | undefined, space: Space, address: bigint, bytes: Uint8Array): boolean;
}

/** What an expression is. */
export type Result =
  | { readonly kind: 'scalar'; readonly scalar: Scalar }
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'register';
      readonly access: RegisterAccess;
      readonly scalar: Scalar;
      readonly field?: { readonly hi: number; readonly lo: number };
    }
  | {
      readonly kind: 'memory';
      readonly core: number | undefined;
      readonly space: Space;
      readonly address: bigint;
      readonly scalar: Scalar;
    }
  | { readonly kind: 'symbol'; readonly name: string; readonly scalar: Scalar }
  | { readonly kind: 'object'; readonly node: ValueNode };

const wrap = (value: bigint, size: number, signed: boolean): bigint =>
  signed ? BigInt.asIntN(size * 8, value) : BigInt.asUintN(size * 8, value);
const unsigned = (value: bigint, size: number): Scalar => ({ value: wrap(value, size, false), size, signed: false });

export function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  return value;
}
export function toBytes(value: bigint, size: number): Uint8Array {
  const bits = BigInt.asUintN(size * 8, value);
  return Uint8Array.from({ length: size }, (_, i) => Number((bits >> BigInt(8 * i)) & 255n));
}

export function evaluate(tree: Expression, env: Environment): Result {
  if (tree.kind === 'number') return { kind: 'scalar', scalar: literal(tree.value) };
  if (tree.kind === 'text') return { kind: 'text', text: tree.text };
  if (tree.kind === 'path') return path(tree, env);
  if (tree.kind === 'memory') return memory(tree, env);
  if (tree.kind === 'object') return object(tree.text, env);
  if (tree.kind === 'conditional') return evaluate(truth(tree.condition, env) ? tree.then : tree.otherwise, env);
  if (tree.kind === 'binary') return binary(tree, env);
  return unary(tree, env);
}

function object(text: string, env: Environment): Result {
  const node = env.object(text);
  if (typeof node === 'string') throw new ExpressionError(node);
  return { kind: 'object', node };
}

/** The integer an expression comes to. @throws ExpressionError */
export const scalar = (tree: Expression, env: Environment): Scalar => scalarOf(evaluate(tree, env), env);

function scalarOf(result: Result, env: Environment): Scalar {
  if (result.kind === 'text') throw new ExpressionError(`"${result.text}" is a text, not a number`);
  if (result.kind !== 'object') return result.scalar;
  const value = env.scalarOf(result.node);
  if (value === undefined) throw new ExpressionError(`${result.node.path} is ${result.node.display}, not a number`);
  return value;
}

/** More than 64 bits are of use for SIMD&FP registers only. */
const literal = (value: bigint): Scalar =>
  value >> 64n > 0n
    ? { value, size: 16, signed: false }
    : { value: BigInt.asUintN(64, value), size: 8, signed: value >> 63n === 0n, literal: true };

function path(tree: Extract<Expression, { kind: 'path' }>, env: Environment): Result {
  const forced = tree.name.startsWith('$');
  const name = forced ? tree.name.slice(1) : tree.name;
  const modelled = tree.fields?.length === 0 ? env.modelled(tree.name) : undefined;
  if (typeof modelled === 'string') return { kind: 'text', text: modelled };
  if (modelled !== undefined) return { kind: 'scalar', scalar: unsigned(modelled, 8) };
  if (!forced && env.isVariable(name)) return object(tree.text, env);
  const special = forced ? env.special(name) : undefined;
  if (special && tree.fields?.length === 0) return { kind: 'scalar', scalar: special };
  const access = env.register(name);
  if (access) return register(access, tree, env);
  const address = forced ? undefined : env.symbol(name);
  if (address === undefined) throw new ExpressionError(`"${tree.name}" is not known here`);
  if (tree.fields?.length !== 0) throw new ExpressionError(`the type of "${tree.name}" is not known`);
  return { kind: 'symbol', name, scalar: unsigned(address, 8) };
}

function register(access: RegisterAccess, tree: Extract<Expression, { kind: 'path' }>, env: Environment): Result {
  const part = tree.fields?.length === 0 ? undefined : access.part?.(tree.text.slice(tree.name.length));
  if (part) return register(part, { ...tree, fields: [] }, env);
  const value = access.read();
  if (value === undefined) throw new ExpressionError(`${access.name} has no value here`);
  if (tree.fields?.length === 0) return { kind: 'register', access, scalar: unsigned(value, access.size) };
  const [name, ...more] = tree.fields ?? [];
  const field = more.length > 0 ? undefined : access.fields?.find((f) => f.name.toLowerCase() === name?.toLowerCase());
  if (field === undefined)
    throw new ExpressionError(`${access.name} has no field "${tree.text.slice(tree.name.length)}"`);
  const bits = BigInt.asUintN(field.hi - field.lo + 1, value >> BigInt(field.lo));
  return { kind: 'register', access, field, scalar: unsigned(bits, 8) };
}

function memory(tree: Extract<Expression, { kind: 'memory' }>, env: Environment): Result {
  const address = BigInt.asUintN(64, scalar(tree.address, env).value);
  const bytes = env.memory(tree.core, tree.space, address, tree.size);
  if (bytes?.length !== tree.size) {
    throw new ExpressionError(`${tree.space}:0x${address.toString(16)} cannot be read`);
  }
  const value = unsigned(littleEndian(bytes), tree.size);
  return { kind: 'memory', core: tree.core, space: tree.space, address, scalar: value };
}

function unary(tree: Extract<Expression, { kind: 'unary' }>, env: Environment): Result {
  if (tree.operator === '*' || tree.operator === '&') return pointer(tree, env);
  const operand = scalar(tree.operand, env);
  const { value, size } = operand;
  if (tree.operator === '!') return { kind: 'scalar', scalar: literal(value === 0n ? 1n : 0n) };
  const result = tree.operator === '-' ? -value : ~value;
  const signed = operand.signed || operand.literal === true;
  return { kind: 'scalar', scalar: { ...operand, signed, value: wrap(result, size, signed) } };
}

/** `*p` and `&x` of C objects go to the debug information; of anything else `*` reads eight bytes. */
function pointer(tree: Extract<Expression, { kind: 'unary' }>, env: Environment): Result {
  const inner = evaluate(tree.operand, env);
  if (inner.kind === 'object') return object(tree.text, env);
  if (tree.operator === '*') {
    return memory({ kind: 'memory', core: undefined, space: 'va', address: tree.operand, size: 8 }, env);
  }
  if (inner.kind === 'symbol') return inner;
  throw new ExpressionError('only a variable or a symbol has an address');
}

function truth(tree: Expression, env: Environment): boolean {
  return scalar(tree, env).value !== 0n;
}

function binary(tree: Extract<Expression, { kind: 'binary' }>, env: Environment): Result {
  const { operator, left, right } = tree;
  const yes = (value: boolean): Result => ({ kind: 'scalar', scalar: literal(value ? 1n : 0n) });
  if (operator === '&&') return yes(truth(left, env) && truth(right, env));
  if (operator === '||') return yes(truth(left, env) || truth(right, env));
  const equal = operator === '==' || operator === '!=' ? sameText(left, right, env) : undefined;
  if (equal !== undefined) return yes(equal === (operator === '=='));
  const a = evaluate(left, env);
  const b = evaluate(right, env);
  const counted = operator === '+' || operator === '-' ? pointerSum(operator, a, b, tree.text, env) : undefined;
  return counted ?? { kind: 'scalar', scalar: integers(operator, scalarOf(a, env), scalarOf(b, env)) };
}

/** What is a text: one in quotation marks, or a name that the hypervisor model has one for. */
function textOf(tree: Expression, env: Environment): string | undefined {
  if (tree.kind === 'text') return tree.text;
  const value = tree.kind === 'path' ? env.modelled(tree.text) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** `$trap == CCSIDR_EL1`: a text is compared with a text, or with a name as it is written. Undefined where neither is one. */
function sameText(left: Expression, right: Expression, env: Environment): boolean | undefined {
  const [a, b] = [textOf(left, env), textOf(right, env)];
  if (a === undefined && b === undefined) return undefined;
  const [x, y] = [left, right].map((tree, i) => [a, b][i] ?? (tree.kind === 'path' ? tree.text : undefined));
  if (x === undefined || y === undefined) throw new ExpressionError('a text is compared with a name or a text');
  return x.toLowerCase() === y.toLowerCase();
}

/** Sums and differences with pointers count elements, as in C. Undefined where there is no pointer. */
function pointerSum(operator: '+' | '-', a: Result, b: Result, text: string, env: Environment): Result | undefined {
  const left = a.kind === 'object' ? env.pointer(a.node) : undefined;
  const right = b.kind === 'object' ? env.pointer(b.node) : undefined;
  if (left !== undefined && right !== undefined) {
    if (operator === '+') throw new ExpressionError('two pointers cannot be added');
    const bytes = BigInt.asIntN(64, scalarOf(a, env).value - scalarOf(b, env).value);
    return { kind: 'scalar', scalar: { value: bytes / left.step, size: 8, signed: true } };
  }
  if (left !== undefined) {
    const by = scalarOf(b, env).value;
    return { kind: 'object', node: left.moved(operator === '+' ? by : -by, text) };
  }
  if (right === undefined) return undefined;
  if (operator === '-') throw new ExpressionError('a pointer cannot be taken from an integer');
  return { kind: 'object', node: right.moved(scalarOf(a, env).value, text) };
}

function integers(operator: BinaryOperator, a: Scalar, b: Scalar): Scalar {
  if (operator === '<<' || operator === '>>') return shift(operator, a, b);
  const sized = [a, b].filter((s) => !s.literal);
  const size = sized.length === 0 ? 8 : Math.max(4, ...sized.map((s) => s.size));
  // A literal that does not fit the other side's width widens the operation instead of being cut.
  const fits = [a, b].every((s) => !s.literal || BigInt.asIntN(64, s.value) >> BigInt(size * 8) <= 0n);
  const width = fits ? size : 8;
  const signed = sized.every((s) => s.signed || s.size < 4);
  const x = wrap(a.value, width, signed);
  const y = wrap(b.value, width, signed);
  const comparison = compare(operator, x, y);
  if (comparison !== undefined) return literal(comparison ? 1n : 0n);
  const value = wrap(arithmetic(operator, x, y), width, signed);
  return sized.length === 0 ? { ...literal(value), value } : { value, size: width, signed };
}

function shift(operator: '<<' | '>>', a: Scalar, b: Scalar): Scalar {
  if (b.value < 0n || b.value > 63n) throw new ExpressionError('a shift is by 0 to 63');
  const value = operator === '<<' ? a.value << b.value : a.value >> b.value;
  return { ...a, value: wrap(value, a.size, a.signed) };
}

function compare(operator: BinaryOperator, x: bigint, y: bigint): boolean | undefined {
  if (operator === '==') return x === y;
  if (operator === '!=') return x !== y;
  if (operator === '<') return x < y;
  if (operator === '<=') return x <= y;
  if (operator === '>') return x > y;
  if (operator === '>=') return x >= y;
  return undefined;
}

function arithmetic(operator: BinaryOperator, x: bigint, y: bigint): bigint {
  if (operator === '+') return x + y;
  if (operator === '-') return x - y;
  if (operator === '*') return x * y;
  if (operator === '&') return x & y;
  if (operator === '|') return x | y;
  if (operator === '^') return x ^ y;
  if (y === 0n) throw new ExpressionError('division by zero');
  return operator === '/' ? x / y : x % y;
}

/** Writes `value` to what `result` names. Undefined when done, otherwise why not. Objects are written by their owner. */
export function assign(
  result: Exclude<Result, { kind: 'object' }>,
  value: bigint,
  env: Environment,
): string | undefined {
  if (result.kind === 'memory') {
    const bytes = toBytes(value, result.scalar.size);
    const done = env.writeMemory(result.core, result.space, result.address, bytes);
    return done ? undefined : 'the memory cannot be written';
  }
  if (result.kind !== 'register') return 'this is a value, nothing that can be set';
  const { access, field } = result;
  if (access.write === undefined) return `${access.name} is read only`;
  let whole = BigInt.asUintN(access.size * 8, value);
  const width = field === undefined ? access.bits : field.hi - field.lo + 1;
  if (width !== undefined && BigInt.asUintN(width, value) !== value) {
    return `the field has ${width === 1 ? 'one bit' : `${width} bits`}`;
  }
  if (field !== undefined && width !== undefined) {
    const mask = ((1n << BigInt(width)) - 1n) << BigInt(field.lo);
    whole = ((access.read() ?? 0n) & ~mask) | (value << BigInt(field.lo));
  } else if (
    whole !== BigInt.asUintN(128, value) &&
    BigInt.asIntN(access.size * 8, value) !== BigInt.asIntN(128, value)
  ) {
    return `${access.name} has ${access.size * 8} bits`;
  }
  return access.write(whole) ? undefined : `${access.name} cannot be written`;
}
