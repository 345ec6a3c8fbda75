/** The top of the Cache lines panel: which cache, which lines, and how many there are of each kind. */
import type { PanelSelection } from '../protocol/panel';
import type { CachesView } from '../protocol/views';
import { cacheOption } from './describe';
import { element, icon, setAttribute } from './dom';

export interface Filter {
  readonly text: string;
  readonly valid: boolean;
  readonly dirty: boolean;
  readonly differing: boolean;
}
export const noFilter: Filter = { text: '', valid: false, dirty: false, differing: false };
export const isFiltering = (filter: Filter): boolean =>
  filter.text.trim() !== '' || filter.valid || filter.dirty || filter.differing;

export interface ToolbarEvents {
  selected(selection: PanelSelection): void;
  filtered(filter: Filter): void;
}

type Toggle = 'valid' | 'dirty' | 'differing';
const toggles: readonly { readonly name: Toggle; readonly icon: string; readonly title: string }[] = [
  { name: 'valid', icon: 'circle-filled', title: 'Only sets with valid lines' },
  { name: 'dirty', icon: 'edit', title: 'Only sets with dirty lines' },
  { name: 'differing', icon: 'diff', title: 'Only sets with lines that differ from what cacheable accesses see' },
];

const legend: readonly (readonly [string, string])[] = [
  ['clean', 'clean'],
  ['dirty', 'dirty'],
  ['differs', '≠ differs'],
  ['changed', '• changed'],
];

export class Toolbar {
  readonly root: HTMLElement;
  private readonly cores = element('select', { 'aria-label': 'Core' });
  private readonly caches = element('select', { 'aria-label': 'Cache' });
  private readonly input = element('input', {
    type: 'search',
    placeholder: 'Filter by address or symbol',
    'aria-label': 'Filter by address or symbol',
    spellcheck: 'false',
  });
  private readonly buttons = new Map<Toggle, HTMLElement>();
  private readonly status = element('div', { class: 'status', role: 'status' });
  private view: CachesView | undefined;
  private selection: PanelSelection | undefined;
  private filter = noFilter;

  constructor(private readonly events: ToolbarEvents) {
    this.root = element(
      'header',
      { class: 'toolbar' },
      this.cores,
      this.caches,
      element('div', { class: 'filter' }, this.input, ...toggles.map((toggle) => this.toggle(toggle))),
      element(
        'div',
        { class: 'legend', 'aria-hidden': 'true' },
        ...legend.map(([kind, text]) => element('span', { class: kind }, text)),
      ),
      this.status,
    );
    this.cores.addEventListener('change', () => this.pick(Number(this.cores.value)));
    this.caches.addEventListener('change', () => this.pick(Number(this.cores.value), this.caches.value));
    this.input.addEventListener('input', () => this.change({ ...this.filter, text: this.input.value }));
  }

  focusFilter(): void {
    this.input.focus();
    this.input.select();
  }

  show(view: CachesView, selection: PanelSelection, filter: Filter): void {
    this.view = view;
    this.selection = selection;
    this.filter = filter;
    options(
      this.cores,
      view.cores.map(({ core, model }) => [String(core), `core ${core}: ${model}`]),
      String(selection.core),
    );
    const caches = view.cores.find(({ core }) => core === selection.core)?.caches ?? [];
    const rows = caches.map((cache) => [`${cache.level}${cache.kind}`, cacheOption(cache)] as const);
    options(this.caches, rows, `${selection.level}${selection.kind}`);
    if (this.input.value !== filter.text) this.input.value = filter.text;
    for (const [name, button] of this.buttons) setAttribute(button, 'aria-pressed', String(filter[name]));
  }

  /** `problem` marks the filter as one that means nothing. */
  say(text: string, problem = false): void {
    if (this.status.textContent !== text) this.status.textContent = text;
    setAttribute(this.status, 'class', problem ? 'status problem' : 'status');
    setAttribute(this.input, 'aria-invalid', problem ? 'true' : undefined);
  }

  private toggle({ name, icon: iconName, title }: (typeof toggles)[number]): HTMLElement {
    const button = element('button', {
      type: 'button',
      class: 'toggle',
      title,
      'aria-label': title,
      'aria-pressed': 'false',
    });
    button.append(icon(iconName));
    button.addEventListener('click', () => this.change({ ...this.filter, [name]: !this.filter[name] }));
    this.buttons.set(name, button);
    return button;
  }

  private change(filter: Filter): void {
    this.filter = filter;
    for (const [name, button] of this.buttons) setAttribute(button, 'aria-pressed', String(filter[name]));
    this.events.filtered(filter);
  }

  private pick(core: number, cacheName?: string): void {
    const caches = this.view?.cores.find((row) => row.core === core)?.caches ?? [];
    const wanted = cacheName ?? `${this.selection?.level}${this.selection?.kind}`;
    const cache = caches.find((row) => `${row.level}${row.kind}` === wanted) ?? caches[0];
    if (cache) this.events.selected({ core, level: cache.level, kind: cache.kind });
  }
}

function options(select: HTMLSelectElement, rows: readonly (readonly [string, string])[], chosen: string): void {
  const same =
    select.options.length === rows.length &&
    rows.every(([value, text], i) => {
      const option = select.options[i];
      return option.value === value && option.text === text;
    });
  if (!same) select.replaceChildren(...rows.map(([value, text]) => element('option', { value }, text)));
  select.value = chosen;
}
