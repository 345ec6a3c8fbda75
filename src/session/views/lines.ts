/** View models of cache lines and watched lines. What changed since the stop before is known for what was looked at before. */
import { hex64 } from '../../base/bits';
import type { CacheLineView as Line, Machine, Space } from '../../machine/api';
import type {
  CacheCell,
  CacheKind,
  CacheLinesView,
  CacheLineView,
  CacheSetRow,
  CustomRequests,
  InstructionRow,
  LineCopyRow,
  LineStateView,
} from '../../protocol';
import { toHex } from '../../protocol';
import { instructionText, wordText } from '../exceptionInfo';
import { wordsOf } from '../instructions';
import type { Target } from '../target';
import { refuse } from '../variables';
import type { History } from './history';

type Versioned = { readonly version: number; readonly running: boolean };
type LinesParams = CustomRequests['elscope/cacheLines']['params'];

const PAGE_ROWS = 64;
const MOST_ROWS = 1024;

export const cacheName = (level: number, kind: CacheKind): string => `L${level}${kind === 'U' ? '' : ` ${kind}`}`;

/** A line's instructions; `current` is what cacheable accesses see. */
export function instructionRows(
  target: Target,
  address: bigint,
  bytes: Uint8Array,
  current: Uint8Array | undefined,
): InstructionRow[] {
  const seen = current === undefined ? [] : wordsOf(current);
  return wordsOf(bytes).map((word, i) => {
    const at = address + BigInt(4 * i);
    const symbol = target.describe(at);
    const differs = seen[i] !== undefined && seen[i] !== word;
    return { address: hex64(at), word: wordText(word), text: instructionText(word, at, target), symbol, differs };
  });
}

export class LineViews {
  constructor(
    private readonly machine: Machine,
    private readonly target: Target,
    private readonly history: History,
  ) {}

  private cell(line: Line, key: string, matches: (line: Line) => boolean): CacheCell {
    const changed = this.history.changed(key, line.valid ? `${line.pa} ${line.dirty} ${toHex(line.bytes)}` : '');
    if (!line.valid) {
      const none = { pa: undefined, va: undefined, vmid: undefined, symbol: undefined };
      return { way: line.way, state: 'invalid', ...none, differs: false, changed, matches: false };
    }
    return {
      way: line.way,
      state: line.dirty ? 'dirty' : 'clean',
      pa: hex64(line.pa),
      va: line.va === undefined ? undefined : hex64(line.va),
      vmid: line.vmid,
      symbol: line.symbol ?? this.target.describe(line.va ?? line.pa),
      differs: line.differs,
      changed,
      matches: matches(line),
    };
  }

  private geometry(core: number, level: number, kind: CacheKind) {
    if (core >= this.machine.cores.length) refuse(`there is no core ${core}`);
    const found = this.machine.caches(core).find((c) => c.level === level && c.kind === kind);
    return found ?? refuse(`core ${core} has no ${cacheName(level, kind)} cache`);
  }

  /** A page of a cache. `locate` gives the physical addresses that a filter text may mean. */
  page(params: LinesParams, versioned: Versioned, locate: (text: string) => readonly bigint[]): CacheLinesView {
    const { core, level, kind, filter, start = 0 } = params;
    const { sets, ways, lineBytes } = this.geometry(core, level, kind);
    const addresses = filter?.text ? locate(filter.text).map(Number) : undefined;
    const isThere = (pa: number): boolean =>
      addresses === undefined || addresses.some((address) => address >= pa && address < pa + lineBytes);
    const matches = (line: Line): boolean =>
      line.valid &&
      isThere(Number(line.pa)) &&
      !(filter?.dirty && !line.dirty) &&
      !(filter?.differing && !line.differs);
    const filtered = filter !== undefined && (addresses || filter.valid || filter.dirty || filter.differing);
    const numbers = filtered ? this.setsWith(params, matches, isThere) : undefined;
    const totalRows = numbers?.length ?? sets;
    const end = Math.min(totalRows, start + Math.min(MOST_ROWS, params.count ?? PAGE_ROWS));
    const wanted = numbers?.slice(start, end) ?? Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
    const rows = this.rows(params, wanted, matches);
    const counts = this.machine.cacheCounts(core, level, kind);
    const place = { core, level, kind, name: cacheName(level, kind), sets, ways, lineBytes };
    return { ...versioned, ...place, totalRows, start, rows, ...counts };
  }

