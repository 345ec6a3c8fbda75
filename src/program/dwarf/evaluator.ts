/** The stack machine of DWARF expressions, one method for each family of operations (DWARF 5 sections 2.5.1 and 2.6.1). */

import type { EvaluationPort, Location, Piece } from '../debugModel';
import { Malformed, Reader } from '../reader';
import { OP } from './constants';
import { type ExpressionContext, OPTIMIZED_OUT, registerName } from './expressionContext';
import { arithmetic, bytesOf, fromBytes, type Operand, Unavailable } from './operands';

const MAX_STEPS = 10_000;
const MAX_STACK = 256;
const MAX_CALLS = 8;
/** Largest object that pieces may describe, in bits. */
const MAX_PIECE_BITS = 1 << 20;

const mask64 = (n: bigint): bigint => BigInt.asUintN(64, n);

export class Evaluator {
  private readonly stack: Operand[] = [];
  private readonly pieces: Piece[] = [];
  private pieceBits = 0;
  /** A location that is no address, waiting for DW_OP_piece or the end. */
  private pending: Location | undefined;
  private steps = 0;
  private calls = 0;

  constructor(
    private readonly port: EvaluationPort,
    private readonly context: ExpressionContext,
    initial: bigint | undefined,
  ) {
    if (initial !== undefined) this.push(initial);
  }

  run(expression: Uint8Array): Location {
    this.execute(expression);
    if (this.pieces.length > 0) {
      if (this.pending !== undefined) throw new Malformed('a location after the last piece');
      return { kind: 'pieces', pieces: this.pieces };
    }
    return this.pending ?? { kind: 'address', address: this.pop().value };
  }

  private execute(expression: Uint8Array): void {
    const r = new Reader(expression);
    while (!r.done) {
      if (++this.steps > MAX_STEPS) throw new Malformed('expression runs too long');
      const op = r.u8();
      if (
        this.pending !== undefined &&
        op !== OP.piece &&
        op !== OP.bitPiece &&
        op !== OP.stackValue &&
        op !== OP.nop
      ) {
        throw new Malformed('an operation after a location');
      }
      this.step(op, r);
    }
  }

  private push(value: bigint, type?: Operand['type']): void {
    if (this.stack.length >= MAX_STACK) throw new Malformed('expression stack is too deep');
    this.stack.push(
      type === undefined ? { value: mask64(value), type } : { value: BigInt.asUintN(type.size * 8, value), type },
    );
  }

  private pop(): Operand {
    const top = this.stack.pop();
    if (top === undefined) throw new Malformed('expression stack is empty');
    return top;
  }

  private peek(depth: number): Operand {
    const operand = this.stack[this.stack.length - 1 - depth];
    if (operand === undefined) throw new Malformed('expression stack is empty');
    return operand;
  }

  private register(n: number): bigint {
    const value = this.port.register(n);
    if (value === undefined) throw new Unavailable(`needs ${registerName(n)}, which is not known in this frame`);
    return value;
  }

  private memory(address: bigint, size: number): bigint {
    const bytes = size >= 1 && size <= 16 ? this.port.memory(address, size) : undefined;
    if (bytes === undefined) throw new Unavailable(`cannot read memory at 0x${address.toString(16)}`);
    return fromBytes(bytes);
  }

  private frameBase(): bigint {
    const base = this.port.frameBase();
    if (base === undefined) throw new Unavailable('the frame base is not known');
    return base;
  }

  private step(op: number, r: Reader): void {
    if (op >= OP.lit0 && op < OP.reg0) this.push(BigInt(op - OP.lit0));
    else if (op >= OP.reg0 && op < OP.breg0) this.pending = { kind: 'register', register: op - OP.reg0 };
    else if (op >= OP.breg0 && op < OP.regx) this.push(this.register(op - OP.breg0) + r.slebBig());
    else if (!this.constant(op, r) && !this.stackOperation(op, r) && !this.place(op, r) && !this.typed(op, r)) {
      this.control(op, r);
    }
  }

