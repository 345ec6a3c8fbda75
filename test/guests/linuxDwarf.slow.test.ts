/**
 * Debian's kernel with its debug information (`linux-image-…-dbg`: 260 MB to download, 1.5 GB on disk): lines, variables of all
 * kinds, steps and call stacks, with the kernel moved by KASLR.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { kernelWithDwarf, linuxKernel } from '../../src/build/guests';
import { Client } from '../dap/client';
import { realProduct } from '../dap/products';
import { linuxInitrd } from './linux';

const VERSION = '6.1-cloud';
const PATIENCE = 400_000;

async function go(c: Client, names: readonly string[]): Promise<Dap.StackFrame> {
  const { body } = await c.send('setFunctionBreakpoints', { breakpoints: names.map((name) => ({ name })) });
  for (const { verified, line } of (body as Dap.SetFunctionBreakpointsResponse['body']).breakpoints)
    assert.ok(verified && line !== undefined && line > 0);
  await c.send('continue', { threadId: 1 });
  await c.stopped(PATIENCE);
  return c.top();
}

const place = ({ name, source, line }: Dap.StackFrame): string => `${name} ${source?.name}:${line > 0}`;

test('Linux 6.1 with DWARF', { timeout: 2 * PATIENCE }, async (t) => {
  const c = await Client.open('stdio', await realProduct());
  c.defaultTimeout = PATIENCE;
  try {
    const begun = Date.now();
    await c.begin({
      stopOnEntry: true,
      kernel: await linuxKernel(VERSION),
      initrd: await linuxInitrd(),
      symbols: [await kernelWithDwarf(VERSION)],
      checker: 'off',
    });
    await c.configurationDoneRequest();
    await c.stopped(PATIENCE);
    t.diagnostic(`to the first stop: ${((Date.now() - begun) / 1000).toFixed(1)} s`);

    // Before the MMU is on, then behind the prologue of a function that has room for patches.
    assert.equal(place(await go(c, ['primary_entry'])), 'primary_entry head.S:true');
    assert.equal(place(await go(c, ['start_kernel'])), 'start_kernel main.c:true');
    assert.deepEqual(await c.names(), ['start_kernel', '__primary_switched']);
    const looked = Date.now();
    assert.equal(await c.evaluated('init_task.comm'), '"swapper"');
    t.diagnostic(`the first variable: ${((Date.now() - looked) / 1000).toFixed(1)} s`);
    assert.match(await c.evaluated('linux_banner'), /^"Linux version 6\.1\./);
    assert.match(await c.evaluated('init_uts_ns.name.release'), /^"6\.1\..*-cloud-arm64"$/);
    assert.equal(await c.evaluated('((struct task_struct *)$SP_EL0)->comm'), '"swapper"');
    const { scopes } = (await c.scopesRequest({ frameId: (await c.top()).id })).body;
    const locals = scopes.find(({ name }) => name === 'Locals');
    assert.ok(locals);
    const { variables } = (await c.variablesRequest({ variablesReference: locals.variablesReference })).body;
    assert.ok(variables.some(({ name }) => name === 'command_line'));

    // Over lines of the function, then into the first one that it calls.
    let names = await c.names();
    for (let steps = 0; names[0] === 'start_kernel' && steps < 10; steps++) {
      await c.send('stepIn', { threadId: 1 });
      await c.stopped(PATIENCE);
      names = await c.names();
    }
    const called = ['end_of_stack (inlined)', 'set_task_stack_end_magic', 'start_kernel'];
    assert.deepEqual(names.slice(0, 3), called, 'the first line behind its prologue is an inlined one');

    // From a system call of our own program back into EL0, inlined functions included.
    assert.match(place(await go(c, ['__arm64_sys_sched_setaffinity'])), /^__arm64_sys_sched_setaffinity core\.c:true$/);
    assert.equal(await c.evaluated('regs->syscallno'), '122');
    assert.equal(await c.evaluated('((struct task_struct *)$SP_EL0)->comm'), '"ids"');
    const { stackFrames } = (await c.stackTraceRequest({ threadId: 1 })).body;
    const entry = stackFrames.findIndex((frame) => frame.name === 'EL1 took SVC from EL0');
    const kernel = stackFrames.slice(0, entry);
    assert.deepEqual(
      kernel.slice(1, 4).map((frame) => frame.name),
      ['__invoke_syscall (inlined)', 'invoke_syscall', 'el0_svc_common'],
    );
    assert.ok(kernel.every(({ line, source }) => line > 0 && source));
    assert.match(stackFrames[entry + 1].name, /^0x00000000004\w+$/);
  } finally {
    await c.close();
  }
});
