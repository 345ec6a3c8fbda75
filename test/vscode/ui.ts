/**
 * What a user does in the workbench, as short verbs for tests: open a file, run a command, set a breakpoint, step, and
 * read the call stack, trees and editors. Selectors are those of the workbench of VS Code 1.100 to 1.139. Every verb
 * waits for its own effect, so that tests need no pauses.
 */
import path from 'node:path';
import type { Frame, Locator, Page } from 'playwright-core';

export interface TreeRow {
  readonly label: string;
  readonly description: string;
  /** What a screen reader hears: the row's whole meaning in one line. */
  readonly aria: string;
  /** 1 for the outermost rows. */
  readonly level: number;
  readonly expanded: boolean | undefined;
}

export const BOTH_THEMES = ['dark', 'light'] as const;
export type Theme = (typeof BOTH_THEMES)[number];

const THEMES: Readonly<Record<Theme, { readonly name: string; readonly mark: string }>> = {
  dark: { name: 'Default Dark Modern', mark: '.monaco-workbench.vs-dark' },
  light: { name: 'Default Light Modern', mark: '.monaco-workbench.vs' },
};

/** The settings of a profile that let `Ui.theme` choose. */
export const THEME_SETTINGS = {
  'window.autoDetectColorScheme': true,
  'workbench.preferredDarkColorTheme': THEMES.dark.name,
  'workbench.preferredLightColorTheme': THEMES.light.name,
};

export class Ui {
  constructor(
    readonly page: Page,
    private readonly artefacts: string,
  ) {}

  /** Runs the palette entry with exactly this title (with its category, as shown: "Debug: Stop"). */
  async command(title: string): Promise<void> {
    const widget = await this.quickInput('F1', `>${title}`);
    // Rows are sorted anew while the list fills: Enter could run another command.
    const row = this.paletteRow(title);
    for (let attempt = 0; !(await becomes(() => row.isVisible(), 5000)); attempt++) {
      if (attempt > 4) throw new Error(`the palette does not offer ${title}`);
      // What a stop has just allowed does not come into a list that is open already.
      await this.page.keyboard.press('Escape');
      await widget.waitFor({ state: 'hidden' });
      await this.quickInput('F1', `>${title}`);
    }
    await row.click();
    const input = widget.locator('input.input');
    const left = async (): Promise<boolean> =>
      !(await widget.isVisible()) || (await input.inputValue({ timeout: 500 }).catch(() => '')) !== `>${title}`;
    if (!(await becomes(left, 10_000))) throw new Error(`the palette stays open at ${title}`);
  }

  /** Chooses the row with this text in a list that a command has opened in the palette's place. */
  async pick(text: string): Promise<void> {
    const widget = this.page.locator('.quick-input-widget');
    // A pointer that rests on a row brings up its hover, which takes the clicks.
    await this.page.mouse.move(1, 1);
    await widget.locator('.quick-input-list .monaco-list-row', { hasText: text }).first().click();
    await widget.waitFor({ state: 'hidden' });
  }

  /** Types an answer into the box that a command has opened, whose title this is. */
  async answer(title: string, text: string): Promise<void> {
    const widget = this.page.locator('.quick-input-widget', { hasText: title });
    await widget.locator('input.input').fill(text);
    await widget.locator('input.input').press('Enter');
    await widget.waitFor({ state: 'hidden' });
  }

  /** Types a file's path into the workbench's own file dialog, whose title this is. */
  async answerFile(title: string, file: string, button = 'OK'): Promise<void> {
    const widget = this.page.locator('.quick-input-widget', { hasText: title });
    await widget.locator('input.input').fill(file);
    // Enter is lost while the dialog still looks the folder up.
    await widget.locator('.monaco-button', { hasText: button }).click();
    await widget.waitFor({ state: 'hidden' });
  }

  /** Whether the palette offers an entry with exactly this title now. */
  async offers(title: string): Promise<boolean> {
    const widget = await this.quickInput('F1', `>${title}`);
    await widget.locator('.quick-input-list .monaco-list-row').first().waitFor();
    const found = await this.paletteRow(title)
      .waitFor({ timeout: 1500 })
      .then(() => true)
      .catch(() => false);
    await this.page.keyboard.press('Escape');
    await widget.waitFor({ state: 'hidden' });
    return found;
  }

