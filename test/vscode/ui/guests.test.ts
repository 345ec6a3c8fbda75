/**
 * The main job in the real workbench: a guest stopped at entry, breakpoints at every exception level, steps across them, the
 * stale fetch with the old instruction beside the new one, the panel of cache lines, and a console that takes input. Pictures
 * of every view stay among the artefacts, in both themes.
 */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Frame } from 'playwright-core';
import { uBoot } from '../../../src/build/guests';
import { SAMPLES } from '../../../src/build/paths';
import { lineOf, READABLE_TERMINAL, waitTerminal } from '../session';
import { BOTH_THEMES, becomes, type TreeRow, type Ui } from '../ui';
import { openWorkbench, type Workbench, type WorkbenchOptions } from '../workbench';

const OPTIONS: WorkbenchOptions = { extension: 'vsix', settings: READABLE_TERMINAL };
const OWN_VIEWS = ['Cores', 'Watched Lines', 'Caches', 'Cache ID Registers'];
const OTHER_VIEWS = ['Watch', 'Loaded Scripts', 'Breakpoints'];

/** The line of the n-th occurrence of `text`, counted from 0. */
function lineOfNth(file: string, text: string, n: number): number {
  const lines = readFileSync(path.join(SAMPLES, file), 'utf8').split('\n');
  return lines.flatMap((line, i) => (line.includes(text) ? [i + 1] : []))[n];
}

const core = (description: RegExp) => (rows: readonly TreeRow[]) => description.test(rows[0]?.description ?? '');

async function waitStack(ui: Ui, wanted: (stack: readonly string[]) => boolean): Promise<void> {
  let stack: string[] = [];
  const there = await becomes(async () => {
    stack = await ui.callStack();
    return wanted(stack);
  }, 30_000);
  assert.ok(there, `the stack is ${stack.join(' | ')}`);
}

/** Waits until the top frame is one that fits. */
const waitTop = (ui: Ui, frame: RegExp): Promise<void> =>
  waitStack(ui, (stack) => frame.test(stack.find((row) => row.startsWith('Stack Frame')) ?? ''));

async function onlyShow(ui: Ui, ...views: readonly string[]): Promise<void> {
  for (const view of [...OWN_VIEWS, ...OTHER_VIEWS, 'Variables']) if (!views.includes(view)) await ui.collapse(view);
  for (const view of views) await ui.pane(view);
}

