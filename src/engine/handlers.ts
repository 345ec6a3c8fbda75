/**
 * The handler table: every implemented row times its static fields and extra variant. A handler knows where its operands stand
 * in a decoded record; the same knowledge makes the interpreter's code (loads from the record) and fills records when decoding.
 *
 * The handlers of most integer rows exist from the start, those of a row that `needs` something or is `rare` from the first
 * time that an instruction of it is decoded. Indices are given out in that order, to pairs (pairs.ts) as well.
 */
import type { HasFeature } from '../arch/features';
import { type Fields, type InstructionRow, instructionRows, parsePattern } from '../arch/instructions';
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
  /** By static key; undefined until the row is wanted. */
  handlers: Map<number, Handler> | undefined;
}

const staticKey = (statics: RowEntry['statics'], f: Fields): number => {
  let key = 0;
  for (const { name, count } of statics) key = key * count + f[name];
  return key;
};

const isLate = ({ row, semantics }: RowEntry): boolean => row.needs !== undefined || semantics.rare === true;

/**
 * Whether some instruction has these statics and this variant: tries values of the other fields, in a fixed order. A
 * combination that it misses is made when an instruction wants it.
 */
function isReachable({ row, semantics }: RowEntry, statics: Fields): boolean {
  const { extra } = semantics;
  if (!row.reserved && !extra) return true;
  const pattern = parsePattern(row.pattern);
  if (typeof pattern === 'string') throw new Error(`elscope bug: ${row.id}: ${pattern}`);
  const free = pattern.fields.filter((f) => !(f.name in statics));
  for (let sample = 0; sample < 256; sample++) {
    const fields: Record<string, number> = { ...statics };
    for (const [i, f] of free.entries()) fields[f.name] = Math.imul(sample, 2 * i + 1) & ((1 << f.width) - 1);
    if (row.reserved?.(fields)) continue;
    if (!extra || [true, false].some((all) => extra.of(fields, () => all) === statics[extra.name])) return true;
  }
  return false;
}

export class HandlerTable {
  private readonly rows = new Map<string, RowEntry>();
  /** By index; undefined for what is not a row's. */
  private readonly list: (Handler | undefined)[] = new Array(FIRST_ROW_HANDLER).fill(undefined);
  /** Handlers that have no code yet. */
  private fresh: Handler[] = [];

  constructor() {
    for (const row of instructionRows) {
      const semantics = row.status === 'unimplemented' ? undefined : semanticsOf(row.id);
      if (semantics) this.rows.set(row.id, entryOf(row, semantics));
    }
    for (const entry of this.rows.values()) if (!isLate(entry)) this.make(entry);
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
    const entry = this.rows.get(row.id);
    if (!entry) return undefined;
    const { extra } = entry.semantics;
    const handlers = entry.handlers ?? this.make(entry);
    const all = extra ? { ...fields, [extra.name]: extra.of(fields, has) } : fields;
    const key = staticKey(entry.statics, all);
    return handlers.get(key) ?? this.add(entry, handlers, all, key);
  }

  /** All handlers of a row: one that is wanted is rarely the only one, and generated modules are dear. */
  private make(entry: RowEntry): Map<number, Handler> {
    let combinations: Record<string, number>[] = [{}];
    for (const { name, count } of entry.statics)
      combinations = combinations.flatMap((c) => Array.from({ length: count }, (_, v) => ({ ...c, [name]: v })));
    const handlers = new Map<number, Handler>();
    entry.handlers = handlers;
    for (const statics of combinations)
      if (isReachable(entry, statics)) this.add(entry, handlers, statics, staticKey(entry.statics, statics));
    return handlers;
  }

  private add({ row, semantics, statics }: RowEntry, to: Map<number, Handler>, values: Fields, key: number): Handler {
    const own = Object.fromEntries(statics.map(({ name }) => [name, values[name]]));
    const handler: Handler = { index: this.list.length, row, semantics, statics: own, operands: [] };
    this.list.push(handler);
    this.fresh.push(handler);
    to.set(key, handler);
    return handler;
  }
}

function entryOf(row: InstructionRow, semantics: Semantics): RowEntry {
  const pattern = parsePattern(row.pattern);
  if (typeof pattern === 'string') throw new Error(`elscope bug: ${row.id}: ${pattern}`);
  const statics = (row.statics ?? []).map((name) => ({
    name,
    count: 1 << (pattern.fields.find((f) => f.name === name)?.width ?? 0),
  }));
  const { extra } = semantics;
  return {
    row,
    semantics,
    statics: extra ? [...statics, { name: extra.name, count: extra.count }] : statics,
    handlers: undefined,
  };
}

/** Writes one operand into a record's four words. */
export function placeOperand(record: DataView, place: OperandPlace, value: number | readonly [number, number]): void {
  if (typeof value !== 'number') {
    record.setInt32(recordField.imm64, value[1], true);
    record.setInt32(recordField.imm64 + 4, value[0], true);
  } else if (place === 'imm') record.setInt32(recordField.imm, value, true);
  else record.setUint16(recordField[place], value, true);
}
