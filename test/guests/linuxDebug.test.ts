/** Debian's kernels under the debugger, with no symbols but their own. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { type KernelVersion, linuxKernel } from '../../src/build/guests';
import { Client } from '../dap/client';
import { realProduct } from '../dap/products';
import { linuxInitrd } from './linux';

const PATIENCE = 400_000;
const product = realProduct();

async function debugged(
  version: KernelVersion,
  body: (c: Client) => Promise<void>,
  more: { readonly seed?: number; readonly append?: string } = {},
): Promise<void> {
  const client = await Client.open('stdio', await product);
  client.defaultTimeout = PATIENCE;
  try {
    await client.begin({
      stopOnEntry: true,
      kernel: await linuxKernel(version),
      initrd: await linuxInitrd(),
      checker: 'off',
      ...more,
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

/** The address of `start_kernel` before the kernel has moved, and when it gets there. */
async function startKernel(version: KernelVersion, how: { readonly seed?: number; readonly append?: string }) {
  let [before, after] = ['', ''];
  await debugged(
    version,
    async (c) => {
      await c.send('setFunctionBreakpoints', { breakpoints: [{ name: 'start_kernel' }] });
      await c.configurationDoneRequest();
      await c.stopped();
      before = await c.evaluated('&start_kernel');
      await go(c);
      assert.equal((await c.top()).name, 'start_kernel');
      after = await c.evaluated('&start_kernel');
      assert.equal(await c.evaluated('pc - &start_kernel'), '0');
    },
    how,
  );
  return { before, after };
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

    test(`${version}: where it moves to follows from the seed alone`, { timeout: 300_000 }, async () => {
      const linked = await startKernel(version, { append: 'nokaslr' });
      const moved = await startKernel(version, {});
      assert.notEqual(moved.after, linked.after);
      assert.deepEqual(await startKernel(version, { seed: 1 }), moved, 'the default seed');
      assert.notEqual((await startKernel(version, { seed: 2 })).after, moved.after);
      assert.deepEqual([linked.after, moved.before], [linked.before, linked.before]);
    });
  }

  test('6.1-cloud: from a system call back into EL0', { timeout: 600_000 }, async () => {
    await debugged('6.1-cloud', async (c) => {
      // Only our own program calls it.
      await c.send('setFunctionBreakpoints', { breakpoints: [{ name: '__arm64_sys_sched_setaffinity' }] });
      await c.configurationDoneRequest();
      await c.stopped();
      await go(c);
      const names = await c.names();
      assert.match(
        names.slice(0, 3).join(' '),
        /^__arm64_sys_sched_setaffinity invoke_syscall\+\w+ el0_svc_common\S*\+\w+$/,
      );
      const entry = names.findIndex((name) => /took .* from EL0/.test(name));
      assert.ok(entry > 0, names.join('\n'));
      const { body } = await c.stackTraceRequest({ threadId: 1 });
      const user = body.stackFrames[entry + 1];
      assert.match(user.name, /^0x00000000004\w+$/, 'static programs lie at 0x400000');
      assert.equal(await c.evaluated('x8', user.id), '0x000000000000007a');
    });
  });
});
