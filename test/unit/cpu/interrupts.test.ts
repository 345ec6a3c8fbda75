import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExceptionType } from '../../../src/cpu/index';
import { Rig } from './rig';

const A = 0x100;
const I = 0x80;
const F = 0x40;
const names = { irq: I, fiq: F, serror: A } as const;
type Kind = keyof typeof names;

const lines: Record<Kind, (rig: Rig, level: boolean) => void> = {
  irq: (rig, level) => rig.cpu.setIrq(level),
  fiq: (rig, level) => rig.cpu.setFiq(level),
  serror: (rig, level) => rig.cpu.setSError(level),
};
const types = { irq: ExceptionType.Irq, fiq: ExceptionType.Fiq, serror: ExceptionType.SError } as const;
const scr: Record<Kind, string> = { irq: 'SCR_EL3.IRQ', fiq: 'SCR_EL3.FIQ', serror: 'SCR_EL3.EA' };
const hcr: Record<Kind, string> = { irq: 'HCR_EL2.IMO', fiq: 'HCR_EL2.FMO', serror: 'HCR_EL2.AMO' };
const virtual: Record<Kind, string> = { irq: 'HCR_EL2.VI', fiq: 'HCR_EL2.VF', serror: 'HCR_EL2.VSE' };

/**
 * The manual's routing and masking table. Columns EL0 … EL3: the target level, in upper case letter `t` if the mask bit does
 * not matter ('A' column of the manual), or '-' if it stays pending whatever the mask ('C').
 * Rows: highest EL, SCR_EL3.{NS, route}, HCR_EL2.{TGE, xMO}.
 */
const table: readonly [highest: 1 | 2 | 3, ns: number, route: number, tge: number, mo: number, ...targets: string[]][] =
  [
    [1, 1, 0, 0, 0, '1', '1'],
    [2, 1, 0, 0, 0, '1', '1', '-'],
    [2, 1, 0, 0, 1, '2t', '2t', '2'],
    [2, 1, 0, 1, 0, '2t', '2t', '2'],
    [2, 1, 0, 1, 1, '2t', '2t', '2'],
    [3, 1, 0, 0, 0, '1', '1', '-', '-'],
    [3, 1, 0, 0, 1, '2t', '2t', '2', '-'],
    [3, 1, 0, 1, 0, '2t', '2t', '2', '-'],
    [3, 1, 1, 0, 0, '3t', '3t', '3t', '3'],
    [3, 1, 1, 0, 1, '3t', '3t', '3t', '3'],
    [3, 1, 1, 1, 1, '3t', '3t', '3t', '3'],
    // Secure: EL2 is not there, whatever HCR_EL2 says.
    [3, 0, 0, 0, 0, '1', '1', '', '-'],
    [3, 0, 0, 1, 1, '1', '1', '', '-'],
    [3, 0, 1, 1, 1, '3t', '3t', '', '3'],
  ];

for (const kind of Object.keys(names) as Kind[]) {
  test(`physical ${kind}: routing and masking by the manual's table`, () => {
    for (const [highestEl, ns, route, tge, mo, ...targets] of table) {
      for (const [el, expected] of targets.entries()) {
        if (expected === '') continue;
        for (const masked of [false, true]) {
          const rig = new Rig({ highestEl });
          if (highestEl === 3) {
            rig.set('SCR_EL3.NS', ns);
            rig.set(scr[kind], route);
          }
          if (highestEl >= 2) {
            rig.set('HCR_EL2.TGE', tge);
            rig.set(hcr[kind], mo);
          }
          rig.at(el, 1, masked ? names[kind] : 0x3c0 & ~names[kind]);
          lines[kind](rig, true);
          const what = `highest ${highestEl} NS ${ns} route ${route} TGE ${tge} MO ${mo} EL${el} masked ${masked}`;
          const taken = expected !== '-' && (!masked || expected.endsWith('t'));
          assert.equal(rig.cpu.interruptPending(), taken, what);
          assert.equal(rig.cpu.takeInterrupt(), taken ? 1 : 0, what);
          if (!taken) continue;
          assert.equal(rig.cpu.state.el, Number(expected[0]), what);
          assert.equal(rig.last.type, types[kind], what);
        }
      }
    }
  });

  test(`virtual ${kind}: taken to EL1 where HCR_EL2 routes the physical one to EL2`, () => {
    const cases: readonly [tge: number, mo: number, v: number, el: number, masked: boolean, taken: boolean][] = [
      [0, 1, 1, 0, false, true],
      [0, 1, 1, 1, false, true],
      [0, 1, 1, 1, true, false],
      [0, 1, 1, 0, true, false],
      [0, 1, 1, 2, false, false],
      [0, 0, 1, 1, false, false],
      [0, 1, 0, 1, false, false],
      [1, 1, 1, 0, false, false],
    ];
    for (const [tge, mo, v, el, masked, taken] of cases) {
      const rig = new Rig({ highestEl: 2 });
      rig.set('HCR_EL2.TGE', tge);
      rig.set(hcr[kind], mo);
      rig.set(virtual[kind], v);
      rig.at(el, 1, masked ? names[kind] : 0);
      const what = JSON.stringify([tge, mo, v, el, masked]);
      assert.equal(rig.cpu.interruptPending(), taken, what);
      if (!taken) continue;
      rig.cpu.takeInterrupt();
      assert.equal(rig.cpu.state.el, 1, what);
      assert.equal(rig.last.type, types[kind]);
    }
  });
}