  private constant(op: number, r: Reader): boolean {
    switch (op) {
      case OP.addr:
        this.push(this.context.place(r.unsigned(this.context.addressSize)));
        return true;
      case OP.const1u:
        this.push(BigInt(r.u8()));
        return true;
      case OP.const1s:
        this.push(BigInt(r.s8()));
        return true;
      case OP.const2u:
        this.push(BigInt(r.u16()));
        return true;
      case OP.const2s:
        this.push(BigInt(r.s16()));
        return true;
      case OP.const4u:
        this.push(BigInt(r.u32()));
        return true;
      case OP.const4s:
        this.push(BigInt(r.s32()));
        return true;
      case OP.const8u:
      case OP.const8s:
        this.push(r.u64());
        return true;
      case OP.constu:
        this.push(r.ulebBig());
        return true;
      case OP.consts:
        this.push(r.slebBig());
        return true;
      case OP.addrx:
      case OP.gnuAddrIndex:
        this.push(this.context.place(this.context.indexed(r.uleb())));
        return true;
      case OP.constx:
      case OP.gnuConstIndex:
        this.push(this.context.indexed(r.uleb()));
        return true;
      default:
        return false;
    }
  }

  private stackOperation(op: number, r: Reader): boolean {
    switch (op) {
      case OP.dup:
        this.again(0);
        return true;
      case OP.over:
        this.again(1);
        return true;
      case OP.pick:
        this.again(r.u8());
        return true;
      case OP.drop:
        this.pop();
        return true;
      case OP.swap:
        this.stack.push(this.take(1));
        return true;
      case OP.rot: {
        const top = this.pop();
        this.peek(1);
        this.stack.splice(-2, 0, top);
        return true;
      }
      case OP.plusUconst: {
        const { value, type } = this.pop();
        this.push(value + r.ulebBig(), type);
        return true;
      }
      case OP.nop:
      case OP.gnuUninit:
        return true;
      default: {
        const apply = arithmetic(op);
        if (apply === undefined) return false;
        const right = this.pop();
        const result = apply.operands === 2 ? apply.run(this.pop(), right) : apply.run(right, right);
        this.push(result.value, result.type);
        return true;
      }
    }
  }

  private again(depth: number): void {
    const { value, type } = this.peek(depth);
    this.push(value, type);
  }

  /** Removes and returns the operand at a depth. */
  private take(depth: number): Operand {
    const operand = this.peek(depth);
    this.stack.splice(this.stack.length - 1 - depth, 1);
    return operand;
  }

  /** Operations that ask the port, and those that make locations. */
  private place(op: number, r: Reader): boolean {
    switch (op) {
      case OP.regx:
        this.pending = { kind: 'register', register: r.uleb() };
        return true;
      case OP.bregx: {
        const base = this.register(r.uleb());
        this.push(base + r.slebBig());
        return true;
      }
      case OP.fbreg:
        this.push(this.frameBase() + r.slebBig());
        return true;
      case OP.callFrameCfa: {
        const cfa = this.port.cfa();
        if (cfa === undefined) throw new Unavailable('the frame address is not known');
        this.push(cfa);
        return true;
      }
      case OP.deref:
        this.push(this.memory(this.pop().value, this.context.addressSize));
        return true;
      case OP.derefSize:
        this.push(this.memory(this.pop().value, Math.min(r.u8(), 8)));
        return true;
      case OP.pushObjectAddress:
        if (this.context.objectAddress === undefined) throw new Unavailable('the object has no address');
        this.push(this.context.objectAddress);
        return true;
      case OP.formTlsAddress:
      case OP.gnuPushTlsAddress: {
        const address = this.port.tls?.(this.pop().value);
        if (address === undefined) throw new Unavailable('thread-local storage is not known here');
        this.push(address);
        return true;
      }
      case OP.entryValue:
      case OP.gnuEntryValue:
        this.push(this.entryValue(r.takeBytes(r.uleb())));
        return true;
      case OP.piece:
        this.piece(r.uleb() * 8, 0);
        return true;
      case OP.bitPiece:
        this.piece(r.uleb(), r.uleb());
        return true;
      case OP.stackValue: {
        const { value, type } = this.pop();
        this.pending = { kind: 'value', bytes: bytesOf(value, type?.size ?? 8) };
        return true;
      }
      case OP.implicitValue:
        this.pending = { kind: 'value', bytes: r.takeBytes(r.uleb()) };
        return true;
      case OP.implicitPointer:
      case OP.gnuImplicitPointer:
        throw new Unavailable('pointer to an object that was optimized out');
      default:
        return false;
    }
  }

