/**
 * A DAP client for tests in each of the adapter's start modes, on testsupport's DebugClient. Events are kept until a test takes
 * them, so that none is missed between a request and its waiting.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, connect as connectSocket, type Server } from 'node:net';
import { PassThrough } from 'node:stream';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { type ConnectWorker, createInlineSession, runServer } from '../../src/adapter';
import { frame, MessageReader } from '../../src/adapter/framing';
import type { CustomRequestName, CustomRequests } from '../../src/protocol';

export type Mode = 'stdio' | 'socket' | 'inline';
export const modes: readonly Mode[] = ['stdio', 'socket', 'inline'];

/** A product to test: its bundled adapter process, and its worker for the modes in this process. */
export interface Product {
  readonly adapter: string;
  readonly connect: ConnectWorker;
}

const TIMEOUT = 8_000;

export class Client extends DebugClient {
  private readonly queues = new Map<string, Dap.Event[]>();
  private readonly waiting = new Map<string, ((event: Dap.Event) => void)[]>();
  readonly replies: Dap.Response[] = [];
  private gone = false;
  private readonly atClose: (() => void)[] = [];

  constructor() {
    super('node', '', 'elscope');
    this.defaultTimeout = TIMEOUT;
    // The base class keeps its dispatching to itself.
    (this as unknown as { dispatch(body: string): void }).dispatch = (body) => this.take(body);
  }

  static async open(mode: Mode, product: Product): Promise<Client> {
    const client = new Client();
    if (mode === 'stdio') client.overProcess(product.adapter);
    else if (mode === 'socket') await client.overSocket(product.connect);
    else client.inThisProcess(product.connect);
    return client;
  }

  private overProcess(adapter: string): void {
    const child: ChildProcess = spawn(process.execPath, [adapter], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (!child.stdout || !child.stdin) throw new Error('no pipes');
    this.connect(child.stdout, child.stdin);
    this.atClose.push(() => child.kill());
    child.on('exit', (code) => {
      this.gone = true;
      this.emitKept({ seq: 0, type: 'event', event: 'test/exit', body: { code } });
    });
  }

  private async overSocket(connect: ConnectWorker): Promise<void> {
    const server: Server = await runServer(0, connect);
    const { port } = server.address() as AddressInfo;
    const socket = connectSocket(port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    this.connect(socket, socket);
    this.atClose.push(() => {
      socket.destroy();
      server.close();
    });
  }

  private inThisProcess(connect: ConnectWorker): void {
    const session = createInlineSession(connect);
    const out = new PassThrough();
    const into = new PassThrough();
    const reader = new MessageReader({
      message: (message) => session.handleMessage(message),
      malformed: (what) => session.malformed(what),
    });
    into.on('data', (chunk: Buffer) => reader.push(chunk));
    session.onDidSendMessage((message) => void out.write(frame(message)));
    this.connect(out, into);
    this.atClose.push(() => session.dispose());
  }

  /** Writes bytes as they are. */
  raw(bytes: string | Buffer): void {
    (this as unknown as { outputStream: NodeJS.WritableStream }).outputStream.write(bytes);
  }

  endInput(): void {
    (this as unknown as { outputStream: NodeJS.WritableStream }).outputStream.end();
  }

  // Replies without a request of ours (malformed input) are kept as well.
  private readonly deliver = (DebugClient.prototype as unknown as { dispatch(body: string): void }).dispatch;

  private take(body: string): void {
    const message = JSON.parse(body) as Dap.ProtocolMessage;
    if (message.type === 'event') this.emitKept(message as Dap.Event);
    else this.replies.push(message as Dap.Response);
    this.deliver.call(this, body);
  }

  private emitKept(event: Dap.Event): void {
    const waiting = this.waiting.get(event.event)?.shift();
    if (waiting) waiting(event);
    else this.queues.set(event.event, [...(this.queues.get(event.event) ?? []), event]);
  }

  /** The next event of that name that has not been taken yet; waits for it at most `timeout` milliseconds. */
  next<B>(name: string, timeout = TIMEOUT): Promise<B> {
    const kept = this.queues.get(name)?.shift();
    if (kept) return Promise.resolve(kept.body as B);
    return new Promise((resolve, reject) => {
      const list = this.waiting.get(name) ?? [];
      const taker = (event: Dap.Event): void => {
        clearTimeout(timer);
        resolve(event.body as B);
      };
      const timer = setTimeout(() => {
        list.splice(list.indexOf(taker), 1);
        reject(new Error(`no event "${name}" came`));
      }, timeout);
      list.push(taker);
      this.waiting.set(name, list);
    });
  }

  stopped(timeout = TIMEOUT): Promise<Dap.StoppedEvent['body']> {
    return this.next('stopped', timeout);
  }

  /** Events of that name that came and were not taken. */
  kept(name: string): readonly Dap.Event[] {
    return this.queues.get(name) ?? [];
  }

  async custom<N extends CustomRequestName>(
    name: N,
    params: CustomRequests[N]['params'],
  ): Promise<CustomRequests[N]['result']> {
    const response = await this.customRequest(name, params);
    return response.body as CustomRequests[N]['result'];
  }

  /** Initialize, launch, the `initialized` event; configurationDone is left to the test. */
  async begin(args: object): Promise<void> {
    await this.initializeRequest();
    await this.send('launch', args);
    await this.next('initialized');
  }

  /** Up to the stop at entry. */
  async atEntry(args: object): Promise<Dap.StoppedEvent['body']> {
    await this.begin({ stopOnEntry: true, ...args });
    await this.configurationDoneRequest();
    return this.stopped();
  }

  async instructionBreakpoints(...breakpoints: Dap.InstructionBreakpoint[]): Promise<Dap.Breakpoint[]> {
    const { body } = await this.send('setInstructionBreakpoints', { breakpoints });
    return (body as Dap.SetInstructionBreakpointsResponse['body']).breakpoints;
  }

  async memory(args: Dap.ReadMemoryArguments): Promise<NonNullable<Dap.ReadMemoryResponse['body']>> {
    return (await this.send('readMemory', args)).body as NonNullable<Dap.ReadMemoryResponse['body']>;
  }

  async top(threadId = 1): Promise<Dap.StackFrame> {
    const { body } = await this.stackTraceRequest({ threadId, startFrame: 0, levels: 1 });
    return body.stackFrames[0];
  }

  async names(threadId = 1): Promise<string[]> {
    const { body } = await this.stackTraceRequest({ threadId });
    return body.stackFrames.map((f) => f.name);
  }

  async evaluated(expression: string, frameId?: number, context = 'watch'): Promise<string> {
    const { body } = await this.evaluateRequest({ expression, frameId, context });
    return body.result;
  }

  /** Opens a scope of the innermost frame by name. */
  async scope(name: string, threadId = 1): Promise<{ reference: number; variables: Dap.Variable[] }> {
    const frame = await this.top(threadId);
    const { body } = await this.scopesRequest({ frameId: frame.id });
    const scope = body.scopes.find((s) => s.name === name);
    if (!scope) throw new Error(`no scope "${name}" in ${body.scopes.map((s) => s.name).join(', ')}`);
    const listed = await this.variablesRequest({ variablesReference: scope.variablesReference });
    return { reference: scope.variablesReference, variables: listed.body.variables };
  }

  /** Disconnects, unless the adapter has ended already. */
  async close(): Promise<void> {
    if (!this.gone) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, 2000);
      });
      await Promise.race([this.send('disconnect', {}).catch(() => {}), late]);
      clearTimeout(timer);
    }
    for (const cleanup of this.atClose) cleanup();
  }
}
