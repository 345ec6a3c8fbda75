/** Findings as diagnostics: a warning on the line that ran, and where it was written one that says so. */
import * as vscode from 'vscode';
import type { FindingRow } from '../protocol/views';
import { happened } from './rows/findings';
import type { Session, Sessions } from './sessions';

const SOURCE = 'elscope';

export class FindingMarks implements vscode.Disposable {
  private readonly collection = vscode.languages.createDiagnosticCollection(SOURCE);
  private readonly subscription: vscode.Disposable;
  private session: Session | undefined;
  private last = 0;
  private found: FindingRow[] = [];
  private asking = false;

  constructor(sessions: Sessions) {
    this.subscription = sessions.onDidChangeState((session) => void this.follow(session));
  }

  dispose(): void {
    this.subscription.dispose();
    this.collection.dispose();
  }

  /** Findings since the last stop are added; another session begins anew, and what a session left stays until then. */
  private async follow(session: Session | undefined): Promise<void> {
    if (session === undefined || session.state === undefined || session.state.running || this.asking) return;
    if (session !== this.session) {
      this.session = session;
      this.last = 0;
      this.found = [];
    }
    this.asking = true;
    try {
      const { findings } = await session.request('elscope/findings', { since: this.last });
      this.last = findings.at(-1)?.id ?? this.last;
      this.found.push(...findings);
      if (findings.length > 0 || this.last === 0) this.show();
    } catch {
      // The session has ended meanwhile.
    } finally {
      this.asking = false;
    }
  }

  private show(): void {
    const byFile = new Map<string, vscode.Diagnostic[]>();
    for (const finding of this.found) {
      const { source } = finding;
      if (source === undefined) continue;
      byFile.set(source.path, [...(byFile.get(source.path) ?? []), diagnostic(finding, source.line)]);
    }
    this.collection.clear();
    for (const [path, list] of byFile) this.collection.set(vscode.Uri.file(path), list);
  }
}

function diagnostic(finding: FindingRow, line: number): vscode.Diagnostic {
  const range = new vscode.Range(line - 1, 0, line - 1, Number.MAX_SAFE_INTEGER);
  const text = `${finding.kind}: ${happened(finding)}. Missing: ${finding.missing.join('; ')}.`;
  const made = new vscode.Diagnostic(range, text, vscode.DiagnosticSeverity.Warning);
  made.source = SOURCE;
  made.code = finding.kind;
  return made;
}
