/**
 * Puts a VS Code host into the cache: code-server and, where the running Node does not fit, a Node binary, both from
 * npm. Install scripts are not run, so neither a compiler nor development packages are needed; what they would have
 * prepared is either not used (kerberos, sqlite, native logging) or settled here (argon2, ripgrep).
 * A host is made in a scratch folder and renamed into place, so that an interrupted install leaves nothing half done.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { cacheDir } from '../paths';
import { npm } from '../processes';
import type { HostVersion } from './versions';

/** Raise when the steps below change: older installs are then made anew. */
const RECIPE = 1;

export interface InstalledHost {
  readonly version: HostVersion;
  /** The Node binary that runs it. */
  readonly node: string;
  /** Path of code-server's start script. */
  readonly entry: string;
}

/** Installs `version` unless it is there already. `log` is told when there is something to wait for. */
export async function installHost(version: HostVersion, log: (text: string) => void): Promise<InstalledHost> {
  const home = cacheDir(`vscode-${version.vscode}`);
  const stamp = stampOf(version);
  if (!isCurrent(home, stamp)) {
    log(`installing VS Code ${version.vscode} (code-server ${version.codeServer}) into ${home}`);
    const scratch = `${home}.${randomUUID().slice(0, 8)}`;
    await mkdir(scratch);
    try {
      await fill(scratch, version);
      await writeFile(path.join(scratch, 'installed'), stamp);
      await rm(home, { recursive: true, force: true });
      await rename(scratch, home).catch((error) => {
        if (!isCurrent(home, stamp)) throw error;
      });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  const modules = path.join(home, 'node_modules');
  return {
    version,
    node: usesOwnNode(version) ? path.join(modules, nodePackageName(), 'bin', 'node') : process.execPath,
    entry: path.join(modules, 'code-server', 'out', 'node', 'entry.js'),
  };
}

function stampOf(version: HostVersion): string {
  const facts = JSON.stringify([RECIPE, version, process.platform, process.arch, usesOwnNode(version)]);
  return createHash('sha256').update(facts).digest('hex');
}

function isCurrent(home: string, stamp: string): boolean {
  const file = path.join(home, 'installed');
  return existsSync(file) && readFileSync(file, 'utf8') === stamp;
}

function usesOwnNode(version: HostVersion): boolean {
  return Number(process.versions.node.split('.')[0]) !== version.nodeMajor;
}

function nodePackageName(): string {
  if (process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')) {
    return `node-linux-${process.arch}`;
  }
  throw new Error(`no VS Code host for ${process.platform} on ${process.arch}: put 'code' on PATH, or use Linux`);
}

async function fill(home: string, version: HostVersion): Promise<void> {
  const dependencies: Record<string, string> = { 'code-server': version.codeServer };
  if (usesOwnNode(version)) dependencies[nodePackageName()] = version.nodePackage;
  if (version.ripgrepPackage) dependencies['@vscode/ripgrep-universal'] = version.ripgrepPackage;
  const manifest = { name: 'vscode-host', version: '0.0.0', private: true, dependencies };
  await writeFile(path.join(home, 'package.json'), JSON.stringify(manifest, null, 2));
  const quick = ['--ignore-scripts', '--no-audit', '--no-fund'];
  await npm(['install', ...quick], { cwd: home });
  const vscode = path.join(home, 'node_modules', 'code-server', 'lib', 'vscode');
  await npm(['install', '--omit=dev', ...quick], { cwd: vscode });
  await npm(['install', '--omit=dev', ...quick], { cwd: path.join(vscode, 'extensions') });
  await replaceArgon2(home);
  if (version.ripgrepPackage) await linkRipgrep(home, vscode);
}

/**
 * Older versions load argon2, a native module without a prebuilt binary, to hash the password of a login that we
 * turn off. An empty module lets them start without a compiler.
 */
async function replaceArgon2(home: string): Promise<void> {
  const codeServer = createRequire(path.join(home, 'node_modules', 'code-server', 'package.json'));
  let folder: string;
  try {
    folder = path.dirname(codeServer.resolve('argon2/package.json'));
  } catch {
    return;
  }
  if (existsSync(path.join(folder, 'prebuilds'))) return;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  await writeFile(path.join(folder, 'package.json'), '{ "name": "argon2", "version": "0.0.0", "main": "index.js" }');
  await writeFile(path.join(folder, 'index.js'), 'module.exports = {};\n');
}

/** Older versions download ripgrep in an install script; the file search of the workbench needs it. */
async function linkRipgrep(home: string, vscode: string): Promise<void> {
  const wanted = path.join(vscode, 'node_modules', '@vscode', 'ripgrep', 'bin', 'rg');
  const platform = `${process.platform}-${process.arch}`;
  const binary = path.join(home, 'node_modules', '@vscode', 'ripgrep-universal', 'bin', platform, 'rg');
  await mkdir(path.dirname(wanted), { recursive: true });
  await symlink(path.relative(path.dirname(wanted), binary), wanted);
}
