/**
 * `npx tsx test/vscode/pictures.ts [NAME…]`: takes the pictures of media/screenshots/ and media/scenarios/ anew, in a real workbench
 * with the packaged extension. Build first.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../src/build/paths';
import { shrinkPng } from './png';
import { scenarioPictures, VIEWPORT } from './scenarioPictures';
import { READABLE_TERMINAL } from './session';
import type { Ui } from './ui';
import { type Workbench, withWorkbench } from './workbench';

const CLOSED = ['Variables', 'Watch', 'Loaded Scripts', 'Breakpoints', 'Cache ID Registers'];
const SHOWN = ['Call Stack', 'Cores', 'Caches'];
const SETTINGS = {
  'editor.minimap.enabled': false,
  'breadcrumbs.enabled': false,
  'editor.stickyScroll.enabled': false,
  'remote.autoForwardPorts': false,
  ...READABLE_TERMINAL,
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
async function staleFetch({ ui, page }: Workbench): Promise<void> {
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
}

/** Keeps what is in sight as a file of media/. */
async function keep({ ui, page, artefacts }: Workbench, folder: string, name: string): Promise<void> {
  await page.mouse.move(1, 1);
  await ui.screenshot(name);
  const small = shrinkPng(readFileSync(path.join(artefacts, `${name}.png`)));
  writeFileSync(path.join(ROOT, 'media', folder, `${name}.png`), small);
  console.log(`media/${folder}/${name}.png: ${Math.round(small.length / 1024)} KB`);
}

/** A session for each; the side bar is wide enough for what the pictures are about. */
async function ofScenarios(bench: Workbench, names: readonly string[]): Promise<void> {
  const { ui, page } = bench;
  await page.setViewportSize(VIEWPORT);
  await ui.showDebugView();
  await drag(ui, [(await edge(ui, 'sidebar')).right, 400], [430, 400]);
  for (const name of names) {
    await scenarioPictures[name](bench);
    await keep(bench, 'scenarios', name);
    if (!(await page.locator('.start-debug-action-item').first().isVisible())) await ui.stopDebugging();
    await ui.pane('Call Stack');
    await ui.command('View: Close All Editors');
  }
}

process.env.ELSCOPE_HOST = 'current';
const STALE_FETCH = 'stale-fetch';
const names = process.argv.length > 2 ? process.argv.slice(2) : [STALE_FETCH, ...Object.keys(scenarioPictures)];
const unknown = names.filter((name) => name !== STALE_FETCH && !(name in scenarioPictures));
if (unknown.length > 0) throw new Error(`there is no picture ${unknown.join()}`);
const scenarios = names.filter((name) => name !== STALE_FETCH);
if (names.includes(STALE_FETCH))
  await withWorkbench({ extension: 'vsix', settings: SETTINGS }, async (bench) => {
    await staleFetch(bench);
    await keep(bench, 'screenshots', STALE_FETCH);
  });
if (scenarios.length > 0)
  await withWorkbench({ extension: 'vsix', settings: SETTINGS }, (bench) => ofScenarios(bench, scenarios));
