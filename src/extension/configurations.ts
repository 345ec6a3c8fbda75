/**
 * Launch configurations: what F5 does without a launch.json (it looks for guest ELF files in the workspace), and what the
 * debug menu and a new launch.json offer. The adapter checks the attributes themselves.
 */
import { open } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { ELF_HEADER_BYTES, ELF_NAMES, isGuestElf } from './elf';
import { DEBUG_TYPE } from './sessions';

const LOOK_AT_MOST = 200;
/** VS Code puts the folder's path in its place. */
const FOLDER = `$\{workspaceFolder}`;

/** What a launch.json starts with where no guest image was found. */
const template: vscode.DebugConfiguration = {
  type: DEBUG_TYPE,
  request: 'launch',
  name: 'Debug an arm64 guest',
  program: `${FOLDER}/guest.elf`,
  machine: 'cortex-a57',
  stopOnEntry: true,
};

function configurationFor(image: vscode.Uri, folder: vscode.WorkspaceFolder | undefined): vscode.DebugConfiguration {
  const inside = folder && path.relative(folder.uri.fsPath, image.fsPath);
  const program = inside === undefined ? image.fsPath : `${FOLDER}/${inside.split(path.sep).join('/')}`;
  return { ...template, name: `Debug ${path.basename(image.fsPath)}`, program };
}

async function foundConfigurations(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.DebugConfiguration[]> {
  return (await guestImages(folder)).map((image) => configurationFor(image, folder));
}

/** For a new launch.json, and before every start. */
export const configurationProvider: vscode.DebugConfigurationProvider = {
  async provideDebugConfigurations(folder) {
    const found = await foundConfigurations(folder);
    return found.length > 0 ? found : [template];
  },

  async resolveDebugConfiguration(folder, config) {
    if (config.type) return { ...config, request: config.request ?? 'launch', name: config.name ?? DEBUG_TYPE };
    const image = await chooseImage(await guestImages(folder));
    if (image !== 'none') return image && configurationFor(image, folder);
    const make = 'Create launch.json';
    const answer = await vscode.window.showErrorMessage(NO_IMAGE, make);
    return answer === make ? null : undefined;
  },
};

const NO_IMAGE = 'There is no AArch64 ELF program in this workspace that elscope could debug.';

/** The file of a guest image of the workspace, or any that the user names. */
async function askForImage(): Promise<vscode.Uri | undefined> {
  const image = await chooseImage(await guestImages(undefined));
  if (image !== 'none') return image;
  const picked = await vscode.window.showOpenDialog({ title: 'Guest image', openLabel: 'Debug' });
  return picked?.[0];
}

/** For `${command:AskForGuestImage}` in a launch.json. */
export const askForGuestImage = async (): Promise<string | undefined> => (await askForImage())?.fsPath;

export async function debugGuest(): Promise<void> {
  const image = await askForImage();
  if (!image) return;
  const folder = vscode.workspace.getWorkspaceFolder(image);
  await vscode.debug.startDebugging(folder, configurationFor(image, folder));
}

/** What the debug menu offers without a launch.json. */
export const dynamicConfigurations: vscode.DebugConfigurationProvider = {
  provideDebugConfigurations: foundConfigurations,
};

/** AArch64 ELF programs below the folder (or in the workspace), sorted by path. */
async function guestImages(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.Uri[]> {
  const pattern = folder ? new vscode.RelativePattern(folder, ELF_NAMES) : ELF_NAMES;
  const files = await vscode.workspace.findFiles(pattern, '**/node_modules/**', LOOK_AT_MOST);
  const checked = await Promise.all(files.map(async (file) => ({ file, fits: await holdsGuest(file.fsPath) })));
  return checked
    .filter(({ fits }) => fits)
    .map(({ file }) => file)
    .sort((a, b) => (a.fsPath < b.fsPath ? -1 : 1));
}

async function holdsGuest(file: string): Promise<boolean> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(ELF_HEADER_BYTES), 0, ELF_HEADER_BYTES, 0);
      return isGuestElf(buffer.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch {
    return false;
  }
}

async function chooseImage(images: readonly vscode.Uri[]): Promise<vscode.Uri | 'none' | undefined> {
  if (images.length === 0) return 'none';
  if (images.length === 1) return images[0];
  const items = images.map((image) => ({
    label: path.basename(image.fsPath),
    description: vscode.workspace.asRelativePath(path.dirname(image.fsPath)),
    image,
  }));
  const chosen = await vscode.window.showQuickPick(items, {
    placeHolder: 'Guest image to debug on the emulated machine',
  });
  return chosen?.image;
}
