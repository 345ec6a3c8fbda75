/**
 * `npm run ui [-- PART…]`: the tests that drive a real workbench from outside (test/vscode/ui/*.test.ts), one after the
 * other, on the VS Code that `$ELSCOPE_HOST` names. They test dist/ as it is: build first. A browser on a busy machine can
 * miss a beat, so a file that fails is run once more, and says so.
 */
import path from 'node:path';
import { filesBelow, runTwiceIfNeeded } from './nodeTests';
import { ROOT } from './paths';

const parts = process.argv.slice(2);
const all = filesBelow(path.join(ROOT, 'test', 'vscode', 'ui'), '.test.ts');
const files = parts.length > 0 ? all.filter((file) => parts.some((part) => file.includes(part))) : all;
await runTwiceIfNeeded(files, { processes: 1, verbose: true });
