/**
 * Semantics with operands left open: code that loads them from the decoded record. This is the interpreter's half of "written
 * once"; ConstantContext below is the other. Parameters of every handler: (record address, core block address) -> exit code.
 */
import type { Fields, InstructionRow } from '../arch/instructions';
import { coreLayout, SINK_SLOT, SP_SLOT, slotOffset, ZR_SLOT } from '../cpu/layout';
import type { AccessKind, SemanticsContext, SlowPath } from '../isa/sem';
import { entryField, RECORD_BYTES, recordField } from '../memory/layout';
import {
  extendU,
  FunctionBuilder,
  type I32,
  type I64,
  i32,
  i64,
  type Local,
  load,
  op32,
  op64,
  wrap,
} from '../wasm/code';
import type { Operand, OperandPlace } from './handlers';

/** Function indices and machine constants that generated code refers to. */
export interface GeneratedNames {
  readonly handlerType: number;
  readonly goto: number;
  readonly slow: Readonly<Record<SlowPath | 'load' | 'store' | 'loadExclusive' | 'storeExclusive', number>>;
  /** log2 of the coherence unit in bytes. */
  readonly unitLog2: number;
  /** (LINE_TABLE_ENTRIES - 1) * LINE_ENTRY_BYTES. */
  readonly tableMask: number;
}

/** Bits of the access descriptor handed to slow loads and stores (see memory/). */
export const descriptor = (sizeLog2: number, kind: AccessKind, exclusive = false): number =>
  sizeLog2 | (kind.unprivileged ? 8 : 0) | (kind.ordered ? 16 : 0) | (exclusive ? 32 : 0);

const offset = (name: keyof typeof coreLayout): number => coreLayout[name][0];

/** What is common to both ways of giving operands: state access, flags, memory, control. */
export abstract class StateContext implements SemanticsContext {
  /** Address of this instruction's record. */
  protected readonly rec: I32;
  protected readonly core: I32;
  private ended = false;
  /** Set by slow accesses of an instruction that another one follows in the same function. */
  private slowTaken: Local<'i32'> | undefined;

  /** `at`: the record is that many bytes after the function's record parameter; `first`: another instruction follows. */
  constructor(
    protected readonly row: InstructionRow | undefined,
    readonly statics: Fields,
    protected readonly names: GeneratedNames,
    readonly code: FunctionBuilder = new FunctionBuilder(['i32', 'i32']),
    protected readonly at = 0,
    private readonly first = false,
  ) {
    const parameter = code.param(0, 'i32');
    this.rec = at === 0 ? parameter : op32.add(parameter, i32(at));
    this.core = code.param(1, 'i32');
  }

  /** Address of a register operand's slot in the core block. */
  protected abstract slot(field: string, write: boolean): { readonly address: I32; readonly offset: number };
  abstract tiny(derive: (f: Fields) => number): I32;
  abstract small(derive: (f: Fields) => number): I32;
  abstract wide(derive: (f: Fields) => readonly [number, number]): I64;

