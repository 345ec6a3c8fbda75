/** The routines, instantiated alone: FPCR and FPSR at the start of a memory of their own. */
import { fpRoutines, type Routine } from '../../../../src/isa/fp';
import { FunctionBuilder, i32, load } from '../../../../src/wasm/code';
import { ModuleBuilder } from '../../../../src/wasm/module';

const STATE = { fpcr: 8, fpsr: 16 } as const;
const CORE = 64;
/** Where vectors are handed over, as JavaScript has none: operands 16 bytes apart, then the result. */
const VECTORS = 1024;
const RESULT = VECTORS + 3 * 16;

export interface Library {
  /** Runs a routine and gives its result, unsigned, and FPSR. */
  run(name: string, fpcr: number, fpsr: number, args: readonly (bigint | number)[]): { result: bigint; fpsr: number };
  /** The same for a routine on vectors of 128 bits. */
  runLanes(name: string, fpcr: number, fpsr: number, vectors: readonly bigint[]): { result: bigint; fpsr: number };
}

/** (core block): runs a routine on the vectors in memory. */
function throughMemory({ params }: Routine, index: number): number[] {
  const code = new FunctionBuilder(['i32']);
  const operands = params.slice(1).map((_, i) => load.v128(i32(VECTORS + 16 * i)));
  code.store('v128', i32(RESULT), code.call(index, 'v128', code.param(0, 'i32'), ...operands));
  return code.finish();
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
  for (const [name, routine] of entries) {
    m.define(index(name), routine.body(STATE, index));
    if (routine.result !== 'v128') m.exportFunction(name, index(name));
    else {
      const wrapper = m.declare({ params: ['i32'], results: [] });
      m.define(wrapper, throughMemory(routine, index(name)));
      m.exportFunction(name, wrapper);
    }
  }
  return m.finish();
}

export function makeLibrary(): Library {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(libraryBytes()), { env: { memory } });
  const view = new DataView(memory.buffer);
  const set = (fpcr: number, fpsr: number): void => {
    view.setUint32(CORE + STATE.fpcr, fpcr, true);
    view.setUint32(CORE + STATE.fpsr, fpsr, true);
  };
  return {
    runLanes(name, fpcr, fpsr, vectors) {
      set(fpcr, fpsr);
      for (const [i, vector] of vectors.entries()) {
        view.setBigUint64(VECTORS + 16 * i, BigInt.asUintN(64, vector), true);
        view.setBigUint64(VECTORS + 16 * i + 8, vector >> 64n, true);
      }
      (exports[name] as (core: number) => void)(CORE);
      const result = view.getBigUint64(RESULT, true) | (view.getBigUint64(RESULT + 8, true) << 64n);
      return { result, fpsr: view.getUint32(CORE + STATE.fpsr, true) };
    },
    run(name, fpcr, fpsr, args) {
      set(fpcr, fpsr);
      const routine = exports[name] as (core: number, ...args: (bigint | number)[]) => bigint | number;
      const result = BigInt.asUintN(64, BigInt(routine(CORE, ...args)));
      return { result, fpsr: view.getUint32(CORE + STATE.fpsr, true) };
    },
  };
}
