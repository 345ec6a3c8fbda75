/** The outside world of a launch on Node: files and WebAssembly. */
import { readFileSync, statSync } from 'node:fs';
import { UserError } from '../base/errors';
import type { LaunchPorts, WasmPort } from '../machine/launch.types';

const wasm: WasmPort = {
  memory: (pages) => new WebAssembly.Memory({ initial: pages, maximum: pages }) as { buffer: ArrayBuffer },
  memoryImport: (memory) => memory,
  instantiate: (bytes, imports) =>
    new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), imports as WebAssembly.Imports)
      .exports as Record<string, unknown>,
};

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'you may not read it',
  ERR_FS_FILE_TOO_LARGE: 'it is larger than 2 GiB',
};

export function nodePorts(): LaunchPorts {
  return {
    wasm,
    readFile: (path, what) => {
      try {
        return readFileSync(path);
      } catch (error) {
        const { code = '', message } = error as NodeJS.ErrnoException;
        throw new UserError('image.missing', { what, path, why: reasons[code] ?? message });
      }
    },
    isFolder: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
  };
}
