#!/usr/bin/env node
// Looks like a VS Code executable to @vscode/test-electron, and runs the suite in code-server instead.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const target = path.join(path.dirname(fileURLToPath(import.meta.url)), 'codeServerSuite.ts');
const args = ['--import', 'tsx', target, ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1);
