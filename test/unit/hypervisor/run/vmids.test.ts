/** VMIDs of guests that run while others use them up, and that have as many bits as the cores say. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VendorCall } from '../../../../src/hypervisor/run/exits';
import { VmmCall } from '../../../../src/hypervisor/run/vmmApi';
import { call, isWaiting, load, type Operation, type Script, script, store, until } from './scriptGuest';

const AT = 0x4030_0000;
const FLAG = AT + 8;
/** Physical: the VMs' memories. */
const FIRST = 0x4100_0000;
const SECOND = 0x4180_0000;
const RAM = 0x4000_0000;
const vm = (core: number): object => ({ memory: '8M', vcpus: [{ core }] });
const yields = call(VendorCall.YIELD);
const others = (count: number): Operation => call(VmmCall.OTHER_VMS, count);

/** Runs in small steps until something holds. */
function runUntil({ machine }: Script, what: string, holds: () => boolean): void {
  for (let steps = 0; steps < 20_000 && !holds(); steps++) machine.run(200);
  assert.ok(holds(), what);
}

/** VMID and VS that a core has in its registers. */
function loaded({ machine }: Script, core: number): { readonly vmid: number; readonly wide: boolean } {
  const read = (name: string): bigint => machine.units[core].peekSystem(name) ?? 0n;
  return { vmid: Number(read('VTTBR_EL2') >> 48n), wide: ((read('VTCR_EL2') >> 19n) & 1n) === 1n };
}

describe('a guest that runs on another core while VMIDs are used up', () => {
  const set = ({ machine }: Script, at: number): void => {
    machine.memory.pokeView(at, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
  };
  const release = (s: Script): void => set(s, SECOND + FLAG - RAM);
  const start = (kvm: string): { s: Script; list: readonly Operation[] } => {
    const own = [until(FLAG, 1), others(300), store(AT, 1), load(AT)];
    const s = script({ kvm, cores: [{}, {}], vms: [vm(0), vm(1)] }, own);
    const list = [store(AT, 0x22), until(FLAG, 1), load(AT), call(VendorCall.CORE)];
    s.second(SECOND, list);
    for (const core of [0, 1]) runUntil(s, 'both guests wait', () => isWaiting(s.machine.units[core]));
    set(s, FIRST + FLAG - RAM);
    return { s, list };
  };

  test('v5.18: keeps its VMID, which nobody else gets, and has it in the new generation at its next exit', () => {
    const { s, list } = start('5.18');
    const [first, second] = s.model.vms;
    runUntil(s, 'they begin anew', () => s.model.vmids.generation === 2 && first.generation === 2);
    assert.deepEqual([second.generation, second.vmid], [1, loaded(s, 1).vmid], 'it has not left its guest');
    assert.notEqual(first.vmid, second.vmid);
    const { vmid } = second;
    release(s);
    s.finish();
    assert.deepEqual([second.vmid, second.generation], [vmid, 2]);
    assert.deepEqual([s.secondResults(list)[2].x0, s.results()[3].x0], [0x22n, 1n]);
    assert.equal(s.model.operations['TLBI ALLE1IS'], 1);
  });

  test('before v5.18: it is made to leave, and gets another', () => {
    const { s, list } = start('5.17');
    const [first, second] = s.model.vms;
    const irqs = second.vcpus[0].exits.IRQ ?? 0;
    runUntil(s, 'both have new ones', () => first.generation === 2 && second.generation === 2);
    assert.ok((second.vcpus[0].exits.IRQ ?? 0) > irqs);
    assert.notEqual(first.vmid, second.vmid);
    runUntil(s, 'it runs with it', () => loaded(s, 1).vmid === second.vmid && s.machine.units[1].el === 1);
    release(s);
    s.finish();
    assert.deepEqual([s.secondResults(list)[2].x0, s.results()[3].x0], [0x22n, 1n]);
    assert.equal(s.model.operations['TLBI ALLE1IS'], 1);
  });
});

describe('16 bits', () => {
  const cores = [{ features: { FEAT_VMID16: true } }];

  test('VMIDs that differ in the upper bits are different ones', () => {
    // VMIDs 1 and 257 take turns on one core: from the second turn on nothing is invalidated between them.
    const s = script({ kvm: '6.12', cores, vms: [vm(0), vm(0)] }, [
      ...[store(AT, 0x11), others(255), yields, load(AT), yields, load(AT), yields, load(AT)],
    ]);
    const list = [store(AT, 0x22), yields, load(AT), yields, load(AT), yields, load(AT)];
    s.second(SECOND, list);
    s.finish();
    assert.deepEqual(
      s.model.vms.map(({ vmid }) => vmid),
      [1, 257],
    );
    assert.equal(loaded(s, 0).wide, true);
    const read = (results: { x0: bigint }[], ...at: number[]): bigint[] => at.map((n) => results[n].x0);
    assert.deepEqual(read(s.results(), 3, 5, 7), [0x11n, 0x11n, 0x11n]);
    assert.deepEqual(read(s.secondResults(list), 2, 4, 6), [0x22n, 0x22n, 0x22n]);
  });

  test('they last for 65535', () => {
    const generation = (count: number): readonly unknown[] => {
      const { model, finish } = script({ kvm: '6.12', cores, vms: [vm(0)] }, [others(count)]);
      finish();
      return [model.vmids.generation, model.operations['TLBI ALLE1IS']];
    };
    assert.deepEqual(generation(65534), [1, undefined]);
    assert.deepEqual(generation(65535), [2, 1]);
  });
});
