/**
 * The handler table: every implemented row times its static fields and extra variant. A handler knows where its operands stand
 * in a decoded record; the same knowledge makes the interpreter's code (loads from the record) and fills records when decoding.
 *
 * The handlers of Armv8.0's integer rows exist from the start, those of FP, SIMD and extensions from the first time that an
 * instruction of their row is decoded. Indices are given out in that order, to pairs (pairs.ts) as well.
 */
import type { HasFeature } from '../arch/features';
import type { Fields, InstructionId, InstructionRow } from '../arch/instructions';
import { type CompiledRow, compiledRow, compiledRows } from '../isa';
import { type Semantics, semanticsOf } from '../isa/sem';
import { recordField } from '../memory/layout';

/** Where an operand stands in a record. `a`…`d` are u16, `imm` is i32, `imm64` covers c, d and imm. */
export type OperandPlace = 'a' | 'b' | 'c' | 'd' | 'imm' | 'imm64';

export interface Operand {
  readonly place: OperandPlace;
  /** A number, or [hi, lo] for imm64. */
  readonly derive: (f: Fields) => number | readonly [number, number];
}

export interface Handler {
  readonly index: number;
  readonly row: InstructionRow;
  readonly semantics: Semantics;
  readonly statics: Fields;
  /** Filled while the handler's code is generated. */
  readonly operands: Operand[];
}

/** Fixed handlers before the rows' own. */
export const FixedHandler = { lineEnd: 0, intercept: 1, undefined: 2 } as const;
export const FIRST_ROW_HANDLER = 3;

/** The handlers of one row. */
interface RowEntry {
  readonly row: InstructionRow;
  readonly semantics: Semantics;
  /** Static fields and the variant, with the number of values that each has. */
  readonly statics: readonly { readonly name: string; readonly count: number }[];
  /** By static key. */
  readonly handlers: Map<number, Handler>;
}

const staticKey = (statics: RowEntry['statics'], f: Fields): number => {
  let key = 0;
  for (const { name, count } of statics) key = key * count + f[name];
  return key;
};

const isLate = (row: InstructionRow): boolean => row.needs !== undefined || row.feature !== undefined;

const SAMPLES = 256;

/**
 * The values of the variant (just 0 for a row without) that instructions with these static fields have: tries values of the
 * other fields, in a fixed order. One that it misses is made when an instruction wants it.
 */
function variantsOf({ row, pattern }: CompiledRow, extra: Semantics['extra'], statics: Fields): ReadonlySet<number> {
  const found = new Set<number>();
  const count = extra?.count ?? 1;
  const free = pattern.fields.filter((f) => !(f.name in statics));
  const never = pattern.fields.filter((f) => (pattern.nonzero >>> f.lsb) & 1);
  const fields: Record<string, number> = { ...statics };
  for (let sample = 0; sample < SAMPLES && found.size < count; sample++) {
    for (const [i, f] of free.entries()) fields[f.name] = Math.imul(sample, 2 * i + 1) & ((1 << f.width) - 1);
    if (never.some((f) => fields[f.name] === 0) || row.reserved?.(fields)) continue;
    if (!extra) found.add(0);
    else for (const all of [true, false]) found.add(extra.of(fields, () => all));
  }
  return found;
}

export class HandlerTable {
  /** Rows that have handlers. */
  private readonly rows = new Map<string, RowEntry>();
  /** By index; undefined for what is not a row's. */
  private readonly list: (Handler | undefined)[] = new Array(FIRST_ROW_HANDLER).fill(undefined);
  /** Handlers that have no code yet. */
  private fresh: Handler[] = [];

  constructor() {
    for (const compiled of compiledRows) if (!isLate(compiled.row)) this.make(compiled);
  }

  /** Table entries so far. */
  get size(): number {
    return this.list.length;
  }
  at(index: number): Handler | undefined {
    return this.list[index];
  }
  /** An index for code that is no row's. */
  allocate(): number {
    return this.list.push(undefined) - 1;
  }
  /** Handlers made since the last call. */
  takeFresh(): readonly Handler[] {
    const { fresh } = this;
    if (fresh.length > 0) this.fresh = [];
    return fresh;
  }

  /** The handler of an instruction on a core with these features, made now if need be; undefined if its row is not implemented. */
  find(row: InstructionRow, fields: Fields, has: HasFeature): Handler | undefined {
    const entry = this.rows.get(row.id) ?? this.make(compiledRow(row.id as InstructionId));
    if (!entry) return undefined;
    const { extra } = entry.semantics;
    const all = extra ? { ...fields, [extra.name]: extra.of(fields, has) } : fields;
    const key = staticKey(entry.statics, all);
    return entry.handlers.get(key) ?? this.add(entry, all, key);
  }

  /** All handlers of a row: one that is wanted is rarely the only one, and generated modules are dear. */
  private make(compiled: CompiledRow): RowEntry | undefined {
    const { row, pattern } = compiled;
    const semantics = row.status === 'unimplemented' ? undefined : semanticsOf(row.id);
    if (!semantics) return undefined;
    const { extra } = semantics;
    const statics = (row.statics ?? []).map((name) => ({
      name,
      count: 1 << (pattern.fields.find((f) => f.name === name)?.width ?? 0),
    }));
    let combinations: Record<string, number>[] = [{}];
    for (const { name, count } of statics)
      combinations = combinations.flatMap((c) => Array.from({ length: count }, (_, v) => ({ ...c, [name]: v })));
    const all = extra ? [...statics, { name: extra.name, count: extra.count }] : statics;
    const entry = { row, semantics, statics: all, handlers: new Map<number, Handler>() };
    this.rows.set(row.id, entry);
    for (const values of combinations)
      for (const variant of variantsOf(compiled, extra, values)) {
        const own = extra ? { ...values, [extra.name]: variant } : values;
        this.add(entry, own, staticKey(all, own));
      }
    return entry;
  }

  private add({ row, semantics, statics, handlers }: RowEntry, values: Fields, key: number): Handler {
    const own = Object.fromEntries(statics.map(({ name }) => [name, values[name]]));
    const handler: Handler = { index: this.list.length, row, semantics, statics: own, operands: [] };
    this.list.push(handler);
    this.fresh.push(handler);
    handlers.set(key, handler);
    return handler;
  }
}

/** Writes one operand into a record's four words. */
export function placeOperand(record: DataView, place: OperandPlace, value: number | readonly [number, number]): void {
  if (typeof value !== 'number') {
    record.setInt32(recordField.imm64, value[1], true);
    record.setInt32(recordField.imm64 + 4, value[0], true);
  } else if (place === 'imm') record.setInt32(recordField.imm, value, true);
  else record.setUint16(recordField[place], value, true);
}