  /** Opens a file of the workspace by its name or path, in an editor that has the focus. */
  async openFile(file: string): Promise<void> {
    const { page } = this;
    const widget = await this.quickInput('Control+p', file);
    const name = path.posix.basename(file);
    await widget.locator(`.quick-input-list .monaco-list-row[aria-label^="${name}"]`).first().click();
    await widget.waitFor({ state: 'hidden' });
    await page.locator(`.tab.active[aria-label^="${name}"]`).waitFor();
    await page.locator('.editor-group-container.active .editor-instance .view-line').first().waitFor();
  }

  /** Puts the cursor of the active editor on a line. */
  async goToLine(line: number): Promise<void> {
    const widget = await this.quickInput('Control+g', `:${line}`);
    await this.page.keyboard.press('Enter');
    await widget.waitFor({ state: 'hidden' });
  }

  /** Toggles the breakpoint of a line of the active editor; waits until its mark is there (or gone). */
  async toggleBreakpoint(line: number): Promise<void> {
    const marks = this.page.locator(
      '.editor-group-container.active .glyph-margin-widgets [class*="codicon-debug-breakpoint"]',
    );
    await this.goToLine(line);
    const before = await marks.count();
    // A key pressed right after opening can come before the editor takes breakpoints, and is lost.
    for (let attempt = 0; attempt < 5; attempt++) {
      await this.page.keyboard.press('F9');
      if (await becomes(async () => (await marks.count()) !== before, 4000)) return;
    }
    throw new Error(`no breakpoint mark appeared or vanished at line ${line}`);
  }

  async showDebugView(): Promise<void> {
    const view = this.page.locator('#workbench\\.view\\.debug');
    if (!(await view.isVisible())) await this.page.keyboard.press('Control+Shift+D');
    await view.waitFor();
  }

  /** Starts the launch configuration that is chosen in the Run and Debug view. Needs no running session. */
  async startDebugging(): Promise<void> {
    await this.page.keyboard.press('F5');
    await this.waitStopped();
  }

  /** Starts the launch configuration of that name, and waits until it is stopped. */
  async startConfiguration(name: string): Promise<void> {
    await this.runConfiguration(name);
    await this.waitStopped();
  }

  /** Starts the launch configuration of that name. */
  async runConfiguration(name: string): Promise<void> {
    // The list is not filled later with what a workbench that has just started does not know yet.
    for (let attempt = 0; ; attempt++) {
      const widget = await this.quickInput('F1', `debug ${name}`);
      const row = this.paletteRow(name);
      const there = await becomes(() => row.isVisible(), 2000);
      if (there) await row.click();
      else await this.page.keyboard.press('Escape');
      await widget.waitFor({ state: 'hidden' });
      if (there) return;
      if (attempt > 10) throw new Error(`there is no configuration ${name}`);
    }
  }

  /** Waits until the call stack shows a stopped frame. @returns its row's text for screen readers. */
  async waitStopped(timeout = 30_000): Promise<string> {
    const frame = this.callStackRows().and(this.page.locator('[aria-label^="Stack Frame"]')).first();
    await frame.waitFor({ timeout });
    return (await frame.getAttribute('aria-label')) ?? '';
  }

  /**
   * Does one step with a key of the debugger (F10 over, F11 in, Shift+F11 out, F5 continue) and waits until the stack
   * says something else than before.
   */
  async step(key: 'F10' | 'F11' | 'Shift+F11' | 'F5'): Promise<string> {
    const before = await this.callStack();
    await this.page.keyboard.press(key);
    const moved = async (): Promise<boolean> => {
      const now = await this.callStack();
      return now.some((row) => row.startsWith('Stack Frame')) && now.join('\n') !== before.join('\n');
    };
    if (!(await becomes(moved, 30_000))) throw new Error(`${key} moved nothing: ${before.join(' | ')}`);
    return this.waitStopped();
  }

  /** Ends the session and waits until the workbench has noticed. */
  async stopDebugging(): Promise<void> {
    await this.page.keyboard.press('Shift+F5');
    await this.waitEnded();
  }

  async waitEnded(): Promise<void> {
    await this.callStackRows().first().waitFor({ state: 'detached' });
    await this.page.locator('.start-debug-action-item').first().waitFor();
  }

  /** The rows of the call stack, threads and frames, as screen readers hear them. */
  async callStack(): Promise<string[]> {
    return this.callStackRows().evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label') ?? ''));
  }

  /** Waits until the visible rows of the Variables view are as `wanted` says (default: there are some). */
  async variables(wanted: (rows: readonly TreeRow[]) => boolean = (rows) => rows.length > 0): Promise<TreeRow[]> {
    return waitRows(() => this.page.locator('.debug-variables .monaco-list-row'), 'Variables', wanted);
  }

