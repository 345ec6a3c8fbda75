/**
 * `npm run readme`: the parts of README.md that tables and types of the sources say, each between two comments
 * (`<!-- NAME: … -->` and `<!-- end of NAME -->`). Everything else in README.md is written by hand.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { capabilities } from '../adapter/capabilities';
import { attributesMarkdown } from '../adapter/launchAttributes';
import { findingKinds } from '../machine/api';
import { customRequests } from '../protocol';
import { type GeneratedFile, writeWhenMain } from './generated';
import { ROOT } from './paths';
import { machineFieldsMarkdown, optionsMarkdown, presetsMarkdown } from './reference';

const PROTOCOL = path.join('src', 'protocol');
const source = (name: string): string => readFileSync(path.join(ROOT, PROTOCOL, name), 'utf8');
/** Types are shown as a client of another language needs them: no modifiers. */
const plain = (text: string): string => text.replace(/\b(export|readonly) /g, '');

/** The text with one block's contents replaced. @throws Error when the block is not there exactly once */
export function withBlock(text: string, name: string, body: string): string {
  const parts = text.split(new RegExp(`(<!-- ${name}: [^\\n]*-->\\n)[\\s\\S]*?(<!-- end of ${name} -->)`));
  if (parts.length !== 4) throw new Error(`README.md has ${(parts.length - 1) / 3} blocks "${name}"`);
  const [before, begin, end, after] = parts;
  return `${before}${begin}\n${body.trim()}\n\n${end}${after}`;
}

/** Where the answers' types are: `'elscope/cores': answer<CoresView>()(…)`. */
function replyTypes(): ReadonlyMap<string, string> {
  const rows = source('custom.ts').matchAll(/^ {2}'(elscope\/\w+)': answer<(.+?)>\(\)\(/gm);
  return new Map([...rows].map(([, name, type]) => [name, plain(type)]));
}

export function requestsMarkdown(): string {
  const types = replyTypes();
  const rows = Object.entries(customRequests).map(([name, { params, when, doc }]) => {
    const type = types.get(name);
    if (type === undefined) throw new Error(`custom.ts does not say what ${name} answers`);
    const reply = type === 'object' ? '' : ` → \`${type}\``;
    const only = when === 'stopped' ? ' Only while the guest stands still.' : '';
    const head = params.form === '' ? '' : ` \`${params.form}\``;
    return `- **\`${name}\`**${head}${reply}<br>\n  ${doc}${only}`;
  });
  return rows.join('\n');
}

/** The declaration of the events, with each event's comment. */
export function eventsMarkdown(): string {
  const body = /export type CustomEvents = \{\n([\s\S]*?)\n\};/.exec(source('custom.ts'))?.[1];
  const rows = [...(body ?? '').matchAll(/\/\*\* (.+?) \*\/\n\s*readonly '(elscope\/\w+)': (.+);/g)];
  if (rows.length === 0) throw new Error('custom.ts has no events');
  return rows.map(([, doc, name, type]) => `- **\`${name}\`** \`${plain(type)}\`<br>\n  ${doc}`).join('\n');
}

/** Every declaration of views.ts. */
export function viewTypesMarkdown(): string {
  const [, ...rest] = source('views.ts').split(/^(?=\/\*\* `0x` and 16)/m);
  if (rest.length !== 1) throw new Error('views.ts does not begin as it did');
  return ['```ts', plain(rest[0]).trim(), '```'].join('\n');
}

/** One line for a filter of its own, one for those of an exception level. */
export function filtersMarkdown(): string {
  const { exceptionBreakpointFilters: filters = [] } = capabilities;
  const ofLevel = (el: number): string[] => filters.map((f) => f.filter).filter((id) => id.startsWith(`EL${el}.`));
  const own = filters.filter(({ filter }) => !/^EL\d\./.test(filter));
  const lines = own.map(({ filter, label, description, default: on }) => {
    return `| \`${filter}\` | ${label} | ${description}${on ? ' (on from the start)' : ''} |`;
  });
  const levels = [1, 2, 3].map((el) => {
    const ids = ofLevel(el).map((id) => `\`${id}\``);
    return `| ${ids.join(' ')} | EL${el}: one for each kind | Stop when EL${el} takes one, at its vector |`;
  });
  return ['| filter | in the Breakpoints view | |', '|---|---|---|', ...lines, ...levels].join('\n');
}

/** One line for each kind of finding. */
export const findingKindsMarkdown = (): string =>
  [
    '| finding | |',
    '|---|---|',
    ...Object.entries(findingKinds).map(([kind, { what }]) => `| ${kind} | ${what} |`),
  ].join('\n');

const blocks: readonly (readonly [string, () => string])[] = [
  ['launch attributes', attributesMarkdown],
  ['exception filters', filtersMarkdown],
  ['custom requests', requestsMarkdown],
  ['custom events', eventsMarkdown],
  ['types of the replies', viewTypesMarkdown],
  ['command line options', () => optionsMarkdown()],
  ['findings', findingKindsMarkdown],
  ['machine presets', presetsMarkdown],
  ['machine file fields', () => machineFieldsMarkdown()],
];

export const readmeFile: GeneratedFile = {
  file: 'README.md',
  script: 'readme',
  text: () => {
    const text = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
    return blocks.reduce((now, [name, make]) => withBlock(now, name, make()), text);
  },
};

writeWhenMain(readmeFile, import.meta.url);
