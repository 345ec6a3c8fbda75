/** `elscope scenario`: lists the scenarios, runs variants of one or of all, and says which of the asserted outcomes hold. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../base/errors';
import { scenarios } from '../scenarios/index';
import { resultTable } from '../scenarios/report';
import { runScenario, runVariant } from '../scenarios/run';
import type { Scenario, Variant } from '../scenarios/types';
import { nodePorts } from '../worker/nodePorts';
import { type OptionRow, type ParsedOptions, parseOptions } from './options';

export const scenarioOptions = [
  { name: 'variant', value: 'NAME', many: true, doc: 'only this variant' },
  { name: 'policy', value: 'NAME=VALUE', many: true, doc: 'a policy that all variants get; see elscope policies' },
  { name: 'console', doc: 'show what guests and host print as well' },
  { name: 'all', doc: 'run every scenario' },
] as const satisfies readonly OptionRow[];

/** media/samples, beside the bundle or beside the sources. */
function samplesFolder(): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const places = ['..', '../..'].map((up) => path.join(here, up, 'media', 'samples'));
  const found = places.find((place) => statSync(place, { throwIfNoEntry: false })?.isDirectory());
  if (found === undefined) throw new UserError('scenario.files');
  return found;
}

function list(): string {
  const lines = scenarios.map(({ name, title, thread, variants }) => {
    const rows = variants.map((variant) => `    ${variant.name.padEnd(22)} ${variant.title}`);
    return [`${name}: ${title} (thread ${thread})`, ...rows].join('\n');
  });
  return `${lines.join('\n\n')}\n`;
}

function variantsOf(scenario: Scenario, names: readonly string[]): readonly Variant[] {
  if (names.length === 0) return scenario.variants;
  return names.map((name) => {
    const found = scenario.variants.find((variant) => variant.name === name);
    const choices = scenario.variants.map((variant) => variant.name).join(', ');
    return found ?? fail(new UserError('scenario.variant', { scenario: scenario.name, name, choices }));
  });
}

const fail = (error: UserError): never => {
  throw error;
};

function chosen({ positional, values }: ParsedOptions): readonly Scenario[] {
  if (values.all !== undefined) {
    if (positional.length > 0) fail(new UserError('cli.operand', { text: positional[0] }));
    return scenarios;
  }
  return positional.map((name) => {
    const choices = scenarios.map((row) => row.name).join(', ');
    return scenarios.find((row) => row.name === name) ?? fail(new UserError('scenario.unknown', { name, choices }));
  });
}

export function scenarioCommand(args: readonly string[]): number {
  const options = parseOptions(args, scenarioOptions);
  const wanted = chosen(options);
  if (wanted.length === 0) {
    process.stdout.write(list());
    return 0;
  }
  let holds = true;
  const run = { ports: nodePorts(), folder: samplesFolder(), policies: options.values.policy };
  for (const scenario of wanted) {
    const variants = variantsOf(scenario, options.values.variant ?? []);
    if (options.values.console !== undefined)
      for (const variant of variants) {
        const { console, log } = runVariant(scenario, variant, run);
        process.stdout.write(`--- ${variant.name}\n${log.map((line) => `host: ${line}\n`).join('')}${console}`);
      }
    const results = runScenario(scenario, variants, run);
    process.stdout.write(`${resultTable(scenario, results)}\n\n`);
    holds &&= results.every((result) => result.holds);
  }
  return holds ? 0 : 1;
}
