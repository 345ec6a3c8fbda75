/** The extension is there, becomes active, and what its manifest promises exists. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { screenshot } from './control';

const ID = 'elscope.elscope';

suite('activation', () => {
  test('the extension activates in a trusted workspace', async () => {
    const extension = vscode.extensions.getExtension(ID);
    assert.ok(extension, `${ID} is not installed`);
    await extension.activate();
    assert.equal(extension.isActive, true);
    assert.equal(vscode.workspace.isTrusted, true);
    assert.equal(vscode.workspace.workspaceFolders?.length, 1);
  });

  test('every contributed command is registered', async () => {
    const extension = vscode.extensions.getExtension(ID);
    await extension?.activate();
    const contributed: { command: string }[] = extension?.packageJSON.contributes.commands ?? [];
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      contributed.map((row) => row.command).filter((command) => !registered.has(command)),
      [],
    );
  });

  test('the debug type and the walkthrough are contributed', () => {
    const { contributes } = vscode.extensions.getExtension(ID)?.packageJSON ?? {};
    assert.deepEqual(
      contributes.debuggers.map((row: { type: string }) => row.type),
      ['elscope'],
    );
    assert.ok(contributes.walkthroughs.length > 0);
  });

  test('a picture of the workbench can be kept', async () => {
    assert.equal(await screenshot('activation'), process.env.ELSCOPE_TEST_CONTROL !== undefined);
  });
});
