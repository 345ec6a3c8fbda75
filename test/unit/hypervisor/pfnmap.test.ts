/** Device memory behind slots: what is refused when, what a fault maps, and what a mapping changed behind KVM's back does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AbortFacts, abortDecision, mustRetry } from '../../../src/hypervisor/guestAbort';
import {
  cacheablePfnmapCapability,
  checkSlot,
  checkVmas,
  enableCacheablePfnmap,
  type FaultPage,
  faultDecision,
  findVma,
  type PfnmapHost,
  type SlotRequest,
  supportsCacheablePfnmap,
  type Vma,
} from '../../../src/hypervisor/pfnmap';
import { policiesOf } from '../../../src/hypervisor/policies';
import { isCacheable, memAttr } from '../../../src/hypervisor/stage2Attributes';

const merged: PfnmapHost = { policies: policiesOf('v6.17'), fwb: true, dic: true, ipaBits: 40, mte: false };
const noFwb = { ...merged, fwb: false };
const noDic = { ...merged, dic: false };
const old: PfnmapHost = { ...merged, policies: policiesOf('v6.16') };
const refusing: PfnmapHost = { ...merged, policies: policiesOf('v6.17', { cacheablePfnmap: 'refused' }) };
const ours: PfnmapHost = { ...merged, policies: policiesOf('v6.17', { cacheablePfnmap: 'buyIn' }) };

const cached: Vma = { start: 0x10000, end: 0x20000, kind: 'pfnmap', memory: 'NORMAL' };
const device: Vma = { ...cached, memory: 'DEVICE_nGnRnE' };
const vfio: Vma = { ...device, memory: 'NORMAL_NC', anyUncached: true };
const ram: Vma = { ...cached, kind: 'ordinary' };
const slot: SlotRequest = { change: 'create', guestAddress: 0, userAddress: 0x10000, bytes: 0x10000, flags: 0 };
const page: FaultPage = { vma: cached, kernelMemory: false, access: 'read' };
const CACHEABLE = { kind: 'map', memory: 'NORMAL', forceNonCacheable: false } as const;
const DEVICE = { kind: 'map', memory: 'DEVICE_nGnRE', forceNonCacheable: true } as const;
const EFAULT = { kind: 'error', errno: 'EFAULT' } as const;

test('A3: capability 243 is FWB and DIC, of a VM only', () => {
  assert.equal(cacheablePfnmapCapability('vm', merged), 1);
  assert.equal(cacheablePfnmapCapability('vm', noFwb), 0);
  assert.equal(cacheablePfnmapCapability('vm', noDic), 0);
  assert.equal(cacheablePfnmapCapability('system', merged), 'EINVAL');
  assert.equal(cacheablePfnmapCapability('vm', old), 0);
  assert.equal(cacheablePfnmapCapability('system', old), 0);
});

test('A3: there is nothing to enable upstream', () => {
  assert.equal(enableCacheablePfnmap(merged), 'EINVAL');
  assert.equal(enableCacheablePfnmap(old), 'EINVAL');
});

test('A3: a VMA is cacheable unless NORMAL_NC, DEVICE_nGnRnE or DEVICE_nGnRE', () => {
  const types = ['NORMAL', 'NORMAL_TAGGED', 'NORMAL_NC', 'DEVICE_nGnRnE', 'DEVICE_nGnRE'] as const;
  assert.deepEqual(types.map(isCacheable), [true, true, false, false, false]);
});

test('A3: slots: beyond the IPA size EFAULT', () => {
  const top = { ...slot, guestAddress: 2 ** 40 - slot.bytes };
  assert.equal(checkSlot(top, [ram], merged), 'ok');
  assert.equal(checkSlot({ ...top, guestAddress: top.guestAddress + 0x1000 }, [ram], merged), 'EFAULT');
});

test('A3: slots: PFNMAP with dirty logging EINVAL', () => {
  assert.equal(checkSlot({ ...slot, flags: 1 }, [device], merged), 'EINVAL');
  assert.equal(checkSlot({ ...slot, flags: 1, change: 'flagsOnly' }, [device], merged), 'EINVAL');
  assert.equal(checkSlot({ ...slot, flags: 1 }, [ram], merged), 'ok');
  assert.equal(checkSlot({ ...slot, flags: 2 }, [device], merged), 'ok', 'read-only');
});

test('A3: slots: cacheable PFNMAP that is not supported EINVAL', () => {
  assert.equal(checkSlot(slot, [cached], merged), 'ok');
  for (const host of [noFwb, noDic, refusing, ours])
    for (const change of ['create', 'move', 'flagsOnly'] as const)
      assert.equal(checkSlot({ ...slot, change }, [cached], host), 'EINVAL');
  for (const host of [merged, noFwb, refusing]) assert.equal(checkSlot(slot, [device], host), 'ok');
  assert.equal(checkSlot(slot, [cached], { ...old, fwb: false }), 'ok', 'before v6.17 nothing is said');
  assert.equal(checkSlot(slot, [{ ...cached, kind: 'mixedmap' }], noFwb), 'ok', 'only VM_PFNMAP is looked at');
});

test('A3: slots: each mapping under the slot is looked at, others and holes are not', () => {
  const outside = { ...cached, start: 0x20000, end: 0x30000 };
  assert.equal(checkSlot(slot, [outside], noFwb), 'ok');
  assert.equal(checkSlot(slot, [{ ...cached, start: 0, end: 0x10000 }], noFwb), 'ok');
  assert.equal(checkSlot(slot, [], noFwb), 'ok');
  const low = { ...ram, end: 0x12000 };
  assert.equal(checkSlot(slot, [low, { ...cached, start: 0x1f000 }], noFwb), 'EINVAL');
  assert.equal(checkSlot({ ...slot, change: 'delete' }, [cached], noFwb), 'ok');
});

test('A3: slots and faults of a VM with MTE need mappings that allow tags', () => {
  const mte = { ...merged, mte: true };
  assert.equal(checkSlot(slot, [ram], mte), 'EINVAL');
  assert.equal(checkSlot(slot, [{ ...ram, mteAllowed: true }], mte), 'ok');
  const memory = { ...page, vma: ram, kernelMemory: true };
  assert.deepEqual(faultDecision(memory, mte), EFAULT);
  assert.deepEqual(faultDecision({ ...memory, permissionFault: true }, mte), CACHEABLE);
  assert.deepEqual(faultDecision({ ...memory, vma: { ...ram, mteAllowed: true } }, mte), CACHEABLE);
});

test('A3: faults: a cacheable PFNMAP page is cacheable where supported, else EFAULT from KVM_RUN', () => {
  assert.deepEqual(faultDecision(page, merged), CACHEABLE);
  assert.deepEqual(faultDecision({ ...page, access: 'execute' }, merged), CACHEABLE);
  for (const host of [noFwb, noDic, refusing]) assert.deepEqual(faultDecision(page, host), EFAULT);
});

test('A3: faults: not cacheable: Device, or Normal-NC with VM_ALLOW_ANY_UNCACHED', () => {
  assert.deepEqual(faultDecision({ ...page, vma: device }, merged), DEVICE);
  assert.deepEqual(faultDecision({ ...page, vma: vfio }, merged), { ...DEVICE, memory: 'NORMAL_NC' });
  assert.deepEqual(faultDecision({ ...page, vma: vfio }, { ...old, policies: policiesOf('v6.8') }), DEVICE);
});

test('A3: faults: a fetch from forced Non-cacheable memory is ENOEXEC: an abort into the guest', () => {
  for (const vma of [device, vfio])
    assert.deepEqual(faultDecision({ ...page, vma, access: 'execute' }, merged), { kind: 'instructionAbort' });
  assert.deepEqual(faultDecision({ ...page, access: 'execute' }, old), { kind: 'instructionAbort' });
});

test('A3: before v6.17 a cacheable mapping of device memory was silently Device', () => {
  for (const host of [old, { ...old, fwb: false, dic: false }]) assert.deepEqual(faultDecision(page, host), DEVICE);
});

test('A3: VM_MIXEDMAP counts at the fault, and memory of the kernel is ordinary whatever maps it', () => {
  assert.deepEqual(faultDecision({ ...page, vma: { ...device, kind: 'mixedmap' } }, merged), DEVICE);
  for (const vma of [device, vfio, cached, ram])
    assert.deepEqual(faultDecision({ ...page, vma, kernelMemory: true }, noFwb), CACHEABLE);
});

test('A3: a VMA that is neither PFNMAP nor MIXEDMAP is taken for cacheable, whatever its type and whatever FWB and DIC say', () => {
  for (const memory of ['NORMAL', 'NORMAL_NC', 'DEVICE_nGnRE'] as const)
    for (const kernelMemory of [true, false])
      for (const access of ['read', 'execute'] as const) {
        const vma = { ...ram, memory };
        assert.equal(checkSlot(slot, [vma], noFwb), 'ok');
        assert.deepEqual(faultDecision({ vma, kernelMemory, access }, noFwb), CACHEABLE);
      }
});

test('A3: an mmap flip behind KVM’s back is judged at the next fault, and never worse than an error', () => {
  assert.equal(checkSlot(slot, [device], noFwb), 'ok');
  assert.deepEqual(faultDecision({ ...page, vma: device }, noFwb), DEVICE);
  assert.deepEqual(faultDecision({ ...page, vma: cached }, noFwb), EFAULT);
  assert.deepEqual(faultDecision({ ...page, vma: findVma([], 0x10000) }, noFwb), EFAULT);
});

test('A3: no released behaviour exits with KVM_EXIT_MEMORY_FAULT on this path', () => {
  for (const version of ['v5.4', 'v6.16', 'v6.17'])
    for (const [fwb, dic] of [
      [false, false],
      [true, true],
    ] as const)
      for (const vma of [cached, device, vfio, ram, undefined])
        for (const access of ['read', 'write', 'execute'] as const) {
          const host = { ...merged, fwb, dic, policies: policiesOf(version) };
          assert.notEqual(faultDecision({ ...page, vma, access }, host).kind, 'memoryFaultExit');
        }
});

test('ours: user space buys in, and a refused fault exits with KVM_EXIT_MEMORY_FAULT', () => {
  assert.equal(supportsCacheablePfnmap(ours), false);
  assert.equal(enableCacheablePfnmap(ours), 'ok');
  const enabled = { ...ours, enabled: true };
  assert.equal(checkSlot(slot, [cached], enabled), 'ok');
  assert.deepEqual(faultDecision(page, enabled), CACHEABLE);
  assert.deepEqual(faultDecision(page, ours), { kind: 'memoryFaultExit' });
  assert.equal(enableCacheablePfnmap({ ...ours, fwb: false }), 'EINVAL');
  assert.deepEqual(faultDecision({ ...page, vma: device }, ours), DEVICE, 'after the VMM changed its mapping');
});

test('A3: MemAttr[3:0] without FWB 0xF, 0x5, 0x1, 0xF and with it 6, 5, 1, 7', () => {
  const kinds = ['NORMAL', 'NORMAL_NC', 'DEVICE_nGnRE', 'AS_S1'] as const;
  assert.deepEqual(
    kinds.map((kind) => memAttr(kind, false)),
    [0xf, 5, 1, 0xf],
  );
  assert.deepEqual(
    kinds.map((kind) => memAttr(kind, true)),
    [6, 5, 1, 7],
  );
});

test('mappings of a VMM are found by address, and must not overlap', () => {
  assert.equal(findVma([ram, vfio], 0x1ffff), ram);
  assert.equal(findVma([ram], 0x20000), undefined);
  checkVmas([ram, { ...ram, start: 0x20000, end: 0x21000 }]);
  assert.throws(() => checkVmas([ram, ram]), /elscope bug/);
  assert.throws(() => checkVmas([{ ...ram, end: ram.start }]), /elscope bug/);
});

const abort: AbortFacts = {
  kind: 'translation',
  fetch: false,
  write: false,
  stage1Walk: false,
  cacheMaintenance: false,
  ipa: 0x1000,
  ipaBits: 40,
  hostIpaBits: 44,
  slot: undefined,
};

test('A3: aborts outside of slots: CMO skipped, walk and fetch aborted, the rest MMIO', () => {
  assert.equal(abortDecision(abort), 'mmio');
  assert.equal(abortDecision({ ...abort, cacheMaintenance: true }), 'skipInstruction');
  assert.equal(abortDecision({ ...abort, stage1Walk: true, cacheMaintenance: true }), 'injectDataAbort');
  assert.equal(abortDecision({ ...abort, fetch: true }), 'injectInstructionAbort');
});

test('A3: aborts inside of slots: access flag faults make the page young, others map', () => {
  const slotOf = { slot: { writable: true } };
  assert.equal(abortDecision({ ...abort, ...slotOf, kind: 'accessFlag' }), 'markYoung');
  assert.equal(abortDecision({ ...abort, ...slotOf, cacheMaintenance: true }), 'mapMemory');
  assert.equal(abortDecision({ ...abort, ...slotOf, kind: 'other' }), 'unsupported');
  const readOnly = { slot: { writable: false } };
  assert.equal(abortDecision({ ...abort, ...readOnly, write: true }), 'mmio');
  assert.equal(abortDecision({ ...abort, ...readOnly, write: true, cacheMaintenance: true }), 'mmio');
  assert.equal(abortDecision({ ...abort, ...readOnly }), 'mapMemory');
});

test('aborts beyond the address sizes go to the guest', () => {
  assert.equal(abortDecision({ ...abort, ipa: 2 ** 44 }), 'injectSizeFault');
  assert.equal(abortDecision({ ...abort, ipa: 2 ** 40 }), 'injectBeyondVm');
  assert.equal(abortDecision({ ...abort, ipa: 2 ** 40, fetch: true }), 'injectBeyondVm');
});

test('A3: mmu_invalidate_seq changed: the guest runs on and faults again', () => {
  assert.equal(mustRetry(4, 4, false), false);
  assert.equal(mustRetry(4, 5, false), true);
  assert.equal(mustRetry(4, 4, true), true);
});
