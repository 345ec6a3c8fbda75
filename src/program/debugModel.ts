/**
 * What debug information answers, as types: functions, scopes, variables, lines, unwind rows, and the ports through which
 * an evaluation sees a stopped core. All addresses are run-time virtual addresses (link address + load offset) as unsigned
 * 64-bit bigints: this is the debugger's edge, nothing here runs per guest instruction.
 */

import type { CType } from './types';

/** One core's frame as an evaluation sees it. Every method peeks: no effect on the guest. */
export interface EvaluationPort {
  /** DWARF register number: 0-30 X0-X30, 31 SP, 32 PC, 64-95 V0-V31 (128 bits). Undefined: not recoverable in this frame. */
  register(n: number): bigint | undefined;
  /** `size` bytes at a virtual address; undefined when any of them cannot be read. */
  memory(address: bigint, size: number): Uint8Array | undefined;
  /** The frame's canonical frame address. */
  cfa(): bigint | undefined;
  /** The value of the function's DW_AT_frame_base (see `withFrameBase`). */
  frameBase(): bigint | undefined;
  /** Address of a thread-local object from its offset. */
  tls?(offset: bigint): bigint | undefined;
  /** Value that `expression` had at the function's entry (see `DebugInfo.entryValue`). */
  entryValue?(expression: Uint8Array): bigint | undefined;
}

/** The same with writing, for set-variable. Each returns false when refused. */
export interface WritablePort extends EvaluationPort {
  writeRegister(n: number, value: bigint): boolean;
  writeMemory(address: bigint, bytes: Uint8Array): boolean;
}

/** Where an object is, the result of evaluating a DWARF location description. */
export type Location =
  | { readonly kind: 'address'; readonly address: bigint }
  | { readonly kind: 'register'; readonly register: number }
  /** The object has no place; these are its bytes (little endian, maybe longer than the object). */
  | { readonly kind: 'value'; readonly bytes: Uint8Array }
  | { readonly kind: 'pieces'; readonly pieces: readonly Piece[] }
  /** Not available here; `reason` says why ("optimized out", "needs X3, which is not known in this frame", ...). */
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface Piece {
  readonly location: Location;
  readonly bitSize: number;
  /** Offset in the source location (DW_OP_bit_piece), 0 otherwise. */
  readonly bitOffset: number;
}

export interface SourcePosition {
  /** Absolute path where the compilation directory is known, otherwise as the compiler wrote it. */
  readonly file: string;
  /** 1-based; 0 when unknown. */
  readonly line: number;
  /** 1-based; 0 when unknown. */
  readonly column: number;
}

export interface AddressRange {
  readonly low: bigint;
  /** First address after the range. */
  readonly high: bigint;
}

export interface Variable {
  readonly name: string;
  readonly kind: 'parameter' | 'local' | 'global';
  readonly type: CType;
  /** Visible outside of its file. */
  readonly external: boolean;
  readonly declared: SourcePosition | undefined;
  /** Where the variable is while the core is at `pc` (location lists are looked up with it). Never throws. */
  locate(pc: bigint, port: EvaluationPort): Location;
}

/** A function with code, or one inlined copy of it. */
export interface FunctionInfo {
  readonly name: string;
  /** Mangled name, where one is recorded. */
  readonly linkageName: string | undefined;
  readonly ranges: readonly AddressRange[];
  /** Entry address: DW_AT_entry_pc, otherwise the lowest address of the first range. */
  readonly entry: bigint;
  readonly declared: SourcePosition | undefined;
  readonly returns: CType;
  readonly external: boolean;
  /** Set for inlined copies: where the call stood. */
  readonly callSite: SourcePosition | undefined;
  /** True for functions of assembly files, which have no prologue to skip. */
  readonly assembly: boolean;
  readonly parameters: readonly Variable[];
  /** Evaluates DW_AT_frame_base. */
  frameBase(pc: bigint, port: Omit<EvaluationPort, 'frameBase'>): bigint | undefined;
}

/** A lexical scope at a pc, with what is declared directly in it. */
export interface Scope {
  readonly kind: 'block' | 'inlined' | 'function';
  /** The function (or inlined copy) whose scope this is or in which the block lies. */
  readonly function: FunctionInfo;
  readonly ranges: readonly AddressRange[];
  readonly variables: readonly Variable[];
}

export interface LineEntry extends SourcePosition {
  readonly address: bigint;
  /** First address of the next row. */
  readonly end: bigint;
  readonly isStmt: boolean;
  readonly prologueEnd: boolean;
}

