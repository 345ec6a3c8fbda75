/**
 * `npm run manifest`: the parts of package.json that tables of the sources say. So far the launch attributes; the rest of the
 * manifest is written by hand.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { configurationAttributes } from '../adapter/launchAttributes';
import { type GeneratedFile, writeWhenMain } from './generated';
import { ROOT } from './paths';

interface Manifest {
  readonly contributes: { readonly debuggers: { configurationAttributes: object }[] };
}

export function manifestText(): string {
  const manifest: Manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  manifest.contributes.debuggers[0].configurationAttributes = { launch: configurationAttributes() };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

export const manifestFile: GeneratedFile = { file: 'package.json', script: 'manifest', text: manifestText };

writeWhenMain(manifestFile, import.meta.url);
