/** Requests out of order, of the wrong shape, and noise: one reply to each request, and a session that goes on. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { createInlineSession, type ElscopeDebugSession, sameThread } from '../../../src/adapter';
import { SeededRandom } from '../../../src/base/random';
import { workerRequests } from '../../../src/protocol';
import { nodePorts, nodeScheduler } from '../../../src/worker';
import { launchFake } from '../../fakes/programs';

const connect = sameThread({ launch: launchFake, ports: nodePorts(), scheduler: nodeScheduler });

class Line {
  readonly session: ElscopeDebugSession = createInlineSession(connect);
  readonly messages: Dap.ProtocolMessage[] = [];
  private seq = 1;
  private waiting = new Map<number, (response: Dap.Response) => void>();

  constructor() {
    this.session.onDidSendMessage((raw) => {
      const message = raw as Dap.ProtocolMessage;
      this.messages.push(message);
      if (message.type === 'response')
        this.waiting.get((message as Dap.Response).request_seq)?.(message as Dap.Response);
    });
  }
  send(command: string, args?: unknown): Promise<Dap.Response> {
    const seq = this.seq++;
    const reply = new Promise<Dap.Response>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no reply to ${command} ${JSON.stringify(args)}`)), 10_000);
      this.waiting.set(seq, (response) => {
        clearTimeout(timer);
        resolve(response);
      });
    });
    this.session.handleMessage({ seq, type: 'request', command, ...(args === undefined ? {} : { arguments: args }) });
    return reply;
  }
  async refused(command: string, args: unknown, text: RegExp): Promise<void> {
    const response = await this.send(command, args);
    assert.equal(response.success, false, command);
    const { error } = response.body as { error: { variables: { _text: string } } };
    assert.match(error.variables._text, text, command);
  }
  async launched(): Promise<this> {
    await this.send('initialize', { adapterID: 'x' });
    assert.equal((await this.send('launch', { program: 'stores', stopOnEntry: true })).success, true);
    assert.equal((await this.send('configurationDone')).success, true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return this;
  }
}

describe('order of requests', () => {
  test('everything needs initialize and launch', async () => {
    const line = new Line();
    await line.refused('launch', { program: 'stores' }, /initialize comes first/);
    await line.refused('threads', {}, /needs a launched guest/);
    await line.refused('configurationDone', {}, /needs a launched guest/);
    await line.refused('setBreakpoints', { source: {} }, /needs a launched guest/);
    await line.refused('terminate', {}, /no guest/);
    assert.equal((await line.send('initialize', { adapterID: 'x' })).success, true);
    await line.refused('initialize', { adapterID: 'x' }, /already/);
    await line.refused('attach', {}, /launch configuration/);
    await line.refused('nonsense', {}, /unknown request "nonsense"/);
    await line.refused('__proto__', {}, /unknown request/);
    line.session.dispose();
  });

  test('a launch that fails can be tried again', async () => {
    const line = new Line();
    await line.send('initialize', { adapterID: 'x' });
    await line.refused('launch', { program: '/no/such.elf' }, /cannot read the program .*: there is no such file/);
    await line.refused('launch', { prgram: 'x' }, /"prgram"/);
    assert.equal((await line.send('launch', { program: 'stores', stopOnEntry: true })).success, true);
    await line.refused('launch', { program: 'stores' }, /already been launched/);
    assert.equal((await line.send('configurationDone')).success, true);
    await line.refused('configurationDone', {}, /already/);
    assert.equal((await line.send('disconnect')).success, true);
    await line.refused('threads', {}, /needs a launched guest/);
    await line.refused('launch', { program: 'stores' }, /already been launched/);
  });

  test('clients that count from 0', async () => {
    const line = new Line();
    await line.refused('initialize', { pathFormat: 'uri' }, /pathFormat/);
    await line.send('initialize', { adapterID: 'x', linesStartAt1: false, columnsStartAt1: false });
    const fixture = new URL('../../fixtures/program/v5-O0.elf', import.meta.url).pathname;
    await line.send('launch', { program: fixture, stopOnEntry: true });
    await line.send('configurationDone');
    const { body } = await line.send('stackTrace', { threadId: 1 });
    const [frame] = (body as Dap.StackTraceResponse['body']).stackFrames;
    const { breakpoints } = (
      await line.send('setBreakpoints', { source: frame.source, breakpoints: [{ line: frame.line }] })
    ).body as Dap.SetBreakpointsResponse['body'];
    assert.deepEqual([breakpoints[0].verified, breakpoints[0].line], [true, frame.line]);
    const again = await line.send('evaluate', { expression: 'pc' });
    assert.equal(again.success, true);
    line.session.dispose();
  });
});

describe('malformed messages', () => {
  test('what is no request gets an error reply or is ignored', () => {
    const line = new Line();
    for (const message of [
      null,
      5,
      'x',
      [],
      {},
      { type: 'request' },
      { type: 'request', seq: 'a', command: 'threads' },
    ]) {
      const before = line.messages.length;
      line.session.handleMessage(message);
      assert.equal(line.messages.length, before + 1, JSON.stringify(message));
      assert.equal((line.messages.at(-1) as Dap.Response).success, false);
    }
    line.session.handleMessage({ type: 'response', request_seq: 3 });
    line.session.dispose();
  });

  test('arguments of the wrong shape are named', async () => {
    const line = await new Line().launched();
    await line.refused('stackTrace', {}, /^threadId must be/);
    await line.refused('stackTrace', { threadId: 'one' }, /^threadId must be/);
    await line.refused(
      'setBreakpoints',
      { source: { path: 'x' }, breakpoints: [{ line: 'x' }] },
      /^breakpoints\[0\].line/,
    );
    await line.refused('elscope/stepTo', { threadId: 1, kind: 'up' }, /^kind must be one of/);
    await line.refused('stackTrace', { threadId: 99 }, /no thread 99/);
    await line.refused('scopes', { frameId: 12345 }, /before the last step/);
    await line.refused('variables', { variablesReference: 12345 }, /before the last step/);
    await line.refused('goto', { threadId: 1, targetId: 4 }, /no goto target/);
    await line.refused('readMemory', { memoryReference: '0x0', count: 1e9 }, /at once/);
    assert.equal((await line.send('threads')).success, true);
    line.session.dispose();
  });

  test('random requests: a reply to every one, and the session lives', { timeout: 60_000 }, async () => {
    const random = new SeededRandom(new Uint32Array(1));
    random.seed(20260101);
    const pick = <T>(list: readonly T[]): T => list[random.below(list.length)];
    const names = [
      ...Object.keys(workerRequests),
      'initialize',
      'attach',
      'cancel',
      'source',
      'configurationDone',
    ].filter((name) => !['launch', 'start', 'restart'].includes(name));
    const atoms = [
      0,
      1,
      -1,
      2,
      1e15,
      1.5,
      Number.MAX_SAFE_INTEGER,
      true,
      null,
      '',
      'x',
      'pc',
      '0x40000000',
      'pa:0xffffffffffffffff',
      '{',
      'x0 = 1',
    ];
    const keys = [
      'threadId',
      'frameId',
      'variablesReference',
      'memoryReference',
      'instructionCount',
      'instructionOffset',
      'count',
    ];
    const more = [
      'offset',
      'expression',
      'name',
      'value',
      'source',
      'breakpoints',
      'line',
      'address',
      'core',
      'level',
      'kind',
    ];
    const value = (depth: number): unknown => {
      const choice = depth > 2 ? 0 : random.below(8);
      if (choice === 1) return Array.from({ length: random.below(3) }, () => value(depth + 1));
      if (choice === 2)
        return Object.fromEntries(
          Array.from({ length: random.below(4) }, () => [pick([...keys, ...more]), value(depth + 1)]),
        );
      return pick(atoms);
    };
    let line = await new Line().launched();
    let successes = 0;
    for (let i = 0; i < 1500; i++) {
      const args =
        random.below(10) === 0
          ? value(0)
          : Object.fromEntries([...keys, ...more].filter(() => random.below(3) > 0).map((key) => [key, value(1)]));
      const response = await line.send(pick(names), args);
      successes += Number(response.success);
      if (response.command === 'disconnect' || response.command === 'terminate') line = await new Line().launched();
    }
    assert.ok(successes > 50, String(successes));
    const alive = await line.send('threads');
    assert.equal(alive.success, true, JSON.stringify(alive));
    const bugs = line.messages.filter((m) => JSON.stringify(m).includes('has a bug'));
    assert.deepEqual(bugs, []);
    line.session.dispose();
  });
});
