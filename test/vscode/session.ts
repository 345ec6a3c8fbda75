/** What tests and pictures ask of a session in the workbench beside single verbs: its stack, its views, what guest and host have said. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SAMPLES } from '../../src/build/paths';
import { becomes, type TreeRow, type Ui } from './ui';
import type { Workbench } from './workbench';

/** A terminal that is drawn on a canvas could not be read. */
export const READABLE_TERMINAL = { 'terminal.integrated.gpuAcceleration': 'off' };

const VIEWS = [
  ...['Variables', 'Watch', 'Loaded Scripts', 'Breakpoints', 'Cores', 'VMs'],
  ...['Watched Lines', 'Findings', 'Caches', 'Cache ID Registers'],
];

/** The number of the line of a sample's source that holds `text`. */
export function lineOf(file: string, text: string): number {
  const index = readFileSync(path.join(SAMPLES, file), 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text));
  assert.ok(index >= 0, `${file} has no ${text}`);
  return index + 1;
}

/** Waits until the frames of the call stack are as `wanted` says. */
export async function waitStack(ui: Ui, wanted: (frames: readonly string[]) => boolean): Promise<string[]> {
  let frames: string[] = [];
  const there = await becomes(async () => {
    frames = (await ui.callStack()).filter((row) => row.startsWith('Stack Frame'));
    return wanted(frames);
  }, 60_000);
  assert.ok(there, `the stack is ${frames.join(' | ')}`);
  return frames;
}

/** Waits until the top frame is one that fits. */
export const waitTop = (ui: Ui, frame: RegExp): Promise<string[]> => waitStack(ui, ([top = '']) => frame.test(top));

/** Waits until a thread of the call stack is one that fits. */
export async function waitThread(ui: Ui, thread: RegExp): Promise<void> {
  let rows: string[] = [];
  const there = await becomes(async () => {
    rows = await ui.callStack();
    return rows.some((row) => thread.test(row));
  }, 60_000);
  assert.ok(there, `the call stack is ${rows.join(' | ')}`);
}

/** Opens these views of a session with a hypervisor and closes the others; the call stack stays as it is. */
export async function onlyShow(ui: Ui, ...views: readonly string[]): Promise<void> {
  // A pointer that rests on a row brings up its hover, which hides what is below.
  await ui.page.mouse.move(1, 1);
  for (const view of VIEWS) if (!views.includes(view)) await ui.collapse(view);
  for (const view of views) await ui.pane(view);
}

export const row = (rows: readonly TreeRow[], label: string): TreeRow | undefined =>
  rows.find((each) => each.label === label);

/** A function breakpoint with a condition, as a user makes one in the Breakpoints view. */
export async function breakAt({ ui, page }: Workbench, name: string, condition: string): Promise<void> {
  await ui.command('Add Function Breakpoint');
  const box = page.locator('.debug-breakpoints .monaco-list-row input:not([type="checkbox"])');
  await box.fill(name);
  await box.press('Enter');
  const made = page.locator(`.debug-breakpoints .monaco-list-row[aria-label*="${name}"]`).first();
  await made.waitFor();
  // The context menu of a function breakpoint edits its name, whatever it says.
  await made.hover();
  await made.locator('.codicon-edit').click();
  await page.locator('.context-view .monaco-menu .action-item', { hasText: 'Edit Condition...' }).hover();
  await page.keyboard.press('Enter');
  await page.locator('.debug-breakpoints input[aria-label^="Type expression"]').waitFor();
  await box.fill(condition);
  await box.press('Enter');
  await box.waitFor({ state: 'detached' });
}

const spaces = (text: string): string => text.replace(/\u00a0/g, ' ');

/** Waits until the visible terminal shows this. */
export async function waitTerminal(ui: Ui, text: RegExp, timeout = 60_000): Promise<void> {
  const lines = ui.page.locator('.terminal-wrapper.active .xterm-rows > div');
  let shown = '';
  const there = await becomes(async () => {
    shown = spaces((await lines.allInnerTexts()).join('\n'));
    return text.test(shown);
  }, timeout);
  if (!there) await ui.screenshot('terminal-text-missing');
  assert.ok(there, `the terminal shows ${shown}`);
}

/** Waits until the lines of the debug console that are in sight are as `wanted` says. */
export async function waitConsole(ui: Ui, wanted: (text: string) => boolean): Promise<void> {
  await ui.command('Debug Console: Focus on Debug Console View');
  let shown = '';
  const there = await becomes(async () => {
    shown = spaces((await ui.page.locator('.repl .monaco-list-row').allInnerTexts()).join('\n'));
    return wanted(shown);
  }, 60_000);
  if (!there) await ui.screenshot('console-text-missing');
  assert.ok(there, `the debug console shows ${shown}`);
}
