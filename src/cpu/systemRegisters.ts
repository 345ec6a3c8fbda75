/**
 * The register table, made ready for one core: which registers exist on it, masks, compiled traps and behaviours by storage
 * index. Access checks are in the order of the manual's accessors: existence, level, traps.
 */
import type { RegisterBehaviour } from '../arch/sysregs/behaviours';
import { byEncoding, type SystemRegisterRow, systemRegisters } from '../arch/sysregs/index';
import { writableMask } from '../arch/sysregs/masks';
import { type Behaviour, behaviours, type CoreParts, contextWrite } from './behaviours';
import { controls, registerIndex } from './controls';
import type { Identity } from './identity';
import { RelaidRegisters } from './relaid';
import type { CoreState } from './state';
import { type CompiledTrap, compileTraps, firstTrap } from './traps';

/** Compiled once: the same for every core. */
const traps: readonly (readonly CompiledTrap[])[] = systemRegisters.map((row) => compileTraps(row.traps));

function behaviourOf(row: SystemRegisterRow): Behaviour | undefined {
  if (row.behaviour === 'constant') return undefined;
  if (row.behaviour === 'storage') return row.context === true ? contextWrite : undefined;
  return behaviours[row.behaviour as RegisterBehaviour];
}
const behaviourByIndex = systemRegisters.map(behaviourOf);

const NOWHERE = 4;
const minimum = (el: SystemRegisterRow['read']): number => (el === 'none' ? NOWHERE : el);
const CNTFRQ = registerIndex('CNTFRQ_EL0');
const { E2H } = controls({ E2H: 'HCR_EL2.E2H' });
/** The feature ID space: op0 3, op1 0, 1 or 3, CRn 0, CRm 0 to 7. */
const isIdSpace = (key: number): boolean =>
  key >> 14 === 3 && [0, 1, 3].includes((key >> 11) & 7) && ((key >> 6) & 31) === 0;

/** 'fp': trapped as a floating-point instruction is. */
export type Access = 'ok' | 'undefined' | 'fp' | CompiledTrap;

export class SystemRegisters {
  private readonly exists: readonly boolean[];
  private readonly readFrom: readonly number[];
  private readonly writeFrom: readonly number[];
  private readonly maskLo: Uint32Array;
  private readonly maskHi: Uint32Array;
  private readonly idst: boolean;
  private readonly relaid: RelaidRegisters;

  constructor(
    private readonly state: CoreState,
    private readonly identity: Identity,
    private readonly highestEl: number,
  ) {
    const { has } = identity;
    this.exists = systemRegisters.map((row) => row.feature === undefined || has(row.feature));
    this.readFrom = systemRegisters.map((row) => minimum(row.read));
    this.writeFrom = systemRegisters.map((row, i) => (i === CNTFRQ ? highestEl : minimum(row.write)));
    const masks = systemRegisters.map((row) => writableMask(row, has));
    this.maskLo = Uint32Array.from(masks, (m) => Number(m & 0xffffffffn));
    this.maskHi = Uint32Array.from(masks, (m) => Number(m >> 32n));
    this.idst = has('FEAT_IDST');
    this.relaid = new RelaidRegisters(state, has);
  }

  /** Reset values of all registers. */
  reset(): void {
    systemRegisters.forEach((row, index) => {
      const value = row.reset === 'id' ? (this.identity.values.get(row.name) ?? 0n) : this.resetOf(row, row.reset);
      this.state.store(index, Number(value >> 32n), Number(value & 0xffffffffn));
    });
  }

  /** Overrides may also make a constant with a fixed value lie. */
  private resetOf(row: SystemRegisterRow, reset: bigint): bigint {
    return row.behaviour === 'constant' ? (this.identity.values.get(row.name) ?? reset) : reset;
  }

  /** Storage index of the register with this 16-bit key, or -1. */
  find(key: number): number {
    const index = byEncoding(key);
    return index >= 0 && this.exists[index] ? index : -1;
  }

  /** FEAT_IDST: a read of the feature ID space that is UNDEFINED is reported as a trap. */
  reportsRead(key: number): boolean {
    return this.idst && isIdSpace(key);
  }

  /** Whether the current level may access the register, and what happens if not. */
  check(core: CoreParts, index: number, write: boolean): Access {
    const { state } = this;
    const { el } = state;
    if (index < 0) return 'undefined';
    const from = write ? this.writeFrom[index] : this.readFrom[index];
    if (el < from || from === NOWHERE) return 'undefined';
    if (behaviourByIndex[index]?.undefined?.(core, el, index)) return 'undefined';
    if (systemRegisters[index].needs === 'fp' && state.get('fpTrap') !== 0) return 'fp';
    return firstTrap(traps[index], state, core.levels, write) ?? 'ok';
  }

  read(core: CoreParts, index: number, el: number, out: { hi: number; lo: number }): void {
    const read = behaviourByIndex[index]?.read;
    if (read) read(core, out, el, index);
    else {
      out.hi = this.state.hi(index);
      out.lo = this.state.lo(index);
    }
  }

  /** A read by the guest, with its effects. */
  access(core: CoreParts, index: number, out: { hi: number; lo: number }): void {
    const access = behaviourByIndex[index]?.access;
    if (access) access(core, out, index);
    else this.read(core, index, core.state.el, out);
  }

  write(core: CoreParts, index: number, hi: number, lo: number): void {
    if (systemRegisters[index].behaviour === 'constant') return;
    const write = behaviourByIndex[index]?.write;
    if (write) write(core, hi, lo, index);
    else this.storeMasked(index, hi, lo);
  }

  storeMasked(index: number, hi: number, lo: number): void {
    const { state } = this;
    if (this.relaid.has(index)) {
      this.relaid.store(index, hi, lo, state.bit(E2H));
      return;
    }
    const maskLo = this.maskLo[index];
    const maskHi = this.maskHi[index];
    state.store(
      index,
      ((state.hi(index) & ~maskHi) | (hi & maskHi)) >>> 0,
      ((state.lo(index) & ~maskLo) | (lo & maskLo)) >>> 0,
    );
  }

  /** Whether a write can change anything: some level may write it and it is no constant. */
  writable(index: number): boolean {
    return systemRegisters[index].behaviour !== 'constant' && this.writeFrom[index] !== NOWHERE;
  }
  /** Whether the core has it. One that can only be written is there for a write alone. */
  present(index: number, core: CoreParts, to: 'read' | 'write' = 'read'): boolean {
    const isReadable = this.readFrom[index] !== NOWHERE;
    const from = to === 'read' || isReadable ? this.readFrom[index] : this.writeFrom[index];
    if (!this.exists[index] || from === NOWHERE) return false;
    if (from > this.highestEl) return false;
    return !behaviourByIndex[index]?.undefined?.(core, this.highestEl, index);
  }
}
