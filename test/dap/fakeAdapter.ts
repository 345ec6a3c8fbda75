/** The adapter process with the fake machine. */
import { runOnStdio, workerThread } from '../../src/adapter';

runOnStdio(workerThread(new URL('./fakeWorker.cjs', import.meta.url)));
