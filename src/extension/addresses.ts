/**
 * What the user means by an address: a row of a view, a variable of the Variables view, the selection or the line in an
 * editor, or text typed into a box. Commands that work on addresses ask here.
 */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import * as vscode from 'vscode';
import type { LineStateView } from '../protocol/views';
import type { Row } from './rows/row';
import type { Session } from './sessions';

/** An address that the session knows: the text that it was asked by, and the line there. */
export interface Place {
  readonly expression: string;
  readonly line: LineStateView;
}

/** What VS Code hands to the commands of the Variables view's context menu. */
interface VariableContext {
  readonly sessionId: string;
  readonly variable: {
    readonly name: string;
    readonly value: string;
    readonly evaluateName?: string;
    readonly memoryReference?: string;
  };
}

export const isVariableContext = (value: unknown): value is VariableContext =>
  typeof value === 'object' && value !== null && 'sessionId' in value && 'variable' in value;

export const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && 'id' in value && 'label' in value;

/** The address behind a variable: where it points or lies, or the number that it holds. */
export function addressOfVariable({ variable }: VariableContext): string {
  const number = /0x[0-9a-f]+/i.exec(variable.value)?.[0];
  return variable.memoryReference ?? number ?? variable.evaluateName ?? variable.name;
}

/** Text under the cursor that may be an address: the selection, or the word. */
function editorText(editor: vscode.TextEditor): { readonly text: string; readonly selected: boolean } {
  const { document, selection } = editor;
  if (!selection.isEmpty) return { text: document.getText(selection).trim(), selected: true };
  const word = document.getWordRangeAtPosition(selection.active);
  return { text: word ? document.getText(word) : '', selected: false };
}

export async function locate(session: Session, expression: string): Promise<Place> {
  const [core, frameId] = [await session.focusedCore(), session.focusedFrame];
  return { expression, line: await session.request('elscope/lineState', { address: expression, core, frameId }) };
}

/** Address of the code of a source line, if there is some. */
async function addressOfLine(session: Session, editor: vscode.TextEditor): Promise<string | undefined> {
  const args: Dap.GotoTargetsArguments = {
    source: { path: editor.document.uri.fsPath },
    line: editor.selection.active.line + 1,
  };
  const { targets }: Dap.GotoTargetsResponse['body'] = await session.debug.customRequest('gotoTargets', args);
  return targets.find((target) => target.instructionPointerReference)?.instructionPointerReference;
}

/** The place that the editor's cursor is at: what is selected, the symbol under it, or the code of its line. */
export async function locateInEditor(session: Session, editor: vscode.TextEditor): Promise<Place> {
  const { text, selected } = editorText(editor);
  if (selected) return locate(session, text);
  if (text !== '') {
    const place = await locate(session, text).catch(() => undefined);
    if (place) return place;
  }
  const address = await addressOfLine(session, editor).catch(() => undefined);
  if (address) return locate(session, address);
  throw new Error(
    text === '' ? 'There is no code at this line.' : `"${text}" is no address, and there is no code here.`,
  );
}

/** Asks for an address until it is one, or the user gives up. */
export async function askForPlace(session: Session, title: string, value = ''): Promise<Place | undefined> {
  let place: Place | undefined;
  const text = await vscode.window.showInputBox({
    title,
    value,
    prompt: 'A symbol, an expression such as main+0x10 or x0, or an address such as 0x40200000 or pa:0x40200000',
    ignoreFocusOut: true,
    validateInput: async (typed) => {
      if (typed.trim() === '') return undefined;
      try {
        place = await locate(session, typed.trim());
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
  });
  const expression = text?.trim();
  if (!expression) return undefined;
  return place?.expression === expression ? place : locate(session, expression);
}
