/**
 * Host mappings (VMAs) behind memory slots, device memory among them: what is refused when the slot is made
 * (kvm_arch_prepare_memory_region), what capability 243 says, and what a stage-2 fault maps (user_mem_abort). User space can
 * change its mappings at any time, so each fault decides anew. Source: FIDELITY A3; thread 3; a v6.17 source of mmu.c.
 *
 * A page in a PFNMAP or MIXEDMAP mapping that is not the kernel's memory, by policy (cacheable / not cacheable):
 *   device      Device or NC            | Device or NC
 *   refused     EINVAL slot, EFAULT     | Device or NC
 *   capability  cacheable, or as above  | Device or NC
 *   unchecked   cacheable               | Device or NC
 *   buyIn       cacheable if enabled, else EINVAL slot, exit to user space | Device or NC
 */
import { bug } from '../base/errors';
import type { Outcome } from './errno';
import { memoryFlags } from './kvmApi';
import type { Policies } from './policies';
import { type HostMemory, isCacheable, type Stage2Memory } from './stage2Attributes';

/** One mapping of the VMM's address space. Addresses are host virtual, `end` is exclusive. */
export interface Vma {
  readonly start: number;
  readonly end: number;
  /** VM_PFNMAP or VM_MIXEDMAP, or neither: ordinary memory. */
  readonly kind: 'ordinary' | 'pfnmap' | 'mixedmap';
  readonly memory: HostMemory;
  /** VM_ALLOW_ANY_UNCACHED: the guest may choose any uncached type (vfio-pci sets it). */
  readonly anyUncached?: boolean;
  /** VM_MTE_ALLOWED and not VM_SHARED. */
  readonly mteAllowed?: boolean;
}

export type SlotChange = 'create' | 'move' | 'flagsOnly' | 'delete';

export interface SlotRequest {
  readonly change: SlotChange;
  readonly guestAddress: number;
  readonly userAddress: number;
  readonly bytes: number;
  /** KVM_MEM_… bits. */
  readonly flags: number;
}

/** What of the host and the VM decides. */
export interface PfnmapHost {
  readonly policies: Policies;
  /** HAS_STAGE2_FWB, in effect. */
  readonly fwb: boolean;
  /** HAS_CACHE_DIC */
  readonly dic: boolean;
  /** Bits of the VM's intermediate addresses. */
  readonly ipaBits: number;
  readonly mte: boolean;
  /** User space enabled cacheable PFNMAP for this VM; only the 'buyIn' policy asks for it. */
  readonly enabled?: boolean;
}

/** kvm_supports_cacheable_pfnmap: no maintenance is needed that would have to go through a kernel mapping. */
export function supportsCacheablePfnmap(host: PfnmapHost): boolean {
  const { cacheablePfnmap } = host.policies;
  if (cacheablePfnmap === 'device' || cacheablePfnmap === 'refused') return false;
  if (cacheablePfnmap === 'unchecked') return true;
  return host.fwb && host.dic && (cacheablePfnmap === 'capability' || host.enabled === true);
}

/**
 * KVM_CHECK_EXTENSION of KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED. On the system's file descriptor it is EINVAL; kernels that do
 * not know it answer 0 on both.
 */
export function cacheablePfnmapCapability(scope: 'system' | 'vm', host: PfnmapHost): 0 | 1 | 'EINVAL' {
  const { cacheablePfnmap } = host.policies;
  if (cacheablePfnmap !== 'capability' && cacheablePfnmap !== 'buyIn') return 0;
  if (scope === 'system') return 'EINVAL';
  return host.fwb && host.dic ? 1 : 0;
}

/** KVM_ENABLE_CAP of it: upstream has nothing to enable; with 'buyIn' it is how user space asks for the behaviour. */
export function enableCacheablePfnmap(host: PfnmapHost): Outcome {
  if (host.policies.cacheablePfnmap !== 'buyIn') return 'EINVAL';
  return cacheablePfnmapCapability('vm', host) === 1 ? 'ok' : 'EINVAL';
}

