/** The text of the hypervisor model's routines: beside this file in the bundle, and in its folder among the sources. */
import { readdirSync, readFileSync } from 'node:fs';
import type { SourceText } from '../session';

export function modelSources(): readonly SourceText[] {
  const folder = new URL(import.meta.url.endsWith('.ts') ? '../hypervisor/run/' : './hypervisor/', import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  return names.sort().map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }));
}
