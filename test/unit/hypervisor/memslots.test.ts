/** Memory slots: what is refused before the architecture looks, errno for errno, in the kernel's order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Slot, type SlotHost, setRegion, withSlot } from '../../../src/hypervisor/memslots';
import type { Vma } from '../../../src/hypervisor/pfnmap';
import { policiesOf } from '../../../src/hypervisor/policies';

const host: SlotHost = {
  policies: policiesOf('v6.17'),
  fwb: false,
  dic: false,
  ipaBits: 40,
  mte: false,
  pageBytes: 4096,
};
const ram: Vma = { start: 0, end: 0x10000, kind: 'ordinary', memory: 'NORMAL' };
const first: Slot = { id: 0, guestAddress: 0x4000, userAddress: 0, bytes: 0x2000, flags: 0 };

/** What a change of one more slot comes to, beside `first`. */
const asked = (more: Partial<Slot>, slots = [first]): string => {
  const decision = setRegion(slots, { ...first, id: 1, guestAddress: 0x8000, ...more }, [ram], host);
  return decision.outcome === 'ok' ? decision.change : decision.outcome;
};

test('a slot is of whole pages, with known flags, and one of 32767', () => {
  for (const more of [{ guestAddress: 0x8800 }, { bytes: 0x800 }, { userAddress: 0x800 }, { flags: 4 }, { id: 32767 }])
    assert.equal(asked(more), 'EINVAL');
  assert.equal(asked({ guestAddress: 2 ** 64 - 4096 }), 'EINVAL', 'around the end');
  // Debian's 6.12: more than 2^31 - 1 pages, before what is under them; so many are judged as others.
  for (const guestAddress of [0x4000, 2 ** 40]) assert.equal(asked({ guestAddress, bytes: 2 ** 43 }), 'EINVAL');
  assert.equal(asked({ guestAddress: 0x4000, bytes: 2 ** 43 - 0x1000 }), 'EEXIST');
  assert.equal(asked({ guestAddress: 2 ** 40, bytes: 2 ** 43 - 0x1000 }), 'EFAULT');
  assert.equal(asked({ id: 32766, flags: 3 }), 'create');
  assert.equal(setRegion([], first, [ram], { ...host, pageBytes: 65536 }).outcome, 'EINVAL');
});

test('over another slot is EEXIST, which comes before EFAULT for what is beyond the last address', () => {
  for (const guestAddress of [0x3000, 0x4000, 0x5000]) assert.equal(asked({ guestAddress }), 'EEXIST');
  for (const guestAddress of [0x2000, 0x6000]) assert.equal(asked({ guestAddress }), 'create');
  const last = { ...first, guestAddress: 2 ** 40 - 0x2000 };
  assert.equal(asked({ guestAddress: 2 ** 40 - 0x1000 }, [last]), 'EEXIST');
  assert.equal(asked({ guestAddress: 2 ** 40 - 0x1000 }), 'EFAULT');
});

test('a slot may move and change its flags, not its size, its memory or whether it is read-only', () => {
  const own = { ...first, id: 1, guestAddress: 0x8000 };
  assert.equal(asked({}, [first, own]), 'nothing');
  for (const more of [{ bytes: 0x1000 }, { userAddress: 0x1000 }, { flags: 2 }])
    assert.equal(asked(more, [first, own]), 'EINVAL');
  assert.equal(asked({ flags: 1 }, [first, own]), 'flagsOnly');
  assert.equal(asked({ guestAddress: 0x9000 }, [first, own]), 'move', 'over itself');
  assert.equal(asked({ guestAddress: 0x5000 }, [first, own]), 'EEXIST');
});

test('no bytes delete a slot, which must be there', () => {
  assert.equal(asked({ bytes: 0 }), 'EINVAL');
  assert.equal(asked({ bytes: 0, id: 0 }), 'delete');
  assert.deepEqual(withSlot([first], { ...first, bytes: 0 }), []);
  assert.deepEqual(withSlot([first], { ...first, flags: 1 }), [{ ...first, flags: 1 }]);
});

test('what the architecture refuses is refused', () => {
  const device: Vma = { ...ram, kind: 'pfnmap' };
  assert.equal(setRegion([], { ...first, flags: 1 }, [device], host).outcome, 'EINVAL');
});
