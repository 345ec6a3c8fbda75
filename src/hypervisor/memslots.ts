/**
 * KVM_SET_USER_MEMORY_REGION: what the caller asks for, and what is refused before the architecture looks at it (pfnmap.ts), in the
 * order of the kernel's __kvm_set_memory_region. Held against Debian's 6.1 and 6.12 (test/guests/oracle.slow.test.ts).
 */
import type { Outcome } from './errno';
import { memoryFlags } from './kvmApi';
import { checkSlot, type PfnmapHost, type SlotChange, type Vma } from './pfnmap';

export interface Slot {
  readonly id: number;
  readonly guestAddress: number;
  readonly userAddress: number;
  /** 0: the slot is deleted. */
  readonly bytes: number;
  /** KVM_MEM_… bits. */
  readonly flags: number;
}

/** KVM_USER_MEM_SLOTS, KVM_MEM_SLOTS_NUM */
export const USER_SLOTS = 32767;
/** KVM_MEM_MAX_NR_PAGES */
const MOST_PAGES = 2 ** 31 - 1;
const KNOWN_FLAGS = Object.values(memoryFlags).reduce((all, flag) => all | flag, 0);

/** What a request does to the slots that are there; 'nothing' is a success too. */
export type SlotDecision =
  | { readonly outcome: 'ok'; readonly change: SlotChange | 'nothing' }
  | { readonly outcome: Exclude<Outcome, 'ok'> };

const refused = (outcome: Exclude<Outcome, 'ok'>): SlotDecision => ({ outcome });

export interface SlotHost extends PfnmapHost {
  /** Of the host's own translation. */
  readonly pageBytes: number;
}

/** Decides about `wanted`; `vmas` are the caller's mappings in order of address. */
export function setRegion(slots: readonly Slot[], wanted: Slot, vmas: readonly Vma[], host: SlotHost): SlotDecision {
  if (!isSane(wanted, host.pageBytes)) return refused('EINVAL');
  const old = slots.find(({ id }) => id === wanted.id);
  if (wanted.bytes === 0) return old === undefined ? refused('EINVAL') : { outcome: 'ok', change: 'delete' };
  const change = changeOf(old, wanted);
  if (change === undefined) return refused('EINVAL');
  if (change === 'nothing') return { outcome: 'ok', change };
  const moves = change === 'create' || change === 'move';
  if (moves && slots.some((slot) => slot.id !== wanted.id && overlap(slot, wanted))) return refused('EEXIST');
  const outcome = checkSlot({ ...wanted, change }, vmas, host);
  return outcome === 'ok' ? { outcome, change } : { outcome };
}

function isSane({ id, guestAddress, userAddress, bytes, flags }: Slot, pageBytes: number): boolean {
  const aligned = [bytes, guestAddress, userAddress].every((value) => value % pageBytes === 0);
  const isPossible = id < USER_SLOTS && guestAddress + bytes < 2 ** 64 && bytes / pageBytes <= MOST_PAGES;
  return (flags & ~KNOWN_FLAGS) === 0 && aligned && isPossible;
}

/** undefined: a slot keeps its size, its memory and whether it is read-only. */
function changeOf(old: Slot | undefined, wanted: Slot): SlotChange | 'nothing' | undefined {
  if (old === undefined) return 'create';
  const { KVM_MEM_READONLY } = memoryFlags;
  const same = wanted.userAddress === old.userAddress && wanted.bytes === old.bytes;
  if (!same || ((wanted.flags ^ old.flags) & KVM_MEM_READONLY) !== 0) return undefined;
  if (wanted.guestAddress !== old.guestAddress) return 'move';
  return wanted.flags === old.flags ? 'nothing' : 'flagsOnly';
}

const overlap = (a: Slot, b: Slot): boolean =>
  a.guestAddress < b.guestAddress + b.bytes && b.guestAddress < a.guestAddress + a.bytes;

/** The slots after a request that succeeded, in order of their numbers. */
export function withSlot<S extends Pick<Slot, 'id' | 'bytes'>>(slots: readonly S[], wanted: S): S[] {
  const others = slots.filter(({ id }) => id !== wanted.id);
  return wanted.bytes === 0 ? others : [...others, wanted].sort((a, b) => a.id - b.id);
}
