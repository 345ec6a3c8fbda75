/** The debug adapter: sessions, the ways to start them, and the table of launch attributes. */
export { capabilities } from './capabilities';
export { adapterMain } from './command';
export { type ConnectWorker, sameThread, type WorkerConnection, workerThread } from './connect';
export { ElscopeDebugSession } from './debugSession';
export { attributesMarkdown, configurationAttributes, launchAttributes, sessionStart } from './launchAttributes';
export { createInlineSession, runOnStdio, runServer, serveStream } from './serve';
