/** The model of the Cache lines grid: pages, what is out of date, where keys lead. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellClasses, cellLabel, cellText, summary } from '../../../src/webview/describe';
import { GridModel, type MoveKey, moveKey, PAGE_ROWS, windowOf } from '../../../src/webview/gridModel';
import { cell, noLine, page } from '../extension/sampleViews';

function filled(rows: number): GridModel {
  const model = new GridModel();
  for (let start = 0; start < rows; start += PAGE_ROWS) model.accept(page(start, PAGE_ROWS, rows));
  return model;
}

test('only pages near the visible rows are missing, and each once', () => {
  const model = new GridModel();
  assert.deepEqual(model.missing(0, 10), [0]);
  model.accept(page(0, PAGE_ROWS, 1000));
  assert.deepEqual(model.missing(0, 10), []);
  assert.deepEqual(model.missing(60, 200), [64, 128, 192]);
});

test('a new state makes pages outdated, but they stay until they are replaced', () => {
  const model = filled(100);
  model.outdate(5);
  assert.equal(model.row(70)?.set, 70);
  assert.deepEqual(model.missing(0, 99), [0, 64]);
  model.accept(page(64, PAGE_ROWS, 100, 5));
  assert.deepEqual(model.missing(0, 99), [0]);
});

test('fewer rows drop the pages and the focus beyond them', () => {
  const model = filled(200);
  model.focus = { row: 150, way: 1 };
  model.accept(page(0, PAGE_ROWS, 3));
  assert.equal(model.row(70), undefined);
  assert.deepEqual(model.focus, { row: 2, way: 1 });
});

test('clearing leaves nothing of another cache', () => {
  const model = filled(10);
  model.focus = { row: 3, way: 1 };
  model.clear();
  assert.deepEqual([model.row(0), model.totalRows, model.focus], [undefined, 0, { row: 0, way: 0 }]);
});

test('keys move the focus and stop at the edges', () => {
  const model = filled(100);
  const from = (row: number, way: number, key: MoveKey): [number, number] => {
    model.focus = { row, way };
    const to = model.moved(key, 20);
    return [to.row, to.way];
  };
  assert.deepEqual(from(5, 0, 'ArrowDown'), [6, 0]);
  assert.deepEqual(from(0, 0, 'ArrowUp'), [0, 0]);
  assert.deepEqual(from(5, 0, 'ArrowRight'), [5, 1]);
  assert.deepEqual(from(5, 1, 'ArrowRight'), [5, 1]);
  assert.deepEqual(from(5, 1, 'ArrowLeft'), [5, 0]);
  assert.deepEqual(from(5, 1, 'PageDown'), [25, 1]);
  assert.deepEqual(from(5, 1, 'PageUp'), [0, 1]);
  assert.deepEqual(from(5, 1, 'Home'), [5, 0]);
  assert.deepEqual(from(5, 0, 'End'), [5, 1]);
  assert.deepEqual(from(5, 1, 'Control+Home'), [0, 0]);
  assert.deepEqual(from(5, 0, 'Control+End'), [99, 1]);
});

test('only navigation keys are taken from the page', () => {
  assert.equal(moveKey('ArrowUp', false), 'ArrowUp');
  assert.equal(moveKey('Home', true), 'Control+Home');
  assert.equal(moveKey('ArrowUp', true), undefined);
  assert.equal(moveKey('a', false), undefined);
});

test('the window has a margin and stays within the rows', () => {
  assert.deepEqual(windowOf(0, 220, 22, 1000), { first: 0, last: 18 });
  assert.deepEqual(windowOf(2200, 220, 22, 1000), { first: 92, last: 118 });
  assert.deepEqual(windowOf(0, 220, 22, 3), { first: 0, last: 2 });
  assert.deepEqual(windowOf(0, 220, 22, 0), { first: 0, last: -1 });
});

test('a cell says its state to the eye and to a screen reader', () => {
  const stale = cell(1, { differs: true, changed: true });
  assert.equal(cellText(stale), '≠ • 40201200 main');
  assert.equal(cellClasses(stale, false), 'cell clean differs changed');
  assert.equal(
    cellLabel(3, stale),
    'set 3, way 1, clean, 0x40201200, main, differs from what cacheable accesses see, changed since the last stop',
  );
  assert.equal(cellText(noLine(0)), '');
  assert.equal(cellClasses(noLine(0), true), 'cell invalid');
  assert.equal(cellClasses(cell(0, { matches: false }), true), 'cell clean unmatched');
  assert.equal(summary(page(0, 1, 128)), '128 sets × 2 ways × 64 bytes · 128 valid · 0 dirty · 0 differing');
});
