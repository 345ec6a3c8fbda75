/**
 * Addresses to lines and lines to addresses over all units. Files are found through the headers of line tables; programs are
 * run only for units that an address or a file name leads to.
 */

import type { AddressRange, LineEntry, LineLocation, LineTable } from '../debugModel';
import { IS_STMT, type LineRows, PROLOGUE_END, type Sequence } from './lineProgram';
import { normalizePath, sharedTail } from './paths';
import type { CompileUnit, Units } from './units';

/** What line look-ups need to know of functions. */
export interface FunctionQuery {
  /** Identifies the innermost block (function, inlined copy or lexical block) around an address. */
  blockAt(address: bigint): string | undefined;
  /** Where a breakpoint goes that would be on a function's first instruction: after its prologue. */
  skipPrologue(address: bigint): bigint;
}

/** A row where a statement of a file begins. */
interface Statement {
  readonly line: number;
  readonly column: number;
  readonly address: bigint;
}

/** Row that stands for an address in a sequence: the last at or before it, or of those at one address the last statement. */
function rowAt(rows: LineRows, sequence: Sequence, address: bigint): number {
  let low = sequence.first;
  let high = sequence.last;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows.addresses[middle] <= address) low = middle + 1;
    else high = middle;
  }
  const found = low - 1;
  let row = found;
  while (row > sequence.first && (rows.flags[row] & IS_STMT) === 0 && rows.addresses[row - 1] === rows.addresses[row])
    row--;
  return (rows.flags[row] & IS_STMT) !== 0 ? row : found;
}

/** First row after `row` at a higher address, or the end of the sequence. */
function nextAddress(rows: LineRows, sequence: Sequence, row: number): bigint {
  let next = row + 1;
  while (next < sequence.last && rows.addresses[next] === rows.addresses[row]) next++;
  return next < sequence.last ? rows.addresses[next] : sequence.high;
}

export function sequenceAt(rows: LineRows, address: bigint): Sequence | undefined {
  let low = 0;
  let high = rows.sequences.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows.sequences[middle].low <= address) low = middle + 1;
    else high = middle;
  }
  const sequence = rows.sequences[low - 1];
  return sequence !== undefined && address < sequence.high ? sequence : undefined;
}

export class Lines implements LineTable {
  private allFiles: readonly string[] | undefined;
  private readonly unitsOfFile = new Map<string, Set<CompileUnit>>();
  private readonly statements = new Map<string, readonly Statement[]>();

  constructor(
    private readonly units: Units,
    private readonly functions: FunctionQuery,
  ) {}

  private find(address: bigint): { unit: CompileUnit; rows: LineRows; sequence: Sequence } | undefined {
    const unit = this.units.at(address);
    const rows = unit?.lines?.rows;
    const sequence = rows && sequenceAt(rows, address);
    return unit && rows && sequence ? { unit, rows, sequence } : undefined;
  }

  at(address: bigint): LineEntry | undefined {
    const found = this.find(address);
    if (found === undefined) return undefined;
    const { unit, rows, sequence } = found;
    const row = rowAt(rows, sequence, address);
    return {
      address: rows.addresses[row],
      end: nextAddress(rows, sequence, row),
      file: unit.filePath(rows.files[row]) ?? unit.path,
      line: rows.lines[row],
      column: rows.columns[row],
      isStmt: (rows.flags[row] & IS_STMT) !== 0,
      prologueEnd: (rows.flags[row] & PROLOGUE_END) !== 0,
    };
  }

  rangeAt(address: bigint): AddressRange | undefined {
    const found = this.find(address);
    if (found === undefined) return undefined;
    const { rows, sequence } = found;
    const row = rowAt(rows, sequence, address);
    const file = rows.files[row];
    const line = rows.lines[row];
    const same = (at: bigint): boolean => {
      const other = rowAt(rows, sequence, at);
      return rows.lines[other] === line && rows.files[other] === file;
    };
    let low = rows.addresses[row];
    while (low > sequence.low && same(low - 1n)) low = rows.addresses[rowAt(rows, sequence, low - 1n)];
    let high = nextAddress(rows, sequence, row);
    while (high < sequence.high && same(high)) high = nextAddress(rows, sequence, rowAt(rows, sequence, high));
    return { low, high };
  }

  /** First addresses of the rows in [low, high), ascending, with their lines; for finding the end of a prologue. */
  rowsIn(range: AddressRange): readonly { address: bigint; line: number; prologueEnd: boolean }[] {
    const found = this.find(range.low);
    if (found === undefined) return [];
    const { rows, sequence } = found;
    const result: { address: bigint; line: number; prologueEnd: boolean }[] = [];
    for (let row = sequence.first; row < sequence.last && rows.addresses[row] < range.high; row++) {
      if (rows.addresses[row] < range.low) continue;
      const prologueEnd = (rows.flags[row] & PROLOGUE_END) !== 0;
      result.push({ address: rows.addresses[row], line: rows.lines[row], prologueEnd });
    }
    return result;
  }

