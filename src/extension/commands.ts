/**
 * Every command that the manifest contributes, one row each (a test compares the two lists). Commands act on what they were
 * called from (a row of a view, a thread, a variable) and else on what has the focus.
 */
import * as vscode from 'vscode';
import type { CustomRequests } from '../protocol/custom';
import type { PanelRequests } from '../protocol/panel';
import {
  addressOfVariable,
  askForPlace,
  isRow,
  isVariableContext,
  locate,
  locateInEditor,
  type Place,
} from './addresses';
import { askForGuestImage, debugGuest } from './configurations';
import type { Documents } from './documents';
import type { CacheLinesPanel } from './panel/cacheLinesPanel';
import { type Pins, pinOf } from './pins';
import type { Row } from './rows/row';
import type { Session, Sessions } from './sessions';
import type { Terminals } from './terminals';
import { showTranslation } from './translation';
import { type LiveTree, messageOf } from './views/liveTree';
import {
  changePolicy,
  migrateVcpu,
  pauseVcpu,
  pinVcpu,
  resetVcpu,
  restoreVm,
  saveVm,
  unpinVcpu,
} from './virtualMachines';

export interface CommandContext {
  readonly sessions: Sessions;
  readonly pins: Pins;
  readonly panel: CacheLinesPanel;
  readonly terminals: Terminals;
  readonly documents: Documents;
  readonly trees: ReadonlyMap<string, LiveTree>;
}

type StepKind = CustomRequests['elscope/stepTo']['params']['kind'];
/** Does nothing quietly without a session: the manifest hides what cannot work. */
type Command = (context: CommandContext, session: Session, argument: unknown) => Promise<unknown> | unknown;

/** The thread in what VS Code hands to commands of the call stack's context menu: `thread:<session>:<number>`. */
const threadOf = (argument: unknown): number | undefined => {
  const id =
    typeof argument === 'object' && argument !== null && 'threadId' in argument ? argument.threadId : undefined;
  const digits = /(?:^|:)(\d+)$/.exec(String(id))?.[1];
  return digits === undefined ? undefined : Number(digits);
};

/** The core that caused the stop, while VS Code has not chosen a thread yet. */
async function stoppedThread(session: Session): Promise<number> {
  const { cores } = await session.request('elscope/cores', {});
  return (cores.find((core) => core.stopReason !== undefined) ?? cores[0]).threadId;
}

const stepTo =
  (kind: StepKind): Command =>
  async (_, session, argument) => {
    const threadId = threadOf(argument) ?? session.focusedThread ?? (await stoppedThread(session));
    await session.request('elscope/stepTo', { threadId, kind });
  };

/** The place that a command was called on; asks when it was called on nothing. */
async function placeFor(session: Session, argument: unknown, title: string): Promise<Place | undefined> {
  if (isRow(argument) && argument.address) return locate(session, argument.address);
  if (isVariableContext(argument)) return locate(session, addressOfVariable(argument));
  if (typeof argument === 'string') return locate(session, argument);
  const editor = vscode.window.activeTextEditor;
  const fromEditor = argument instanceof vscode.Uri && editor !== undefined;
  return fromEditor ? locateInEditor(session, editor) : askForPlace(session, title);
}

const rowOf = (argument: unknown): Row | undefined => (isRow(argument) ? argument : undefined);

const pin: Command = async ({ pins }, session, argument) => {
  const place = await placeFor(session, argument, 'Pin the line at an address');
  if (!place) return;
  const added = pinOf(place.expression, place.line);
  const text = pins.add(added) ? `Watching the line of ${added.label}` : `${added.label} is watched already`;
  vscode.window.setStatusBarMessage(text, 5000);
};

const showCacheLine: Command = async ({ panel }, session, argument) => {
  if (!isRow(argument)) return panel.show();
  const { line, cache, address } = argument;
  if (line) return panel.show({ selection: { core: line.core, level: line.level, kind: line.kind }, line });
  if (cache) return panel.show({ selection: cache });
  const core = argument.core ?? (await session.focusedCore()) ?? 0;
  panel.show({ selection: { core, level: 1, kind: 'I' }, filter: address });
};

async function copyValue(argument: unknown): Promise<void> {
  if (isRow(argument) && argument.value !== undefined) await vscode.env.clipboard.writeText(argument.value);
}

async function openSource(sessions: Sessions, argument: unknown): Promise<void> {
  if (!isRow(argument) || !argument.source) return;
  const { path, line, sourceReference } = argument.source;
  const selection = new vscode.Range(line - 1, 0, line - 1, 0);
  const served = sourceReference === undefined ? undefined : { path, sourceReference };
  const uri = served ? vscode.debug.asDebugSourceUri(served, sessions.current?.debug) : vscode.Uri.file(path);
  await vscode.window.showTextDocument(uri, { selection, preserveFocus: true, preview: true });
}

