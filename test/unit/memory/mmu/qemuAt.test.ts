import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { EC } from '../../../../src/arch/syndromes/index';
import { operationByName } from '../../../../src/arch/sysops/index';
import { byName } from '../../../../src/arch/sysregs/index';
import { Mmu } from '../../../../src/memory/mmu/index';
import type { TranslatorPort } from '../../../../src/memory/translator';
import { coreOf, Rig } from '../../cpu/rig';
import type { AtFixture, AtRecord } from './makeAtFixtures';

const RAM = [0x4000_0000, 0x8000_0000] as const;
const operations = { 1: ['S1E1R', 'S1E1W', 'S1E0R', 'S1E0W'], 2: ['S1E2R', 'S1E2W'] } as const;
/** What the recording program prints for an exception: this and ESR_EL3. */
const EXCEPTION = 0xeeee_eeee_0000_0000n;

/**
 * A known difference: QEMU 7.2 reports the descriptor's SH for Device and Non-cacheable memory, where the manual's PAR_EL1 has
 * Outer Shareable.
 */
function expected(par: bigint): bigint {
  const attribute = par >> 56n;
  const alwaysOuter = (par & 1n) === 0n && (attribute >> 4n === 0n || attribute === 0x44n);
  return alwaysOuter ? (par & ~0x180n) | 0x100n : par;
}

const low = (v: bigint): number => Number(v & 0xffff_ffffn);
const high = (v: bigint): number => Number((v >> 32n) & 0xffff_ffffn);

/** Memory of one record: its descriptors, zeros in the rest of RAM, nothing outside. */
function portOf(record: AtRecord): TranslatorPort {
  const memory = new Map(record.memory.map(([at, value]) => [Number(at), BigInt(value)]));
  const read = { lo: 0, hi: 0 };
  return {
    walkRead(_core, pa) {
      if (pa < RAM[0] || pa >= RAM[1]) return false;
      const value = memory.get(pa) ?? 0n;
      read.lo = low(value);
      read.hi = high(value);
      return true;
    },
    get walkLo() {
      return read.lo;
    },
    get walkHi() {
      return read.hi;
    },
    walkWrite: () => false,
    dropTranslations: () => {},
    penalty: () => {},
  };
}

/** PAR_EL1 values, or exceptions as the recording program prints them. */
function ours(rig: Rig, record: AtRecord): bigint[] {
  const { regime } = record;
  const put = (name: string, value: string): void =>
    rig.cpu.state.store(byName(`${name}_EL${regime}`), high(BigInt(value)), low(BigInt(value)));
  put('SCTLR', record.sctlr);
  put('TCR', record.tcr);
  put('MAIR', record.mair);
  put('TTBR0', record.ttbr0);
  if (regime === 1) put('TTBR1', record.ttbr1);
  rig.cpu.contextChanged();
  const mmu = new Mmu({ cores: [{ tlb: { sets: 16, ways: 2 } }], cost: { walkStep: 0 } }, portOf(record));
  const va = BigInt(record.va);
  return operations[regime].map((name) => {
    const row = operationByName(`AT ${name}`)!;
    if (mmu.at(0, row, high(va), low(va), rig.cpu.contexts.regime(regime), 3))
      return (BigInt(mmu.parHi) << 32n) | BigInt(mmu.parLo);
    rig.fault = mmu.fault;
    rig.at(3);
    rig.cpu.abort();
    assert.equal(rig.ec, EC.DATA_ABORT_SAME);
    return EXCEPTION | BigInt(rig.last.esr);
  });
}

for (const core of ['neoverse-n1', 'cortex-a57'] as const) {
  const file = path.join(import.meta.dirname, '../../../fixtures/mmu', `at-${core}.json`);
  const fixture = JSON.parse(readFileSync(file, 'utf8')) as AtFixture;
  test(`${core}: ${fixture.records.length} random walks give what QEMU gave`, () => {
    const rig = new Rig({ highestEl: 3, ...coreOf(core) });
    rig.set('SCR_EL3.NS', 1);
    rig.at(3);
    const hex = (v: bigint): string => `0x${v.toString(16).padStart(16, '0')}`;
    const differences: string[] = [];
    for (const [n, record] of fixture.records.entries()) {
      for (const [i, par] of ours(rig, record).entries()) {
        const theirs = expected(BigInt(record.par[i]));
        if (par !== theirs)
          differences.push(`${n} ${operations[record.regime][i]}: ${hex(par)} instead of ${hex(theirs)}`);
      }
    }
    assert.deepEqual(differences, []);
  });
}
