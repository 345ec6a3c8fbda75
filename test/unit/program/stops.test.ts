/**
 * Real stops: registers and memory of the fixtures on QEMU, and what GDB said of them there. Frames are unwound, locals read
 * and C paths resolved from the newest frame's registers and memory alone.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type DebugInfo,
  type EvaluationPort,
  type FunctionInfo,
  frameScope,
  frameScopes,
  isMissing,
  readInteger,
  readObject,
  resolvePath,
  sizeOf,
  spell,
  strip,
  type TypedObject,
  unwindFrame,
  type ValueNode,
  valueNode,
  variableNode,
  withFrameBase,
} from '../../../src/program/index';
import {
  FIXTURES,
  fixtureDebug,
  fixtureElf,
  type Recorded,
  type RecordedStop,
  recording,
  registersOf,
  StoppedMemory,
} from './fixture';

/** One shown frame: inlined copies share the registers of the concrete frame that they are in. */
interface Frame {
  readonly pc: bigint;
  /** Where names and lines are looked up: inside of the call for callers. */
  readonly lookup: bigint;
  readonly level: number;
  readonly fn: FunctionInfo | undefined;
  readonly port: EvaluationPort;
}

function frames(debug: DebugInfo, stop: RecordedStop, memory: StoppedMemory): Frame[] {
  const result: Frame[] = [];
  let registers: ReadonlyMap<number, bigint> = registersOf(stop.frames[0]);
  let pc: bigint | undefined = BigInt(stop.frames[0].pc);
  for (let depth = 0; pc !== undefined && depth < 16; depth++) {
    const current = registers;
    const here: bigint = pc;
    const lookup = depth === 0 ? here : here - 1n;
    const read = (address: bigint, size: number): Uint8Array | undefined => memory.read(address, size);
    const raw = { register: (n: number) => current.get(n), memory: read };
    const row = debug.unwindRow(lookup);
    const caller = row && unwindFrame(row, raw);
    const concrete = debug.functionAt(lookup);
    const next = result.length + debug.callChainAt(lookup).length;
    const bare = {
      ...raw,
      cfa: () => caller?.cfa,
      entryValue: (expression: Uint8Array) => {
        const above = result[next];
        return above && debug.entryValue(expression, above.pc, above.port);
      },
    };
    const port =
      concrete === undefined ? { ...bare, frameBase: () => undefined } : withFrameBase(bare, concrete, lookup);
    const chain = debug.callChainAt(lookup);
    if (chain.length === 0) break;
    for (const [level, fn] of chain.entries()) result.push({ pc: here, lookup, level, fn, port });
    if (caller === undefined) break;
    registers = caller.registers;
    pc = caller.pc;
    if (concrete?.name === 'main') break;
  }
  return result;
}

/** All scalars of an object by path as GDB's recording has them; optimized out where nothing is known. */
function leaves(object: TypedObject, path: string, port: EvaluationPort, result: Record<string, string>): void {
  const type = strip(object.type);
  if (type.kind === 'record') {
    for (const member of type.members) {
      const inner = { ...object, type: member.type, offset: object.offset + member.offset, bits: member.bits };
      leaves(inner, member.name === '' ? path : `${path}.${member.name}`, port, result);
    }
  } else if (type.kind === 'array') {
    for (let i = 0; i < Math.min(type.count ?? 0, 20); i++) {
      const inner = { type: type.element, location: object.location, offset: object.offset + i * type.stride };
      leaves(inner, `${path}[${i}]`, port, result);
    }
  } else if (type.kind === 'base' && type.encoding === 'float') {
    const bytes = readObject(object, port);
    if (isMissing(bytes)) result[path] = bytes.missing;
    else {
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      const value = type.size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
      result[path] = Number.isInteger(value) ? value.toFixed(1) : value.toString();
    }
  } else {
    const value = readInteger(object, port);
    result[path] = isMissing(value) ? value.missing : value.toString();
  }
}

