/** Entries that refer to themselves (`cycles.s`): every question has an answer and an end. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  findMember,
  readInteger,
  sizeOf,
  spell,
  strip,
  type ValueNode,
  variableNode,
} from '../../../../src/program/index';
import { fixtureDebug, registerPort } from '../fixture';

const SPIN = 0x40200000n;
const debug = fixtureDebug('cycles');
const port = { ...registerPort(new Map()), memory: (_: bigint, size: number) => new Uint8Array(size).fill(1) };

function open(node: ValueNode, depth: number): number {
  let count = 1;
  for (let i = 0; i < Math.min(node.childCount, 2) && depth > 0; i++) count += open(node.child(i), depth - 1);
  return count;
}

test('variables of circular types are shown as far as someone opens them', () => {
  const names = ['typedef', 'constant', 'array', 'structure', 'pointer', 'function', 'outside', 'middle'];
  for (const name of names) {
    const [variable] = debug.globalsNamed(name);
    assert.ok(variable, name);
    const node = variableNode(variable, SPIN, port);
    assert.ok(node.display.length < 500, node.display);
    assert.ok(node.typeName.length < 500, node.typeName);
    assert.ok(open(node, 6) < 200);
    assert.ok(sizeOf(variable.type) >= 0);
    readInteger(node.object, port);
  }
});

test('a typedef of itself is an unknown type', () => {
  const [variable] = debug.globalsNamed('typedef');
  assert.equal(strip(variable.type).kind, 'unknown');
  assert.equal(spell(variable.type), 'forever');
});

test('a struct inside of itself has no member that is not there', () => {
  const type = strip(debug.globalsNamed('structure')[0].type);
  assert.ok(type.kind === 'record');
  assert.equal(findMember(type, 'nothing'), undefined);
  assert.equal(findMember(type, 'self')?.offset, 0);
});

test('a function that is its own origin and sibling, with blocks nested deep', () => {
  assert.equal(debug.functionAt(SPIN)?.name, '');
  const scopes = debug.scopesAt(SPIN);
  assert.ok(scopes.length > 10 && scopes.length <= 64);
  assert.equal(debug.callChainAt(SPIN).length, 1);
});

test('types outside of the unit and in the middle of an entry are told', () => {
  for (const name of ['outside', 'middle']) spell(debug.globalsNamed(name)[0].type);
  assert.ok(
    debug.problems.some((problem) => /outside|abbreviation|not known|data ends/.test(problem)),
    debug.problems.join('\n'),
  );
  assert.equal(spell(debug.globalsNamed('outside')[0].type), '<broken type>');
});
