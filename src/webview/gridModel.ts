/**
 * What the grid of the Cache lines panel shows, without the DOM: pages of sets as they arrived, which of them are out of date,
 * which cell has the focus, and where a key moves it.
 */
import type { CacheLinesView, CacheSetRow } from '../protocol/views';

export const PAGE_ROWS = 64;

export interface Focus {
  /** Index among the rows that the filter leaves. */
  readonly row: number;
  readonly way: number;
}

interface Page {
  readonly version: number;
  readonly rows: readonly CacheSetRow[];
}

export type MoveKey =
  | 'ArrowUp'
  | 'ArrowDown'
  | 'ArrowLeft'
  | 'ArrowRight'
  | 'PageUp'
  | 'PageDown'
  | 'Home'
  | 'End'
  | 'Control+Home'
  | 'Control+End';

const clamp = (value: number, count: number): number => Math.max(0, Math.min(value, count - 1));

export class GridModel {
  private pages = new Map<number, Page>();
  private version = 0;
  totalRows = 0;
  ways = 0;
  focus: Focus = { row: 0, way: 0 };

  /** Another cache or filter: nothing of the old one stays. */
  clear(): void {
    this.pages = new Map();
    this.totalRows = 0;
    this.ways = 0;
    this.focus = { row: 0, way: 0 };
  }

  /** The machine is in another state: everything is shown until it is replaced, and out of date. */
  outdate(version: number): void {
    this.version = version;
  }

  accept(view: CacheLinesView): void {
    if (view.totalRows !== this.totalRows) {
      const last = Math.ceil(view.totalRows / PAGE_ROWS);
      for (const index of this.pages.keys()) if (index >= last) this.pages.delete(index);
    }
    this.totalRows = view.totalRows;
    this.ways = view.ways;
    this.pages.set(Math.floor(view.start / PAGE_ROWS), { version: view.version, rows: view.rows });
    this.focus = { row: clamp(this.focus.row, this.totalRows), way: clamp(this.focus.way, this.ways) };
  }

  row(index: number): CacheSetRow | undefined {
    return this.pages.get(Math.floor(index / PAGE_ROWS))?.rows[index % PAGE_ROWS];
  }

  /** Starts of the pages that rows [first, last] need and that are not there or out of date. */
  missing(first: number, last: number): number[] {
    const starts: number[] = [];
    for (let page = Math.floor(first / PAGE_ROWS); page * PAGE_ROWS <= Math.max(last, first); page++) {
      const held = this.pages.get(page);
      if (held === undefined || held.version < this.version) starts.push(page * PAGE_ROWS);
    }
    return starts;
  }

  /** Where a key leads; `pageRows` is how many rows are visible. */
  moved(key: MoveKey, pageRows: number): Focus {
    const { row, way } = this.focus;
    const steps: Readonly<Record<MoveKey, readonly [number, number]>> = {
      ArrowUp: [row - 1, way],
      ArrowDown: [row + 1, way],
      ArrowLeft: [row, way - 1],
      ArrowRight: [row, way + 1],
      PageUp: [row - pageRows, way],
      PageDown: [row + pageRows, way],
      Home: [row, 0],
      End: [row, this.ways - 1],
      'Control+Home': [0, 0],
      'Control+End': [this.totalRows - 1, this.ways - 1],
    };
    const [toRow, toWay] = steps[key];
    return { row: clamp(toRow, this.totalRows), way: clamp(toWay, this.ways) };
  }
}

/** The key of a keyboard event if it moves the focus. */
export function moveKey(key: string, control: boolean): MoveKey | undefined {
  const keys: readonly MoveKey[] = [
    'ArrowUp',
    'ArrowDown',
    'ArrowLeft',
    'ArrowRight',
    'PageUp',
    'PageDown',
    'Home',
    'End',
  ];
  if (control) return key === 'Home' || key === 'End' ? `Control+${key}` : undefined;
  return keys.find((known) => known === key);
}

/** Rows [first, last] to have in the document for a scroll position, with some above and below. */
export function windowOf(
  scrollTop: number,
  height: number,
  rowHeight: number,
  totalRows: number,
  margin = 8,
): { readonly first: number; readonly last: number } {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - margin);
  const last = Math.min(totalRows - 1, Math.ceil((scrollTop + height) / rowHeight) + margin);
  return { first, last };
}
