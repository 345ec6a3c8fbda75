/**
 * The one request/reply mechanism: between adapter and worker and between extension and webviews. Its promises: an unknown
 * message is answered with an error; a handler that fails rejects its caller; closing rejects everything that is pending; every
 * request can be cancelled. Messages are plain data that structured clone and JSON both carry.
 */

/** One end of a two-way channel (worker_threads port, webview postMessage, an in-process pair). */
export interface Channel {
  post(message: RpcMessage): void;
  /** Called once, by the peer. */
  onMessage(listener: (message: unknown) => void): void;
}

export type RpcMessage =
  | { readonly kind: 'request'; readonly id: number; readonly method: string; readonly params: unknown }
  | { readonly kind: 'reply'; readonly id: number; readonly result?: unknown; readonly error?: RpcFailure }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'event'; readonly name: string; readonly body: unknown };

/** Why a request was refused. `code` is stable; `message` is one line for the user. */
export interface RpcFailure {
  readonly code: string;
  readonly message: string;
}
export type RpcErrorCode =
  | 'unknownMessage'
  | 'invalidParams'
  | 'cancelled'
  | 'closed'
  | 'notLaunched'
  | 'notStopped'
  | 'refused' // a valid request that cannot be done; the message says why
  | 'user' // from the table of user errors
  | 'internal'; // our own bug

export class RpcError extends Error {
  constructor(
    readonly code: RpcErrorCode | (string & {}),
    message: string,
  ) {
    super(message);
    this.name = 'RpcError';
  }
}

/** Request name -> parameters and result. */
export type RequestMap = { readonly [method: string]: { readonly params: unknown; readonly result: unknown } };
export type EventMap = { readonly [name: string]: unknown };

/** What a handler is told besides its parameters. */
export interface RequestContext {
  readonly cancelled: boolean;
  onCancel(listener: () => void): void;
}
export type Handlers<R extends RequestMap> = {
  readonly [M in keyof R]: (
    params: R[M]['params'],
    context: RequestContext,
  ) => R[M]['result'] | Promise<R[M]['result']>;
};

/** A request under way. */
export interface Call<T> {
  readonly result: Promise<T>;
  /** Asks the other side to give up; `result` then rejects with code `cancelled`. */
  cancel(): void;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: RpcError): void;
}

const failureOf = (error: unknown): RpcFailure => {
  if (error instanceof RpcError) return { code: error.code, message: error.message };
  if (error instanceof Error && error.name === 'UserError') return { code: 'user', message: error.message };
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
};

/**
 * One end. `Served` are the requests this end answers, `Asked` those it makes; `Sent` and `Received` likewise for events. A
 * request for which `handlers` has no function is answered with `unknownMessage`.
 */
export class RpcPeer<
  Served extends RequestMap,
  Asked extends RequestMap,
  Sent extends EventMap = EventMap,
  Received extends EventMap = EventMap,
> {
  private nextId = 1;
  private closedBecause: RpcError | undefined;
  private readonly pending = new Map<number, Pending>();
  private readonly serving = new Map<number, { cancel(): void }>();
  private readonly listeners = new Map<string, ((body: never) => void)[]>();

  constructor(
    private readonly channel: Channel,
    private readonly handlers: Partial<Handlers<Served>>,
    /** Told of errors that are our own mistakes; the caller only gets the message. */
    private readonly report: (error: unknown) => void = () => {},
  ) {
    channel.onMessage((message) => this.receive(message));
  }

  get closed(): boolean {
    return this.closedBecause !== undefined;
  }

  start<M extends keyof Asked & string>(method: M, params: Asked[M]['params']): Call<Asked[M]['result']> {
    const id = this.nextId++;
    const result = new Promise<unknown>((resolve, reject) => {
      if (this.closedBecause) reject(this.closedBecause);
      else this.pending.set(id, { resolve, reject });
    });
    this.send({ kind: 'request', id, method, params });
    return {
      result: result as Promise<Asked[M]['result']>,
      cancel: () => {
        if (this.pending.has(id)) this.send({ kind: 'cancel', id });
      },
    };
  }

  request<M extends keyof Asked & string>(method: M, params: Asked[M]['params']): Promise<Asked[M]['result']> {
    return this.start(method, params).result;
  }

  event<E extends keyof Sent & string>(name: E, body: Sent[E]): void {
    this.send({ kind: 'event', name, body });
  }

  on<E extends keyof Received & string>(name: E, listener: (body: Received[E]) => void): void {
    const list = this.listeners.get(name);
    if (list) list.push(listener);
    else this.listeners.set(name, [listener]);
  }

  /** Rejects everything pending, here and from now on; requests of the other side are told to give up. */
  close(reason = 'the connection was closed'): void {
    if (this.closedBecause) return;
    this.closedBecause = new RpcError('closed', reason);
    for (const waiting of this.pending.values()) waiting.reject(this.closedBecause);
    this.pending.clear();
    for (const served of this.serving.values()) served.cancel();
    this.serving.clear();
  }

  private send(message: RpcMessage): void {
    if (!this.closedBecause) this.channel.post(message);
  }

  private receive(raw: unknown): void {
    if (this.closedBecause || typeof raw !== 'object' || raw === null) return;
    const message = raw as RpcMessage;
    if (message.kind === 'request') void this.serve(message.id, message.method, message.params);
    else if (message.kind === 'reply') this.settle(message.id, message.result, message.error);
    else if (message.kind === 'cancel') this.serving.get(message.id)?.cancel();
    else if (message.kind === 'event') {
      for (const listener of this.listeners.get(message.name) ?? []) listener(message.body as never);
    }
  }

  private settle(id: number, result: unknown, error: RpcFailure | undefined): void {
    const waiting = this.pending.get(id);
    this.pending.delete(id);
    if (error) waiting?.reject(new RpcError(error.code, error.message));
    else waiting?.resolve(result);
  }

  private async serve(id: number, method: string, params: unknown): Promise<void> {
    const handler = Object.hasOwn(this.handlers, method) ? this.handlers[method as keyof Served] : undefined;
    if (!handler) {
      this.send({ kind: 'reply', id, error: { code: 'unknownMessage', message: `unknown request "${method}"` } });
      return;
    }
    const cancelled: (() => void)[] = [];
    let isCancelled = false;
    const context: RequestContext = {
      get cancelled() {
        return isCancelled;
      },
      onCancel: (listener) => void cancelled.push(listener),
    };
    const gaveUp = new Promise<never>((_, reject) => {
      this.serving.set(id, {
        cancel() {
          isCancelled = true;
          for (const listener of cancelled) listener();
          reject(new RpcError('cancelled', 'cancelled'));
        },
      });
    });
    try {
      const work = (async () => handler(params as Served[keyof Served]['params'], context))();
      const result = await Promise.race([work, gaveUp]);
      this.send({ kind: 'reply', id, result });
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code === 'internal') this.report(error);
      this.send({ kind: 'reply', id, error: failure });
    } finally {
      this.serving.delete(id);
    }
  }
}

/** Two channels joined in one process. Messages arrive in a later microtask, in order. */
export function channelPair(): [Channel, Channel] {
  const listeners: ((message: unknown) => void)[] = [];
  const end = (self: number): Channel => ({
    post: (message) => void Promise.resolve().then(() => listeners[1 - self]?.(message)),
    onMessage: (listener) => {
      listeners[self] = listener;
    },
  });
  return [end(0), end(1)];
}
