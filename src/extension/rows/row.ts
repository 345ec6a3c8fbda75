/**
 * Rows of the trees as plain data: what a row says to the eye and to a screen reader, and what can be done with it. The
 * functions beside this file make them from view models; only `LiveTree` turns them into VS Code's items.
 */
import type { CacheKind, SourceLine } from '../../protocol/views';

/** What is noteworthy about a row; shown as a badge and a colour, and spoken. */
export type Mark = 'differs' | 'changed' | 'changedAndDiffers';

/** One cache of one core. */
export interface CacheKey {
  readonly core: number;
  readonly level: number;
  readonly kind: CacheKind;
}
export interface LineKey extends CacheKey {
  readonly set: number;
  readonly way: number;
}

/** Sets of a cache whose rows are fetched when somebody opens them. */
export interface SetRange extends CacheKey {
  readonly start: number;
  readonly count: number;
}

export interface Row {
  /** The same for the same thing at every stop, so that what is open stays open. */
  readonly id: string;
  readonly label: string;
  /** Ranges [from, to) of the label to set off. */
  readonly highlights?: readonly (readonly [number, number])[];
  readonly description?: string;
  /** Markdown. */
  readonly tooltip?: string;
  /** Codicon and theme colour. */
  readonly icon?: string;
  readonly color?: string;
  readonly mark?: Mark;
  /** Words joined by spaces, for the menus' `when` clauses: `core`, `copy line pin`. */
  readonly context?: string;
  /** What a screen reader says; the label and the description when absent. */
  readonly spoken?: string;
  /** Open when first shown. */
  readonly open?: boolean;
  readonly children?: readonly Row[];
  /** Instead of `children`: they are asked for when the row is opened. */
  readonly sets?: SetRange;
  /** The VM whose stage-2 tables are asked for in the same way. */
  readonly stage2?: number;

  /** What Copy Value copies. */
  readonly value?: string;
  /** Address reference to pin or to show. */
  readonly address?: string;
  readonly line?: LineKey;
  readonly cache?: CacheKey;
  readonly source?: SourceLine;
  readonly core?: number;
  readonly vcpu?: { readonly vm: number; readonly vcpu: number; readonly core: number };
  readonly vm?: number;
  /** The name of a policy. */
  readonly policy?: string;
  /** The pin that the row shows. */
  readonly pin?: string;
}

/** Theme colours, by what they say here. */
export const colors = {
  stopped: 'debugIcon.breakpointCurrentStackframeForeground',
  running: 'debugIcon.startForeground',
  waiting: 'descriptionForeground',
  off: 'disabledForeground',
  clean: 'elscope.cacheLineClean',
  dirty: 'elscope.cacheLineDirty',
  differs: 'elscope.cacheLineDiffers',
  changed: 'elscope.cacheLineChanged',
} as const;

export const markOf = (differs: boolean, changed: boolean): Mark | undefined =>
  differs ? (changed ? 'changedAndDiffers' : 'differs') : changed ? 'changed' : undefined;

/** Text that Markdown does not take for its own. */
export const plain = (text: string): string => text.replace(/[\\`*_{}[\]()#+\-.!|<>~$]/g, '\\$&');

/** Rows of a two-column Markdown table under a heading. */
export function factTable(title: string, facts: readonly (readonly [string, string | undefined])[]): string {
  const rows = facts.flatMap(([name, value]) => (value === undefined ? [] : [`| ${plain(name)} | ${value} |`]));
  return [`**${plain(title)}**`, '', '| | |', '|---|---|', ...rows].join('\n');
}

export const code = (text: string): string => `\`${text.replaceAll('`', '')}\``;
