/**
 * Functions, inlined copies, lexical scopes and variables as debugging information describes them. A unit's functions are
 * indexed by address when the unit is first looked at; what is inside of a function is read for the pc that is asked for.
 */

import type {
  AddressRange,
  EvaluationPort,
  FunctionInfo,
  Location,
  Scope,
  SourcePosition,
  Variable,
} from '../debugModel';
import { Malformed } from '../reader';
import type { CType } from '../types';
import { sizeOf } from '../typeTools';
import { declaredAt, holder, lineage, nameOf, positionOf } from './attributes';
import { AT, TAG } from './constants';
import type { DebugFile } from './debugFile';
import { evaluateLocation, evaluateNumber } from './expression';
import { type ExpressionContext, OPTIMIZED_OUT } from './expressionContext';
import { IntervalMap } from './intervals';
import { expressionAt } from './locations';
import { topLevel } from './nameIndex';
import { bytesOf } from './operands';
import { rangesOf } from './ranges';
import type { TypeReader } from './typeReader';
import type { Die, Unit } from './unit';
import type { CompileUnit, Units } from './units';

const MAX_DEPTH = 64;

const contains = (ranges: readonly AddressRange[], pc: bigint): boolean =>
  ranges.some((range) => pc >= range.low && pc < range.high);

/** What expressions of a unit need. */
export function unitContext(units: Units, unit: Unit): ExpressionContext {
  const { file } = units;
  const { header } = unit;
  return {
    addressSize: header.addressSize,
    offsetSize: header.offsetSize,
    place: (address) => file.place(address),
    indexed: (index) => file.indexedAddress(unit, index),
    baseType: (offset) => {
      const die = unit.dieAt(header.offset + offset);
      if (die === undefined || die.tag !== TAG.baseType) return undefined;
      const encoding = die.number(AT.encoding) ?? 0;
      const signed = encoding === 5 || encoding === 6;
      return { size: die.number(AT.byteSize) ?? 0, signed, float: encoding === 4 };
    },
    called: (offset, global) => {
      const die = global ? file.unitAt(offset).dieAt(offset) : unit.dieAt(header.offset + offset);
      return die?.bytes(AT.location);
    },
  };
}

/** A function (or inlined copy) with the entry it came from. Attributes are read when they are asked for. */
export class FunctionEntry implements FunctionInfo {
  constructor(
    private readonly reader: FunctionReader,
    readonly unit: CompileUnit,
    readonly die: Die,
    readonly ranges: readonly AddressRange[],
  ) {}

  private guard<T>(fallback: T, body: (file: DebugFile) => T): T {
    const { file } = this.reader.units;
    return file.problems.guard('function', fallback, () => body(file));
  }

  get name(): string {
    return this.guard('', (file) => nameOf(file, this.die));
  }

  get linkageName(): string | undefined {
    return this.guard(undefined, (file) => {
      const owner = holder(file, this.die, AT.linkageName);
      return owner && file.text(owner, AT.linkageName);
    });
  }

  get entry(): bigint {
    return this.guard(this.ranges[0]?.low ?? 0n, () => this.readEntry());
  }

  get declared(): SourcePosition | undefined {
    return this.guard(undefined, () => declaredAt(this.reader.units, this.die));
  }

  get external(): boolean {
    return this.guard(false, (file) => holder(file, this.die, AT.external)?.flag(AT.external) ?? false);
  }

  get callSite(): SourcePosition | undefined {
    if (this.die.tag !== TAG.inlinedSubroutine) return undefined;
    const call = { file: AT.callFile, line: AT.callLine, column: AT.callColumn };
    return positionOf(this.reader.units, this.die, call) ?? { file: this.unit.path, line: 0, column: 0 };
  }

  get assembly(): boolean {
    return this.unit.assembly;
  }

  private readEntry(): bigint {
    const { file } = this.reader.units;
    const first = this.ranges[0]?.low ?? 0n;
    const address = file.address(this.die, AT.entryPc);
    if (address !== undefined) return file.place(address);
    const offset = this.die.number(AT.entryPc);
    if (offset !== undefined) return first + BigInt(offset);
    const low = this.die.has(AT.ranges) ? undefined : file.address(this.die, AT.lowPc);
    return low === undefined ? first : file.place(low);
  }

  get returns(): CType {
    return this.reader.typeOf(this.die);
  }

  get parameters(): readonly Variable[] {
    return this.reader.variablesIn(this.die).filter((variable) => variable.kind === 'parameter');
  }

  frameBase(pc: bigint, port: Omit<EvaluationPort, 'frameBase'>): bigint | undefined {
    const { units } = this.reader;
    return units.file.problems.guard('frame base', undefined, () => {
      const expression = expressionAt(units.file, this.die, AT.frameBase, pc);
      if (expression === undefined) return undefined;
      const full: EvaluationPort = {
        register: (n) => port.register(n),
        memory: (address, size) => port.memory(address, size),
        cfa: () => port.cfa(),
        frameBase: () => undefined,
      };
      return evaluateNumber(expression, full, unitContext(units, this.die.unit));
    });
  }
}

