/** Every preset, cut and repeated, makes a machine whose ID registers say what its caches are. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { coreTypes, MAX_CORES, presetConfig, presetCores, presets } from '../../../src/machine/presets';
import type { CacheGeometry } from '../../../src/memory/types';
import { sampleOn } from './samples';

const names = Object.keys(presets);
const KiB = 1024;

test('the fixed names', () =>
  assert.deepEqual(names, [
    'cortex-a57',
    'cortex-a53',
    'cortex-a72',
    'neoverse-n1',
    'max',
    'vpipt',
    'pipt-vipt',
    'mixed-lines',
    'm2-like',
  ]));

const bytesOf = ({ sets, ways, lineBytes }: CacheGeometry): number => sets * ways * lineBytes;

test('geometry is whole', () => {
  for (const name of names)
    for (const { l1i, l1d, cluster } of presetConfig(name).cores)
      for (const cache of [l1i, l1d, presetConfig(name).clusters[cluster]])
        assert.ok(cache && Number.isInteger(Math.log2(cache.sets)), `${name}: ${JSON.stringify(cache)}`);
});

test('a preset is repeated or cut', () => {
  const types = (name: string, cpus: number): string[] => presetConfig(name, cpus).cores.map((core) => core.name);
  assert.deepEqual(types('pipt-vipt', 1), ['cortex-a57']);
  assert.deepEqual(types('pipt-vipt', 5), ['cortex-a57', 'cortex-a53', 'cortex-a57', 'cortex-a53', 'cortex-a57']);
  assert.equal(new Set(types('m2-like', 4)).size, 1, 'the efficiency cores come first');
  const clusters = (name: string, cpus: number): number[] => presetConfig(name, cpus).cores.map((core) => core.cluster);
  assert.deepEqual(clusters('cortex-a57', 4), [0, 0, 0, 0], 'cores of one kind share the L2');
  assert.deepEqual(clusters('neoverse-n1', 4), [0, 1, 2, 3], 'an L2 for each');
  assert.deepEqual(clusters('mixed-lines', 4), [0, 1, 0, 1]);
  assert.deepEqual(clusters('m2-like', 8), [0, 0, 0, 0, 1, 1, 1, 1]);
  for (const name of names)
    for (let cpus = 1; cpus <= MAX_CORES; cpus++) {
      const { cores, clusters: l2 } = presetCores(presets[name], cpus);
      assert.equal(cores.length, cpus);
      for (const { cluster } of cores) assert.ok(l2[cluster], `${name}, ${cpus} cores`);
    }
});

/** CCSIDR_EL1 as geometry. `wide` is FEAT_CCIDX's format. */
function sizeOf(ccsidr: bigint, wide: boolean): Omit<CacheGeometry, 'replacement'> {
  const field = (low: number, bits: number): number => Number((ccsidr >> BigInt(low)) & ((1n << BigInt(bits)) - 1n));
  return {
    lineBytes: 16 << field(0, 3),
    ways: (wide ? field(3, 21) : field(3, 10)) + 1,
    sets: (wide ? field(32, 24) : field(13, 15)) + 1,
  } as Omit<CacheGeometry, 'replacement'>;
}

describe('the ID registers of every preset say its geometry', () => {
  for (const name of names)
    test(name, () => {
      const { machine } = sampleOn('selfmod', name, presets[name].cores.length);
      for (const [index, core] of machine.config.cores.entries()) {
        const view = machine.cores[index];
        const ctr = Number(view.peekSystem('CTR_EL0'));
        const bits = (low: number, n: number): number => (ctr >>> low) & ((1 << n) - 1);
        assert.equal(bits(28, 1), Number(core.idc), 'IDC');
        assert.equal(bits(29, 1), Number(core.dic), 'DIC');
        assert.equal(bits(14, 2), { PIPT: 3, VIPT: 2, VPIPT: 0 }[core.l1i.policy], 'L1Ip');
        assert.equal(4 << bits(0, 4), core.l1i.lineBytes, 'IminLine');
        const l2 = machine.config.clusters[core.cluster];
        assert.equal(4 << bits(16, 4), Math.min(core.l1d.lineBytes, l2?.lineBytes ?? 256), 'DminLine');
        assert.equal(view.peekSystem('MIDR_EL1'), BigInt(core.midr));
        const caches = [
          [0, core.l1d],
          [1, core.l1i],
          [2, l2],
        ] as const;
        for (const [selector, geometry] of caches) {
          const value = view.peekCacheSize?.(selector);
          if (value === undefined || !geometry) continue;
          const { sets, ways, lineBytes } = geometry;
          assert.deepEqual(
            sizeOf(value, core.features.has('FEAT_CCIDX')),
            { lineBytes, ways, sets },
            `selector ${selector}`,
          );
        }
      }
    });
});

test('the published sizes', () => {
  const kib = (name: keyof typeof coreTypes): number[] =>
    [coreTypes[name].l1i, coreTypes[name].l1d].map((cache) => bytesOf(cache) / KiB);
  assert.deepEqual(kib('cortex-a53'), [32, 32]);
  assert.deepEqual(kib('cortex-a57'), [48, 32]);
  assert.deepEqual(kib('cortex-a72'), [48, 32]);
  assert.deepEqual(kib('neoverse-n1'), [64, 64]);
  assert.deepEqual(kib('m2-efficiency'), [128, 64]);
  assert.deepEqual(kib('m2-performance'), [192, 128]);
});

test('m2-like has the CCSIDR_EL1 values that were reported of such a machine', () => {
  const { machine } = sampleOn('selfmod', 'm2-like', 8);
  const values = (core: number): (bigint | undefined)[] =>
    [0, 1, 2].map((selector) => machine.cores[core].peekCacheSize?.(selector));
  assert.deepEqual(values(0), [0x700fe03an, 0x203fe01an, 0x70ffe07bn]);
  assert.deepEqual(values(7), [0x701fe03an, 0x203fe02an, 0x73ffe07bn]);
});
