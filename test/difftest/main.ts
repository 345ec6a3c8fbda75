/**
 * `npm run difftest -- [--seconds N] [--seed S] [--row NAME]… [--case K] [--subject elscope|engine|qemu-system] [--cpu NAME]`:
 * random instructions on QEMU's user mode and on elscope, until the time is over. Exit 1 when anything differs.
 */
import { parseArgs } from 'node:util';
import { type CoreTypeName, coreTypes } from '../../src/machine/presets';
import type { CaseRunner } from './cases';
import { compare, describeDifference } from './compare';
import { engineRunner, needsMachine } from './engineRunner';
import { allRecipes, makeCase } from './generate';
import { knownDifferences } from './known';
import { qemuUserRunner } from './qemuUser';
import { elscopeRunner, qemuSystemRunner } from './system';

/** Cores that both sides know by the same name. */
const CPUS = [
  'cortex-a53',
  'cortex-a57',
  'cortex-a72',
  'neoverse-n1',
  'max',
] as const satisfies readonly CoreTypeName[];
type CpuName = (typeof CPUS)[number];
const isCpu = (name: string): name is CpuName => (CPUS as readonly string[]).includes(name);

const CASES_PER_ROW = 24;
const SHOWN = 10;

interface Options {
  readonly seconds: number;
  readonly seed: number;
  readonly rows: readonly string[];
  readonly only?: number;
  readonly subject: string;
  readonly cpu: CpuName;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      row: { type: 'string', multiple: true, default: [] },
      case: { type: 'string' },
      subject: { type: 'string', default: 'elscope' },
      cpu: { type: 'string', default: 'cortex-a57' },
    },
  });
  const number = (name: string, text: string): number => {
    if (!/^\d+$/.test(text)) throw new Error(`--${name} takes a number, not "${text}"`);
    return Number(text);
  };
  const { cpu } = values;
  if (!isCpu(cpu)) throw new Error(`--cpu takes one of ${CPUS.join(', ')}`);
  return {
    seconds: number('seconds', values.seconds),
    seed: number('seed', values.seed),
    rows: values.row,
    only: values.case === undefined ? undefined : number('case', values.case),
    subject: values.subject,
    cpu,
  };
}

function subjectRunner({ subject, cpu }: Options): CaseRunner {
  if (subject === 'elscope') return elscopeRunner(cpu);
  if (subject === 'engine') return engineRunner();
  if (subject === 'qemu-system') return qemuSystemRunner(cpu);
  throw new Error('--subject takes elscope or qemu-system');
}

async function main(): Promise<void> {
  const options = readOptions();
  const recipes = allRecipes(coreTypes[options.cpu].features).filter(
    ({ name }) =>
      (options.rows.length === 0 || options.rows.includes(name)) &&
      !(options.subject === 'engine' && needsMachine.has(name)),
  );
  const unknown = options.rows.find((name) => !recipes.some((recipe) => recipe.name === name));
  if (unknown) throw new Error(`--row ${unknown}: there is no such row, or it cannot be tested at EL0`);
  const [oracle, subject] = [qemuUserRunner(options.cpu), subjectRunner(options)];
  const replay = `${options.subject === 'elscope' ? '' : ` --subject ${options.subject}`}${options.cpu === 'cortex-a57' ? '' : ` --cpu ${options.cpu}`}`;
  const known = new Map<string, number>();
  let [count, different] = [0, 0];
  const until = Date.now() + options.seconds * 1000;
  for (let round = 0; ; round++) {
    const indexes =
      options.only === undefined
        ? Array.from({ length: CASES_PER_ROW }, (_, i) => round * CASES_PER_ROW + i)
        : [options.only];
    const cases = recipes.flatMap((recipe) => indexes.map((index) => makeCase(recipe, options.seed, index)));
    const [expected, found] = [await oracle.run(cases), await subject.run(cases)];
    cases.forEach((c, i) => {
      const verdict = compare(c, expected[i], found[i], (reason) => known.set(reason, (known.get(reason) ?? 0) + 1));
      if (verdict !== 'different') return;
      if (different++ < SHOWN)
        console.log(describeDifference(c, expected[i], found[i], [oracle.name, subject.name], replay) + '\n');
    });
    count += cases.length;
    if (options.only !== undefined || Date.now() >= until) break;
  }
  for (const { reason } of knownDifferences) {
    const times = known.get(reason) ?? 0;
    console.log(`known difference, ${times === 0 ? 'not seen in this run' : `${times} times`}: ${reason}`);
  }
  console.log(
    `${count} cases of ${recipes.length} rows, ${different} different (${oracle.name} against ${subject.name})`,
  );
  if (different > 0) process.exitCode = 1;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 2;
});
