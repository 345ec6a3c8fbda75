/** Commands: those of the manifest and those that the running extension registers are the same. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { access, eventually, ID } from './guest';

interface Contributes {
  readonly commands: readonly { readonly command: string }[];
  readonly views: { readonly debug: readonly { readonly id: string }[] };
}

suite('manifest', () => {
  const contributes = (): Contributes => vscode.extensions.getExtension(ID)?.packageJSON.contributes;

  test('every command that is registered is contributed', async () => {
    await access();
    const contributed = contributes().commands.map((row) => row.command);
    const views = contributes().views.debug.map((view) => view.id);
    const registered = (await vscode.commands.getCommands(true)).filter((id) => id.startsWith('elscope.'));
    // VS Code makes some for each view, such as `elscope.cores.focus`.
    const own = registered.filter((id) => !views.some((view) => id.startsWith(`${view}.`)));
    assert.deepEqual(own.sort(), [...contributed].sort());
  });

  test('assembly files are highlighted, machine files are JSON with comments', async () => {
    const folder = vscode.workspace.workspaceFolders?.[0];
    assert.ok(folder);
    const open = async (...names: string[]): Promise<string> =>
      (await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder.uri, ...names))).languageId;
    assert.equal(await open('el-tour', 'levels.S'), 'arm64');
    const file = vscode.Uri.joinPath(folder.uri, 'mine.elscope.json');
    await vscode.workspace.fs.writeFile(file, new TextEncoder().encode('// mine\n{ "preset": "max" }\n'));
    assert.equal(await open('mine.elscope.json'), 'jsonc');
    await vscode.workspace.fs.delete(file);
  });

  test('a machine file is checked by its schema while it is written', async () => {
    const folder = vscode.workspace.workspaceFolders?.[0];
    assert.ok(folder);
    const file = vscode.Uri.joinPath(folder.uri, 'wrong.elscope.json');
    await vscode.workspace.fs.writeFile(
      file,
      new TextEncoder().encode('{\n  // no such field\n  "presets": "max",\n}\n'),
    );
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(file));
    const problems = await eventually(
      async () => {
        const found = vscode.languages.getDiagnostics(file);
        // The parser's own problems come before those of the schema.
        return found.some((problem) => problem.message.includes('presets')) ? found : undefined;
      },
      () => 'problems',
    );
    assert.match(problems.map((problem) => problem.message).join('\n'), /presets/);
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
    await vscode.workspace.fs.delete(file);
  });
});
