/** Device trees: written and read back, dtc's and QEMU's opinion of ours, and bytes that are no tree. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import {
  cells,
  cellsOf,
  type DeviceTreeBlob,
  flag,
  node,
  nodeAt,
  propertyOf,
  readDeviceTree,
  strings,
  stringsOf,
  type TreeFacts,
  type TreeNode,
  virtDeviceTree,
  wide,
  withChosen,
  withMemory,
  writeDeviceTree,
} from '../../../src/devices/deviceTree/index';

const L1I = { sets: 256, ways: 3, lineBytes: 64 };
const L1D = { sets: 256, ways: 2, lineBytes: 64 };
const facts: TreeFacts = {
  memoryBytes: 2 ** 30,
  cores: [0, 1].map((affinity) => ({ compatible: 'arm,cortex-a57', affinity, cluster: 0, l1i: L1I, l1d: L1D })),
  clusters: [{ sets: 2048, ways: 16, lineBytes: 64 }],
  gic: 2,
  virtualization: false,
  hostVirtualTimer: false,
  psci: 'hvc',
  dmaCoherent: true,
  virtioSlots: true,
  seed: 1,
};

function parsed(bytes: Uint8Array): DeviceTreeBlob {
  const result = readDeviceTree(bytes);
  assert.ok(!('problem' in result), 'problem' in result ? result.problem : '');
  return result;
}

const small: DeviceTreeBlob = {
  root: node(
    '',
    [cells('#address-cells', 2), flag('empty'), strings('names', 'a', 'bcd')],
    [node('x@1', [wide('reg', 0x1_0000_0002)], [node('deep', [])]), node('y', [flag('empty')])],
  ),
  reservations: [{ address: 0x8000_0000n, size: 0x1000n }],
  bootCpu: 3,
};

test('what is written is read back, padded or not', () => {
  assert.deepEqual(parsed(writeDeviceTree(small)), small);
  const padded = writeDeviceTree(small, 4096);
  assert.equal(padded.length, 4096);
  assert.equal(new DataView(padded.buffer).getUint32(4), 4096);
  assert.deepEqual(parsed(padded), small);
  assert.throws(() => writeDeviceTree(small, 64), /bug/);
  assert.deepEqual(parsed(writeDeviceTree(virtDeviceTree(facts), 2 ** 20)).root, virtDeviceTree(facts).root);
});

test('bytes that are no tree give one line each', () => {
  const good = writeDeviceTree(small);
  const changed = (at: number, word: number): Uint8Array => {
    const copy = good.slice();
    new DataView(copy.buffer).setUint32(at, word);
    return copy;
  };
  const structure = new DataView(good.buffer).getUint32(8);
  const problem = (bytes: Uint8Array): string => {
    const result = readDeviceTree(bytes);
    return 'problem' in result ? result.problem : 'none';
  };
  assert.match(problem(new Uint8Array(10)), /shorter than a header/);
  assert.match(problem(changed(0, 1)), /magic/);
  assert.match(problem(changed(4, 1 << 20)), /it says 1048576 bytes/);
  assert.match(problem(changed(8, 0xfffffff0)), /outside/);
  assert.match(problem(changed(20, 2)), /version 2/);
  assert.match(problem(changed(structure, 9)), /no root node/);
  assert.match(problem(changed(structure + 8, 7)), /unknown token 7/);
  assert.match(problem(changed(structure + 12, 0xffffffff)), /longer than the structure/);
  assert.match(problem(changed(structure + 16, 0xffff)), /name has no end/);
  const deep = Array.from({ length: 100 }).reduce<TreeNode>((inner) => node('n', [], [inner]), node('n'));
  assert.match(problem(writeDeviceTree({ ...small, root: deep })), /more than 64 deep/);
});

test('damaged trees never throw', () => {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(7);
  const good = writeDeviceTree(virtDeviceTree({ ...facts, virtioSlots: false }));
  for (let round = 0; round < 2000; round++) {
    const copy = good.slice(0, random.below(4) === 0 ? random.below(good.length) : good.length);
    for (let n = random.below(4); n >= 0; n--) copy[random.below(Math.max(copy.length, 1))] = random.below(256);
    const result = readDeviceTree(copy);
    assert.ok('problem' in result || 'root' in result);
  }
});

test("a user's tree gets bootargs, initrd and memory", () => {
  const user = parsed(writeDeviceTree(virtDeviceTree(facts)));
  const changed = withChosen(user, { bootargs: 'console=ttyAMA0', initrd: { start: 0x4800_0000, end: 0x4900_0000 } });
  const chosen = nodeAt(changed.root, '/chosen');
  assert.deepEqual(stringsOf(propertyOf(chosen, 'bootargs')), ['console=ttyAMA0']);
  assert.deepEqual(cellsOf(propertyOf(chosen, 'linux,initrd-end')), [0, 0x4900_0000]);
  assert.deepEqual(stringsOf(propertyOf(chosen, 'stdout-path')), ['/pl011@9000000']);
  const again = withChosen(changed, { bootargs: 'quiet' });
  assert.deepEqual(stringsOf(propertyOf(nodeAt(again.root, 'chosen'), 'bootargs')), ['quiet']);
  assert.equal(withChosen({ ...small }, { bootargs: 'x' }).root.children.at(-1)?.name, 'chosen');
  const memory = withMemory(user, 0x4000_0000, 3 * 2 ** 30).root.children.filter((c) => c.name.startsWith('memory'));
  assert.deepEqual(
    memory.map((m) => cellsOf(propertyOf(m, 'reg'))),
    [[0, 0x4000_0000, 0, 0xc000_0000]],
  );
});

test("each core's caches are in its node", () => {
  const mixed: TreeFacts = {
    ...facts,
    cores: [
      { ...facts.cores[0], l1i: { sets: 512, ways: 2, lineBytes: 32 } },
      { ...facts.cores[1], affinity: 0x100, cluster: 1 },
    ],
    clusters: [facts.clusters[0], null],
    psci: undefined,
    bootargs: 'x',
  };
  const { root } = virtDeviceTree(mixed);
  const value = (path: string, name: string): number[] => cellsOf(propertyOf(nodeAt(root, path), name));
  assert.deepEqual(value('/cpus/cpu@0', 'i-cache-size'), [32768]);
  assert.deepEqual(value('/cpus/cpu@0', 'i-cache-line-size'), [32]);
  assert.deepEqual(value('/cpus/cpu@100', 'i-cache-sets'), [256]);
  assert.deepEqual(value('/cpus/cpu@0', 'next-level-cache'), value('/cpus/l2-cache0', 'phandle'));
  assert.deepEqual(value('/cpus/l2-cache0', 'cache-size'), [2 * 2 ** 20]);
  assert.deepEqual(value('/cpus/cpu@100', 'next-level-cache'), []);
  assert.equal(propertyOf(nodeAt(root, '/cpus/cpu@0'), 'enable-method'), undefined);
  assert.equal(nodeAt(root, '/psci'), undefined);
  assert.deepEqual(value('/cpus/cpu-map/socket0/cluster1/core0', 'cpu'), value('/cpus/cpu@100', 'phandle'));
});

test("chance is as long as QEMU's, and the same for the same seed only", () => {
  const chance = (seed: number): number[][] => {
    const chosen = nodeAt(virtDeviceTree({ ...facts, seed }).root, '/chosen');
    return ['kaslr-seed', 'rng-seed'].map((name) => cellsOf(propertyOf(chosen, name)));
  };
  const [kaslr, rng] = chance(1);
  assert.deepEqual([kaslr.length, rng.length], [2, 8]);
  assert.equal(new Set([...kaslr, ...rng]).size, 10, 'no word twice');
  assert.deepEqual(chance(1), [kaslr, rng]);
  assert.ok(chance(2).every((words, i) => words.every((word, k) => word !== [kaslr, rng][i][k])));
});

const has = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0;

test('dtc accepts our tree', { skip: has('dtc') ? false : 'dtc is not installed' }, () => {
  const tree = writeDeviceTree(virtDeviceTree(facts), 2 ** 20);
  const run = spawnSync('dtc', ['-I', 'dtb', '-O', 'dts'], { input: tree, maxBuffer: 2 ** 24 });
  assert.equal(run.status, 0);
  // dtc finds fault with QEMU's names too: underscores and clusters of one socket.
  const errors = run.stderr
    .toString()
    .split('\n')
    .filter((line) => /ERROR|phandle|_cells/.test(line));
  assert.deepEqual(errors, []);
});

/** Properties in which we differ from QEMU on purpose: phandles are numbered differently, caches are ours. */
const ours = /^(phandle|interrupt-parent|clocks|gpios|cpu|next-level-cache|[id]-cache-.*)$/;
/** Nodes and properties of QEMU's tree that ours does not have, or has with other values; with the reason. */
const different: Readonly<Record<string, string>> = {
  '/platform-bus@c000000': 'for devices that are added while QEMU runs',
  '/pcie@10000000': 'there is no PCI host',
  '/intc@8000000/v2m@8020000': 'message-signalled interrupts are for PCI devices',
  '/chosen: rng-seed': 'chance, which follows from the seed here',
  '/chosen: kaslr-seed': 'chance, which follows from the seed here',
};

