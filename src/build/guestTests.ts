/**
 * `npm run test:guests [-- [--quick] PART…]`: real guest images (test/guests/*.test.ts), downloaded from Debian when they are
 * not in the cache, on dist/ as it is: build first. `npm test` leaves out those that take long (`*.slow.test.ts`).
 */
import path from 'node:path';
import { ensurePackages } from './host/debian';
import { filesBelow, runNodeTests } from './nodeTests';
import { ROOT } from './paths';

const options = process.argv.slice(2);
const parts = options.filter((option) => option !== '--quick');
const all = filesBelow(path.join(ROOT, 'test', 'guests'), '.test.ts').filter(
  (file) => !(options.includes('--quick') && file.endsWith('.slow.test.ts')),
);
const files = parts.length > 0 ? all.filter((file) => parts.some((part) => file.includes(part))) : all;
await ensurePackages(console.log);
await runNodeTests(files, { processes: 2, verbose: true });
