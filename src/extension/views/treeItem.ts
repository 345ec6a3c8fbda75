/** Rows as VS Code's tree items: icons and colours of the theme, badges for marks, words for screen readers. */
import * as vscode from 'vscode';
import { colors, type Mark, type Row } from '../rows/row';

const SCHEME = 'elscope-row';
const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;

/** What is below the row comes when it is opened. */
export const isAskedFor = ({ sets, stage2 }: Row): boolean => sets !== undefined || stage2 !== undefined;

export function treeItem(row: Row): vscode.TreeItem {
  const label: vscode.TreeItemLabel = { label: row.label, highlights: row.highlights?.map(([from, to]) => [from, to]) };
  const below = isAskedFor(row) || (row.children?.length ?? 0) > 0;
  const item = new vscode.TreeItem(label, below ? (row.open ? Expanded : Collapsed) : None);
  item.id = row.id;
  item.description = row.description;
  item.contextValue = row.context ?? '';
  item.tooltip = row.tooltip === undefined ? undefined : new vscode.MarkdownString(row.tooltip);
  // A row with a mark and no icon would get that of a file, and stand apart from its neighbours.
  item.iconPath = new vscode.ThemeIcon(row.icon ?? 'blank', row.color ? new vscode.ThemeColor(row.color) : undefined);
  item.resourceUri = row.mark && vscode.Uri.from({ scheme: SCHEME, path: `/${row.mark}` });
  item.accessibilityInformation = { label: row.spoken ?? [row.label, row.description].filter(Boolean).join(', ') };
  if (row.line) item.command = { command: 'elscope.showCacheLine', title: 'Show in Cache Lines', arguments: [row] };
  else if (row.source) item.command = { command: 'elscope.openSource', title: 'Open Source', arguments: [row] };
  return item;
}

const decorations: Readonly<Record<Mark, vscode.FileDecoration>> = {
  differs: new vscode.FileDecoration('≠', 'Differs', new vscode.ThemeColor(colors.differs)),
  changed: new vscode.FileDecoration('•', 'Changed since the last stop', new vscode.ThemeColor(colors.changed)),
  changedAndDiffers: new vscode.FileDecoration(
    '•≠',
    'Differs; changed since the last stop',
    new vscode.ThemeColor(colors.differs),
  ),
};

/** Gives marked rows their badge and colour. */
export const rowDecorations: vscode.FileDecorationProvider = {
  provideFileDecoration: ({ scheme, path }) => (scheme === SCHEME ? decorations[path.slice(1) as Mark] : undefined),
};