/** GDB prints pointers unsigned; types without a size have no leaves. */
function compare(object: TypedObject, name: string, port: EvaluationPort, golden: Recorded, where: string): void {
  const found: Record<string, string> = {};
  leaves(object, name, port, found);
  const expected: Record<string, string> = {};
  for (const [path, value] of Object.entries(golden.leaves)) if (!/\.body\[0\]$/.test(path)) expected[path] = value;
  for (const [path, value] of Object.entries(found)) {
    // GDB fills what a frame does not save with the callee's value; here it is not known.
    if (expected[path] !== 'optimized out' && /not known in this frame|optimized out \(only/.test(value))
      delete expected[path];
    else if (expected[path] === 'optimized out' && /optimized out|not known/.test(value)) found[path] = 'optimized out';
    if (expected[path] === undefined) delete found[path];
  }
  assert.deepEqual(found, expected, where);
  // In assembly frames GDB leaves the keyword out.
  const plain = (type: string): string => type.replace(/\b(struct|union|enum) /g, '');
  assert.equal(plain(spell(object.type)), plain(golden.type), where);
}

for (const name of FIXTURES) {
  const { stops } = recording(name);
  for (const stop of stops) {
    test(`${name}: frames, locals and C paths at ${stop.at}`, () => {
      const debug = fixtureDebug(name);
      const memory = new StoppedMemory(fixtureElf(name), stop);
      const found = frames(debug, stop, memory);
      const shown = found.map((frame) => ({
        function: frame.fn?.name,
        pc: `0x${frame.pc.toString(16)}`,
        inlined: frame.fn?.callSite !== undefined,
      }));
      const golden = stop.frames.slice(0, stop.frames.findIndex((frame) => frame.function === 'main') + 1);
      assert.deepEqual(
        shown,
        golden.map((frame) => ({ function: frame.function, pc: frame.pc, inlined: frame.inlined })),
      );
      golden.forEach((frame, i) => {
        checkFrame(debug, found[i], frame.line, i === 0 ? undefined : found[i - 1]);
        checkRegisters(found[i], frame.registers);
        checkLocals(debug, found[i], frame.locals);
      });
      const { port, pc } = found[0];
      for (const [text, value] of Object.entries(stop.expressions)) {
        // Two files have a counter of their own, and assembly belongs to neither.
        if (text === 'counter' && found[0].fn?.assembly) continue;
        const object = resolvePath(frameScope(debug, pc, port), text);
        compare(object, text, port, value, text);
      }
      assert.deepEqual(debug.problems, []);
    });
  }
}

function checkFrame(debug: DebugInfo, frame: Frame, line: number, inner: Frame | undefined): void {
  // The line of a frame around an inlined copy is where the copy was called.
  const call = inner !== undefined && inner.pc === frame.pc ? inner.fn?.callSite : undefined;
  assert.equal(call?.line ?? debug.lines.at(frame.lookup)?.line, line, `line of ${frame.fn?.name}`);
}

function checkRegisters(frame: Frame, golden: Readonly<Record<string, string>>): void {
  for (const [n, value] of Object.entries(golden)) {
    if (Number(n) < 19) continue;
    assert.equal(frame.port.register(Number(n)), BigInt(value), `register ${n} of ${frame.fn?.name}`);
  }
}

function checkLocals(debug: DebugInfo, frame: Frame, golden: Readonly<Record<string, Recorded>>): void {
  const names: string[] = [];
  for (const scope of frameScopes(debug, frame.lookup, frame.level)) {
    for (const variable of scope.variables) {
      const recorded = golden[variable.name];
      if (names.includes(variable.name)) continue;
      names.push(variable.name);
      assert.ok(recorded, `${variable.name} of ${frame.fn?.name} is not in the recording`);
      const object = { type: variable.type, location: variable.locate(frame.lookup, frame.port), offset: 0 };
      compare(object, variable.name, frame.port, recorded, `${variable.name} of ${frame.fn?.name}`);
      const node = variableNode(variable, frame.lookup, frame.port);
      assert.equal(node.name, variable.name);
      for (let i = 0; i < node.childCount; i++) assert.equal(typeof node.child(i).display, 'string');
    }
  }
  assert.deepEqual(names.sort(), Object.keys(golden).sort(), `locals of ${frame.fn?.name}`);
}

test('types have the layout that GDB prints', () => {
  for (const name of FIXTURES) {
    const debug = fixtureDebug(name);
    for (const [type, text] of Object.entries(recording(name).types)) {
      const found = debug.typeNamed(type);
      assert.ok(found, type);
      const total = /total size \(bytes\):\s*(\d+) \*\/\n\s*\}\s*$/.exec(text);
      if (total !== null) assert.equal(sizeOf(found), Number(total[1]), type);
    }
  }
});

