/**
 * Starts one debug session by itself when whoever started VS Code asked for it: `ELSCOPE_AUTOSTART` names a launch
 * configuration of the first workspace folder. `npm start` does so. It happens once for each run of VS Code
 * (`ELSCOPE_AUTOSTART_RUN` names the run), so that a reloaded window stays as the user left it.
 */
import * as vscode from 'vscode';

const DONE = 'elscope.autostart.run';

/** @returns whether a session was started. */
export async function autostart(context: vscode.ExtensionContext): Promise<boolean> {
  const name = process.env.ELSCOPE_AUTOSTART;
  const run = process.env.ELSCOPE_AUTOSTART_RUN ?? '';
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (!name || !folder || context.workspaceState.get(DONE) === run) return false;
  await context.workspaceState.update(DONE, run);
  return vscode.debug.startDebugging(folder, name);
}
