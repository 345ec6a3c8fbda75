/** Read-only documents about a session: disassembly around an address, which VS Code's own view cannot be sent to. */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import * as vscode from 'vscode';
import type { Session, Sessions } from './sessions';

const SCHEME = 'elscope-disassembly';
const BEFORE = 32;
const ROWS = 256;

/** One line of the document; the column of the instruction is fixed so that it can be read down. */
export function disassemblyLine(row: Dap.DisassembledInstruction): string {
  const label = row.symbol ? `\n${row.symbol}:\n` : '';
  const bytes = row.instructionBytes?.replace(/\s/g, '') ?? '';
  return `${label}    ${row.instruction.padEnd(40)} // ${row.address}: ${bytes}`;
}

export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<vscode.Uri>();
  private readonly subscriptions: vscode.Disposable[];
  readonly onDidChange = this.emitter.event;

  constructor(private readonly sessions: Sessions) {
    this.subscriptions = [vscode.workspace.registerTextDocumentContentProvider(SCHEME, this), this.emitter];
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const session = this.sessions.byId(uri.authority);
    if (!session) return '// The debug session has ended.\n';
    const args: Dap.DisassembleArguments = {
      memoryReference: uri.path.slice(1),
      instructionOffset: -BEFORE,
      instructionCount: ROWS,
      resolveSymbols: true,
    };
    const { instructions }: NonNullable<Dap.DisassembleResponse['body']> = await session.debug.customRequest(
      'disassemble',
      args,
    );
    return `${instructions.map(disassemblyLine).join('\n')}\n`;
  }

  /** Opens the code around `address` (a reference), with the cursor on it. */
  async openDisassembly(session: Session, address: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, authority: session.debug.id, path: `/${address}` });
    this.emitter.fire(uri);
    const opened = await vscode.workspace.openTextDocument(uri);
    const document = await vscode.languages.setTextDocumentLanguage(opened, 'arm64');
    const digits = BigInt(/0x[0-9a-f]+/i.exec(address)?.[0] ?? 0).toString(16);
    const at = document.getText().search(new RegExp(`// 0x0*${digits}:`, 'i'));
    const position = document.positionAt(Math.max(0, at));
    const selection = new vscode.Range(position.line, 0, position.line, 0);
    await vscode.window.showTextDocument(document, { selection, preview: true });
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }
}