test('a virtual SError clears HCR_EL2.VSE, a virtual IRQ stays', () => {
  const rig = new Rig({ highestEl: 2 });
  for (const f of ['AMO', 'IMO', 'VSE', 'VI']) rig.set(`HCR_EL2.${f}`, 1);
  rig.at(1, 1, I | F);
  assert.equal(rig.cpu.takeInterrupt(), 1);
  assert.equal(rig.last.type, ExceptionType.SError);
  assert.equal(rig.peek('HCR_EL2') & 0x1c0n, 0x80n);
});

test('vector offsets: current level with SP_EL0 or SP_ELx, and lower level; SPSR, ELR, masks', () => {
  const offsets = [
    [1, 0, 0x080],
    [1, 1, 0x280],
    [0, 0, 0x480],
  ] as const;
  for (const [el, spsel, offset] of offsets) {
    const rig = new Rig({ highestEl: 1 });
    rig.poke('VBAR_EL1', 0xffff_8000_1000_0000n);
    rig.at(el, spsel, 0x200).pc(0x1234_5678);
    rig.cpu.state.nzcv = 0x6000_0000;
    rig.cpu.setIrq(true);
    rig.cpu.takeInterrupt();
    assert.deepEqual([rig.cpu.state.pcHi, rig.cpu.state.pcLo], [0xffff_8000, 0x1000_0000 + offset]);
    assert.equal(rig.peek('SPSR_EL1'), BigInt(0x6000_0200 | (el << 2) | spsel));
    assert.equal(rig.peek('ELR_EL1'), 0x1234_5678n);
    assert.equal(rig.cpu.pstate(), 0x6000_03c5n);
    assert.equal(rig.peek('ESR_EL1'), 0n, 'IRQ leaves ESR alone');
  }
});

test('SError writes ESR; its input is an event', () => {
  const rig = new Rig({ highestEl: 1 }).at(1, 1, 0);
  rig.cpu.setSError(true);
  rig.cpu.takeInterrupt();
  assert.equal(rig.peek('ESR_EL1'), 0xbe00_0000n);
  rig.at(1, 1, 0);
  assert.equal(rig.cpu.interruptPending(), false);
});

test('ISR_EL1 shows virtual interrupts at EL1 for those routed to EL2', () => {
  const rig = new Rig({ highestEl: 2 });
  rig.set('HCR_EL2.IMO', 1);
  rig.set('HCR_EL2.VI', 1);
  rig.cpu.setFiq(true);
  assert.equal(rig.at(1).mrs('ISR_EL1'), 0xc0n);
  assert.equal(rig.at(2).mrs('ISR_EL1'), 0x40n);
  rig.set('HCR_EL2.VI', 0);
  rig.cpu.setIrq(true);
  assert.equal(rig.at(1).mrs('ISR_EL1'), 0x40n, 'the physical IRQ is not EL1 business');
  assert.equal(rig.at(2).mrs('ISR_EL1'), 0xc0n);
});

test('what may make an interrupt deliverable asks the engine to leave', () => {
  const rig = new Rig({ highestEl: 2 }).at(1);
  const exit = (): number => {
    const value = rig.cpu.state.get('pendingExit');
    rig.cpu.state.set('pendingExit', 0);
    return value;
  };
  rig.cpu.setIrq(true);
  assert.equal(exit(), 0, 'masked');
  rig.cpu.msrImmediate(3, 7, 2);
  assert.equal(exit(), 1, 'DAIFClr');
  rig.cpu.msrImmediate(3, 6, 15);
  assert.equal(exit(), 0, 'DAIFSet');
  rig.msr('DAIF', 0n);
  assert.equal(exit(), 1, 'MSR DAIF');
  rig.at(2).cpu.state.set('pendingExit', 0);
  rig.cpu.setIrq(false);
  rig.set('HCR_EL2.IMO', 1);
  rig.at(2, 1, 0).cpu.state.set('pendingExit', 0);
  rig.cpu.setIrq(true);
  assert.equal(exit(), 1, 'the line itself');
});