  /** The sets in which a line fits a filter, ascending. */
  private setsWith(params: LinesParams, matches: (line: Line) => boolean, isThere: (pa: number) => boolean): number[] {
    const { core, level, kind } = params;
    const candidates = this.machine.cacheLines(core, level, kind, (_set, valid, pa) => valid && isThere(pa));
    return [...new Set(candidates.filter(matches).map((line) => line.set))].sort((a, b) => a - b);
  }

  private rows(params: LinesParams, sets: readonly number[], matches: (line: Line) => boolean): CacheSetRow[] {
    const { core, level, kind } = params;
    const bySet = new Map<number, Line[]>(sets.map((set) => [set, []]));
    for (const line of this.machine.cacheLines(core, level, kind, (set) => bySet.has(set))) {
      bySet.get(line.set)?.push(line);
    }
    return sets.map((set) => {
      const lines = (bySet.get(set) ?? []).sort((a, b) => a.way - b.way);
      return {
        set,
        cells: lines.map((line) => this.cell(line, `${core}.${level}${kind}.${set}.${line.way}`, matches)),
      };
    });
  }

  line(params: CustomRequests['elscope/cacheLine']['params'], versioned: Versioned): CacheLineView {
    const { core, level, kind, set, way } = params;
    this.geometry(core, level, kind);
    const lines = this.machine.cacheLines(core, level, kind, (other) => other === set);
    const line = lines.find((l) => l.way === way) ?? refuse(`there is no set ${set}, way ${way}`);
    const place = { ...versioned, core, level, kind, set };
    const cell = this.cell(line, `${core}.${level}${kind}.${set}.${way}`, (l) => l.valid);
    if (!line.valid) return { ...place, cell, bytes: '', current: undefined, instructions: [] };
    const seen = this.machine.lineState(core, 'pa', line.pa)?.copies.find((copy) => copy.where === 'view')?.bytes;
    const peeked = seen ?? this.machine.peek(core, 'pa', line.pa, line.bytes.length);
    const current = peeked.length >= line.bytes.length ? peeked.subarray(0, line.bytes.length) : undefined;
    const instructions = instructionRows(this.target, line.va ?? line.pa, line.bytes, current);
    return { ...place, cell, bytes: toHex(line.bytes), current: current && toHex(current), instructions };
  }

  /** The line at an address, everywhere. */
  state(
    place: { readonly core: number; readonly space: Space; readonly address: bigint },
    asked: string,
    versioned: Versioned,
  ): LineStateView {
    const { core, space, address } = place;
    const state = this.machine.lineState(core, space, address) ?? refuse(`nothing is mapped at ${asked}`);
    const { pa, lineBytes } = state;
    const offset = Number(address & BigInt(lineBytes - 1));
    const virtual = space !== 'pa' && space !== 'pou' && space !== 'poc' && space !== 'ipa';
    const va = virtual ? address - BigInt(offset) : undefined;
    const view = state.copies.find((copy) => copy.where === 'view')?.bytes;
    const code = state.copies.some((copy) => copy.present && copy.where.startsWith('L1I'));
    const copies = state.copies.map((copy): LineCopyRow => {
      const key = `${pa} ${copy.where} ${copy.offset ?? 0}`;
      const changed = this.history.changed(key, copy.bytes && copy.present ? `${copy.dirty}${toHex(copy.bytes)}` : '');
      const { where, present, dirty, differs, bytes, offset: start = 0 } = copy;
      const address = (va ?? pa) + BigInt(start);
      const current = view?.subarray(start);
      const instructions = code && present && bytes ? instructionRows(this.target, address, bytes, current) : [];
      const hex = bytes && toHex(bytes);
      return { where, core: copy.core, present, dirty, differs, changed, offset: start, bytes: hex, instructions };
    });
    return {
      ...versioned,
      address: asked,
      symbol: this.target.describe(address),
      va: va === undefined ? undefined : hex64(va),
      pa: hex64(pa),
      offset,
      lineBytes,
      differing: copies.filter((copy) => copy.present && copy.differs).length,
      copies,
    };
  }
}
