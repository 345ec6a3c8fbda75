/**
 * A tree view of the Run and Debug container that follows the guest: rows come from a view model, are asked for only while the
 * view is visible, and are swapped in when they have arrived, so that nothing flickers and what is open stays open.
 */
import * as vscode from 'vscode';
import { RefreshPolicy } from '../refreshPolicy';
import type { Row } from '../rows/row';
import type { Session, Sessions } from '../sessions';
import { isAskedFor, treeItem } from './treeItem';

export interface Loaded {
  readonly rows: readonly Row[];
  /** One line above the tree. */
  readonly message?: string;
}

export interface TreeSource {
  readonly viewId: string;
  load(session: Session): Promise<Loaded>;
  /** Rows under one that says `sets` or `stage2`. */
  loadBelow?(session: Session, row: Row): Promise<readonly Row[]>;
}

export class LiveTree implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<Row | undefined>();
  private readonly policy: RefreshPolicy;
  private readonly view: vscode.TreeView<Row>;
  private readonly subscriptions: vscode.Disposable[];
  private rows: readonly Row[] = [];
  private shown = '';
  /** VS Code has asked for the rows and will get those that are loaded now. */
  private answering = false;

  readonly onDidChangeTreeData = this.emitter.event;

  constructor(
    private readonly source: TreeSource,
    private readonly sessions: Sessions,
  ) {
    this.policy = new RefreshPolicy(() => this.load());
    this.view = vscode.window.createTreeView(source.viewId, { treeDataProvider: this, showCollapseAll: true });
    this.policy.setVisible(this.view.visible);
    this.subscriptions = [
      this.view,
      this.emitter,
      this.view.onDidChangeVisibility(({ visible }) => this.policy.setVisible(visible)),
      sessions.onDidChangeState((session) => this.stateChanged(session)),
    ];
    this.stateChanged(sessions.current);
  }

  get visible(): boolean {
    return this.view.visible;
  }

  /** Asks again (when the view is next seen, if it is not). */
  refresh(): void {
    if (this.sessions.current?.state) this.policy.stateChanged(false);
  }

  getTreeItem(row: Row): vscode.TreeItem {
    return treeItem(row);
  }

  async getChildren(row?: Row): Promise<Row[]> {
    if (row === undefined) {
      // The first question comes before a change could be told: it is answered with what is there now.
      this.answering = true;
      if (this.sessions.current?.state) await this.policy.upToDate();
      this.answering = false;
      return [...this.rows];
    }
    const session = this.sessions.current;
    if (!isAskedFor(row) || !this.source.loadBelow || !session?.state) return [...(row.children ?? [])];
    try {
      return [...(await this.source.loadBelow(session, row))];
    } catch (error) {
      return [{ id: `${row.id}/error`, label: messageOf(error), icon: 'error', color: 'list.errorForeground' }];
    }
  }

  dispose(): void {
    this.policy.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private stateChanged(session: Session | undefined): void {
    if (session?.state) this.policy.stateChanged(session.state.running);
    else this.show({ rows: [] }, '');
  }

  private async load(): Promise<void> {
    const session = this.sessions.current;
    if (!session?.state) return;
    try {
      const loaded = await this.source.load(session);
      if (session !== this.sessions.current || !session.state) return;
      // Rows that are fetched when opened do not stand in `loaded`: they may be others at every version.
      const lazy = this.source.loadBelow ? session.state.version : 0;
      this.show(loaded, `${session.debug.id} ${lazy} ${JSON.stringify(loaded)}`);
    } catch (error) {
      if (session.state) this.show({ rows: this.rows, message: messageOf(error) }, `error ${messageOf(error)}`);
    }
  }

  private show({ rows, message }: Loaded, key: string): void {
    if (this.view.message !== message) this.view.message = message;
    if (key === this.shown) return;
    this.shown = key;
    this.rows = rows;
    if (!this.answering) this.emitter.fire(undefined);
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
