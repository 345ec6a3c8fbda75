/** The life of a session and every advertised capability, through a DAP client in all three start modes, on the fake machine. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { tourLine } from '../fakes/tour';
import { Client, type Mode, modes, type Product } from './client';
import { fakeProduct } from './products';

const fixture = fileURLToPath(new URL('../fixtures/program/v5-O0.elf', import.meta.url));
const tour = '/src/tour.c';
const at = {
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
const after = { loop: at.sum + 2, where: at.where + 1 };
const RAM = 0x40000000;
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

/** Goes on to the line in tour.c. */
async function runTo(c: Client, line: number, more: Partial<Dap.SourceBreakpoint> = {}): Promise<Dap.StackFrame> {
  const { body } = await c.setBreakpointsRequest({ source: { path: tour }, breakpoints: [{ line, ...more }] });
  assert.equal(body.breakpoints[0].verified, true);
  await c.continueRequest({ threadId: 1 });
  await c.stopped();
  return c.top();
}
const refusal = (promise: Promise<unknown>, text: RegExp | string): Promise<void> =>
  assert.rejects(promise, (error: Error) =>
    text instanceof RegExp ? text.test(error.message) : error.message === text,
  );

for (const mode of modes) {
  describe(`adapter over ${mode}`, () => {
    const on = (name: string, body: Body): void => session(mode, name, body);

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

    on('source breakpoints: moved lines, unknown files, removal, conditions, hit counts', async (c) => {
      await c.atEntry({ program: fixture });
      const wrong = await c.setBreakpointsRequest({ source: { path: '/no/where.c' }, breakpoints: [{ line: 3 }] });
      assert.equal(wrong.body.breakpoints[0].verified, false);
      const moved = await c.setBreakpointsRequest({
        source: { path: tour },
        breakpoints: [{ line: at.main - 1 }, { line: 900 }],
      });
      assert.deepEqual(
        moved.body.breakpoints.map((b) => b.verified),
        [true, false],
      );
      assert.ok((moved.body.breakpoints[0].line ?? 0) >= at.main);
      await runTo(c, at.sum, { condition: 'i == 4' });
      assert.equal(await c.evaluated('i', (await c.top()).id), '4');
      await runTo(c, at.store, { hitCondition: '% 3' });
      assert.equal(await c.evaluated('i', (await c.top()).id), '7');
      const bad = await c.setBreakpointsRequest({
        source: { path: tour },
        breakpoints: [
          { line: at.store, hitCondition: 'often' },
          { line: at.store, condition: 'i ==' },
        ],
      });
      assert.deepEqual(
        bad.body.breakpoints.map((b) => b.verified),
        [false, false],
      );
      await runTo(c, after.loop);
      const top = await c.top();
      assert.deepEqual([top.name, top.line], ['fill', after.loop]);
    });

    on('log points print expressions and go on', async (c) => {
      await c.atEntry({ program: fixture });
      await c.setBreakpointsRequest({
        source: { path: tour },
        breakpoints: [{ line: at.sum, logMessage: 'i={i} {{x0}} {nothing}', condition: 'i < 2' }, { line: after.loop }],
      });
      await c.continueRequest({ threadId: 1 });
      await c.stopped();
      const lines = c.kept('output').map((e) => (e as Dap.OutputEvent).body);
      assert.deepEqual(
        lines.map((l) => l.output.replace(/\{"nothing.*\}/, '{…}')),
        ['i=0 {x0} {…}\n', 'i=1 {x0} {…}\n'],
      );
      assert.deepEqual([lines[0].source?.path, lines[0].line], [tour, at.sum]);
    });

    on('function and instruction breakpoints, in virtual and physical mode', async (c) => {
      await c.atEntry({ program: fixture });
      const set = await c.setFunctionBreakpointsRequest({
        breakpoints: [{ name: 'main' }, { name: 'scale+8' }, { name: 'nobody' }],
      });
      assert.deepEqual(
        set.body.breakpoints.map((b) => b.verified),
        [true, true, false],
      );
      await c.continueRequest({ threadId: 1 });
      const stop = await c.stopped();
      assert.equal(stop.reason, 'function breakpoint');
      // Past the prologue: arguments and locals can be read.
      assert.equal((await c.top()).line, at.packet);
      const reference = set.body.breakpoints[1].instructionReference ?? '';
      await c.setFunctionBreakpointsRequest({ breakpoints: [] });
      for (const mode of ['virtual', 'physical']) {
        const made = await c.instructionBreakpoints(
          { instructionReference: reference, offset: 4, mode },
          { instructionReference: reference, offset: 2 },
          { instructionReference: 'x' },
        );
        assert.deepEqual(
          made.map((b) => b.verified),
          [true, false, false],
        );
        if (mode === 'physical') continue;
        await c.continueRequest({ threadId: 1 });
        assert.equal((await c.stopped()).reason, 'instruction breakpoint');
        assert.equal((await c.evaluated('pc')).endsWith('scale+0xc'), true);
      }
    });

    on('data breakpoints on variables, members, bytes at addresses', async (c) => {
      await c.atEntry({ program: fixture });
      const info = await c.dataBreakpointInfoRequest({ name: 'counter' });
      assert.deepEqual(info.body.accessTypes, ['read', 'write', 'readWrite']);
      const register = await c.dataBreakpointInfoRequest({ name: 'x0' });
      assert.equal(register.body.dataId, null);
      const bytes = await c.send('dataBreakpointInfo', { name: 'va:0x40201000', bytes: 4, asAddress: true });
      assert.match((bytes as Dap.DataBreakpointInfoResponse).body.dataId ?? '', /\/4$/);
      const dataId = info.body.dataId ?? '';
      const set = await c.setDataBreakpointsRequest({
        breakpoints: [{ dataId, accessType: 'write', condition: '$new == 41' }, { dataId: 'nonsense' }],
      });
      assert.deepEqual(
        set.body.breakpoints.map((b) => b.verified),
        [true, false],
      );
      await c.continueRequest({ threadId: 1 });
      const stop = await c.stopped();
      assert.equal(stop.reason, 'data breakpoint');
      assert.match(stop.text ?? '', /^write of 0x[0-9a-f]+: 0x28 → 0x29$/);
      assert.deepEqual([(await c.top()).name, (await c.top()).line], ['scale', at.back]);
    });

    on('breakpointLocations and goto', async (c) => {
      await c.atEntry({ program: fixture });
      const found = await c.send('breakpointLocations', { source: { path: tour }, line: at.packet, endLine: at.scale });
      const lines = new Set((found as Dap.BreakpointLocationsResponse).body.breakpoints.map((b) => b.line));
      assert.deepEqual([...lines].sort(), [at.packet, at.where, after.where, at.fill, at.scale]);
      await runTo(c, at.where);
      // Each place that is offered can be set by its column.
      const places = (found as Dap.BreakpointLocationsResponse).body.breakpoints.filter((b) => b.line === at.fill);
      const set = await c.setBreakpointsRequest({
        source: { path: tour },
        breakpoints: places.map(({ line, column }) => ({ line, column })),
      });
      assert.deepEqual(
        set.body.breakpoints.map((b) => [b.line, b.column]),
        places.map((p) => [p.line, p.column]),
      );
      assert.equal(new Set(set.body.breakpoints.map((b) => b.instructionReference)).size, places.length);
      const { body } = (await c.send('gotoTargets', {
        source: { path: tour },
        line: at.ready,
      })) as Dap.GotoTargetsResponse;
      assert.equal(body.targets[0].line, at.ready);
      await c.send('goto', { threadId: 1, targetId: body.targets[0].id });
      assert.equal((await c.stopped()).reason, 'goto');
      assert.equal((await c.top()).line, at.ready);
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
      const before = performance.now();
      await c.pauseRequest({ threadId: 1 });
      assert.equal((await c.stopped()).reason, 'pause');
      assert.ok(performance.now() - before < 1000);
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
          ['subtle', 'core0/el1'],
          [undefined, 'core0/el0'],
        ],
      );
      assert.equal(await c.evaluated('x0', stackFrames[0].id), '0x0000000000000063');
      assert.equal(await c.evaluated('x0', stackFrames[2].id), '0x0000000000000007');
      await refusal(c.evaluated('x0 = 1', stackFrames[2].id, 'repl'), /read only/);
    });

    on('delayed stack loading, modules and sources', async (c) => {
      await c.atEntry({ program: fixture });
      await runTo(c, at.sum);
      const one = await c.stackTraceRequest({ threadId: 1, startFrame: 0, levels: 1 });
      assert.deepEqual([one.body.stackFrames.length, (one.body.totalFrames ?? 0) > 1], [1, true]);
      assert.deepEqual(await c.names(), ['fill', 'main', '_start']);
      const format = { parameters: true, parameterNames: true, parameterValues: true, line: true, module: true };
      const formatted = await c.stackTraceRequest({ threadId: 1, levels: 1, format });
      assert.match(formatted.body.stackFrames[0].name, /^v5-O0.elf!fill\(packet=0x.*, n=10\):\d+$/);
      const rest = await c.stackTraceRequest({ threadId: 1, startFrame: 1, levels: 20 });
      assert.deepEqual([rest.body.stackFrames[0].name, rest.body.totalFrames], ['main', 3]);
      const { modules } = (await c.modulesRequest({})).body;
      assert.deepEqual(
        modules.map((m) => [m.name, m.symbolStatus]),
        [['v5-O0.elf', 'debug information']],
      );
      const { sources } = ((await c.send('loadedSources', {})) as Dap.LoadedSourcesResponse).body;
      assert.ok(sources.some((s) => s.path === tour));
    });

    on('variables: locals, arguments, pages, hexadecimal, setting', async (c) => {
      await c.atEntry({ program: fixture });
      const { id } = await runTo(c, at.sum);
      const args = await c.scope('Arguments');
      assert.deepEqual(
        args.variables.map((v) => v.name),
        ['packet', 'n'],
      );
      assert.equal(args.variables[1].value, '10');
      const members = await c.variablesRequest({ variablesReference: args.variables[0].variablesReference });
      assert.equal(members.body.variables.find((v) => v.name === 'length')?.value, '300');
      const locals = await c.scope('Locals');
      const set = await c.send('setVariable', {
        variablesReference: locals.reference,
        name: 'total',
        value: 'n * 4 + 2',
      });
      assert.equal((set as Dap.SetVariableResponse).body.value, '42');
      assert.equal(await c.evaluated('total', (await c.top()).id), '42');
      await refusal(
        c.send('setVariable', { variablesReference: locals.reference, name: 'total', value: 'soon' }),
        /soon/,
      );
      const { body } = await c.evaluateRequest({ expression: 'matrix', frameId: (await c.top()).id });
      assert.equal(body.indexedVariables, 2);
      const page = await c.variablesRequest({
        variablesReference: body.variablesReference,
        filter: 'indexed',
        start: 1,
        count: 1,
      });
      assert.deepEqual(
        page.body.variables.map((v) => v.name),
        ['[1]'],
      );
      const hex = await c.send('evaluate', { expression: 'total', frameId: (await c.top()).id, format: { hex: true } });
      assert.equal((hex as Dap.EvaluateResponse).body.result, '0x2a');
      assert.ok(id > 0);
      assert.ok(c.kept('invalidated').length > 0);
    });

    on('registers: general, PSTATE, system, cache identification', async (c) => {
      await c.atEntry({ program: fixture });
      const { body } = await c.scopesRequest({ frameId: (await c.top()).id });
      assert.ok(body.scopes.some((s) => s.name === 'General registers' && s.presentationHint === 'registers'));
      const general = await c.scope('General registers');
      assert.equal(general.variables.find((v) => v.name === 'pc')?.value, '0x0000000040200000  _start');
      const set = await c.send('setVariable', { variablesReference: general.reference, name: 'x5', value: '0x1234' });
      assert.equal((set as Dap.SetVariableResponse).body.value, '0x0000000000001234');
      assert.equal(await c.evaluated('$x5 + 1'), '4661 (0x1235)');
      const pstate = await c.scope('PSTATE');
      await c.send('setVariable', { variablesReference: pstate.reference, name: 'Z', value: '1' });
      assert.equal(await c.evaluated('pstate.Z'), '1');
      assert.match((await c.scope('SIMD and floating point')).variables[0].value, /not implemented/);
      const groups = await c.scope('System registers');
      const control = groups.variables.find((v) => v.name === 'Control');
      const listed = await c.variablesRequest({ variablesReference: control?.variablesReference ?? 0 });
      const sctlr = listed.body.variables.find((v) => v.name === 'SCTLR_EL1');
      await c.send('setExpression', { expression: 'SCTLR_EL1.M', value: '1' });
      assert.equal(await c.evaluated('SCTLR_EL1.M'), '1');
      assert.ok((sctlr?.variablesReference ?? 0) > 0);
      const cache = await c.scope('Cache ID registers');
      assert.ok(
        cache.variables.some((v) => v.name === 'CTR_EL0' && v.presentationHint?.attributes?.includes('readOnly')),
      );
    });

    on('evaluates for watch, hover, console and clipboard, and completes', async (c) => {
      await c.atEntry({ program: fixture });
      const { id } = await runTo(c, at.fill);
      assert.equal(await c.evaluated('where.x + 1', id, 'hover'), '4');
      assert.equal(await c.evaluated('first.next->next->name[0]', id, 'hover'), "116 't'");
      assert.equal(await c.evaluated('sp + 0x10 == $sp + 16', id, 'clipboard'), '1');
      assert.match(await c.evaluated('va:0x40200000.w', id), /^0x[0-9a-f]{8}$/);
      assert.equal(await c.evaluated('x9 = 0x77', id, 'repl'), '0x0000000000000077');
      await refusal(c.evaluated('nobody', (await c.top()).id), /"nobody" is not known/);
      const labels = async (text: string): Promise<string[]> => {
        const { body } = await c.completionsRequest({ text, column: text.length + 1, frameId: (await c.top()).id });
        return body.targets.map((t) => t.label);
      };
      assert.ok((await labels('SCTLR_EL1.')).includes('M'));
      assert.deepEqual(await labels('where.'), ['x', 'y']);
      assert.ok((await labels('sca')).includes('scale'));
      assert.ok((await labels('tot')).includes('total'));
    });

    on('memory by space, written and announced', async (c) => {
      await c.atEntry({ program: fixture });
      const data = Buffer.from([1, 2, 3, 4]).toString('base64');
      const reply = await c.send('writeMemory', { memoryReference: 'pa:0x40201000', offset: 8, data });
      assert.equal((reply as Dap.WriteMemoryResponse).body?.bytesWritten, 4);
      assert.equal((await c.next<Dap.MemoryEvent['body']>('memory')).count, 4);
      for (const space of ['', 'va:', 'core0/el2:', 'pou:']) {
        const read = await c.memory({ memoryReference: `${space}0x40201008`, count: 4 });
        assert.equal(read.data, data, space);
      }
      const end = await c.memory({ memoryReference: '0x407ffffc', count: 16 });
      assert.deepEqual([Buffer.from(end.data ?? '', 'base64').length, end.unreadableBytes], [4, 12]);
      await refusal(c.send('writeMemory', { memoryReference: '0x10', data }), /cannot be written/);
      const partial = await c.send('writeMemory', { memoryReference: '0x407ffffe', data, allowPartial: true });
      assert.equal((partial as Dap.WriteMemoryResponse).body?.bytesWritten, 2);
      await refusal(c.memory({ memoryReference: 'somewhere', count: 1 }), /is no address/);
    });

    on('disassembles exactly as many rows as asked for, everywhere', async (c) => {
      await c.atEntry({ program: fixture });
      const rows = async (memoryReference: string, instructionOffset: number, instructionCount: number) => {
        const { body } = await c.disassembleRequest({ memoryReference, instructionOffset, instructionCount });
        const list = body?.instructions ?? [];
        assert.equal(list.length, instructionCount);
        for (let i = 1; i < list.length; i++) assert.ok(BigInt(list[i].address) >= BigInt(list[i - 1].address));
        return list;
      };
      const around = await rows('core0/el2:0x40200000', -2, 6);
      assert.deepEqual(
        around.map((r) => r.presentationHint),
        [undefined, undefined, undefined, undefined, undefined, undefined],
      );
      assert.equal(BigInt(around[2].address), 0x40200000n);
      assert.match(around[2].instruction, /^adrp x1/);
      assert.deepEqual([around[2].symbol, around[2].line !== undefined], ['_start', true]);
      assert.ok((await rows('0x0', -200, 400)).every((r) => r.presentationHint === 'invalid'));
      assert.ok((await rows('0xfffffffffffffffc', -10, 50)).every((r) => r.presentationHint === 'invalid'));
      assert.equal((await rows('0x40000000', -4, 8)).filter((r) => r.presentationHint === 'invalid').length, 4);
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
      await refusal(c.send('restart', { arguments: { program: '/no/such.elf' } }), /cannot read the image/);
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

    on('views: cores, identification registers, caches and their lines', async (c) => {
      await c.atEntry({ program: 'stores' });
      await c.send('next', { threadId: 1, granularity: 'instruction' });
      await c.stopped();
      const { cores, version, running } = await c.custom('elscope/cores', {});
      assert.deepEqual(
        cores.map((core) => [core.model, core.state, core.stopReason]),
        [
          ['cortex-a57', 'running', 'step'],
          ['cortex-a53', 'running', undefined],
        ],
      );
      assert.equal(running, false);
      const ids = await c.custom('elscope/idRegisters', {});
      const ctr = ids.rows.find((row) => row.name === 'CTR_EL0');
      assert.equal(ctr?.mismatch, true);
      const lines = ctr?.cells.map((cell) => cell.fields.find((f) => f.name === 'IminLine'));
      assert.deepEqual(
        lines?.map((f) => [f?.meaning, f?.differs]),
        [
          ['64 bytes', true],
          ['32 bytes', true],
        ],
      );
      const caches = await c.custom('elscope/caches', {});
      assert.deepEqual(
        caches.cores[0].caches.map((cache) => [cache.name, cache.valid]),
        [
          ['L1 I', 1],
          ['L1 D', 0],
        ],
      );
      const page = await c.custom('elscope/cacheLines', { core: 0, level: 1, kind: 'I', start: 0, count: 2 });
      assert.deepEqual([page.rows.length, page.totalRows, page.valid], [2, 4, 1]);
      const filtered = await c.custom('elscope/cacheLines', {
        core: 0,
        level: 1,
        kind: 'I',
        filter: { text: '0x40000008' },
      });
      assert.deepEqual(
        filtered.rows.map((row) => row.cells.map((cell) => cell.matches)),
        [[true, false]],
      );
      const line = await c.custom('elscope/cacheLine', { core: 0, level: 1, kind: 'I', set: 0, way: 0 });
      assert.match(line.instructions[0].text, /^mov x1, #0x40000000|^movz? x1/);
      assert.equal(line.bytes, line.current);
      const translated = await c.custom('elscope/translate', { address: 'pc' });
      assert.equal(translated.ok, true);
      const statistics = await c.custom('elscope/statistics', {});
      assert.equal(statistics.cores.length, 2);
      assert.ok(version > 0);
      await refusal(c.custom('elscope/cacheLines', { core: 9, level: 1, kind: 'I' }), /no core 9/);
      await refusal(c.custom('elscope/cacheLines', { core: 0, level: 3, kind: 'U' }), /has no L3/);
    });
  });
}
