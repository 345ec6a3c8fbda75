/** The answers of a session to every request of the protocol table. */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { hex64 } from '../base/bits';
import type { Handlers, WorkerRequests } from '../protocol';
import { RpcError, utf8Bytes } from '../protocol';
import { formatReference, parseReference, spaceOfEl } from './addressReference';
import { completions } from './completions';
import type { FrameEnvironment } from './environment';
import { exceptionInfo } from './exceptionInfo';
import { ExpressionError } from './expressions/syntax';
import type { Frame } from './frames';
import { parametersOf, scopesOf } from './scopes';
import type { Session } from './session';
import { sourceOf } from './sourcePaths';
import { gotoHandlers, stepHandlers } from './stepRequests';
import { refuse, setResult } from './variables';
import { cacheRows, coreRows, findingRow, idRegisterRows, statistics, translation } from './views/machineViews';
import { vmsView } from './views/vms';
import { vmHandlers } from './vmRequests';

export type SessionHandlers = Handlers<Omit<WorkerRequests, 'launch' | 'restart'>>;

type FrameFormat = WorkerRequests['stackTrace']['params']['format'];

/** Runs what may meet a mistake in an expression. */
function understood<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ExpressionError) throw new RpcError('refused', error.message);
    throw error;
  }
}

/** A frame's name with what a client's format asks for besides. */
function formattedName(
  session: Session,
  frame: Frame,
  index: number,
  name: string,
  line: number | undefined,
  module: string | undefined,
  format: FrameFormat,
): string {
  const parameters = format?.parameters ? `(${parameterText(session, frame, index, format)})` : '';
  const inlined = frame.inlined ? ' (inlined)' : '';
  const head = format?.module && module !== undefined ? `${module}!` : '';
  return `${head}${name}${parameters}${inlined}${format?.line && line ? `:${line}` : ''}`;
}

function parameterText(session: Session, frame: Frame, index: number, format: FrameFormat): string {
  const env = session.environment(session.frameId(frame.core, index)).withFormat({ hex: format?.hex === true });
  const nodes = parametersOf(env);
  const parts = nodes.map(({ name, typeName, display }) => {
    const shown = [format?.parameterTypes ? typeName : '', format?.parameterNames === false ? '' : name];
    const left = shown.filter((text) => text !== '').join(' ');
    return format?.parameterValues ? `${left}${left === '' ? '' : '='}${display}` : left;
  });
  return parts.join(', ');
}

function stackFrame(session: Session, frame: Frame, index: number, format: FrameFormat): Dap.StackFrame {
  const { target } = session;
  const id = session.frameId(frame.core, index);
  const instructionPointerReference = formatReference({
    core: frame.core,
    space: spaceOfEl(frame.el),
    address: frame.pc,
  });
  const common = { id, line: 0, column: 0, instructionPointerReference };
  if (frame.exception !== undefined) return { ...common, name: frame.exception, presentationHint: 'label' };
  if (session.machine.cores[frame.core].state === 'off') return { ...common, name: 'off', presentationHint: 'subtle' };
  if (frame.model) {
    const line = target.model?.sourceLine(frame.model);
    const place = line && { source: sourceOf(line), line: line.line, column: 1 };
    return { ...common, name: target.model?.nameOf(frame.model) ?? frame.model.routine, ...place };
  }
  const debug = target.debugAt(frame.lookup);
  const entry = debug?.lines.at(frame.lookup);
  // A frame around an inlined copy stands where that copy was called.
  const inner = frame.level > 0 ? debug?.callChainAt(frame.lookup)[frame.level - 1]?.callSite : undefined;
  const place = inner ?? entry;
  const name = frame.fn?.name ?? target.describe(frame.pc) ?? hex64(frame.pc);
  const module = target.modules.find((m) => m.debug === debug);
  return {
    ...common,
    name: formattedName(session, frame, index, name, place?.line, module?.name, format),
    ...(module ? { moduleId: module.id } : {}),
    ...(place && place.line > 0
      ? {
          source: sourceOf({ path: target.sourcePath(frame.lookup, place.file) }),
          line: place.line,
          column: Math.max(1, place.column),
        }
      : {}),
  };
}

