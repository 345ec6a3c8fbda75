/**
 * Semantics with operands left open: code that loads them from the decoded record. This is the interpreter's half of "written
 * once"; ConstantContext below is the other.
 */
import type { Fields, InstructionRow } from '../arch/instructions';
import { recordField } from '../memory/layout';
import { type FunctionBuilder, type I32, type I64, i32, i64, load, op32 } from '../wasm/code';
import { AccessContext } from './accessContext';
import type { Operand, OperandPlace } from './handlers';
import type { GeneratedNames } from './stateContext';
import type { Place } from './vectorContext';

export class OpenContext extends AccessContext {
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

  protected slot(field: string, write: boolean, after: 0 | 1 = 0): { address: I32; offset: number } {
    const shared = this.row?.sp?.includes(field) ? field : `${field}:${write}:${after}`;
    let place = this.known.get(shared);
    if (!place) {
      place = this.take(undefined, this.register(field, write, after));
      this.known.set(shared, place);
    }
    return { address: op32.add(this.core, this.read(place)), offset: 0 };
  }

  protected vSlot(field: string, plus: number): Place {
    const shared = `${field}:v`;
    let place = this.known.get(shared);
    if (!place) {
      place = this.take(undefined, this.vectorOf(field, 0));
      this.known.set(shared, place);
    }
    const at = this.read(place);
    return { address: op32.add(this.core, plus === 0 ? at : this.vectorAfter(at, plus)), offset: 0 };
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
export class ConstantContext extends AccessContext {
  constructor(
    row: InstructionRow,
    statics: Fields,
    names: GeneratedNames,
    private readonly fields: Fields,
  ) {
    super(row, statics, names);
  }
  protected slot(field: string, write: boolean, after: 0 | 1 = 0): { address: I32; offset: number } {
    return { address: this.core, offset: this.register(field, write, after)(this.fields) };
  }
  protected vSlot(field: string, plus: number): Place {
    return { address: this.core, offset: this.vectorOf(field, plus)(this.fields) };
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
