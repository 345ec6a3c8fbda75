/** The outside world of a launch on Node: files and WebAssembly. */
import { readFileSync } from 'node:fs';
import { UserError } from '../base/errors';
import type { LaunchPorts, WasmPort } from '../machine/launch.types';

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
    readFile: (path) => {
      try {
        return readFileSync(path);
      } catch {
        throw new UserError('image.missing', { path });
      }
    },
  };
}