  /** Opens a scope or a variable of the Variables view, by its name. */
  async expandVariable(name: string): Promise<void> {
    const rows = this.page.locator('.debug-variables .monaco-list-row');
    const named = `[aria-label^="${name},"], [aria-label="Scope ${name}"]`;
    await expandRow(rows.and(this.page.locator(named)).first());
  }

  /** Gives a variable another value. */
  async setVariable(name: string, value: string): Promise<void> {
    await this.page.locator(`.debug-variables .monaco-list-row[aria-label^="${name},"]`).first().dblclick();
    const input = this.page.locator('.debug-variables input');
    await input.fill(value);
    await input.press('Enter');
    await input.waitFor({ state: 'hidden' });
  }

  /** The pane of a view, by the start of its title; opened if it is not. */
  async pane(title: string): Promise<Locator> {
    const header = this.page.locator(`.pane > .pane-header[aria-label^="${title}"]`).first();
    await header.waitFor();
    for (let attempt = 0; (await header.getAttribute('aria-expanded')) !== 'true'; attempt++) {
      if (attempt > 5) throw new Error(`the view ${title} does not open`);
      await header.click();
      await becomes(async () => (await header.getAttribute('aria-expanded')) === 'true', 1500);
    }
    return this.page.locator(`.pane:has(> .pane-header[aria-label^="${title}"])`).first();
  }

  /** Closes the pane of a view, to make room for others. */
  async collapse(title: string): Promise<void> {
    const header = this.page.locator(`.pane > .pane-header[aria-label^="${title}"]`).first();
    if ((await header.getAttribute('aria-expanded')) === 'true') await header.click();
  }

  /** Waits until the visible rows of a tree view, named by the start of its title, are as `wanted` says. */
  async treeRows(
    title: string,
    wanted: (rows: readonly TreeRow[]) => boolean = (rows) => rows.length > 0,
  ): Promise<TreeRow[]> {
    const pane = await this.pane(title);
    return waitRows(() => pane.locator('.monaco-list-row'), title, wanted);
  }

  /** Opens a row of a tree view by its label. */
  async expandTreeRow(title: string, label: string): Promise<void> {
    const rows = (await this.pane(title)).locator('.monaco-list-row');
    await expandRow(rows.filter({ has: this.page.locator('.label-name', { hasText: label }) }).first());
  }

  /** Chooses an entry of the context menu of a row. */
  async contextMenu(row: Locator, entry: string): Promise<void> {
    await row.click({ button: 'right' });
    const item = this.page.locator('.context-view .monaco-menu .action-item', { hasText: entry });
    await item.first().hover();
    await this.page.keyboard.press('Enter');
    await item.first().waitFor({ state: 'detached' });
  }

  /** Evaluates in the Debug Console. @returns the text of the last row, once there is one more than the echo. */
  async evaluate(expression: string): Promise<string> {
    await this.command('Debug Console: Focus on Debug Console View');
    const { page } = this;
    const rows = page.locator('.repl .monaco-list-row');
    const before = await rows.count();
    await page.locator('.repl .repl-input-wrapper .monaco-editor').first().click();
    await page.keyboard.type(expression);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    if (!(await becomes(async () => (await rows.count()) >= before + 2, 10_000))) {
      throw new Error(`no answer to ${expression}`);
    }
    return ((await rows.last().textContent()) ?? '').trim();
  }

  /** Opens the disassembly view. @returns its visible rows in order, as screen readers hear them. */
  async disassembly(): Promise<string[]> {
    const view = this.page.locator('.disassembly-view');
    if (!(await view.isVisible())) await this.command('Open Disassembly View');
    const rows = view.locator('.monaco-list-row[aria-label^="Address: 0x"]');
    await rows.first().waitFor();
    const read = await rows.evaluateAll((elements) =>
      elements.map((row) => ({
        index: Number(row.getAttribute('data-index')),
        aria: row.getAttribute('aria-label') ?? '',
      })),
    );
    return read.sort((a, b) => a.index - b.index).map((row) => row.aria);
  }

  /** The frame of a webview that holds an element with this selector. */
  async webview(selector: string): Promise<Frame> {
    let found: Frame | undefined;
    const there = await becomes(async () => {
      for (const frame of this.page.frames()) {
        const count = await frame
          .locator(selector)
          .count()
          .catch(() => 0);
        if (count > 0 && frame !== this.page.mainFrame()) found = frame;
      }
      return found !== undefined;
    }, 15_000);
    if (!there || !found) throw new Error(`no webview shows ${selector}`);
    return found;
  }

