/** The MMU and the memory system, which need each other: walks read and write memory, accesses are translated. */
import { bug } from '../base/errors';
import type { MemorySystem } from '../memory/memorySystem';
import { Mmu } from '../memory/mmu/mmu';
import type { MemoryConfig } from '../memory/types';

/** `make` gets the MMU as the memory system's translator. */
export function withMmu(config: MemoryConfig, make: (mmu: Mmu) => MemorySystem): { mmu: Mmu; memory: MemorySystem } {
  let made: MemorySystem | undefined;
  const memory = (): MemorySystem => made ?? bug('no memory system yet');
  const mmu = new Mmu(config, {
    walkRead: (core, pa, cacheable) => memory().walkRead(core, pa, cacheable),
    get walkLo() {
      return memory().walkLo;
    },
    get walkHi() {
      return memory().walkHi;
    },
    walkWrite: (core, pa, cacheable, hi, lo) => memory().walkWrite(core, pa, cacheable, hi, lo),
    dropTranslations: (core, hi, lo, log2, index) => memory().dropTranslations(core, hi, lo, log2, index),
    peekDescriptor: (pa, cacheable) => memory().peekDescriptor(pa, cacheable),
    penalty: (core, cycles) => memory().penalty(core, cycles),
  });
  made = make(mmu);
  if (made.checker !== undefined) mmu.watchedBy(made.checker.translations);
  return { mmu, memory: made };
}
