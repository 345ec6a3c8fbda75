/** Entry of the extension: what happens when VS Code activates it. */
import type * as vscode from 'vscode';
import { autostart } from './autostart';

export function activate(context: vscode.ExtensionContext): void {
  void autostart(context);
}
