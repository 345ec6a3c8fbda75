/** What the view of a VM's stage-2 tables counts, and that looking changes nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryFlags } from '../../../src/hypervisor/kvmApi';
import { AGEING, VmmCall } from '../../../src/hypervisor/run/vmmApi';
import { stage2Facts, stage2View } from '../../../src/session/views/stage2';
import { call, load, run, script, store } from '../hypervisor/run/scriptGuest';
import { stateHash } from '../machine/samples';
import { ModelBench } from './modelBench';

const MiB = 2 ** 20;
const AT = 2 ** 31;
const DEVICE = AT + 2 ** 30;
const PAGE = 4096;

test('entries by size, type of memory and slot, with dirty pages', () => {
  const slots = [
    { at: AT, size: 4 * MiB, mapSize: '2M' },
    { at: DEVICE, size: 2 * MiB, mapSize: '4K', kind: 'pfnmap', memory: 'DEVICE_nGnRnE' },
  ];
  const s = script({ kvm: '6.12', vms: [{ memory: '8M', vcpus: [{ core: 0 }], slots }] }, [
    call(VmmCall.SET_MEMORY_REGION, 1, memoryFlags.KVM_MEM_LOG_DIRTY_PAGES),
    ...[store(AT, 0xd65f_03c0), load(AT + PAGE), load(AT + 2 * MiB), run(AT)],
    ...[store(DEVICE, 1), call(VmmCall.AGE, AT + PAGE, PAGE, AGEING.clearYoung)],
  ]);
  s.finish();
  const [vm] = s.model.vms;
  const before = stateHash(s.machine);
  const view = stage2View(s.machine, s.model, vm);
  assert.equal(stateHash(s.machine), before, 'looking changes nothing');
  const page = { readable: 1, writable: 1, young: 1 };
  const own = { bytes: 2 * MiB, entries: 1, ...page, executable: 1 };
  assert.deepEqual(view.sizes, [
    { level: 2, size: 2 * MiB, ...own },
    { level: 3, size: PAGE, bytes: 4 * PAGE, entries: 4, readable: 4, writable: 2, executable: 1, young: 3 },
  ]);
  assert.deepEqual(
    view.memory.map(({ name, entries, bytes }) => [name, entries, bytes]),
    [
      ['NORMAL', 4, 2 * MiB + 3 * PAGE],
      ['DEVICE_nGnRE', 1, PAGE],
    ],
  );
  assert.deepEqual(view.slots, [
    { id: 0, slotBytes: 8 * MiB, ...own, dirty: undefined },
    {
      id: 1,
      slotBytes: 4 * MiB,
      bytes: 3 * PAGE,
      entries: 3,
      readable: 3,
      writable: 1,
      executable: 1,
      young: 2,
      dirty: 1,
    },
    { id: 2, slotBytes: 2 * MiB, bytes: PAGE, entries: 1, ...page, executable: 0, dirty: undefined },
  ]);
  // Two side by side at the top; level 2 of three gigabytes; level 3 of two blocks of one slot, one of the other.
  assert.deepEqual([view.tables, view.tableBytes], [8, 8 * PAGE]);
  assert.equal(stage2Facts(vm).tables, view.tables, 'what is known without reading');
});

test('a VM by its number, while the guest stands', () => {
  const b = new ModelBench('kvm-ccsidr', { kvm: '6.12' });
  b.breakAt({ name: 'kvm_handle_sys_reg' });
  b.start();
  const { vm, sizes, tables } = b.ask('elscope/stage2', { vm: 1 });
  assert.deepEqual([vm, tables], [1, b.ask('elscope/vms', {}).vms[0].stage2.tables]);
  assert.deepEqual(
    sizes.map(({ size, entries, writable, executable }) => [size, entries, writable, executable]),
    [[2 * MiB, 1, 1, 1]],
  );
  assert.throws(() => b.ask('elscope/stage2', { vm: 9 }), /there is no VM 9/);
});
