/**
 * The handler table: every implemented row times its static fields and extra variant. A handler knows where its operands stand
 * in a decoded record; the same knowledge makes the interpreter's code (loads from the record) and fills records when decoding.
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

const staticKey = (names: readonly string[], f: Fields): number => {
  let key = 0;
  for (const name of names) key = key * 16 + f[name];
  return key;
};

/** Some values of the other fields with which a combination of statics is not reserved, tried in a fixed order. */
function isReachable(row: InstructionRow, statics: Fields): boolean {
  if (!row.reserved) return true;
  const pattern = parsePattern(row.pattern);
  if (typeof pattern === 'string') throw new Error(`elscope bug: ${row.id}: ${pattern}`);
  const free = pattern.fields.filter((f) => !(f.name in statics));
  for (let sample = 0; sample < 256; sample++) {
    const fields: Record<string, number> = { ...statics };
    for (const [i, f] of free.entries()) fields[f.name] = Math.imul(sample, 2 * i + 1) & ((1 << f.width) - 1);
    if (!row.reserved(fields)) return true;
  }
  return false;
}

export class HandlerTable {
  readonly handlers: Handler[] = [];
  /** By row id: static names, and index by static key. */
  private readonly byRow = new Map<
    string,
    { names: readonly string[]; extra: Semantics['extra']; index: Map<number, Handler> }
  >();

  constructor() {
    for (const row of instructionRows) {
      const semantics = row.status === 'unimplemented' ? undefined : semanticsOf(row.id);
      if (semantics) this.addRow(row, semantics);
    }
  }

  /** Number of table entries, fixed ones included. */
  get size(): number {
    return FIRST_ROW_HANDLER + this.handlers.length;
  }

  /** The handler of an instruction on a core with these features, or undefined if the row is not implemented. */
  find(row: InstructionRow, fields: Fields, has: HasFeature): Handler | undefined {
    const entry = this.byRow.get(row.id);
    if (!entry) return undefined;
    const all = entry.extra ? { ...fields, [entry.extra.name]: entry.extra.of(fields, has) } : fields;
    return entry.index.get(staticKey(entry.names, all));
  }

  private addRow(row: InstructionRow, semantics: Semantics): void {
    const pattern = parsePattern(row.pattern);
    if (typeof pattern === 'string') throw new Error(`elscope bug: ${row.id}: ${pattern}`);
    const names = [...(row.statics ?? [])];
    let combinations: Record<string, number>[] = [{}];
    const multiply = (name: string, count: number): void => {
      combinations = combinations.flatMap((c) => Array.from({ length: count }, (_, v) => ({ ...c, [name]: v })));
    };
    for (const name of names) multiply(name, 1 << (pattern.fields.find((f) => f.name === name)?.width ?? 0));
    combinations = combinations.filter((c) => isReachable(row, c));
    if (semantics.extra) {
      names.push(semantics.extra.name);
      multiply(semantics.extra.name, semantics.extra.count);
    }
    const index = new Map<number, Handler>();
    for (const statics of combinations) {
      const handler: Handler = {
        index: FIRST_ROW_HANDLER + this.handlers.length,
        row,
        semantics,
        statics,
        operands: [],
      };
      this.handlers.push(handler);
      index.set(staticKey(names, statics), handler);
    }
    this.byRow.set(row.id, { names, extra: semantics.extra, index });
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
