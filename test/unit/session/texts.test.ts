/** The small languages: hit conditions, log messages, address references, source paths. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatReference, parseReference } from '../../../src/session/addressReference';
import { parseHitCondition, parseLogMessage } from '../../../src/session/hitCondition';
import { SourcePaths } from '../../../src/session/sourcePaths';

test('hit conditions', () => {
  const hits = (text: string): number[] => {
    const holds = parseHitCondition(text);
    return [1, 2, 3, 4, 5, 6].filter((n) => holds?.(n));
  };
  assert.deepEqual(hits('3'), [3, 4, 5, 6]);
  assert.deepEqual(hits('== 3'), [3]);
  assert.deepEqual(hits('>=5'), [5, 6]);
  assert.deepEqual(hits('> 5'), [6]);
  assert.deepEqual(hits(' % 2 '), [2, 4, 6]);
  assert.deepEqual(hits('< 2'), [1]);
  for (const wrong of ['often', '% 0', '== -1', '3 3', '']) assert.equal(parseHitCondition(wrong), undefined, wrong);
});

test('log messages', () => {
  assert.deepEqual(parseLogMessage('a {x0 + 1} b'), [{ text: 'a ' }, { expression: 'x0 + 1' }, { text: ' b' }]);
  assert.deepEqual(parseLogMessage('{{x}} {open'), [{ text: '{x} {open' }]);
  assert.deepEqual(parseLogMessage(''), []);
});

test('address references', () => {
  const cases: [string, string][] = [
    ['0x40', 'va:0x0000000000000040'],
    ['64', 'va:0x0000000000000040'],
    ['pa:0x40', 'pa:0x0000000000000040'],
    ['core3/icache:0xffffffffffffffff', 'core3/icache:0xffffffffffffffff'],
    ['core0/el1:0xffff_0000', 'core0/el1:0x00000000ffff0000'],
  ];
  for (const [text, formatted] of cases) {
    const reference = parseReference(text);
    assert.ok(reference, text);
    assert.equal(formatReference(reference), formatted);
    assert.deepEqual(parseReference(formatted), reference);
  }
  for (const wrong of [
    '',
    'main',
    'xx:0x1',
    'vm1/ipa:0x1',
    '0x1ffffffffffffffff',
    'core/pa:0x1',
    '99999999999999999999',
  ]) {
    assert.equal(parseReference(wrong), undefined, wrong);
  }
});

test('source paths: mapped prefixes, relative ones, and the way back', () => {
  const paths = new SourcePaths({ '/build/src': '/home/me/kernel/' });
  assert.equal(paths.shown('/build/src/a/../b.c', '/x/p.elf'), '/home/me/kernel/b.c');
  assert.equal(paths.shown('/build/srcs/b.c', '/x/p.elf'), '/build/srcs/b.c');
  assert.equal(paths.shown('./lib/b.c', '/x/y/p.elf'), '/x/y/lib/b.c');
  assert.equal(paths.shown('../b.c', '/x/y/p.elf'), '/x/b.c');
  assert.equal(paths.inProgram('/home/me/kernel/a/b.c'), '/build/src/a/b.c');
  assert.equal(paths.inProgram('/other/b.c'), '/other/b.c');
});
