/**
 * What pointer authentication asks of the current level, kept in the core block for generated code: enables, traps, and where the
 * code stands in a pointer. Shared pseudocode: CalculateBottomPACBit, EffectiveTBI, and the head of AddPACIA and its kin.
 */
import type { HasFeature } from '../arch/features/index';
import { PauthFlag } from '../arch/pointerAuthentication';
import type { TranslationContext, TranslationRange } from '../memory/types';
import { controls } from './controls';
import { coreLayout } from './layout';
import type { Levels } from './levels';
import type { CoreState } from './state';

const keys = (el: number) =>
  controls({
    IA: `SCTLR_EL${el}.EnIA`,
    IB: `SCTLR_EL${el}.EnIB`,
    DA: `SCTLR_EL${el}.EnDA`,
    DB: `SCTLR_EL${el}.EnDB`,
  });
/** By the level whose SCTLR it is, minus one. */
const enables = [1, 2, 3].map((el) => Object.values(keys(el)));
const C = controls({ API2: 'HCR_EL2.API', API3: 'SCR_EL3.API' });
const MASKS = coreLayout.pauthMasks[0] >> 2;

/** Sizes of addresses that TCR's fields can ask for. */
const MOST_BITS = 48;
const LEAST_BITS = 25;

/** Flags that follow from the core's features alone. */
const featureFlags = (has: HasFeature): number =>
  (has('FEAT_EPAC') ? PauthFlag.EPAC : 0) |
  (has('FEAT_PAuth2') ? PauthFlag.PAuth2 : 0) |
  (has('FEAT_FPAC') ? PauthFlag.FPAC : 0) |
  (has('FEAT_FPACCOMBINE') ? PauthFlag.FPACCOMBINE : 0) |
  (has('FEAT_PACIMP') ? PauthFlag.IMP : 0);

export class PointerAuthentication {
  private readonly features: number;
  private readonly exists: boolean;

  constructor(
    private readonly block: number,
    private readonly state: CoreState,
    private readonly levels: Levels,
    has: HasFeature,
  ) {
    this.exists = has('FEAT_PAuth');
    this.features = featureFlags(has);
  }

  /** The level, or a register that this depends on, has changed. */
  refresh(context: TranslationContext): void {
    if (!this.exists) return;
    const { state, levels } = this;
    const { el } = state;
    const owner = el > 0 ? el : levels.host() ? 2 : 1;
    let flags = this.features | (this.trap() << PauthFlag.trapShift);
    for (const [key, field] of enables[owner - 1].entries()) if (state.bit(field)) flags |= PauthFlag.enabled << key;
    const [low, high] = [context.ranges[0], context.ranges[context.twoRanges ? 1 : 0]];
    const byInstruction = [low, high].map((range) => range.tbi && !range.tbid);
    if (byInstruction[0] || byInstruction[1]) flags |= PauthFlag.instructionsBy55;
    if (low.tbi || high.tbi) flags |= PauthFlag.dataBy55;
    state.set('pauthFlags', flags);
    this.setMask(0, low, byInstruction[0]);
    this.setMask(1, high, byInstruction[1]);
    this.setMask(2, low, low.tbi);
    this.setMask(3, high, high.tbi);
  }

  /** TrapPACUse(): the level that traps the instructions, or 0. A host at EL2 does not trap its own EL0. */
  private trap(): number {
    const { state, levels } = this;
    const { el } = state;
    if (el <= 1 && levels.el2Enabled() && !state.bit(C.API2) && !(el === 0 && levels.host())) return 2;
    return el < 3 && levels.highestEl === 3 && !state.bit(C.API3) ? 3 : 0;
  }

  /** Bits from the lowest that no address uses up to 54 or, where there is no tag, 63. */
  private setMask(index: number, range: TranslationRange, tagged: boolean): void {
    const bottom = Math.min(Math.max(range.vaBits, LEAST_BITS), MOST_BITS);
    const at = (this.block >> 2) + MASKS + 2 * index;
    const top = tagged ? 0x00ffffff : 0xffffffff;
    this.state.u32[at] = bottom >= 32 ? 0 : 0xffffffff << bottom;
    this.state.u32[at + 1] = bottom > 32 ? top & (0xffffffff << (bottom - 32)) : top;
  }
}
