/**
 * The Cache lines panel's side in the extension: makes the webview, passes its requests on to the debug session, and tells it
 * about every new state while it is visible. There is one panel; it follows the session that has the focus.
 */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { PanelEvents, PanelReports, PanelRequests } from '../../protocol/panel';
import { RpcError, type RpcMessage, RpcPeer } from '../../protocol/rpc';
import { RefreshPolicy } from '../refreshPolicy';
import type { Session, Sessions } from '../sessions';
import { webviewHtml } from './webviewHtml';

export const PANEL_TYPE = 'elscope.cacheLines';
type Open = PanelRequests['panel/open']['params'];
type Target = PanelEvents['panel/select'];
type Peer = RpcPeer<PanelRequests, Record<string, never>, PanelEvents, PanelReports>;

interface Shown {
  readonly panel: vscode.WebviewPanel;
  readonly peer: Peer;
  readonly policy: RefreshPolicy;
  /** The page listens. */
  ready: boolean;
}

export class CacheLinesPanel implements vscode.WebviewPanelSerializer, vscode.Disposable {
  private shown: Shown | undefined;
  /** To go to as soon as the page listens. */
  private target: Target | undefined;
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly sessions: Sessions,
    private readonly openAddress: (session: Session, request: Open) => Promise<void>,
  ) {
    this.subscriptions = [
      sessions.onDidChangeState((session) => this.stateChanged(session)),
      vscode.window.registerWebviewPanelSerializer(PANEL_TYPE, this),
    ];
  }

  /** Shows the panel beside the code, and in it a cache, one of its lines, or the lines that match. */
  show(target?: Target): void {
    this.target = target;
    if (this.shown) this.shown.panel.reveal(undefined, false);
    else {
      const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: false };
      this.adopt(vscode.window.createWebviewPanel(PANEL_TYPE, 'Cache Lines', column, { enableFindWidget: false }));
    }
    this.sendTarget();
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    this.shown?.panel.dispose();
    this.adopt(panel);
  }

  dispose(): void {
    this.shown?.panel.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private adopt(panel: vscode.WebviewPanel): void {
    const { webview } = panel;
    const root = vscode.Uri.joinPath(this.extensionUri, 'dist', 'webview');
    const inside = (file: string): string => webview.asWebviewUri(vscode.Uri.joinPath(root, file)).toString();
    webview.options = { enableScripts: true, localResourceRoots: [root] };
    const icon = (theme: string): vscode.Uri =>
      vscode.Uri.joinPath(this.extensionUri, 'media', 'icons', `layers-${theme}.svg`);
    panel.iconPath = { light: icon('light'), dark: icon('dark') };
    const peer = this.connect(webview);
    const policy = new RefreshPolicy(async () => this.tell(peer));
    const shown: Shown = { panel, peer, policy, ready: false };
    this.shown = shown;
    // A page that was hidden runs anew when it is shown again.
    peer.on('panel/ready', () => {
      shown.ready = true;
      this.tell(peer);
      this.sendTarget();
    });
    panel.onDidChangeViewState(() => {
      if (!panel.visible) shown.ready = false;
      policy.setVisible(panel.visible);
    });
    panel.onDidDispose(() => {
      peer.close('the panel was closed');
      policy.dispose();
      if (this.shown?.panel === panel) this.shown = undefined;
    });
    webview.html = webviewHtml({
      title: 'Cache Lines',
      source: webview.cspSource,
      script: inside('cacheLines.js'),
      styles: [inside('codicon.css'), inside('cacheLines.css')],
      nonce: randomBytes(16).toString('hex'),
    });
    policy.setVisible(panel.visible);
  }

  private connect(webview: vscode.Webview): Peer {
    const channel = {
      post: (message: RpcMessage) => void webview.postMessage(message),
      onMessage: (listener: (message: unknown) => void) => void webview.onDidReceiveMessage(listener),
    };
    return new RpcPeer<PanelRequests, Record<string, never>, PanelEvents, PanelReports>(channel, {
      'elscope/cores': (params) => this.session.request('elscope/cores', params),
      'elscope/caches': (params) => this.session.request('elscope/caches', params),
      'elscope/cacheLines': (params) => this.session.request('elscope/cacheLines', params),
      'elscope/cacheLine': (params) => this.session.request('elscope/cacheLine', params),
      'elscope/lineState': (params) => this.session.request('elscope/lineState', params),
      'panel/open': async (params) => {
        await this.openAddress(this.session, params);
        return {};
      },
    });
  }

  private get session(): Session {
    const { current } = this.sessions;
    if (!current?.state) throw new RpcError('notLaunched', 'No guest is being debugged.');
    return current;
  }

  private stateChanged(session: Session | undefined): void {
    if (!this.shown) return;
    if (session?.state) this.shown.policy.stateChanged(session.state.running);
    else this.shown.peer.event('panel/noSession', {});
  }

  private sendTarget(): void {
    if (!this.target || !this.shown?.ready) return;
    this.shown.peer.event('panel/select', this.target);
    this.target = undefined;
  }

  private tell(peer: Peer): void {
    const state = this.sessions.current?.state;
    if (state) peer.event('panel/state', state);
    else peer.event('panel/noSession', {});
  }
}
