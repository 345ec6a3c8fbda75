/**
 * `npm run difftest -- [--seconds N] [--seed S] [--row NAME]… [--case K] [--subject elscope|engine|qemu-system] [--cpu NAME]`:
 * random instructions on QEMU's user mode and on elscope, every row in turn until the time is over. Says its seed, and at the
 * end how many cases each row had. Exit 1 when anything differs, or a known difference does no longer.
 */
import { randomInt } from 'node:crypto';
import { ensurePackages } from '../../src/build/host/debian';
import { coreTypes } from '../../src/machine/presets';
import { type Bench, benches, LACKING } from './benches';
import type { CaseRunner } from './cases';
import { compare, describeDifference } from './compare';
import { engineRunner, needsMachine } from './engineRunner';
import { makeCase } from './generate';
import { type Options, readOptions } from './options';
import { qemuUserRunner } from './qemuUser';
import { elscopeRunner, qemuSystemRunner } from './system';
import { Tally } from './tally';

/** Cases of a row in the first round, and at most in one: a run keeps its time, and starting the two sides costs some. */
const FIRST_ROUND = 8;
const LARGEST_ROUND = 96;
const SHOWN = 10;

function subjectRunner({ subject }: Options, { cpu, qemu }: Bench): CaseRunner {
  if (subject === 'elscope') return elscopeRunner(cpu, qemu === 'system 7.2' ? LACKING : []);
  if (subject === 'engine') return engineRunner(coreTypes[cpu].features);
  if (subject === 'qemu-system') return qemuSystemRunner(cpu);
  throw new Error('--subject takes elscope, engine or qemu-system');
}

/** The options that choose what runs a case, for the command that runs one again. */
function replayOptions({ subject, cpu }: Options): string {
  return `${subject === 'elscope' ? '' : ` --subject ${subject}`}${cpu ? ` --cpu ${cpu}` : ''}`;
}

const oracleRunner = ({ cpu, qemu }: Bench): CaseRunner =>
  qemu === 'system 7.2' ? qemuSystemRunner(cpu) : qemuUserRunner(cpu, qemu);

/** A bench with what runs its cases on both sides. */
interface Pair {
  readonly bench: Bench;
  readonly oracle: CaseRunner;
  readonly subject: CaseRunner;
}

/** Cases `from` to `from + count - 1` of every row of a bench. */
async function runCases(options: Options, pair: Pair, from: number, count: number, tally: Tally): Promise<void> {
  const { bench, oracle, subject } = pair;
  const cases = bench.recipes.flatMap((recipe) =>
    Array.from({ length: count }, (_, i) => makeCase(recipe, options.seed, from + i)),
  );
  const [expected, found] = await Promise.all([oracle.run(cases), subject.run(cases)]);
  cases.forEach((c, i) => {
    tally.count(c.row);
    const verdict = compare(c, expected[i], found[i], (entry) => tally.sawKnown(entry));
    if (verdict !== 'different') return;
    tally.sawDifferent(c.row);
    if (tally.different > SHOWN) return;
    const names = [oracle.name, subject.name] as const;
    console.log(describeDifference(c, expected[i], found[i], names, replayOptions(options)) + '\n');
  });
}

/** Rounds over all rows until the time is over, the last one as large as still fits. */
async function runFor(milliseconds: number, options: Options, plan: readonly Pair[], tally: Tally): Promise<void> {
  const until = Date.now() + milliseconds;
  let from = 0;
  for (let count = FIRST_ROUND; count > 0; ) {
    const start = Date.now();
    for (const pair of plan) await runCases(options, pair, from, count, tally);
    from += count;
    const perCase = (Date.now() - start) / count;
    count = Math.min(LARGEST_ROUND, Math.floor((until - Date.now()) / perCase));
  }
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), () => randomInt(2 ** 31));
  await ensurePackages(console.log);
  const plan = benches(
    options,
    ({ name, feature }) =>
      (options.rows.length === 0 || options.rows.includes(name)) &&
      !(options.subject === 'engine' && (needsMachine.has(name) || feature === 'FEAT_PAuth')),
  );
  const names = new Set(plan.flatMap(({ recipes }) => recipes.map(({ name }) => name)));
  const unknown = options.rows.find((name) => !names.has(name));
  if (unknown) throw new Error(`--row ${unknown}: there is no such row, or it cannot be tested at EL0`);
  for (const { cpu, qemu, recipes } of plan) console.log(`${recipes.length} rows on ${cpu}, judged by QEMU ${qemu}`);
  console.log(`seed ${options.seed}`);
  const tally = new Tally();
  const pairs = plan.map((bench) => ({
    bench,
    oracle: oracleRunner(bench),
    subject: subjectRunner(options, bench),
  }));
  if (options.only !== undefined) for (const pair of pairs) await runCases(options, pair, options.only, 1, tally);
  else await runFor(options.seconds * 1000, options, pairs, tally);
  for (const line of tally.report()) console.log(line);
  const gone = options.subject === 'elscope' ? tally.gone() : [];
  for (const { reason } of gone) console.log(`does not differ any more, take it out of known.ts: ${reason}`);
  console.log(`${tally.total} cases of ${tally.rows} rows, ${tally.different} different, seed ${options.seed}`);
  if (tally.different > 0 || gone.length > 0) process.exitCode = 1;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 2;
});
