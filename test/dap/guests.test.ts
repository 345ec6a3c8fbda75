/** The adapter with the real machine: the sample guests, in all three start modes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import type { CustomRequests } from '../../src/protocol';
import { assemble, branch, label, movz, op } from '../fakes/asm';
import { Client, modes, type Product } from './client';
import { realProduct } from './products';

const samples = fileURLToPath(new URL('../../media/samples', import.meta.url));
const elTour = path.join(samples, 'el-tour.elf');
const source = (name: string): Dap.Source => ({ path: path.join(samples, 'el-tour', name) });
let product: Promise<Product> | undefined;

/** Thread name, function and line of core 0. */
async function where(c: Client): Promise<string> {
  const [{ name }] = (await c.threadsRequest()).body.threads;
  const top = await c.top();
  return `${name.split(' · ')[1]} ${top.name}:${top.line}`;
}
async function go(c: Client, command: 'continue' | 'next' | 'stepIn' | 'stepOut', more: object = {}): Promise<string> {
  await c.send(command, { threadId: 1, ...more });
  await c.stopped();
  return where(c);
}
async function stepTo(c: Client, kind: CustomRequests['elscope/stepTo']['params']['kind']): Promise<string> {
  await c.custom('elscope/stepTo', { threadId: 1, kind });
  await c.stopped();
  return where(c);
}
/** Raw images of a few instructions. */
function image(folder: string, name: string, words: readonly number[]): string {
  const file = path.join(folder, name);
  writeFileSync(file, new Uint8Array(Uint32Array.from(words).buffer));
  return file;
}

