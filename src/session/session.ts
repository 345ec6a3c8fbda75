/**
 * One debug session: a machine, what runs in it, and the answers to every request. The owner (worker) gives it a launched
 * machine and a way to send events; requests come in between slices of a run.
 */
import { UserError } from '../base/errors';
import { type CoreView, HOST_CONSOLE, type Machine } from '../machine/api';
import type { Launched } from '../machine/launch.types';
import { RpcError, type WorkerEvents } from '../protocol';
import { BreakpointRequests } from './breakpointRequests';
import { BreakpointStore } from './breakpoints';
import { ConsoleLog } from './console';
import { FrameEnvironment } from './environment';
import { ActiveFilters } from './exceptionFilters';
import { findingLine, stopDescription, stopText } from './exceptionInfo';
import { type Expression, ExpressionError } from './expressions/syntax';
import { type Frame, Stack } from './frames';
import type { LogPart } from './hitCondition';
import { MemoryRequests } from './memoryRequests';
import type { SourceText } from './model/code';
import { vcpuOf } from './model/values';
import { type Plan, RunControl, type Scheduler, type StopReport } from './runControl';
import { sourceOf } from './sourcePaths';
import { type SymbolFile, Target } from './target';
import { vmidOf } from './translationIds';
import { RowMaker, refuse, VariableHandles } from './variables';
import { History } from './views/history';
import { LineViews } from './views/lines';

export interface SessionOptions {
  readonly launched: Launched;
  readonly symbolFiles?: readonly SymbolFile[];
  readonly sourceMap?: Readonly<Record<string, string>>;
  readonly stopOnEntry: boolean;
  /** Bundled console output also goes to the debug console. */
  readonly consoleToOutput: boolean;
  /** The text of the hypervisor model, where it has EL2. */
  readonly modelSources?: readonly SourceText[];
}
export type Emit = <E extends keyof WorkerEvents & string>(name: E, body: WorkerEvents[E]) => void;

const CONSOLE_MS = 30;
/** What follows the name of a function, or of a routine of the hypervisor model. */
const NAMED_THREAD = /(\+|: ).*$/;

export class Session {
  readonly machine: Machine;
  readonly target: Target;
  readonly store: BreakpointStore;
  readonly filters: ActiveFilters;
  readonly run: RunControl;
  readonly breakpoints: BreakpointRequests;
  readonly memory: MemoryRequests;
  readonly lines: LineViews;
  readonly handles = new VariableHandles();
  readonly rows: RowMaker;
  readonly history = new History();
  readonly console = new ConsoleLog();
  lastStop: StopReport | undefined;
  version = 1;
  /** The core whose frame was looked at last: what plain addresses mean. */
  selectedCore = 0;
  private stacks = new Map<number, Stack>();
  private frameIds: { readonly core: number; readonly index: number }[] = [];
  private readonly environments = new Map<number, FrameEnvironment>();
  private consoleTimer = false;
  private toldFindings = 0;

  constructor(
    readonly options: SessionOptions,
    private readonly scheduler: Scheduler,
    readonly emit: Emit,
    /** The session that this one takes the place of: its breakpoints are set again, under the same ids. */
    previous?: Session,
  ) {
    const { machine, images } = options.launched;
    this.machine = machine;
    this.target = new Target(machine, images, options.symbolFiles, options.sourceMap, options.modelSources);
    this.store = new BreakpointStore(machine, previous?.store);
    this.filters = new ActiveFilters(machine);
    this.breakpoints = new BreakpointRequests(machine, this.target, this.store);
    this.memory = new MemoryRequests(machine, this.target, () => this.here());
    this.lines = new LineViews(machine, this.target, this.history);
    this.rows = new RowMaker(this.handles);
    this.run = new RunControl(machine, this.store, this.filters, scheduler, {
      holds: (condition, core, specials) => this.holds(condition, core, specials),
      log: (parts, core) => this.log(parts, core),
      started: () => this.started(),
      progress: () => this.progress(),
      idle: () => this.output('every core waits for an interrupt: only input can go on\n', 'console'),
      stopped: (report) => this.stopped(report),
      failed: (error) => this.output(`elscope has a bug: ${error instanceof Error ? error.stack : error}\n`, 'stderr'),
    });
    machine.onConsole((uart, bytes) => this.consoleBytes(uart, bytes));
    if (previous) this.follow(previous);
  }

  // State

  get stateOfViews(): { version: number; running: boolean } {
    return { version: this.version, running: this.run.running };
  }

  private here() {
    const core = this.selectedCore;
    return { core, space: 'va' as const };
  }

