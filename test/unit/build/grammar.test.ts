/** The assembly grammar, run by a small tokenizer that works as TextMate does: earliest match wins, then the first rule. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GrammarRule, grammar } from '../../../src/build/grammar';

const patterns = grammar().patterns;

function expression(source: string): RegExp {
  const insensitive = source.startsWith('(?i)');
  return new RegExp(insensitive ? source.slice(4) : source, insensitive ? 'dgi' : 'dg');
}

interface Found {
  readonly rule: GrammarRule;
  readonly match: RegExpExecArray;
}

function earliest(rules: readonly GrammarRule[], line: string, from: number): Found | undefined {
  let best: Found | undefined;
  for (const rule of rules) {
    const regexp = expression(rule.match ?? rule.begin ?? '');
    regexp.lastIndex = from;
    const match = regexp.exec(line);
    if (match && (!best || match.index < best.match.index)) best = { rule, match };
  }
  return best;
}

/** Where a range that was begun ends: its inner rules may step over what looks like its end. */
function endOfRange(rule: GrammarRule, line: string, from: number): number {
  for (let at = from; ; ) {
    const found = earliest([{ match: rule.end }, ...(rule.patterns ?? [])], line, at);
    assert.ok(found, `${rule.name} does not end: ${line}`);
    at = found.match.index + found.match[0].length;
    if (found.rule.match === rule.end) return at;
  }
}

/** `text → scope` of one line; ranges with begin and end must end on the line. */
function scopes(line: string): [text: string, scope: string][] {
  const tokens: [string, string][] = [];
  for (let at = 0; at <= line.length; ) {
    const found = earliest(patterns, line, at);
    if (!found) break;
    const { rule, match } = found;
    const matchEnd = match.index + match[0].length;
    const end = rule.end ? endOfRange(rule, line, matchEnd) : matchEnd;
    for (const [n, { name }] of Object.entries(rule.captures ?? {})) {
      if (match[Number(n)] !== undefined) tokens.push([match[Number(n)], name]);
    }
    if (rule.name) tokens.push([line.slice(match.index, end), rule.name]);
    at = end > at ? end : at + 1;
  }
  return tokens.map(([text, scope]) => [text, scope.replace(/\.arm64$/, '')]);
}

const register = 'variable.language.register';
const mnemonic = 'keyword.mnemonic';
const number = 'constant.numeric';
const hash = 'punctuation.definition.immediate';

const cases: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    'add x0, sp, #16',
    [
      ['add', mnemonic],
      ['x0', register],
      ['sp', register],
      ['#', hash],
      ['16', number],
    ],
  ],
  [
    '  B.NE 1b',
    [
      ['B.NE', mnemonic],
      ['1b', 'constant.other.label-reference'],
    ],
  ],
  [
    'b.ne1 2',
    [
      ['b.ne1', 'entity.name.function.macro'],
      ['2', number],
    ],
  ],
  [
    'start: ret // done',
    [
      ['start', 'entity.name.label'],
      ['ret', mnemonic],
      ['// done', 'comment.line.double-slash'],
    ],
  ],
  [
    '1: cbz w3, 1b',
    [
      ['1', 'entity.name.label'],
      ['cbz', mnemonic],
      ['w3', register],
      ['1b', 'constant.other.label-reference'],
    ],
  ],
  [
    '.Lloop: nop; isb',
    [
      ['.Lloop', 'entity.name.label'],
      ['nop', mnemonic],
      ['isb', mnemonic],
    ],
  ],
  [
    'mrs x1, CTR_EL0',
    [
      ['mrs', mnemonic],
      ['x1', register],
      ['CTR_EL0', 'support.variable.register.system'],
    ],
  ],
  [
    'msr s3_4_c15_c2_0, xzr',
    [
      ['msr', mnemonic],
      ['s3_4_c15_c2_0', 'support.variable.register.system'],
      ['xzr', register],
    ],
  ],
  [
    'msr DAIFSet, #2',
    [
      ['msr', mnemonic],
      ['DAIFSet', 'support.variable.register.system'],
      ['#', hash],
      ['2', number],
    ],
  ],
  [
    'dsb ish',
    [
      ['dsb', mnemonic],
      ['ish', 'support.constant.operand'],
    ],
  ],
  [
    'dc cvau, x0',
    [
      ['dc', mnemonic],
      ['x0', register],
    ],
  ],
  [
    'prfm pldl1keep, [x0]',
    [
      ['prfm', mnemonic],
      ['pldl1keep', 'support.constant.operand'],
      ['x0', register],
    ],
  ],
  [
    'csel x0, x1, x2, ne',
    [
      ['csel', mnemonic],
      ['x0', register],
      ['x1', register],
      ['x2', register],
      ['ne', 'support.constant.operand'],
    ],
  ],
  [
    'add x0, x1, w2, uxtw #3',
    [
      ['add', mnemonic],
      ['x0', register],
      ['x1', register],
      ['w2', register],
      ['uxtw', 'keyword.operator.extend'],
      ['#', hash],
      ['3', number],
    ],
  ],
  [
    'fmla v0.4s, v1.4s, v2.s[1]',
    [
      ['fmla', mnemonic],
      ['v0.4s', `${register}.vector`],
      ['v1.4s', `${register}.vector`],
      ['v2.s', `${register}.vector`],
      ['1', number],
    ],
  ],
  [
    'ldr x0, [x1, :lo12:add]',
    [
      ['ldr', mnemonic],
      ['x0', register],
      ['x1', register],
      ['lo12', 'support.function.relocation'],
    ],
  ],
  ['  .macro save a', [['.macro', 'keyword.other.directive']]],
  [
    '  mov x0, \\value',
    [
      ['mov', mnemonic],
      ['x0', register],
      ['\\value', 'variable.parameter.macro'],
    ],
  ],
  [
    '.asciz "a // b \\" c"',
    [
      ['.asciz', 'keyword.other.directive'],
      ['"a // b \\" c"', 'string.quoted.double'],
    ],
  ],
  [
    "cmp w0, #'x'",
    [
      ['cmp', mnemonic],
      ['w0', register],
      ['#', hash],
      ["'x'", 'string.quoted.single'],
    ],
  ],
  [
    '#include "boot.h"',
    [
      ['#include', 'keyword.control.directive'],
      ['#include "boot.h"', 'meta.preprocessor'],
    ],
  ],
  ['# a comment', [['# a comment', 'comment.line.number-sign']]],
  [
    '/* add */ eret',
    [
      ['/* add */', 'comment.block'],
      ['eret', mnemonic],
    ],
  ],
  [
    'save_all x0',
    [
      ['save_all', 'entity.name.function.macro'],
      ['x0', register],
    ],
  ],
  ['bl  add_two', [['bl', mnemonic]]],
];

for (const [line, expected] of cases) test(line, () => assert.deepEqual(scopes(line), expected));
