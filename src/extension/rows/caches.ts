/**
 * The Caches view: core → cache → sets → ways. Sets are fetched a page at a time when a row is opened, because an outer cache
 * has thousands of them.
 */
import { counted, shortHex } from '../../protocol/presentation';
import type { CacheCell, CacheLinesView, CacheRow, CacheSetRow, CachesView } from '../../protocol/views';
import { type CacheKey, code, colors, factTable, markOf, plain, type Row } from './row';

/** Sets under one row. */
export const SETS_PER_PAGE = 64;

export function cacheRows(view: CachesView): Row[] {
  return view.cores.map(({ core, model, caches }) => ({
    id: `core${core}`,
    label: `core ${core}`,
    description: model,
    icon: 'chip',
    context: 'core',
    core,
    spoken: `core ${core}, ${model}, ${counted(caches.length, 'cache')}`,
    open: view.cores.length <= 4,
    children: caches.map((cache) => cacheRow(core, cache)),
  }));
}

const cacheId = ({ core, level, kind }: CacheKey): string => `core${core}/L${level}${kind}`;

/** `48 KiB`, `2 MiB`. */
export const sizeText = (bytes: number): string =>
  bytes >= 2 ** 20 && bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20} MiB` : `${bytes / 2 ** 10} KiB`;

function cacheRow(core: number, cache: CacheRow): Row {
  const key: CacheKey = { core, level: cache.level, kind: cache.kind };
  const lines = cache.sets * cache.ways;
  const filled = [
    `${cache.valid} of ${lines} valid`,
    cache.dirty > 0 ? `${cache.dirty} dirty` : '',
    cache.differing > 0 ? `${cache.differing} differing` : '',
  ].filter((text) => text !== '');
  const geometry = `${cache.sets} × ${cache.ways} × ${cache.lineBytes} B`;
  return {
    id: cacheId(key),
    label: cache.name,
    description: [...filled, sizeText(cache.sizeBytes), geometry].join(' · '),
    icon: 'layers',
    // In other caches copies behind a dirty line are nothing special.
    mark: cache.kind === 'I' && cache.differing > 0 ? 'differs' : undefined,
    context: 'cache',
    cache: key,
    core,
    tooltip: factTable(`${cache.name} of core ${core}`, [
      ['size', sizeText(cache.sizeBytes)],
      ['geometry', `${counted(cache.sets, 'set')} × ${counted(cache.ways, 'way')} × ${cache.lineBytes} bytes`],
      ['policy', plain(cache.policy)],
      ['replacement', plain(cache.replacement)],
      ['valid lines', `${cache.valid} of ${lines}`],
      ['dirty lines', String(cache.dirty)],
      ['lines that differ from what cacheable accesses see', String(cache.differing)],
    ]),
    spoken: `${cache.name} of core ${core}, ${sizeText(cache.sizeBytes)}, ${cache.policy}, ${filled.join(', ')}`,
    ...setsBelow(key, cache.sets),
  };
}

function setsBelow(key: CacheKey, sets: number): Pick<Row, 'children' | 'sets'> {
  if (sets <= SETS_PER_PAGE) return { sets: { ...key, start: 0, count: sets } };
  const pages = Math.ceil(sets / SETS_PER_PAGE);
  const children = Array.from({ length: pages }, (_, page): Row => {
    const start = page * SETS_PER_PAGE;
    const count = Math.min(SETS_PER_PAGE, sets - start);
    return {
      id: `${cacheId(key)}/page${page}`,
      label: `sets ${start} to ${start + count - 1}`,
      icon: 'list-unordered',
      context: 'sets',
      cache: key,
      sets: { ...key, start, count },
    };
  });
  return { children };
}

/** The rows of one page: sets that hold lines or did so at the last stop, and how many there are besides. */
export function setRows(view: CacheLinesView): Row[] {
  const key: CacheKey = { core: view.core, level: view.level, kind: view.kind };
  const used = view.rows.filter(({ cells }) => cells.some((cell) => cell.state !== 'invalid' || cell.changed));
  const rows = used.map((row) => setRow(key, view, row));
  const empty = view.rows.length - used.length;
  if (empty === 0) return rows;
  const label = used.length === 0 ? 'all sets are empty' : `${counted(empty, 'empty set')}`;
  return [...rows, { id: `${cacheId(key)}/empty${view.start}`, label, icon: 'circle-outline', color: colors.off }];
}

function setRow(key: CacheKey, view: CacheLinesView, row: CacheSetRow): Row {
  const valid = row.cells.filter((cell) => cell.state !== 'invalid');
  const dirty = valid.filter((cell) => cell.state === 'dirty').length;
  const differs = valid.some((cell) => cell.differs);
  const changed = row.cells.some((cell) => cell.changed);
  const summary =
    valid.length === 0 ? 'empty' : `${valid.length} of ${view.ways}${dirty > 0 ? `, ${dirty} dirty` : ''}`;
  const id = `${cacheId(key)}/set${row.set}`;
  return {
    id,
    label: `set ${row.set}`,
    description: summary,
    icon: valid.length === 0 ? 'circle-outline' : 'circle-filled',
    color: valid.length === 0 ? colors.off : dirty > 0 ? colors.dirty : colors.clean,
    mark: markOf(differs, changed),
    context: 'set',
    cache: key,
    line: { ...key, set: row.set, way: valid[0]?.way ?? 0 },
    spoken: `set ${row.set}, ${summary}`,
    children: row.cells.map((cell) => wayRow(key, row.set, cell, id)),
  };
}

/** What a line is, in words: `dirty, differs from what cacheable accesses see`. */
export const lineWords = (cell: CacheCell): string =>
  [
    cell.state,
    cell.differs ? 'differs from what cacheable accesses see' : '',
    cell.changed ? 'changed since the last stop' : '',
  ]
    .filter((text) => text !== '')
    .join(', ');

function wayRow(key: CacheKey, set: number, cell: CacheCell, id: string): Row {
  const valid = cell.state !== 'invalid' && cell.pa !== undefined;
  const where = valid ? [shortHex(cell.pa), cell.symbol].filter((text) => text !== undefined).join(' ') : '';
  return {
    id: `${id}/way${cell.way}`,
    label: `way ${cell.way}`,
    description: valid ? `${where} · ${cell.state}` : 'invalid',
    icon: valid ? 'circle-filled' : 'circle-outline',
    color: valid ? (cell.state === 'dirty' ? colors.dirty : colors.clean) : colors.off,
    mark: markOf(cell.differs, cell.changed),
    context: valid ? 'way line value address' : 'way line',
    cache: key,
    line: { ...key, set, way: cell.way },
    value: cell.pa,
    address: valid ? `pa:${cell.pa}` : undefined,
    core: key.core,
    tooltip: valid ? wayTooltip(set, cell) : undefined,
    spoken: `way ${cell.way}, ${valid ? `${where}, ` : ''}${lineWords(cell)}`,
  };
}

const wayTooltip = (set: number, cell: CacheCell): string =>
  factTable(`set ${set}, way ${cell.way}`, [
    ['state', plain(lineWords(cell))],
    ['PA', cell.pa && code(cell.pa)],
    ['VA', cell.va && code(cell.va)],
    ['VMID', cell.vmid?.toString()],
    ['symbol', cell.symbol && code(cell.symbol)],
  ]);