/** The address that a text of a view means: a reference, or an expression of the core. */
function placeOf(session: Session, text: string, core: number | undefined, frameId?: number) {
  const reference = parseReference(text);
  if (reference) {
    const index = reference.core ?? core ?? session.selectedCore;
    if (index >= session.machine.cores.length) refuse(`there is no core ${index}`);
    return { core: index, space: reference.space, address: reference.address };
  }
  return understood(() => {
    const env =
      frameId === undefined ? session.coreEnvironment(core ?? session.selectedCore) : session.environment(frameId);
    const result = env.evaluate(text);
    const space = spaceOfEl(env.frame.el);
    if (result.kind === 'text') return refuse(`${text} is no address`);
    if (result.kind === 'memory')
      return { core: result.core ?? env.frame.core, space: result.space, address: result.address };
    const address = result.kind === 'object' ? result.node.address : result.scalar.value;
    return { core: env.frame.core, space, address: BigInt.asUintN(64, address ?? refuse(`${text} is not in memory`)) };
  });
}

/** Physical addresses that a filter of cache lines may mean. */
function filterAddresses(session: Session, text: string, core: number): bigint[] {
  const place = placeOf(session, text, core);
  if (place.space === 'pa' || place.space === 'pou' || place.space === 'poc') return [place.address];
  const { pa } = session.machine.translate(place.core, place.space, place.address);
  return pa === undefined ? [] : [pa];
}

function evaluateRequest(session: Session, params: WorkerRequests['evaluate']['params']): Dap.EvaluateResponse['body'] {
  const env = session.environment(params.frameId);
  const hex = params.format?.hex === true;
  const assignment = params.context === 'repl' ? /^([^=!<>]+)=(?!=)(.+)$/s.exec(params.expression) : null;
  return understood(() => {
    if (assignment) {
      setResult(env, env.evaluate(assignment[1]), assignment[2]);
      session.changed();
    }
    const expression = assignment ? assignment[1] : params.expression;
    const current = assignment ? session.environment(params.frameId) : env;
    const row = session.rows.result(current, evaluated(current, expression, hex), hex);
    const { value, name: _name, evaluateName: _evaluateName, ...rest } = row;
    return { ...rest, result: value };
  });
}

function evaluated(env: FrameEnvironment, expression: string, hex: boolean) {
  return (hex ? env.withFormat({ hex }) : env).evaluate(expression);
}

function setExpression(session: Session, params: WorkerRequests['setExpression']['params']) {
  return understood(() => {
    const env = session.environment(params.frameId);
    setResult(env, env.evaluate(params.expression), params.value);
    session.changed();
    const { result: value, type, ...rest } = evaluateRequest(session, { ...params, context: 'watch' });
    return { value, ...(type === undefined ? {} : { type }), ...rest };
  });
}

function setVariable(session: Session, params: WorkerRequests['setVariable']['params']) {
  return understood(() => {
    const container = session.handles.get(params.variablesReference);
    if (container.set === undefined) return refuse('this cannot be set');
    container.set(params.name, params.value);
    session.changed();
    const page = { hex: params.format?.hex === true };
    const row = container.list(page).find((r) => r.name === params.name) ?? refuse(`"${params.name}" is gone`);
    const { value, type, variablesReference, namedVariables, indexedVariables, memoryReference } = row;
    return { value, type, variablesReference, namedVariables, indexedVariables, memoryReference };
  });
}

