/** Debian's kernels under the debugger, with no symbols but their own. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { type KernelVersion, linuxKernel } from '../../src/build/guests';
import { initrd } from '../../src/build/initrd';
import { Client } from '../dap/client';
import { realProduct } from '../dap/products';

const PATIENCE = 120_000;

async function debugged(version: KernelVersion, body: (c: Client) => Promise<void>): Promise<void> {
  const client = await Client.open('stdio', await realProduct());
  client.defaultTimeout = PATIENCE;
  try {
    await client.begin({
      stopOnEntry: true,
      kernel: await linuxKernel(version),
      initrd: await initrd(),
      checker: 'off',
    });
    await body(client);
  } finally {
    await client.close();
  }
}

async function go(c: Client): Promise<Dap.StoppedEvent['body']> {
  await c.send('continue', { threadId: 1 });
  return c.stopped(PATIENCE);
}

describe('Debian’s kernels under the debugger', () => {
  for (const version of ['6.1-cloud', '6.12'] as const) {
    test(`${version}: functions by name, before and after the kernel has moved`, { timeout: 300_000 }, async () => {
      await debugged(version, async (c) => {
        const breakpoints = ['primary_entry', 'start_kernel', 'kernel_init'].map((name) => ({ name }));
        const { body } = await c.send('setFunctionBreakpoints', { breakpoints });
        const set = body as Dap.SetFunctionBreakpointsResponse['body'];
        assert.deepEqual(
          set.breakpoints.map((b) => b.verified),
          [true, true, true],
        );
        await c.configurationDoneRequest();
        await c.stopped();
        await go(c);
        assert.equal((await c.top()).name, 'primary_entry');
        assert.equal(await c.evaluated('SCTLR_EL1.M'), '0', 'the MMU is off');
        const stop = await go(c);
        assert.equal(stop.reason, 'function breakpoint');
        assert.match((await c.names()).join(' '), /^start_kernel __primary_switched\+0x[0-9a-f]+$/);
        const [{ name }] = (await c.threadsRequest()).body.threads;
        assert.equal(name, 'core0 · EL1 · start_kernel');
        assert.equal(await c.evaluated('pc - &start_kernel'), '0');
        await go(c);
        assert.deepEqual((await c.names()).slice(0, 2), ['kernel_init', 'ret_from_fork+0x10']);
      });
    });
  }
});
