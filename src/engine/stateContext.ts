/**
 * What is common to both ways of giving operands to a semantic function: state access, flags, control. Parameters of every
 * handler: (record address, core block address) -> exit code.
 */
import type { Fields, InstructionRow } from '../arch/instructions';
import { byName } from '../arch/sysregs';
import { bug } from '../base/errors';
import { coreLayout, SINK_SLOT, SP_SLOT, slotOffset, systemOffset, ZR_SLOT } from '../cpu/layout';
import type { SlowPath } from '../isa/sem';
import { RECORD_BYTES, recordField } from '../memory/layout';
import {
  extendU,
  FunctionBuilder,
  type I32,
  type I64,
  i32,
  i64,
  load,
  op32,
  op64,
  type Value,
  type ValueType,
} from '../wasm/code';

/** Function indices and machine constants that generated code refers to. */
export interface GeneratedNames {
  readonly handlerType: number;
  readonly goto: number;
  readonly gotoTyped: number;
  readonly slow: Readonly<Record<SlowPath | 'load' | 'store' | 'loadExclusive' | 'storeExclusive', number>>;
  /** log2 of the coherence unit in bytes. */
  readonly unitLog2: number;
  /** (LINE_TABLE_ENTRIES - 1) * LINE_ENTRY_BYTES. */
  readonly tableMask: number;
  /** A routine, imported when it is first named. */
  routine(name: string): number;
}

export const offset = (name: keyof typeof coreLayout): number => coreLayout[name][0];

export abstract class StateContext {
  /** Address of this instruction's record. */
  protected readonly rec: I32;
  protected readonly core: I32;
  private ended = false;

  /** `at`: the record is that many bytes after the function's record parameter; `first`: another instruction follows. */
  constructor(
    protected readonly row: InstructionRow | undefined,
    readonly statics: Fields,
    protected readonly names: GeneratedNames,
    readonly code: FunctionBuilder = new FunctionBuilder(['i32', 'i32']),
    protected readonly at = 0,
    protected readonly first = false,
  ) {
    const parameter = code.param(0, 'i32');
    this.rec = at === 0 ? parameter : op32.add(parameter, i32(at));
    this.core = code.param(1, 'i32');
  }

  /** Address of a register operand's slot in the core block, or of the register's `after` it. */
  protected abstract slot(
    field: string,
    write: boolean,
    after?: 0 | 1,
  ): { readonly address: I32; readonly offset: number };
  abstract tiny(derive: (f: Fields) => number): I32;
  abstract small(derive: (f: Fields) => number): I32;
  abstract wide(derive: (f: Fields) => readonly [number, number]): I64;

  /** Register 31 by the operand's role. */
  protected register(field: string, write: boolean, after = 0): (f: Fields) => number {
    const isSp = this.row?.sp?.includes(field) ?? false;
    const other = isSp ? SP_SLOT : write ? SINK_SLOT : ZR_SLOT;
    return (f) => slotOffset(f[field] + after === 31 ? other : f[field] + after);
  }

  x(field: string): I64 {
    const s = this.slot(field, false);
    return load.i64(s.address, s.offset);
  }
  w(field: string): I32 {
    const s = this.slot(field, false);
    return load.i32(s.address, s.offset);
  }
  setX(field: string, value: I64): void {
    const s = this.slot(field, true);
    this.code.store('i64', s.address, value, s.offset);
  }
  setW(field: string, value: I32): void {
    this.setX(field, extendU(value));
  }
  xAt(n: number): I64 {
    return load.i64(this.core, slotOffset(n === 31 ? SP_SLOT : n));
  }
  setXAt(n: number, value: I64): void {
    this.code.store('i64', this.core, value, slotOffset(n === 31 ? SP_SLOT : n));
  }
  system(register: string): I64 {
    const index = byName(register);
    return index < 0 ? bug(`register ${register}`) : load.i64(this.core, systemOffset(index));
  }
  word(name: 'pauthFlags'): I32 {
    return load.i32(this.core, offset(name));
  }
  pauthMask(data: boolean, range: 'low' | 'high'): I64 {
    return load.i64(this.core, offset('pauthMasks') + (data ? 16 : 0) + (range === 'high' ? 8 : 0));
  }
  /** ZR's slot follows that of X30, so that reading needs no operand of its own. */
  xNext(field: string): I64 {
    const s = this.slot(field, false);
    return load.i64(s.address, s.offset + slotOffset(1));
  }
  setXNext(field: string, value: I64): void {
    const s = this.slot(field, true, 1);
    this.code.store('i64', s.address, value, s.offset);
  }
  setLink(value: I64): void {
    this.code.store('i64', this.core, value, slotOffset(30));
  }

