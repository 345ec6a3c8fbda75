/** Fetches that were not right, in words: what was left out, and what would have been right under the core's CTR_EL0. */
import type { Shared } from './shared';
import { Missing, type SyncTracker } from './syncTracker';
import type { MemoryFinding } from './types';
import type { Versions } from './versions';

/** What a hypervisor owes vCPUs of one VM that share a core. */
const SWITCH_STEPS: readonly string[] = ['IC IALLU on the switch of vCPUs', 'DSB NSH', 'ISB'];
const SWITCH_ADVICE =
  'the hypervisor, when another vCPU of the VM comes to a core: TLBI VMALLE1; IC IALLU; DSB NSH; ISB';

export class FetchFindings {
  constructor(
    private readonly shared: Shared,
    private readonly versions: Versions,
    private readonly tracker: SyncTracker,
    /** Owner of a core: the vCPU that it runs, 0 = none. */
    private readonly owners: Uint16Array,
  ) {}

  /** `filler`: the vCPU whose line it is, 0 = its own. */
  report(
    core: number,
    pcHi: number,
    pcLo: number,
    offset: number,
    executed: number,
    current: number,
    mode: MemoryFinding['mode'],
    missing: number,
    fromC: boolean,
    filler: number,
  ): void {
    const { shared } = this;
    const unit = offset >>> shared.unitLog2;
    const steps = missing !== 0 ? missing : this.physicalSteps(unit, offset, executed, fromC);
    const writer = this.tracker.writer(offset);
    const list = filler !== 0 ? SWITCH_STEPS : stepNames(steps, fromC, writer.core, core);
    const isAlias = mode === 'actual' && missing === 0 && this.isAlias(core, unit, offset, current);
    shared.ports.finding({
      kind: filler !== 0 ? 'inherited line' : isAlias ? 'VIPT alias' : kindOf(mode, steps),
      mode,
      core,
      pcHi: pcHi >>> 0,
      pcLo: pcLo >>> 0,
      pa: shared.paOf(shared.ram + offset),
      executed,
      current,
      owner: this.owners[core],
      filler,
      writerCore: writer.core,
      writerPcHi: writer.pcHi,
      writerPcLo: writer.pcLo,
      time: shared.ports.time(core),
      missing: list,
      advice: filler !== 0 ? SWITCH_ADVICE : this.advice(core, fromC),
    });
  }

  /** By its own account software did everything, and what a fill would bring is new: the line was invalidated elsewhere. */
  private isAlias(core: number, unit: number, offset: number, current: number): boolean {
    const { shared } = this;
    if (shared.config.cores[core].l1i.policy !== 'VIPT') return false;
    return shared.u32[(this.versions.pHost(unit) + (offset & shared.unitMask)) >>> 2] === current;
  }

  /** Software did all that its CTR asks for, by its own account, and yet the word is old: what the caches themselves say. */
  private physicalSteps(unit: number, offset: number, executed: number, fromC: boolean): number {
    const { shared } = this;
    const from = (fromC ? this.versions.cHost(unit) : this.versions.pHost(unit)) + (offset & shared.unitMask);
    return shared.u32[from >>> 2] === executed ? Missing.Clean | Missing.Invalidate : Missing.Invalidate;
  }

  private advice(core: number, fromC: boolean): string {
    const { idc, dic } = this.shared.config.cores[core];
    const steps: string[] = [];
    if (fromC) steps.push('DC CVAC each D-line', 'DSB ISH');
    else if (!idc) steps.push('DC CVAU each D-line', 'DSB ISH');
    else steps.push('DSB ISH');
    if (!dic) steps.push('IC IVAU each I-line', 'DSB ISH');
    return `after writing: ${steps.join('; ')}; then ISB on core ${core}`;
  }
}

function kindOf(mode: MemoryFinding['mode'], steps: number): MemoryFinding['kind'] {
  if (steps & Missing.Stride) return 'wrong stride';
  if (mode === 'actual') return 'stale fetch';
  return steps === Missing.Isb ? 'missing context synchronisation' : 'missing maintenance';
}

/** The missing steps in their order; those of the writer and of the executing core are named when they differ. */
function stepNames(steps: number, fromC: boolean, writer: number, core: number): string[] {
  const list: string[] = [];
  if (steps & Missing.Clean) list.push(fromC ? 'DC CVAC' : 'DC CVAU');
  if (steps & Missing.FirstDsb) list.push('DSB ISH');
  if (steps & Missing.Invalidate) list.push('IC IVAU');
  if (steps & Missing.SecondDsb) list.push('DSB ISH');
  if (steps & Missing.Isb) list.push(writer >= 0 && writer !== core ? `ISB on core ${core}` : 'ISB');
  return list;
}