const frameHandlers = (session: Session) =>
  ({
    threads: () => ({
      threads: session.machine.cores.map((core) => ({ id: core.index + 1, name: session.threadName(core.index) })),
    }),
    stackTrace: ({ threadId, startFrame = 0, levels = 0, format }) => {
      const core = session.core(threadId);
      const stack = session.stack(core.index);
      const stackFrames: Dap.StackFrame[] = [];
      for (let n = startFrame; levels === 0 || n < startFrame + levels; n++) {
        const frame = stack.at(n);
        if (frame === undefined) break;
        stackFrames.push(stackFrame(session, frame, n, format));
      }
      // Looking one frame further tells whether there are more without computing them all.
      const end = startFrame + stackFrames.length;
      const more = stack.at(end) !== undefined ? 1 : 0;
      return { stackFrames, totalFrames: stack.total ?? end + more };
    },
    scopes: ({ frameId }) => ({
      scopes: scopesOf(session.environment(frameId), session.rows, session.handles),
    }),
    variables: ({ variablesReference, filter, start, count, format }) => {
      const page = { filter, start, count, hex: format?.hex === true };
      return understood(() => ({ variables: [...session.handles.get(variablesReference).list(page)] }));
    },
    setVariable: (params) => setVariable(session, params),
    setExpression: (params) => setExpression(session, params),
    evaluate: (params) => evaluateRequest(session, params),
    completions: ({ text, column, frameId }) => {
      const env = session.run.running ? session.coreEnvironment(session.selectedCore) : session.environment(frameId);
      return { targets: completions(env, text, column) };
    },
    exceptionInfo: ({ threadId }) => {
      const stop = session.lastStop;
      const known = stop && stop.core === threadId - 1 ? exceptionInfo(stop, session.target) : undefined;
      return known ?? refuse('the thread has not stopped for an exception');
    },
  }) satisfies Partial<SessionHandlers>;

const memoryHandlers = (session: Session) =>
  ({
    readMemory: ({ memoryReference, offset = 0, count }) => session.memory.read(memoryReference, offset, count),
    writeMemory: ({ memoryReference, offset = 0, data, allowPartial = false }) => {
      const { bytesWritten, reference } = session.memory.write(memoryReference, offset, data, allowPartial);
      session.emit('memory', { memoryReference, offset, count: bytesWritten });
      if (formatReference(reference) !== memoryReference) {
        session.emit('memory', { memoryReference: formatReference(reference), offset: 0, count: bytesWritten });
      }
      session.changed();
      return { offset: 0, bytesWritten };
    },
    disassemble: ({ memoryReference, offset = 0, instructionOffset = 0, instructionCount, resolveSymbols = true }) => ({
      instructions: session.memory.disassemble(
        memoryReference,
        offset,
        instructionOffset,
        instructionCount,
        resolveSymbols,
      ),
    }),
  }) satisfies Partial<SessionHandlers>;

const breakpointHandlers = (session: Session) =>
  ({
    setBreakpoints: ({ source, breakpoints = [] }) => {
      const file = session.target.model?.fileOf(source);
      if (file !== undefined) return { breakpoints: session.breakpoints.setModelSource(file, breakpoints) };
      const path = source.path ?? refuse('the source has no path');
      return { breakpoints: session.breakpoints.setSource(path, breakpoints) };
    },
    setFunctionBreakpoints: ({ breakpoints }) => ({ breakpoints: session.breakpoints.setFunctions(breakpoints) }),
    setInstructionBreakpoints: ({ breakpoints }) => ({ breakpoints: session.breakpoints.setInstructions(breakpoints) }),
    dataBreakpointInfo: ({ variablesReference, name, frameId, bytes, asAddress = false }) => {
      const env =
        frameId === undefined || session.run.running
          ? session.coreEnvironment(session.selectedCore)
          : session.environment(frameId);
      const inside = variablesReference ? session.handles.get(variablesReference).list({ hex: false }) : [];
      const expression = inside.find((row) => row.name === name)?.evaluateName ?? name;
      return session.breakpoints.dataInfo(env, expression, bytes, asAddress);
    },
    setDataBreakpoints: ({ breakpoints }) => ({ breakpoints: session.breakpoints.setData(breakpoints) }),
    setExceptionBreakpoints: ({ filters, filterOptions = [] }) => ({
      breakpoints: session.filters.set(filters, filterOptions),
    }),
    breakpointLocations: ({ source, line, endLine }) => ({
      breakpoints: session.breakpoints.locations(source, line, endLine),
    }),
  }) satisfies Partial<SessionHandlers>;

