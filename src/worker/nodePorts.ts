/** The outside world of a launch on Node: files and WebAssembly. */
import { readFileSync, statSync } from 'node:fs';
import type { LaunchPorts, WasmPort } from '../machine/launch.types';
import { openDisk, openFolder, unreadable } from './nodeFiles';

const wasm: WasmPort = {
  memory: (pages) => new WebAssembly.Memory({ initial: pages, maximum: pages }) as { buffer: ArrayBuffer },
  memoryImport: (memory) => memory,
  instantiate: (bytes, imports) =>
    new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), imports as WebAssembly.Imports)
      .exports as Record<string, unknown>,
};

export function nodePorts(): LaunchPorts {
  return {
    wasm,
    openDisk,
    openFolder,
    readFile: (path, what) => {
      try {
        return readFileSync(path);
      } catch (error) {
        throw unreadable(what, path, error);
      }
    },
    isFolder: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
  };
}
