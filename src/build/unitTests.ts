/**
 * `npm run unit [-- PART…]`: every test/**\/*.test.ts outside test/vscode and test/guests, or those whose path contains a PART.
 * `--verbose` names the tests that passed.
 */
import os from 'node:os';
import path from 'node:path';
import { filesBelow, runNodeTests } from './nodeTests';
import { ROOT } from './paths';

const parts = process.argv.slice(2).filter((word) => word !== '--verbose');
const all = filesBelow(path.join(ROOT, 'test'), '.test.ts', ['vscode', 'guests']);
const files = parts.length > 0 ? all.filter((file) => parts.some((part) => file.includes(part))) : all;
await runNodeTests(files, { processes: os.availableParallelism(), verbose: process.argv.includes('--verbose') });
