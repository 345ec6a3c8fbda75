/** How a core comes to its next instruction: fetch, and branch targets (FEAT_BTI). */
import { coreLayout } from '../cpu/layout';
import type { EnginePorts } from '../engine/engine';
import type { MemorySystem } from '../memory/memorySystem';
import type { Mmu } from '../memory/mmu/mmu';
import { Access } from '../memory/translator';
import type { CoreUnit } from './coreUnit';

const GUARDED_SEEN = coreLayout.guardedSeen[0];

export interface FetchParts {
  readonly memory: MemorySystem;
  readonly mmu: Mmu;
  readonly units: readonly CoreUnit[];
  readonly u32: Uint32Array;
  /** A stop came up: generated code has to be left before the next instruction. */
  stopSoon(core: number): void;
  /** The instruction that the core is about to execute. */
  word(core: number): number;
}

/** The engine's doors to fetches. */
export function fetching(parts: FetchParts): Required<Pick<EnginePorts, 'fetch' | 'guarded' | 'land'>> {
  const { memory, mmu, units, u32 } = parts;
  return {
    fetch: (core, hi, lo, install) => {
      const record = memory.fetch(core, hi, lo, install);
      if (record === 0) {
        units[core].cpu.fetchAbort();
        return 0;
      }
      if (mmu.result.guarded) u32[(units[core].block + GUARDED_SEEN) >> 2] = 1;
      parts.stopSoon(core);
      return record;
    },
    guarded: (core, hi, lo) =>
      mmu.translate(core, units[core].cpu.context, hi, lo, Access.Fetch, false) && mmu.result.guarded,
    // An instruction is about to be fetched with PSTATE.BTYPE set; a fetch that faults does so first.
    land: (core) => {
      const { cpu } = units[core];
      const { pcLo, pcHi } = cpu.state;
      const fetched = (pcLo & 3) === 0 && mmu.translate(core, cpu.context, pcHi, pcLo, Access.Fetch, false);
      if (!fetched) return true;
      const { guarded } = mmu.result;
      return cpu.land(guarded, guarded ? parts.word(core) : 0);
    },
  };
}
