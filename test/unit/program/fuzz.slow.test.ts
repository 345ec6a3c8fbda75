/**
 * Seeded mutations of ELF files and of their debug information: whatever the bytes are, the readers answer, and throw nothing
 * but user errors. `ELSCOPE_FUZZ=N` multiplies the number of mutations.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/base/errors';
import { SeededRandom } from '../../../src/base/random';
import {
  type DebugInfo,
  type EvaluationPort,
  frameScope,
  identifyImage,
  loadSegments,
  openDebugInfo,
  readElf,
  resolvePath,
  type Scope,
  SymbolTable,
  sizeOf,
  spell,
  unwindFrame,
  type ValueNode,
  variableNode,
  withFrameBase,
} from '../../../src/program/index';
import { fixtureBytes } from './fixture';

const factor = Number(process.env['ELSCOPE_FUZZ'] ?? 1);
const INTERESTING = [0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x40, 0x03];

/** Offsets that may change. */
interface Part {
  readonly from: number;
  readonly to: number;
}

/** Between 1 and 8 changed bytes or short runs in a part; sometimes the file is cut off. */
function mutate(bytes: Uint8Array, { from, to }: Part, random: SeededRandom): Uint8Array {
  const copy = bytes.slice();
  const somewhere = (): number => from + random.below(to - from);
  for (let n = 1 + random.below(8); n > 0; n--) {
    const at = somewhere();
    const kind = random.below(4);
    if (kind === 0) copy[at] ^= 1 << random.below(8);
    else if (kind === 1) copy[at] = INTERESTING[random.below(INTERESTING.length)];
    else if (kind === 2) copy.fill(INTERESTING[random.below(INTERESTING.length)], at, at + 1 + random.below(8));
    else copy.copyWithin(at, somewhere(), somewhere());
  }
  return random.below(32) === 0 ? copy.slice(0, random.below(copy.length)) : copy;
}

const port: EvaluationPort = {
  register: (n) => (n < 32 ? 0x40201000n + BigInt(n) * 8n : undefined),
  memory: (address, size) =>
    address >= 0x40200000n && address < 0x40300000n && size < 65536
      ? Uint8Array.from({ length: size }, (_, i) => (Number(address) + i) & 0xff)
      : undefined,
  cfa: () => 0x40202000n,
  frameBase: () => 0x40202000n,
  entryValue: () => 7n,
};

function openNode(node: ValueNode, depth: number): void {
  assert.equal(typeof node.display, 'string');
  assert.equal(typeof node.typeName, 'string');
  for (let i = 0; i < Math.min(node.childCount, 3) && depth > 0; i++) openNode(node.child(i), depth - 1);
}

function openScope(scope: Scope, pc: bigint): void {
  assert.equal(typeof scope.function.name, 'string');
  const inside = withFrameBase(port, scope.function, pc);
  for (const variable of scope.variables) openNode(variableNode(variable, pc, inside), 2);
  for (const variable of scope.function.parameters) spell(variable.type);
  sizeOf(scope.function.returns);
}

/** Asks everything that a session asks. */
function askAll(debug: DebugInfo, pcs: readonly bigint[]): void {
  const [file] = debug.lines.files();
  if (file !== undefined) {
    debug.lines.locate(file, 5);
    debug.lines.breakpointLocations(file, 1, 30);
  }
  for (const pc of pcs) {
    debug.lines.at(pc);
    debug.lines.rangeAt(pc);
    for (const fn of debug.callChainAt(pc)) debug.afterPrologue(fn);
    for (const scope of debug.scopesAt(pc)) openScope(scope, pc);
    const row = debug.unwindRow(pc);
    if (row !== undefined) unwindFrame(row, port);
    debug.entryValue(Uint8Array.of(0x50), pc, port);
  }
  for (const name of ['main', 'add', 'one', 'clamp']) debug.functionsNamed(name);
  for (const name of ['first', 'cell', 'matrix']) debug.globalsNamed(name, pcs[0]);
  for (const name of ['struct node', 'unsigned long', 'operation', 'struct old']) {
    const type = debug.typeNamed(name);
    if (type !== undefined) sizeOf(type);
  }
  for (const variable of debug.fileGlobals(pcs[0])) openNode(variableNode(variable, pcs[0], port), 2);
  assert.ok(debug.problems.length <= 101);
}

function expectUserErrors(body: () => void): void {
  try {
    body();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}

function run(
  name: string,
  count: number,
  seed: number,
  part: (bytes: Uint8Array) => Part,
  ask: (bytes: Uint8Array) => void,
): void {
  const bytes = fixtureBytes(`${name}.elf`);
  const random = new SeededRandom(new Uint32Array(1));
  for (let i = 0; i < count * factor; i++) {
    random.seed(seed + i);
    const mutated = mutate(bytes, part(bytes), random);
    try {
      ask(mutated);
    } catch (error) {
      assert.fail(`${name}, seed ${seed + i}: ${error instanceof Error ? error.stack : error}`);
    }
  }
}

const whole = (bytes: Uint8Array): Part => ({ from: 0, to: bytes.length });

/** The debug sections, without the headers that say where they are. */
function debugPart(bytes: Uint8Array): Part {
  const sections = readElf(bytes, 'fixture').sections.filter((s) => /^\.debug|^\.eh/.test(s.name));
  return { from: Math.min(...sections.map((s) => s.offset)), to: Math.max(...sections.map((s) => s.offset + s.size)) };
}

test('mutated headers and sections', () => {
  run('v5-O0', 300, 1000, whole, (bytes) => {
    // Headers are where most mistakes are refused: mutate them more than the rest.
    const headers = bytes.slice(0, 256 + (bytes.length % 64));
    for (const image of [bytes, headers]) {
      expectUserErrors(() => void identifyImage(image, 'image'));
      expectUserErrors(() => {
        const elf = readElf(image, 'image');
        const symbols = new SymbolTable();
        symbols.add({ name: 'image', elf });
        symbols.describe(0x40200010n);
        symbols.complete('m');
        expectUserErrors(() => void loadSegments(elf));
      });
    }
  });
});

const PCS: Readonly<Record<string, readonly bigint[]>> = {
  forms: [0x40200004n, 0x40200008n, 0x40200020n],
  'v5-O0': [0x40200094n, 0x402001d0n, 0x40200580n],
  'v5-O2': [0x402000acn, 0x40200130n, 0x40200270n],
  'v4-O2': [0x402000c4n, 0x40200150n, 0x402002b0n],
  'v5-O2-packed': [0x402000b4n, 0x40200140n],
};

const COUNTS: readonly (readonly [name: string, count: number])[] = [
  ['forms', 200],
  ['v5-O0', 25],
  ['v5-O2', 25],
  ['v4-O2', 25],
  ['v5-O2-packed', 25],
];

for (const [name, count] of COUNTS) {
  test(`mutated debug information of ${name}`, () => {
    run(name, count, 5000, debugPart, (bytes) => {
      expectUserErrors(() => {
        const debug = openDebugInfo(readElf(bytes, 'image'));
        askAll(debug, PCS[name]);
        const scope = frameScope(debug, PCS[name][0], port);
        for (const text of ['first.next->name', 'matrix[1][2]', 'packet->bits.high', '*cell', 'record.low']) {
          expectUserErrors(() => void resolvePath(scope, text));
        }
      });
    });
  });
}
