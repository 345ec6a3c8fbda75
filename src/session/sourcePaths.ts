/**
 * Source paths between debug information and the client's file system: prefixes that the user has mapped, and relative paths,
 * which count from the program file's folder.
 */

import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import type { SourceLine } from '../protocol';

export type SourceMap = Readonly<Record<string, string>>;

const withSlashes = (path: string): string => path.replaceAll('\\', '/');
const isAbsolute = (path: string): boolean => path.startsWith('/') || /^[A-Za-z]:\//.test(path);

/** Takes out `.` and `a/..`. */
function normalized(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '.' || (part === '' && out.length > 0)) continue;
    if (part === '..' && out.length > 0 && out.at(-1) !== '..' && out.at(-1) !== '') out.pop();
    else out.push(part);
  }
  return out.join('/');
}

function replacePrefix(path: string, from: string, to: string): string | undefined {
  const prefix = withSlashes(from).replace(/\/+$/, '');
  if (path !== prefix && !path.startsWith(`${prefix}/`)) return undefined;
  return withSlashes(to).replace(/\/+$/, '') + path.slice(prefix.length);
}

/** A file for a client: one of its own, or one whose text it has to ask for. */
export const sourceOf = ({ path, sourceReference }: Omit<SourceLine, 'line'>): Dap.Source => ({
  name: path.slice(path.lastIndexOf('/') + 1),
  path,
  ...(sourceReference === undefined ? {} : { sourceReference, origin: path.slice(0, path.lastIndexOf('/')) }),
});

export class SourcePaths {
  constructor(private readonly map: SourceMap) {}

  /** Where the client finds a file that debug information of the program at `program` names. */
  shown(file: string, program: string): string {
    const path = withSlashes(file);
    for (const [from, to] of Object.entries(this.map)) {
      const moved = replacePrefix(path, from, to);
      if (moved !== undefined) return normalized(moved);
    }
    if (isAbsolute(path)) return path;
    const folder = withSlashes(program).replace(/\/[^/]*$/, '');
    return normalized(`${folder}/${path}`);
  }

  /** What debug information may call a file of the client. */
  inProgram(path: string): string {
    const own = withSlashes(path);
    for (const [from, to] of Object.entries(this.map)) {
      const moved = replacePrefix(own, to, from);
      if (moved !== undefined) return moved;
    }
    return own;
  }
}
