/** The Non-secure view of a GICv2 with the Security Extensions: group 1 only, priorities in the lower half. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GicCpuInterface } from '../../../src/devices/gicCpuInterface';
import { GicDistributor } from '../../../src/devices/gicDistributor';
import { GicV2 } from '../../../src/devices/gicv2';

const GICD = { CTLR: 0, TYPER: 4, IGROUPR: 0x84, ISENABLER: 0x104, ISPENDR: 0x204 };
const GICC = { CTLR: 0, PMR: 4, BPR: 8, IAR: 0xc, EOIR: 0x10, RPR: 0x14, ABPR: 0x1c };

function setup() {
  let secure = true;
  let irq = false;
  const lines = { setIrq: (_core: number, on: boolean) => void (irq = on), setFiq: () => {}, setVirtual: () => {} };
  const gic = new GicV2(1, 64, lines, () => !secure);
  const d = new GicDistributor(0, gic);
  const c = new GicCpuInterface(0, gic);
  return {
    as: (state: 'secure' | 'nonSecure') => void (secure = state === 'secure'),
    d: (offset: number, value?: number) => (value === undefined ? d.read(offset, 4, 0) : d.write(offset, 4, value, 0)),
    c: (offset: number, value?: number) => (value === undefined ? c.read(offset, 4, 0) : c.write(offset, 4, value, 0)),
    priority: (id: number, value?: number) =>
      value === undefined ? d.read(0x400 + id, 1, 0) : d.write(0x400 + id, 1, value, 0),
    irq: () => irq,
  };
}

test('the type register says that Security Extensions are there', () => {
  assert.equal(Number(setup().d(GICD.TYPER)) & 0x400, 0x400);
});

test('Non-secure software sees group 1 interrupts only, and cannot change groups', () => {
  const g = setup();
  g.d(GICD.IGROUPR, 0x2); // interrupt 33
  g.d(GICD.ISENABLER, 0x1); // interrupt 32, group 0
  g.as('nonSecure');
  assert.equal(g.d(GICD.ISENABLER), 0);
  g.d(GICD.ISENABLER, 0x3);
  assert.equal(g.d(GICD.ISENABLER), 0x2);
  assert.equal(g.d(GICD.IGROUPR), 0);
  g.d(GICD.IGROUPR, 0xffff);
  g.as('secure');
  assert.equal(g.d(GICD.IGROUPR), 0x2);
  assert.equal(g.d(GICD.ISENABLER), 0x3);
});

test('Non-secure priorities are the lower half of the range', () => {
  const g = setup();
  g.d(GICD.IGROUPR, 0x2);
  g.as('nonSecure');
  g.priority(33, 0x40);
  assert.equal(g.priority(33), 0x40);
  g.priority(32, 0x40);
  g.as('secure');
  assert.equal(g.priority(33), 0xa0);
  assert.equal(g.priority(32), 0);
});

test('the priority mask: Non-secure writes count in the lower half only, and not over a Secure mask', () => {
  const g = setup();
  g.as('nonSecure');
  g.c(GICC.PMR, 0xff);
  assert.equal(g.c(GICC.PMR), 0, 'the mask is in the upper half after reset');
  g.as('secure');
  g.c(GICC.PMR, 0xff);
  g.as('nonSecure');
  g.c(GICC.PMR, 0x20);
  assert.equal(g.c(GICC.PMR), 0x20);
  g.as('secure');
  assert.equal(g.c(GICC.PMR), 0x90);
});

test('a group 1 interrupt is enabled, signalled, acknowledged and ended from Non-secure state', () => {
  const g = setup();
  g.d(GICD.IGROUPR, 0x2);
  g.c(GICC.PMR, 0xff);
  g.as('nonSecure');
  g.d(GICD.CTLR, 1);
  g.c(GICC.CTLR, 1);
  g.priority(33, 0x10);
  g.d(GICD.ISENABLER, 0x2);
  g.d(GICD.ISPENDR, 0x2);
  assert.equal(g.irq(), true);
  assert.equal(g.c(GICC.IAR), 33);
  assert.equal(g.c(GICC.RPR), 0x10);
  assert.equal(g.irq(), false);
  g.c(GICC.EOIR, 33);
  assert.equal(g.c(GICC.RPR), 0xff);
  g.as('secure');
  assert.equal(g.d(GICD.CTLR), 2, 'EnableGrp1');
  assert.equal(g.c(GICC.CTLR), 2);
});

test('a pending group 0 interrupt is 1023 to Non-secure software', () => {
  const g = setup();
  g.c(GICC.PMR, 0xff);
  g.d(GICD.CTLR, 3);
  g.c(GICC.CTLR, 3);
  g.d(GICD.ISENABLER, 0x1);
  g.d(GICD.ISPENDR, 0x1);
  g.as('nonSecure');
  assert.equal(g.c(GICC.IAR), 1023);
  g.as('secure');
  assert.equal(g.c(GICC.IAR), 32);
});

test('the binary point is the aliased one', () => {
  const g = setup();
  g.as('nonSecure');
  g.c(GICC.BPR, 5);
  assert.equal(g.c(GICC.BPR), 5);
  assert.equal(g.c(GICC.ABPR), 0);
  g.as('secure');
  assert.equal(g.c(GICC.ABPR), 5);
  assert.equal(g.c(GICC.BPR), 0);
});
