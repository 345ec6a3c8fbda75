/**
 * The Cache lines panel: a grid of one cache, with the chosen line beside it. It keeps what it shows until newer data is
 * there, asks only for rows that are near the visible ones, and remembers its choices when VS Code hides or restores it.
 */
import type { PanelEvents, PanelReports, PanelRequests, PanelSelection } from '../protocol/panel';
import { type RpcMessage, RpcPeer } from '../protocol/rpc';
import type { CacheLinesView, CachesView } from '../protocol/views';
import { summary } from './describe';
import { Detail } from './detail';
import { element, setAttribute } from './dom';
import { Grid } from './grid';
import { GridModel, PAGE_ROWS } from './gridModel';
import { type Filter, isFiltering, noFilter, Toolbar } from './toolbar';

interface Saved {
  readonly selection: PanelSelection;
  readonly filter: Filter;
  readonly chosen: Chosen | undefined;
}
interface Chosen {
  readonly set: number;
  readonly way: number;
}
interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): Saved | undefined;
  setState(state: Saved): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

class Panel {
  private readonly model = new GridModel();
  private readonly toolbar = new Toolbar({
    selected: (selection) => this.select({ ...this.saved, selection, chosen: undefined }),
    filtered: (filter) => this.select({ ...this.saved, filter }),
  });
  private readonly detail = new Detail({
    open: (address, where) => void this.peer.request('panel/open', { address, where }).catch(() => undefined),
  });
  private readonly grid = new Grid(this.model, {
    scrolled: () => this.loadMissing(),
    chosen: (set, way) => this.choose({ set, way }),
    opened: () => this.detail.root.focus(),
  });
  private readonly empty = element('p', { class: 'empty', role: 'status' });
  private readonly main = element('main', {}, this.grid.root, this.detail.root);
  private readonly peer: RpcPeer<Record<string, never>, PanelRequests, PanelReports, PanelEvents>;
  private saved: Saved;
  private caches: CachesView | undefined;
  /** Counts selections and filters: answers that belong to an older one are dropped. */
  private generation = 0;
  private readonly underWay = new Set<number>();
  private detailWanted = false;
  private detailUnderWay = false;

