import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rig } from './rig';

type Setup = Readonly<Record<string, number>>;

function machine(highestEl: 1 | 2 | 3, el: number, setup: Setup = {}, cores = 1): Rig {
  const rig = new Rig({ highestEl }, {}, cores);
  if (highestEl === 3 && !('SCR_EL3.NS' in setup)) rig.set('SCR_EL3.NS', 1);
  for (const [field, value] of Object.entries(setup)) rig.set(field, value);
  return rig.at(el);
}

function outcome(rig: Rig, name: string): string {
  if (rig.sys(name, 0x1000n)) return 'ok';
  return rig.ec === 0 ? 'undefined' : rig.ec === 0x18 ? `EL${rig.cpu.state.el}` : `EC ${rig.ec}`;
}

const UCI = { 'SCTLR_EL1.UCI': 1 };
const TGE = { 'HCR_EL2.TGE': 1 };
const hcr = (...bits: string[]): Setup => Object.fromEntries(bits.map((b) => [`HCR_EL2.${b}`, 1]));

const rows: readonly [1 | 2 | 3, number, Setup, string, string][] = [
  [1, 0, {}, 'DC CVAU', 'EL1'],
  [1, 0, UCI, 'DC CVAU', 'ok'],
  [2, 0, TGE, 'DC CVAU', 'EL2'],
  [2, 0, { ...hcr('TPU') }, 'DC CVAU', 'EL1'],
  [2, 0, { ...hcr('TPU'), ...UCI }, 'DC CVAU', 'EL2'],
  [2, 0, { ...hcr('TPCP'), ...UCI }, 'DC CVAU', 'ok'],
  [2, 0, { ...hcr('TPCP'), ...UCI }, 'DC CIVAC', 'EL2'],
  [2, 1, hcr('TPU'), 'IC IVAU', 'EL2'],
  [2, 1, hcr('TPU'), 'IC IALLU', 'EL2'],
  [2, 1, hcr('TPU'), 'IC IALLUIS', 'EL2'],
  [2, 2, hcr('TPU', 'TPCP', 'TSW', 'TTLB'), 'IC IALLU', 'ok'],
  [1, 0, UCI, 'IC IALLU', 'undefined'],
  [1, 0, UCI, 'DC IVAC', 'undefined'],
  [1, 0, UCI, 'DC CISW', 'undefined'],
  [2, 1, hcr('TSW'), 'DC CISW', 'EL2'],
  [2, 1, hcr('TPCP'), 'DC IVAC', 'EL2'],
  [1, 0, {}, 'DC ZVA', 'EL1'],
  [1, 0, { 'SCTLR_EL1.DZE': 1 }, 'DC ZVA', 'ok'],
  [2, 1, hcr('TDZ'), 'DC ZVA', 'EL2'],
  [2, 2, hcr('TDZ'), 'DC ZVA', 'ok'],
  [1, 1, {}, 'DC CVAP', 'undefined'],
  [2, 1, hcr('TTLB'), 'TLBI VMALLE1', 'EL2'],
  [2, 1, hcr('TTLB'), 'TLBI VAE1IS', 'EL2'],
  [2, 1, {}, 'TLBI ALLE1', 'undefined'],
  [2, 1, {}, 'TLBI VAE2', 'undefined'],
  [2, 2, {}, 'TLBI VAE2', 'ok'],
  [2, 2, {}, 'TLBI ALLE3', 'undefined'],
  [3, 3, {}, 'TLBI ALLE3', 'ok'],
  [3, 3, { 'SCR_EL3.NS': 0 }, 'TLBI ALLE2', 'undefined'],
  [3, 3, {}, 'TLBI ALLE2', 'ok'],
  [1, 1, {}, 'TLBI VMALLE1OS', 'undefined'],
  [1, 1, {}, 'AT S1E1R', 'ok'],
  [1, 0, {}, 'AT S1E0R', 'undefined'],
  [2, 1, {}, 'AT S12E1R', 'undefined'],
  [2, 2, {}, 'AT S12E1R', 'ok'],
  [1, 1, {}, 'AT S1E1RP', 'undefined'],
];

for (const [highestEl, el, setup, name, expected] of rows) {
  test(`${name} at EL${el} of ${highestEl} ${JSON.stringify(setup)}: ${expected}`, () => {
    assert.equal(outcome(machine(highestEl, el, setup), name), expected);
  });
}

test('HCR_EL2 turns what EL1 executes into something stronger', () => {
  const done = (setup: Setup, name: string, el = 1): string => {
    const rig = machine(2, el, setup);
    rig.sys(name);
    return rig.maintained[0].name;
  };
  assert.equal(done({}, 'DC ISW'), 'DC ISW');
  for (const bit of ['SWIO', 'VM', 'DC']) assert.equal(done(hcr(bit), 'DC ISW'), 'DC CISW', bit);
  assert.equal(done(hcr('SWIO'), 'DC ISW', 2), 'DC ISW');
  assert.equal(done(hcr('SWIO'), 'DC IVAC'), 'DC IVAC');
  for (const bit of ['VM', 'DC']) assert.equal(done(hcr(bit), 'DC IVAC'), 'DC CIVAC', bit);
  assert.equal(done({}, 'IC IALLU'), 'IC IALLU');
  assert.equal(done(hcr('FB'), 'IC IALLU'), 'IC IALLUIS');
  assert.equal(done(hcr('FB'), 'IC IALLU', 2), 'IC IALLU');
});

test('TLBI reaches this core, or all of them for the IS forms and under HCR_EL2.FB', () => {
  const reached = (setup: Setup, name: string): string[] => {
    const rig = machine(2, 1, setup, 3);
    rig.sys(name, 0x1234n);
    return rig.tlbis.map((t) => `${t.core} ${t.name}`);
  };
  assert.deepEqual(reached({}, 'TLBI VAE1'), ['0 TLBI VAE1']);
  const all = (name: string): string[] => [0, 1, 2].map((core) => `${core} ${name}`);
  assert.deepEqual(reached({}, 'TLBI VAE1IS'), all('TLBI VAE1IS'));
  assert.deepEqual(reached(hcr('FB'), 'TLBI VAE1'), all('TLBI VAE1IS'));
});

test('a fault of the memory system is a data abort', () => {
  const rig = machine(1, 1).pc(0x4000_0000);
  rig.memoryFails = true;
  rig.fault = { ...rig.fault, kind: 'translation', level: 3, cacheMaintenance: true };
  rig.faultLo = 0x5000;
  assert.equal(rig.sys('DC CVAC', 0x5000n), false);
  assert.deepEqual([rig.ec, rig.iss], [0x25, 0x147]);
  assert.equal(rig.peek('FAR_EL1'), 0x5000n);
});

test('AT writes PAR_EL1; an external abort on its walk is taken', () => {
  const rig = machine(1, 1);
  assert.ok(rig.sys('AT S1E1R', 0x5000n));
  assert.equal(rig.peek('PAR_EL1'), 0x1234_5678_9abc_d000n);
  rig.walkFails = true;
  rig.fault = { ...rig.fault, kind: 'externalWalk', level: 2, cacheMaintenance: true };
  assert.equal(rig.sys('AT S1E1R', 0xffff_0000_0000_7000n), false);
  assert.deepEqual([rig.ec, rig.iss], [0x25, 0x156]);
  assert.equal(rig.peek('FAR_EL1'), 0xffff_0000_0000_7000n);
});
