/**
 * The shape of an instruction row. A row says how one form of an A64 instruction is encoded, printed and classified; the
 * decoder, disassembler, encoder, word generator, mnemonic lists and coverage page are all derived from it. What the
 * instruction does is written elsewhere, keyed by `id`.
 *
 * Field names are the manual's. A field of which the pattern fixes some bits keeps its name for the bits left over: `opc` in
 * the LDRS rows is opc<0>. One exception: a lone bit that chooses between W and X registers is always called `sf` (it is
 * opc<1> in the pair rows and opc<0> in LDR (literal)).
 *
 * SIMD&FP registers are fields Rd, Rn, Rm, Ra, Rt, Rt2 as the others; the template says that they are vectors:
 *   `<Vd>` v3; `<Vd:d>` d3 (b h s d q); `<Vd:ftype>` by a field: ftype (0 S, 1 D, 3 H), size (B H S D), sz (S D), opc (S D Q),
 *   opcsize (loads: opc<1>:size), imm5 (lowest one bit), immh (highest one bit); sizeNext, szNext, immhNext twice as wide.
 *   Arrangements stand after a dot, `<Vd>.<T>`: T by size and Q; Ta by size, twice as wide, whole; Tpairs so with Q; Tsz, Tasz
 *   and Tbsz by sz (Tbsz half as wide, with Q); Timm5 by imm5 and Q; Timmh by immh and Q, Taimmh twice as wide, whole; Tq 8b or 16b. What no rule has
 *   is a choice: `<Vd>.{Q:4h|8h}`.
 *   Elements: `<Vn>.<Ts>[<index5>]` by imm5 (DUP, UMOV); index4 by imm4; `<VmElement>` is Vm with its index by size, H, L and M;
 *   `<elementIndex>` only its index: H:L, H:L:M if there is an M, H if sz = 1.
 *   Lists from Rt on: `<list1>` … `<list4>`, `<bElements1>` … `<dElements4>`; `<tableList>` from Rn on, len + 1 registers.
 *   Shifts: `<shlAmount>`, `<shrAmount>` by immh:immb. Immediates of abc:defgh: `<imm8abc>`, `<byteMask>`, `<fpImm8>` (or imm8).
 * disassemble/vectors.ts has them all; new ones go there.
 */

import type { FeatureName } from '../features';

/** Decoded field values by name, each an unsigned number. */
export type Fields = Readonly<Record<string, number>>;

/**
 * How a register field's printed width follows from the encoding:
 * `x`/`w` fixed; `sf` X when sf = 1; `size` X when size = 3; `sz` X when sz = 1; `opc` X when opc = 0 (sign-extending loads);
 * `b5` X when b5 = 1; `Q` X when Q = 1; `imm5` X when imm5 says 64-bit elements; `option` X when option<1:0> = 3 and sf, if there is one, is 1 (extended and index registers).
 */
export type WidthRule = 'x' | 'w' | 'sf' | 'size' | 'sz' | 'opc' | 'b5' | 'Q' | 'imm5' | 'option';

/**
 * What execution can do beyond writing registers and flags.
 * `branch` changes PC; `call` also links; `return` is RET; `exception` always takes an exception; `eret` is an exception
 * return; `sync` orders or synchronises; `system` reads or writes system state; `wait` may end the core's turn.
 */
export type Effect =
  | 'none'
  | 'branch'
  | 'call'
  | 'return'
  | 'exception'
  | 'eret'
  | 'sync'
  | 'system'
  | 'wait'
  | 'load'
  | 'store'
  | 'loadstore';

export type Status = 'done' | 'partial' | 'unimplemented';

/** A preferred spelling: used instead of `asm` when `when` holds. Aliases are tried in order. */
export interface Alias {
  readonly when: (f: Fields) => boolean;
  readonly asm: string;
}

export interface InstructionRow {
  /** Unique: the manual's name and form, e.g. `ADD_imm`. */
  readonly id: string;
  /** Title of the manual's section. */
  readonly section: string;
  /**
   * 32 bits, MSB first: space-separated literal bits, `name:width`, or `name` for one bit. One field may end in `!0`: words
   * in which it is 0 do not match (immh of the shifts by an immediate).
   */
  readonly pattern: string;
  /** Ids of wider rows within which this one wins. */
  readonly over?: readonly string[];
  /** Register fields whose value 31 means SP; in all others it means ZR. */
  readonly sp?: readonly string[];
  /** Width of the register fields, for all or by field name (absent fields: `x`). Default `x`. */
  readonly width?: WidthRule | Readonly<Record<string, WidthRule>>;
  /** Fields that choose a specialised handler. */
  readonly statics?: readonly string[];
  /** True for encodings that the pattern matches but that are UNDEFINED. */
  readonly reserved?: (f: Fields) => boolean;
  /** FEAT_xxx when not in Armv8.0. */
  readonly feature?: FeatureName;
  /** 'fp': an FP or SIMD instruction, which CPACR_EL1.FPEN and the like can trap. Checked right after decoding. */
  readonly needs?: 'fp';
  readonly effect: Effect;
  /**
   * Assembly template. `<Rd>` prints a register field, `<Rd:w>` with a width of its own, `<name>` an operand that the
   * disassembler knows by that name or else the plain value of a field, `{field:a|b}` picks a text by a field's value.
   * Empty for class rows, which print as `.inst`.
   */
  readonly asm: string;
  readonly aliases?: readonly Alias[];
  readonly status: Status;
  /** Why a row is not done, or a surprise of the architecture. Required unless the status is done. */
  readonly note?: string;
}

type Tokens<S extends string> = S extends `${infer Head} ${infer Tail}` ? Head | Tokens<Tail> : S;
type FieldOf<T extends string> = T extends `${0 | 1}${string}`
  ? never
  : T extends `${infer Field}!0`
    ? FieldOf<Field>
    : T extends `${infer Name}:${number}`
      ? Name
      : T;

/** Names of the fields in a pattern, as a type. */
export type FieldNames<Pattern extends string> = FieldOf<Tokens<Pattern>>;