  constructor(private readonly api: VsCodeApi) {
    this.saved = api.getState() ?? { selection: { core: 0, level: 1, kind: 'I' }, filter: noFilter, chosen: undefined };
    const channel = {
      post: (message: RpcMessage) => api.postMessage(message),
      onMessage: (listener: (message: unknown) => void) => window.addEventListener('message', (e) => listener(e.data)),
    };
    this.peer = new RpcPeer<Record<string, never>, PanelRequests, PanelReports, PanelEvents>(channel, {});
    this.peer.on('panel/state', ({ version }) => void this.stateChanged(version));
    this.peer.on('panel/noSession', () => this.showEmpty());
    this.peer.on('panel/select', ({ selection, line, filter }) =>
      this.select({ selection, chosen: line, filter: { ...noFilter, text: filter ?? '' } }, true),
    );
    document.body.append(this.toolbar.root, this.main, this.empty);
    document.addEventListener('keydown', (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === 'f') this.toolbar.focusFilter();
      else if (event.key === 'Escape' && this.main.contains(document.activeElement))
        this.grid.reveal(this.model.focus, true);
    });
    this.detail.clear('Choose a line.');
    this.showEmpty();
    this.peer.event('panel/ready', {});
  }

  private showEmpty(): void {
    this.caches = undefined;
    setAttribute(document.body, 'class', 'without-session');
    this.empty.textContent = 'No guest is being debugged. Start a debug session of type elscope to see its caches.';
  }

  private async stateChanged(version: number): Promise<void> {
    this.model.outdate(version);
    try {
      this.caches = await this.peer.request('elscope/caches', {});
    } catch {
      return this.showEmpty();
    }
    setAttribute(document.body, 'class', undefined);
    this.showToolbar();
    this.loadMissing();
    this.loadDetail();
  }

  /** Falls back to the first cache that there is when the remembered one does not exist on this machine. */
  private showToolbar(): void {
    const { caches } = this;
    if (!caches) return;
    const { core, level, kind } = this.saved.selection;
    const row = caches.cores.find((candidate) => candidate.core === core) ?? caches.cores[0];
    const cache =
      row?.caches.find((candidate) => candidate.level === level && candidate.kind === kind) ?? row?.caches[0];
    if (row && cache && (row.core !== core || cache.level !== level || cache.kind !== kind)) {
      const selection = { core: row.core, level: cache.level, kind: cache.kind };
      this.select({ ...this.saved, selection, chosen: undefined });
    } else this.toolbar.show(caches, this.saved.selection, this.saved.filter);
  }

  private select(saved: Saved, takeFocus = false): void {
    this.remember(saved);
    this.generation++;
    this.underWay.clear();
    this.model.clear();
    if (this.caches) this.toolbar.show(this.caches, saved.selection, saved.filter);
    if (saved.chosen && !isFiltering(saved.filter)) this.pending = { ...saved.chosen, takeFocus };
    this.grid.root.scrollTop = 0;
    this.loadPage(this.pending ? Math.floor(this.pending.set / PAGE_ROWS) * PAGE_ROWS : 0);
    this.loadDetail();
  }

  /** A line to go to as soon as the cache's size is known. */
  private pending: (Chosen & { readonly takeFocus: boolean }) | undefined;

  private remember(saved: Saved): void {
    this.saved = saved;
    this.api.setState(saved);
  }

  private loadMissing(): void {
    if (!this.caches) return;
    const { first, last } = this.grid.window;
    for (const start of this.model.missing(first, last)) this.loadPage(start);
  }

  private loadPage(start: number): void {
    if (!this.caches || this.underWay.has(start)) return;
    this.underWay.add(start);
    const { generation } = this;
    const { selection, filter } = this.saved;
    const request = { ...selection, start, count: PAGE_ROWS, filter: isFiltering(filter) ? filter : undefined };
    this.peer.request('elscope/cacheLines', request).then(
      (view) => this.accept(view, start, generation),
      (error: Error) => {
        if (generation !== this.generation) return;
        this.underWay.delete(start);
        this.toolbar.say(error.message, true);
        this.grid.update(this.saved.chosen, true);
      },
    );
  }

  private accept(view: CacheLinesView, start: number, generation: number): void {
    if (generation !== this.generation) return;
    this.underWay.delete(start);
    this.model.accept(view);
    const filtering = isFiltering(this.saved.filter);
    const found = filtering ? `${view.totalRows} of ` : '';
    this.toolbar.say(found + summary(view));
    this.grid.update(this.saved.chosen, filtering);
    if (this.pending) {
      const { set, way, takeFocus } = this.pending;
      this.pending = undefined;
      this.grid.reveal({ row: set, way }, takeFocus);
    } else if (filtering && !this.saved.chosen) this.chooseFirstMatch();
  }

  private chooseFirstMatch(): void {
    const row = this.model.row(0);
    const cell = row?.cells.find((candidate) => candidate.matches);
    if (!row || !cell) return;
    this.model.focus = { row: 0, way: cell.way };
    this.choose({ set: row.set, way: cell.way });
  }

  private choose(chosen: Chosen): void {
    if (this.saved.chosen?.set === chosen.set && this.saved.chosen.way === chosen.way) return;
    this.remember({ ...this.saved, chosen });
    this.grid.update(chosen, isFiltering(this.saved.filter));
    this.loadDetail();
  }

  /** One request at a time; what was chosen meanwhile is asked for next. */
  private loadDetail(): void {
    this.detailWanted = true;
    if (!this.detailUnderWay) void this.loadDetails();
  }

  private async loadDetails(): Promise<void> {
    this.detailUnderWay = true;
    while (this.detailWanted && this.caches) {
      this.detailWanted = false;
      const { selection, chosen } = this.saved;
      if (!chosen) this.detail.clear('Choose a line.');
      else await this.loadLine(selection, chosen);
    }
    this.detailUnderWay = false;
  }

  private async loadLine(selection: PanelSelection, chosen: Chosen): Promise<void> {
    try {
      const line = await this.peer.request('elscope/cacheLine', { ...selection, ...chosen });
      const address = line.cell.pa && `pa:${line.cell.pa}`;
      const state = address
        ? await this.peer.request('elscope/lineState', { address, core: selection.core }).catch(() => undefined)
        : undefined;
      if (!this.detailWanted) this.detail.show(line, state);
    } catch (error) {
      if (!this.detailWanted) this.detail.clear(error instanceof Error ? error.message : String(error));
    }
  }
}

new Panel(acquireVsCodeApi());