/** A function or block that lies on the way from a function's entry to the innermost scope at a pc. */
interface Step {
  readonly die: Die;
  readonly ranges: readonly AddressRange[];
}

export class FunctionReader {
  private readonly indexes = new Map<CompileUnit, IntervalMap<Step>>();
  /** Inlined copies by unit and by the offset of the function that they are copies of. */
  private readonly copies = new Map<CompileUnit, Map<number, Die[]>>();

  constructor(
    readonly units: Units,
    private readonly types: TypeReader,
  ) {}

  typeOf(die: Die): CType {
    const { file } = this.units;
    return file.problems.guard<CType>('type', { kind: 'unknown', name: '<broken type>', size: 0 }, () =>
      this.types.typeOf(holder(file, die, AT.type) ?? die),
    );
  }

  private index(unit: CompileUnit): IntervalMap<Step> {
    let map = this.indexes.get(unit);
    if (map === undefined) {
      map = new IntervalMap();
      this.indexes.set(unit, map);
      this.collect(
        map,
        unit.file.problems.guard<Die[]>('functions', [], () => topLevel(unit)),
        0,
      );
    }
    return map;
  }

  /** Concrete functions, also those that stand in classes. */
  private collect(map: IntervalMap<Step>, dies: readonly Die[], depth: number): void {
    for (const die of dies) {
      if (die.tag !== TAG.subprogram && die.tag !== TAG.structureType && die.tag !== TAG.classType) continue;
      const ranges = die.tag === TAG.subprogram ? this.ranges(die) : [];
      for (const range of ranges) map.add(range.low, range.high, { die, ranges });
      if (depth < MAX_DEPTH && die.tag !== TAG.subprogram) this.collect(map, die.children(), depth + 1);
    }
  }

  private ranges(die: Die): readonly AddressRange[] {
    return this.units.file.problems.guard('ranges', [], () => rangesOf(this.units.file, die));
  }

  /** Function entry of a DIE; undefined if it has no code. */
  entryOf(unit: CompileUnit, die: Die): FunctionEntry | undefined {
    const ranges = this.ranges(die);
    return ranges.length === 0 ? undefined : new FunctionEntry(this, unit, die, ranges);
  }

  /** Inlined copies of the function whose abstract entry stands at an offset of the unit. */
  copiesOf(unit: CompileUnit, offset: number): readonly FunctionEntry[] {
    let copies = this.copies.get(unit);
    if (copies === undefined) {
      copies = new Map();
      this.copies.set(unit, copies);
      for (const die of topLevel(unit)) if (die.tag === TAG.subprogram) this.collectCopies(copies, die, 0);
    }
    return (copies.get(offset) ?? []).flatMap((die) => this.entryOf(unit, die) ?? []);
  }

  private collectCopies(copies: Map<number, Die[]>, parent: Die, depth: number): void {
    for (const die of parent.children()) {
      if (die.tag !== TAG.inlinedSubroutine && die.tag !== TAG.lexicalBlock) continue;
      if (die.tag === TAG.inlinedSubroutine) {
        const origin = this.units.file.problems.guard('inlined copy', undefined, () =>
          this.units.file.reference(die, AT.abstractOrigin),
        );
        const same = origin && copies.get(origin.offset);
        if (same !== undefined) same.push(die);
        else if (origin !== undefined) copies.set(origin.offset, [die]);
      }
      if (depth < MAX_DEPTH) this.collectCopies(copies, die, depth + 1);
    }
  }

  functionAt(pc: bigint): FunctionEntry | undefined {
    const unit = this.units.at(pc);
    const found = unit && this.index(unit).find(pc);
    return found && new FunctionEntry(this, unit, found.value.die, found.value.ranges);
  }

  /** From the concrete function to the innermost block or inlined copy at pc. */
  private path(pc: bigint): { unit: CompileUnit; steps: Step[] } | undefined {
    const unit = this.units.at(pc);
    const found = unit && this.index(unit).find(pc);
    if (unit === undefined || found === undefined) return undefined;
    const steps: Step[] = [found.value];
    for (let at: Step | undefined = found.value; at !== undefined && steps.length < MAX_DEPTH; ) {
      at = this.inner(at.die, pc);
      if (at !== undefined) steps.push(at);
    }
    return { unit, steps };
  }

  private inner(parent: Die, pc: bigint): Step | undefined {
    for (const die of parent.children()) {
      if (die.tag !== TAG.lexicalBlock && die.tag !== TAG.inlinedSubroutine) continue;
      const ranges = this.ranges(die);
      if (contains(ranges, pc)) return { die, ranges };
    }
    return undefined;
  }

  /** Offset of the innermost block's entry, which identifies it. */
  blockAt(pc: bigint): string | undefined {
    return this.path(pc)?.steps.at(-1)?.die.offset.toString();
  }

