/** The packaged extension, installed as a user would: it activates, and offers what its manifest says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { ROOT } from '../../../src/build/paths';
import { withWorkbench } from '../workbench';

const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

describe('the installed package', () => {
  test('activates, and shows its walkthrough in both themes', async () => {
    await withWorkbench({ extension: 'vsix' }, async ({ ui, page }) => {
      await ui.command('Developer: Show Running Extensions');
      const row = page.locator('.runtime-extensions-editor .monaco-list-row', { hasText: manifest.displayName });
      await row.locator('.activation-time', { hasText: /Activation/ }).waitFor();
      assert.equal(await row.locator('.codicon-error').count(), 0);
      // Newer versions show this list above the workbench.
      await page.keyboard.press('Escape');
      await ui.command('Welcome: Open Walkthrough...');
      const { title } = manifest.contributes.walkthroughs[0];
      await ui.pick(title);
      await page.locator('.gettingStartedContainer .getting-started-category', { hasText: title }).first().waitFor();
      await ui.screenshot('walkthrough', ['dark', 'light']);
      assert.deepEqual(await ui.notifications(), []);
    });
  });

  test('the workspace opens, and a file of it', async () => {
    await withWorkbench({ extension: 'vsix' }, async ({ ui, page }) => {
      await ui.openFile('kernel.c');
      await ui.goToLine(5);
      await ui.toggleBreakpoint(5);
      await ui.showDebugView();
      assert.equal(await page.locator('.debug-breakpoints .monaco-list-row[aria-label*="kernel.c"]').count(), 1);
    });
  });
});