  files(): readonly string[] {
    if (this.allFiles === undefined) {
      for (const unit of this.units.list) {
        for (const path of unit.lines?.header.files ?? []) {
          if (path === undefined) continue;
          const units = this.unitsOfFile.get(path);
          if (units === undefined) this.unitsOfFile.set(path, new Set([unit]));
          else units.add(unit);
        }
      }
      this.allFiles = [...this.unitsOfFile.keys()].sort();
    }
    return this.allFiles;
  }

  match(path: string): readonly string[] {
    const wanted = normalizePath(path);
    const files = this.files();
    if (this.unitsOfFile.has(wanted)) return [wanted];
    let best = 1;
    let result: string[] = [];
    for (const file of files) {
      const shared = sharedTail(file, wanted);
      if (shared > best) {
        best = shared;
        result = [];
      }
      if (shared === best) result.push(file);
    }
    return result;
  }

  /** Statements of one file in all units, ascending by line, then address. */
  private statementsOf(path: string): readonly Statement[] {
    let list = this.statements.get(path);
    if (list === undefined) {
      const found: Statement[] = [];
      for (const unit of this.unitsOfFile.get(path) ?? []) collectStatements(unit, path, found);
      found.sort((a, b) => a.line - b.line || (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
      list = found;
      this.statements.set(path, list);
    }
    return list;
  }

  locate(path: string, line: number): LineLocation | undefined {
    const candidates = this.match(path).map((file) => {
      const statements = this.statementsOf(file).filter((s) => s.line >= line);
      return { file, statements: statements.filter((s) => s.line === statements[0].line) };
    });
    const withCode = candidates.filter((c) => c.statements.length > 0);
    if (withCode.length === 0) return undefined;
    const nearest = Math.min(...withCode.map((c) => c.statements[0].line));
    const chosen = withCode.filter((c) => c.statements[0].line === nearest);
    const statements = chosen.flatMap((c) => c.statements);
    return this.location(chosen[0].file, statements);
  }

  breakpointLocations(path: string, from: number, to: number): readonly LineLocation[] {
    return this.match(path).flatMap((file) => {
      const groups = new Map<string, Statement[]>();
      for (const statement of this.statementsOf(file)) {
        if (statement.line < from || statement.line > to) continue;
        const key = `${statement.line}:${statement.column}`;
        const group = groups.get(key);
        if (group === undefined) groups.set(key, [statement]);
        else group.push(statement);
      }
      const found = [...groups.values()].map((group) => this.location(file, group));
      return found.sort((a, b) => a.line - b.line || a.column - b.column);
    });
  }

  /** One address per block that the statements lie in: the lowest. */
  private location(file: string, statements: readonly Statement[]): LineLocation {
    const lowest = new Map<string, bigint>();
    for (const { address } of statements) {
      const key = this.functions.blockAt(address) ?? `0x${address.toString(16)}`;
      const other = lowest.get(key);
      if (other === undefined || address < other) lowest.set(key, address);
    }
    const addresses = [...lowest.values()].map((address) => this.functions.skipPrologue(address));
    const unique = [...new Set(addresses)].sort((a, b) => (a < b ? -1 : 1));
    const { line, column } = statements[0];
    return { file, line, column, addresses: unique };
  }
}

/** True when a statement of another file starts at the same address: no instruction is left for this row. */
function isOvertaken(rows: LineRows, row: number, last: number): boolean {
  for (let next = row + 1; next < last && rows.addresses[next] === rows.addresses[row]; next++) {
    if ((rows.flags[next] & IS_STMT) !== 0 && rows.files[next] !== rows.files[row]) return true;
  }
  return false;
}

function collectStatements(unit: CompileUnit, path: string, found: Statement[]): void {
  const rows = unit.lines?.rows;
  if (rows === undefined) return;
  const wanted = new Set<number>();
  unit.lines?.header.files.forEach((file, number) => {
    if (file === path) wanted.add(number);
  });
  for (const { first, last } of rows.sequences) {
    for (let row = first; row < last; row++) {
      if ((rows.flags[row] & IS_STMT) === 0 || rows.lines[row] === 0 || !wanted.has(rows.files[row])) continue;
      if (isOvertaken(rows, row, last)) continue;
      found.push({ line: rows.lines[row], column: rows.columns[row], address: rows.addresses[row] });
    }
  }
}
