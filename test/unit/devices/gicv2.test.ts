/** The interrupt controller, through its registers only. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GicCpuInterface } from '../../../src/devices/gicCpuInterface';
import { GicDistributor } from '../../../src/devices/gicDistributor';
import { GicV2 } from '../../../src/devices/gicv2';
import { FakeCoreLines } from './fakes';

const D = {
  CTLR: 0,
  TYPER: 4,
  GROUP: 0x80,
  ISEN: 0x100,
  ICEN: 0x180,
  ISPEND: 0x200,
  ICPEND: 0x280,
  ISACT: 0x300,
  PRI: 0x400,
  TGT: 0x800,
  CFG: 0xc00,
  SGIR: 0xf00,
  CPSGI: 0xf10,
  SPSGI: 0xf20,
};
const C = {
  CTLR: 0,
  PMR: 4,
  BPR: 8,
  IAR: 0xc,
  EOIR: 0x10,
  RPR: 0x14,
  HPPIR: 0x18,
  AIAR: 0x20,
  AEOIR: 0x24,
  APR: 0xd0,
  DIR: 0x1000,
};
const SPURIOUS = 1023;

class Bench {
  readonly lines = new FakeCoreLines();
  readonly gic: GicV2;
  private readonly distributor: GicDistributor;
  private readonly cpu: GicCpuInterface;

  constructor(cores = 2) {
    this.gic = new GicV2(cores, 288, this.lines);
    this.distributor = new GicDistributor(0x0800_0000, this.gic);
    this.cpu = new GicCpuInterface(0x0801_0000, this.gic);
  }
  d(offset: number, value: number, size = 4, core = 0): void {
    this.distributor.write(offset, size, value, core);
  }
  dr(offset: number, size = 4, core = 0): number {
    return this.distributor.read(offset, size, core);
  }
  c(offset: number, value: number, core = 0): void {
    this.cpu.write(offset, 4, value, core);
  }
  cr(offset: number, core = 0): number {
    return this.cpu.read(offset, 4, core);
  }
  cp(offset: number, core = 0): number | undefined {
    return this.cpu.peek(offset, 4, core);
  }
  /** Everything on, shared interrupt `id` to core 0 with a priority. */
  on(): this {
    this.d(D.CTLR, 3);
    for (let core = 0; core < this.gic.cores; core++) {
      this.c(C.CTLR, 1, core);
      this.c(C.PMR, 0xff, core);
    }
    return this;
  }
  enable(id: number, priority = 0x80, targets = 1, core = 0): void {
    this.d(D.ISEN + 4 * (id >> 5), 2 ** (id & 31), 4, core);
    this.d(D.PRI + id, priority, 1, core);
    if (id >= 32) this.d(D.TGT + id, targets, 1);
  }
}

test('identification and resets', () => {
  const b = new Bench(4);
  assert.equal(b.dr(D.TYPER), 8 | (3 << 5));
  assert.equal(b.dr(D.ISEN), 0xffff, 'software interrupts are always enabled');
  assert.equal(b.dr(D.CFG), 0xaaaaaaaa, 'and edge-triggered');
  assert.equal(b.dr(D.TGT, 4, 2), 0x04040404, 'private ones go to their core');
  assert.equal(b.dr(0xfe8) & 0xf0, 0x20, 'architecture version 2');
  assert.equal(b.cr(0xfc) & 0xff0fff, 0x02043b, 'the pattern by which drivers know a version 2 interface');
});

test('a level-sensitive shared interrupt, from line to end', () => {
  const b = new Bench().on();
  const line = b.gic.sharedLine(1);
  b.enable(33);
  assert.equal(b.lines.irq[0], false);
  line.set(true);
  assert.deepEqual([b.lines.irq[0], b.lines.irq[1]], [true, false]);
  assert.equal(b.dr(D.ISPEND + 4), 2);
  assert.equal(b.cp(C.IAR), 33);
  assert.equal(b.lines.irq[0], true, 'a peek acknowledges nothing');
  assert.equal(b.cr(C.IAR), 33);
  assert.equal(b.lines.irq[0], false);
  assert.equal(b.dr(D.ISACT + 4), 2);
  assert.equal(b.cr(C.RPR), 0x80);
  b.c(C.EOIR, 33);
  assert.equal(b.lines.irq[0], true, 'still asserted');
  assert.equal(b.cr(C.IAR), 33);
  line.set(false);
  b.c(C.EOIR, 33);
  assert.equal(b.lines.irq[0], false);
  assert.equal(b.cr(C.RPR), 0xff);
  assert.equal(b.cr(C.IAR), SPURIOUS);
});

