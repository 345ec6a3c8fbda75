/** Each rule of the layers, seen failing on a planted mistake. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findViolations, importsOf, largest } from '../../../src/build/layers';

const references = new Map([
  ['base', []],
  ['cpu', ['base']],
  ['adapter', ['base', 'cpu']],
  ['extension', ['base']],
]);

function violations(files: Record<string, string>): string[] {
  return findViolations({ files: new Map(Object.entries(files)), references });
}

describe('layers', () => {
  test('a lower folder, the same folder and Node from an entry folder are fine', () => {
    const files = {
      'base/bits.ts': '',
      'cpu/core.ts': "import { bit } from '../base/bits';\nimport { state } from './state';",
      'cpu/state.ts': "export * from '../base/bits';",
      'adapter/main.ts': "import fs from 'node:fs';\nimport { core } from '../cpu/core';",
      'extension/extension.ts': "import * as vscode from 'vscode';",
    };
    assert.deepEqual(violations(files), []);
  });

  test('a folder without a reference', () => {
    const files = { 'base/bits.ts': "import type { core } from '../cpu/core';", 'cpu/core.ts': '' };
    assert.deepEqual(violations(files), [
      'base/bits.ts: imports cpu/core.ts, but base/tsconfig.json does not refer to cpu',
    ]);
  });

  test('vscode elsewhere, Node and packages in the core', () => {
    assert.deepEqual(violations({ 'adapter/a.ts': "import { window } from 'vscode';" }), [
      'adapter/a.ts: imports vscode outside src/extension',
    ]);
    assert.deepEqual(violations({ 'cpu/a.ts': "import fs from 'node:fs';" }), [
      'cpu/a.ts: imports node:fs, but cpu runs without Node',
    ]);
    assert.deepEqual(violations({ 'cpu/a.ts': "const fs = require('fs');" }), [
      'cpu/a.ts: imports fs, but cpu runs without Node',
    ]);
  });

  test('types of a package, but not of Node, in the core', () => {
    assert.deepEqual(violations({ 'cpu/a.ts': "import type { DebugProtocol } from '@vscode/debugprotocol';" }), []);
    assert.equal(violations({ 'cpu/a.ts': "import type { Stats } from 'node:fs';" }).length, 1);
  });

  test('a module that is not there', () => {
    assert.deepEqual(violations({ 'cpu/a.ts': "import './b';" }), [
      'cpu/a.ts: imports ./b, which is not a module of src/',
    ]);
  });

  test('cycles of values, not of types', () => {
    const there = "import { b } from './b';";
    assert.deepEqual(violations({ 'cpu/a.ts': there, 'cpu/b.ts': "import { a } from './a';" }), [
      'import cycle: cpu/a.ts → cpu/b.ts → cpu/a.ts',
    ]);
    assert.deepEqual(violations({ 'cpu/a.ts': there, 'cpu/b.ts': "import type { a } from './a';" }), []);
    assert.deepEqual(violations({ 'cpu/a.ts': there, 'cpu/b.ts': "import { type a } from './a';" }), []);
  });

  test('cycles of projects', () => {
    const cyclic = new Map([
      ['base', ['cpu']],
      ['cpu', ['base']],
    ]);
    assert.deepEqual(findViolations({ files: new Map(), references: cyclic }), ['reference cycle: base → cpu → base']);
  });

  test('imports are found over several lines and not in comments', () => {
    const text =
      "import {\n  a,\n  type B,\n} from './ab';\n// import x from 'x';\n/* import y from 'y'; */\nawait import('./z');";
    assert.deepEqual(importsOf(text), [
      { specifier: './ab', typeOnly: false },
      { specifier: './z', typeOnly: false },
    ]);
  });

  test('the longest files come first', () => {
    const files = new Map([
      ['a', 'x\n'],
      ['b', 'x\nx\n'],
    ]);
    assert.deepEqual(largest(files, 1), [[2, 'b']]);
  });
});
