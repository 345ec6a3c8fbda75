/** Entry of the adapter process: on stdio, or with `--port N` as a server on the loopback interface. */
import { adapterMain } from './command';

adapterMain(process.argv.slice(2)).then(
  (code) => {
    if (code !== undefined) process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`elscope: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);
