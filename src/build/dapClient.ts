/** A small DAP client on a process of the built adapter: sends requests, keeps events until they are asked for. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import path from 'node:path';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { frame, MessageReader } from '../adapter/framing';
import { DIST } from './paths';

type Body = Dap.Response['body'];
interface Waiting {
  resolve(body: Body): void;
  reject(error: Error): void;
}

export const ADAPTER = path.join(DIST, 'adapter.cjs');
const TIMEOUT_MS = 30_000;

export class DapClient {
  private readonly child: ChildProcessWithoutNullStreams;
  private seq = 0;
  private readonly replies = new Map<number, Waiting>();
  private readonly events = new Map<string, Body[]>();
  private readonly awaited = new Map<string, Waiting[]>();

  constructor() {
    this.child = spawn(process.execPath, [ADAPTER], { stdio: 'pipe' });
    const reader = new MessageReader({
      message: (message) => this.take(message as Dap.Response | Dap.Event),
      malformed: (what) => this.fail(new Error(`the adapter sent ${what}`)),
    });
    this.child.stdout.on('data', (chunk: Buffer) => reader.push(chunk));
    this.child.stderr.pipe(process.stderr);
    this.child.once('exit', (code) => this.fail(new Error(`the adapter ended with ${code}`)));
  }

  /** @throws Error with the adapter's text when it refuses */
  request(command: string, args: object = {}): Promise<Body> {
    const seq = ++this.seq;
    const reply = new Promise<Body>((resolve, reject) => this.replies.set(seq, { resolve, reject }));
    this.child.stdin.write(frame({ seq, type: 'request', command, arguments: args }));
    return withTimeout(reply, command);
  }

  /** The next event of that name that has not been taken yet. */
  event(name: string): Promise<Body> {
    const kept = this.events.get(name) ?? [];
    if (kept.length > 0) return Promise.resolve(kept.shift());
    const come = new Promise<Body>((resolve, reject) => {
      this.awaited.set(name, [...(this.awaited.get(name) ?? []), { resolve, reject }]);
    });
    return withTimeout(come, `the event ${name}`);
  }

  /** From a launch to its first stop, as VS Code goes about it; no breakpoints. */
  async launch(args: object): Promise<void> {
    const launched = this.request('launch', args);
    await this.event('initialized');
    await Promise.all([launched, this.request('configurationDone')]);
  }

  close(): void {
    this.child.removeAllListeners('exit');
    this.child.kill();
  }

  private take(message: Dap.Response | Dap.Event): void {
    if (message.type === 'event') {
      const { event, body } = message as Dap.Event;
      const waiting = this.awaited.get(event)?.shift();
      if (waiting) waiting.resolve(body);
      else this.events.set(event, [...(this.events.get(event) ?? []), body]);
      return;
    }
    const { request_seq, success, body, message: text } = message as Dap.Response;
    const waiting = this.replies.get(request_seq);
    this.replies.delete(request_seq);
    if (success) waiting?.resolve(body);
    else waiting?.reject(new Error(body?.error?.variables?._text ?? text));
  }

  private fail(error: Error): void {
    for (const waiting of [...this.replies.values(), ...[...this.awaited.values()].flat()]) waiting.reject(error);
  }
}

function withTimeout<T>(work: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer to ${what}`)), TIMEOUT_MS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
