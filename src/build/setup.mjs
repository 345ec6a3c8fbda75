/**
 * `npm test` and `npm start` begin here, in plain Node without any dependency, so that both work in a fresh clone:
 * checks the Node version, installs the dependencies when there are none or the lock file has changed since, and then
 * runs src/build/<name>.ts in this same process.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const [name] = process.argv.slice(2);

if (name !== 'test' && name !== 'start') fail('usage: node src/build/setup.mjs test|start [options]');
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) fail(`Node 20.19 or later is needed; this is ${process.versions.node}`);

installDependencies();
// What follows sees itself as the script and the rest as its options.
process.argv.splice(1, 2, path.join(root, 'src', 'build', `${name}.ts`));
process.chdir(root);
const { register } = await import('tsx/esm/api');
register();
await import(`./${name}.ts`);

function installDependencies() {
  const stamp = path.join(root, 'node_modules', '.elscope-lock');
  const wanted = createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  if (npmAgrees()) {
    writeFileSync(stamp, wanted);
    return;
  }
  console.log('installing dependencies (npm ci)');
  const started = Date.now();
  const result = npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], 'inherit');
  if (result.status !== 0) fail('npm ci failed');
  writeFileSync(stamp, wanted);
  console.log(`dependencies installed (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

/** Dependencies that somebody installed by hand are kept when they are those of the lock file. */
function npmAgrees() {
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const of = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const [have, want] = [of(installed), of(path.join(root, 'package-lock.json'))];
  return Object.entries(want).every(([key, row]) => key === '' || row.optional || have[key]?.version === row.version);
}

function npm(args, stdio) {
  const cli = process.env.npm_execpath;
  const inner = cli?.endsWith('npm-cli.js') && existsSync(cli);
  const [command, ...before] = inner ? [process.execPath, cli] : ['npm'];
  return spawnSync(command, [...before, ...args], { cwd: root, stdio, shell: !inner && process.platform === 'win32' });
}

function fail(text) {
  console.error(text);
  process.exit(2);
}
