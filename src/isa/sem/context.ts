/**
 * What an instruction's semantic function is written against. Each row's function emits its effect once, through this
 * interface; the engine implements it with operands open (loaded from a decoded record: the interpreter's handler) or constant
 * (region code). Names of operands are the manual's field names.
 */
import type { HasFeature } from '../../arch/features';
import type { Fields } from '../../arch/instructions';
import type { F32, F64, FunctionBuilder, I32, I64, Local, V128, Value, ValueType } from '../../wasm/code';

/** How a memory access differs from a plain one. */
export interface AccessKind {
  readonly unprivileged?: boolean; // LDTR, STTR
  readonly ordered?: boolean; // acquire / release: alignment is checked
  readonly elementLog2?: number; // elements of a structure, read or written together: each is aligned by itself
  readonly atomic?: boolean; // the load of a read-modify-write: alignment is checked, write permission needed
}

/** Slow paths: the engine calls the core; a non-zero answer leaves generated code. Arguments are 32-bit. */
export type SlowPath =
  | 'svc'
  | 'hvc'
  | 'smc'
  | 'brk'
  | 'hlt'
  | 'undefined'
  | 'eret'
  | 'wfi'
  | 'wfe'
  | 'sev'
  | 'sevl'
  | 'clrex'
  | 'barrier' // kind (0 DSB, 1 DMB, 2 ISB), CRm
  | 'systemRead' // encoding; result in value(0)
  | 'systemWrite' // encoding; operand in value(0)
  | 'systemOperation' // encoding; operand in value(0)
  | 'msrImmediate' // op1, op2, CRm
  | 'spAlignment'
  | 'esb'
  | 'pauthTrap'
  | 'pauthFail' // code of the error
  | 'exceptionLink' // ELR of the current level in value(0); UNDEFINED at EL0
  | 'eretTo' // target in value(0)
  | 'fpAccess' // FP and SIMD are trapped: emitted by the generator, not by semantic functions
  | 'zero';

/** SIMD&FP registers. Operands are loads: share what is used twice with code.let, and read before you write. */
export interface VectorOperands {
  /** All 128 bits. `plus`: of the register so many after it, V0 following V31 (lists of LD1 … LD4, TBL). */
  v(field: string, plus?: number): V128;
  /** An element of 1 << sizeLog2 bytes, zero-extended; its index is a constant or was computed. */
  element32(field: string, sizeLog2: 0 | 1 | 2, index?: number | I32, plus?: number): I32;
  element64(field: string, sizeLog2: 0 | 1 | 2 | 3, index?: number | I32, plus?: number): I64;
  /** The lowest element as wasm's float: mind its NaNs (DESIGN.md section 4). */
  f32(field: string): F32;
  f64(field: string): F64;

  setV(field: string, value: V128, plus?: number): void;
  /** Writes the lowest element of 1 << sizeLog2 bytes and zeroes the rest. */
  setLow32(field: string, sizeLog2: 0 | 1 | 2, value: I32): void;
  setLow64(field: string, value: I64, plus?: number): void;
  /** Writes one element and leaves the others. */
  setElement32(field: string, sizeLog2: 0 | 1 | 2, index: number | I32, value: I32, plus?: number): void;
  setElement64(field: string, sizeLog2: 0 | 1 | 2 | 3, index: number | I32, value: I64, plus?: number): void;

  /** FPCR and FPSR, and what ORs bits into FPSR: IOC is bit 0, DZC 1, OFC 2, UFC 3, IXC 4, IDC 7, QC 27. */
  fpcr(): I32;
  fpsr(): I32;
  raise(bits: I32): void;

  /** One data access of 16 bytes. */
  loadV(address: I64, kind?: AccessKind): Local<'v128'>;
  storeV(address: I64, value: V128, kind?: AccessKind): void;
}

export interface SemanticsContext extends VectorOperands {
  readonly code: FunctionBuilder;
  /** Static fields (and the row's extra variant) of this specialisation. */
  readonly statics: Fields;

