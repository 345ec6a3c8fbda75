/** The adapter's command line, also of `elscope dap`. */
import type { AddressInfo } from 'node:net';
import { UserError } from '../base/errors';
import { runOnStdio, runServer } from './serve';

/** Starts to serve; resolves with nothing while it goes on. @throws UserError `cli.*` */
export async function adapterMain(args: readonly string[]): Promise<number | undefined> {
  if (args.length === 0) {
    runOnStdio();
    return undefined;
  }
  const [option, value] = args[0].includes('=') ? args[0].split('=', 2) : args;
  if (option !== '--port') throw new UserError('cli.option', { option });
  if (value === undefined || value === '') throw new UserError('cli.value', { option, value: 'N' });
  const port = /^\d{1,5}$/.test(value) ? Number(value) : -1;
  if (port < 0 || port > 65535) throw new UserError('cli.number', { option, text: value, low: 0, high: 65535 });
  const server = await runServer(port);
  process.stderr.write(`elscope: debug adapter on 127.0.0.1:${(server.address() as AddressInfo).port}\n`);
  return undefined;
}
