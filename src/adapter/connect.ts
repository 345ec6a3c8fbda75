/** Connections to the thread that the emulator runs in. */
import { Worker } from 'node:worker_threads';
import { type Channel, channelPair } from '../protocol';
import { type HostPorts, hostSession, portChannel } from '../worker';

export interface WorkerConnection {
  readonly channel: Channel;
  /** Ends the emulator; nothing is told any more. */
  close(): void;
}
/** `ended` is called when the emulator goes by itself. */
export type ConnectWorker = (ended: (why: string) => void) => WorkerConnection;

/** A worker thread of its own. */
export function workerThread(entry: URL, execArgv: readonly string[] = []): ConnectWorker {
  return (ended) => {
    const worker = new Worker(entry, { execArgv: [...execArgv] });
    let open = true;
    const gone = (why: string): void => {
      if (open) ended(why);
      open = false;
    };
    worker.on('error', (error) => gone(error instanceof Error ? (error.stack ?? error.message) : String(error)));
    worker.on('exit', (code) => gone(`exit code ${code}`));
    return {
      channel: portChannel(worker),
      close() {
        open = false;
        void worker.terminate();
      },
    };
  };
}

/** In this thread: for hosts without workers. */
export function sameThread(host: HostPorts): ConnectWorker {
  return () => {
    const [near, far] = channelPair();
    const session = hostSession(far, host);
    return { channel: near, close: () => session.close() };
  };
}

/** The product's worker: beside this file in the bundle, and in its folder among the sources. */
export function productWorker(): ConnectWorker {
  const source = import.meta.url.endsWith('.ts');
  const entry = new URL(source ? '../worker/main.ts' : './worker.cjs', import.meta.url);
  return workerThread(entry, source ? ['--import', 'tsx'] : []);
}