  x(field: string): I64;
  w(field: string): I32;
  setX(field: string, value: I64): void;
  /** Writes the low word, zero-extended. */
  setW(field: string, value: I32): void;
  /** A register that the instruction does not name: X0 to X30, 31 = SP. */
  xAt(n: number): I64;
  setXAt(n: number, value: I64): void;
  /** What a system register holds; a word or doubleword that cpu/ keeps in the core block for generated code. */
  system(register: string): I64;
  word(name: 'pauthFlags'): I32;
  /** Of two masks of pointers to instructions or data: that of the low or high range. */
  pauthMask(data: boolean, range: 'low' | 'high'): I64;
  /** The register after an even one: X31 is ZR. */
  xNext(field: string): I64;
  setXNext(field: string, value: I64): void;
  /** X30. */
  setLink(value: I64): void;

  /** An operand computed by the decoder: unsigned 16 bits, signed 32 bits, or 64 bits as [hi, lo]. At most one small or wide. */
  tiny(derive: (f: Fields) => number): I32;
  small(derive: (f: Fields) => number): I32;
  wide(derive: (f: Fields) => readonly [hi: number, lo: number]): I64;

  /** Address of this instruction. */
  pc(): I64;

  carry(): I32;
  /** n and v by their sign, z by being zero, c 0 or 1. */
  setFlags(n: I64, z: I64, c: I32, v: I64): void;
  /** NZCV as four bits, N highest. */
  nzcv(): I32;
  setNzcv(bits: I32): void;
  /** ConditionHolds(): 0 or 1. */
  condition(cond: number): I32;

  /** One data access of 1 << sizeLog2 bytes, zero-extended. Leaves generated code when it faults. */
  load(address: I64, sizeLog2: number, kind?: AccessKind): Local<'i64'>;
  store(address: I64, value: I64, sizeLog2: number, kind?: AccessKind): void;
  /** Exclusive accesses go through the monitors; size 4 = a pair of doublewords in value(0), value(1). */
  loadExclusive(address: I64, sizeLog2: number, kind: AccessKind): void;
  /** Gives the status: 0 stored, 1 not. The operand is in value(0) (and value(1)). */
  storeExclusive(address: I64, sizeLog2: number, kind: AccessKind): I32;

  /**
   * An atomic read-modify-write of 1 << sizeLog2 bytes: gives the old value, zero-extended. `change` makes the new one, of which
   * the low bytes are stored; with `when`, only where that is not 0. A store that `when` allows is counted here, others are not.
   */
  atomic(address: I64, sizeLog2: number, change: (old: I64) => I64, when?: (old: I64) => I32): Local<'i64'>;
  /** The same for 16 bytes: compares with `expected` and stores `wanted` where equal. Gives the old value. */
  compareAndSwapPair(
    address: I64,
    expected: readonly [low: I64, high: I64],
    wanted: readonly [low: I64, high: I64],
  ): readonly [low: Local<'i64'>, high: Local<'i64'>];

  /** Calls a routine (routines.ts), which is given the core block before `args`; `result` is the type that it gives. */
  call<T extends ValueType>(routine: string, result: T, ...args: readonly Value[]): Value<T>;

  value(index: 0 | 1): I64;
  setValue(index: 0 | 1, value: I64): void;
  slow(path: SlowPath, ...args: I32[]): void;

  /** Ends the instruction: goes on at `target`. */
  jump(target: I64): void;
  /**
   * The same for an indirect branch of a core with FEAT_BTI: PSTATE.BTYPE becomes `type`; 3 is 1 unless the branch lies in a guarded
   * page.
   */
  jumpWithType(target: I64, type: 1 | 2 | 3): void;
  /** Ends the instruction: goes on with the next one (implied at the end). */
  next(): void;
}

/**
 * A row's meaning. Rows that `needs` something are checked for it by the generator, before this. `extra` adds a variant that is
 * not a field: "the base is SP", or something that only some cores do.
 */
export interface Semantics {
  readonly emit: (s: SemanticsContext) => void;
  readonly extra?: {
    readonly name: string;
    readonly count: number;
    readonly of: (f: Fields, has: HasFeature) => number;
  };
  /** Data accesses of one execution on plain paths, for counting. */
  readonly loads?: number;
  readonly stores?: number;
}
