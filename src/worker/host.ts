/**
 * Serves one session on a channel: every request is checked against its row of the protocol table before the session sees it.
 * Works in a worker thread, and in the same thread for tests and for hosts without workers.
 */
import type { Launch, LaunchOptions, LaunchPorts } from '../machine/launch.types';
import {
  type Channel,
  type Handlers,
  RpcError,
  RpcPeer,
  type WorkerEvents,
  type WorkerRequestName,
  type WorkerRequests,
  workerRequests,
} from '../protocol';
import { type Emit, type Scheduler, Session, type SourceText, sessionHandlers } from '../session';

export interface HostPorts {
  readonly launch: Launch;
  readonly ports: LaunchPorts;
  readonly scheduler: Scheduler;
  /** The hypervisor model's routines, to be shown where they run. */
  readonly modelSources?: () => readonly SourceText[];
}

type AnyHandler = (params: unknown, context: unknown) => unknown;

/** Starts to answer; `close` of the returned object ends the run and refuses what comes later. */
export function hostSession(channel: Channel, host: HostPorts): { close(): void } {
  let session: Session | undefined;
  let handlers: Partial<Record<string, AnyHandler>> = {};
  let open = true;

  let started: WorkerRequests['launch']['params'] | undefined;

  /** Reads every file again, so that a rebuilt program is the one that runs. */
  const build = (start: WorkerRequests['launch']['params']): void => {
    const launched = host.launch(start.options as LaunchOptions, host.ports);
    const symbolFiles = start.symbols.map(({ path, offset }) => {
      return { path, bytes: host.ports.readFile(path, 'symbols file'), loadOffset: BigInt(offset) };
    });
    const { stopOnEntry, consoleToOutput, sourceMap } = start;
    const modelSources = launched.machine.hypervisor && host.modelSources?.();
    const options = { launched, symbolFiles, stopOnEntry, consoleToOutput, sourceMap, modelSources };
    const send: Emit = (name, body) => {
      if (open) peer.event(name, body);
    };
    session = new Session(options, host.scheduler, send, session);
    handlers = { ...sessionHandlers(session) } as Partial<Record<string, AnyHandler>>;
    started = start;
  };

  const launch = (start: WorkerRequests['launch']['params']): object => {
    if (session) throw new RpcError('refused', 'there already is a session: end it first');
    build(start);
    return {};
  };

  const restart = ({ start = started }: WorkerRequests['restart']['params']): object => {
    if (start) build(start);
    session?.start();
    return {};
  };

  const serve = (name: WorkerRequestName, params: unknown, context: unknown): unknown => {
    const row = workerRequests[name];
    const problem = row.params.check(params, '');
    if (problem !== undefined) throw new RpcError('invalidParams', problem);
    if (name === 'launch') return launch(params as WorkerRequests['launch']['params']);
    if (session === undefined) throw new RpcError('notLaunched', `${name} comes before launch`);
    if (row.when === 'stopped') session.requireStopped();
    if (name === 'restart') return restart((params ?? {}) as WorkerRequests['restart']['params']);
    const handler = handlers[name] ?? (() => Promise.reject(new RpcError('unknownMessage', `${name} has no handler`)));
    return handler(params ?? {}, context);
  };

  const names = Object.keys(workerRequests) as WorkerRequestName[];
  const table = Object.fromEntries(
    names.map((name) => [name, (params: unknown, context: unknown) => serve(name, params, context)]),
  ) as unknown as Handlers<WorkerRequests>;
  const peer = new RpcPeer<WorkerRequests, Record<string, never>, WorkerEvents>(channel, table, (error) => {
    const text = error instanceof Error ? error.stack : String(error);
    peer.event('output', { category: 'stderr', output: `elscope has a bug: ${text}\n` });
  });
  return {
    close() {
      open = false;
      session?.run.abandon();
      peer.close();
    },
  };
}
