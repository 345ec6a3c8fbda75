/**
 * Files of the working copy that are made from the tables. Each has a text and a path; the command that writes it and the
 * test that finds it stale share this list's entry.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './paths';

export interface GeneratedFile {
  /** Path from the top of the working copy. */
  readonly file: string;
  /** `npm run` name of what writes it. */
  readonly script: string;
  readonly text: () => string;
}

/** What is wrong with the committed file, or nothing. */
export function staleness(generated: GeneratedFile): string | undefined {
  let committed: string;
  try {
    committed = readFileSync(path.join(ROOT, generated.file), 'utf8');
  } catch {
    return `${generated.file} is missing: npm run ${generated.script}`;
  }
  return committed === generated.text() ? undefined : `${generated.file} is stale: npm run ${generated.script}`;
}

/** Writes the file if the module at `url` is the one that was started. */
export function writeWhenMain(generated: GeneratedFile, url: string): void {
  if (url !== pathToFileURL(process.argv[1] ?? '').href) return;
  writeFileSync(path.join(ROOT, generated.file), generated.text());
  console.log(generated.file);
}