  /** Register 31 by the operand's role. */
  protected register(field: string, write: boolean): (f: Fields) => number {
    const isSp = this.row?.sp?.includes(field) ?? false;
    return (f) => slotOffset(f[field] !== 31 ? f[field] : isSp ? SP_SLOT : write ? SINK_SLOT : ZR_SLOT);
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

  private entry(table: 'loadTable' | 'storeTable', low: Local<'i32'>): Local<'i32'> {
    const { unitLog2, tableMask } = this.names;
    const index = op32.and(op32.shrU(low, i32(unitLog2 - 4)), i32(tableMask));
    return this.code.let(op32.add(load.i32(this.core, offset(table)), index));
  }

  /** Tag compare that also fails for accesses not aligned to their size: those take the slow path. */
  private hit(entry: I32, address: I64, sizeLog2: number): I32 {
    const unit = 1 << this.names.unitLog2;
    const kept = -unit | ((1 << sizeLog2) - 1);
    return op64.eq(load.i64(entry, entryField.tag), op64.and(address, i64(kept)));
  }

  private host(entry: I32, low: I32): I32 {
    const unit = 1 << this.names.unitLog2;
    return op32.add(load.i32(entry, entryField.host), op32.and(low, i32(unit - 1)));
  }

  private slowAccess(which: 'load' | 'store' | 'loadExclusive' | 'storeExclusive', address: I64, bits: number): void {
    const high = wrap(op64.shrU(address, i64(32)));
    this.leaveIfNonZero(
      this.code.call(this.names.slow[which], 'i32', this.rec, this.core, wrap(address), high, i32(bits)),
    );
    if (!this.first) return;
    this.slowTaken ??= this.code.local('i32');
    this.code.set(this.slowTaken, i32(1));
  }

  /**
   * Between two instructions of one function: a slow access may have asked for a stop before the second, so then it is
   * reached through its record.
   */
  joint(): void {
    const { slowTaken } = this;
    if (slowTaken) this.code.if(slowTaken, () => this.dispatch(op32.add(this.rec, i32(RECORD_BYTES))));
  }

  private leaveIfNonZero(result: I32): void {
    const r = this.code.let(result);
    this.code.if(r, () => this.code.return(r));
  }

  load(address: I64, sizeLog2: number, kind: AccessKind = {}): Local<'i64'> {
    const a = this.code.let(address);
    const value = this.code.let(i64(0));
    const slow = (): void => {
      this.slowAccess('load', a, descriptor(sizeLog2, kind));
      this.code.set(value, this.value(0));
    };
    if (kind.unprivileged) {
      slow();
      return value;
    }
    const low = this.code.let(wrap(a));
    const entry = this.entry('loadTable', low);
    const read = [load.i64u8, load.i64u16, load.i64u32, load.i64][sizeLog2];
    this.code.if(this.hit(entry, a, sizeLog2), () => this.code.set(value, read(this.host(entry, low))), slow);
    return value;
  }

  store(address: I64, stored: I64, sizeLog2: number, kind: AccessKind = {}): void {
    const a = this.code.let(address);
    const value = this.code.let(stored);
    const slow = (): void => {
      this.setValue(0, value);
      this.slowAccess('store', a, descriptor(sizeLog2, kind));
    };
    if (kind.unprivileged) {
      slow();
      return;
    }
    const low = this.code.let(wrap(a));
    const entry = this.entry('storeTable', low);
    const how = (['i64as8', 'i64as16', 'i64as32', 'i64'] as const)[sizeLog2];
    this.code.if(this.hit(entry, a, sizeLog2), () => this.code.store(how, this.host(entry, low), value), slow);
  }

  loadExclusive(address: I64, sizeLog2: number, kind: AccessKind): void {
    this.slowAccess('loadExclusive', this.code.let(address), descriptor(sizeLog2, kind, true));
  }
  /** The slow path leaves the status in value(1). */
  storeExclusive(address: I64, sizeLog2: number, kind: AccessKind): I32 {
    this.slowAccess('storeExclusive', this.code.let(address), descriptor(sizeLog2, kind, true));
    return wrap(this.value(1));
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

  jump(target: I64): void {
    this.code.tailCall(this.names.goto, this.rec, this.core, target);
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

export class OpenContext extends StateContext {
  private readonly places: OperandPlace[] = ['a', 'b', 'c', 'd', 'imm'];
  private readonly known = new Map<string, OperandPlace>();

  constructor(
    row: InstructionRow,
    statics: Fields,
    names: GeneratedNames,
    private readonly operands: Operand[],
    code?: FunctionBuilder,
    at = 0,
    first = false,
  ) {
    super(row, statics, names, code, at, first);
  }

  private take(place: OperandPlace | undefined, derive: Operand['derive']): OperandPlace {
    const chosen = place ?? this.places[0];
    const at = this.places.indexOf(chosen);
    if (chosen === undefined || (chosen !== 'imm64' && at < 0))
      throw new Error(`elscope bug: ${this.row?.id} has too many operands`);
    if (chosen === 'imm64') {
      if (!this.places.includes('c')) throw new Error(`elscope bug: ${this.row?.id}: no room for a 64-bit operand`);
      for (const p of ['c', 'd', 'imm'] as const) this.places.splice(this.places.indexOf(p), 1);
    } else this.places.splice(at, 1);
    this.operands.push({ place: chosen, derive });
    return chosen;
  }

  private read(place: OperandPlace): I32 {
    const record = this.code.param(0, 'i32');
    return place === 'imm'
      ? load.i32(record, this.at + recordField.imm)
      : load.u16(record, this.at + recordField[place as 'a']);
  }

  protected slot(field: string, write: boolean): { address: I32; offset: number } {
    const shared = this.row?.sp?.includes(field) ? field : `${field}:${write}`;
    let place = this.known.get(shared);
    if (!place) {
      place = this.take(undefined, this.register(field, write));
      this.known.set(shared, place);
    }
    return { address: op32.add(this.core, this.read(place)), offset: 0 };
  }

  tiny(derive: (f: Fields) => number): I32 {
    return this.read(this.take(undefined, derive));
  }
  small(derive: (f: Fields) => number): I32 {
    return this.read(this.take('imm', derive));
  }
  wide(derive: (f: Fields) => readonly [number, number]): I64 {
    this.take('imm64', derive);
    return load.i64(this.code.param(0, 'i32'), this.at + recordField.imm64);
  }
}

/** Operands as constants: what region code is made of. Checked against the interpreter by `npm run check`. */
export class ConstantContext extends StateContext {
  constructor(
    row: InstructionRow,
    statics: Fields,
    names: GeneratedNames,
    private readonly fields: Fields,
  ) {
    super(row, statics, names);
  }
  protected slot(field: string, write: boolean): { address: I32; offset: number } {
    return { address: this.core, offset: this.register(field, write)(this.fields) };
  }
  tiny(derive: (f: Fields) => number): I32 {
    return i32(derive(this.fields));
  }
  small(derive: (f: Fields) => number): I32 {
    return i32(derive(this.fields));
  }
  wide(derive: (f: Fields) => readonly [number, number]): I64 {
    const [hi, lo] = derive(this.fields);
    return i64((BigInt(hi | 0) << 32n) | BigInt(lo >>> 0));
  }
}
