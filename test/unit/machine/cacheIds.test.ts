/** The cache-ids sample reads every core's cache ID registers at EL1: what it prints is what the configuration says. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MachineConfig } from '../../../src/machine/config';
import { presetConfig, presets } from '../../../src/machine/presets';
import type { CacheGeometry } from '../../../src/memory/types';
import { sampleOn } from './samples';

const cache = (name: string, { sets, ways, lineBytes }: CacheGeometry): string =>
  `${name}: ${sets} sets, ${ways} ways, lines of ${lineBytes} bytes, ${(sets * ways * lineBytes) / 1024} KiB`;

function expected({ cores, clusters }: MachineConfig): string[] {
  const lines = cores.flatMap((core, i) => {
    const l2 = clusters[core.cluster];
    return [`core ${i}`, cache('L1I', core.l1i), cache('L1D', core.l1d), ...(l2 ? [cache('L2', l2)] : [])];
  });
  return [...lines, `cache-ids: ${cores.length} core${cores.length === 1 ? '' : 's'}`];
}

describe('cache ID registers, read by a guest', () => {
  for (const preset of Object.keys(presets))
    test(preset, () => {
      const { machine, text } = sampleOn('cache-ids', preset, presetConfig(preset).cores.length);
      assert.equal(machine.run(50_000_000).reason, 'exited');
      const lines = text()
        .trim()
        .split('\n')
        .map((line) => line.trim().replace(/ CCSIDR_EL1 0x\w+|: MIDR_EL1.*/, ''));
      assert.deepEqual(lines, expected(machine.config));
    });
});