const programHandlers = (session: Session) =>
  ({
    modules: ({ startModule = 0, moduleCount = 0 }) => {
      const all = session.target.modules.map(
        (m): Dap.Module => ({
          id: m.id,
          name: m.name,
          path: m.path,
          symbolStatus: m.debug.lines.files().length > 0 ? 'debug information' : 'symbols only',
          addressRange: m.segments.map((s) => `${hex64(s.low)}–${hex64(s.high)}`).join(', '),
        }),
      );
      const modules = all.slice(startModule, moduleCount > 0 ? startModule + moduleCount : undefined);
      return { modules, totalModules: all.length };
    },
    loadedSources: () => ({
      sources: [
        ...session.target.sourceFiles().map((path) => sourceOf({ path })),
        ...(session.target.model?.files ?? []),
      ],
    }),
    source: ({ sourceReference }) => {
      const content = session.target.model?.text(sourceReference) ?? refuse(`there is no source ${sourceReference}`);
      // Clients go by the name's ending; VS Code does not know the text by its MIME type.
      return { content };
    },
  }) satisfies Partial<SessionHandlers>;

const viewHandlers = (session: Session) =>
  ({
    'elscope/cores': () => {
      const stop = session.run.running ? undefined : session.lastStop;
      const reasonOf = (core: number): string | undefined => {
        if (stop?.core === core) return stop.finding?.kind ?? stop.reason;
        return stop?.hits.some((hit) => hit.core === core) ? 'breakpoint' : undefined;
      };
      return { ...session.stateOfViews, cores: coreRows(session.machine, session.target, reasonOf) };
    },
    'elscope/idRegisters': () => ({
      ...session.stateOfViews,
      cores: session.machine.config.cores.map(({ name }, core) => ({ core, model: name })),
      rows: idRegisterRows(session.machine),
    }),
    'elscope/vms': () => ({ ...session.stateOfViews, ...vmsView(session.machine, session.target) }),
    'elscope/caches': () => ({
      ...session.stateOfViews,
      cores: session.machine.config.cores.map(({ name }, core) => {
        return { core, model: name, caches: cacheRows(session.machine, core) };
      }),
    }),
    'elscope/cacheLines': (params) =>
      session.lines.page(params, session.stateOfViews, (text) => filterAddresses(session, text, params.core)),
    'elscope/cacheLine': (params) => session.lines.line(params, session.stateOfViews),
    'elscope/lineState': ({ address, core, frameId }) =>
      session.lines.state(placeOf(session, address, core, frameId), address, session.stateOfViews),
    'elscope/watchedLines': ({ addresses, core }) => ({
      ...session.stateOfViews,
      lines: addresses.map((address) => {
        try {
          return session.lines.state(placeOf(session, address, core), address, session.stateOfViews);
        } catch (error) {
          if (error instanceof RpcError) return { address, error: error.message };
          throw error;
        }
      }),
    }),
    'elscope/translate': ({ address, core }) => ({
      ...session.stateOfViews,
      ...translation(session.machine, placeOf(session, address, core), address),
    }),
    'elscope/findings': ({ since = 0 }) => ({
      ...session.stateOfViews,
      findings: session.machine
        .findings()
        .filter((f) => f.id > since)
        .map((f) => findingRow(f, session.target)),
    }),
    'elscope/statistics': () => ({ ...session.stateOfViews, ...statistics(session.machine) }),
    'elscope/input': ({ uart = 0, text }) => {
      session.machine.input(uart, utf8Bytes(text));
      session.run.wake();
      return {};
    },
    'elscope/consoleHistory': ({ uart = 0 }) => session.console.history(uart),
  }) satisfies Partial<SessionHandlers>;

export function sessionHandlers(session: Session): SessionHandlers {
  return {
    ...frameHandlers(session),
    ...memoryHandlers(session),
    ...breakpointHandlers(session),
    ...programHandlers(session),
    ...viewHandlers(session),
    ...vmHandlers(session),
    ...stepHandlers(session),
    ...gotoHandlers(session),
    start: () => {
      session.start();
      return {};
    },
  };
}
