/** What holds of every device with a register table, checked row by row: resets, masks, access, peeks, saves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device } from '../../../src/devices/device';
import { Flash } from '../../../src/devices/flash';
import { GicCpuInterface } from '../../../src/devices/gicCpuInterface';
import { GicDistributor } from '../../../src/devices/gicDistributor';
import { GicVirtualControl, GicVirtualCpuInterface } from '../../../src/devices/gicHypervisor';
import { GicV2 } from '../../../src/devices/gicv2';
import { GicV3Distributor } from '../../../src/devices/gicv3/distributor';
import { GicV3 } from '../../../src/devices/gicv3/gicv3';
import { GicV3Redistributors } from '../../../src/devices/gicv3/redistributors';
import { Pl011 } from '../../../src/devices/pl011';
import { Pl031 } from '../../../src/devices/pl031';
import { Pl061 } from '../../../src/devices/pl061';
import { EmptyVirtioSlot } from '../../../src/devices/virtio';
import { VirtualInterfaces } from '../../../src/devices/virtualInterface';
import { FakeClock, FakeCoreLines, FakeLine } from './fakes';

const gic = (): GicV2 => new GicV2(2, 288, new FakeCoreLines());
const gic3 = (): GicV3 =>
  new GicV3({
    cores: 2,
    interrupts: 288,
    lines: new FakeCoreLines(),
    security: false,
    sight: {
      el: () => 2,
      secure: () => false,
      secureBank: () => false,
      fiqToEl3: () => false,
      affinity: (core) => core,
    },
  });
const virtual = (): VirtualInterfaces =>
  new VirtualInterfaces(2, 2, 4, { setVirtual: () => {}, setMaintenance: () => {}, deactivate: () => {} });
/** A device whose state another one saves. */
const savedBy = (device: Device, owner: Device): Device =>
  Object.assign(Object.create(device) as Device, {
    save: () => owner.save(),
    load: (state: unknown) => owner.load(state),
    reset: () => owner.reset(),
  });
const makers: Readonly<Record<string, () => Device>> = {
  pl011: () => new Pl011('pl011', 0x0900_0000, { interrupt: new FakeLine(), output: () => {} }),
  pl031: () => new Pl031('pl031', 0x0901_0000, new FakeClock(), new FakeLine()),
  pl061: () => new Pl061('gpio', 0x0903_0000, new FakeLine()),
  virtio: () => new EmptyVirtioSlot('virtio0', 0x0a00_0000, true),
  gicd: () => new GicDistributor(0x0800_0000, gic()),
  gicc: () => new GicCpuInterface(0x0801_0000, gic()),
  gicd3: () => new GicV3Distributor(0x0800_0000, gic3(), []),
  gicr3: () => {
    const gic = gic3();
    return savedBy(new GicV3Redistributors(0x080a_0000, gic), new GicV3Distributor(0x0800_0000, gic, []));
  },
  gich: () => new GicVirtualControl(0x0803_0000, virtual()),
  gicv: () => {
    const interfaces = virtual();
    return savedBy(new GicVirtualCpuInterface(0x0804_0000, interfaces), new GicVirtualControl(0x0803_0000, interfaces));
  },
  flash: () => new Flash('flash0', 0, { bytes: new Uint8Array(2 ** 20), changed: () => {}, arrayMode: () => {} }),
};

/** Registers whose first value is computed: they are tested by what they mean. */
const computed = new Set([
  'Version',
  'UARTFR',
  'RTCRIS',
  'RTCMIS',
  'RTCDR',
  'GICD_TYPER',
  'GICD_ISENABLERn',
  'GICD_ICENABLERn',
  'GICD_ICFGRn',
  'GICD_ITARGETSRn',
  'GICR_ISENABLERn',
  'GICR_ICENABLERn',
  'GICR_ISPENDRn',
  'GICR_ICPENDRn',
  'GICR_ISACTIVERn',
  'GICR_ICACTIVERn',
  'GICR_ICFGRn',
  'GICH_MISR',
  'GICH_EISR0',
  'GICH_ELRSR0',
  'array',
]);
/** Registers whose value is not what was written: set, clear, interrupt and identification registers, and data. */
const special =
  /^(UARTDR|GPIODATA|GIC[DR]_I[SC](ENABLER|PENDR|ACTIVER)n|GICD_[CS]PENDSGIRn|GIC[DR]_ICFGRn|GICD_IROUTERn|GICD_ITARGETSRn|GICC_ABPR|GIC[HV]_\w+)$/;

for (const [name, make] of Object.entries(makers)) {
  test(`${name}: the table is sound`, () => {
    const device = make();
    const taken = new Set<number>();
    for (const row of device.registers) {
      const bytes = row.width * (row.count ?? 1);
      assert.ok(row.offset % row.width === 0 && row.offset + bytes <= device.size, row.name);
      assert.ok(row.doc.length > 3 && /^\w+$/.test(row.name), row.name);
      if (row.name === 'array') continue;
      for (let at = row.offset; at < row.offset + bytes; at++) {
        assert.ok(!taken.has(at), `${row.name} overlaps`);
        taken.add(at);
      }
    }
  });

  test(`${name}: registers reset, keep what their masks say, and are peeked without effect`, () => {
    const device = make();
    for (const row of device.registers) {
      if (!computed.has(row.name)) {
        const expected = row.access === 'WO' ? 0 : row.reset;
        assert.equal(device.peek(row.offset, row.width, 0), expected, `peek ${row.name}`);
        assert.equal(device.read(row.offset, row.width, 0), expected, `read ${row.name}`);
      }
      // An empty slot keeps nothing; slots with devices have tests of their own.
      if (name === 'flash' || name === 'virtio' || special.test(row.name) || row.access === 'WO') continue;
      const before = device.peek(row.offset, row.width, 0) ?? 0;
      const all = row.width === 1 ? 0xff : 0xffffffff;
      device.write(row.offset, row.width, all, 0);
      const mask = row.access === 'RW' ? (row.mask ?? all) : 0;
      assert.equal(device.peek(row.offset, row.width, 0), ((before & ~mask) | mask) >>> 0, `write ${row.name}`);
    }
  });

  test(`${name}: a saved state comes back, offsets outside of the table are quiet`, () => {
    const device = make();
    for (const row of device.registers) if (name !== 'flash') device.write(row.offset, row.width, 0x15, 0);
    const state: unknown = JSON.parse(JSON.stringify(device.save()));
    const seen = device.registers.map((row) => device.peek(row.offset, row.width, 1));
    device.reset();
    device.load(state);
    assert.deepEqual(
      device.registers.map((row) => device.peek(row.offset, row.width, 1)),
      seen,
    );
    if (name === 'flash') return;
    const hole = device.size - 0x40 - (name === 'virtio' ? 0x80 : 0x100);
    device.write(hole, 4, 0xffffffff, 0);
    assert.equal(device.read(hole, 4, 0), 0);
  });
}

test('narrow accesses see their part of a word', () => {
  const device = makers.pl011();
  assert.equal(device.read(0xfe4, 1, 0), 0x10);
  assert.equal(device.read(0xfe5, 1, 0), 0);
  device.write(0x24, 2, 0x1234, 0);
  assert.equal(device.read(0x24, 4, 0), 0x1234);
  assert.equal(device.read(0x25, 1, 0), 0x12);
  const slot = makers.virtio();
  assert.deepEqual(
    [0, 4, 8].map((at) => slot.read(at, 4, 0)),
    [0x74726976, 1, 0],
  );
});
