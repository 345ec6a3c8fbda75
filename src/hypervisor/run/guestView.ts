/** What a guest would read of the cache ID registers on a physical core, trapped or not. Nothing is changed by asking. */
import { cacheTrap } from '../hcr';
import type { Hypervisor } from './model';
import type { Vcpu } from './vm';
import { hcrFacts } from './world';

export type CacheIdName = 'CTR_EL0' | 'CLIDR_EL1' | 'CCSIDR_EL1' | 'DCZID_EL0';

/** The vCPU that the core runs, or one that may come to it. */
const vcpuFor = ({ cores, vms }: Hypervisor, core: number): Vcpu | undefined =>
  cores[core].thread.vcpu ?? vms.flatMap((vm) => vm.vcpus)[0];

/** Undefined where there is no guest yet, or where the read is UNDEFINED. `csselr` selects the cache of CCSIDR_EL1. */
export function guestReads(model: Hypervisor, core: number, name: CacheIdName, csselr = 0): bigint | undefined {
  const vcpu = vcpuFor(model, core);
  if (vcpu === undefined) return undefined;
  const trap = cacheTrap(hcrFacts(model.cores[core], vcpu));
  if (name === 'DCZID_EL0') return model.port.read(core, name);
  if (name === 'CTR_EL0') return trap === 'TID2' ? vcpu.vm.ctr.value : model.port.read(core, name);
  if (trap !== 'none' && model.policies.ccsidr === 'normalised') {
    // The same on every core: what user space may have stored is the vCPU's.
    return name === 'CCSIDR_EL1' ? vcpu.caches.ccsidr(csselr) : vcpu.caches.oneRegClidr;
  }
  const caches = model.cachesFor(() => core);
  caches.csselr = BigInt(csselr);
  const access = caches.access(name, trap);
  return access.kind === 'value' ? access.value : undefined;
}