  /** Nothing that was handed out before is right any more. */
  private forget(): void {
    this.handles.clear();
    this.environments.clear();
    this.stacks = new Map();
    this.frameIds = [];
  }

  /** Views are asked for again. */
  announce(): void {
    this.version++;
    this.emit('elscope/state', this.stateOfViews);
  }

  /** After a debugger write: views and, if code may look different now, stacks are asked for again. */
  changed(areas: ('variables' | 'stacks' | 'all')[] = ['variables', 'stacks']): void {
    this.stacks = new Map();
    this.environments.clear();
    this.emit('invalidated', { areas });
    this.announce();
  }

  requireStopped(): void {
    if (this.run.running) throw new RpcError('notStopped', 'the guest is running: pause it first');
    if (this.run.exited) throw new RpcError('notStopped', 'the guest has ended');
  }

  // Frames and environments

  core(threadId: number) {
    return this.machine.cores[threadId - 1] ?? refuse(`there is no thread ${threadId}`);
  }

  stack(core: number): Stack {
    let stack = this.stacks.get(core);
    if (stack === undefined) {
      stack = new Stack(this.machine, this.target, this.machine.cores[core]);
      this.stacks.set(core, stack);
    }
    return stack;
  }

  frameId(core: number, index: number): number {
    const known = this.frameIds.findIndex((id) => id.core === core && id.index === index);
    return known >= 0 ? known + 1 : this.frameIds.push({ core, index });
  }

  frameOf(frameId: number): { readonly stack: Stack; readonly frame: Frame } {
    const id = this.frameIds[frameId - 1] ?? refuse('this frame is from before the last step');
    const stack = this.stack(id.core);
    return { stack, frame: stack.at(id.index) ?? refuse('this frame is no longer there') };
  }

  /** The environment of a frame; of the selected core's innermost one without an id. */
  environment(frameId?: number): FrameEnvironment {
    if (frameId === undefined) return this.coreEnvironment(this.selectedCore);
    const known = this.environments.get(frameId);
    if (known) return known;
    const { stack, frame } = this.frameOf(frameId);
    this.selectedCore = frame.core;
    const env = new FrameEnvironment(this.machine, this.target, stack, frame);
    this.environments.set(frameId, env);
    return env;
  }

  /** A fresh look at a core's innermost frame, also while it runs. */
  coreEnvironment(core: number, specials: Readonly<Record<string, bigint>> = {}): FrameEnvironment {
    const view = this.machine.cores[core] ?? refuse(`there is no core ${core}`);
    const stack = this.run.running ? new Stack(this.machine, this.target, view) : this.stack(core);
    const frame = stack.at(0) ?? refuse('the core has no frame');
    return new FrameEnvironment(this.machine, this.target, stack, frame, specials);
  }

  // Running

  resume(core: number, plan?: Plan, singleThread = false): void {
    this.requireStopped();
    this.run.start(core, plan, singleThread);
  }

  private started(): void {
    this.forget();
    this.history.advance();
    this.announce();
  }

  private progress(): void {
    this.relocate();
    this.tellFindings();
    this.announce();
  }

  /** A kernel may have moved to its own virtual addresses: breakpoints follow, which mean the same places either way. */
  private relocate(): void {
    if (!this.target.relocate()) return;
    for (const breakpoint of this.breakpoints.again()) this.emit('breakpoint', { reason: 'changed', breakpoint });
  }

  private stopped(report: StopReport): void {
    this.forget();
    this.relocate();
    this.lastStop = report;
    this.selectedCore = report.core;
    this.flushConsole();
    this.tellFindings();
    this.announce();
    if (report.exited) {
      this.output(`the guest has ended: ${report.exited.how}\n`, 'console');
      this.emit('exited', { exitCode: report.exited.code });
      this.emit('terminated', {});
      return;
    }
    this.emitStopped(report);
  }

  private emitStopped(report: StopReport): void {
    const text = stopText(report, this.target);
    const own = report.hits.find((hit) => hit.core === report.core);
    const ids = own?.ids ?? [];
    this.emit('stopped', {
      reason: report.reason,
      threadId: report.core + 1,
      allThreadsStopped: true,
      description: stopDescription(report),
      ...(text === undefined ? {} : { text }),
      ...(ids.length > 0 ? { hitBreakpointIds: [...ids] } : {}),
    });
    for (const hit of report.hits) {
      if (hit.core === report.core) continue;
      const other = { threadId: hit.core + 1, allThreadsStopped: true, preserveFocusHint: true };
      this.emit('stopped', { reason: 'breakpoint', ...other, hitBreakpointIds: [...hit.ids] });
    }
  }

