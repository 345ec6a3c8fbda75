/**
 * The stages of `npm test`: each is timed, a failing one does not keep the others from running, and what they report
 * is added up for the last line. A stage that counts no tests counts as one failed test when it fails.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

export interface Stage {
  readonly name: string;
  /** Stages that must have gone well before. */
  readonly needs?: readonly string[];
  /** Slow work without output, such as a download, that begins with the first stage; `run` comes after it. */
  ahead?(): Promise<unknown>;
  /** Throws, or gives counts; nothing means that it went well and counts no tests. */
  run(): Promise<Counts | undefined>;
}

const COUNTS_FILE = 'ELSCOPE_TEST_COUNTS';

/** Called in a test process: hands the counts to the stage that started it, if one did. */
export function reportCounts(counts: Counts): void {
  const file = process.env[COUNTS_FILE];
  if (file) writeFileSync(file, JSON.stringify(counts));
}

/** Runs `body` with an environment in which child processes report counts. @returns what they reported. */
export async function collectCounts(name: string, body: (env: NodeJS.ProcessEnv) => Promise<number>): Promise<Counts> {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'elscope-counts-'));
  const file = path.join(scratch, 'counts.json');
  try {
    const code = await body({ ...process.env, [COUNTS_FILE]: file });
    if (!existsSync(file)) throw new Error(`${name}: no test results (exit ${code})`);
    const counts: Counts = JSON.parse(readFileSync(file, 'utf8'));
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The stages whose names start with one of `starts` (all when there are none), with those that they need. */
export function withNeeded(stages: readonly Stage[], starts: readonly string[]): Stage[] {
  if (starts.length === 0) return [...stages];
  const wanted = new Set<string>();
  const want = (stage: Stage | undefined): void => {
    if (!stage || wanted.has(stage.name)) return;
    wanted.add(stage.name);
    for (const name of stage.needs ?? []) want(stages.find((other) => other.name === name));
  };
  for (const start of starts) {
    const found = stages.filter((stage) => stage.name.startsWith(start));
    if (found.length === 0) throw new Error(`no stage is called ${start}: ${stages.map((row) => row.name).join(', ')}`);
    found.forEach(want);
  }
  return stages.filter((stage) => wanted.has(stage.name));
}

/** Runs the stages in order and prints the last line. @returns the sum. */
export async function runStages(stages: readonly Stage[]): Promise<Counts> {
  const sum = { passed: 0, failed: 0 };
  const good = new Set<string>();
  const begun = performance.now();
  const ahead = beginAhead(stages);
  for (const stage of stages) {
    const lacking = (stage.needs ?? []).filter((name) => !good.has(name));
    if (lacking.length > 0) {
      console.log(`\n── ${stage.name}: not run, because of ${lacking.join(' and ')}`);
      sum.failed++;
      continue;
    }
    const counts = await runStage(stage, ahead.get(stage));
    sum.passed += counts?.passed ?? 0;
    sum.failed += counts?.failed ?? 0;
    if (!counts?.failed) good.add(stage.name);
  }
  console.log(`\n── all stages: ${seconds(begun)}\n${sum.passed} passed, ${sum.failed} failed`);
  return sum;
}

/** Starts the work that may begin early, one piece after the other. A failure shows when its stage comes. */
function beginAhead(stages: readonly Stage[]): Map<Stage, Promise<unknown>> {
  const started = new Map<Stage, Promise<unknown>>();
  let last: Promise<unknown> = Promise.resolve();
  for (const stage of stages) {
    if (!stage.ahead) continue;
    const work = last.then(() => stage.ahead?.());
    last = work.catch(() => undefined);
    started.set(stage, work);
  }
  return started;
}

async function runStage(stage: Stage, ahead: Promise<unknown> | undefined): Promise<Counts | undefined> {
  console.log(`\n── ${stage.name}`);
  const start = performance.now();
  const body = async (): Promise<Counts | undefined> => {
    await ahead;
    return stage.run();
  };
  const counts = await body().catch((error: unknown) => {
    console.log(error instanceof Error ? error.message : String(error));
    return { passed: 0, failed: 1 };
  });
  const tests = counts ? `, ${counts.passed} passed, ${counts.failed} failed` : '';
  console.log(`── ${stage.name}: ${counts?.failed ? 'FAILED' : 'ok'}${tests} (${seconds(start)})`);
  return counts;
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
