/**
 * Adapter ↔ worker: DAP's own requests under their own names (parameters and results are the DAP bodies, so that the adapter
 * only passes them on), the custom requests, and the start of a session. Each row checks its arguments: the adapter never hands
 * the session anything of another shape.
 */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { type CustomEvents, customRequests, type RequestsOf, type Row, row, type When } from './custom';
import { anything, count, flag, integer, listOf, maybe, nothing, object, oneOf, type Shape, text } from './shape';

const dap =
  <R extends Dap.Response>() =>
  <P>(params: Shape<P>, when: When, doc = ''): Row<P, R['body'] extends undefined ? object : R['body']> =>
    row(params, when, doc);

const granularity = maybe(oneOf('statement', 'line', 'instruction'));
const format = maybe(object({ hex: maybe(flag) }));
const frameFormat = maybe(
  object({
    hex: maybe(flag),
    parameters: maybe(flag),
    parameterTypes: maybe(flag),
    parameterNames: maybe(flag),
    parameterValues: maybe(flag),
    line: maybe(flag),
    module: maybe(flag),
  }),
);
const source = object({ name: maybe(text), path: maybe(text), sourceReference: maybe(count) });
const thread = { threadId: count, singleThread: maybe(flag) };
const conditions = { condition: maybe(text), hitCondition: maybe(text) };

/** DAP requests that go to the worker. */
export const dapRequests = {
  threads: dap<Dap.ThreadsResponse>()(nothing, 'launched'),
  stackTrace: dap<Dap.StackTraceResponse>()(
    object({ threadId: count, startFrame: maybe(count), levels: maybe(count), format: frameFormat }),
    'stopped',
  ),
  scopes: dap<Dap.ScopesResponse>()(object({ frameId: count }), 'stopped'),
  variables: dap<Dap.VariablesResponse>()(
    object({
      variablesReference: count,
      filter: maybe(oneOf('indexed', 'named')),
      start: maybe(count),
      count: maybe(count),
      format,
    }),
    'stopped',
  ),
  setVariable: dap<Dap.SetVariableResponse>()(
    object({ variablesReference: count, name: text, value: text, format }),
    'stopped',
  ),
  setExpression: dap<Dap.SetExpressionResponse>()(
    object({ expression: text, value: text, frameId: maybe(count), format }),
    'stopped',
  ),
  evaluate: dap<Dap.EvaluateResponse>()(
    object({ expression: text, frameId: maybe(count), context: maybe(text), format }),
    'stopped',
  ),
  completions: dap<Dap.CompletionsResponse>()(
    object({ text, column: count, line: maybe(count), frameId: maybe(count) }),
    'launched',
  ),
  readMemory: dap<Dap.ReadMemoryResponse>()(
    object({ memoryReference: text, offset: maybe(integer), count }),
    'launched',
  ),
  writeMemory: dap<Dap.WriteMemoryResponse>()(
    object({ memoryReference: text, offset: maybe(integer), data: text, allowPartial: maybe(flag) }),
    'stopped',
  ),
  disassemble: dap<Dap.DisassembleResponse>()(
    object({
      memoryReference: text,
      offset: maybe(integer),
      instructionOffset: maybe(integer),
      instructionCount: count,
      resolveSymbols: maybe(flag),
    }),
    'launched',
  ),
  setBreakpoints: dap<Dap.SetBreakpointsResponse>()(
    object({
      source,
      breakpoints: maybe(
        listOf(
          object({ line: integer, column: maybe(integer), logMessage: maybe(text), mode: maybe(text), ...conditions }),
        ),
      ),
    }),
    'launched',
  ),
  setFunctionBreakpoints: dap<Dap.SetFunctionBreakpointsResponse>()(
    object({ breakpoints: listOf(object({ name: text, ...conditions })) }),
    'launched',
  ),
  setInstructionBreakpoints: dap<Dap.SetInstructionBreakpointsResponse>()(
    object({
      breakpoints: listOf(
        object({ instructionReference: text, offset: maybe(integer), mode: maybe(text), ...conditions }),
      ),
    }),
    'launched',
  ),
  dataBreakpointInfo: dap<Dap.DataBreakpointInfoResponse>()(
    object({
      variablesReference: maybe(count),
      name: text,
      frameId: maybe(count),
      bytes: maybe(count),
      asAddress: maybe(flag),
    }),
    'launched',
  ),
  setDataBreakpoints: dap<Dap.SetDataBreakpointsResponse>()(
    object({
      breakpoints: listOf(
        object({ dataId: text, accessType: maybe(oneOf('read', 'write', 'readWrite')), ...conditions }),
      ),
    }),
    'launched',
  ),
  setExceptionBreakpoints: dap<Dap.SetExceptionBreakpointsResponse>()(
    object({
      filters: listOf(text),
      filterOptions: maybe(listOf(object({ filterId: text, condition: maybe(text) }))),
    }),
    'launched',
  ),
  breakpointLocations: dap<Dap.BreakpointLocationsResponse>()(
    object({ source, line: integer, endLine: maybe(integer), column: maybe(integer), endColumn: maybe(integer) }),
    'launched',
  ),
  exceptionInfo: dap<Dap.ExceptionInfoResponse>()(object({ threadId: count }), 'stopped'),
  modules: dap<Dap.ModulesResponse>()(object({ startModule: maybe(count), moduleCount: maybe(count) }), 'launched'),
  source: dap<Dap.SourceResponse>()(object({ source: maybe(source), sourceReference: count }), 'launched'),
  loadedSources: dap<Dap.LoadedSourcesResponse>()(nothing, 'launched'),
  gotoTargets: dap<Dap.GotoTargetsResponse>()(object({ source, line: integer, column: maybe(integer) }), 'stopped'),
  goto: dap<Dap.GotoResponse>()(object({ threadId: count, targetId: count }), 'stopped'),
  stepInTargets: dap<Dap.StepInTargetsResponse>()(object({ frameId: count }), 'stopped'),
  next: dap<Dap.NextResponse>()(object({ ...thread, granularity }), 'stopped'),
  stepIn: dap<Dap.StepInResponse>()(object({ ...thread, granularity, targetId: maybe(count) }), 'stopped'),
  stepOut: dap<Dap.StepOutResponse>()(object({ ...thread, granularity }), 'stopped'),
  continue: dap<Dap.ContinueResponse>()(object(thread), 'stopped'),
  pause: dap<Dap.PauseResponse>()(object({ threadId: maybe(count) }), 'launched'),
} as const satisfies Readonly<Record<string, Row<unknown, unknown>>>;

