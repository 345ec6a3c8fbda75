/** Every asserted outcome of a scenario's variants, and its page, from one run of each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page, runAll } from '../../../src/build/scenarioPages';
import { resultTable } from '../../../src/scenarios/report';
import type { Scenario } from '../../../src/scenarios/types';

export function checkScenario(scenario: Scenario): void {
  test(`scenario ${scenario.name}: every asserted outcome holds, and the page says what comes of it`, () => {
    const results = runAll(scenario);
    assert.ok(
      results.every(({ holds }) => holds),
      resultTable(scenario, results),
    );
    const { committed, fresh } = page(scenario, results);
    assert.equal(committed, fresh, `npm run scenarios -- ${scenario.name}`);
  });
}
