/** Interrupt controllers of VMs: from the distributor's registers into list registers and back, of both versions alike. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { REDISTRIBUTOR_BYTES } from '../../../../src/devices/gicv3/redistributors';
import { virtMap, virtPpi } from '../../../../src/devices/virtBoard';
import { LIST_REGISTERS, type Vgic, VTIMER_INTERRUPT } from '../../../../src/hypervisor/run/vgic';
import { VgicV2 } from '../../../../src/hypervisor/run/vgicV2';
import { VgicV3 } from '../../../../src/hypervisor/run/vgicV3';

interface Entry {
  readonly id: number;
  readonly state: number;
  readonly priority: number;
  readonly hardware: boolean;
}

/** A VM of two vCPUs and what the test sees of it. */
interface Rig {
  readonly vgic: Vgic;
  readonly raised: number[];
  /** List registers in use. */
  entries(vcpu: number): Entry[];
  /** The guest ended what is in a list register. */
  end(vcpu: number, n: number): void;
  /** 32-bit register of the word of private interrupts, then of the first of shared ones. */
  write(vcpu: number, offset: number, value: number): void;
  sgi(vcpu: number, id: number, target: number): void;
}

function write(vgic: Vgic, vcpu: number, address: number, size: number, value: number): void {
  const device = vgic.devices.find(({ base, size: bytes }) => address >= base && address < base + bytes);
  assert.ok(device, `no device at ${address.toString(16)}`);
  device.write(address - device.base, size, value, vcpu);
}

function version2(): Rig {
  const raised: number[] = [];
  const vgic = new VgicV2(2, (vcpu) => raised.push(vcpu));
  const distributor = virtMap.gicDistributor.base;
  write(vgic, 0, distributor, 4, 1);
  for (const id of [40, 41, 42, 43, 44, 45]) write(vgic, 0, distributor + 0x800 + id, 1, 1);
  return {
    vgic,
    raised,
    entries: (vcpu) =>
      vgic.lists[vcpu]
        .filter((list) => list !== 0)
        .map((list) => ({
          id: list & 0x3ff,
          state: (list >>> 28) & 3,
          priority: ((list >>> 23) & 31) << 3,
          hardware: list >>> 31 === 1,
        })),
    end: (vcpu, n) => {
      vgic.lists[vcpu][n] = (vgic.lists[vcpu][n] & ~(3 << 28)) >>> 0;
    },
    write: (vcpu, offset, value) => write(vgic, vcpu, distributor + offset, 4, value),
    sgi: (vcpu, id, target) => write(vgic, vcpu, distributor + 0xf00, 4, (1 << (16 + target)) | id),
  };
}

function version3(): Rig {
  const raised: number[] = [];
  const vgic = new VgicV3(2, (vcpu) => raised.push(vcpu));
  const distributor = virtMap.gicDistributor.base;
  write(vgic, 0, distributor, 4, 2);
  write(vgic, 0, distributor + 0x84, 4, 0xffff_ffff);
  const own = (vcpu: number): number => virtMap.gicRedistributors.base + vcpu * REDISTRIBUTOR_BYTES + 0x1_0000;
  for (const vcpu of [0, 1]) write(vgic, vcpu, own(vcpu) + 0x80, 4, 0xffff_ffff);
  return {
    vgic,
    raised,
    entries: (vcpu) =>
      vgic.lists[vcpu]
        .filter((list) => list !== 0n)
        .map((list) => ({
          id: Number(list & 0xffff_ffffn),
          state: Number(list >> 62n),
          priority: Number((list >> 48n) & 0xffn),
          hardware: ((list >> 61n) & 1n) === 1n,
        })),
    end: (vcpu, n) => {
      vgic.lists[vcpu][n] &= ~(3n << 62n);
    },
    write: (vcpu, offset, value) => {
      const isPrivate = offset % 0x80 === 0 && offset < 0x400;
      write(vgic, vcpu, isPrivate ? own(vcpu) + offset : distributor + offset, 4, value);
    },
    sgi: (vcpu, id, target) => vgic.sendSgi(vcpu, 'ICC_SGI1R_EL1', (BigInt(id) << 24n) | (1n << BigInt(target))),
  };
}

const ISENABLER = 0x100;
const IPRIORITYR = 0x400;
const PENDING = 1;

for (const [name, make] of [
  ['GICv2', version2],
  ['GICv3', version3],
] as const)
  describe(`${name} of a VM`, () => {
    test('a software interrupt wakes its target alone, and is there once', () => {
      const { vgic, raised, entries, end, write: set, sgi } = make();
      set(0, ISENABLER, 0xffff);
      set(1, ISENABLER, 0xffff);
      sgi(0, 5, 1);
      assert.deepEqual(raised, [1]);
      assert.deepEqual([vgic.hasPending(0), vgic.hasPending(1)], [false, true]);
      assert.equal(vgic.flush(1), false);
      assert.deepEqual(
        entries(1).map(({ id, state }) => [id, state]),
        [[5, PENDING]],
      );
      end(1, 0);
      vgic.sync(1);
      assert.deepEqual([entries(1).length, vgic.hasPending(1), vgic.flush(1)], [0, false, false]);
      sgi(0, 5, 1);
      assert.equal(vgic.hasPending(1), true, 'it can come again');
    });

    test('the timer’s is tied to the physical one, and comes again while its level is high', () => {
      const { vgic, entries, end, write: set } = make();
      set(0, ISENABLER, 1 << VTIMER_INTERRUPT);
      const line = vgic.privateLine(0, virtPpi.virtualTimer);
      line.set(true);
      vgic.flush(0);
      assert.deepEqual(
        entries(0).map(({ id, hardware }) => [id, hardware]),
        [[VTIMER_INTERRUPT, true]],
      );
      assert.equal(vgic.holdsTimer(0), true);
      vgic.flush(0);
      assert.equal(entries(0).length, 1, 'not twice while it is active');
      end(0, 0);
      vgic.sync(0);
      assert.equal(vgic.holdsTimer(0), false);
      assert.equal(vgic.hasPending(0), true, 'the level asks again');
      line.set(false);
      assert.equal(vgic.hasPending(0), false);
    });

    test('the most urgent go first where list registers are too few', () => {
      const { vgic, entries, end, write: set } = make();
      const ids = [40, 41, 42, 43, 44, 45];
      // Priorities 0x80, 0x70, … 0x30: the last is the most urgent.
      for (const id of ids) {
        const word = id - (id % 4);
        const others = ids.map((other, m) => (other - (other % 4) === word ? (0x80 - 16 * m) << (8 * (other % 4)) : 0));
        set(0, IPRIORITYR + word, others.reduce((all, bits) => all | bits, 0) >>> 0);
        vgic.sharedLine(id - 32).set(true);
        assert.equal(vgic.hasPending(0), false, 'nothing is enabled');
      }
      set(0, ISENABLER + 4, (0x3f << 8) >>> 0);
      assert.equal(vgic.flush(0), true, 'two stay behind');
      assert.deepEqual(
        entries(0).map(({ id, priority }) => [id, priority]),
        [45, 44, 43, 42].map((id) => [id, 0x80 - 16 * (id - 40)]),
      );
      assert.equal(entries(0).length, LIST_REGISTERS);
      vgic.sharedLine(45 - 32).set(false);
      end(0, 0);
      vgic.sync(0);
      assert.equal(vgic.flush(0), true);
      assert.deepEqual(
        entries(0).map(({ id }) => id),
        [41, 44, 43, 42],
      );
    });
  });
