/** The routines, instantiated alone: FPCR and FPSR at the start of a memory of their own. */
import { fpRoutines } from '../../../../src/isa/fp';
import { ModuleBuilder } from '../../../../src/wasm/module';

const STATE = { fpcr: 8, fpsr: 16 } as const;
const CORE = 64;

export interface Library {
  /** Runs a routine and gives its result, unsigned, and FPSR. */
  run(name: string, fpcr: number, fpsr: number, args: readonly (bigint | number)[]): { result: bigint; fpsr: number };
}

export function libraryBytes(): Uint8Array<ArrayBuffer> {
  const m = new ModuleBuilder();
  m.importMemory(1);
  const entries = Object.entries(fpRoutines);
  const indices = new Map(
    entries.map(([name, { params, result }]) => [name, m.declare({ params, results: [result] })] as const),
  );
  const index = (name: string): number => {
    const found = indices.get(name);
    if (found === undefined) throw new Error(`no routine ${name}`);
    return found;
  };
  for (const [name, { body }] of entries) {
    m.define(index(name), body(STATE, index));
    m.exportFunction(name, index(name));
  }
  return m.finish();
}

export function makeLibrary(): Library {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(libraryBytes()), { env: { memory } });
  const view = new DataView(memory.buffer);
  return {
    run(name, fpcr, fpsr, args) {
      view.setUint32(CORE + STATE.fpcr, fpcr, true);
      view.setUint32(CORE + STATE.fpsr, fpsr, true);
      const routine = exports[name] as (core: number, ...args: (bigint | number)[]) => bigint | number;
      const result = BigInt.asUintN(64, BigInt(routine(CORE, ...args)));
      return { result, fpsr: view.getUint32(CORE + STATE.fpsr, true) };
    },
  };
}