/** Commands of a session. */
const sessionCommands: Readonly<Record<string, Command>> = {
  'elscope.stepIntoException': stepTo('exception'),
  'elscope.stepOutToEret': stepTo('return'),
  'elscope.runToElChange': stepTo('elChange'),
  'elscope.runToGuestEntry': stepTo('guestEntry'),
  'elscope.runToGuestExit': stepTo('guestExit'),
  'elscope.migrateVcpu': (_, session, argument) => migrateVcpu(session, rowOf(argument)),
  'elscope.pinVcpu': (_, session, argument) => pinVcpu(session, rowOf(argument)),
  'elscope.unpinVcpu': (_, session, argument) => unpinVcpu(session, rowOf(argument)),
  'elscope.pauseVcpu': (_, session, argument) => pauseVcpu(session, rowOf(argument), true),
  'elscope.resumeVcpu': (_, session, argument) => pauseVcpu(session, rowOf(argument), false),
  'elscope.resetVcpu': (_, session, argument) => resetVcpu(session, rowOf(argument)),
  'elscope.saveVm': (_, session, argument) => saveVm(session, rowOf(argument)),
  'elscope.restoreVm': (_, session) => restoreVm(session),
  'elscope.changePolicy': (_, session, argument) => changePolicy(session, rowOf(argument)),
  'elscope.pinLine': pin,
  'elscope.pinLineHere': pin,
  'elscope.pinVariable': pin,
  'elscope.showCacheLine': showCacheLine,
  'elscope.translateAddress': async (_, session, argument) => {
    const place = await placeFor(session, argument, 'Translate an address');
    if (place) await showTranslation(session, place.expression);
  },
  'elscope.showDisassembly': async ({ documents }, session, argument) => {
    const place = await placeFor(session, argument, 'Disassemble at an address');
    if (place) await openAddress(documents, session, place.expression, 'disassembly');
  },
  'elscope.showMemory': async ({ documents }, session, argument) => {
    const place = await placeFor(session, argument, 'Show the memory at an address');
    if (place) await openAddress(documents, session, place.expression, 'memory');
  },
  'elscope.openUart': ({ terminals }, session) => terminals.show(session),
};

/** Commands that need none. */
const freeCommands: Readonly<Record<string, (context: CommandContext, argument: unknown) => unknown>> = {
  'elscope.debugGuest': debugGuest,
  'elscope.askForGuestImage': askForGuestImage,
  'elscope.openCacheLines': ({ panel }) => panel.show(),
  'elscope.refresh': ({ trees }) => {
    for (const tree of trees.values()) tree.refresh();
  },
  'elscope.unpinLine': ({ pins }, argument) => {
    if (isRow(argument) && argument.pin !== undefined) pins.remove(argument.pin);
  },
  'elscope.unpinAll': ({ pins }) => pins.clear(),
  'elscope.copyValue': (_, argument) => copyValue(argument),
  'elscope.openSource': ({ sessions }, argument) => openSource(sessions, argument),
};

export function registerCommands(context: CommandContext): vscode.Disposable[] {
  const guarded = (body: (argument: unknown) => unknown) => async (argument: unknown) => {
    try {
      return await body(argument);
    } catch (error) {
      void vscode.window.showErrorMessage(messageOf(error));
      return undefined;
    }
  };
  const register = (id: string, body: (argument: unknown) => unknown): vscode.Disposable =>
    vscode.commands.registerCommand(id, guarded(body));
  const { sessions } = context;
  return [
    ...Object.entries(sessionCommands).map(([id, command]) =>
      register(id, (argument) => {
        const session = sessionFor(sessions, argument);
        return session && command(context, session, argument);
      }),
    ),
    ...Object.entries(freeCommands).map(([id, command]) => register(id, (argument) => command(context, argument))),
  ];
}

function sessionFor(sessions: Sessions, argument: unknown): Session | undefined {
  const id =
    typeof argument === 'object' && argument !== null && 'sessionId' in argument ? argument.sessionId : undefined;
  return (typeof id === 'string' ? sessions.byId(id) : undefined) ?? sessions.current;
}

type Where = PanelRequests['panel/open']['params']['where'];

/** Shows an address in a view that VS Code has for it. */
export async function openAddress(
  documents: Documents,
  session: Session,
  address: string,
  where: Exclude<Where, 'watchedLines'>,
): Promise<void> {
  const { line } = await locate(session, address);
  const reference = line.va === undefined ? `pa:${line.pa}` : line.va;
  if (where === 'disassembly') return documents.openDisassembly(session, reference);
  // VS Code's own command for what has a memory reference; it offers to install the Hex Editor where there is none.
  const variable = { name: address, value: reference, memoryReference: reference };
  await vscode.commands.executeCommand('workbench.debug.viewlet.action.viewMemory', {
    sessionId: session.debug.id,
    variable,
  });
}
