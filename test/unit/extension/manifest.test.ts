/** What package.json contributes fits together: commands, menus, views, colours, files. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type ParseError, parse } from 'jsonc-parser';
import { filesBelow } from '../../../src/build/nodeTests';
import { ROOT } from '../../../src/build/paths';
import { colors } from '../../../src/extension/rows/row';

const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const { contributes } = manifest;
const commands: string[] = contributes.commands.map((row: { command: string }) => row.command);
const source = filesBelow(path.join(ROOT, 'src', 'extension'), '.ts')
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

interface MenuItem {
  readonly command: string;
  readonly when?: string;
}
const menus: Readonly<Record<string, readonly MenuItem[]>> = contributes.menus;

test('menus, welcome texts and walkthroughs name commands that there are', () => {
  const named = Object.values(menus).flatMap((items) => items.map((item) => item.command));
  const linked = [...JSON.stringify(contributes).matchAll(/\(command:([\w.]+)\)|onCommand:([\w.]+)/g)].map(
    (m) => m[1] ?? m[2],
  );
  const wanted = [...named, ...linked, ...(Object.values(contributes.debuggers[0].variables) as string[])];
  assert.deepEqual(
    wanted.filter((command) => !commands.includes(command)),
    [],
  );
  assert.equal(new Set(commands).size, commands.length);
});

test('every command is in the code, and says in the palette when it works', () => {
  const always = ['elscope.debugGuest'];
  const ruled = menus.commandPalette.map((item) => item.command);
  for (const command of commands) {
    assert.ok(source.includes(`'${command}'`), `${command} is not registered`);
    assert.notEqual(ruled.includes(command), always.includes(command), `${command} in the palette`);
  }
});

test('what is in the debugger’s menus shows for elscope only', () => {
  for (const [menu, items] of Object.entries(menus)) {
    for (const { command, when = '' } of items) {
      if (menu.startsWith('debug/') || menu === 'editor/context') assert.match(when, /debugType == 'elscope'/, command);
      if (menu.startsWith('view/')) assert.match(when, /view (==|=~) .*elscope/, command);
    }
  }
});

test('views show during a session of ours only, and each has its source', () => {
  for (const view of contributes.views.debug) {
    assert.match(view.when, /^inDebugMode && debugType == 'elscope'( && elscope\.hypervisor)?$/);
    assert.ok(source.includes(`'${view.id}'`), view.id);
  }
});

test('colours that rows and webviews use are contributed or VS Code’s own', () => {
  const own: string[] = contributes.colors.map((color: { id: string }) => color.id);
  for (const color of Object.values(colors)) if (color.startsWith('elscope.')) assert.ok(own.includes(color), color);
  const css = readFileSync(path.join(ROOT, 'src', 'webview', 'cacheLines.css'), 'utf8');
  const used = [...css.matchAll(/--vscode-elscope-(\w+)/g)].map((match) => `elscope.${match[1]}`);
  assert.ok(used.length > 3);
  for (const color of used) assert.ok(own.includes(color), color);
});

test('every file that is named is there and parses', () => {
  const files = [...JSON.stringify(contributes).matchAll(/"(?:\.\/)?((?:media|syntaxes)\/[^"]+)"/g)].map(
    (match) => match[1],
  );
  assert.ok(files.length > 8, files.join());
  for (const file of [...files, manifest.icon]) {
    assert.ok(existsSync(path.join(ROOT, file)), file);
    if (!file.endsWith('.json')) continue;
    const errors: ParseError[] = [];
    parse(readFileSync(path.join(ROOT, file), 'utf8'), errors);
    assert.deepEqual(errors, [], file);
  }
});

test('snippets of launch.json use attributes that there are', () => {
  const [{ configurationAttributes, configurationSnippets }] = contributes.debuggers;
  const known = ['name', 'type', 'request', ...Object.keys(configurationAttributes.launch.properties)];
  assert.ok(configurationSnippets.length >= 3);
  for (const { label, body } of configurationSnippets) {
    assert.deepEqual(
      Object.keys(body).filter((name) => !known.includes(name)),
      [],
      label,
    );
  }
});

test('word pattern and indentation of assembly are expressions that work', () => {
  const text = readFileSync(path.join(ROOT, 'syntaxes', 'a64.language-configuration.json'), 'utf8');
  const { wordPattern, indentationRules } = parse(text);
  const words = '1:\tb.ne .Lloop // 0x40'.match(new RegExp(wordPattern, 'g'));
  assert.deepEqual(words, ['1', 'b.ne', '.Lloop', '0x40']);
  assert.match('main:', new RegExp(indentationRules.increaseIndentPattern));
  assert.doesNotMatch('\tmov x0, x1', new RegExp(indentationRules.increaseIndentPattern));
});
