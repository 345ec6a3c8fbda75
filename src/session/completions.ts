/** Completion of expressions: fields after a register, members after a C object, else names of every kind. */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { frameScopes } from '../program';
import { spaces } from './addressReference';
import type { FrameEnvironment } from './environment';
import { ExpressionError } from './expressions/syntax';
import { modelNames } from './model/values';
import { registerNamed, registerNames } from './registers';

const MOST = 200;

/** `column` counts from 1. Items replace the word before the cursor. */
export function completions(env: FrameEnvironment, text: string, column: number): Dap.CompletionItem[] {
  const before = text.slice(0, Math.max(0, column - 1));
  const word = /[A-Za-z_]\w*$|$/.exec(before)?.[0] ?? '';
  const place = { start: before.length - word.length, length: word.length };
  const head = before.slice(0, before.length - word.length);
  const owner = /([\w$.[\]]+|[\w$][\w$.>[\]-]*)(\.|->)$/.exec(head);
  const items = owner ? members(env, owner[1], owner[2]) : names(env, word, head.endsWith('$'));
  const lower = word.toLowerCase();
  const fitting = items.filter((item) => item.label.toLowerCase().startsWith(lower));
  return fitting.slice(0, MOST).map((item) => ({ ...item, ...place }));
}

function members(env: FrameEnvironment, owner: string, operator: string): Dap.CompletionItem[] {
  try {
    const result = env.evaluate(operator === '->' ? `*${owner}` : owner);
    if (result.kind === 'register') {
      return (result.access.fields ?? []).map((field) => ({ label: field.name, type: 'field' }));
    }
    if (result.kind === 'memory') return ['b', 'h', 'w', 'x'].map((label) => ({ label, type: 'unit' }));
    if (result.kind !== 'object' || result.node.indexed) return [];
    const { node } = result;
    const children = Array.from({ length: Math.min(MOST, node.childCount) }, (_, i) => node.child(i).name);
    return children.map((label) => ({ label, type: 'field' }));
  } catch (error) {
    if (error instanceof ExpressionError) return [];
    throw error;
  }
}

function names(env: FrameEnvironment, word: string, registersOnly: boolean): Dap.CompletionItem[] {
  const present = registerNames.filter((name) => registerNamed(env.core, env.frame, name) !== undefined);
  const registers = present.map((label): Dap.CompletionItem => ({ label, type: 'variable', sortText: `2${label}` }));
  const modelled = env.modelled('$vcpu') === undefined ? [] : modelNames;
  if (registersOnly) return [...modelled.map((label): Dap.CompletionItem => ({ label, type: 'value' })), ...registers];
  const values = Object.keys(env.frame.model?.locals ?? {}).map(
    (label): Dap.CompletionItem => ({ label, type: 'value' }),
  );
  const debug = env.target.debugAt(env.frame.lookup);
  const scopes = debug ? frameScopes(debug, env.frame.lookup, env.frame.level) : [];
  const locals = scopes.flatMap((s) => s.variables.map((v) => v.name));
  const own = [...new Set(locals)].map(
    (label): Dap.CompletionItem => ({ label, type: 'value', sortText: `1${label}` }),
  );
  const prefixes = spaces.map((s): Dap.CompletionItem => ({ label: `${s}:`, type: 'keyword', sortText: `3${s}` }));
  // Symbols are many: only with something typed.
  const symbols = word === '' ? [] : env.target.symbols.complete(word, MOST);
  const rest = symbols.map((label): Dap.CompletionItem => ({ label, type: 'function', sortText: `4${label}` }));
  return [...values, ...own, ...registers, ...prefixes, ...rest];
}
