/** What the debugger asks of instruction words: does it call, return, take an exception, and where does it go. */
import { decodeWord } from '../isa';

export type Flow = 'next' | 'branch' | 'call' | 'return' | 'exception' | 'eret';

/** How the instruction hands on control. */
export function flowOf(word: number): Flow {
  const effect = decodeWord(word)?.row.effect;
  if (effect === 'branch' || effect === 'call' || effect === 'return' || effect === 'exception') return effect;
  return effect === 'eret' ? 'eret' : 'next';
}

/** Little-endian words of code bytes. */
export function wordsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length >> 2 }, (_, i) => view.getUint32(4 * i, true));
}

/** The word at `address` as the core would fetch it; undefined where nothing is mapped. */
export function wordAt(
  machine: { peek(core: number, space: 'icache', address: bigint, length: number): Uint8Array },
  core: number,
  address: bigint,
): number | undefined {
  return wordsOf(machine.peek(core, 'icache', address, 4))[0];
}