/** Whether a slot is accepted. `vmas` in order of address; holes are allowed. */
export function checkSlot(request: SlotRequest, vmas: readonly Vma[], host: PfnmapHost): Outcome {
  if (request.change === 'delete') return 'ok';
  if (request.guestAddress + request.bytes > 2 ** host.ipaBits) return 'EFAULT';
  const end = request.userAddress + request.bytes;
  for (const vma of vmas) {
    if (vma.end <= request.userAddress || vma.start >= end) continue;
    if (host.mte && vma.mteAllowed !== true) return 'EINVAL';
    if (vma.kind !== 'pfnmap') continue;
    if ((request.flags & memoryFlags.KVM_MEM_LOG_DIRTY_PAGES) !== 0) return 'EINVAL';
    if (host.policies.cacheablePfnmap === 'device') continue;
    if (isCacheable(vma.memory) && !supportsCacheablePfnmap(host)) return 'EINVAL';
  }
  return 'ok';
}

/** The page behind a fault. */
export interface FaultPage {
  readonly vma: Vma | undefined;
  /** pfn_is_map_memory: the page is in the kernel's linear map. */
  readonly kernelMemory: boolean;
  readonly access: 'read' | 'write' | 'execute';
  /** A permission fault: MTE's check was made at the first. */
  readonly permissionFault?: boolean;
}

/** What a fault comes to. */
export type FaultDecision =
  | { readonly kind: 'map'; readonly memory: Stage2Memory; readonly forceNonCacheable: boolean }
  /** KVM_RUN returns it. */
  | { readonly kind: 'error'; readonly errno: 'EFAULT' }
  /** ENOEXEC inside KVM: the guest takes a synchronous external abort on the fetch. */
  | { readonly kind: 'instructionAbort' }
  /** Ours: KVM_RUN returns EFAULT with this exit reason, and the fault is replayed on the next KVM_RUN. */
  | { readonly kind: 'memoryFaultExit' };

/** The decision of user_mem_abort about the type of memory. */
export function faultDecision(page: FaultPage, host: PfnmapHost): FaultDecision {
  const { vma } = page;
  if (vma === undefined) return { kind: 'error', errno: 'EFAULT' };
  const { cacheablePfnmap } = host.policies;
  // Until v6.17 any page outside of the linear map counted, whatever mapped it.
  const special = !page.kernelMemory && (vma.kind !== 'ordinary' || cacheablePfnmap === 'device');
  const cacheable = isCacheable(vma.memory) && cacheablePfnmap !== 'device';
  if (special && cacheable && !supportsCacheablePfnmap(host))
    return cacheablePfnmap === 'buyIn' ? { kind: 'memoryFaultExit' } : { kind: 'error', errno: 'EFAULT' };
  const forced = special && !cacheable;
  if (forced && page.access === 'execute') return { kind: 'instructionAbort' };
  if (host.mte && !forced && page.permissionFault !== true && vma.mteAllowed !== true)
    return { kind: 'error', errno: 'EFAULT' };
  return { kind: 'map', memory: forced ? uncachedType(vma, host.policies) : 'NORMAL', forceNonCacheable: forced };
}

const uncachedType = (vma: Vma, policies: Policies): Stage2Memory =>
  vma.anyUncached === true && policies.anyUncached === 'normalNc' ? 'NORMAL_NC' : 'DEVICE_nGnRE';

/** The mapping that holds a host address. */
export function findVma(vmas: readonly Vma[], address: number): Vma | undefined {
  return vmas.find((vma) => address >= vma.start && address < vma.end);
}

/** What must hold of a VMM's mappings: in order, not empty, no overlap. Throws a bug otherwise. */
export function checkVmas(vmas: readonly Vma[]): void {
  vmas.forEach((vma, index) => {
    if (vma.end <= vma.start || (index > 0 && vma.start < vmas[index - 1].end)) bug(`mapping ${index} of a VMM`);
  });
}