/** What the adapter has made of the launch attributes. */
export interface SessionStart {
  /** LaunchOptions of machine/launch.types: checked by the adapter. */
  readonly options: object;
  readonly symbols: readonly { readonly path: string; readonly offset: string }[];
  readonly stopOnEntry: boolean;
  /** Path prefixes in debug information -> where the client finds them. */
  readonly sourceMap: Readonly<Record<string, string>>;
  /** Console output of the guest also goes to the debug console. */
  readonly consoleToOutput: boolean;
}
const sessionStart: Shape<SessionStart> = object({
  options: anything as Shape<object>,
  symbols: listOf(object({ path: text, offset: text })),
  stopOnEntry: flag,
  sourceMap: anything as Shape<Readonly<Record<string, string>>>,
  consoleToOutput: flag,
});

const sessionRequests = {
  launch: row<SessionStart, object>(sessionStart, 'always', 'Builds the machine.'),
  restart: row<{ readonly start?: SessionStart }, object>(
    object({ start: maybe(sessionStart) }),
    'launched',
    'Builds the machine again from its files, with breakpoints as they are; with `start` as it says.',
  ),
  start: row<object, object>(nothing, 'launched', 'Breakpoints are set: runs from the entry, or stops there.'),
} as const;

export const workerRequests = { ...dapRequests, ...customRequests, ...sessionRequests } as const;
export type WorkerRequests = RequestsOf<typeof workerRequests>;
export type WorkerRequestName = keyof WorkerRequests;
export type DapRequestName = keyof typeof dapRequests;

/** Events of the worker: DAP's, with their bodies, and the custom ones. */
export type WorkerEvents = CustomEvents & {
  readonly stopped: Dap.StoppedEvent['body'];
  readonly continued: Dap.ContinuedEvent['body'];
  readonly output: Dap.OutputEvent['body'];
  readonly breakpoint: Dap.BreakpointEvent['body'];
  readonly invalidated: Dap.InvalidatedEvent['body'];
  readonly memory: Dap.MemoryEvent['body'];
  readonly terminated: object;
  readonly exited: Dap.ExitedEvent['body'];
};