test('an edge is remembered, a level is not', () => {
  const b = new Bench().on();
  b.enable(40);
  b.enable(41);
  b.d(D.CFG + 8, 2 << 16); // interrupt 40
  assert.equal(b.dr(D.CFG + 8), 2 << 16);
  b.gic.sharedLine(8).set(true);
  b.gic.sharedLine(8).set(false);
  b.gic.sharedLine(9).set(true);
  b.gic.sharedLine(9).set(false);
  assert.equal(b.cr(C.IAR), 40);
  b.c(C.EOIR, 40);
  assert.equal(b.lines.irq[0], false);
  b.d(D.ISPEND + 4, 2 ** 9);
  assert.equal(b.cr(C.IAR), 41);
  b.c(C.EOIR, 41);
  b.d(D.ISPEND + 4, 2 ** 9);
  b.d(D.ICPEND + 4, 2 ** 9);
  assert.equal(b.lines.irq[0], false);
});

test('priority, mask, preemption and the binary point', () => {
  const b = new Bench().on();
  b.enable(50, 0xa0);
  b.enable(51, 0x90);
  b.enable(52, 0x90);
  for (const n of [18, 19, 20]) b.gic.sharedLine(n).set(true);
  assert.equal(b.cr(C.HPPIR), 51, 'the lower id wins among equals');
  b.c(C.PMR, 0x90);
  assert.equal(b.lines.irq[0], false, 'not above the mask');
  b.c(C.PMR, 0xff);
  assert.equal(b.cr(C.IAR), 51);
  assert.equal(b.lines.irq[0], false, 'an equal one does not preempt');
  b.enable(53, 0x88);
  b.gic.sharedLine(21).set(true);
  assert.equal(b.lines.irq[0], true, 'a higher one does');
  assert.equal(b.cr(C.IAR), 53);
  assert.equal(b.cr(C.RPR), 0x88);
  assert.equal(b.cr(C.APR + 8), (1 << 4) | (1 << 8), 'levels 0x44 and 0x48');
  b.gic.sharedLine(21).set(false);
  b.c(C.EOIR, 53);
  assert.equal(b.cr(C.RPR), 0x90);
  b.gic.sharedLine(19).set(false);
  b.c(C.EOIR, 51);
  b.c(C.BPR, 5); // bits 7:6 decide
  assert.equal(b.cr(C.IAR), 52);
  assert.equal(b.cr(C.RPR), 0x80);
  b.gic.sharedLine(21).set(true);
  assert.equal(b.lines.irq[0], false, 'the same group priority does not preempt');
});

test('private interrupts are banked, software interrupts know their sender', () => {
  const b = new Bench(4).on();
  b.enable(30, 0x80, 1, 2);
  b.gic.privateLine(2, 14).set(true);
  assert.deepEqual(
    [0, 1, 2, 3].map((core) => b.lines.irq[core]),
    [false, false, true, false],
  );
  assert.equal(b.cr(C.IAR, 2), 30);
  b.gic.privateLine(2, 14).set(false);
  b.c(C.EOIR, 30, 2);
  b.d(D.SGIR, (0b1010 << 16) | 5, 4, 2);
  b.d(D.SGIR, (0b1000 << 16) | 5, 4, 0);
  assert.equal(b.dr(D.SPSGI + 5, 1, 3), 0b0101);
  assert.equal(b.cr(C.IAR, 3), 5 | (0 << 10));
  b.c(C.EOIR, 5, 3);
  assert.equal(b.cr(C.IAR, 3), 5 | (2 << 10));
  b.c(C.EOIR, 5 | (2 << 10), 3);
  assert.equal(b.cr(C.IAR, 1), 5 | (2 << 10));
  b.c(C.EOIR, 5, 1);
  b.d(D.SGIR, (1 << 24) | 1, 4, 0); // all but self
  assert.deepEqual(
    [0, 1, 2, 3].map((core) => b.lines.irq[core]),
    [false, true, true, true],
  );
  b.d(D.CPSGI + 1, 1, 1, 1);
  assert.equal(b.lines.irq[1], false);
  b.d(D.SGIR, 2 << 24, 4, 0); // self
  assert.equal(b.cr(C.IAR, 0), 0);
});

