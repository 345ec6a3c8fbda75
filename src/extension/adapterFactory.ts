/**
 * Starts the debug adapter as a process of its own with the runtime that the extension host runs on, so that no Node has to be
 * installed. (A launch configuration's `debugServer` makes VS Code connect to a running adapter instead.)
 */
import * as vscode from 'vscode';

export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory {
  constructor(private readonly extensionUri: vscode.Uri) {}

  createDebugAdapterDescriptor(session: vscode.DebugSession): vscode.DebugAdapterDescriptor {
    const program = vscode.Uri.joinPath(this.extensionUri, 'dist', 'adapter.cjs').fsPath;
    return new vscode.DebugAdapterExecutable(process.execPath, [program], {
      cwd: session.workspaceFolder?.uri.fsPath,
      env: { ELECTRON_RUN_AS_NODE: '1' },
    });
  }
}
