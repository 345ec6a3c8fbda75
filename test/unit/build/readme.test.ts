/** The blocks of README.md that are made from the sources, and that its links and pictures lead somewhere. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { launchAttributes } from '../../../src/adapter';
import { ROOT } from '../../../src/build/paths';
import {
  eventsMarkdown,
  filtersMarkdown,
  requestsMarkdown,
  viewTypesMarkdown,
  withBlock,
} from '../../../src/build/readme';
import { findingKinds } from '../../../src/machine/api';
import { type CustomEventName, customRequests } from '../../../src/protocol';

const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');

test('a block is replaced, what is around it is not', () => {
  const text = 'a\n<!-- x: made by npm run readme -->\nold\n<!-- end of x -->\nb\n';
  const now = withBlock(text, 'x', 'new $1\n');
  assert.equal(now, 'a\n<!-- x: made by npm run readme -->\n\nnew $1\n\n<!-- end of x -->\nb\n');
  assert.equal(withBlock(now, 'x', 'new $1'), now);
  assert.throws(() => withBlock(text, 'y', ''), /0 blocks "y"/);
  assert.throws(() => withBlock(text + text, 'x', ''), /2 blocks "x"/);
});

test('every attribute, request, event and filter is there', () => {
  for (const name of Object.keys(launchAttributes)) assert.ok(readme.includes(`\n| \`${name}\` |`), name);
  for (const name of Object.keys(customRequests)) assert.ok(requestsMarkdown().includes(`**\`${name}\`**`), name);
  const events: Readonly<Record<CustomEventName, true>> = {
    'elscope/state': true,
    'elscope/console': true,
    'elscope/reset': true,
    'elscope/finding': true,
  };
  for (const name of Object.keys(events)) assert.ok(eventsMarkdown().includes(`**\`${name}\`** \`{`), name);
  for (const kind of Object.keys(findingKinds)) assert.ok(readme.includes(`\n| ${kind} | `), kind);
  assert.match(filtersMarkdown(), /`staleFetch`.*on from the start/);
});

test('every type that a reply names is declared', () => {
  const types = viewTypesMarkdown();
  const named = [...requestsMarkdown().matchAll(/→ `(\w+)`/g)].map(([, name]) => name);
  assert.equal(named.length, 12);
  for (const name of named) assert.ok(types.includes(`\ninterface ${name} `), name);
});

test('links and pictures lead to files of the working copy, and pictures are small', () => {
  const targets = [...readme.matchAll(/\]\((?!https?:|#)([^)]+)\)/g)].map(([, target]) => target);
  assert.ok(targets.some((target) => target.endsWith('.png')));
  for (const target of targets) assert.ok(existsSync(path.join(ROOT, target)), target);
  for (const target of targets.filter((file) => file.endsWith('.png'))) {
    assert.ok(statSync(path.join(ROOT, target)).size < 300 * 1024, target);
  }
});
