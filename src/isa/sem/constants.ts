/**
 * Tables that generated code reads: bytes that never change, in linear memory below everything else. The engine writes them
 * when it is made.
 */
import { bug } from '../../base/errors';

export interface ConstantTable {
  readonly length: number;
  readonly bytes: () => Uint8Array;
}

/** CRC of each byte value, low bits first; the polynomial is given bit-reversed. */
const crcTable = (polynomial: number): ConstantTable => ({
  length: 1024,
  bytes: () => {
    const table = Uint32Array.from({ length: 256 }, (_, byte) => {
      let crc = byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
      return crc;
    });
    return new Uint8Array(table.buffer);
  },
});

/** FIPS 197, 5.1.1: the inverse in GF(2^8), then an affine transformation. */
function aesSubBytes(): Uint8Array {
  const table = new Uint8Array(256);
  let [p, q] = [1, 1];
  do {
    p = (p ^ (p << 1) ^ (p & 0x80 ? 0x11b : 0)) & 0xff; // p times 3, q divided by 3: q is the inverse of p
    q ^= q << 1;
    q ^= q << 2;
    q = (q ^ (q << 4)) & 0xff;
    if (q & 0x80) q ^= 0x09;
    const rotated = (n: number): number => (q << n) | (q >>> (8 - n));
    table[p] = (q ^ rotated(1) ^ rotated(2) ^ rotated(3) ^ rotated(4) ^ 0x63) & 0xff;
  } while (p !== 1);
  table[0] = 0x63;
  return table;
}

function aesInvSubBytes(): Uint8Array {
  const inverse = new Uint8Array(256);
  aesSubBytes().forEach((to, from) => {
    inverse[to] = from;
  });
  return inverse;
}

/**
 * SM4's S-box: x -> A inverse(A x + c) + c over GF(2^8), where row i of the matrix A is 0xa7 rotated left by i bits. (Found
 * from the standard's table, which it reproduces.)
 */
function sm4Sbox(): Uint8Array {
  const [polynomial, row, c] = [0x1f5, 0xa7, 0xd3];
  const times = (a: number, b: number): number => {
    let product = 0;
    for (let bit = 7; bit >= 0; bit--) {
      product = (product << 1) ^ (product & 0x80 ? polynomial : 0);
      if (b & (1 << bit)) product ^= a;
    }
    return product;
  };
  /** To the power of 254. */
  const inverse = (a: number): number => {
    let power = 1;
    for (let bit = 7; bit >= 0; bit--) {
      power = times(power, power);
      if (254 & (1 << bit)) power = times(power, a);
    }
    return power;
  };
  const parity = (v: number): number => [4, 2, 1].reduce((folded, by) => folded ^ (folded >> by), v) & 1;
  const transformed = (v: number): number => {
    let result = 0;
    for (let i = 0; i < 8; i++) result |= parity(((row << i) | (row >> (8 - i))) & v) << i;
    return result ^ c;
  };
  return Uint8Array.from({ length: 256 }, (_, x) => transformed(inverse(transformed(x))));
}

export const constantTables: Readonly<Record<string, ConstantTable>> = {
  crc32: crcTable(0xedb88320),
  crc32c: crcTable(0x82f63b78),
  aesSubBytes: { length: 256, bytes: aesSubBytes },
  sm4Sbox: { length: 256, bytes: sm4Sbox },
  aesInvSubBytes: { length: 256, bytes: aesInvSubBytes },
};

/** The first bytes are nobody's: 0 is no address. */
const BASE = 64;
const ALIGNMENT = 16;
/** Where the tables end at the latest. */
export const CONSTANTS_END = 0x1000;

const addresses = new Map<string, number>();
let end = BASE;
for (const [name, table] of Object.entries(constantTables)) {
  addresses.set(name, end);
  end += Math.ceil(table.length / ALIGNMENT) * ALIGNMENT;
}
if (end > CONSTANTS_END) bug('too many constants');

/** Address of a table. */
export const constantAddress = (name: string): number => addresses.get(name) ?? bug(`constants ${name}`);

export function writeConstants(memory: Uint8Array): void {
  for (const [name, table] of Object.entries(constantTables)) memory.set(table.bytes(), constantAddress(name));
}
