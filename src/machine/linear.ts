/** The linear memory that holds everything a guest can see. */
import { UserError } from '../base/errors';
import type { WasmPort } from './launch.types';

const PAGE = 0x1_0000;
/** What 32-bit addresses reach. */
const MAX_PAGES = 2 ** 32 / PAGE;
const MiB = 2 ** 20;

/** Pages that hold `bytes`. */
export const pagesOf = (bytes: number): number => Math.ceil(bytes / PAGE);

/** @throws UserError machine.tooBig, machine.noRoom */
export function linearMemory(wasm: WasmPort, pages: number): ReturnType<WasmPort['memory']> {
  const size = Math.ceil((pages * PAGE) / MiB);
  if (pages > MAX_PAGES) throw new UserError('machine.tooBig', { size });
  try {
    return wasm.memory(pages);
  } catch (error) {
    if (error instanceof RangeError) throw new UserError('machine.noRoom', { size });
    throw error;
  }
}
