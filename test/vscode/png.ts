/**
 * Makes a screenshot smaller: one byte a pixel, with a palette of its most frequent colours. Reads what Chromium writes (8 bits a
 * channel, RGB or RGBA, not interlaced). PNG specification, third edition, sections 5, 7.2 and 9.
 */
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLOURS = 256;
const FREQUENT = 160;

interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 0xRRGGBB, row by row. */
  readonly colours: Uint32Array;
}

const paeth = (a: number, b: number, c: number): number => {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
};
/** What a filter type predicts from the bytes to the left, above, and above left. */
const predictors: readonly ((a: number, b: number, c: number) => number)[] = [
  () => 0,
  (a) => a,
  (_, b) => b,
  (a, b) => (a + b) >> 1,
  paeth,
];

function chunks(file: Buffer): { type: string; data: Buffer }[] {
  const found: { type: string; data: Buffer }[] = [];
  for (let at = SIGNATURE.length; at < file.length; ) {
    const length = file.readUInt32BE(at);
    found.push({ type: file.toString('latin1', at + 4, at + 8), data: file.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  return found;
}

function decode(file: Buffer): Pixels {
  const all = chunks(file);
  const header = all[0].data;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const [depth, type, interlaced] = [header[8], header[9], header[12]];
  if (depth !== 8 || (type !== 2 && type !== 6) || interlaced !== 0) throw new Error('a PNG of another kind');
  const channels = type === 2 ? 3 : 4;
  const bytes = inflateSync(Buffer.concat(all.filter((chunk) => chunk.type === 'IDAT').map(({ data }) => data)));
  const stride = width * channels;
  const colours = new Uint32Array(width * height);
  let above = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const predict = predictors[bytes[y * (stride + 1)]];
    const row = Uint8Array.from(bytes.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)));
    for (let x = 0; x < stride; x++) {
      const [left, corner] = x < channels ? [0, 0] : [row[x - channels], above[x - channels]];
      row[x] += predict(left, above[x], corner);
    }
    for (let x = 0; x < width; x++)
      colours[y * width + x] = (row[x * channels] << 16) | (row[x * channels + 1] << 8) | row[x * channels + 2];
    above = row;
  }
  return { width, height, colours };
}

const distance = (a: number, b: number): number =>
  ((a >> 16) - (b >> 16)) ** 2 + (((a >> 8) & 255) - ((b >> 8) & 255)) ** 2 + ((a & 255) - (b & 255)) ** 2;

function chunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([ends.subarray(0, 4), named, ends.subarray(4)]);
}

/** The most frequent colours, then those that are least like any of them: small icons have colours of their own. */
function paletteOf(counts: ReadonlyMap<number, number>): number[] {
  const all = [...counts].sort(([a, n], [b, m]) => m - n || a - b).map(([colour]) => colour);
  const palette = all.slice(0, FREQUENT);
  const rest = all.slice(FREQUENT).map((colour) => ({
    colour,
    weight: Math.sqrt(counts.get(colour) ?? 0),
    far: Math.min(...palette.map((other) => distance(colour, other))),
  }));
  while (palette.length < COLOURS && rest.length > 0) {
    const next = rest.reduce((best, row) => (row.far * row.weight > best.far * best.weight ? row : best));
    if (next.far === 0) break;
    palette.push(next.colour);
    for (const row of rest) row.far = Math.min(row.far, distance(row.colour, next.colour));
  }
  return palette;
}

/** @returns the same picture; colours that the palette has no room for become the nearest of it. */
export function shrinkPng(file: Buffer): Buffer {
  const { width, height, colours } = decode(file);
  const counts = new Map<number, number>();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const palette = paletteOf(counts);
  const index = new Map(palette.map((colour, i) => [colour, i]));
  const nearest = (colour: number): number => {
    let best = 0;
    for (let i = 1; i < palette.length; i++)
      if (distance(colour, palette[i]) < distance(colour, palette[best])) best = i;
    index.set(colour, best);
    return best;
  };
  const rows = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const colour = colours[y * width + x];
      rows[y * (width + 1) + 1 + x] = index.get(colour) ?? nearest(colour);
    }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8);
  const entries = Uint8Array.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', entries),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', new Uint8Array(0)),
  ]);
}
