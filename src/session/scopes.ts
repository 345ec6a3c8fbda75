/** The scopes of a frame: variables of C code, registers, and the core's system and cache identification registers. */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { systemRegisters, type ViewGroup } from '../arch/sysregs';
import type { CoreView } from '../machine/api';
import { frameScopes, type ValueNode, variableNode } from '../program';
import { cacheIdRegisters } from './cacheIdRegisters';
import type { FrameEnvironment } from './environment';
import { generalNames, pstateFields, registerNamed, systemAccess } from './registers';
import type { Container, RowMaker, VariableHandles } from './variables';
import { vectorScope } from './vectorRows';

const groupTitles: Readonly<Record<ViewGroup, string>> = {
  identification: 'Identification',
  cache: 'Cache identification and selection',
  control: 'Control',
  translation: 'Translation',
  exception: 'Exceptions',
  thread: 'Thread and context',
  timer: 'Timers',
  debug: 'Debug',
  performance: 'Performance monitors',
  interrupt: 'Interrupts',
  floatingPoint: 'Floating point',
  special: 'Special purpose',
};

function variables(env: FrameEnvironment, kind: 'parameter' | 'local'): ValueNode[] {
  const debug = env.target.debugAt(env.frame.lookup);
  if (debug === undefined) return [];
  const seen = new Set<string>();
  return frameScopes(debug, env.frame.lookup, env.frame.level).flatMap((scope) =>
    scope.variables
      .filter((variable) => variable.kind === kind && !seen.has(variable.name))
      .map((variable) => {
        seen.add(variable.name);
        return variableNode(variable, env.frame.lookup, env.port, env.options);
      }),
  );
}

/** The arguments of a frame's function. */
export const parametersOf = (env: FrameEnvironment): ValueNode[] => variables(env, 'parameter');

function fileGlobals(env: FrameEnvironment): ValueNode[] {
  const { frame, target } = env;
  const list = target.debugAt(frame.lookup)?.fileGlobals(frame.lookup) ?? [];
  return list.map((variable) => variableNode(variable, frame.lookup, env.port, env.options));
}

function systemGroups(env: FrameEnvironment, core: CoreView, rows: RowMaker): Container {
  const present = systemRegisters.filter((row) => row.group !== 'cache' && core.peekSystem(row.name) !== undefined);
  const groups = [...new Set(present.map((row) => row.group))];
  return rows.groups(
    groups.map((group) => {
      const members = present.filter((row) => row.group === group);
      return {
        name: groupTitles[group],
        value: `${members.length} registers`,
        make: () =>
          rows.registers(
            env,
            members.map((row) => systemAccess(core, row, env.frame.guest)),
          ),
      };
    }),
  );
}

function pstateFieldsOf(env: FrameEnvironment, rows: RowMaker): Container {
  const list = pstateFields.flatMap((field) => registerNamed(env.core, env.frame, field.name) ?? []);
  return rows.registers(env, [
    ...(registerNamed(env.core, env.frame, 'pstate') ? [registerNamed(env.core, env.frame, 'pstate')!] : []),
    ...list,
  ]);
}

/** Scopes in the order in which they are shown. */
export function scopesOf(env: FrameEnvironment, rows: RowMaker, handles: VariableHandles): Dap.Scope[] {
  const { frame, core } = env;
  const scopes: Dap.Scope[] = [];
  const add = (name: string, container: Container, more: Partial<Dap.Scope> = {}): void => {
    scopes.push({ name, variablesReference: handles.add(container), expensive: false, ...more });
  };
  const debug = frame.exception === undefined ? env.target.debugAt(frame.lookup) : undefined;
  if (debug?.functionAt(frame.lookup)?.assembly === false) {
    add(
      'Locals',
      rows.objects(env, (own) => variables(own, 'local')),
      { presentationHint: 'locals' },
    );
    add(
      'Arguments',
      rows.objects(env, (own) => variables(own, 'parameter')),
      { presentationHint: 'arguments' },
    );
    add('Globals of the file', rows.objects(env, fileGlobals), { expensive: true });
  }
  const { model } = frame;
  if (model)
    add(
      'Locals',
      rows.values(() => Object.entries(model.locals)),
      { presentationHint: 'locals' },
    );
  const general = generalNames.flatMap((name) => registerNamed(core, frame, name) ?? []);
  add('General registers', rows.registers(env, general), { presentationHint: 'registers' });
  if (frame.pstate !== undefined) add('PSTATE', pstateFieldsOf(env, rows), { presentationHint: 'registers' });
  add('SIMD and floating point', vectorScope(env, core, rows), { expensive: true, presentationHint: 'registers' });
  add('System registers', systemGroups(env, core, rows), { expensive: true, presentationHint: 'registers' });
  const cache = cacheIdRegisters(core);
  add('Cache ID registers', rows.registers(env, cache), { expensive: true, presentationHint: 'registers' });
  return scopes;
}