for (const mode of modes) {
  describe(`samples over ${mode}`, () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'elscope-guests-'));
    after(() => rmSync(folder, { recursive: true, force: true }));
    const on = (name: string, body: (c: Client) => Promise<void>): void => {
      test(name, { timeout: 60_000 }, async () => {
        product ??= realProduct();
        const client = await Client.open(mode, await product);
        try {
          await body(client);
        } finally {
          await client.close();
        }
      });
    };

    on('a guest under stage 2 is named by its VMID, and conditions can ask for it', async (c) => {
      await c.atEntry({ program: elTour });
      await stepTo(c, 'elChange');
      const name = async (): Promise<string> => (await c.threadsRequest()).body.threads[0].name;
      assert.match(await name(), /^core0 · EL1 · el1_entry$/);
      assert.equal(await c.evaluated('$vmid'), '0');
      for (const write of ['VTTBR_EL2 = 0x0003000000000000', 'HCR_EL2.VM = 1'])
        await c.evaluated(write, undefined, 'repl');
      assert.match(await name(), /^core0 · EL1 · VMID 3/);
      assert.equal(await c.evaluated('$vmid == 3'), '1');
    });

    on('el-tour: down by ERET, up by SVC and HVC, the right EL and frames each time', async (c) => {
      await c.atEntry({ program: elTour });
      assert.match(await where(c), /^EL2 _start/);
      assert.match(await stepTo(c, 'elChange'), /^EL1 el1_entry:/);
      const { body } = await c.setBreakpointsRequest({
        source: source('kernel.c'),
        breakpoints: [{ line: 57 }, { line: 82 }],
      });
      assert.deepEqual(
        body.breakpoints.map((b) => b.verified),
        [true, true],
      );
      assert.equal(await go(c, 'continue'), 'EL1 main:57');
      assert.equal(await stepTo(c, 'elChange'), 'EL0 user_main:21');
      // The call that asks EL2: over it comes back to the next line, with its breakpoint off.
      assert.equal(await go(c, 'continue'), 'EL1 system_call:82');
      const frames = (await c.stackTraceRequest({ threadId: 1 })).body.stackFrames;
      assert.deepEqual(
        frames.map((f) => f.name),
        ['system_call', 'exception', 'save_and_call', 'EL1 took SVC from EL0', 'call', 'user_main'],
      );
      assert.equal(frames[3].presentationHint, 'label');
      assert.deepEqual(
        frames.map((f) => f.instructionPointerReference?.slice(0, 9)),
        [...['core0/el1', 'core0/el1', 'core0/el1', 'core0/el1'], ...['core0/el0', 'core0/el0']],
      );
      // The lower level's registers and variables, with the values of its own program.
      assert.match(await c.evaluated('$x8', frames[4].id), /^0x0000000000000002/);
      assert.equal(await c.evaluated('argument', frames[0].id), '21');
      assert.match(await c.evaluated('sp', frames[4].id), /user_stack/);
    });

    on('el-tour: steps over HVC and SVC, into them, and out to ERET', async (c) => {
      await c.atEntry({ program: elTour });
      await c.setFunctionBreakpointsRequest({ breakpoints: [{ name: 'hvc_double' }] });
      assert.match(await go(c, 'continue'), /^EL1 hvc_double/);
      await c.setFunctionBreakpointsRequest({ breakpoints: [] });
      assert.match(await go(c, 'stepIn'), /^EL2 el2_vectors/);
      const frames = (await c.stackTraceRequest({ threadId: 1 })).body.stackFrames.map((f) => f.name);
      assert.deepEqual(frames.slice(1, 5), ['EL2 took HVC from EL1', 'hvc_double', 'system_call', 'exception']);
      assert.ok(frames.includes('user_main'), frames.join());
      assert.match(await go(c, 'stepOut'), /^EL1 hvc_double/);
      assert.match(await c.evaluated('x0'), /^0x000000000000002a/);
      assert.match(await go(c, 'stepOut'), /^EL1 system_call/);
      assert.match(await stepTo(c, 'return'), /^EL0 call/);
      await c.setBreakpointsRequest({ source: source('user.c'), breakpoints: [{ line: 25 }] });
      assert.equal(await go(c, 'continue'), 'EL0 user_main:25');
      await c.setBreakpointsRequest({ source: source('user.c'), breakpoints: [] });
      assert.equal(await go(c, 'next'), 'EL0 user_main:27');
      // A store that faults: the handler maps the page, and the line goes on after it.
      assert.equal(await go(c, 'next'), 'EL0 user_main:29');
      // The line that spins until a timer interrupt has been taken: no step ends in the handler.
      const rest: string[] = [];
      for (let i = 0; i < 6; i++) rest.push(await go(c, 'next'));
      assert.deepEqual(
        rest,
        [30, 32, 33, 34, 36, 38].map((line) => `EL0 user_main:${line}`),
      );
    });

    on('el-tour: every exception by its filter', async (c) => {
      await c.begin({ program: elTour });
      await c.send('setExceptionBreakpoints', {
        filters: ['EL1.irq'],
        filterOptions: [{ filterId: 'EL1.sync', condition: '$ec == 0x24' }],
      });
      await c.configurationDoneRequest();
      const abort = await c.stopped();
      assert.match(abort.text ?? '', /^EL0 → EL1: .*abort/i);
      const info = (await c.exceptionInfoRequest({ threadId: 1 })).body;
      assert.match(info.details?.message ?? '', /DFSC|WnR/);
      await c.continueRequest({ threadId: 1 });
      assert.match((await c.stopped()).text ?? '', /^EL0 → EL1: IRQ/);
      assert.match((await c.names()).join(), /^vectors,EL1 took an IRQ from EL0,/);
    });

    on('el-tour: C values, data breakpoints, the end', async (c) => {
      await c.atEntry({ program: elTour });
      await c.setFunctionBreakpointsRequest({ breakpoints: [{ name: 'data_abort' }] });
      assert.match(await go(c, 'continue'), /^EL1 data_abort/);
      const { id } = await c.top();
      assert.match(await c.evaluated('frame->elr', id), /^\d+$/);
      assert.equal(await c.evaluated('tour.interrupts', id), '0');
      // Pointers count in what they point to, casts take registers and symbols, and children have names that work.
      const sizes = ['sizeof(struct frame)', '(char *)(frame + 1) - (char *)frame', '(&frame->x[5] - frame->x) + 267'];
      for (const text of sizes) assert.match(await c.evaluated(text, id), /^272/, text);
      assert.equal(await c.evaluated('((struct frame *)$x0)->elr == frame->elr', id), '1');
      assert.equal(await c.evaluated('*(unsigned *)main == va:main.w ? 7 : 8', id), '7');
      const next = (await c.evaluateRequest({ expression: 'frame + 1', frameId: id, context: 'watch' })).body;
      const inside = (await c.variablesRequest({ variablesReference: next.variablesReference })).body.variables;
      assert.equal(inside[2].evaluateName, '(frame + 1)->elr');
      assert.equal(await c.evaluated('(frame + 1)->elr', id), await c.evaluated('(&frame->elr)[34]', id));
      await assert.rejects(c.evaluated('core5/pa:main', id), /there is no core 5/);
      const { body } = await c.dataBreakpointInfoRequest({ name: 'tour.interrupts', frameId: id });
      await c.setDataBreakpointsRequest({
        breakpoints: [{ dataId: body.dataId ?? '', accessType: 'write', condition: '$new == $old + 1' }],
      });
      await c.setFunctionBreakpointsRequest({ breakpoints: [] });
      await c.continueRequest({ threadId: 1 });
      const stop = await c.stopped();
      assert.deepEqual([stop.reason, (await c.top()).name], ['data breakpoint', 'interrupt']);
      assert.match(stop.text ?? '', /^write of 0x[0-9a-f]+: 0x0 → 0x1$/);
      await c.setDataBreakpointsRequest({ breakpoints: [] });
      await c.continueRequest({ threadId: 1 });
      assert.equal((await c.next<Dap.ExitedEvent['body']>('exited')).exitCode, 0);
    });

    on('selfmod without IC IVAU stops at the stale fetch', async (c) => {
      await c.begin({ program: path.join(samples, 'selfmod-noic.elf') });
      await c.configurationDoneRequest();
      const stop = await c.stopped();
      assert.match(stop.text ?? '', /stale fetch: ran mov w0, #1, memory holds mov w0, #2; missing: IC IVAU/);
      assert.equal(await where(c), 'EL1 answer_no_ic:63');
      const line = await c.custom('elscope/lineState', { address: 'pc' });
      const first = new Map(line.copies.map((copy) => [copy.where, copy.instructions[0]?.text]));
      assert.deepEqual(
        ['L1I core0', 'PoU', 'view'].map((name) => first.get(name)),
        ['mov w0, #1', 'mov w0, #2', 'mov w0, #2'],
      );
      const info = await c.custom('elscope/idRegisters', {});
      assert.ok(
        info.rows.every((row) => row.cells[0].raw !== undefined),
        'a register is not known',
      );
      const { body } = await c.disassembleRequest({
        memoryReference: (await c.top()).instructionPointerReference ?? '',
        instructionCount: 1,
      });
      assert.match(body?.instructions[0].instructionBytes ?? '', /≠ memory/);
    });

    on('targets of a step in: SVC, and ERET with where it goes', async (c) => {
      await c.atEntry({ program: elTour });
      const targets = async (): Promise<Dap.StepInTarget[]> => {
        const reply = await c.send('stepInTargets', { frameId: (await c.top()).id });
        return (reply as Dap.StepInTargetsResponse).body.targets;
      };
      await c.setBreakpointsRequest({ source: source('user.c'), breakpoints: [{ line: 15 }] });
      assert.equal(await go(c, 'continue'), 'EL0 call:15');
      const [svc] = await targets();
      assert.equal(svc.label, 'svc #0');
      assert.match(await go(c, 'stepIn', { targetId: svc.id }), /^EL1 vectors/);
      // The handler's last instruction, found by its text.
      const { body } = await c.disassembleRequest({
        memoryReference: (await c.evaluated('save_and_call')).slice(0, 18),
        instructionCount: 100,
      });
      const eret = body?.instructions.find(
        (row) => row.instruction === 'eret' && row.symbol?.startsWith('save_and_call'),
      );
      await c.setBreakpointsRequest({ source: source('user.c'), breakpoints: [] });
      await c.instructionBreakpoints({ instructionReference: eret?.address ?? '' });
      await go(c, 'continue');
      const [back] = await targets();
      assert.match(back.label, /^eret → EL0 call/);
      assert.match(await go(c, 'stepIn', { targetId: back.id }), /^EL0 call/);
    });

    on('an exception before any vectors are set: where it came from', async (c) => {
      // NOP; UDF #0.
      await c.atEntry({ program: image(folder, 'udf.bin', [0xd503201f, 0]), el: 1 });
      await c.send('setExceptionBreakpoints', { filters: ['undefined'] });
      await c.continueRequest({ threadId: 1 });
      await c.stopped();
      const frames = (await c.stackTraceRequest({ threadId: 1 })).body.stackFrames;
      assert.deepEqual(
        frames.map((f) => f.instructionPointerReference?.slice(-10)),
        ['0000000200', '0000000200', '0040080004'],
      );
      assert.match(frames[1].name, /^EL1 took .* from EL1$/);
      const { body } = await c.exceptionInfoRequest({ threadId: 1 });
      assert.doesNotMatch(body.details?.message ?? '', /FAR/, 'not written by this exception');
    });

    on('symbols of a program that is loaded away from its addresses', async (c) => {
      const fixture = fileURLToPath(new URL('../fixtures/program/v5-O0.elf', import.meta.url));
      const busy = image(folder, 'moved.bin', [0x91000400, 0x17ffffff]);
      const symbols = [{ path: fixture, offset: 0x40080000 - 0x40200000 }];
      await c.atEntry({ program: busy, symbols, checker: 'off' });
      assert.match((await c.threadsRequest()).body.threads[0].name, /_start$/);
      assert.equal(BigInt((await c.evaluated('_start')).slice(0, 18)), 0x40080000n);
    });

    on('two-lines: the cores’ identification registers differ', async (c) => {
      await c.atEntry({ program: path.join(samples, 'two-lines.elf'), machine: 'mixed-lines' });
      const { rows } = await c.custom('elscope/idRegisters', {});
      assert.equal(rows.find((row) => row.name === 'CTR_EL0')?.mismatch, true);
      assert.deepEqual(
        (await c.threadsRequest()).body.threads.map((t) => t.id),
        [1, 2],
      );
    });

    on('a busy guest can be paused again and again', async (c) => {
      const busy = image(folder, 'busy.bin', [0x91000400, 0x17ffffff]);
      await c.begin({ program: busy, checker: 'off' });
      await c.configurationDoneRequest();
      // How soon is npm run bench's business.
      for (let i = 0; i < 5; i++) {
        await c.pauseRequest({ threadId: 1 });
        assert.equal((await c.stopped()).reason, 'pause');
        await c.continueRequest({ threadId: 1 });
      }
    });

    on('stepping a core that waits, while another one runs, can be paused', async (c) => {
      // Core 0 starts core 1 by PSCI CPU_ON and spins; core 1 waits for an interrupt.
      const { words } = assemble([
        movz(0, 3),
        op('MOVK', { sf: 1, Rd: 0, imm16: 0xc400, hw: 1 }),
        movz(1, 1),
        op('ADR', { Rd: 2, immlo: 0, immhi: 4 }),
        movz(3, 0),
        op('HVC', { imm16: 0 }),
        branch('spin'),
        op('WFI'),
        label('spin'),
        branch('spin'),
      ]);
      await c.begin({ program: image(folder, 'cpuOn.bin', words), cpus: 2, checker: 'off' });
      await c.configurationDoneRequest();
      for (let waits = false; !waits; ) {
        await c.pauseRequest({ threadId: 2 });
        await c.stopped();
        waits = (await c.custom('elscope/cores', {})).cores[1].state === 'wfi';
        if (!waits) await c.continueRequest({ threadId: 1 });
      }
      await c.send('next', { threadId: 2, granularity: 'instruction' });
      await c.pauseRequest({ threadId: 2 });
      const stop = await c.stopped();
      assert.deepEqual([stop.reason, stop.threadId], ['pause', 2]);
    });

    on('under the hypervisor model: stops on a trapped register, with frames, their text, and back', async (c) => {
      const at = { program: path.join(samples, 'kvm-ccsidr.elf'), machine: path.join(samples, 'kvm-ccsidr.json') };
      await c.begin({ ...at, kvm: '6.12' });
      const condition = '$trap == CCSIDR_EL1';
      const set = await c.setFunctionBreakpointsRequest({ breakpoints: [{ name: 'kvm_handle_sys_reg', condition }] });
      assert.equal(set.body.breakpoints[0].verified, true);
      await c.configurationDoneRequest();
      assert.equal((await c.stopped()).reason, 'function breakpoint');
      assert.match(await where(c), /^EL2 kvm_handle_sys_reg: decode the access:/);
      const top = await c.top();
      const { body } = await c.sourceRequest({ sourceReference: top.source?.sourceReference ?? 0, source: top.source });
      assert.match(body.content.split('\n')[top.line - 1], /decode the access/);
      await c.setFunctionBreakpointsRequest({ breakpoints: [] });
      const { path: file, sourceReference } = top.source ?? {};
      const lines = await c.setBreakpointsRequest({
        source: { path: file, sourceReference },
        breakpoints: [{ line: top.line + 1 }],
      });
      assert.equal(lines.body.breakpoints[0].verified, true);
      assert.match(await go(c, 'continue'), /^EL2 kvm_handle_sys_reg: emulate the access:/);
      assert.equal(await c.evaluated('register', (await c.top()).id), '"CCSIDR_EL1"');
      assert.match(await stepTo(c, 'guestEntry'), /^EL1 ccsidr:/);
      assert.equal(await c.evaluated('x0'), '0x0000000000000002');
      const { vms } = await c.custom('elscope/vms', {});
      assert.equal(vms[0].vcpus[0].traps.find(({ name }) => name === 'CCSIDR_EL1')?.count, 1);
      const log = c.kept('output').map((e) => (e as Dap.OutputEvent).body.output);
      assert.match(log.join(''), /^host: Detected PIPT I-cache on CPU0$/m);
    });

    on('a guest that waits for ever can be paused', async (c) => {
      await c.begin({ program: image(folder, 'waits.bin', [0xd503207f, 0x17ffffff]) });
      await c.configurationDoneRequest();
      await c.next('output');
      await c.pauseRequest({ threadId: 1 });
      assert.equal((await c.stopped()).reason, 'pause');
      assert.match((await c.threadsRequest()).body.threads[0].name, /WFI$/);
    });
  });
}
