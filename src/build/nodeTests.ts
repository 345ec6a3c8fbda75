/**
 * Runs test files with Node's test runner in few processes: starting a process and loading the TypeScript loader costs
 * more than most test files, so files are dealt out to shards, and each shard is one process. Prints what failed and
 * Node's summary. Hooks at the top level of a file therefore run once for a shard; tests use them inside `describe`.
 */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { ROOT } from './paths';
import { type Counts, reportCounts } from './stages';

export interface NodeTestOptions {
  readonly processes: number;
  /** Also name every test that passed. */
  readonly verbose?: boolean;
  /** False: the caller sets the exit code and reports the counts. */
  readonly report?: boolean;
}

/** A file's share of the work: its bytes, loading it, and that it takes long if its name says so. */
const weight = (file: string): number => statSync(file).size + 2000 + (file.endsWith('.slow.test.ts') ? SLOW : 0);
const SLOW = 50_000;
/** Some files take far longer than their size says: what is left goes to whoever is free. */
const SHARDS_A_PROCESS = 4;

/** All files below `dir` whose name ends in `suffix`, sorted, without those in the direct sub-folders `skip`. */
export function filesBelow(dir: string, suffix: string, skip: readonly string[] = []): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const file = path.join(dir, entry.name);
    if (entry.isDirectory()) found.push(...(skip.includes(entry.name) ? [] : filesBelow(file, suffix)));
    else if (entry.name.endsWith(suffix)) found.push(file);
  }
  return found.sort();
}

/** Deals files out to at most `count` shards of about the same number of bytes. */
export function deal(files: readonly string[], count: number, size: (file: string) => number): string[][] {
  const shards = Array.from({ length: Math.min(count, files.length) }, () => ({ files: [] as string[], bytes: 0 }));
  for (const file of [...files].sort((a, b) => size(b) - size(a) || (a < b ? -1 : 1))) {
    const least = shards.reduce((best, shard) => (shard.bytes < best.bytes ? shard : best));
    least.files.push(file);
    least.bytes += size(file);
  }
  return shards.map((shard) => shard.files);
}

/** Runs the files; sets the exit code when a test failed or none ran, and reports the counts to the stage runner. */
export async function runNodeTests(files: readonly string[], options: NodeTestOptions): Promise<Counts> {
  const started = Date.now();
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'elscope-unit-'));
  const shards = new Map<string, readonly string[]>();
  const tally = new Tally(options.verbose ?? false, shards);
  try {
    const entries = deal(files, options.processes * SHARDS_A_PROCESS, weight).map((shard, index) => {
      const name = `${index + 1}.shard.mjs`;
      shards.set(name, shard);
      writeFileSync(path.join(scratch, name), shardText(shard));
      return path.join(scratch, name);
    });
    const events = entries.length > 0 ? run({ files: entries, concurrency: options.processes }) : [];
    for await (const event of events) tally.take(event);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  if (tally.passed + tally.failed + tally.skipped === 0) {
    console.log('✖ no tests were found');
    tally.failed = 1;
  }
  const { passed, failed, skipped } = tally;
  const rows = { files: files.length, pass: passed, fail: failed, skipped, duration_ms: Date.now() - started };
  for (const [name, value] of Object.entries(rows)) console.log(`ℹ ${name} ${value}`);
  if (options.report !== false) report({ passed, failed });
  return { passed, failed };
}

function report(counts: Counts): void {
  reportCounts(counts);
  if (counts.failed > 0) process.exitCode = 1;
}

/** Runs files one after the other; one that fails is run once more, and only that run counts. */
export async function runTwiceIfNeeded(files: readonly string[], options: NodeTestOptions): Promise<Counts> {
  const total = { passed: 0, failed: 0 };
  for (const file of files) {
    let counts = await runNodeTests([file], { ...options, report: false });
    if (counts.failed > 0) {
      console.log(`ℹ once more: ${path.relative(ROOT, file)}`);
      counts = await runNodeTests([file], { ...options, report: false });
    }
    total.passed += counts.passed;
    total.failed += counts.failed;
  }
  report(files.length > 0 ? total : { passed: 0, failed: 1 });
  return total;
}

type TestPass = Extract<TestEvent, { type: 'test:pass' }>['data'];
type TestFail = Extract<TestEvent, { type: 'test:fail' }>['data'];

/** Counts the leaves of the tree of tests and prints those that failed. */
class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;
  /** Names from the outermost suite down to the test that started last. */
  private readonly path: string[] = [];

  /** `shards`: the files in each, by the shard's path. */
  constructor(
    private readonly verbose: boolean,
    private readonly shards: ReadonlyMap<string, readonly string[]>,
  ) {}

  take(event: TestEvent): void {
    switch (event.type) {
      case 'test:start':
        this.path.length = event.data.nesting;
        this.path[event.data.nesting] = event.data.name;
        break;
      case 'test:pass':
        this.pass(event.data);
        break;
      case 'test:fail':
        this.fail(event.data);
        break;
      case 'test:stdout':
      case 'test:stderr':
        process.stdout.write(event.data.message);
        break;
      case 'test:diagnostic':
        if (!SUMMARY.test(event.data.message)) console.log(`ℹ ${event.data.message}`);
        break;
    }
  }

  private pass(data: TestPass): void {
    if (this.shards.has(path.basename(data.name))) return;
    // A suite that is skipped reports none of its tests: it counts as one.
    if (isSet(data.skip) || isSet(data.todo)) this.skipped++;
    else if (data.details.type !== 'suite') {
      this.passed++;
      if (this.verbose) console.log(`✔ ${this.title(data)} (${data.details.duration_ms.toFixed(1)} ms)`);
    }
  }

  private fail(data: TestFail): void {
    const { error } = data.details;
    if (isSet(data.todo)) this.skipped++;
    // A parent fails because its children do: those are counted already.
    else if (!('failureType' in error) || error.failureType !== 'subtestsFailed') {
      this.failed++;
      console.log(`✖ ${this.title(data)}\n${describeError(error)}`);
    }
  }

  private title(data: { readonly name: string; readonly nesting: number }): string {
    const shard = this.shards.get(path.basename(data.name));
    if (shard) return `one of these files ended its process, or failed outside its tests:\n  ${shard.join('\n  ')}`;
    return [...this.path.slice(0, data.nesting), data.name].join(' › ');
  }
}

const SUMMARY = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /;

function isSet(mark: string | boolean | undefined): boolean {
  return mark !== undefined && mark !== false;
}

/**
 * A module that imports the shard's files. A file that cannot be loaded is a failed test of its own; a test may not
 * end the process, because that would silently take others with it.
 */
function shardText(files: readonly string[]): string {
  const list = files.map((file) => [path.relative(ROOT, file), pathToFileURL(file).href]);
  return `import test from 'node:test';
process.exit = (code) => { throw new Error('called process.exit(' + code + ')'); };
for (const [name, url] of ${JSON.stringify(list)}) {
  try { await import(url); } catch (error) { test(name, () => { throw error; }); }
}
`;
}

function describeError(error: Error): string {
  const cause = error.cause ?? error;
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause);
  const own = text.split('\n').filter((line) => !/^ +at .*\(?node:internal/.test(line));
  return own.map((line) => `    ${line}`).join('\n');
}
