/**
 * The debug adapter: DAP on one side, the protocol on the other. It checks the order of requests, starts and ends the worker,
 * and passes everything else on by the protocol table. Every request gets exactly one reply, whatever it looks like.
 */
import { DebugSession, Event, InitializedEvent, OutputEvent, Response, TerminatedEvent } from '@vscode/debugadapter';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { UserError } from '../base/errors';
import {
  type Call,
  customRequests,
  dapRequests,
  RpcError,
  RpcPeer,
  type WorkerEvents,
  type WorkerRequestName,
  type WorkerRequests,
} from '../protocol';
import { capabilities } from './capabilities';
import type { ConnectWorker, WorkerConnection } from './connect';
import { sessionStart } from './launchAttributes';
import { shifted } from './lineBase';

type Peer = RpcPeer<Record<string, never>, WorkerRequests, Record<string, never>, WorkerEvents>;

const forwarded: ReadonlySet<string> = new Set([...Object.keys(dapRequests), ...Object.keys(customRequests)]);
const workerEvents = [
  'stopped',
  'continued',
  'output',
  'breakpoint',
  'invalidated',
  'memory',
  'exited',
  'terminated',
  'elscope/state',
  'elscope/console',
  'elscope/reset',
  'elscope/finding',
] as const satisfies readonly (keyof WorkerEvents)[];

/** Error numbers in replies, by cause. */
const ids: Readonly<Record<string, number>> = {
  unknownMessage: 1014,
  invalidParams: 1001,
  notLaunched: 1002,
  notStopped: 1003,
  cancelled: 1004,
  closed: 1005,
  refused: 1006,
  user: 1007,
  internal: 1099,
};

type Command = (request: Dap.Request) => Promise<Dap.Response['body']>;

export class ElscopeDebugSession extends DebugSession {
  private peer: Peer | undefined;
  private worker: WorkerConnection | undefined;
  private phase: 'new' | 'initialized' | 'launching' | 'launched' | 'ended' = 'new';
  private configured = false;
  private lineShift = 0;
  private columnShift = 0;
  private readonly calls = new Map<number, Call<unknown>>();
  private readonly own: Readonly<Record<string, Command>> = {
    initialize: (request) => this.initialize(request.arguments),
    launch: (request) => this.launch(request),
    attach: () => refuse('there is nothing to attach to: use a launch configuration'),
    configurationDone: () => this.configurationDone(),
    restart: (request) => this.restart(request.arguments),
    terminate: () => this.terminate(),
    disconnect: () => this.disconnect(),
    cancel: (request) => this.cancel(request.arguments),
  };

  constructor(private readonly connect: ConnectWorker) {
    super();
  }

  /** Closing the transport ends the guest; the process is ended by its entry, not from here. */
  override shutdown(): void {
    this.closeWorker('the session has ended');
  }

  override dispose(): void {
    this.shutdown();
  }

  /** Also takes messages of any other shape. */
  override handleMessage(message: unknown): void {
    const { type, command, seq } = (
      typeof message === 'object' && message !== null ? message : {}
    ) as Partial<Dap.Request>;
    if (type === 'response' || type === 'event') return;
    const number = Number.isSafeInteger(seq) ? (seq as number) : 0;
    if (type !== 'request' || typeof command !== 'string' || number !== seq) {
      this.malformed('this is no request', number, typeof command === 'string' ? command : '');
    } else void this.answer(message as Dap.Request);
  }

  /** Says that something came in that could not be read as a message. */
  malformed(what: string, seq = 0, command = ''): void {
    const request = { seq, type: 'request', command } as const;
    this.sendError(new Response(request), new RpcError('invalidParams', what));
  }

  private async answer(request: Dap.Request): Promise<void> {
    const response: Dap.Response = new Response(request);
    try {
      const body = await this.perform(request);
      if (body !== undefined) response.body = shifted(body, -this.lineShift, -this.columnShift);
      this.sendResponse(response);
      if (request.command === 'launch') this.sendEvent(new InitializedEvent());
    } catch (error) {
      this.sendError(response, error);
    }
    if (request.command === 'disconnect') this.emit('ended');
  }

  private perform(request: Dap.Request): Promise<Dap.Response['body']> {
    const own = Object.hasOwn(this.own, request.command) ? this.own[request.command] : undefined;
    if (own) return own(request);
    if (!forwarded.has(request.command)) {
      return Promise.reject(new RpcError('unknownMessage', `unknown request "${request.command}"`));
    }
    return this.forward(request);
  }

  private async forward(request: Dap.Request): Promise<Dap.Response['body']> {
    if (this.phase !== 'launched' || this.peer === undefined) {
      throw new RpcError('notLaunched', `"${request.command}" needs a launched guest`);
    }
    const params = shifted(request.arguments ?? {}, this.lineShift, this.columnShift);
    const call = this.peer.start(request.command as WorkerRequestName, params as never);
    this.calls.set(request.seq, call);
    try {
      return await call.result;
    } finally {
      this.calls.delete(request.seq);
    }
  }

