/** Breakpoints, values, memory and views, through a DAP client in all three start modes, on the fake machine. */
import assert from 'node:assert/strict';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { after, at, fixture, overEveryMode, refusal, runTo, tour } from './fakeSession';

overEveryMode('looking', (on) => {
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
    assert.equal((await c.scope('PSTATE')).variables.find((v) => v.name === 'Z')?.value, '1');
    await refusal(c.evaluated('Z = 2', (await c.top()).id, 'repl'), /the field has one bit/);
    // Memory is named in the space of the level whose address it is.
    const vectors = (await c.evaluateRequest({ expression: 'VBAR_EL1', context: 'watch' })).body;
    assert.match(vectors.memoryReference ?? '', /^core0\/el1:/);
    const simd = (await c.scope('SIMD and floating point')).variables;
    assert.deepEqual([simd[0].name, simd[31].name, simd[32].name, simd[33].name], ['v0', 'v31', 'FPCR', 'FPSR']);
    await c.send('setExpression', { expression: 'v0', value: '0x40490fdb3f800000_c000000000000000' });
    assert.equal(await c.evaluated('d0 >> 60'), '12 (0xc)');
    await c.send('setExpression', { expression: 'v0.s[1]', value: '0x3fc00000' });
    const views = (await c.variablesRequest({ variablesReference: simd[0].variablesReference })).body.variables;
    assert.deepEqual(
      views.filter(({ name }) => name === 'd' || name === 'single').map(({ value }) => value),
      ['{0x3fc0000000000000, 0x40490fdb3f800000}', '{0, 1.5, 1, 3.1415927}'],
    );
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
    for (const { evaluateName } of cache.variables) if (evaluateName) await c.evaluated(evaluateName);
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
