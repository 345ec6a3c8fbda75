/** The three ways to start the adapter: on stdio, as a server on a loopback socket, in this process. */
import { createServer, type Server } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { type ConnectWorker, productWorker } from './connect';
import { ElscopeDebugSession } from './debugSession';
import { frame, MessageReader } from './framing';

/** Joins a session to a byte stream. `ended` is called once, after disconnect or when the stream has closed. */
export function serveStream(session: ElscopeDebugSession, input: Readable, output: Writable, ended: () => void): void {
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    session.shutdown();
    ended();
  };
  const reader = new MessageReader({
    message: (message) => session.handleMessage(message),
    malformed: (what) => session.malformed(what),
  });
  session.onDidSendMessage((message) => {
    if (open && output.writable) output.write(frame(message));
  });
  input.on('data', (chunk: Buffer) => reader.push(chunk));
  for (const event of ['end', 'close', 'error']) input.on(event, close);
  output.on('error', close);
  session.on('ended', close);
}

/** Serves one session on stdin and stdout, then ends the process. */
export function runOnStdio(connect: ConnectWorker = productWorker()): void {
  const session = new ElscopeDebugSession(connect);
  serveStream(session, process.stdin, process.stdout, () => {
    // What was written last must get out before the process ends.
    process.stdout.write('', () => process.exit(0));
  });
}

/** Serves a session for each connection. Port 0: any free one. Resolves when it listens. */
export function runServer(port: number, connect: ConnectWorker = productWorker()): Promise<Server> {
  const server = createServer((socket) => {
    const session = new ElscopeDebugSession(connect);
    serveStream(session, socket, socket, () => socket.end());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/** A session in this process, for VS Code's DebugAdapterInlineImplementation. */
export const createInlineSession = (connect: ConnectWorker = productWorker()): ElscopeDebugSession =>
  new ElscopeDebugSession(connect);
