/** Runs variants of scenarios: the machine file with the variant's changes, to the end, and judges what came of it. */
import { UserError } from '../base/errors';
import { decodeUtf8, encodeUtf8 } from '../base/utf8';
import { HOST_CONSOLE } from '../machine/api';
import { launch } from '../machine/launch';
import type { LaunchPorts } from '../machine/launch.types';
import { ElscopeMachine } from '../machine/machine';
import { parseJson } from '../machine/machineFile';
import type { Json, Ran, Result, Scenario, Variant, Verdict } from './types';

export interface RunOptions {
  readonly ports: LaunchPorts;
  /** Path of media/samples. */
  readonly folder: string;
  /** Changes of all variants, each `NAME=VALUE`. */
  readonly policies?: readonly string[];
}

/** Instructions in all, and between looks at how many there were. */
const LIMIT = 50_000_000;
const SLICE = 5_000_000;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `base` with `changes`: objects are merged, `null` takes a field away, all else is replaced. */
export function merged(base: Json, changes: Json): Json {
  const result: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(changes)) {
    const old = result[name];
    if (value === null) delete result[name];
    else result[name] = isObject(value) && isObject(old) ? merged(old, value) : value;
  }
  return result;
}

/** The machine file of a variant, as a text. */
export function machineText(variant: Variant, text: string, path: string): string {
  const base = parseJson(text, path) as Json;
  return JSON.stringify(merged(base, { ...variant.machine, $schema: null }), null, 2);
}

export function runVariant(scenario: Scenario, variant: Variant, { ports, folder, policies = [] }: RunOptions): Ran {
  const file = `${folder}/${scenario.machine}.json`;
  const own = Object.entries(variant.policies ?? {}).map(([name, value]) => `${name}=${value}`);
  const { machine } = launch(
    {
      program: `${folder}/${variant.program ?? scenario.program}.elf`,
      machine: file,
      kvm: variant.kvm,
      policies: [...own, ...policies],
      checker: variant.checker ?? 'off',
    },
    {
      ...ports,
      readFile: (path, what) => {
        const bytes = ports.readFile(path, what);
        return path === file ? encodeUtf8(machineText(variant, decodeUtf8(bytes), path)) : bytes;
      },
    },
  );
  if (!(machine instanceof ElscopeMachine)) throw new UserError('scenario.noModel', { name: scenario.name });
  let text = '';
  machine.onConsole((uart, bytes) => {
    if (uart !== HOST_CONSOLE) text += decodeUtf8(bytes).replaceAll('\r', '');
  });
  let ended = 'limit';
  while (ended === 'limit' && machine.instructions() < (scenario.limit ?? LIMIT)) {
    const stop = machine.run(SLICE);
    if (stop.reason === 'exited') ended = stop.how;
    else if (stop.reason !== 'limit') ended = stop.reason;
  }
  const model = machine.hypervisor;
  if (model === undefined) throw new UserError('scenario.noModel', { name: scenario.name });
  const { log } = model;
  return { console: text, log, findings: machine.findings(), statistics: machine.statistics(), model, ended };
}

/** What the outcomes come to. A run that does not end as it should fails whatever it said before. */
export function judge(scenario: Scenario, variant: Variant, run: Ran): Result {
  const verdicts = Object.entries(scenario.outcomes).map(([outcome, { title, of }]): Verdict => {
    const value = of(run);
    const expected = variant.expect[outcome];
    const row = { outcome, title, value, holds: expected === undefined || value === expected };
    return expected === undefined ? row : { ...row, expected };
  });
  if (run.ended === 'limit' || run.ended === 'idle' || run.ended === 'exceptionLoop')
    verdicts.push({
      outcome: 'end',
      title: 'how the run ended',
      value: run.ended,
      expected: 'by itself',
      holds: false,
    });
  return { variant, verdicts, holds: verdicts.every((row) => row.holds) };
}

export const runScenario = (scenario: Scenario, variants: readonly Variant[], options: RunOptions): Result[] =>
  variants.map((variant) => judge(scenario, variant, runVariant(scenario, variant, options)));
