/** Sessions on the fake machine for the tests here: places in the C fixture, and ways to get there. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { tourLine } from '../fakes/tour';
import { Client, type Mode, modes, type Product } from './client';
import { fakeProduct } from './products';

export const fixture = fileURLToPath(new URL('../fixtures/program/v5-O0.elf', import.meta.url));
export const tour = '/src/tour.c';
export const at = {
  result: tourLine('int result = p.x'),
  inner: tourLine('int inner = p.y'),
  back: tourLine('return result'),
  chosen: tourLine('switch (c)'),
  store: tourLine('packet->body[i] ='),
  sum: tourLine('total += packet->body[i]'),
  main: tourLine('int main('),
  packet: tourLine('struct packet *packet = ('),
  where: tourLine('struct point where'),
  fill: tourLine('total += fill('),
  scale: tourLine('total += scale('),
  pick: tourLine('total += pick('),
  ready: tourLine('ready = total'),
};
export const after = { loop: at.sum + 2, where: at.where + 1 };
export const RAM = 0x40000000;
let product: Promise<Product> | undefined;

export type Body = (client: Client) => Promise<void>;
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

/** Goes on to the line in tour.c. */
export async function runTo(
  c: Client,
  line: number,
  more: Partial<Dap.SourceBreakpoint> = {},
): Promise<Dap.StackFrame> {
  const { body } = await c.setBreakpointsRequest({ source: { path: tour }, breakpoints: [{ line, ...more }] });
  assert.equal(body.breakpoints[0].verified, true);
  await c.continueRequest({ threadId: 1 });
  await c.stopped();
  return c.top();
}
export const refusal = (promise: Promise<unknown>, text: RegExp | string): Promise<void> =>
  assert.rejects(promise, (error: Error) =>
    text instanceof RegExp ? text.test(error.message) : error.message === text,
  );

export type On = (name: string, body: Body) => void;

/** Declares the tests once for each start mode. */
export function overEveryMode(what: string, declare: (on: On, mode: Mode) => void): void {
  for (const mode of modes) {
    describe(`${what} over ${mode}`, () => declare((name, body) => session(mode, name, body), mode));
  }
}
