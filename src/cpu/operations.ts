/**
 * DC, IC, AT and TLBI: who may use them is decided here by the operation table, what HCR_EL2 turns them into (FB, SWIO, VM,
 * DC), and whom they reach. The work is done by the memory system and the MMU.
 */
import {
  operationByKey,
  operationByName,
  operationKey,
  type SystemOperationRow,
  systemOperations,
} from '../arch/sysops/index';
import { bug } from '../base/errors';
import type { TranslationContext } from '../memory/types';
import type { CoreParts } from './behaviours';
import { controls, registerIndex } from './controls';
import type { CpuPorts, Leave } from './ports';
import { Pstate } from './pstate';
import type { TranslationContexts } from './translationContext';
import { type CompiledTrap, compileTraps, firstTrap } from './traps';

interface Operation {
  readonly row: SystemOperationRow;
  readonly traps: readonly CompiledTrap[];
  /** What it becomes at EL1 under HCR_EL2.FB; itself where nothing changes. */
  readonly broadcast: SystemOperationRow;
}

const rowNamed = (name: string): SystemOperationRow => operationByName(name) ?? bug(`operation ${name}`);

const operations: readonly Operation[] = systemOperations.map((row) => ({
  row,
  traps: compileTraps(row.traps),
  broadcast: row.broadcastAs === undefined ? row : rowNamed(row.broadcastAs),
}));
const indexByKey = new Int16Array(65536).fill(-1);
operations.forEach(({ row }, i) => {
  indexByKey[operationKey(row.encoding)] = operationByKey(operationKey(row.encoding)) === row ? i : -1;
});

const H = controls({ FB: 'HCR_EL2.FB', SWIO: 'HCR_EL2.SWIO', VM: 'HCR_EL2.VM', DC: 'HCR_EL2.DC' });
const DC_ISW = rowNamed('DC ISW');
const DC_CISW = rowNamed('DC CISW');
const DC_IVAC = rowNamed('DC IVAC');
const DC_CIVAC = rowNamed('DC CIVAC');
const PAR = registerIndex('PAR_EL1');

/** What came of an operation: 0 done, 1 a fault of the memory system, 2 a fault of a walk made by AT. */
export const Outcome = { done: 0, fault: 1, walkFault: 2 } as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

export class Operations {
  private readonly exists: readonly boolean[];

  constructor(
    private readonly core: number,
    private readonly parts: CoreParts,
    private readonly ports: CpuPorts,
    private readonly contexts: TranslationContexts,
  ) {
    const { has } = parts.identity;
    this.exists = operations.map(
      ({ row }) => row.status !== 'unimplemented' && (row.feature === undefined || has(row.feature)),
    );
  }

  /** Index of the operation with this key on this core, or -1. */
  find(key: number): number {
    const index = indexByKey[key & 0xffff];
    return index >= 0 && this.exists[index] ? index : -1;
  }

  /** Index of an operation of this core by its name, or -1. */
  named(name: string): number {
    const row = operationByName(name);
    return row === undefined ? -1 : this.find(operationKey(row.encoding));
  }

  check(index: number): 'ok' | 'undefined' | CompiledTrap {
    const { row, traps } = operations[index];
    const { state, levels } = this.parts;
    if (state.el < row.el) return 'undefined';
    if (row.regime === 'EL2' && !levels.el2Enabled()) return 'undefined';
    return firstTrap(traps, state, levels, true) ?? 'ok';
  }

  execute(index: number, hi: number, lo: number): Outcome {
    const row = this.effective(operations[index]);
    if (row.kind === 'AT') return this.translate(row, hi, lo);
    if (row.kind === 'TLBI') {
      this.invalidateTlb(row, hi, lo);
      return Outcome.done;
    }
    const { memory } = this.ports;
    const done: Leave =
      row.action === 'zero'
        ? memory.zero(this.core, hi, lo)
        : memory.maintain(this.core, row, hi, lo, this.parts.state.el);
    return done === 0 ? Outcome.done : Outcome.fault;
  }

  /** HCR_EL2's upgrades of what EL1 executes. */
  private effective(operation: Operation): SystemOperationRow {
    const { state, levels } = this.parts;
    if (state.el !== 1 || !levels.el2Enabled()) return operation.row;
    const { row, broadcast } = operation;
    if (row === DC_ISW) return state.bit(H.SWIO) || state.bit(H.VM) || state.bit(H.DC) ? DC_CISW : row;
    if (row === DC_IVAC) return state.bit(H.VM) || state.bit(H.DC) ? DC_CIVAC : row;
    return state.bit(H.FB) ? broadcast : row;
  }

  /** The context of a row's regime: EL1's operations are the host's own where EL2 is one. */
  private regimeOf(row: SystemOperationRow): TranslationContext {
    if (row.regime === 'EL3') return this.contexts.regime(3);
    // A host has its own use for the TLBI that EL1 may execute, and for all AT of EL1 and EL0.
    const host = (row.el === 1 || row.kind === 'AT') && this.parts.levels.host();
    return this.contexts.regime(row.regime === 'EL2' || host ? 2 : 1);
  }

  private translate(row: SystemOperationRow, hi: number, lo: number): Outcome {
    const { mmu } = this.ports;
    const { el, others } = this.parts.state;
    const context = this.regimeOf(row);
    context.pan = (others & Pstate.PAN) !== 0;
    if (!mmu.at(this.core, row, hi, lo, context, el)) return Outcome.walkFault;
    this.parts.state.store(PAR, mmu.parHi, mmu.parLo);
    return Outcome.done;
  }

  /** A broadcast reaches all cores: they are one Inner Shareable domain. */
  private invalidateTlb(row: SystemOperationRow, hi: number, lo: number): void {
    const { mmu, cores } = this.ports;
    const context = this.regimeOf(row);
    const { state, facts } = this.parts;
    let cycles = facts.cost.maintenance;
    if (row.shareable === true) {
      for (const core of cores) mmu.tlbi(core.index, row, hi, lo, context, this.core);
      if (cores.length > 1) cycles += facts.cost.perCore * (cores.length - 1) + facts.cost.dvm;
    } else mmu.tlbi(this.core, row, hi, lo, context);
    state.setDouble('penalty', state.getDouble('penalty') + cycles);
  }
}
