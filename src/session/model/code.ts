/**
 * The hypervisor model as code to debug: its routines' steps have addresses, and stand in the TypeScript that defines them. A
 * step's line is where its name is, so that the text shown is the one that runs and nothing has to be kept in step by hand.
 */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { type RoutineTable, TEXT_BASE } from '../../hypervisor/run/routines';
import type { SourceLine } from '../../protocol';
import { sourceOf } from '../sourcePaths';

/** A file of the model, as it was built. */
export interface SourceText {
  /** `exits.ts`. */
  readonly name: string;
  readonly text: string;
}

/** A step of a routine by its number. */
export interface StepPlace {
  readonly routine: string;
  readonly at: number;
}

interface Line {
  readonly file: number;
  readonly line: number;
}

const ORIGIN = 'hypervisor model';
/** A routine's name, or a step's: single or double quotes. */
const NAMES = /\bname: '([^']+)',\s*steps:|\bstep\(\s*(?:'((?:[^'\\]|\\.)*)'|"([^"]*)")/g;
const key = (routine: string, step: string): string => `${routine}: ${step}`;

/** Where the routines and steps of the files are. */
function linesOf(sources: readonly SourceText[]): Map<string, Line> {
  const lines = new Map<string, Line>();
  for (const [file, { text }] of sources.entries()) {
    let routine = '';
    for (const match of text.matchAll(NAMES)) {
      const step = match[2]?.replace(/\\(.)/g, '$1') ?? match[3];
      // The name itself: what leads to it or follows may be on other lines.
      const end = match.index + match[0].search(/['"]/);
      const place = { file, line: text.slice(0, end).split('\n').length };
      if (step === undefined) routine = match[1];
      const name = step === undefined ? routine : key(routine, step);
      if (!lines.has(name)) lines.set(name, place);
    }
  }
  return lines;
}

export class ModelCode {
  private readonly lines: ReadonlyMap<string, Line>;

  constructor(
    private readonly table: RoutineTable,
    private readonly sources: readonly SourceText[],
  ) {
    this.lines = linesOf(sources);
  }

  /** The step at an address. */
  at(address: bigint): StepPlace | undefined {
    if (address < BigInt(TEXT_BASE) || address >> 52n !== 0n) return undefined;
    const found = this.table.at(Number(address));
    return found && { routine: found.routine.name, at: found.at };
  }

  address({ routine, at }: StepPlace): bigint {
    return BigInt(this.table.address(routine, at));
  }

  stepName({ routine, at }: StepPlace): string {
    return this.table.get(routine)?.steps[at]?.name ?? 'return';
  }

  /** `kvm_handle_sys_reg: emulate the access`. */
  nameOf(place: StepPlace): string {
    return key(place.routine, this.stepName(place));
  }

  /** Addresses that the name of a routine, or of a step of one, means. */
  named(text: string): bigint[] {
    const [routine, ...rest] = text.split(':');
    const step = rest.join(':').trim();
    const rows = this.table.get(routine.trim())?.steps ?? [];
    const at = step === '' ? 0 : rows.findIndex((row) => row.name === step);
    return rows[at] === undefined ? [] : [this.address({ routine: routine.trim(), at })];
  }

  /** Where a step stands. */
  lineOf(place: StepPlace): Line | undefined {
    return this.lines.get(this.nameOf(place)) ?? this.lines.get(place.routine);
  }

  sourceLine(place: StepPlace): SourceLine | undefined {
    const found = this.lineOf(place);
    return found && { path: this.pathOf(found.file), line: found.line, sourceReference: found.file + 1 };
  }

  private pathOf(file: number): string {
    return `${ORIGIN}/${this.sources[file].name}`;
  }

  /** A file as a client knows it. */
  source(file: number): Dap.Source {
    return sourceOf({ path: this.pathOf(file), sourceReference: file + 1 });
  }

  get files(): readonly Dap.Source[] {
    return this.sources.map((_, file) => this.source(file));
  }

  /** The number of the file that a client means. */
  fileOf({ path, sourceReference }: Dap.Source): number | undefined {
    if (path?.startsWith(`${ORIGIN}/`))
      return this.known(this.sources.findIndex(({ name }) => path.endsWith(`/${name}`)));
    return path === undefined && sourceReference ? this.known(sourceReference - 1) : undefined;
  }

  private known(file: number): number | undefined {
    return this.sources[file] && file;
  }

  text(sourceReference: number): string | undefined {
    return this.sources[sourceReference - 1]?.text;
  }

  /** Steps of a file by their lines, in order. */
  private stepsOf(file: number): (StepPlace & { readonly line: number })[] {
    const all = this.table.routines.flatMap(({ name, steps }) =>
      steps.map((_, at) => ({ routine: name, at, ...(this.lineOf({ routine: name, at }) ?? { file: -1, line: 0 }) })),
    );
    return all.filter((step) => step.file === file).sort((a, b) => a.line - b.line);
  }

  /** The first step at a line or after it. */
  locate(file: number, line: number): { readonly address: bigint; readonly line: number } | undefined {
    const step = this.stepsOf(file).find((other) => other.line >= line);
    return step && { address: this.address(step), line: step.line };
  }

  /** Lines of a range that have a step. */
  linesIn(file: number, from: number, to: number): number[] {
    return this.stepsOf(file)
      .map(({ line }) => line)
      .filter((line) => line >= from && line <= to);
  }
}
