/** The views and commands on the sample guests, with the real adapter. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { TestAccess } from '../../../src/extension/extension';
import type { Row } from '../../../src/extension/rows/row';
import { access, eventually, Guest, labels, rowsOf } from './guest';

const program = (name: string): string => `\${workspaceFolder}/${name}.elf`;

suite('a session on el-tour', () => {
  let guest: Guest;
  let shown: TestAccess;
  suiteSetup(async () => {
    shown = await access();
    guest = await Guest.start({ program: program('el-tour'), el: 2, stopOnEntry: true });
  });
  suiteTeardown(() => guest?.end());

  const coreIs = (pattern: RegExp) => rowsOf('elscope.cores', ([core]) => pattern.test(core?.description ?? ''));

  test('Cores shows the entry at EL2', async () => {
    await coreIs(/^EL2 · _start · entry/);
  });

  test('Cache ID registers decodes every field of CTR_EL0', async () => {
    const rows = await rowsOf('elscope.idRegisters');
    assert.ok(labels(rows).includes('CLIDR_EL1') && labels(rows).includes('CCSIDR_EL1[L1 I]'), labels(rows).join());
    const ctr = rows.find((row) => row.label === 'CTR_EL0');
    for (const name of ['IminLine', 'L1Ip', 'DminLine', 'IDC', 'DIC']) {
      assert.ok(
        ctr?.children?.some((field) => field.label === name),
        `${name} of ${labels(ctr?.children ?? []).join()}`,
      );
    }
  });

  test('Caches opens to the lines that the entry was fetched into', async () => {
    const [core] = await rowsOf('elscope.caches');
    assert.deepEqual(labels(core.children ?? []), ['L1 I', 'L1 D', 'L2']);
    const pages = core.children?.[0].children ?? [];
    assert.equal(pages.length, 4);
    for (const page of pages) assert.ok((await shown.rows('elscope.caches', page)).length > 0);
  });

  test('run to the next EL change: EL1 by ERET, EL0 by ERET, back by SVC', async () => {
    await guest.move('elscope.runToElChange');
    await coreIs(/^EL1 · /);
    await guest.move('elscope.runToElChange');
    await coreIs(/^EL0 · user_main/);
    await guest.move('elscope.stepIntoException');
    await coreIs(/^EL1 · /);
    assert.match(await guest.evaluate('ESR_EL1.EC'), /0x15/);
    await guest.move('elscope.stepOutToEret');
    await coreIs(/^EL0 · /);
  });

  test('a symbol and a register are pinned, each once, and shown with their copies', async () => {
    shown.pins.clear();
    await vscode.commands.executeCommand('elscope.pinLine', 'main');
    await vscode.commands.executeCommand('elscope.pinLine', 'main');
    await vscode.commands.executeCommand('elscope.pinLine', 'pc');
    assert.equal(shown.pins.all.length, 2);
    assert.equal(shown.pins.all[0].address, 'main');
    assert.match(shown.pins.all[1].address, /^0x[0-9a-f]{16}$/);
    const rows = await rowsOf('elscope.watchedLines', ({ length }) => length === 2);
    const copies = labels(rows[0].children ?? []);
    for (const where of ['L1I core0', 'L1D core0', 'PoU', 'PoC']) assert.ok(copies.includes(where), copies.join());
    await vscode.commands.executeCommand('elscope.unpinLine', rows[0]);
    assert.equal(shown.pins.all.length, 1);
    await vscode.commands.executeCommand('elscope.unpinAll');
    await rowsOf('elscope.watchedLines', ({ length }) => length === 0);
  });

  test('the line of code at the cursor is pinned from the editor', async () => {
    const folder = vscode.workspace.workspaceFolders?.[0];
    assert.ok(folder);
    const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder.uri, 'el-tour', 'kernel.c'));
    const editor = await vscode.window.showTextDocument(document);
    const at = document.positionAt(document.getText().indexOf('tour.system_calls++'));
    editor.selection = new vscode.Selection(at.line, 0, at.line, 0);
    await vscode.commands.executeCommand('elscope.pinLineHere', document.uri);
    const [pin] = await eventually(
      async () => (shown.pins.all.length > 0 ? shown.pins.all : undefined),
      () => 'pins',
    );
    assert.match(pin.label, /^system_call/);
    shown.pins.clear();
  });

  test('disassembly opens around an address, as A64 assembly', async () => {
    await vscode.commands.executeCommand('elscope.showDisassembly', 'main');
    const editor = await eventually(
      async () => vscode.window.visibleTextEditors.find((e) => e.document.uri.scheme === 'elscope-disassembly'),
      () => 'disassembly editors',
    );
    assert.equal(editor.document.languageId, 'arm64');
    const line = editor.document.lineAt(editor.selection.active.line).text;
    assert.match(line, /\/\/ 0x[0-9a-f]+: [0-9a-f]{8}/);
    assert.match(editor.document.getText(), /^main:$/m);
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  });
});

suite('a session on selfmod without IC IVAU', () => {
  let guest: Guest;
  let shown: TestAccess;
  suiteSetup(async () => {
    shown = await access();
    guest = await Guest.start({ program: program('selfmod-noic') });
  });
  suiteTeardown(() => guest?.end());

  test('stops on the stale fetch, and the copies of the line differ as they should', async () => {
    await guest.focusedFrame();
    await vscode.commands.executeCommand('elscope.pinLine', 'answer_no_ic');
    const [pin] = await rowsOf('elscope.watchedLines');
    const word = (where: string): string => {
      const copy = pin.children?.find((row: Row) => row.label === where);
      return copy?.description ?? 'no such copy';
    };
    assert.match(word('L1I core0'), /mov w0, #(0x)?1\b.*differs/);
    assert.match(word('cacheable accesses'), /mov w0, #(0x)?2\b/);
    assert.match(word('PoU'), /mov w0, #(0x)?2\b/);
    assert.equal(pin.mark?.includes('iffers'), true);
    shown.pins.clear();
  });
});

suite('a session on cores with different lines', () => {
  let guest: Guest;
  suiteSetup(async () => {
    guest = await Guest.start({ program: program('two-lines'), machine: 'mixed-lines', cpus: 2, stopOnEntry: true });
  });
  suiteTeardown(() => guest?.end());

  test('the mismatch of CTR_EL0 is marked, with the fields that differ', async () => {
    const rows = await rowsOf('elscope.idRegisters');
    const ctr = rows.find((row) => row.label === 'CTR_EL0');
    assert.equal(ctr?.mark, 'differs');
    const marked = (ctr?.children ?? []).flatMap((core) => core.children ?? []).filter((field) => field.mark);
    assert.deepEqual([...new Set(labels(marked))].sort(), ['CWG', 'DminLine', 'IminLine']);
  });

  test('both cores have a row', async () => {
    assert.deepEqual(labels(await rowsOf('elscope.cores')), ['core 0', 'core 1']);
  });
});
