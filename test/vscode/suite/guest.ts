/** A debug session of the real adapter for tests inside the extension host: starts, waits for stops, ends. */
import * as assert from 'node:assert/strict';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import * as vscode from 'vscode';
import type { TestAccess } from '../../../src/extension/extension';
import type { Row } from '../../../src/extension/rows/row';

export const ID = 'elscope.elscope';

export async function access(): Promise<TestAccess> {
  const exported = await vscode.extensions.getExtension(ID)?.activate();
  assert.ok(exported, 'the extension says nothing to tests');
  return exported;
}

type Stop = Dap.StoppedEvent['body'];

export class Guest {
  private readonly stops: Stop[] = [];
  private readonly waiting: ((stop: Stop) => void)[] = [];
  private readonly subscriptions: vscode.Disposable[] = [];
  session!: vscode.DebugSession;

  private constructor() {}

  /** Starts a sample and waits for its first stop. */
  static async start(config: Readonly<Record<string, unknown>>): Promise<Guest> {
    const guest = new Guest();
    const { debug, workspace } = vscode;
    guest.subscriptions.push(
      debug.registerDebugAdapterTrackerFactory('elscope', {
        createDebugAdapterTracker: () => ({ onDidSendMessage: (message) => guest.message(message) }),
      }),
      debug.onDidStartDebugSession((session) => {
        guest.session = session;
      }),
    );
    const folder = workspace.workspaceFolders?.[0];
    const whole = { type: 'elscope', request: 'launch', name: 'test', cpus: 1, ...config };
    assert.equal(await debug.startDebugging(folder, whole), true, 'the session does not start');
    await guest.stopped();
    return guest;
  }

  /** The next stop that has not been waited for. */
  stopped(): Promise<Stop> {
    const stop = this.stops.shift();
    return stop ? Promise.resolve(stop) : new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Runs a command that moves the guest, and waits until it stands again and VS Code shows the frame. */
  async move(command: string): Promise<Stop> {
    const focused = new Promise<void>((resolve) => {
      const subscription = vscode.debug.onDidChangeActiveStackItem((item) => {
        if (!(item instanceof vscode.DebugStackFrame)) return;
        subscription.dispose();
        resolve();
      });
    });
    await vscode.commands.executeCommand(command);
    const stop = await this.stopped();
    await focused;
    return stop;
  }

  request<T>(method: string, params: object = {}): Promise<T> {
    return Promise.resolve(this.session.customRequest(method, params));
  }

  async evaluate(expression: string): Promise<string> {
    const { frameId } = await this.focusedFrame();
    return (await this.request<{ result: string }>('evaluate', { expression, frameId, context: 'watch' })).result;
  }

  /** VS Code focuses a frame some time after the stop. */
  async focusedFrame(): Promise<vscode.DebugStackFrame> {
    for (;;) {
      const item = vscode.debug.activeStackItem;
      if (item instanceof vscode.DebugStackFrame) return item;
      await new Promise<void>((resolve) => {
        const subscription = vscode.debug.onDidChangeActiveStackItem(() => {
          subscription.dispose();
          resolve();
        });
      });
    }
  }

  async end(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.subscriptions.push(vscode.debug.onDidTerminateDebugSession(() => resolve()));
    });
    await vscode.debug.stopDebugging(this.session);
    await ended;
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private message(message: Dap.ProtocolMessage & { event?: string; body?: Stop }): void {
    if (message.type !== 'event' || message.event !== 'stopped' || !message.body) return;
    const next = this.waiting.shift();
    if (next) next(message.body);
    else this.stops.push(message.body);
  }
}

/** Waits until `read` gives something. */
export async function eventually<T>(read: () => Promise<T | undefined>, what: () => string): Promise<T> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`there are no ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The rows of a view, as soon as they are as `wanted` says. */
export function rowsOf(
  viewId: string,
  wanted: (rows: readonly Row[]) => boolean = (rows) => rows.length > 0,
): Promise<Row[]> {
  let last: Row[] = [];
  const read = async (): Promise<Row[] | undefined> => {
    last = await (await access()).rows(viewId);
    return wanted(last) ? last : undefined;
  };
  return eventually(read, () => `such rows of ${viewId}, but ${JSON.stringify(last)}`);
}

export const labels = (rows: readonly Row[]): string[] => rows.map((row) => row.label);
