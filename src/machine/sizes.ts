/** Memory sizes as people write them: 512M, 1G, 0x10000000. */
import { UserError } from '../base/errors';

const units: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
const SMALLEST = 16 * 2 ** 20;
export const LARGEST_MEMORY = 3 * 2 ** 30;

/** The number that a size or an address stands for; NaN for what is neither. */
export function byteCount(given: string | number): number {
  const match = /^(0x[0-9a-f]+|\d+(?:\.\d+)?)\s*([KMG]?)(?:i?B)?$/i.exec(String(given).trim());
  return match ? Number(match[1]) * units[match[2].toUpperCase()] : Number.NaN;
}

/** Bytes of RAM. @throws UserError machine.memory */
export function memorySize(given: string | number): number {
  const bytes = byteCount(given);
  if (!(bytes >= SMALLEST && bytes <= LARGEST_MEMORY && bytes % 2 ** 20 === 0)) {
    throw new UserError('machine.memory', { size: String(given) });
  }
  return bytes;
}
