/** Machines that run busy.c. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { compileBareMetal } from '../../../../src/build/crossCompiler';
import { ROOT } from '../../../../src/build/paths';
import { ENTRY, RUNTIME } from '../../../../src/build/samples';
import type { MachineConfig } from '../../../../src/machine/config';
import { ElscopeMachine, type MachineOptions } from '../../../../src/machine/machine';
import { presetConfig } from '../../../../src/machine/presets';
import { identifyImage, placeKernel, VIRT_RAM_BASE } from '../../../../src/program';
import { nodePorts } from '../../../../src/worker/nodePorts';

const ports = nodePorts();
let built: Promise<string> | undefined;

/** Compiles busy.c once for a process of tests. */
export function busyGuest(): Promise<string> {
  built ??= (async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'elscope-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const out = path.join(folder, 'busy.elf');
    const runtime = [ENTRY, ...RUNTIME, 'common/cores.c'].map((file) => `media/samples/${file}`);
    await compileBareMetal(
      {
        root: ROOT,
        sources: [...runtime, 'test/unit/machine/snapshot/busy.c'],
        linkerScript: 'media/samples/common/link.ld',
        includes: ['media/samples/common'],
        optimize: '-O2',
      },
      out,
    );
    return out;
  })();
  return built;
}

export interface BusyMachine {
  readonly machine: ElscopeMachine;
  text(): string;
}

/** A machine at power-on with the guest in it. */
export async function busyMachine(
  preset: string,
  change: Partial<MachineConfig> = {},
  options: Partial<MachineOptions> = {},
): Promise<BusyMachine> {
  const name = await busyGuest();
  const image = identifyImage(ports.readFile(name, 'program'), name);
  const config = { ...presetConfig(preset, 2), memoryBytes: 16 * 2 ** 20, ...change };
  const placement = placeKernel(image, { ramBase: VIRT_RAM_BASE, ramSize: config.memoryBytes });
  const machine = new ElscopeMachine(config, ports.wasm, {
    ...options,
    load: (m) => {
      for (const { address, data } of placement.segments) m.memory.pokeView(address, data);
      return { entry: placement.entry, x0: 0 };
    },
  });
  let text = '';
  machine.onConsole((_uart, bytes) => {
    text += Buffer.from(bytes).toString('latin1');
  });
  return { machine, text: () => text };
}
