/**
 * `npx tsx test/vscode/pictures.ts`: takes the pictures of media/screenshots/ anew, in a real workbench with the packaged
 * extension. Build first.
 */
import { cpSync, statSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../src/build/paths';
import type { Ui } from './ui';
import { type Workbench, withWorkbench } from './workbench';

const FOLDER = path.join(ROOT, 'media', 'screenshots');
const CLOSED = ['Variables', 'Watch', 'Loaded Scripts', 'Breakpoints', 'Cache ID Registers'];
const SHOWN = ['Call Stack', 'Cores', 'Caches'];
const SETTINGS = {
  'editor.minimap.enabled': false,
  'breadcrumbs.enabled': false,
  'editor.stickyScroll.enabled': false,
  'remote.autoForwardPorts': false,
};

/** Drags a border of the workbench. */
async function drag({ page }: Ui, from: readonly [number, number], to: readonly [number, number]): Promise<void> {
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move(...to, { steps: 8 });
  await page.mouse.up();
  await page.mouse.move(to[0] + 40, to[1] + 40);
}

/** The edge of a part of the workbench. */
async function edge({ page }: Ui, part: string): Promise<{ readonly top: number; readonly right: number }> {
  const box = await page.locator(`#workbench\\.parts\\.${part}`).boundingBox();
  if (!box) throw new Error(`the ${part} is not there`);
  return { top: box.y, right: box.x + box.width };
}

/** The stale fetch of a sample: every copy of the line beside the source, and the cache that holds the old one. */
async function staleFetch({ ui, page, artefacts }: Workbench): Promise<void> {
  await ui.openFile('selfmod/patch.S');
  await ui.showDebugView();
  await drag(ui, [(await edge(ui, 'sidebar')).right, 450], [455, 450]);
  await ui.startConfiguration('selfmod without IC IVAU');
  for (const view of CLOSED) await ui.collapse(view);
  for (const view of SHOWN) await ui.treeRows(view);
  await ui.command('elscope: Pin a Line...');
  const input = page.locator('.quick-input-widget:has-text("Pin the line at an address") input.input');
  await input.fill('answer_no_ic');
  await input.press('Enter');
  await ui.treeRows('Watched Lines', (all) => all.some((row) => row.label === 'PoU'));
  const { y: header } = (await (await ui.pane('Watched Lines')).boundingBox()) ?? { y: 0 };
  await drag(ui, [200, header], [200, header - 65]);
  await drag(ui, [900, (await edge(ui, 'panel')).top - 3], [900, 755]);
  await ui.command('elscope: Open Cache Lines');
  const panel = await ui.webview('.grid');
  await panel.locator('.body .row').first().waitFor();
  await panel.locator('.filter input').fill('answer_no_ic');
  await panel.locator('.detail tr.differs td', { hasText: /^mov w0, #(0x)?1$/ }).waitFor();
  await panel.locator('.filter input').fill('');
  await panel.locator('[aria-label="Only sets with valid lines"]').click();
  const line = panel.locator('.row[data-set="10"] [data-way="0"]');
  await line.scrollIntoViewIfNeeded();
  await line.click();
  await panel.locator('.detail tr.differs td', { hasText: /^mov w0, #(0x)?1$/ }).waitFor();
  await ui.screenshot('stale-fetch');
  cpSync(path.join(artefacts, 'stale-fetch.png'), path.join(FOLDER, 'stale-fetch.png'));
}

process.env.ELSCOPE_HOST = 'current';
await withWorkbench({ extension: 'vsix', settings: SETTINGS }, staleFetch);
const { size } = statSync(path.join(FOLDER, 'stale-fetch.png'));
console.log(`media/screenshots/stale-fetch.png: ${Math.round(size / 1024)} KB`);