  callChainAt(pc: bigint): readonly FunctionEntry[] {
    const path = this.path(pc);
    if (path === undefined) return [];
    return path.steps
      .filter((step) => step.die.tag !== TAG.lexicalBlock)
      .map((step) => new FunctionEntry(this, path.unit, step.die, step.ranges))
      .reverse();
  }

  scopesAt(pc: bigint): readonly Scope[] {
    const path = this.path(pc);
    if (path === undefined) return [];
    let current: FunctionEntry | undefined;
    const scopes = path.steps.map(({ die, ranges }): Scope => {
      if (die.tag !== TAG.lexicalBlock || current === undefined) {
        current = new FunctionEntry(this, path.unit, die, ranges);
      }
      const kind = die.tag === TAG.lexicalBlock ? 'block' : die.tag === TAG.inlinedSubroutine ? 'inlined' : 'function';
      return { kind, function: current, ranges, variables: this.variablesIn(die) };
    });
    return scopes.reverse();
  }

  /** Variables and parameters declared directly in a function, block or inlined copy. */
  variablesIn(die: Die): Variable[] {
    return die.children().flatMap((child) => {
      if (child.tag !== TAG.variable && child.tag !== TAG.formalParameter) return [];
      const variable = this.variable(child, child.tag === TAG.variable ? 'local' : 'parameter');
      return variable === undefined ? [] : [variable];
    });
  }

  /** A variable entry; undefined for declarations of something defined elsewhere and for nameless ones. */
  variable(die: Die, kind: Variable['kind']): Variable | undefined {
    const { file } = this.units;
    return file.problems.guard('variable', undefined, () => {
      const chain = lineage(file, die);
      const located = chain.find((other) => other.has(AT.location) || other.has(AT.constValue));
      if (located === undefined && chain[0].flag(AT.declaration)) return undefined;
      const name = nameOf(file, die);
      if (name === '') return undefined;
      const type = this.typeOf(die);
      return {
        name,
        kind,
        type,
        external: holder(file, die, AT.external)?.flag(AT.external) ?? false,
        declared: declaredAt(this.units, die),
        locate: (pc: bigint, port: EvaluationPort) => this.locate(located, type, pc, port),
      };
    });
  }

  private locate(die: Die | undefined, type: CType, pc: bigint, port: EvaluationPort): Location {
    if (die === undefined) return OPTIMIZED_OUT;
    const { file } = this.units;
    try {
      const constant = constantBytes(file.text(die, AT.constValue), die, type);
      if (constant !== undefined) return { kind: 'value', bytes: constant };
      const expression = expressionAt(file, die, AT.location, pc);
      if (expression === undefined) return OPTIMIZED_OUT;
      return evaluateLocation(expression, port, unitContext(this.units, die.unit));
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      file.problems.add(`location: ${error.message}`);
      return { kind: 'unavailable', reason: `bad location: ${error.message}` };
    }
  }

  /** Value that an expression had when the called function was entered, from the call site that returns to `returnPc`. */
  entryValue(expression: Uint8Array, returnPc: bigint, caller: EvaluationPort): bigint | undefined {
    const { file } = this.units;
    return file.problems.guard('call site', undefined, () => {
      const fn = this.functionAt(returnPc - 1n);
      const site = fn && this.callSite(fn.die, returnPc, 0);
      const parameter = site?.children().find((child) => {
        if (child.tag !== TAG.callSiteParameter && child.tag !== TAG.gnuCallSiteParameter) return false;
        const location = child.bytes(AT.location);
        return location !== undefined && sameBytes(location, expression);
      });
      const value = parameter?.bytes(AT.callValue) ?? parameter?.bytes(AT.gnuCallSiteValue);
      if (site === undefined || value === undefined) return undefined;
      return evaluateNumber(value, caller, unitContext(this.units, site.unit));
    });
  }

  private callSite(parent: Die, returnPc: bigint, depth: number): Die | undefined {
    if (depth > MAX_DEPTH) return undefined;
    const { file } = this.units;
    for (const die of parent.children()) {
      if (die.tag === TAG.callSite || die.tag === TAG.gnuCallSite) {
        const address = file.address(die, die.tag === TAG.callSite ? AT.callReturnPc : AT.lowPc);
        if (address !== undefined && file.place(address) === returnPc) return die;
      } else if (die.tag === TAG.lexicalBlock || die.tag === TAG.inlinedSubroutine) {
        const found = this.callSite(die, returnPc, depth + 1);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

/** Bytes of DW_AT_const_value: a block, text, or a number of the type's size. */
function constantBytes(text: string | undefined, die: Die, type: CType): Uint8Array | undefined {
  const value = die.raw(AT.constValue);
  if (value === undefined) return undefined;
  if (value instanceof Uint8Array) return value;
  const size = sizeOf(type) || 8;
  if (text !== undefined) return Uint8Array.from([...text].map((c) => c.charCodeAt(0) & 0xff)).slice(0, size);
  if (typeof value === 'string' || size > 16) throw new Malformed('a constant of an unknown form');
  return bytesOf(BigInt(value), size);
}
