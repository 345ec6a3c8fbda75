/** Entry of the extension: makes the parts and joins them. Nothing is asked of a session before something shows it. */
import * as vscode from 'vscode';
import { AdapterFactory } from './adapterFactory';
import { locate } from './addresses';
import { autostart } from './autostart';
import { openAddress, registerCommands } from './commands';
import { configurationProvider, dynamicConfigurations } from './configurations';
import { Documents } from './documents';
import { FindingMarks } from './findingMarks';
import { followModel } from './modelContext';
import { CacheLinesPanel } from './panel/cacheLinesPanel';
import { Pins, pinOf } from './pins';
import type { Row } from './rows/row';
import { DEBUG_TYPE, Sessions } from './sessions';
import { Terminals } from './terminals';
import { LiveTree } from './views/liveTree';
import { rowDecorations } from './views/treeItem';
import { treeSources, VIEW_IDS } from './views/trees';

const PINS = 'elscope.watchedLines';

/** What tests inside the extension host look at; other extensions get nothing. */
export interface TestAccess {
  /** The rows of a view, also while it is hidden. */
  rows(viewId: string, parent?: Row): Promise<Row[]>;
  readonly pins: Pins;
}

export function activate(context: vscode.ExtensionContext): TestAccess | undefined {
  const { debug, window } = vscode;
  const { Dynamic } = vscode.DebugConfigurationProviderTriggerKind;
  const sessions = new Sessions();
  const documents = new Documents(sessions);
  const terminals = new Terminals(sessions);
  const { workspaceState } = context;
  const storage = { get: () => workspaceState.get(PINS), set: (pins: unknown) => workspaceState.update(PINS, pins) };
  const pins = new Pins(storage, () => trees.get(VIEW_IDS.watchedLines)?.refresh());
  const trees = new Map(treeSources(pins).map((source) => [source.viewId, new LiveTree(source, sessions)]));
  const panel = new CacheLinesPanel(context.extensionUri, sessions, async (session, { address, where }) => {
    if (where !== 'watchedLines') return openAddress(documents, session, address, where);
    const place = await locate(session, address);
    pins.add(pinOf(place.expression, place.line));
  });
  context.subscriptions.push(
    sessions,
    documents,
    terminals,
    panel,
    new FindingMarks(sessions),
    ...trees.values(),
    followModel(sessions),
    window.registerFileDecorationProvider(rowDecorations),
    debug.registerDebugAdapterDescriptorFactory(DEBUG_TYPE, new AdapterFactory(context.extensionUri)),
    debug.registerDebugConfigurationProvider(DEBUG_TYPE, configurationProvider),
    debug.registerDebugConfigurationProvider(DEBUG_TYPE, dynamicConfigurations, Dynamic),
    ...registerCommands({ sessions, pins, panel, terminals, documents, trees }),
  );
  void autostart(context);
  if (context.extensionMode !== vscode.ExtensionMode.Test) return undefined;
  return { pins, rows: async (viewId, parent) => (await trees.get(viewId)?.getChildren(parent)) ?? [] };
}
