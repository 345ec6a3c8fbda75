/** The board's two flash chips: their bytes are ROM of the memory system, which they switch to the bus while they are written. */
import { Flash } from '../devices/flash';
import { virtMap } from '../devices/virtBoard';
import type { MemorySystem } from '../memory/memorySystem';
import { Region } from './facts';

export function makeFlashes(memory: MemorySystem): Flash[] {
  const make = (name: string, { base, size }: { base: number; size: number }, region: number): Flash => {
    const host = memory.ramAddress(base);
    return new Flash(name, base, {
      bytes: new Uint8Array(memory.shared.buffer, host, size),
      changed: (offset, length) => {
        const bytes = new Uint8Array(memory.shared.buffer, host + offset, length).slice();
        memory.pokeView(base + offset, bytes);
      },
      arrayMode: (on) => memory.setRegionMode(region, on ? 'memory' : 'bus'),
    });
  };
  return [make('flash0', virtMap.flash0, Region.flash0), make('flash1', virtMap.flash1, Region.flash1)];
}
