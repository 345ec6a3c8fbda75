/**
 * `npm run unit [-- [--quick] PART…]`: every test/**\/*.test.ts outside test/vscode and test/guests, or those whose path
 * contains a PART. `--quick`, which `npm run check` gives, leaves out those that take long (`*.slow.test.ts`); `--verbose`
 * names the tests that passed.
 */
import os from 'node:os';
import path from 'node:path';
import { filesBelow, runNodeTests } from './nodeTests';
import { ROOT } from './paths';

const options = process.argv.slice(2);
const parts = options.filter((word) => !word.startsWith('--'));
const all = filesBelow(path.join(ROOT, 'test'), '.test.ts', ['vscode', 'guests']).filter(
  (file) => !(options.includes('--quick') && file.endsWith('.slow.test.ts')),
);
const files = parts.length > 0 ? all.filter((file) => parts.some((part) => file.includes(part))) : all;
await runNodeTests(files, { processes: os.availableParallelism(), verbose: options.includes('--verbose') });
