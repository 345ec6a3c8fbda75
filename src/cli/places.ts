/** Where in the program an address is: its symbol, and its source line as a path from the working directory. */
import path from 'node:path';
import type { Launched } from '../machine/launch.types';
import { Target } from '../session';

export interface Place {
  readonly symbol: string | undefined;
  readonly file: string | undefined;
  readonly line: number | undefined;
}
export type Places = (address: bigint) => Place;

/** Symbols and debug information are read when the first address is asked for. */
export function placesOf({ machine, images }: Launched): Places {
  let target: Target | undefined;
  return (address) => {
    target ??= new Target(machine, images);
    // A kernel may have moved (KASLR).
    target.relocate();
    const source = target.sourceAt(address);
    const file = source && fromHere(source.path);
    return { symbol: target.describe(address), file, line: source?.line };
  };
}

function fromHere(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith('..') || path.isAbsolute(relative) ? file : relative.replaceAll('\\', '/');
}

/** `main+0x10 (src/main.c:12)`, or what of it is known. */
export function placeText({ symbol, file, line }: Place): string | undefined {
  if (file === undefined) return symbol;
  return symbol === undefined ? `${file}:${line}` : `${symbol} (${file}:${line})`;
}
