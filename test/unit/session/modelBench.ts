/** A session with a guest of the hypervisor model: its requests, answered at once. */
import assert from 'node:assert/strict';
import path from 'node:path';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { SAMPLES } from '../../../src/build/paths';
import { launch } from '../../../src/machine/launch';
import type { LaunchOptions } from '../../../src/machine/launch.types';
import type { WorkerEvents, WorkerRequests } from '../../../src/protocol';
import { Session, sessionHandlers } from '../../../src/session';
import { modelSources } from '../../../src/worker/modelSources';
import { nodePorts } from '../../../src/worker/nodePorts';

const context = { cancelled: false, onCancel: () => {} };

export class ModelBench {
  readonly events: { name: string; body: unknown }[] = [];
  readonly session: Session;
  private readonly handlers: ReturnType<typeof sessionHandlers>;
  private readonly queue: (() => void)[] = [];

  /** A sample with the machine file of its name. */
  constructor(sample: string, options: Omit<LaunchOptions, 'program'> = {}) {
    const program = path.join(SAMPLES, `${sample}.elf`);
    const machine = path.join(SAMPLES, `${sample}.json`);
    const launched = launch({ program, machine, memory: '128M', ...options }, nodePorts());
    let now = 0;
    this.session = new Session(
      { launched, stopOnEntry: false, consoleToOutput: false, modelSources: modelSources() },
      { now: () => (now += 2), later: (work) => void this.queue.push(work) },
      (name, body) => void this.events.push({ name, body }),
    );
    this.handlers = sessionHandlers(this.session);
  }

  ask<N extends keyof ReturnType<typeof sessionHandlers>>(name: N, params: WorkerRequests[N]['params']) {
    const handler = this.handlers[name] as (params: unknown, context: unknown) => unknown;
    return handler(params, context) as WorkerRequests[N]['result'];
  }

  /** Runs until the guest stands still. */
  settle(): WorkerEvents['stopped'] {
    for (let turns = 0; turns < 200_000 && this.queue.length > 0; turns++) {
      this.queue.shift()?.();
      const at = this.events.findIndex(({ name }) => name === 'stopped' || name === 'exited');
      if (at >= 0 && !this.session.run.running) return this.events.splice(at, 1)[0].body as WorkerEvents['stopped'];
    }
    return assert.fail('it does not stop');
  }
  /** Lets the machine run for so many slices, if it does. */
  turns(count: number): void {
    for (let n = 0; n < count; n++) this.queue.shift()?.();
  }
  start(): WorkerEvents['stopped'] {
    this.session.start();
    return this.settle();
  }
  go(
    how: 'next' | 'stepIn' | 'stepOut' | 'continue',
    more: { threadId?: number; granularity?: 'instruction' } = {},
  ): WorkerEvents['stopped'] {
    this.ask(how, { threadId: 1, ...more });
    return this.settle();
  }
  stepTo(kind: WorkerRequests['elscope/stepTo']['params']['kind'], threadId = 1): WorkerEvents['stopped'] {
    this.ask('elscope/stepTo', { threadId, kind });
    return this.settle();
  }
  breakAt(...breakpoints: Dap.FunctionBreakpoint[]): Dap.Breakpoint[] {
    return this.ask('setFunctionBreakpoints', { breakpoints }).breakpoints;
  }
  frames(threadId = 1): Dap.StackFrame[] {
    return this.ask('stackTrace', { threadId }).stackFrames;
  }
  names(threadId = 1): string[] {
    return this.frames(threadId).map((frame) => frame.name);
  }
  value(expression: string, frameId?: number): string {
    return this.ask('evaluate', { expression, frameId: frameId ?? this.frames()[0].id }).result;
  }
  threads(): string[] {
    return this.ask('threads', {}).threads.map((thread) => thread.name);
  }
  output(): string[] {
    const all = this.events.filter(({ name }) => name === 'output');
    return all.map(({ body }) => (body as Dap.OutputEvent['body']).output);
  }
}