  /** Goes on from the first instruction, or stops there once the reply to the request has been sent. */
  start(): void {
    if (!this.options.stopOnEntry) this.run.startFresh();
    else this.scheduler.later(() => this.stopped({ reason: 'entry', core: 0, hits: [] }));
  }

  pauseLater(core: number): void {
    this.scheduler.later(() => this.run.pause(core));
  }

  /** Sets the PC, as goto does. */
  moveTo(core: CoreView, address: bigint): void {
    this.requireStopped();
    core.setPc(address);
    this.forget();
    this.scheduler.later(() => this.stopped({ reason: 'goto', core: core.index, hits: [] }));
  }

  /** Takes over from a session whose guest is started anew. */
  private follow(previous: Session): void {
    previous.run.abandon();
    this.version = previous.version;
    this.filters.copy(previous.filters);
    for (const breakpoint of this.breakpoints.replay(previous.breakpoints)) {
      this.emit('breakpoint', { reason: 'changed', breakpoint });
    }
    this.announce();
    this.emit('elscope/reset', { version: this.version });
  }

  threadName(index: number): string {
    const core = this.machine.cores[index];
    if (core.state === 'off') return `core${index} · off`;
    const symbol = this.target.describe(core.pc())?.replace(NAMED_THREAD, '');
    const vcpu = vcpuOf(this.machine, core);
    const waits = core.state === 'wfi' || core.state === 'wfe' ? ` · ${core.state.toUpperCase()}` : '';
    const vmid = vmidOf(core);
    const guest = vcpu?.name ?? (vmid === undefined ? undefined : `VMID ${vmid}`);
    const parts = [`core${index}`, `EL${core.el}`, guest, symbol].filter((part) => part !== undefined);
    return `${parts.join(' · ')}${waits}`;
  }

  // Conditions, log points, console

  private holds(condition: Expression, core: number, specials: Readonly<Record<string, bigint>>): boolean {
    try {
      return this.quietEnvironment(core, specials).scalar(condition).value !== 0n;
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      this.output(`a condition cannot be evaluated: ${error.message}\n`, 'stderr');
      return true;
    }
  }

  /** Between two moves of a run nothing may be kept: the stack is made anew. */
  private quietEnvironment(core: number, specials: Readonly<Record<string, bigint>>): FrameEnvironment {
    const stack = new Stack(this.machine, this.target, this.machine.cores[core]);
    return new FrameEnvironment(this.machine, this.target, stack, stack.at(0)!, specials);
  }

  private log(parts: readonly LogPart[], core: number): void {
    const env = this.quietEnvironment(core, {});
    const text = parts.map((part) => ('text' in part ? part.text : this.logValue(env, part.expression))).join('');
    const entry = this.target.sourceAt(env.frame.pc);
    const place = entry ? { source: sourceOf(entry), line: entry.line } : {};
    this.emit('output', { category: 'console', output: `${text}\n`, ...place });
  }

  private logValue(env: FrameEnvironment, expression: string): string {
    try {
      const value = this.rows.result(env, env.evaluate(expression), false).value;
      return value.replace(/ {2}.*$/, '');
    } catch (error) {
      if (error instanceof ExpressionError || error instanceof UserError) return `{${error.message}}`;
      throw error;
    } finally {
      this.handles.clear();
    }
  }

  output(text: string, category: 'console' | 'stdout' | 'stderr' | 'important'): void {
    this.emit('output', { category, output: text });
  }

  private consoleBytes(uart: number, bytes: Uint8Array): void {
    this.console.write(uart, bytes);
    if (this.consoleTimer) return;
    this.consoleTimer = true;
    this.scheduler.later(() => this.flushConsole(), CONSOLE_MS);
  }

  private flushConsole(): void {
    this.consoleTimer = false;
    for (const { uart, text } of this.console.takePending()) {
      if (uart === HOST_CONSOLE) {
        // 'console' has the colour of a warning.
        this.output(text.replace(/^(?=.)/gm, 'host: '), 'stdout');
        continue;
      }
      this.emit('elscope/console', { uart, text });
      if (this.options.consoleToOutput) this.emit('output', { category: 'stdout', output: text });
    }
  }

  private tellFindings(): void {
    for (const finding of this.machine.findings()) {
      if (finding.id <= this.toldFindings) continue;
      this.toldFindings = finding.id;
      this.emit('elscope/finding', { id: finding.id, kind: finding.kind, text: findingLine(finding, this.target) });
    }
  }
}
