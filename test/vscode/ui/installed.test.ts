/** The packaged extension, installed as a user would: it activates, and offers what its manifest says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ROOT } from '../../../src/build/paths';
import { openWorkbench, type Workbench } from '../workbench';

const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

describe('the installed package', () => {
  let bench: Workbench;
  before(async () => {
    bench = await openWorkbench({ extension: 'vsix' });
  });
  after(() => bench.close());

  test('opens a file of the sample workspace and takes a breakpoint', async () => {
    const { ui, page } = bench;
    await ui.openFile('el-tour/kernel.c');
    await ui.toggleBreakpoint(9);
    await ui.showDebugView();
    assert.equal(await page.locator('.debug-breakpoints .monaco-list-row[aria-label^="kernel.c 9"]').count(), 1);
  });

  test('is active', async () => {
    const { ui, page } = bench;
    await ui.command('Developer: Show Running Extensions');
    const row = page.locator('.runtime-extensions-editor .monaco-list-row', { hasText: manifest.displayName });
    await row.locator('.activation-time', { hasText: /Activation/ }).waitFor();
    assert.equal(await row.locator('.codicon-error').count(), 0);
    // Newer versions show this list above the workbench.
    await page.keyboard.press('Escape');
  });

  test('has a page without broken pictures', async () => {
    const { ui, page } = bench;
    await page.keyboard.press('Control+Shift+X');
    await page.locator('.extensions-list .monaco-list-row', { hasText: manifest.displayName }).first().click();
    const frame = await ui.webview('#launchjson, h3:has-text("launch.json")');
    const widths = await frame.locator('img').evaluateAll((all) => all.map((image) => image.clientWidth));
    assert.deepEqual(widths, []);
    assert.ok((await frame.locator('table').count()) > 5);
    await ui.screenshot('extension-page');
  });

  test('shows its walkthrough in both themes', async () => {
    const { ui, page } = bench;
    const { title } = manifest.contributes.walkthroughs[0];
    await ui.command('Welcome: Open Walkthrough...');
    await ui.pick(title);
    await page.locator('.gettingStartedContainer .getting-started-category', { hasText: title }).first().waitFor();
    await ui.screenshot('walkthrough', ['dark', 'light']);
    assert.deepEqual(await ui.notifications(), []);
  });
});
