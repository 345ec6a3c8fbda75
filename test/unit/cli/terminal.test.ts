/** The terminal of the command line: output in order, and as few writes as there are slices of the run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Terminal } from '../../../src/cli/terminal';

test('bytes that come one by one are written together, in order', async () => {
  const terminal = new Terminal(
    () => undefined,
    () => undefined,
  );
  const chunks: string[] = [];
  const { write } = process.stdout;
  process.stdout.write = (chunk: string | Uint8Array): boolean => {
    chunks.push(Buffer.from(chunk).toString('latin1'));
    return true;
  };
  try {
    for (const byte of Buffer.from('hello')) terminal.write(Uint8Array.of(byte));
    await terminal.flushed();
    for (const byte of Buffer.from(' world')) terminal.write(Uint8Array.of(byte));
    await terminal.flushed();
  } finally {
    process.stdout.write = write;
    terminal.close();
  }
  assert.deepEqual(chunks, ['hello', ' world']);
});