  private sendError(response: Dap.Response, error: unknown): void {
    const known = error instanceof RpcError || error instanceof UserError;
    const code = error instanceof RpcError ? error.code : error instanceof UserError ? 'user' : 'internal';
    const text = error instanceof Error ? error.message : String(error);
    const showUser = response.command === 'launch' || response.command === 'restart' || !known;
    response.success = false;
    // DAP reserves these two texts; clients treat them in a special way.
    response.message = code === 'cancelled' || code === 'notStopped' ? code : text;
    response.body = {
      error: { id: ids[code] ?? ids.internal, format: '{_text}', variables: { _text: text }, showUser },
    };
    this.sendResponse(response);
  }

  private async initialize(args: Dap.InitializeRequestArguments | undefined): Promise<Dap.Capabilities> {
    if (this.phase !== 'new') refuse('initialize has already been called');
    const problem = initializeProblem(args);
    if (problem !== undefined) throw new RpcError('invalidParams', problem);
    this.lineShift = args?.linesStartAt1 === false ? 1 : 0;
    this.columnShift = args?.columnsStartAt1 === false ? 1 : 0;
    this.phase = 'initialized';
    return capabilities;
  }

  private async launch(request: Dap.Request): Promise<undefined> {
    if (this.phase === 'new') refuse('initialize comes first');
    if (this.phase !== 'initialized') refuse('the guest has already been launched');
    const start = sessionStart(request.arguments);
    this.phase = 'launching';
    try {
      this.worker = this.connect((why) => this.workerEnded(why));
      this.peer = new RpcPeer<Record<string, never>, WorkerRequests, Record<string, never>, WorkerEvents>(
        this.worker.channel,
        {},
      );
      for (const name of workerEvents) this.peer.on(name, (body) => this.workerEvent(name, body));
      await this.peer.request('launch', start);
      this.phase = 'launched';
    } catch (error) {
      this.closeWorker('the launch has failed');
      this.phase = 'initialized';
      throw error;
    }
  }

  private async configurationDone(): Promise<undefined> {
    if (this.phase !== 'launched' || this.peer === undefined) {
      throw new RpcError('notLaunched', '"configurationDone" needs a launched guest');
    }
    if (this.configured) refuse('configurationDone has already been called');
    this.configured = true;
    await this.peer.request('start', {});
  }

  /** Clients send the configuration as it is now, which may have been edited. */
  private async restart(args: Dap.RestartArguments | undefined): Promise<undefined> {
    if (this.phase !== 'launched' || this.peer === undefined) {
      throw new RpcError('notLaunched', '"restart" needs a launched guest');
    }
    const configuration: unknown = args?.arguments;
    const edited = typeof configuration === 'object' && configuration !== null;
    await this.peer.request('restart', edited ? { start: sessionStart(configuration) } : {});
  }

  private async terminate(): Promise<undefined> {
    if (this.phase !== 'launched') throw new RpcError('notLaunched', 'there is no guest to end');
    this.end();
  }

  private async disconnect(): Promise<undefined> {
    this.closeWorker('disconnected');
    this.phase = 'ended';
  }

  private async cancel(args: Dap.CancelArguments | undefined): Promise<undefined> {
    const { requestId } = args ?? {};
    if (requestId !== undefined) this.calls.get(requestId)?.cancel();
  }

  private workerEvent(name: string, body: unknown): void {
    if (name === 'terminated') {
      this.end();
      return;
    }
    const message = new Event(name, shifted(body, -this.lineShift, -this.columnShift));
    this.sendEvent(message);
  }

  /** The worker has gone by itself: only our own mistake makes it do that. */
  private workerEnded(why: string): void {
    if (this.worker === undefined) return;
    this.sendEvent(new OutputEvent(`the emulator has ended unexpectedly: ${why}\n`, 'important'));
    this.end();
  }

  private end(): void {
    if (this.phase === 'ended') return;
    this.phase = 'ended';
    this.closeWorker('the guest has ended');
    this.sendEvent(new TerminatedEvent());
  }

  private closeWorker(why: string): void {
    const { worker, peer } = this;
    this.worker = undefined;
    this.peer = undefined;
    peer?.close(why);
    worker?.close();
  }
}

function refuse(why: string): never {
  throw new RpcError('refused', why);
}

function initializeProblem(args: Dap.InitializeRequestArguments | undefined): string | undefined {
  if (typeof args !== 'object' || args === null) return 'initialize needs arguments';
  if (args.pathFormat !== undefined && args.pathFormat !== 'path') return 'pathFormat must be "path"';
  for (const name of ['linesStartAt1', 'columnsStartAt1'] as const) {
    if (args[name] !== undefined && typeof args[name] !== 'boolean') return `${name} must be true or false`;
  }
  return undefined;
}
