/** Tells VS Code whether the shown session has the hypervisor model, for the `when` clauses of its view and commands. */
import * as vscode from 'vscode';
import type { Session, Sessions } from './sessions';

const KEY = 'elscope.hypervisor';

export function followModel(sessions: Sessions): vscode.Disposable {
  /** What each session has answered; asked once, and again after a reset, which may bring another machine. */
  const known = new WeakMap<Session, Promise<boolean>>();
  const show = async (session: Session | undefined): Promise<void> => {
    let has = false;
    if (session?.state) {
      const asked = known.get(session) ?? session.request('elscope/vms', {}).then(({ model }) => model);
      known.set(session, asked);
      has = await asked.catch(() => false);
    }
    if (session === sessions.current) await vscode.commands.executeCommand('setContext', KEY, has);
  };
  return vscode.Disposable.from(
    sessions.onDidChangeState((session) => void show(session)),
    sessions.onEvent(({ session, name }) => {
      if (name !== 'elscope/reset') return;
      known.delete(session);
      void show(session);
    }),
  );
}