describe('el-tour', () => {
  let bench: Workbench;
  before(async () => {
    bench = await openWorkbench(OPTIONS);
  });
  after(() => bench.close());

  test('palette entries are there only while they work', async () => {
    assert.equal(await bench.ui.offers('elscope: Step Out to ERET'), false);
    assert.equal(await bench.ui.offers('elscope: Debug a Guest Image...'), true);
  });

  test('F5 stops at the entry, at EL2', async (t) => {
    const { ui } = bench;
    await ui.openFile('el-tour/levels.S');
    await ui.toggleBreakpoint(lineOfNth('el-tour/levels.S', 'eret', 1));
    await ui.openFile('el-tour/kernel.c');
    await ui.toggleBreakpoint(lineOf('el-tour/kernel.c', 'gic_enable(VIRTUAL_TIMER_PPI);'));
    await ui.openFile('el-tour/user.c');
    await ui.toggleBreakpoint(lineOf('el-tour/user.c', 'u64 doubled = call'));
    await ui.showDebugView();
    const start = performance.now();
    await ui.startDebugging();
    t.diagnostic(`from F5 to the stopped frame: ${Math.round(performance.now() - start)} ms`);
    await waitTop(ui, /^Stack Frame _start, line \d+, levels\.S/);
    await onlyShow(ui, 'Cores', 'Caches', 'Cache ID Registers');
    await ui.treeRows('Cores', core(/^EL2 · _start/));
    await ui.treeRows('Cache ID Registers', (rows) => rows.some((row) => row.label === 'CTR_EL0'));
    await ui.screenshot('el-tour-entry', BOTH_THEMES);
    assert.deepEqual(await ui.notifications(), []);
  });

  test('a step over ERET goes from EL2 to EL1', async () => {
    const { ui } = bench;
    await ui.step('F5');
    await waitTop(ui, /levels\.S/);
    await ui.treeRows('Cores', core(/^EL2 · /));
    await ui.step('F11');
    await waitTop(ui, /levels\.S/);
    await ui.treeRows('Cores', core(/^EL1 · el1_entry/));
  });

  test('a source breakpoint in EL1 code stops there', async () => {
    const { ui } = bench;
    await ui.step('F5');
    await waitTop(
      ui,
      new RegExp(`^Stack Frame main, line ${lineOf('el-tour/kernel.c', 'gic_enable(VIRTUAL_TIMER_PPI);')}, kernel\\.c`),
    );
    await ui.treeRows('Cores', core(/^EL1 · main\+?/));
    await onlyShow(ui, 'Variables');
    await ui.expandVariable('General registers');
    await ui.variables((all) => all.some((row) => /^x0, value 0x/.test(row.aria)));
    await ui.screenshot('el-tour-el1', BOTH_THEMES);
    await waitTerminal(ui, /\[EL1\] MMU and caches are on/);
    // EL1 with SP_EL1.
    assert.match(await ui.evaluate('pstate.M'), /^5$/);
  });

  test('from EL0 into the SVC and out again, with a frame for each level', async () => {
    const { ui } = bench;
    await ui.step('F5');
    await waitTop(ui, /^Stack Frame user_main, line \d+, user\.c/);
    await onlyShow(ui, 'Cores', 'Caches');
    await ui.treeRows('Cores', core(/^EL0 · user_main/));
    await ui.command('elscope: Step into the Exception');
    await waitTop(ui, /vectors\.S/);
    await ui.treeRows('Cores', core(/^EL1 · /));
    await waitStack(ui, (stack) => stack.some((row) => /^Stack Frame user_main, /.test(row)));
    await ui.screenshot('el-tour-svc', BOTH_THEMES);
    await ui.command('elscope: Step Out to ERET');
    await ui.treeRows('Cores', core(/^EL0 · /));
    await waitTop(ui, /user\.c/);
    assert.equal(await ui.offers('elscope: Run to the Next EL Change'), true);
    await ui.stopDebugging();
  });
});

