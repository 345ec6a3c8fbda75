/**
 * `npm run grammar`: the TextMate grammar for A64 assembly as the GNU and LLVM assemblers take it, after the C preprocessor's
 * own lines. Mnemonics and register names come from the tables. The expressions stay within what Oniguruma and JavaScript
 * have in common, so that tests can run them.
 */

import { barrierNames, conditionNames, prefetchName, pstateFieldNames } from '../arch/instructions';
import { systemRegisters } from '../arch/sysregs';
import { namedRegisters } from '../arch/sysregs/named';
import { allMnemonics } from '../isa';
import { type GeneratedFile, writeWhenMain } from './generated';

/** One rule of the grammar. */
export interface GrammarRule {
  readonly name?: string;
  readonly match?: string;
  readonly begin?: string;
  readonly end?: string;
  readonly captures?: Readonly<Record<string, { readonly name: string }>>;
  readonly patterns?: readonly GrammarRule[];
}

export interface Grammar {
  readonly name: string;
  readonly scopeName: string;
  readonly fileTypes: readonly string[];
  readonly patterns: readonly GrammarRule[];
}

const literal = (text: string): string => text.replace(/[.+*?^$()[\]{}|\\]/g, '\\$&');

/** One of `words`, whatever its case, and nothing more of a word after it. */
const anyOf = (words: Iterable<string>): string =>
  `(?:${[...new Set([...words].map((w) => w.toLowerCase()))].sort().reverse().map(literal).join('|')})(?![\\w.$])`;

/** Where a statement begins: at the line's start, after a label, a separator or a comment. */
const statement = '(^|[:;]|(?<=\\*/))(\\s*)';

const numbered = (prefixes: string, count: number): string[] =>
  [...prefixes].flatMap((p) => Array.from({ length: count }, (_, n) => `${p}${n}`));

const generalRegisters = [...numbered('xw', 31), 'sp', 'wsp', 'xzr', 'wzr', 'fp', 'lr'];
const vectorRegisters = numbered('vqdshb', 32);

const systemRegisterNames = (): string[] => [
  ...[...systemRegisters, ...namedRegisters].map((r) => r.name),
  ...Object.values(pstateFieldNames),
  ...['UAO', 'PAN', 'DIT', 'SSBS', 'TCO', 'ALLINT'],
];

const operandNames = (): string[] =>
  [
    ...Object.values(barrierNames),
    ...Array.from({ length: 32 }, (_, i) => prefetchName(i) ?? ''),
    ...conditionNames,
    ...['cs', 'cc', 'csync', 'c', 'j', 'jc'],
  ].filter((name) => name !== '');

const extends_ = ['lsl', 'lsr', 'asr', 'ror', 'msl', ...['b', 'h', 'w', 'x'].flatMap((s) => [`uxt${s}`, `sxt${s}`])];

const preprocessorWords = 'define|undef|include|ifdef|ifndef|if|elif|else|endif|pragma|error|warning|line';

const comments: readonly GrammarRule[] = [
  { name: 'comment.block.arm64', begin: '/\\*', end: '\\*/' },
  { name: 'comment.line.double-slash.arm64', match: '//.*$' },
];

const preprocessor: readonly GrammarRule[] = [
  {
    name: 'meta.preprocessor.arm64',
    begin: `^\\s*(#\\s*(?:${preprocessorWords}))\\b`,
    end: '$',
    captures: { 1: { name: 'keyword.control.directive.arm64' } },
    patterns: [
      ...comments,
      { name: 'string.quoted.double.arm64', match: '"(?:[^"\\\\]|\\\\.)*"' },
      { name: 'constant.numeric.arm64', match: '\\b(?:0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]*\\b' },
    ],
  },
  { name: 'comment.line.number-sign.arm64', match: '^#(?![\\w:-]).*$' },
];

const statements = (): readonly GrammarRule[] => [
  {
    match: '(?<=[\\s,#]):([a-z][a-z_0-9]*):([\\w.$]*)',
    captures: { 1: { name: 'support.function.relocation.arm64' } },
  },
  {
    match: `${statement}([A-Za-z_.$][\\w.$]*|[0-9]+)(\\s*)(?=:(?!:))`,
    captures: { 3: { name: 'entity.name.label.arm64' } },
  },
  {
    match: `${statement}(\\.[A-Za-z_][\\w.]*)`,
    captures: { 3: { name: 'keyword.other.directive.arm64' } },
  },
  {
    match: `(?i)${statement}(${anyOf(allMnemonics())})`,
    captures: { 3: { name: 'keyword.mnemonic.arm64' } },
  },
  {
    match: `${statement}([A-Za-z_][\\w.$]*)(?=\\s|$|;)(?!\\s*=)`,
    captures: { 3: { name: 'entity.name.function.macro.arm64' } },
  },
];

const operands = (): readonly GrammarRule[] => [
  { name: 'variable.parameter.macro.arm64', match: '\\\\(?:[A-Za-z_]\\w*|@|\\(\\))' },
  { name: 'variable.language.register.arm64', match: `(?i)(?<![\\w.$])${anyOf(generalRegisters)}` },
  {
    name: 'variable.language.register.vector.arm64',
    match: `(?i)(?<![\\w.$])(?:${vectorRegisters.join('|')})(?:\\.(?:16b|8b|4b|2b|8h|4h|2h|4s|2s|2d|1d|1q|[bhsdq]))?(?![\\w$])`,
  },
  { name: 'support.variable.register.system.arm64', match: `(?i)(?<![\\w.$])${anyOf(systemRegisterNames())}` },
  {
    name: 'support.variable.register.system.arm64',
    match: '(?i)(?<![\\w.$])s[0-3]_[0-7]_c(?:[0-9]|1[0-5])_c(?:[0-9]|1[0-5])_[0-7](?!\\w)',
  },
  { name: 'keyword.operator.extend.arm64', match: `(?i)(?<![\\w.$])${anyOf(extends_)}` },
  { name: 'support.constant.operand.arm64', match: `(?i)(?<![\\w.$])${anyOf(operandNames())}` },
  { name: 'constant.other.label-reference.arm64', match: '(?<![\\w.$])[0-9]+[bf](?![\\w.$])' },
  {
    name: 'constant.numeric.arm64',
    match: '(?<![\\w.$])(?:0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+(?:\\.[0-9]*)?(?:[eE][-+]?[0-9]+)?)(?![\\w$])',
  },
  { name: 'keyword.operator.arm64', match: '<<|>>|[-+*/%&|~!^<>=]' },
  { name: 'punctuation.definition.immediate.arm64', match: '#' },
];

const strings: readonly GrammarRule[] = [
  {
    name: 'string.quoted.double.arm64',
    begin: '"',
    end: '"|$',
    patterns: [{ name: 'constant.character.escape.arm64', match: '\\\\(?:[0-7]{1,3}|x[0-9a-fA-F]+|.)' }],
  },
  { name: 'string.quoted.single.arm64', match: "'(?:\\\\.|[^'\\\\])'?" },
];

/** The grammar, made from the tables. */
export const grammar = (): Grammar => ({
  name: 'A64 assembly',
  scopeName: 'source.arm64',
  fileTypes: ['s', 'S', 'asm'],
  patterns: [...comments, ...preprocessor, ...strings, ...statements(), ...operands()],
});

export const grammarFile: GeneratedFile = {
  file: 'syntaxes/a64.tmLanguage.json',
  script: 'grammar',
  text: () => `${JSON.stringify(grammar(), null, 2)}\n`,
};

writeWhenMain(grammarFile, import.meta.url);
