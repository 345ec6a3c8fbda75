/** The words of the Cache lines panel: what a cell shows and what a screen reader says. Pure. */
import { counted, shortHex } from '../protocol/presentation';
import type { CacheCell, CacheLinesView, CacheRow } from '../protocol/views';

/** Classes that colour a cell. */
export const cellClasses = (cell: CacheCell, filtered: boolean): string =>
  [
    'cell',
    cell.state,
    cell.differs ? 'differs' : '',
    cell.changed ? 'changed' : '',
    filtered && cell.state !== 'invalid' && !cell.matches ? 'unmatched' : '',
  ]
    .filter((name) => name !== '')
    .join(' ');

/** What stands in the cell; marks come first, because the text may be cut off. */
export const cellText = (cell: CacheCell): string =>
  cell.pa === undefined
    ? ''
    : [cell.differs ? '≠' : '', cell.changed ? '•' : '', shortHex(cell.pa).slice(2), cell.symbol ?? '']
        .filter((text) => text !== '')
        .join(' ');

export const cellLabel = (set: number, cell: CacheCell): string =>
  [
    `set ${set}, way ${cell.way}`,
    cell.state,
    cell.pa === undefined ? '' : shortHex(cell.pa),
    cell.symbol ?? '',
    cell.differs ? 'differs from what cacheable accesses see' : '',
    cell.changed ? 'changed since the last stop' : '',
  ]
    .filter((text) => text !== '')
    .join(', ');

export const summary = (view: CacheLinesView): string =>
  [
    `${counted(view.sets, 'set')} × ${counted(view.ways, 'way')} × ${view.lineBytes} bytes`,
    `${view.valid} valid`,
    `${view.dirty} dirty`,
    `${view.differing} differing`,
  ].join(' · ');

export const cacheOption = (cache: CacheRow): string => `${cache.name}, ${cache.policy}`;
