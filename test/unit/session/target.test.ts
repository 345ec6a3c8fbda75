/** Look-ups in programs that run away from where they are linked. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { compileBareMetal, hasCrossCompiler } from '../../../src/build/crossCompiler';
import { ROOT } from '../../../src/build/paths';
import { Target } from '../../../src/session/target';
import { FakeMachine } from '../../fakes/fakeMachine';
import { fixturePath } from '../../fakes/programs';
import { tourLine } from '../../fakes/tour';

const LINKED = 0xffff_8000_0000_0000n;
const PHYSICAL = 0x4020_0000n;

/** The fixture with the virtual addresses of its segments moved up: as a kernel before its MMU is on. */
function target(): Target {
  const bytes = new Uint8Array(readFileSync(fixturePath('v5-O0.elf')));
  const path = '/k/vmlinux';
  const machine = new FakeMachine(1, () => {});
  const view = new DataView(bytes.buffer);
  const table = Number(view.getBigUint64(32, true));
  for (let i = 0; i < view.getUint16(56, true); i++) {
    const vaddr = table + 56 * i + 16;
    view.setBigUint64(vaddr, view.getBigUint64(vaddr, true) - PHYSICAL + LINKED, true);
  }
  // Symbols and lines keep their link addresses; only the segment table says that they moved.
  return new Target(machine, [{ path, bytes, kind: 'elf', loadOffset: 0n }]);
}

test('an address in a segment’s physical range is looked up at its virtual one', () => {
  const moved = target();
  assert.equal(moved.linked(PHYSICAL + 0x10n), LINKED + 0x10n);
  assert.equal(moved.linked(LINKED + 0x10n), LINKED + 0x10n);
  assert.equal(moved.linked(0x10n), 0x10n);
});

test('breakpoints go to both addresses', () => {
  const moved = target();
  assert.deepEqual(moved.runAddresses(LINKED + 8n), [LINKED + 8n, PHYSICAL + 8n]);
  assert.deepEqual(moved.runAddresses(0x10n), [0x10n]);
  assert.equal(moved.physicalAddress(LINKED + 8n), PHYSICAL + 8n);
});

test('symbol files are placed by their offset', () => {
  const bytes = new Uint8Array(readFileSync(fixturePath('v5-O0.elf')));
  const machine = new FakeMachine(1, () => {});
  const plain = new Target(machine, [{ path: '/a.elf', bytes, kind: 'elf', loadOffset: 0n }]);
  const moved = new Target(machine, [], [{ path: '/a.elf', bytes, loadOffset: 0x1000_0000n }]);
  const [main] = plain.functionAddresses('main');
  assert.deepEqual(moved.functionAddresses('main'), [main + 0x1000_0000n]);
  assert.equal(moved.describe(0x5020_0000n), '_start');
  assert.equal(moved.lineAt(main + 0x1000_0000n)?.line, tourLine('struct packet *packet = ('));
});

test('room for patches at a symbol is no part of the function', { skip: !hasCrossCompiler() }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elscope-'));
  try {
    const file = path.join(folder, 'patchable.elf');
    const sources = ['test/fixtures/patchable.c'];
    await compileBareMetal(
      { root: ROOT, sources, linkerScript: 'test/fixtures/program/link.ld', optimize: '-O1' },
      file,
    );
    const image = { path: file, bytes: new Uint8Array(readFileSync(file)), kind: 'elf', loadOffset: 0n } as const;
    const program = new Target(new FakeMachine(1, () => {}), [image]);
    const [symbol] = program.symbols.byName('patchable');
    assert.equal(program.lineAt(symbol.address), undefined, 'as GCC says');
    const [body] = program.functionAddresses('patchable');
    assert.ok(body >= symbol.address + 8n && body < symbol.address + symbol.size);
    assert.equal(program.lineAt(body)?.file, 'test/fixtures/patchable.c');
    assert.equal(program.bodyOf(symbol.address + 4n), undefined, 'not from the middle of it');
    const [start] = program.symbols.byName('_start');
    assert.equal(program.lineAt(program.bodyOf(start.address) ?? 0n)?.line, 8);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
