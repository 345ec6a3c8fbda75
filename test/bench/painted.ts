/**
 * Steps in a real workbench with elscope's views open: from the key (F11) until the Cores view has painted the new PC. Prints one
 * line of JSON, the milliseconds of each step. Part of `npm run bench`.
 */
import type { Page } from 'playwright-core';
import { becomes } from '../vscode/ui';
import { withWorkbench } from '../vscode/workbench';

const STEPS = 20;
const CLOSED = ['Watch', 'Loaded Scripts', 'Breakpoints'];
const CORE = '.pane:has(> .pane-header[aria-label^="Cores"]) .monaco-list-row .label-description';

/** Arms a clock in the page: from the next F11 until the text of the first core has changed and a frame has been drawn. */
async function stepTime(page: Page): Promise<number> {
  // As text: a compiled function would bring a helper that the page does not have.
  await page.evaluate(`window.elscopeClock = new Promise((resolve, reject) => {
    const text = () => document.querySelector(${JSON.stringify(CORE)})?.textContent ?? '';
    const before = text();
    let begin = 0;
    addEventListener('keydown', (event) => { if (event.key === 'F11') begin = performance.now(); }, { capture: true, once: true });
    const observer = new MutationObserver(() => {
      const now = text();
      if (begin === 0 || now === before || !now.includes(' · ')) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begin), 0));
    });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    setTimeout(() => reject(new Error('the Cores view does not change: ' + before)), 20000);
  }); undefined`);
  await page.keyboard.press('F11');
  return page.evaluate('window.elscopeClock');
}

await withWorkbench({ extension: 'vsix', settings: { 'editor.minimap.enabled': false } }, async ({ ui, page }) => {
  await ui.openFile('el-tour/levels.S');
  await ui.showDebugView();
  await ui.startDebugging();
  for (const view of CLOSED) await ui.collapse(view);
  for (const view of ['Variables', 'Cores', 'Caches', 'Cache ID Registers'])
    await ui.treeRows(view).catch(() => ui.pane(view));
  await ui.command('elscope: Open Cache Lines');
  await (await ui.webview('.grid')).locator('.body .row').first().waitFor();
  await ui.command('View: Focus First Editor Group');
  const times: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    const before = (await ui.callStack()).join();
    times.push(await stepTime(page));
    // The next key counts only once the workbench itself knows the new frame.
    await becomes(async () => (await ui.callStack()).join() !== before, 10_000);
    await ui.waitStopped();
  }
  console.log(JSON.stringify(times));
});
process.exit(0);