  pc(): I64 {
    return op64.add(load.i64(this.core, offset('pcDelta')), extendU(op32.shrU(this.rec, i32(2))));
  }

  carry(): I32 {
    return load.i32(this.core, offset('cf'));
  }
  setFlags(n: I64, z: I64, c: I32, v: I64): void {
    this.code.store('i64', this.core, n, offset('nf'));
    this.code.store('i64', this.core, z, offset('zf'));
    this.code.store('i32', this.core, c, offset('cf'));
    this.code.store('i64', this.core, v, offset('vf'));
  }
  nzcv(): I32 {
    const sign = (name: 'nf' | 'vf', bit: number): I32 =>
      op32.and(op32.shrU(load.i32(this.core, offset(name) + 4), i32(31 - bit)), i32(1 << bit));
    const z = op32.shl(op64.eqz(load.i64(this.core, offset('zf'))), i32(2));
    return op32.or(op32.or(sign('nf', 3), z), op32.or(op32.shl(this.carry(), i32(1)), sign('vf', 0)));
  }
  setNzcv(bits: I32): void {
    const b = this.code.let(bits);
    const sign = (bit: number): I64 => op64.shl(extendU(b), i64(63 - bit));
    const notZ = extendU(op32.and(op32.xor(op32.shrU(b, i32(2)), i32(1)), i32(1)));
    this.setFlags(sign(3), notZ, op32.and(op32.shrU(b, i32(1)), i32(1)), sign(0));
  }

  condition(cond: number): I32 {
    const nf = (): I64 => load.i64(this.core, offset('nf'));
    const zf = (): I64 => load.i64(this.core, offset('zf'));
    const vf = (): I64 => load.i64(this.core, offset('vf'));
    const negative = (v: I64): I32 => op64.ltS(v, i64(0));
    const notZero = (): I32 => op64.ne(zf(), i64(0));
    const greaterEqual = (): I32 => op64.geS(op64.xor(nf(), vf()), i64(0));
    const base = [
      () => op64.eqz(zf()),
      () => this.carry(),
      () => negative(nf()),
      () => negative(vf()),
      () => op32.and(this.carry(), notZero()),
      greaterEqual,
      () => op32.and(notZero(), greaterEqual()),
      () => i32(1),
    ][cond >> 1]();
    return (cond & 1) === 1 && cond !== 15 ? op32.eqz(base) : base;
  }

  protected leaveIfNonZero(result: I32): void {
    const r = this.code.let(result);
    this.code.if(r, () => this.code.return(r));
  }

  value(index: 0 | 1): I64 {
    return load.i64(this.core, offset('value') + 8 * index);
  }
  setValue(index: 0 | 1, value: I64): void {
    this.code.store('i64', this.core, value, offset('value') + 8 * index);
  }

  slow(path: SlowPath, ...args: I32[]): void {
    this.leaveIfNonZero(this.code.call(this.names.slow[path], 'i32', this.rec, this.core, ...args));
  }

  call<T extends ValueType>(routine: string, result: T, ...args: readonly Value[]): Value<T> {
    return this.code.call(this.names.routine(routine), result, this.core, ...args);
  }

  jump(target: I64): void {
    this.code.tailCall(this.names.goto, this.rec, this.core, target);
  }

  jumpWithType(target: I64, type: 1 | 2 | 3): void {
    this.code.tailCall(this.names.gotoTyped, this.rec, this.core, target, i32(type));
  }

  next(): void {
    this.ended = true;
    if (this.first) return;
    this.dispatch(op32.add(this.rec, i32(RECORD_BYTES)));
  }

  /** Goes on at a record. */
  dispatch(record: I32): void {
    const r = this.code.let(record);
    this.code.tailCallIndirect(this.names.handlerType, load.u16(r, recordField.handler), r, this.core);
  }

  finish(): number[] {
    if (!this.ended) this.next();
    return this.code.finish();
  }
}
