/**
 * The elscope debug sessions of this window, and what their adapters tell besides DAP: state versions, console output, resets
 * and findings. Views follow the session that has the focus.
 */
import * as vscode from 'vscode';
import type { CustomEvents, CustomRequestName, CustomRequests } from '../protocol/custom';

export const DEBUG_TYPE = 'elscope';

/** The state of a session whose machine exists. */
export interface MachineState {
  readonly version: number;
  readonly running: boolean;
}

export class Session {
  /** Undefined until the machine is built, and after the end. */
  state: MachineState | undefined;
  private threads: Promise<ReadonlyMap<number, number>> | undefined;

  constructor(readonly debug: vscode.DebugSession) {}

  get name(): string {
    return this.debug.name;
  }

  async request<M extends CustomRequestName>(
    method: M,
    params: CustomRequests[M]['params'],
  ): Promise<CustomRequests[M]['result']> {
    return this.debug.customRequest(method, params);
  }

  /** Thread of the frame or thread that has the focus, if it is this session's. */
  get focusedThread(): number | undefined {
    const item = vscode.debug.activeStackItem;
    return item?.session.id === this.debug.id ? item.threadId : undefined;
  }

  get focusedFrame(): number | undefined {
    const item = vscode.debug.activeStackItem;
    return item instanceof vscode.DebugStackFrame && item.session.id === this.debug.id ? item.frameId : undefined;
  }

  /** Core of the focused thread; threads are cores, and stay so. */
  async focusedCore(): Promise<number | undefined> {
    const thread = this.focusedThread;
    return thread === undefined ? undefined : this.coreOf(thread);
  }

  private async coreOf(thread: number): Promise<number | undefined> {
    this.threads ??= this.request('elscope/cores', {}).then(
      ({ cores }) => new Map(cores.map((core) => [core.threadId, core.core])),
    );
    try {
      return (await this.threads).get(thread);
    } catch {
      this.threads = undefined;
      return undefined;
    }
  }
}

export type SessionEvent = {
  [N in keyof CustomEvents]: { readonly session: Session; readonly name: N; readonly body: CustomEvents[N] };
}[keyof CustomEvents];

export class Sessions implements vscode.Disposable {
  private readonly sessions = new Map<string, Session>();
  private readonly subscriptions: vscode.Disposable[] = [];
  private readonly stateEmitter = new vscode.EventEmitter<Session | undefined>();
  private readonly eventEmitter = new vscode.EventEmitter<SessionEvent>();
  private readonly endEmitter = new vscode.EventEmitter<Session>();

  private focusedThread: number | undefined;

  /** The shown session, or its state, is another one. */
  readonly onDidChangeState = this.stateEmitter.event;
  readonly onEvent = this.eventEmitter.event;
  readonly onDidEnd = this.endEmitter.event;

  constructor() {
    const { debug } = vscode;
    this.subscriptions.push(
      debug.onDidStartDebugSession((session) => void this.find(session)),
      debug.onDidTerminateDebugSession((session) => this.end(session)),
      debug.onDidReceiveDebugSessionCustomEvent(({ session, event, body }) => this.receive(session, event, body)),
      debug.onDidChangeActiveDebugSession(() => this.stateEmitter.fire(this.current)),
      debug.onDidChangeActiveStackItem((item) => this.focusChanged(item)),
    );
  }

  /** The session that has the focus, or else the newest one. */
  get current(): Session | undefined {
    const active = vscode.debug.activeDebugSession;
    return (active && this.sessions.get(active.id)) ?? [...this.sessions.values()].at(-1);
  }

  byId(id: string): Session | undefined {
    return this.sessions.get(id);
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.stateEmitter.dispose();
    this.eventEmitter.dispose();
    this.endEmitter.dispose();
  }

  /** Another core has the focus: what is shown of addresses may be another core's. Another frame of it changes nothing. */
  private focusChanged(item: vscode.DebugThread | vscode.DebugStackFrame | undefined): void {
    if (!item || item.threadId === this.focusedThread) return;
    this.focusedThread = item.threadId;
    this.stateEmitter.fire(this.current);
  }

  private find(debug: vscode.DebugSession): Session | undefined {
    if (debug.type !== DEBUG_TYPE) return undefined;
    let session = this.sessions.get(debug.id);
    if (!session) this.sessions.set(debug.id, (session = new Session(debug)));
    return session;
  }

  private receive(debug: vscode.DebugSession, name: string, body: unknown): void {
    const session = name.startsWith('elscope/') ? this.find(debug) : undefined;
    if (!session) return;
    if (name === 'elscope/state') {
      session.state = body as CustomEvents['elscope/state'];
      if (session === this.current) this.stateEmitter.fire(session);
    }
    this.eventEmitter.fire({ session, name, body } as SessionEvent);
  }

  private end(debug: vscode.DebugSession): void {
    const session = this.sessions.get(debug.id);
    if (!session) return;
    this.sessions.delete(debug.id);
    session.state = undefined;
    this.endEmitter.fire(session);
    this.stateEmitter.fire(this.current);
  }
}
