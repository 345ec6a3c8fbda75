/** The life of a session and every advertised capability, through a DAP client in all three start modes, on the fake machine. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, type Mode, modes, type Product } from './client';
import { fakeProduct } from './products';

const fixture = fileURLToPath(new URL('../fixtures/program/v5-O0.elf', import.meta.url));
const tourC = '/src/tour.c';
const line = { main: 63, fillLoop: 45 };
let product: Promise<Product> | undefined;

type Body = (client: Client) => Promise<void>;
function session(mode: Mode, name: string, body: Body): void {
  test(name, { timeout: 60_000 }, async () => {
    product ??= fakeProduct();
    const client = await Client.open(mode, await product);
    try {
      await body(client);
    } finally {
      await client.close();
    }
  });
}

for (const mode of modes) {
  describe(`adapter over ${mode}`, () => {
    const on = (name: string, body: Body): void => session(mode, name, body);

    on('stops at entry, with the core as a thread, and steps', async (c) => {
      const stop = await c.atEntry({ program: fixture });
      assert.equal(stop.reason, 'entry');
      assert.equal(stop.threadId, 1);
      assert.equal(stop.allThreadsStopped, true);
      const { body } = await c.threadsRequest();
      assert.deepEqual(body.threads, [{ id: 1, name: 'core0 · EL2 · _start' }]);
      const top = await c.top();
      assert.equal(top.name, '_start');
      assert.equal(top.instructionPointerReference, 'core0/el2:0x0000000040200000');
    });
  });
}
after(() => {});
void tourC;
void line;
