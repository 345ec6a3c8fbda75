/**
 * The grid of a cache, sets × ways. Only rows near the visible ones are in the document. One cell is in the tab order; arrow,
 * page, Home and End keys move it, and the cell that has it is the chosen line.
 */
import type { CacheCell, CacheSetRow } from '../protocol/views';
import { cellClasses, cellLabel, cellText } from './describe';
import { element, setAttribute } from './dom';
import { type Focus, type GridModel, moveKey, windowOf } from './gridModel';

const ROW_HEIGHT = 22;

export interface GridEvents {
  /** The visible rows are others: their pages may be missing. */
  scrolled(first: number, last: number): void;
  chosen(set: number, way: number): void;
  /** Enter: to what is known about the chosen line. */
  opened(): void;
}

export class Grid {
  readonly root: HTMLElement;
  private readonly body: HTMLElement;
  private readonly head: HTMLElement;
  private readonly rows = new Map<number, HTMLElement>();
  private chosen: { readonly set: number; readonly way: number } | undefined;
  private filtered = false;
  private headWays = -1;
  /** The keyboard focus goes to the model's cell as soon as that is there. */
  private taking = false;

  constructor(
    private readonly model: GridModel,
    private readonly events: GridEvents,
  ) {
    this.head = element('div', { class: 'row head', role: 'row', 'aria-rowindex': 1 });
    this.body = element('div', { class: 'body', role: 'rowgroup' });
    this.root = element('div', { class: 'grid', role: 'grid', 'aria-label': 'Cache lines' }, this.head, this.body);
    this.root.addEventListener('scroll', () => this.render());
    this.root.addEventListener('keydown', (event) => this.key(event));
    this.body.addEventListener('focusin', (event) => this.focused(event.target));
    this.root.addEventListener('focus', () => this.reveal(this.model.focus, true));
    new ResizeObserver(() => this.render()).observe(this.root);
  }

  /** Rows that fit. */
  get pageRows(): number {
    return Math.max(1, Math.floor(this.root.clientHeight / ROW_HEIGHT) - 2);
  }

  get window(): { readonly first: number; readonly last: number } {
    return windowOf(this.root.scrollTop, this.root.clientHeight, ROW_HEIGHT, this.model.totalRows);
  }

  /** Shows the model anew. `chosen` is the line whose details are shown. */
  update(chosen: { readonly set: number; readonly way: number } | undefined, filtered: boolean): void {
    this.chosen = chosen;
    this.filtered = filtered;
    this.root.style.setProperty('--ways', String(Math.max(1, this.model.ways)));
    this.body.style.height = `${this.model.totalRows * ROW_HEIGHT}px`;
    setAttribute(this.root, 'aria-rowcount', this.model.totalRows + 1);
    setAttribute(this.root, 'aria-colcount', this.model.ways + 1);
    this.renderHead();
    this.render();
  }

  /** Brings a cell into view, and the keyboard focus to it if it is asked for. */
  reveal(focus: Focus, take: boolean): void {
    this.model.focus = focus;
    const top = focus.row * ROW_HEIGHT;
    const height = this.root.clientHeight - ROW_HEIGHT;
    if (top < this.root.scrollTop) this.root.scrollTop = top;
    else if (top + ROW_HEIGHT > this.root.scrollTop + height) this.root.scrollTop = top + ROW_HEIGHT - height;
    this.taking = take;
    this.render();
  }

  private cell({ row, way }: Focus): HTMLElement | undefined {
    return this.rows.get(row)?.querySelector<HTMLElement>(`[data-way="${way}"]`) ?? undefined;
  }

  private renderHead(): void {
    if (this.headWays === this.model.ways) return;
    this.headWays = this.model.ways;
    const names = Array.from({ length: this.model.ways }, (_, way) =>
      element('div', { role: 'columnheader', 'aria-colindex': way + 2 }, `way ${way}`),
    );
    this.head.replaceChildren(
      element('div', { role: 'columnheader', 'aria-colindex': 1, class: 'set' }, 'set'),
      ...names,
    );
  }

  private render(): void {
    const { first, last } = this.window;
    for (const [index, row] of this.rows) {
      // The row that has the keyboard focus stays, or the focus would be lost.
      if ((index < first || index > last) && !row.contains(document.activeElement)) {
        row.remove();
        this.rows.delete(index);
      }
    }
    for (let index = first; index <= last; index++) this.renderRow(index);
    const cell = this.cell(this.model.focus);
    if (this.taking && cell) {
      this.taking = false;
      cell.focus();
    }
    // With the focused cell out of view the grid itself is what Tab comes to.
    setAttribute(this.root, 'tabindex', cell ? undefined : 0);
    this.events.scrolled(first, last);
  }

  private renderRow(index: number): void {
    let row = this.rows.get(index);
    if (!row) {
      row = element('div', { class: 'row', role: 'row', 'aria-rowindex': index + 2 });
      row.style.transform = `translateY(${index * ROW_HEIGHT}px)`;
      this.rows.set(index, row);
      this.body.append(row);
    }
    const data = this.model.row(index);
    const cells = (data?.cells.length ?? 0) + 1;
    if (row.childElementCount !== cells) row.replaceChildren(...this.emptyCells(cells));
    if (data) this.fill(row, index, data);
  }

  private emptyCells(count: number): HTMLElement[] {
    const head = element('div', { class: 'set', role: 'rowheader', 'aria-colindex': 1 });
    const cells = Array.from({ length: count - 1 }, (_, way) =>
      element('div', { role: 'gridcell', 'aria-colindex': way + 2, 'data-way': way, tabindex: -1 }),
    );
    return [head, ...cells];
  }

  private fill(row: HTMLElement, index: number, data: CacheSetRow): void {
    setText(row.children[0], String(data.set));
    setAttribute(row, 'data-set', data.set);
    for (const [i, cell] of data.cells.entries()) this.fillCell(row.children[i + 1], index, data.set, cell);
  }

  private fillCell(node: Element, index: number, set: number, cell: CacheCell): void {
    const isChosen = this.chosen?.set === set && this.chosen.way === cell.way;
    const { focus } = this.model;
    setAttribute(node, 'class', cellClasses(cell, this.filtered));
    setAttribute(node, 'aria-label', cellLabel(set, cell));
    setAttribute(node, 'title', cell.state === 'invalid' ? undefined : cellLabel(set, cell));
    setAttribute(node, 'aria-selected', isChosen ? 'true' : 'false');
    setAttribute(node, 'tabindex', focus.row === index && focus.way === cell.way ? 0 : -1);
    setText(node, cellText(cell));
  }

  private focused(target: EventTarget | null): void {
    if (!(target instanceof HTMLElement)) return;
    const row = target.closest<HTMLElement>('.row');
    const index = [...this.rows].find(([, node]) => node === row)?.[0];
    if (index === undefined || target.dataset.way === undefined) return;
    this.model.focus = { row: index, way: Number(target.dataset.way) };
    this.events.chosen(Number(row?.dataset.set), this.model.focus.way);
  }

  private key(event: KeyboardEvent): void {
    if (event.key === 'Enter') this.events.opened();
    const key = moveKey(event.key, event.ctrlKey || event.metaKey);
    if (!key || this.model.totalRows === 0) return;
    event.preventDefault();
    this.reveal(this.model.moved(key, this.pageRows), true);
  }
}

function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