/** Where a breakpoint asked for on a line really goes. */
export interface LineLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** One per block that the line was compiled to (inlined copies, unrolled loops), ascending. */
  readonly addresses: readonly bigint[];
}

export interface LineTable {
  /** Row that covers the address; undefined between sequences. */
  at(address: bigint): LineEntry | undefined;
  /** Contiguous addresses around `address` that belong to the same file and line (what one source step runs through). */
  rangeAt(address: bigint): AddressRange | undefined;
  /** All source files that the line tables name, sorted (headers without code are among them). */
  files(): readonly string[];
  /** Files of the program that `path` means: the exact one, otherwise those that share the most trailing path components. */
  match(path: string): readonly string[];
  /** The line, or the nearest following one that has code; undefined when none follows. Prologues of C functions are skipped. */
  locate(path: string, line: number): LineLocation | undefined;
  /** Every position in [from, to] where a breakpoint can be put, by line and column. */
  breakpointLocations(path: string, from: number, to: number): readonly LineLocation[];
}

export type RegisterRule =
  | { readonly kind: 'undefined' }
  | { readonly kind: 'same' }
  /** Saved at CFA + offset. */
  | { readonly kind: 'offset'; readonly offset: number }
  /** The value is CFA + offset. */
  | { readonly kind: 'valueOffset'; readonly offset: number }
  | { readonly kind: 'register'; readonly register: number }
  /** Saved at the address that the expression gives (CFA is pushed first). */
  | { readonly kind: 'expression'; readonly expression: Uint8Array }
  | { readonly kind: 'valueExpression'; readonly expression: Uint8Array };

export type CfaRule =
  | { readonly kind: 'register'; readonly register: number; readonly offset: number }
  | { readonly kind: 'expression'; readonly expression: Uint8Array };

/** One row of the unwind table: how to get the caller's registers while pc is in [low, high). */
export interface UnwindRow extends AddressRange {
  readonly cfa: CfaRule;
  /** Rules by DWARF register number (0-30, 31 SP); registers that are absent keep their value if callee-saved. */
  readonly registers: ReadonlyMap<number, RegisterRule>;
  readonly returnRegister: number;
  /** Frame of an exception or signal: the pc is exact, not a return address ('S' augmentation). */
  readonly signalFrame: boolean;
  /** The saved return address carries a pointer authentication code here (strip it before use). */
  readonly signedReturn: boolean;
  readonly source: '.debug_frame' | '.eh_frame';
}

/** A caller's frame, computed from a row. */
export interface UnwoundFrame {
  readonly cfa: bigint;
  /** Caller's pc, not adjusted: it is the return address. Undefined: outermost frame. */
  readonly pc: bigint | undefined;
  /** Caller's registers by DWARF number; absent when not recoverable. */
  readonly registers: ReadonlyMap<number, bigint>;
}

export interface DebugInfo {
  /** What could not be read, one line each (bounded). Grows as more is looked at. */
  readonly problems: readonly string[];
  readonly loadOffset: bigint;
  readonly lines: LineTable;
  /** The concrete (not inlined) function whose code covers pc. */
  functionAt(pc: bigint): FunctionInfo | undefined;
  /** Inlined copies that cover pc, innermost first; then the concrete function. Frames to show, in order. */
  callChainAt(pc: bigint): readonly FunctionInfo[];
  /** Scopes at pc, innermost first, up to and including the concrete function. */
  scopesAt(pc: bigint): readonly Scope[];
  /** Functions of that name with code, then their inlined copies. */
  functionsNamed(name: string): readonly FunctionInfo[];
  /** First address past the prologue (where arguments can be read), or the entry where there is none. */
  afterPrologue(fn: FunctionInfo): bigint;
  /** Globals and file-local statics of the file that pc was compiled from. */
  fileGlobals(pc: bigint): readonly Variable[];
  /** Globals of that name; the one visible at `pc` first. */
  globalsNamed(name: string, pc?: bigint): readonly Variable[];
  /** `struct x`, `enum x`, `union x`, a typedef or a base type (`unsigned long`), without `*`. */
  typeNamed(name: string, pc?: bigint): CType | undefined;
  unwindRow(pc: bigint): UnwindRow | undefined;
  /** What `expression` (of DW_OP_entry_value) held at entry, from the call site that returns to `returnPc` in the caller's frame. */
  entryValue(expression: Uint8Array, returnPc: bigint, caller: EvaluationPort): bigint | undefined;
}
