/** Where things are in a working copy. Everything that is made, downloaded or recorded lands in dist/ or in the cache. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
export const DIST = path.join(ROOT, 'dist');
/** Bundled workbench suites: beside the product, but never packaged. */
export const SUITE = path.join(DIST, 'test');
export const SAMPLES = path.join(ROOT, 'media', 'samples');

/** The private cache: `$ELSCOPE_CACHE`, else `.cache` in the working copy. Made on demand. */
export function cacheDir(...parts: string[]): string {
  const dir = path.join(path.resolve(process.env.ELSCOPE_CACHE || path.join(ROOT, '.cache')), ...parts);
  mkdirSync(dir, { recursive: true });
  return dir;
}

/** Screenshots, logs and results of the last runs, kept for looking at. */
export function artefactsDir(...parts: string[]): string {
  return cacheDir('artefacts', ...parts);
}
