/**
 * `npm run scenarios [-- NAME…]`: runs the scenarios and writes the table of outcomes in each one's page, media/scenarios/NAME.md.
 * Everything else there is written by hand. A test runs them too, and finds a page stale that says anything else.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { scenarios } from '../scenarios/index';
import { resultMarkdown, resultTable } from '../scenarios/report';
import { runScenario } from '../scenarios/run';
import type { Result, Scenario } from '../scenarios/types';
import { nodePorts } from '../worker/nodePorts';
import { ROOT, SAMPLES } from './paths';
import { withBlock } from './readme';

const pageFile = ({ name }: Scenario): string => path.join(ROOT, 'media', 'scenarios', `${name}.md`);

export const runAll = (scenario: Scenario): Result[] =>
  runScenario(scenario, scenario.variants, { ports: nodePorts(), folder: SAMPLES });

/** The page as it is, and as the results make it. */
export function page(scenario: Scenario, results: readonly Result[]): { committed: string; fresh: string } {
  const committed = readFileSync(pageFile(scenario), 'utf8');
  return { committed, fresh: withBlock(committed, 'outcomes', resultMarkdown(results)) };
}

function main(names: readonly string[]): void {
  for (const scenario of scenarios) {
    if (names.length > 0 && !names.includes(scenario.name)) continue;
    const results = runAll(scenario);
    console.log(`${resultTable(scenario, results)}\n`);
    if (!results.every((result) => result.holds)) process.exitCode = 1;
    writeFileSync(pageFile(scenario), page(scenario, results).fresh);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2));
