/** Node's zlib, for snapshots. */
import { constants, deflateSync, inflateSync } from 'node:zlib';
import type { Compression } from '../machine/snapshot/file';

export const nodeCompression: Compression = {
  compress: (bytes) => deflateSync(bytes, { level: constants.Z_BEST_SPEED }),
  expand: (bytes, length) => {
    try {
      const out = inflateSync(bytes, { maxOutputLength: Math.max(1, length) });
      return out.length === length ? out : undefined;
    } catch {
      return undefined;
    }
  },
};
