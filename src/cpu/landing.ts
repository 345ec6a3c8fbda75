/** Which instructions a branch may come to in a guarded page: BTypeCompatible. */
import { wordTest } from '../arch/instructions';

const [isBti, isBrk, isHlt] = [wordTest('BTI'), wordTest('BRK'), wordTest('HLT')];
/** BTI's op<1:0>. */
const OP_SHIFT = 6;
const PACIASP = 0xd503233f;
const PACIBSP = 0xd503237f;

/** BTI c takes calls and jumps through X16 and X17, BTI j jumps, BTI jc all, plain BTI nothing. */
const takes = [[], [1, 2], [1, 3], [1, 2, 3]] as const satisfies readonly (readonly number[])[];

/** @param type PSTATE.BTYPE, not 0. @param stopsAtPac SCTLR_ELx.BT: jumps may not come to PACIASP and PACIBSP. */
export function isLandingPad(word: number, type: number, stopsAtPac: () => boolean): boolean {
  const w = word >>> 0;
  if (isBti(w)) return (takes[(w >>> OP_SHIFT) & 3] as readonly number[]).includes(type);
  if (w === PACIASP || w === PACIBSP) return type !== 3 || !stopsAtPac();
  return isBrk(w) || isHlt(w);
}