function differences(theirs: TreeNode, mine: TreeNode | undefined, path: string): string[] {
  if (mine === undefined) return [path];
  const names = new Set([...theirs.properties, ...mine.properties].map((property) => property.name));
  const wrong = [...names]
    .filter((name) => !ours.test(name))
    .filter(
      (name) =>
        Buffer.compare(propertyOf(theirs, name) ?? Buffer.from('-'), propertyOf(mine, name) ?? Buffer.from('-')) !== 0,
    )
    .map((name) => `${path}: ${name}`);
  const below = theirs.children.flatMap((child) =>
    differences(
      child,
      mine.children.find((c) => c.name === child.name),
      `${path}/${child.name}`,
    ),
  );
  return [...wrong, ...below];
}

/** Nodes of ours that QEMU's tree does not have. */
const additions = (theirs: TreeNode, mine: TreeNode, path = ''): string[] =>
  mine.children.flatMap((child) => {
    const same = theirs.children.find((c) => c.name === child.name);
    return same === undefined ? [`${path}/${child.name}`] : additions(same, child, `${path}/${child.name}`);
  });

const qemu = has('qemu-system-aarch64');
const boards: readonly (readonly [name: string, machine: string, facts: TreeFacts, only: RegExp])[] = [
  ['GICv2', 'gic-version=2', facts, /./],
  ['GICv2 with EL2', 'gic-version=2,virtualization=on', { ...facts, virtualization: true, psci: 'smc' }, /./],
  ['GICv3', 'gic-version=3,its=off', { ...facts, gic: 3 }, /^(?!.*v2m)/],
  [
    'GICv3 with EL2',
    'gic-version=3,its=off,virtualization=on',
    { ...facts, gic: 3, virtualization: true, psci: 'smc' },
    /^(?!.*v2m)/,
  ],
];
for (const [name, machine, board, only] of boards)
  test(`our tree is QEMU's but for what is listed: ${name}`, { skip: qemu ? false : 'QEMU is not installed' }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'elscope-'));
    try {
      const file = join(folder, 'virt.dtb');
      const options = [
        '-cpu',
        'cortex-a57',
        '-smp',
        '2',
        '-m',
        '1G',
        '-nodefaults',
        '-display',
        'none',
        '-net',
        'none',
      ];
      const run = spawnSync('qemu-system-aarch64', ['-M', `virt,${machine},dumpdtb=${file}`, ...options]);
      assert.equal(run.status, 0, run.stderr.toString());
      const theirs = parsed(readFileSync(file)).root;
      const mine = virtDeviceTree(board).root;
      const listed = Object.keys(different).filter((entry) => only.test(entry));
      assert.deepEqual(differences(theirs, mine, '').sort(), listed.sort());
      assert.deepEqual(additions(theirs, mine), ['/cpus/l2-cache0'], 'QEMU says nothing of caches');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
