/** The two guests that run cases, built into the cache once for each version of their sources. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { compileBareMetal } from '../../src/build/crossCompiler';
import { cacheDir, ROOT, SAMPLES } from '../../src/build/paths';
import { ENTRY, RUNTIME } from '../../src/build/samples';
import { LAYOUT } from './cases';

const SOURCES = path.join(ROOT, 'test', 'difftest');

const defines = {
  CODE_BASE: `${LAYOUT.codeBase}ul`,
  CODE_SIZE: `${LAYOUT.codeSize}ul`,
  CODE_START: `${LAYOUT.codeStart}ul`,
  MEMORY_BASE: `${LAYOUT.memoryBase}ul`,
  MEMORY_SIZE: `${LAYOUT.memorySize}ul`,
  DATA_BASE: `${LAYOUT.dataBase}ul`,
  DATA_SIZE: `${LAYOUT.dataSize}ul`,
  TABLES: 64,
};

/** A name for what the guests are made from: the contents of all their folders, and the layout. */
function contentKey(): string {
  const hash = createHash('sha256').update(JSON.stringify(defines));
  for (const folder of [path.join(SOURCES, 'guest'), path.join(SAMPLES, 'common')])
    for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(path.join(folder, name)));
  return hash.digest('hex').slice(0, 16);
}

async function build(name: string, sources: readonly string[], linkerScript: string): Promise<string> {
  const out = path.join(cacheDir('difftest'), `${name}-${contentKey()}.elf`);
  if (existsSync(out)) return out;
  const includes = ['media/samples/common', 'test/difftest/guest'];
  const made = `${out}.${process.pid}`;
  await compileBareMetal({ root: ROOT, sources, linkerScript, defines, includes, optimize: '-O2' }, made);
  renameSync(made, out);
  return out;
}

/** @returns the path of the Linux program for user mode. */
export const userGuest = (): Promise<string> =>
  build('user', ['test/difftest/guest/user.c'], 'test/difftest/guest/user.ld');

/** @returns the path of the bare-metal kernel, which still needs its cases (see `withSegment`). */
export const systemGuest = (): Promise<string> =>
  build(
    'system',
    [
      ...[ENTRY, ...RUNTIME].map((file) => `media/samples/${file}`),
      'test/difftest/guest/system.c',
      'test/difftest/guest/resume.S',
    ],
    'media/samples/common/link.ld',
  );

/** The ELF file with one more segment: `bytes` at physical address `address`. Its section headers are left out. */
export function withSegment(elf: Uint8Array, address: number, bytes: Uint8Array): Uint8Array {
  const HEADER = 64;
  const ENTRY_BYTES = 56;
  const old = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  const [table, count] = [Number(old.getBigUint64(32, true)), old.getUint16(56, true)];
  // A program header table of its own, one entry longer, goes behind everything; then the new segment's bytes.
  const tableAt = Math.ceil(elf.length / 16) * 16;
  const bytesAt = Math.ceil((tableAt + (count + 1) * ENTRY_BYTES) / 4096) * 4096;
  const out = new Uint8Array(bytesAt + bytes.length);
  out.set(elf.subarray(0, elf.length));
  out.set(elf.subarray(table, table + count * ENTRY_BYTES), tableAt);
  out.set(bytes, bytesAt);
  const view = new DataView(out.buffer);
  view.setBigUint64(32, BigInt(tableAt), true); // e_phoff
  view.setBigUint64(40, 0n, true); // e_shoff
  view.setUint16(56, count + 1, true); // e_phnum
  view.setUint32(60, 0, true); // e_shnum, e_shstrndx
  const entry = tableAt + count * ENTRY_BYTES;
  view.setUint32(entry, 1, true); // PT_LOAD
  view.setUint32(entry + 4, 6, true); // readable, writable
  const fields = [bytesAt, address, address, bytes.length, bytes.length, 4096];
  fields.forEach((value, i) => {
    view.setBigUint64(entry + 8 + 8 * i, BigInt(value), true);
  });
  if (old.getUint16(52, true) !== HEADER) throw new Error('not an ELF64 header');
  return out;
}
