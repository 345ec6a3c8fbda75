/** Run control on the fake machine, with a clock and turns moved by hand. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Launched } from '../../../src/machine/launch.types';
import type { LineStateView, WorkerEvents } from '../../../src/protocol';
import { type Scheduler, Session, sessionHandlers } from '../../../src/session';
import type { FakeMachine } from '../../fakes/fakeMachine';
import { guests } from '../../fakes/guests';
import { fixturePath, launchFixture } from '../../fakes/programs';

interface Bench {
  readonly session: Session;
  readonly machine: FakeMachine;
  readonly handlers: ReturnType<typeof sessionHandlers>;
  readonly events: { name: string; body: unknown }[];
  /** Runs what is scheduled, at most `turns` callbacks. */
  turn(turns?: number): number;
  stopped(): WorkerEvents['stopped'];
}

/** Time passes by `tick` ms whenever the session looks at the clock. */
function bench(launched: Launched, tick = 3): Bench {
  let now = 0;
  const queue: (() => void)[] = [];
  const scheduler: Scheduler = { now: () => (now += tick), later: (work) => void queue.push(work) };
  const events: { name: string; body: unknown }[] = [];
  const options = { launched, stopOnEntry: false, consoleToOutput: false };
  const session = new Session(options, scheduler, (name, body) => void events.push({ name, body }));
  const turn = (turns = 10_000): number => {
    let done = 0;
    for (; done < turns && queue.length > 0; done++) queue.shift()?.();
    return done;
  };
  const stopped = (): WorkerEvents['stopped'] => {
    const index = events.findIndex((event) => event.name === 'stopped');
    assert.ok(index >= 0, 'not stopped');
    return events.splice(index, 1)[0].body as WorkerEvents['stopped'];
  };
  return {
    session,
    machine: launched.machine as FakeMachine,
    handlers: sessionHandlers(session),
    events,
    turn,
    stopped,
  };
}
const context = { cancelled: false, onCancel: () => {} };

test('the guest runs in slices, between which other work gets its turn', () => {
  const b = bench(guests.forever());
  b.session.start();
  b.turn(3);
  assert.equal(b.session.run.running, true, JSON.stringify(b.events));
  assert.ok(b.machine.runs >= 3);
  b.handlers.pause({ threadId: 1 }, context);
  assert.ok(b.turn(3) <= 3);
  assert.equal(b.stopped().reason, 'pause');
  const { runs } = b.machine;
  assert.equal(b.turn(), 0);
  assert.equal(b.machine.runs, runs, 'it ran on after the stop');
});

test('a core that takes one exception for ever stops the guest', () => {
  const b = bench(guests.forever());
  const exception = {
    ...({ core: 0, kind: 'sync', fromEl: 1, toEl: 1, undefined: true } as const),
    ...{ esr: 0x2000000n, far: 0n, elr: 0x200n, vector: 0x200n },
  };
  b.machine.run = () => ({ reason: 'exceptionLoop', core: 0, exception });
  b.session.start();
  b.turn(3);
  const { reason, text } = b.stopped();
  assert.equal(reason, 'exception');
  assert.match(text ?? '', /^exception loop: EL1 → EL1: /);
});

test('slices grow while they are short and shrink when they take long', () => {
  const limits = (tick: number): number[] => {
    const b = bench(guests.forever(), tick);
    const seen: number[] = [];
    b.machine.run = (limit) => {
      seen.push(limit);
      return { reason: 'limit' };
    };
    b.session.start();
    b.turn(8);
    return seen;
  };
  const quick = limits(0.5);
  assert.ok(quick.at(-1)! > 1_000_000, quick.join());
  const slow = limits(40);
  assert.ok(slow.at(-1)! < 1000, slow.join());
});

test('the size of slices leaves no trace in the guest', () => {
  const states = [2, 3, 30].map((tick) => {
    const b = bench(launchFixture(fixturePath('v5-O0.elf')), tick);
    b.session.breakpoints.setFunctions([{ name: 'sum_list' }]);
    b.session.start();
    b.turn();
    assert.equal(b.stopped().reason, 'function breakpoint');
    const [core] = b.machine.cores;
    return `${core.instructions()} ${core.cpu.x.join()} ${core.pc()} ${createHash('md5').update(b.machine.ram).digest('hex')}`;
  });
  assert.deepEqual(new Set(states).size, 1);
});

