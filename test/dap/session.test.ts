/** The life of a session, running and stepping, through a DAP client in all three start modes, on the fake machine. */
import assert from 'node:assert/strict';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { after, at, fixture, overEveryMode, RAM, refusal, runTo, tour } from './fakeSession';

overEveryMode('running', (on, mode) => {
  on('stops at entry, with the core as a thread', async (c) => {
    const stop = await c.atEntry({ program: fixture });
    assert.deepEqual([stop.reason, stop.threadId, stop.allThreadsStopped], ['entry', 1, true]);
    const { body } = await c.threadsRequest();
    assert.deepEqual(body.threads, [{ id: 1, name: 'core0 · EL2 · _start' }]);
    const top = await c.top();
    assert.equal(top.name, '_start');
    assert.equal(top.instructionPointerReference, 'core0/el2:0x0000000040200000');
  });

  on('configurationDone starts the guest without stopOnEntry', async (c) => {
    await c.begin({ program: fixture });
    const { body } = await c.setBreakpointsRequest({ source: { path: tour }, breakpoints: [{ line: at.fill }] });
    assert.deepEqual([body.breakpoints[0].verified, body.breakpoints[0].line], [true, at.fill]);
    await c.configurationDoneRequest();
    const stop = await c.stopped();
    assert.deepEqual([stop.reason, stop.hitBreakpointIds], ['breakpoint', [body.breakpoints[0].id]]);
    assert.equal((await c.top()).line, at.fill);
  });

  on('steps over, in and out by line; targets of a step in', async (c) => {
    await c.atEntry({ program: fixture });
    await runTo(c, at.fill);
    await c.setBreakpointsRequest({ source: { path: tour }, breakpoints: [] });
    const step = async (command: 'next' | 'stepIn' | 'stepOut', more: object = {}): Promise<[string, number]> => {
      await c.send(command, { threadId: 1, ...more });
      assert.equal((await c.stopped()).reason, 'step');
      const { name, line } = await c.top();
      return [name, line];
    };
    assert.deepEqual(await step('next'), ['main', at.scale]);
    assert.deepEqual(await step('stepIn'), ['scale', at.result]);
    assert.deepEqual(await step('next'), ['scale', at.inner]);
    assert.deepEqual(await step('stepOut'), ['main', at.scale]);
    assert.deepEqual(await step('next'), ['main', at.pick]);
    const targets = (await c.send('stepInTargets', { frameId: (await c.top()).id })) as Dap.StepInTargetsResponse;
    const { label, id } = targets.body.targets[0];
    assert.match(label, /^bl .*pick/);
    assert.deepEqual(await step('stepIn', { targetId: id }), ['pick', at.chosen]);
  });

  on('steps by instruction', async (c) => {
    await c.atEntry({ program: fixture });
    const pcs: string[] = [];
    for (const command of ['stepIn', 'next', 'next'] as const) {
      await c.send(command, { threadId: 1, granularity: 'instruction' });
      await c.stopped();
      pcs.push((await c.top()).instructionPointerReference ?? '');
    }
    assert.deepEqual(pcs, [
      'core0/el2:0x0000000040200004',
      'core0/el2:0x0000000040200008',
      'core0/el2:0x000000004020000c',
    ]);
  });

  on('steps one core with the others standing', async (c) => {
    await c.atEntry({ program: 'stores' });
    const counts = async () => (await c.custom('elscope/cores', {})).cores.map((core) => core.instructions);
    await c.send('next', { threadId: 1, granularity: 'instruction', singleThread: true });
    await c.stopped();
    assert.deepEqual(await counts(), [1, 0]);
    await c.send('next', { threadId: 2, granularity: 'instruction' });
    await c.stopped();
    assert.deepEqual(await counts(), [2, 1]);
    await c.instructionBreakpoints({ instructionReference: '0x40000014' });
    const { body } = await c.continueRequest({ threadId: 1, singleThread: true });
    assert.equal(body.allThreadsContinued, false);
    assert.equal((await c.stopped()).threadId, 1);
    assert.deepEqual(await counts(), [5, 1]);
  });

  on('tells every core that stands at a breakpoint, and neither hits again', async (c) => {
    await c.atEntry({ program: 'stores' });
    const set = await c.instructionBreakpoints({ instructionReference: '0x40000008' });
    await c.continueRequest({ threadId: 1 });
    const first = await c.stopped();
    const second = await c.stopped();
    assert.deepEqual([first.threadId, second.threadId].sort(), [1, 2]);
    assert.equal(second.preserveFocusHint, true);
    assert.deepEqual(second.hitBreakpointIds, [set[0].id]);
    await c.continueRequest({ threadId: 1 });
    const again = await c.stopped();
    const { cores } = await c.custom('elscope/cores', {});
    assert.ok(cores[again.threadId! - 1].instructions >= 5, 'stopped in the same place once more');
  });

  on('pauses, and refuses what needs a stopped guest', async (c) => {
    await c.begin({ program: 'forever' });
    await c.configurationDoneRequest();
    await refusal(c.stackTraceRequest({ threadId: 1 }), 'notStopped');
    const read = await c.memory({ memoryReference: `0x${RAM.toString(16)}`, count: 4 });
    assert.equal(Buffer.from(read.data ?? '', 'base64').length, 4);
    await c.pauseRequest({ threadId: 1 });
    assert.equal((await c.stopped()).reason, 'pause');
  });

  on('exception filters with conditions, and what an exception was', async (c) => {
    await c.atEntry({ program: 'levels' });
    const reply = await c.send('setExceptionBreakpoints', {
      filters: ['EL1.irq', 'nonsense'],
      filterOptions: [{ filterId: 'EL1.sync', condition: '$ec == 0x15 && x2 == 2' }],
    });
    assert.deepEqual(
      (reply.body as { breakpoints: Dap.Breakpoint[] }).breakpoints.map((b) => b.verified),
      [true, false, true],
    );
    await c.continueRequest({ threadId: 1 });
    const stop = await c.stopped();
    assert.equal(stop.reason, 'exception');
    assert.match(stop.text ?? '', /^EL0 → EL1: .*SVC/i);
    assert.equal(await c.evaluated('x2'), (await c.evaluated('x2')).replace(/.*/, '0x0000000000000002'));
    const info = await c.exceptionInfoRequest({ threadId: 1 });
    assert.equal(info.body.exceptionId, 'EL1.sync');
    assert.match(info.body.details?.message ?? '', /EC .*= 0x15/);
  });

  on('a stale instruction fetch stops by default', async (c) => {
    await c.begin({ program: 'stale' });
    await c.configurationDoneRequest();
    const stop = await c.stopped();
    assert.equal(stop.reason, 'exception');
    assert.match(stop.text ?? '', /stale fetch: ran mov x0, #1.*memory holds mov x0, #2.*IC IVAU/);
    const info = await c.exceptionInfoRequest({ threadId: 1 });
    assert.match(info.body.details?.message ?? '', /executed 0xd2800020/);
    const { findings } = await c.custom('elscope/findings', {});
    assert.deepEqual(
      findings.map((f) => [f.executed.text, f.current.text]),
      [['mov x0, #1', 'mov x0, #2']],
    );
    const lines = await c.custom('elscope/watchedLines', { addresses: [`0x${(RAM + 0x40).toString(16)}`, 'nobody'] });
    const [line, missing] = lines.lines;
    assert.ok('copies' in line && 'error' in missing);
    const icache = line.copies.find((copy) => copy.where === 'L1I core0');
    assert.deepEqual([line.differing, icache?.differs, icache?.instructions[0].differs], [1, true, true]);
    assert.equal(icache?.instructions[0].text, 'mov x0, #1');
    await c.send('setExceptionBreakpoints', { filters: [] });
  });

  on('step to: into the next exception, out of it, to a change of EL', async (c) => {
    await c.atEntry({ program: 'levels' });
    const to = async (kind: 'exception' | 'return' | 'elChange'): Promise<string> => {
      await c.custom('elscope/stepTo', { threadId: 1, kind });
      await c.stopped();
      const { cores } = await c.custom('elscope/cores', {});
      return `EL${cores[0].el} ${Number(cores[0].pc) - RAM}`;
    };
    await refusal(c.custom('elscope/stepTo', { threadId: 1, kind: 'return' }), /no exception handler/);
    assert.equal(await to('exception'), `EL1 ${0xc00}`);
    assert.equal(await to('return'), 'EL0 8');
    assert.equal(await to('elChange'), `EL1 ${0xc00}`);
    assert.equal(await to('elChange'), 'EL0 8');
  });

  on('the stack across an exception entry, with the registers of the interrupted program', async (c) => {
    await c.atEntry({ program: 'levels' });
    await c.instructionBreakpoints({ instructionReference: `0x${(RAM + 0x100c).toString(16)}` });
    await c.continueRequest({ threadId: 1 });
    await c.stopped();
    const { stackFrames } = (await c.stackTraceRequest({ threadId: 1 })).body;
    assert.deepEqual(
      stackFrames.map((f) => [f.presentationHint, f.instructionPointerReference?.slice(0, 9)]),
      [
        [undefined, 'core0/el1'],
        ['label', 'core0/el1'],
        [undefined, 'core0/el0'],
      ],
    );
    assert.equal(await c.evaluated('x0', stackFrames[0].id), '0x0000000000000063');
    assert.equal(await c.evaluated('x0', stackFrames[2].id), '0x0000000000000007');
    await refusal(c.evaluated('x0 = 1', stackFrames[2].id, 'repl'), /read only/);
  });

  on('console: output events, history, input, the end', async (c) => {
    await c.atEntry({ program: 'hello', console: 'both' });
    await c.custom('elscope/input', { text: 'é!' });
    await c.continueRequest({ threadId: 1 });
    const { text } = await c.next<{ uart: number; text: string }>('elscope/console');
    assert.equal(text, 'hi\n');
    assert.equal((await c.next<Dap.ExitedEvent['body']>('exited')).exitCode, 0);
    await c.next('terminated');
    assert.ok(c.kept('output').some((e) => (e as Dap.OutputEvent).body.category === 'stdout'));
  });

  on('restarts with its breakpoints, and terminates', async (c) => {
    await c.atEntry({ program: fixture });
    await runTo(c, after.loop);
    await c.restartRequest({});
    assert.equal((await c.stopped()).reason, 'entry');
    const { body } = await c
      .next<Dap.BreakpointEvent>('breakpoint')
      .then((event) => ({ body: event as unknown as Dap.BreakpointEvent['body'] }));
    assert.deepEqual([body.reason, body.breakpoint.verified], ['changed', true]);
    await c.continueRequest({ threadId: 1 });
    const stop = await c.stopped();
    assert.deepEqual(stop.hitBreakpointIds, [body.breakpoint.id]);
    assert.equal((await c.top()).line, after.loop);
    // A configuration that has been edited meanwhile counts.
    await refusal(
      c.send('restart', { arguments: { program: '/no/such.elf' } }),
      /cannot read the program .*: there is no such file/,
    );
    assert.equal((await c.top()).line, after.loop);
    await c.send('restart', { arguments: { program: 'stores', stopOnEntry: true } });
    assert.equal((await c.stopped()).reason, 'entry');
    assert.equal((await c.threadsRequest()).body.threads.length, 2);
    await c.terminateRequest();
    await c.next('terminated');
    await refusal(c.threadsRequest(), /needs a launched guest/);
  });

  if (mode === 'stdio') {
    on('the adapter process ends after disconnect', async (c) => {
      await c.atEntry({ program: fixture });
      await c.disconnectRequest();
      assert.deepEqual(await c.next('test/exit'), { code: 0 });
    });
    on('the adapter process ends when its input ends, and goes on after noise', async (c) => {
      c.raw('noise\r\n\r\nContent-Length: 2\r\n\r\n[}');
      await c.atEntry({ program: 'forever' });
      assert.equal(c.replies.filter((r) => !r.success).length, 2);
      await c.continueRequest({ threadId: 1 });
      c.endInput();
      assert.deepEqual(await c.next('test/exit'), { code: 0 });
    });
  }

  on('cancel is answered, for requests that are over as well', async (c) => {
    await c.atEntry({ program: fixture });
    const reply = await c.send('cancel', { requestId: 1 });
    assert.equal(reply.success, true);
  });
});
