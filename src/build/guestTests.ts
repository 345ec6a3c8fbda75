/**
 * `npm run test:guests [-- PART…]`: real guest images (test/guests/*.test.ts), downloaded from Debian when they are not in
 * the cache, on dist/ as it is: build first.
 */
import path from 'node:path';
import { filesBelow, runNodeTests } from './nodeTests';
import { ROOT } from './paths';

const parts = process.argv.slice(2);
const all = filesBelow(path.join(ROOT, 'test', 'guests'), '.test.ts');
const files = parts.length > 0 ? all.filter((file) => parts.some((part) => file.includes(part))) : all;
await runNodeTests(files, { processes: 2, verbose: true });
