/** Who takes floating-point instructions, with which syndrome; and FPCR and FPSR, which are trapped with them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rig } from './rig';

const PC = 0x4000_1000;
const FP_ISS = 0x1e0_0000;
type Setup = Readonly<Record<string, number>>;

const OFF: Setup = { 'CPACR_EL1.FPEN': 0 };
const EL0_OFF: Setup = { 'CPACR_EL1.FPEN': 1 };
const ON: Setup = { 'CPACR_EL1.FPEN': 3 };
const TFP2: Setup = { 'CPTR_EL2.TFP': 1 };
const TFP3: Setup = { 'CPTR_EL3.TFP': 1 };
const SECURE: Setup = { 'SCR_EL3.NS': 0 };
const TGE: Setup = { 'HCR_EL2.TGE': 1 };

/** Highest level, level, setup -> target and class, or undefined: they execute. */
const rows: readonly [1 | 2 | 3, number, Setup, readonly [target: number, ec: number] | undefined][] = [
  [1, 0, OFF, [1, 7]],
  [1, 1, OFF, [1, 7]],
  [1, 0, EL0_OFF, [1, 7]],
  [1, 1, EL0_OFF, undefined],
  [1, 0, { 'CPACR_EL1.FPEN': 2 }, [1, 7]],
  [1, 1, { 'CPACR_EL1.FPEN': 2 }, [1, 7]],
  [1, 0, ON, undefined],
  [1, 1, ON, undefined],
  [2, 2, OFF, undefined],
  [2, 1, { ...ON, ...TFP2 }, [2, 7]],
  [2, 0, { ...ON, ...TFP2 }, [2, 7]],
  [2, 2, TFP2, [2, 7]],
  [2, 1, { ...OFF, ...TFP2 }, [1, 7]],
  [2, 0, { ...OFF, ...TGE }, [2, 0]],
  [2, 0, { ...ON, ...TGE }, undefined],
  [3, 1, { ...ON, ...TFP2, ...SECURE }, undefined],
  [3, 1, { ...ON, ...TFP3 }, [3, 7]],
  [3, 2, TFP3, [3, 7]],
  [3, 3, TFP3, [3, 7]],
  [3, 3, { ...OFF, ...TFP2 }, undefined],
  [3, 2, { ...TFP2, ...TFP3 }, [2, 7]],
  [3, 0, { ...OFF, ...TFP3 }, [1, 7]],
  [3, 0, { ...EL0_OFF, ...SECURE }, [1, 7]],
];

for (const [highestEl, el, setup, expected] of rows)
  test(`EL${el} of ${highestEl} with ${JSON.stringify(setup)}: ${expected ? `EL${expected[0]}` : 'no trap'}`, () => {
    const rig = new Rig({ highestEl });
    if (highestEl === 3) rig.set('SCR_EL3.NS', 1);
    for (const [field, value] of Object.entries(setup)) rig.set(field, value);
    rig.at(el).pc(PC);
    assert.equal(rig.cpu.state.get('fpTrap') !== 0, expected !== undefined);
    const read = rig.mrs('FPCR');
    if (!expected) {
      assert.equal(read, 0n);
      assert.ok(rig.msr('FPSR', 1n));
      return;
    }
    const [target, ec] = expected;
    assert.equal(read, undefined);
    assert.deepEqual([rig.cpu.state.el, rig.ec, rig.iss], [target, ec, ec === 7 ? FP_ISS : 0]);
    assert.equal(rig.last.elrLo, PC);
    rig.at(el).pc(PC);
    assert.equal(rig.cpu.fpAccess(), 1);
    assert.deepEqual([rig.cpu.state.el, rig.ec, rig.iss], [target, ec, ec === 7 ? FP_ISS : 0]);
  });

test('under HCR_EL2.E2H, CPTR_EL2 is laid out as CPACR_EL1 and counts instead of it in the host', () => {
  const rig = new Rig({ highestEl: 2 });
  const trapAt = (el: number, cptr: bigint, tge: number, cpacr = 3): number => {
    rig.poke('CPTR_EL2', cptr << 20n);
    rig.poke('HCR_EL2', (1n << 34n) | (1n << 31n) | (BigInt(tge) << 27n));
    rig.set('CPACR_EL1.FPEN', cpacr);
    return rig.at(el).cpu.state.get('fpTrap');
  };
  assert.deepEqual(
    [0, 1, 2, 3].map((v) => trapAt(2, BigInt(v), 1)),
    [2, 0, 2, 0],
  );
  assert.deepEqual(
    [0, 1, 2, 3].map((v) => trapAt(0, BigInt(v), 1, 0)),
    [2, 2, 2, 0],
  );
  assert.deepEqual(
    [0, 1, 2, 3].map((v) => trapAt(0, BigInt(v), 0)),
    [2, 0, 2, 0],
  );
  assert.deepEqual(
    [0, 1, 2, 3].map((v) => trapAt(1, BigInt(v), 0)),
    [2, 0, 2, 0],
  );
  assert.equal(trapAt(1, 3n, 0, 0), 1);
});

test('a change of level and a write of a control bit are seen at once', () => {
  const rig = new Rig({ highestEl: 1 });
  assert.equal(rig.cpu.state.get('fpTrap'), 1, 'trapped after reset');
  rig.at(1);
  assert.ok(rig.msr('CPACR_EL1', 1n << 20n));
  assert.equal(rig.cpu.state.get('fpTrap'), 0);
  rig.at(0);
  assert.equal(rig.cpu.state.get('fpTrap'), 1);
});

test('FPCR and FPSR keep what is not reserved', () => {
  const rig = new Rig({ highestEl: 1 });
  rig.set('CPACR_EL1.FPEN', 3);
  rig.at(0);
  const all = (1n << 64n) - 1n;
  assert.ok(rig.msr('FPCR', all));
  assert.equal(rig.mrs('FPCR'), 0x07f7_0000n);
  assert.ok(rig.msr('FPSR', all));
  assert.equal(rig.mrs('FPSR'), 0x0800_009fn);
});
