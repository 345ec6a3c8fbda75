/**
 * Typed WebAssembly code: values are expressions (a type and its byte code), a FunctionBuilder collects statements. Knows no
 * Arm. Only what the engine needs: integers, linear memory, structured control, calls and tail calls; float.ts and vector.ts
 * add the operators of those types.
 */

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';
export const typeCode: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** An expression: pushing one value of type T. Emitting it twice evaluates it twice; use FunctionBuilder.let to share. */
export class Value<T extends ValueType = ValueType> {
  constructor(
    readonly type: T,
    readonly code: readonly number[],
  ) {}
}
export type I32 = Value<'i32'>;
export type I64 = Value<'i64'>;
export type F32 = Value<'f32'>;
export type F64 = Value<'f64'>;
export type V128 = Value<'v128'>;

export function unsignedLeb(value: number): number[] {
  const out: number[] = [];
  let v = value;
  do {
    const byte = v % 128;
    v = Math.floor(v / 128);
    out.push(v > 0 ? byte | 0x80 : byte);
  } while (v > 0);
  return out;
}

export function signedLeb(value: bigint): number[] {
  const out: number[] = [];
  let v = value;
  for (;;) {
    const byte = Number(v & 0x7fn);
    v >>= 7n;
    if ((v === 0n && (byte & 0x40) === 0) || (v === -1n && (byte & 0x40) !== 0)) {
      out.push(byte);
      return out;
    }
    out.push(byte | 0x80);
  }
}

export const i32 = (n: number): I32 => new Value('i32', [0x41, ...signedLeb(BigInt(n | 0))]);
export const i64 = (n: bigint | number): I64 => new Value('i64', [0x42, ...signedLeb(BigInt.asIntN(64, BigInt(n)))]);

/** Makers of operators with one and two operands of the same type. */
export const unary =
  <A extends ValueType, R extends ValueType>(opcode: number, result: R) =>
  (a: Value<A>): Value<R> =>
    new Value(result, [...a.code, opcode]);
export const binary =
  <A extends ValueType, R extends ValueType>(opcode: number, result: R) =>
  (a: Value<A>, b: Value<A>): Value<R> =>
    new Value(result, [...a.code, ...b.code, opcode]);

/** Operators of one width. Comparisons give i32. */
export interface WidthOps<T extends ValueType> {
  eqz(a: Value<T>): I32;
  eq(a: Value<T>, b: Value<T>): I32;
  ne(a: Value<T>, b: Value<T>): I32;
  ltS(a: Value<T>, b: Value<T>): I32;
  geS(a: Value<T>, b: Value<T>): I32;
  gtS(a: Value<T>, b: Value<T>): I32;
  leS(a: Value<T>, b: Value<T>): I32;
  ltU(a: Value<T>, b: Value<T>): I32;
  geU(a: Value<T>, b: Value<T>): I32;
  leU(a: Value<T>, b: Value<T>): I32;
  gtU(a: Value<T>, b: Value<T>): I32;
  clz(a: Value<T>): Value<T>;
  ctz(a: Value<T>): Value<T>;
  popcnt(a: Value<T>): Value<T>;
  add(a: Value<T>, b: Value<T>): Value<T>;
  sub(a: Value<T>, b: Value<T>): Value<T>;
  mul(a: Value<T>, b: Value<T>): Value<T>;
  divS(a: Value<T>, b: Value<T>): Value<T>;
  divU(a: Value<T>, b: Value<T>): Value<T>;
  remU(a: Value<T>, b: Value<T>): Value<T>;
  and(a: Value<T>, b: Value<T>): Value<T>;
  or(a: Value<T>, b: Value<T>): Value<T>;
  xor(a: Value<T>, b: Value<T>): Value<T>;
  shl(a: Value<T>, b: Value<T>): Value<T>;
  shrS(a: Value<T>, b: Value<T>): Value<T>;
  shrU(a: Value<T>, b: Value<T>): Value<T>;
  rotr(a: Value<T>, b: Value<T>): Value<T>;
  rotl(a: Value<T>, b: Value<T>): Value<T>;
  extend8(a: Value<T>): Value<T>;
  extend16(a: Value<T>): Value<T>;
}