test('a shared interrupt goes to the cores in its target byte; one core needs none', () => {
  const b = new Bench(3).on();
  b.enable(60, 0x80, 0b110);
  b.gic.sharedLine(28).set(true);
  assert.deepEqual(
    [0, 1, 2].map((core) => b.lines.irq[core]),
    [false, true, true],
  );
  assert.equal(b.cr(C.IAR, 2), 60);
  assert.equal(b.lines.irq[1], false, 'taken');
  b.d(D.TGT + 60, 0xff, 1);
  assert.equal(b.dr(D.TGT + 60, 1), 0b111);
  const single = new Bench(1).on();
  single.d(D.ISEN + 4, 2);
  assert.equal(single.dr(D.TGT + 33, 1), 0);
  single.gic.sharedLine(1).set(true);
  assert.equal(single.lines.irq[0], true);
});

test('groups: enables, FIQ, and what IAR says of group 1', () => {
  const b = new Bench().on();
  b.enable(33);
  b.gic.sharedLine(1).set(true);
  b.c(C.CTLR, 1 | 8);
  assert.deepEqual([b.lines.irq[0], b.lines.fiq[0]], [false, true]);
  b.d(D.GROUP + 4, 2);
  assert.deepEqual([b.lines.irq[0], b.lines.fiq[0]], [false, false], 'group 1 is off at the interface');
  b.c(C.CTLR, 3 | 8);
  assert.deepEqual([b.lines.irq[0], b.lines.fiq[0]], [true, false]);
  assert.equal(b.cr(C.IAR), 1022);
  assert.equal(b.cr(C.AIAR), 33);
  b.gic.sharedLine(1).set(false);
  b.c(C.AEOIR, 33);
  assert.equal(b.cr(C.RPR), 0xff);
  b.gic.sharedLine(1).set(true);
  b.c(C.CTLR, 3 | 4);
  assert.equal(b.cr(C.IAR), 33, 'AckCtl lets IAR take it');
  b.gic.sharedLine(1).set(false);
  b.c(C.EOIR, 33);
  b.gic.sharedLine(1).set(true);
  b.d(D.CTLR, 1);
  assert.equal(b.lines.irq[0], false, 'group 1 is off at the distributor');
});

test('with EOImode, EOIR drops the priority and DIR ends the interrupt', () => {
  const b = new Bench().on();
  b.c(C.CTLR, 1 | (1 << 9));
  b.enable(33);
  b.gic.sharedLine(1).set(true);
  assert.equal(b.cr(C.IAR), 33);
  b.c(C.EOIR, 33);
  assert.equal(b.cr(C.RPR), 0xff);
  assert.equal(b.lines.irq[0], false, 'active still');
  b.c(C.DIR, 33);
  assert.equal(b.lines.irq[0], true);
});

test('byte, halfword and word accesses agree', () => {
  const b = new Bench();
  b.d(D.PRI + 36, 0x44332211);
  assert.deepEqual(
    [36, 37, 38, 39].map((id) => b.dr(D.PRI + id, 1)),
    [0x11, 0x22, 0x33, 0x44],
  );
  b.d(D.PRI + 38, 0x9988, 2);
  assert.equal(b.dr(D.PRI + 36), 0x99882211);
  b.d(D.ISEN + 5, 0x81, 1);
  assert.equal(b.dr(D.ISEN + 4), 0x8100);
  b.d(D.ICEN, 0xffffffff);
  assert.equal(b.dr(D.ISEN), 0xffff);
});

test('nonsense changes nothing', () => {
  const b = new Bench().on();
  b.c(C.EOIR, 1023);
  b.c(C.EOIR, 300);
  b.c(C.DIR, 1000);
  b.d(D.SGIR, 0xffffffff);
  for (let offset = 0; offset < 0x1000; offset += 4) b.d(offset, 0xffffffff, 4, 1);
  for (let offset = 0; offset < 0x2000; offset += 4) b.c(offset, 0xffffffff, 1);
  for (let offset = 0; offset < 0x2000; offset += 4) b.cr(offset, 1);
  b.gic.reset();
  assert.deepEqual([b.lines.irq, b.lines.fiq].flat().filter(Boolean), []);
});
