/** Source paths as compilers write them: POSIX or Windows, absolute or relative to the compilation directory. */

export const isAbsolute = (path: string): boolean => path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path);

/** Forward slashes, no `.`, no empty parts, `..` resolved where possible. */
export function normalizePath(path: string): string {
  const slashed = path.includes('\\') ? path.replace(/\\/g, '/') : path;
  const root = slashed.startsWith('/') ? '/' : '';
  const parts: string[] = [];
  for (const part of slashed.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || root === '') parts.push(part);
  }
  return root + parts.join('/');
}

/** `name` seen from `folder` (both may be empty), normalised. */
export const joinPath = (folder: string, name: string): string =>
  normalizePath(folder === '' || isAbsolute(name) ? name : `${folder}/${name}`);

/** How many trailing components two normalised paths share. */
export function sharedTail(a: string, b: string): number {
  const x = a.split('/');
  const y = b.split('/');
  let n = 0;
  while (n < x.length && n < y.length && x[x.length - 1 - n] === y[y.length - 1 - n] && x[x.length - 1 - n] !== '') n++;
  return n;
}