function widthOps<T extends ValueType>(type: T, compare: number, count: number, extend: number): WidthOps<T> {
  return {
    eqz: unary(compare, 'i32'),
    eq: binary(compare + 1, 'i32'),
    ne: binary(compare + 2, 'i32'),
    ltS: binary(compare + 3, 'i32'),
    geS: binary(compare + 9, 'i32'),
    gtS: binary(compare + 5, 'i32'),
    leS: binary(compare + 7, 'i32'),
    ltU: binary(compare + 4, 'i32'),
    gtU: binary(compare + 6, 'i32'),
    leU: binary(compare + 8, 'i32'),
    geU: binary(compare + 10, 'i32'),
    clz: unary(count, type),
    ctz: unary(count + 1, type),
    popcnt: unary(count + 2, type),
    add: binary(count + 3, type),
    sub: binary(count + 4, type),
    mul: binary(count + 5, type),
    divS: binary(count + 6, type),
    divU: binary(count + 7, type),
    remU: binary(count + 9, type),
    and: binary(count + 10, type),
    or: binary(count + 11, type),
    xor: binary(count + 12, type),
    shl: binary(count + 13, type),
    shrS: binary(count + 14, type),
    shrU: binary(count + 15, type),
    rotl: binary(count + 16, type),
    rotr: binary(count + 17, type),
    extend8: unary(extend, type),
    extend16: unary(extend + 1, type),
  };
}

export const op32 = widthOps('i32', 0x45, 0x67, 0xc0);
export const op64 = widthOps('i64', 0x50, 0x79, 0xc2);

export const wrap = unary<'i64', 'i32'>(0xa7, 'i32');
export const extendS = unary<'i32', 'i64'>(0xac, 'i64');
export const extendU = unary<'i32', 'i64'>(0xad, 'i64');
export const extend32S = unary<'i64', 'i64'>(0xc4, 'i64');

/** `opcode` is one byte, or 0xfd and the number of a vector operation. */
const access = (opcode: readonly number[], address: I32, offset: number, value: readonly number[] = []): number[] => [
  ...address.code,
  ...value,
  ...opcode,
  0, // alignment hint: none
  ...unsignedLeb(offset),
];
const loadOp =
  <T extends ValueType>(type: T, ...opcode: number[]) =>
  (address: I32, offset = 0): Value<T> =>
    new Value(type, access(opcode, address, offset));

/** Loads: `address` plus a constant byte offset. */
export const load = {
  i32: loadOp('i32', 0x28),
  i64: loadOp('i64', 0x29),
  u8: loadOp('i32', 0x2d),
  u16: loadOp('i32', 0x2f),
  i64u8: loadOp('i64', 0x31),
  i64u16: loadOp('i64', 0x33),
  i64s32: loadOp('i64', 0x34),
  i64u32: loadOp('i64', 0x35),
  f32: loadOp('f32', 0x2a),
  f64: loadOp('f64', 0x2b),
  v128: loadOp('v128', 0xfd, 0),
} as const;

export const select = <T extends ValueType>(condition: I32, yes: Value<T>, no: Value<T>): Value<T> =>
  new Value(yes.type, [...yes.code, ...no.code, ...condition.code, 0x1b]);

/** A local variable or parameter. */
export class Local<T extends ValueType = ValueType> extends Value<T> {
  constructor(
    type: T,
    readonly index: number,
  ) {
    super(type, [0x20, ...unsignedLeb(index)]);
  }
}

const storeOpcode = {
  i32: [0x36],
  i64: [0x37],
  i64as8: [0x3c],
  i64as16: [0x3d],
  i64as32: [0x3e],
  i32as8: [0x3a],
  i32as16: [0x3b],
  f32: [0x38],
  f64: [0x39],
  v128: [0xfd, 11],
} as const;