test('nodes of a stopped frame read as C', () => {
  const stop = recording('v5-O0').stops[0];
  const debug = fixtureDebug('v5-O0');
  const memory = new StoppedMemory(fixtureElf('v5-O0'), stop);
  const frame = frames(debug, stop, memory)[0];
  const node = (text: string, hex = false): ValueNode => {
    const object = resolvePath(frameScope(debug, frame.pc, frame.port), text);
    return valueNode(text, object, frame.port, { hex, symbolAt: (address) => debug.functionAt(address)?.name });
  };
  const show = (text: string, hex = false): string => `${node(text).typeName}: ${node(text, hex).display}`;
  assert.equal(
    show('first'),
    'struct node: {next = 0x40201030, name = 0x40200690 "first", at = {…}, values = {1, 2, 3}}',
  );
  assert.equal(show('first.at'), 'struct point: {x = 1, y = 2}');
  assert.equal(show('matrix'), 'int [2][3]: {{1, 2, 3}, {4, 5, 6}}');
  assert.equal(show('matrix[1]', true), 'int [3]: {0x4, 0x5, 0x6}');
  assert.equal(show('paint'), 'volatile enum colour: GREEN (5)');
  assert.equal(show('ready'), '_Bool: true');
  assert.equal(show('letters'), 'char [8]: "abc\\n"');
  assert.equal(show('letters[0]'), "char: 97 'a'");
  assert.equal(show('ratio'), 'double: 0.5');
  assert.equal(show('third_of'), 'float: 1');
  assert.equal(show('mask'), 'union bits: {raw = 4293918741, {…}}');
  assert.equal(show('packet->flags'), 'unsigned short: 5');
  assert.equal(show('&matrix[1]'), 'int (*)[3]: 0x402010a4');
  assert.equal(show('(operation)0x40200038'), 'operation: 0x40200038 <add>');
  assert.equal(show('(struct node *)0'), 'struct node *: 0x0');
  assert.equal(
    show('*(struct node *)0x50000000'),
    'struct node: {next = <cannot read memory at 0x50000000>, name = <cannot read memory at 0x50000008>, at = {…}, values = <cannot read memory at 0x50000018>}',
  );
});

test('children of nodes name themselves by paths that resolve to the same object', () => {
  const stop = recording('v5-O0').stops[0];
  const debug = fixtureDebug('v5-O0');
  const memory = new StoppedMemory(fixtureElf('v5-O0'), stop);
  const frame = frames(debug, stop, memory)[0];
  const scope = frameScope(debug, frame.pc, frame.port);
  const seen: string[] = [];
  const visit = (node: ValueNode, depth: number): void => {
    seen.push(node.path);
    const again = valueNode(node.name, resolvePath(scope, node.path), frame.port);
    if (node.name !== '<anonymous>') assert.equal(again.display, node.display, node.path);
    for (let i = 0; i < Math.min(node.childCount, 6) && depth < 4; i++) visit(node.child(i), depth + 1);
    assert.throws(() => node.child(node.childCount), RangeError);
  };
  for (const name of ['first', 'packet', 'matrix', 'mask', 'letters', 'operations']) {
    visit(valueNode(name, resolvePath(scope, name), frame.port), 0);
  }
  for (const path of ['first.next->name', '*first.next->name', 'packet->bits.high', 'mask.low', 'matrix[1][2]']) {
    assert.ok(seen.includes(path), `${path} in ${seen.join(' ')}`);
  }
});
