/** The oracle: QEMU's user mode runs single instructions (oracle.c). */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { compileBareMetal } from '../../../../src/build/crossCompiler';
import { cacheDir, ROOT } from '../../../../src/build/paths';
import { operationsSource } from './operations';

export interface Question {
  readonly operation: number;
  readonly fpcr: number;
  readonly operands: readonly bigint[];
}
export interface Answer {
  readonly result: bigint;
  readonly fpsr: number;
  readonly nzcv: number;
}

const HERE = path.join(ROOT, 'test', 'unit', 'isa', 'fp');

/** Builds the guest, once for each version of its sources. */
async function guest(): Promise<string> {
  const c = path.join(HERE, 'oracle.c');
  const operations = operationsSource();
  const key = createHash('sha256').update(readFileSync(c)).update(operations).digest('hex').slice(0, 16);
  const out = path.join(cacheDir('fp-oracle'), `${key}.elf`);
  if (existsSync(out)) return out;
  const root = mkdtempSync(path.join(tmpdir(), 'elscope-fp-'));
  try {
    copyFileSync(c, path.join(root, 'oracle.c'));
    copyFileSync(path.join(ROOT, 'test', 'difftest', 'guest', 'user.ld'), path.join(root, 'user.ld'));
    writeFileSync(path.join(root, 'operations.s'), operations);
    const made = path.join(root, 'made.elf');
    await compileBareMetal(
      { root, sources: ['oracle.c', 'operations.s'], linkerScript: 'user.ld', optimize: '-O2' },
      made,
    );
    copyFileSync(made, `${out}.${process.pid}`);
    renameSync(`${out}.${process.pid}`, out); // tests that build it at the same time must not see half of it
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return out;
}

const BATCH = 4096;
const [INPUT_BYTES, OUTPUT_BYTES] = [32, 16];

function pack(questions: readonly Question[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(questions.length / BATCH) * 4 + questions.length * INPUT_BYTES);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [i, { operation, fpcr, operands }] of questions.entries()) {
    if (i % BATCH === 0) {
      view.setUint32(at, Math.min(BATCH, questions.length - i), true);
      at += 4;
    }
    view.setUint32(at, operation, true);
    view.setUint32(at + 4, fpcr, true);
    for (const [k, operand] of operands.entries()) view.setBigUint64(at + 8 + 8 * k, operand, true);
    at += INPUT_BYTES;
  }
  return bytes;
}

/** @returns one answer a question. */
export async function askQemu(questions: readonly Question[], seconds = 120): Promise<Answer[]> {
  const file = await guest();
  const output = await new Promise<Buffer>((resolve, reject) => {
    const child = spawn('qemu-aarch64', ['-cpu', 'max', file], { stdio: ['pipe', 'pipe', 'inherit'] });
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stdin.on('error', () => {}); // it ended early: the missing answers say so
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    });
    child.stdin.end(pack(questions));
  });
  if (output.length !== questions.length * OUTPUT_BYTES) throw new Error(`QEMU gave ${output.length} bytes`);
  return questions.map((_, i) => ({
    result: output.readBigUInt64LE(i * OUTPUT_BYTES),
    fpsr: output.readUInt32LE(i * OUTPUT_BYTES + 8),
    nzcv: output.readUInt32LE(i * OUTPUT_BYTES + 12),
  }));
}