describe('selfmod without IC IVAU', () => {
  let bench: Workbench;
  let panel: Frame;
  before(async () => {
    bench = await openWorkbench(OPTIONS);
  });
  after(() => bench.close());

  test('stops on the stale fetch', async () => {
    const { ui } = bench;
    await ui.showDebugView();
    await ui.startConfiguration('selfmod without IC IVAU');
    await waitTop(ui, /^Stack Frame answer_no_ic, line \d+, patch\.S/);
    const head = bench.page.locator('.pane-header[aria-label^="Call Stack"]');
    assert.match((await head.textContent()) ?? '', /stale fetch/);
    assert.deepEqual(await ui.notifications(), []);
  });

  test('Watched Lines shows the old instruction in L1I against the new one in D and PoU', async () => {
    const { ui } = bench;
    await onlyShow(ui, 'Watched Lines');
    await ui.screenshot('watched-lines-empty', BOTH_THEMES);
    await ui.command('elscope: Pin a Line...');
    await ui.answer('Pin the line at an address', 'answer_no_ic');
    const rows = await ui.treeRows('Watched Lines', (all) => all.some((row) => row.label === 'PoU'));
    const copy = (label: string): string => rows.find((row) => row.label === label)?.description ?? '';
    assert.match(copy('L1I core0'), /mov w0, #(0x)?1\b.*differs/);
    assert.match(copy('L1D core0'), /mov w0, #(0x)?2\b/);
    assert.match(copy('PoU'), /mov w0, #(0x)?2\b/);
    await ui.expandTreeRow('Watched Lines', 'L1I core0');
    await ui.treeRows('Watched Lines', (all) => all.some((row) => row.level === 3));
  });

  test('a register is pinned from its context menu', async () => {
    const { ui, page } = bench;
    const pins = (count: number) => (rows: readonly TreeRow[]) =>
      rows.filter((row) => row.level === 1).length === count;
    await onlyShow(ui, 'Variables');
    await ui.expandVariable('General registers');
    const register = page.locator('.debug-variables .monaco-list-row[aria-label^="x0, value"]');
    await ui.contextMenu(register, 'Pin Line to Watched Lines');
    await onlyShow(ui, 'Watched Lines');
    await ui.collapse('Call Stack');
    await ui.treeRows('Watched Lines', pins(2));
    await ui.command('elscope: Unpin All Lines');
    await ui.command('elscope: Pin a Line...');
    await ui.answer('Pin the line at an address', 'answer_no_ic');
    await ui.treeRows('Watched Lines', pins(1));
    await ui.screenshot('watched-lines', BOTH_THEMES);
  });

  test('an address is translated, step by step', async () => {
    const { ui, page } = bench;
    await ui.command('elscope: Translate an Address...');
    await ui.answer('Translate an address', 'answer_no_ic');
    const list = page.locator('.quick-input-widget', { hasText: 'Translation of answer_no_ic on core 0' });
    await list.locator('.monaco-list-row', { hasText: 'PA 0x4020' }).waitFor();
    await list
      .locator('.monaco-list-row', { hasText: /level \d/ })
      .first()
      .waitFor();
    await ui.screenshot('translation', BOTH_THEMES);
    await page.keyboard.press('Escape');
    await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  });

  test('the Cache lines panel finds the line by its symbol, and shows what differs', async () => {
    const { ui } = bench;
    await ui.command('elscope: Open Cache Lines');
    panel = await ui.webview('.grid');
    await panel.locator('.body .row').first().waitFor();
    await panel.locator('.filter input').fill('answer_no_ic');
    const cell = panel.locator('.cell.differs');
    await cell.waitFor();
    assert.match(
      (await cell.getAttribute('aria-label')) ?? '',
      /clean, 0x4020\w+, .*differs from what cacheable accesses see/,
    );
    await panel.locator('.detail tr.differs td', { hasText: /^mov w0, #(0x)?1$/ }).waitFor();
    assert.match((await panel.locator('.status').textContent()) ?? '', /^1 of 256 sets/);
    await ui.screenshot('cache-lines-filter', BOTH_THEMES);
    await panel.locator('.filter input').fill('no_such_symbol');
    await panel.locator('.status.problem').waitFor();
    await panel.locator('.filter input').fill('');
    await panel.locator('.row[data-set="0"]').waitFor();
  });

  test('the panel goes by keyboard, and holds only the rows that are near', async () => {
    const { page } = bench;
    const focused = async (label: RegExp): Promise<void> => {
      const cell = panel.locator('.cell:focus');
      const read = async (): Promise<string> =>
        (await cell.count()) ? ((await cell.getAttribute('aria-label')) ?? '') : '';
      assert.ok(await becomes(async () => label.test(await read()), 10_000), `the focus is on ${await read()}`);
    };
    await panel.locator('.row[data-set="2"] [data-way="1"]').click();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await focused(/^set 3, way 2,/);
    await page.keyboard.press('Control+End');
    await focused(/^set 255, way 2,/);
    assert.ok((await panel.locator('.body .row').count()) < 100);
    assert.equal(await panel.locator('[role="grid"] [tabindex="0"]').count(), 1);
    await page.keyboard.press('Control+Home');
    await focused(/^set 0, way 0,/);
    await page.keyboard.press('Enter');
    assert.equal(await panel.locator('.detail:focus').count(), 1);
    await page.keyboard.press('Escape');
    await focused(/^set 0, way 0,/);
    await bench.ui.screenshot('cache-lines', BOTH_THEMES);
  });

  test('the panel follows the guest: a step changes what it shows', async () => {
    const { ui, page } = bench;
    const status = async (): Promise<string> => (await panel.locator('.status').textContent()) ?? '';
    await panel.locator('select[aria-label="Cache"]').selectOption('1D');
    await becomes(async () => /× 2 ways/.test(await status()), 5000);
    const before = await status();
    await ui.command('elscope: Run to the Next EL Change').catch(() => undefined);
    await page.keyboard.press('F5');
    await ui.waitEnded();
    await panel.locator('.empty', { hasText: 'No guest is being debugged' }).waitFor();
    assert.match(before, /256 sets × 2 ways/);
    await waitTerminal(ui, /ran 1 \(stale\)/);
    await waitTerminal(ui, /The debug session has ended/);
  });
});

describe('a folder without launch.json', () => {
  test('F5 finds the guests, and debugs the one that is chosen', async () => {
    const bench = await openWorkbench(OPTIONS);
    try {
      const { ui, page, folder } = bench;
      rmSync(path.join(folder, '.vscode'), { recursive: true });
      await ui.openFile('el-tour/levels.S');
      await ui.showDebugView();
      await page.locator('.welcome-view-content', { hasText: 'Debug a Guest Image' }).waitFor();
      await ui.screenshot('welcome', BOTH_THEMES);
      await page.keyboard.press('F5');
      await page.locator('.quick-input-list .monaco-list-row', { hasText: 'jit.elf' }).waitFor();
      await ui.screenshot('choose-guest');
      await ui.pick('el-tour.elf');
      await waitTop(ui, /^Stack Frame _start, /);
      await page.keyboard.press('Shift+F5');
      await waitStack(ui, (stack) => stack.length === 0);
    } finally {
      await bench.close();
    }
  });
});

describe('cores with different lines', () => {
  test('the mismatches of the ID registers are marked', async () => {
    const bench = await openWorkbench(OPTIONS);
    try {
      const { ui } = bench;
      await ui.showDebugView();
      const folder = bench.folder;
      const file = path.join(folder, '.vscode', 'launch.json');
      const stopped = readFileSync(file, 'utf8').replace(/("cpus": 2,\s*"stopOnEntry": )false/, '$1true');
      writeFileSync(file, stopped);
      await ui.startConfiguration('two-lines: cores with different line sizes');
      await ui.collapse('Call Stack');
      await onlyShow(ui, 'Cache ID Registers');
      await ui.treeRows('Cache ID Registers', (rows) => rows.some((row) => row.label === 'core 1'));
      await ui.expandTreeRow('Cache ID Registers', 'core 1');
      const rows = await ui.treeRows('Cache ID Registers', (all) => all.some((row) => row.label === 'IminLine'));
      const register = rows.find((row) => row.label === 'CTR_EL0');
      assert.match(register?.aria ?? '', /the cores do not agree/);
      assert.match(rows.find((row) => row.label === 'IminLine')?.aria ?? '', /not the same on every core/);
      assert.doesNotMatch(rows.find((row) => row.label === 'L1Ip')?.aria ?? '', /not the same/);
      await ui.screenshot('id-registers', BOTH_THEMES);
      await onlyShow(ui, 'Caches');
      await ui.treeRows('Caches', (all) => all.filter((row) => /^L1/.test(row.label)).length === 4);
      await ui.screenshot('caches', BOTH_THEMES);
      // The view has never been open when it gets its first line.
      await ui.command('elscope: Pin a Line...');
      await ui.answer('Pin the line at an address', 'main');
      await onlyShow(ui, 'Watched Lines');
      const copies = await ui.treeRows('Watched Lines', (all) => all.some((row) => row.label === 'PoC'));
      for (const where of ['L1I core0', 'L1D core1'])
        assert.ok(
          copies.some((row) => row.label.startsWith(where)),
          where,
        );
      await ui.screenshot('watched-lines-two-cores', BOTH_THEMES);
      await ui.stopDebugging();
    } finally {
      await bench.close();
    }
  });
});

describe('U-Boot', () => {
  test('its console is a terminal that takes input, and goes on over a restart', async () => {
    const image = await uBoot('2025.01');
    const bench = await openWorkbench(OPTIONS);
    try {
      const { ui, page } = bench;
      const file = path.join(bench.folder, '.vscode', 'launch.json');
      const config = { name: 'U-Boot', type: 'elscope', request: 'launch', bios: image, memory: '1G' };
      writeFileSync(file, JSON.stringify({ version: '0.2.0', configurations: [config] }));
      await ui.showDebugView();
      await ui.runConfiguration('U-Boot');
      await waitTerminal(ui, /Hit any key to stop autoboot/, 60_000);
      assert.equal(
        await page.locator('.terminal-wrapper.active .xterm.focus').count(),
        0,
        'the terminal took the focus',
      );
      await page.locator('.terminal-wrapper.active .xterm-screen').click();
      await page.keyboard.press('Enter');
      await waitTerminal(ui, /^=>/m);
      await page.keyboard.type('echo cache lines');
      await page.keyboard.press('Enter');
      await waitTerminal(ui, /^cache lines/m);
      await ui.screenshot('u-boot', BOTH_THEMES);
      await page.keyboard.press('Control+Shift+F5');
      await waitTerminal(ui, /^(?![\s\S]*cache lines)[\s\S]*U-Boot 2025\.01/, 60_000);
      await page.keyboard.press('Shift+F5');
      await ui.waitEnded();
    } finally {
      await bench.close();
    }
  });
});
