import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/base/errors';
import { Dialogue } from '../../../src/cli/dialogue';
import { parseOptions, runOptions } from '../../../src/cli/options';

function dialogue(...args: string[]): { say: (text: string) => void; typed: () => string; dialogue: Dialogue } {
  let typed = '';
  const made = new Dialogue(parseOptions(args, runOptions), (bytes) => {
    typed += Buffer.from(bytes).toString('latin1');
  });
  return { dialogue: made, typed: () => typed, say: (text) => made.output(Buffer.from(text, 'latin1')) };
}

test('pairs are worked off in order, each in output after the one before', () => {
  const d = dialogue('--expect', 'b', '--send', '1', '--expect', 'a', '--send', '2', '--until-console', 'b');
  d.say('a');
  assert.equal(d.typed(), '', 'the first pair comes first');
  d.say('b');
  assert.equal(d.typed(), '1');
  assert.equal(d.dialogue.waitingFor, 'a');
  assert.equal(d.dialogue.done, false, 'not in what was there before the last pair');
  d.say('xay');
  assert.equal(d.typed(), '12');
  assert.equal(d.dialogue.waitingFor, 'b');
  d.say('zb');
  assert.equal(d.dialogue.done, true);
  assert.equal(d.dialogue.waitingFor, undefined);
});

test('text is found however it is cut, and in one piece with its follower', () => {
  const d = dialogue('--expect', 'aab', '--send', '1', '--expect', '\\n=> ', '--send', '2');
  for (const c of 'aaab') d.say(c);
  assert.equal(d.typed(), '1');
  for (const c of 'crc ==> \n=') d.say(c);
  assert.equal(d.typed(), '1', '"==> " is not at the beginning of a line');
  d.say('> ');
  assert.equal(d.typed(), '12');
  const whole = dialogue('--expect', 'a', '--send', '1', '--expect', 'b', '--send', '2', '--until-console', 'c');
  whole.say('abc');
  assert.deepEqual([whole.typed(), whole.dialogue.done], ['12', true]);
});

test('bytes that are no text', () => {
  const d = dialogue('--expect', '\\xff\\x00', '--send', '\\x03');
  d.say('\xff');
  d.say('\0');
  assert.equal(d.typed(), '\x03');
});

test('without --until-console it is never done', () => {
  const d = dialogue('--expect', 'a', '--send', 'b');
  d.say('aaa');
  assert.deepEqual([d.dialogue.done, d.dialogue.waitingFor], [false, undefined]);
  assert.equal(dialogue().dialogue.waitingFor, undefined);
});

test('pairs that are none', () => {
  for (const args of [
    ['--expect', 'a'],
    ['--send', 'a'],
    ['--expect', 'a', '--expect', 'b', '--send', 'c', '--send', 'd'],
    ['--expect', 'a', '--send', 'b', '--send', 'c'],
  ])
    assert.throws(
      () => dialogue(...args),
      (error: unknown) => error instanceof UserError && error.code === 'cli.pairs',
      args.join(' '),
    );
});
