/** Findings in the real workbench: the view, and the warning on the line that ran. Pictures in both themes. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { becomes } from '../ui';
import { openWorkbench, type Workbench } from '../workbench';

const THEMES = ['dark', 'light'] as const;
const CONFIGURATION = 'kvm-isolation on v5.11: a line of another vCPU';
const OTHERS = ['Variables', 'Watch', 'Loaded Scripts', 'Breakpoints', 'Cores', 'VMs', 'Watched Lines', 'Caches'];

describe('findings', () => {
  let bench: Workbench;
  before(async () => {
    bench = await openWorkbench({ extension: 'vsix' });
  });
  after(() => bench.close());

  test('stand in their view, the latest first, and on the lines that ran', async () => {
    const { ui, page } = bench;
    await ui.openFile('kvm-isolation/code.S');
    await ui.showDebugView();
    await ui.startConfiguration(CONFIGURATION);
    const stopped = async (): Promise<boolean> =>
      (await ui.callStack()).some((row) => /^Stack Frame answer, line \d+, code\.S/.test(row));
    assert.ok(await becomes(stopped, 60_000), (await ui.callStack()).join(' | '));
    await page.mouse.move(1, 1);
    for (const view of [...OTHERS, 'Cache ID Registers']) await ui.collapse(view);
    await ui.pane('Findings');
    const first = await ui.treeRows('Findings', (all) => all.length > 0);
    assert.match(first[0].label, /^stale fetch$/);
    // The other vCPU's own stale fetches come first; each is a stop.
    let rows = first;
    for (let found = 2; !rows.some(({ label }) => label === 'inherited line') && found < 10; found++) {
      await ui.step('F5');
      rows = await ui.treeRows('Findings', (all) => all.length === found);
    }
    assert.match(rows[0].description ?? '', /^answer(_fresh)? · core 0 · vm1\/vcpu0 · EL1$/);
    await ui.expandTreeRow('Findings', 'inherited line');
    await ui.treeRows('Findings', (all) => all.some(({ label }) => label === 'line brought by'));
    const warned = (): Promise<boolean> => page.locator('.squiggly-warning').first().isVisible();
    assert.ok(await becomes(warned, 10_000), 'the line has a warning');
    await ui.screenshot('findings', THEMES);
    assert.deepEqual(await ui.notifications(), []);
  });
});