  private entryValue(expression: Uint8Array): bigint {
    const value = this.port.entryValue?.(expression);
    if (value === undefined) throw new Unavailable('optimized out (only its value at function entry was known)');
    return value;
  }

  private piece(bitSize: number, bitOffset: number): void {
    this.pieceBits += bitSize;
    if (this.pieceBits > MAX_PIECE_BITS || bitOffset > MAX_PIECE_BITS) throw new Malformed('pieces are too large');
    const location: Location =
      this.pending ?? (this.stack.length > 0 ? { kind: 'address', address: this.pop().value } : OPTIMIZED_OUT);
    this.pending = undefined;
    this.pieces.push({ location, bitSize, bitOffset });
  }

  private typed(op: number, r: Reader): boolean {
    switch (op) {
      case OP.constType:
      case OP.gnuConstType: {
        const type = this.baseType(r.uleb());
        this.push(fromBytes(r.takeBytes(Math.min(r.u8(), 16))), type);
        return true;
      }
      case OP.regvalType:
      case OP.gnuRegvalType: {
        const value = this.register(r.uleb());
        this.push(value, this.baseType(r.uleb()));
        return true;
      }
      case OP.derefType:
      case OP.gnuDerefType: {
        const size = r.u8();
        const type = this.baseType(r.uleb());
        this.push(this.memory(this.pop().value, size), type);
        return true;
      }
      case OP.convert:
      case OP.gnuConvert: {
        const { value, type } = this.pop();
        const to = this.baseType(r.uleb());
        if (type?.float || to?.float) throw new Unavailable('floating-point location expressions are not evaluated');
        this.push(type?.signed ? BigInt.asIntN(type.size * 8, value) : value, to);
        return true;
      }
      case OP.reinterpret:
      case OP.gnuReinterpret: {
        const { value } = this.pop();
        this.push(value, this.baseType(r.uleb()));
        return true;
      }
      default:
        return false;
    }
  }

  /** The type at an offset of the unit; 0 is the generic type. */
  private baseType(offset: number): Operand['type'] {
    if (offset === 0) return undefined;
    const type = this.context.baseType(offset);
    if (type === undefined || type.size < 1 || type.size > 16) throw new Malformed('a type that is no base type');
    return type;
  }

  private control(op: number, r: Reader): void {
    switch (op) {
      case OP.skip:
        this.jump(r, r.s16());
        return;
      case OP.bra: {
        const by = r.s16();
        if (this.pop().value !== 0n) this.jump(r, by);
        return;
      }
      case OP.call2:
        this.call(r.u16(), false);
        return;
      case OP.call4:
        this.call(r.u32(), false);
        return;
      case OP.callRef:
        this.call(this.context.offsetSize === 8 ? r.size64() : r.u32(), true);
        return;
      default:
        throw new Unavailable(`its location needs operation 0x${op.toString(16)}, which is not evaluated`);
    }
  }

  private jump(r: Reader, by: number): void {
    r.seek(r.position + by);
  }

  private call(offset: number, global: boolean): void {
    const expression = this.context.called(offset, global);
    if (expression === undefined) return;
    if (++this.calls > MAX_CALLS) throw new Malformed('calls are nested too deep');
    this.execute(expression);
    this.calls--;
  }
}