  /** Texts of the notifications that are shown. The `development` mode of a workbench shows none. */
  async notifications(): Promise<string[]> {
    return this.page.locator('.notification-toast .notification-list-item-message').allInnerTexts();
  }

  /** Changes the colour theme, as the operating system's choice would (see THEME_SETTINGS). */
  async theme(theme: Theme): Promise<void> {
    await this.page.emulateMedia({ colorScheme: theme });
    await this.page.locator(THEMES[theme].mark).waitFor();
  }

  /** Keeps a picture as `<name>.png` among the artefacts, or one for each theme named as `<name>-<theme>.png`. */
  async screenshot(name: string, themes: readonly Theme[] = []): Promise<void> {
    const keep = async (file: string): Promise<void> => {
      await this.page.screenshot({ path: path.join(this.artefacts, `${file}.png`), animations: 'disabled' });
    };
    if (themes.length === 0) await keep(name);
    for (const theme of themes) {
      await this.theme(theme);
      await keep(`${name}-${theme}`);
    }
  }

  /** Opens the quick input by a key, and types into it. Keys pressed while the workbench is busy can be lost. */
  private async quickInput(key: string, text: string): Promise<Locator> {
    const widget = this.page.locator('.quick-input-widget');
    const input = widget.locator('input.input');
    for (let attempt = 0; attempt < 8; attempt++) {
      if (!(await input.isVisible())) await this.page.keyboard.press(key);
      const open = await becomes(() => input.isVisible(), 2000);
      // One that lost the focus is still there for a moment, and takes no text.
      const filled =
        open &&
        (await input.fill(text, { timeout: 3000 }).then(
          () => true,
          () => false,
        ));
      if (filled) return widget;
      await this.page.keyboard.press('Escape');
    }
    throw new Error(`${key} opens no quick input`);
  }

  private callStackRows(): Locator {
    return this.page.locator('.debug-call-stack .monaco-list-row');
  }

  private paletteRow(title: string): Locator {
    const { page } = this;
    const label = page.locator('.quick-input-list-row .label-name').getByText(title, { exact: true });
    return page.locator('.quick-input-widget .quick-input-list .monaco-list-row').filter({ has: label }).first();
  }
}

/** Asks again and again until it is so; @returns whether it became so in time (milliseconds). */
export async function becomes(is: () => Promise<boolean>, timeout: number): Promise<boolean> {
  const deadline = Date.now() + timeout;
  while (!(await is())) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return true;
}

async function expandRow(row: Locator): Promise<void> {
  await row.waitFor();
  if ((await row.getAttribute('aria-expanded')) === 'true') return;
  await row.locator('.monaco-tl-twistie').click();
  if (!(await becomes(async () => (await row.getAttribute('aria-expanded')) === 'true', 10_000))) {
    throw new Error(`the row ${await row.getAttribute('aria-label')} does not open`);
  }
}

async function waitRows(
  find: () => Locator,
  view: string,
  wanted: (rows: readonly TreeRow[]) => boolean,
): Promise<TreeRow[]> {
  let rows: TreeRow[] = [];
  const arrived = await becomes(async () => {
    rows = await readRows(find());
    return wanted(rows);
  }, 15_000);
  if (!arrived) throw new Error(`${view} shows ${JSON.stringify(rows)}`);
  return rows;
}

async function readRows(rows: Locator): Promise<TreeRow[]> {
  // No function inside: it would be compiled with a helper that the page does not have.
  const read = await rows.evaluateAll((elements) =>
    elements.map((row) => ({
      index: Number(row.getAttribute('data-index')),
      text: row.textContent ?? '',
      label: row.querySelector('.label-name, .expression .name')?.textContent,
      description: row.querySelector('.label-description, .expression .value')?.textContent,
      aria: row.getAttribute('aria-label') ?? '',
      level: Number(row.getAttribute('aria-level') ?? 1),
      expanded: row.getAttribute('aria-expanded'),
    })),
  );
  return read
    .sort((a, b) => a.index - b.index)
    .map(({ label, description, text, aria, level, expanded }) => ({
      label: (label ?? text).replace(/\s*[:=]?\s*$/, '').trim(),
      description: (description ?? '').trim(),
      aria,
      level,
      expanded: expanded === null ? undefined : expanded === 'true',
    }));
}
