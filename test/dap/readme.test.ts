/** What README.md shows to be typed works: its launch.json, and the examples of expressions, breakpoints and conditions. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sessionStart } from '../../src/adapter';
import { Client } from './client';
import { realProduct } from './products';

const root = fileURLToPath(new URL('../..', import.meta.url));
const samples = path.join(root, 'media', 'samples');
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
const section = (title: string): string => readme.split(`### ${title}\n`)[1]?.split(/^#/m)[0] ?? '';
const spans = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code);

let client: Client;
let frame = 0;
before(async () => {
  client = await Client.open('inline', await realProduct());
  await client.atEntry({ program: path.join(samples, 'el-tour.elf') });
  await client.setFunctionBreakpointsRequest({ breakpoints: [{ name: 'data_abort' }] });
  await client.continueRequest({ threadId: 1 });
  await client.stopped();
  frame = (await client.top()).id;
});
after(() => client.close());

test('the launch.json launches', () => {
  const json = JSON.parse(/```json\n([\s\S]*?)```/.exec(section('launch.json'))?.[1] ?? '');
  const [{ program, ...rest }] = json.configurations;
  const { options } = sessionStart({ ...rest, program: program.replace(/^\$\{workspaceFolder\}/, samples) });
  assert.equal((options as { program: string }).program, path.join(samples, 'el-tour.elf'));
});

test('every example of an expression has a value', async () => {
  const rows = section('Expressions')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| what'));
  const later = /^\$(hits|address|old|new)$/; // only in conditions
  const examples = rows.slice(0, 9).flatMap((line) => spans(line.split('|').slice(2).join('|')));
  assert.ok(examples.length > 35, `${examples.length} examples`);
  for (const example of examples.filter((text) => !later.test(text))) {
    await assert.doesNotReject(() => client.evaluated(example, frame), example);
  }
});

test('every example of an assignment sets what it names', async () => {
  const text = /In the debug console[\s\S]*?\n\n/.exec(section('Expressions'))?.[0] ?? '';
  const examples = spans(text).filter((code) => code.includes(' = '));
  assert.equal(examples.length, 5);
  for (const example of examples) await assert.doesNotReject(() => client.evaluated(example, frame, 'repl'), example);
});

test('the examples of breakpoints are taken', async () => {
  const text = section('Breakpoints');
  const names = spans(/\| functions .*/.exec(text)?.[0] ?? '');
  const functions = await client.setFunctionBreakpointsRequest({ breakpoints: names.map((name) => ({ name })) });
  assert.deepEqual(
    functions.body.breakpoints.map((b) => b.verified),
    [true, true],
  );
  const each = spans(/Each takes[\s\S]*?\n\n/.exec(text)?.[0] ?? '');
  const [condition, ...rest] = each;
  const logMessage = rest.pop();
  const breakpoints = rest.map((hitCondition) => ({ line: 57, condition, hitCondition, logMessage }));
  const source = { path: path.join(samples, 'el-tour', 'kernel.c') };
  const lines = await client.setBreakpointsRequest({ source, breakpoints });
  assert.deepEqual(
    lines.body.breakpoints.map((b) => b.message ?? b.verified),
    rest.map(() => true),
  );
  assert.equal(rest.length, 4);
  const [filter] = spans(/Exception filters stop[\s\S]*?\n\n/.exec(text)?.[0] ?? '');
  const { body } = await client.send('setExceptionBreakpoints', {
    filters: [],
    filterOptions: [{ filterId: 'EL1.sync', condition: filter }],
  });
  assert.deepEqual(body?.breakpoints, [{ verified: true }]);
});
