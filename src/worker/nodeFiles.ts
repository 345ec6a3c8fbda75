/** Files and folders of the host that a guest's devices see, on Node. */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { UserError } from '../base/errors';
import type { RawFile, SharedEntry, SharedFolder } from '../devices';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'you may not read it',
  ERR_FS_FILE_TOO_LARGE: 'it is larger than 2 GiB',
};

/** The host would not let us read a file. */
export function unreadable(what: string, file: string, error: unknown): UserError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new UserError('image.missing', { what, path: file, why: reasons[code] ?? message });
}

/** Opens a raw disk image; @throws UserError image.missing, virtio.disk */
export function openDisk(file: string, writable: boolean): RawFile {
  let descriptor: number;
  try {
    descriptor = openSync(file, writable ? 'r+' : 'r');
  } catch (error) {
    throw writable ? new UserError('virtio.write', { path: file }) : unreadable('disk image', file, error);
  }
  const stats = fstatSync(descriptor);
  if (!stats.isFile() || stats.size === 0) {
    closeSync(descriptor);
    throw new UserError('virtio.disk', { path: file });
  }
  const read = (offset: number, out: Uint8Array): void => {
    const n = offset < stats.size ? readSync(descriptor, out, 0, out.length, offset) : 0;
    out.fill(0, n);
  };
  if (!writable) return { size: stats.size, read };
  return {
    size: stats.size,
    read,
    write: (offset, bytes) => void writeSync(descriptor, bytes, 0, bytes.length, offset),
    flush: () => fsyncSync(descriptor),
  };
}

const kindOf = (stats: Stats): SharedEntry['kind'] | undefined =>
  stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : stats.isSymbolicLink() ? 'link' : undefined;

/** What `act` gives, or undefined where the host refuses. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/**
 * A folder whose symbolic links are never followed here: a path is good only if the real path of what contains it is the
 * path itself. Pipes, sockets and devices are not shown.
 */
class HostFolder implements SharedFolder {
  constructor(private readonly root: string) {}

  private place(names: readonly string[]): string | undefined {
    if (names.some((name) => name.includes(path.sep) || name === '..')) return undefined;
    const full = path.join(this.root, ...names);
    if (names.length === 0) return full;
    const folder = path.dirname(full);
    return attempt(() => realpathSync(folder)) === folder ? full : undefined;
  }

  stat(names: readonly string[]): SharedEntry | undefined {
    const full = this.place(names);
    const stats = full === undefined ? undefined : attempt(() => lstatSync(full));
    const kind = stats && kindOf(stats);
    if (stats === undefined || kind === undefined) return undefined;
    return { kind, size: stats.size, mode: stats.mode & 0o777, modified: Math.floor(stats.mtimeMs / 1000) };
  }

  list(names: readonly string[]): readonly string[] | undefined {
    const full = this.place(names);
    if (full === undefined || this.stat(names)?.kind !== 'folder') return undefined;
    return attempt(() => readdirSync(full).sort());
  }

  read(names: readonly string[], offset: number, out: Uint8Array): number {
    const full = this.place(names);
    if (full === undefined || this.stat(names)?.kind !== 'file') return -1;
    const n = attempt(() => {
      const descriptor = openSync(full, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
      try {
        return readSync(descriptor, out, 0, out.length, offset);
      } finally {
        closeSync(descriptor);
      }
    });
    return n ?? -1;
  }

  readLink(names: readonly string[]): string | undefined {
    const full = this.place(names);
    return full === undefined ? undefined : attempt(() => readlinkSync(full));
  }
}

/** @throws UserError virtio.folder */
export function openFolder(folder: string): SharedFolder {
  const root = attempt(() => realpathSync(folder));
  if (root === undefined || attempt(() => lstatSync(root))?.isDirectory() !== true)
    throw new UserError('virtio.folder', { path: folder });
  return new HostFolder(root);
}