/** Collects the body of one function. Labels are depths, computed. */
export class FunctionBuilder {
  private readonly body: number[] = [];
  private readonly locals: ValueType[] = [];
  private depth = 0;

  constructor(private readonly params: readonly ValueType[]) {}

  param<T extends ValueType>(index: number, type: T): Local<T> {
    return new Local(type, index);
  }

  /** A new local, zero at the start. */
  local<T extends ValueType>(type: T): Local<T> {
    this.locals.push(type);
    return new Local(type, this.params.length + this.locals.length - 1);
  }

  /** Evaluates once into a new local. */
  let<T extends ValueType>(value: Value<T>): Local<T> {
    const l = this.local(value.type);
    this.set(l, value);
    return l;
  }

  set<T extends ValueType>(target: Local<T>, value: Value<T>): void {
    this.body.push(...value.code, 0x21, ...unsignedLeb(target.index));
  }

  store(kind: keyof typeof storeOpcode, address: I32, value: Value, offset = 0): void {
    this.body.push(...access(storeOpcode[kind], address, offset, value.code));
  }

  if(condition: I32, then: () => void, otherwise?: () => void): void {
    this.body.push(...condition.code, 0x04, 0x40);
    this.depth++;
    then();
    if (otherwise) {
      this.body.push(0x05);
      otherwise();
    }
    this.depth--;
    this.body.push(0x0b);
  }

  /** A block that `leave` jumps out of. */
  block(inside: (leave: (condition?: I32) => void) => void): void {
    this.labelled(0x02, inside);
  }

  /** A loop; `again` jumps to its start. */
  loop(inside: (again: (condition?: I32) => void) => void): void {
    this.labelled(0x03, inside);
  }

  private labelled(opcode: number, inside: (jump: (condition?: I32) => void) => void): void {
    this.body.push(opcode, 0x40);
    const level = ++this.depth;
    inside((condition) => {
      const label = unsignedLeb(this.depth - level);
      this.body.push(...(condition ? [...condition.code, 0x0d] : [0x0c]), ...label);
    });
    this.depth--;
    this.body.push(0x0b);
  }

  call<T extends ValueType>(functionIndex: number, result: T, ...args: readonly Value[]): Value<T> {
    return new Value(result, [...args.flatMap((a) => a.code), 0x10, ...unsignedLeb(functionIndex)]);
  }

  callVoid(functionIndex: number, ...args: readonly Value[]): void {
    this.body.push(...args.flatMap((a) => a.code), 0x10, ...unsignedLeb(functionIndex));
  }

  /** Evaluates for its effects alone. */
  drop(value: Value): void {
    this.body.push(...value.code, 0x1a);
  }

  return(value: Value): void {
    this.body.push(...value.code, 0x0f);
  }

  /** Returns from a function without result. */
  leave(): void {
    this.body.push(0x0f);
  }

  tailCall(functionIndex: number, ...args: readonly Value[]): void {
    this.body.push(...args.flatMap((a) => a.code), 0x12, ...unsignedLeb(functionIndex));
  }

  tailCallIndirect(typeIndex: number, element: I32, ...args: readonly Value[]): void {
    this.body.push(...args.flatMap((a) => a.code), ...element.code, 0x13, ...unsignedLeb(typeIndex), 0);
  }

  /** memory.fill(address, byte, length). */
  fill(address: I32, byte: I32, length: I32): void {
    this.body.push(...address.code, ...byte.code, ...length.code, 0xfc, 11, 0);
  }

  unreachable(): void {
    this.body.push(0x00);
  }

  /** The function's code entry without its size: locals, body, end. */
  finish(): number[] {
    const groups: number[] = [];
    for (const type of this.locals) groups.push(1, typeCode[type]);
    return [...unsignedLeb(this.locals.length), ...groups, ...this.body, 0x0b];
  }
}
