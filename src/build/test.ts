/**
 * `npm test [-- STAGE…]`: everything, or the stages whose names start so and those that they need. Each stage says how
 * long it took; the last line is `N passed, N failed`, and the exit status is 0 only when nothing failed.
 */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { bundle } from './bundle';
import { ensurePackages } from './host/debian';
import { installHost } from './host/install';
import { HOSTS, type HostVersion } from './host/versions';
import { packageVsix } from './package';
import { cacheDir, ROOT } from './paths';
import { attempt, exitOnSignals, processesWith } from './processes';
import { type Counts, collectCounts, runStages, type Stage, withNeeded } from './stages';

const RUN = randomUUID();
const VSIX = path.join(cacheDir(), 'elscope.vsix');
const log = (text: string): void => console.log(text);

/** A stage whose tests run in a process of their own, which reports counts. */
function tests(
  name: string,
  needs: readonly string[],
  [file, ...options]: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Stage {
  const run = (): Promise<Counts> =>
    collectCounts(name, async (inherited) => {
      const args = ['--import', 'tsx', path.join(ROOT, file), ...options];
      const result = await attempt(process.execPath, args, { env: { ...inherited, ...env }, inherit: true });
      return result.code;
    });
  return { name, needs, run };
}

/** A stage that is a program of node_modules, and fails as it does. */
function tool(name: string, program: string, args: readonly string[]): Stage {
  const run = async (): Promise<undefined> => {
    const { code } = await attempt(path.join(ROOT, 'node_modules', '.bin', program), args, { inherit: true });
    if (code !== 0) throw new Error(`${program}: exit ${code}`);
  };
  return { name, run };
}

/** Every instruction row against QEMU for a minute, with a new seed that it prints. */
function differentialTest(): Stage {
  const run = async (): Promise<undefined> => {
    const args = ['--import', 'tsx', path.join(ROOT, 'test/difftest/main.ts'), '--seconds', '60'];
    const { code } = await attempt(process.execPath, args, { inherit: true });
    if (code !== 0) throw new Error('elscope and QEMU differ: the report above has the commands that show it again');
  };
  return { name: 'difftest', needs: ['programs', 'build'], run };
}

function stage(name: string, needs: readonly string[], body: () => Promise<unknown>): Stage {
  const run = async (): Promise<undefined> => {
    await body();
  };
  return { name, needs, run };
}

function workbenchStages(host: HostVersion): Stage[] {
  const install = `install VS Code ${host.vscode}`;
  const env = { ELSCOPE_HOST: host.id, ELSCOPE_VSIX: VSIX };
  const needs = ['programs', 'package', install];
  return [
    { name: install, ahead: () => installHost(host, () => undefined), run: async () => undefined },
    tests(`suite in VS Code ${host.vscode}`, needs, ['test/vscode/runTest.ts'], env),
    tests(`interface of VS Code ${host.vscode}`, needs, ['src/build/uiTests.ts'], env),
  ];
}

/** Every process of this run carries its name in the environment; none may outlive the tests. */
async function nothingLeft(): Promise<Counts> {
  const deadline = Date.now() + 5000;
  let left = processesWith(RUN);
  while (left.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    left = processesWith(RUN);
  }
  for (const line of left) console.log(`still running: ${line}`);
  return left.length > 0 ? { passed: 0, failed: 1 } : { passed: 1, failed: 0 };
}

const STAGES: readonly Stage[] = [
  stage('programs', [], () => ensurePackages(log)),
  stage('build', [], bundle),
  tool('types', 'tsc', ['-b']),
  tool('lint', 'biome', ['check', '.']),
  tests('unit', ['programs'], ['src/build/unitTests.ts']),
  differentialTest(),
  tests('guests', ['programs', 'build'], ['src/build/guestTests.ts', '--quick']),
  stage('package', ['build'], () => packageVsix(VSIX)),
  ...workbenchStages(HOSTS.current),
  ...workbenchStages(HOSTS.oldest),
  { name: 'nothing is left running', run: nothingLeft },
];

process.env.ELSCOPE_TEST_RUN = RUN;
exitOnSignals();
process.chdir(ROOT);
const sum = await runStages(withNeeded(STAGES, process.argv.slice(2)));
process.exit(sum.failed > 0 || sum.passed === 0 ? 1 : 0);
