/**
 * Who takes floating-point and SIMD instructions at the current level: AArch64.CheckFPAdvSIMDEnabled. The answer is kept in
 * the core block for generated code, and worked out anew when the level or a register that it depends on changes.
 */
import { type ControlField, controls, registerIndex } from './controls';
import type { Levels } from './levels';
import type { CoreState } from './state';

/** They execute; trap to that level; or are reported to EL2 as UNDEFINED, which TGE makes of EL1's trap. */
export const FpTrap = { none: 0, el1: 1, el2: 2, el3: 3, unknownEl2: 4 } as const;
export type FpTrap = (typeof FpTrap)[keyof typeof FpTrap];

const C = controls({
  E2H: 'HCR_EL2.E2H',
  FPEN: 'CPACR_EL1.FPEN',
  TFP2: 'CPTR_EL2.TFP',
  TFP3: 'CPTR_EL3.TFP',
});

/** Under HCR_EL2.E2H, CPTR_EL2 is laid out as CPACR_EL1. */
const FPEN2: ControlField = { ...C.FPEN, word: registerIndex('CPTR_EL2') * 2, el: 2, name: 'CPTR_EL2.FPEN' };

/** Values of an FPEN field: 3 traps nothing, 1 EL0 only, 0 and 2 everything. */
const fpenTraps = (fpen: number, fromEl0: boolean): boolean => fpen !== 3 && (fpen !== 1 || fromEl0);

export function fpTrapOf(state: CoreState, levels: Levels): FpTrap {
  const { el } = state;
  const host = levels.hcr(C.E2H);
  const inHost = host && (el === 2 || (el === 0 && levels.tge()));
  if (el <= 1 && !inHost && fpenTraps(state.field(C.FPEN), el === 0))
    return levels.tge() ? FpTrap.unknownEl2 : FpTrap.el1;
  const atEl2 = host ? fpenTraps(state.field(FPEN2), el === 0 && levels.tge()) : levels.hcr(C.TFP2);
  if (el <= 2 && atEl2) return FpTrap.el2;
  return levels.highestEl === 3 && state.bit(C.TFP3) ? FpTrap.el3 : FpTrap.none;
}
