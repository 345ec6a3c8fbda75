/**
 * VMIDs of VMs: given when a vCPU is about to run, all anew when they are used up. Two algorithms, by policy: one number after the
 * other, with every core out of its guest when they begin anew (update_vmid in arm.c, as remembered); or with those in use
 * kept by the cores that use them (vmid.c of v5.18, read there).
 */
import type { Policies } from './policies';

/** Plain data. Full ids are generation × 2^bits + VMID. */
export interface VmidState {
  generation: number;
  /** exitAll: the next number, 0 for none left. reserve: where the search for a free one begins. */
  next: number;
  /** reserve: VMIDs of this generation, 32 a word. */
  used: number[];
  /** reserve, by core: the full id that runs there; 0 since they began anew. */
  readonly active: number[];
  /** reserve, by core: the full id that ran there when they began anew. */
  readonly reserved: number[];
}

/** What a VM keeps of its VMID; 0 before it has one. */
export interface VmidOwner {
  vmid: number;
  generation: number;
}

const WORD = 32;

export const newVmids = (cores: number): VmidState => ({
  generation: 1,
  next: 1,
  used: [],
  active: new Array<number>(cores).fill(0),
  reserved: new Array<number>(cores).fill(0),
});

const isUsed = ({ used }: VmidState, vmid: number): boolean =>
  (((used[Math.floor(vmid / WORD)] ?? 0) >>> (vmid % WORD)) & 1) === 1;

function use({ used }: VmidState, vmid: number): void {
  const word = Math.floor(vmid / WORD);
  while (used.length <= word) used.push(0);
  used[word] |= 1 << (vmid % WORD);
}

/** kept: it is of this generation. given: a number of this generation. rolledOver: they ran out, everything is to be forgotten. */
export type VmidOutcome = 'kept' | 'given' | 'rolledOver';

export class Vmids {
  private readonly count: number;

  constructor(
    private readonly state: VmidState,
    bits: 8 | 16,
    private readonly algorithm: Policies['vmidAllocator'],
  ) {
    this.count = 2 ** bits;
  }

  /** A vCPU of a VM is about to run on a core. */
  update(owner: VmidOwner, core: number): VmidOutcome {
    const { state } = this;
    const isCurrent = owner.vmid !== 0 && owner.generation === state.generation;
    if (this.algorithm === 'exitAll') return isCurrent ? 'kept' : this.giveNext(owner);
    const outcome = isCurrent ? 'kept' : this.giveFree(owner);
    state.active[core] = this.full(owner);
    return outcome;
  }

  /** The vCPU of a core goes away. */
  clearActive(core: number): void {
    if (this.algorithm === 'reserve') this.state.active[core] = this.count;
  }

  private full({ vmid, generation }: VmidOwner): number {
    return generation * this.count + vmid;
  }

  private giveNext(owner: VmidOwner): VmidOutcome {
    const { state } = this;
    const over = state.next === 0;
    if (over) {
      state.generation++;
      state.next = 1;
    }
    this.set(owner, state.next);
    state.next = (state.next + 1) % this.count;
    return over ? 'rolledOver' : 'given';
  }

  private giveFree(owner: VmidOwner): VmidOutcome {
    const { state } = this;
    if (owner.vmid !== 0 && (this.takesReserved(owner) || !isUsed(state, owner.vmid))) {
      use(state, owner.vmid);
      this.set(owner, owner.vmid);
      return 'given';
    }
    let vmid = this.free(state.next);
    const over = vmid === this.count;
    if (over) {
      this.beginAnew();
      vmid = this.free(1);
    }
    use(state, vmid);
    state.next = vmid;
    this.set(owner, vmid);
    return over ? 'rolledOver' : 'given';
  }

  private set(owner: VmidOwner, vmid: number): void {
    owner.vmid = vmid;
    owner.generation = this.state.generation;
  }

  private free(from: number): number {
    let vmid = from;
    while (vmid < this.count && isUsed(this.state, vmid)) vmid++;
    return vmid;
  }

  /** Cores that ran it when they began anew have kept it: with this generation from now on. */
  private takesReserved(owner: VmidOwner): boolean {
    const { state } = this;
    const old = this.full(owner);
    const now = state.generation * this.count + owner.vmid;
    let hit = false;
    for (const [core, id] of state.reserved.entries())
      if (id === old) {
        hit = true;
        state.reserved[core] = now;
      }
    return hit;
  }

  private beginAnew(): void {
    const { state } = this;
    state.generation++;
    state.used = [];
    for (const [core, active] of state.active.entries()) {
      state.active[core] = 0;
      if (active !== 0) state.reserved[core] = active;
      use(state, state.reserved[core] % this.count);
    }
  }
}