test('a breakpoint at the first instruction hits', () => {
  const b = bench(guests.forever());
  b.session.breakpoints.setInstructions([{ instructionReference: '0x40000000' }]);
  b.session.start();
  b.turn(2);
  assert.equal(b.stopped().reason, 'instruction breakpoint');
  assert.equal(b.machine.instructions(), 0);
});

test('breakpoints set while the guest runs work at once', () => {
  const b = bench(guests.stores());
  b.session.start();
  b.turn(2);
  b.handlers.setInstructionBreakpoints({ breakpoints: [{ instructionReference: '0x40000010' }] }, context);
  b.turn(2);
  assert.equal(b.stopped().reason, 'instruction breakpoint');
});

test('a guest that waits is looked at now and then, and woken by input', () => {
  const b = bench(guests.waits());
  b.session.start();
  b.turn(5);
  assert.ok(b.events.some((e) => e.name === 'output' && /only input/.test(JSON.stringify(e.body))));
  assert.equal(b.events.filter((e) => e.name === 'output').length, 1, 'told more than once');
  b.machine.cores[0].irq = true;
  const before = b.machine.instructions();
  b.handlers['elscope/input']({ text: 'x' }, context);
  b.turn(3);
  assert.ok(b.machine.instructions() > before);
  assert.deepEqual(b.machine.inputs, [{ uart: 0, text: 'x' }]);
});

test('a step over a line with an interrupt in it ends on the next line', () => {
  const b = bench(guests.levels());
  const [core] = b.machine.cores;
  core.cpu.daif = 0n;
  b.machine.raise(0);
  b.handlers.next({ threadId: 1, granularity: 'instruction' }, context);
  b.turn();
  assert.equal(b.stopped().reason, 'step');
  assert.deepEqual([core.el, core.pc() & 0xfffn], [0, 4n]);
});

test('a mistake of ours while running stops the guest, not the session', () => {
  const b = bench(guests.forever());
  b.machine.run = () => {
    throw new Error('planted');
  };
  b.session.start();
  b.turn(3);
  assert.match(b.stopped().text ?? '', /bug/);
  assert.ok(b.events.some((e) => e.name === 'output' && /planted/.test(JSON.stringify(e.body))));
});

test('views mark what has changed since the stop before', () => {
  const b = bench(guests.stale());
  const line = () => b.handlers['elscope/lineState']({ address: '0x40000000' }, context) as LineStateView;
  const changed = (): string[] =>
    line()
      .copies.filter((copy) => copy.changed)
      .map((copy) => copy.where);
  assert.deepEqual(changed(), []);
  b.handlers.next({ threadId: 1, granularity: 'instruction' }, context);
  b.turn();
  assert.deepEqual(changed(), ['L1I core0']);
  assert.deepEqual(changed(), ['L1I core0'], 'looking twice must not change the answer');
  b.handlers.next({ threadId: 1, granularity: 'instruction' }, context);
  b.turn();
  assert.deepEqual(changed(), []);
});

test('looking changes nothing', () => {
  const b = bench(launchFixture(fixturePath('v5-O0.elf')));
  b.session.breakpoints.setFunctions([{ name: 'fill' }]);
  b.session.start();
  b.turn();
  b.stopped();
  const state = (): string => {
    const [core] = b.machine.cores;
    const lines = [...core.icache.keys()].join();
    return `${core.instructions()} ${core.cpu.x.join()} ${core.pc()} ${core.pstate()} ${lines} ${createHash('md5').update(b.machine.ram).digest('hex')}`;
  };
  const before = state();
  const frames = (b.handlers.stackTrace({ threadId: 1 }, context) as { stackFrames: { id: number }[] }).stackFrames;
  for (const { id } of frames) {
    const { scopes } = b.handlers.scopes({ frameId: id }, context) as { scopes: { variablesReference: number }[] };
    for (const { variablesReference } of scopes) b.handlers.variables({ variablesReference }, context);
  }
  for (const view of ['elscope/cores', 'elscope/idRegisters', 'elscope/caches', 'elscope/statistics'] as const) {
    b.handlers[view]({}, context);
  }
  b.handlers.disassemble({ memoryReference: '0x40200000', instructionCount: 200, instructionOffset: -100 }, context);
  b.handlers['elscope/cacheLines']({ core: 0, level: 1, kind: 'I' }, context);
  b.handlers['elscope/lineState']({ address: 'pc' }, context);
  assert.equal(state(), before);
});
