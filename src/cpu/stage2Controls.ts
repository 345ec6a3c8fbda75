/**
 * Stage 2's controls, decoded from VTCR_EL2, VTTBR_EL2, HCR_EL2 and SCTLR_EL2. Section: VTCR_EL2; AArch64.S2InvalidSL,
 * S2InconsistentSL, S2InvalidTxSZ. An IPA size above the physical one is a translation fault (CONSTRAINED UNPREDICTABLE).
 */
import type { Stage2Controls } from '../memory/types';
import { controls, registerIndex } from './controls';
import { paRangeBits } from './identity';
import type { CoreState } from './state';

const C = controls({
  T0SZ: 'VTCR_EL2.T0SZ',
  SL0: 'VTCR_EL2.SL0',
  TG0: 'VTCR_EL2.TG0',
  PS: 'VTCR_EL2.PS',
  IRGN0: 'VTCR_EL2.IRGN0',
  ORGN0: 'VTCR_EL2.ORGN0',
  HA: 'VTCR_EL2.HA',
  HD: 'VTCR_EL2.HD',
  FWB: 'HCR_EL2.FWB',
  CD: 'HCR_EL2.CD',
  ID: 'HCR_EL2.ID',
  PTW: 'HCR_EL2.PTW',
  EE: 'SCTLR_EL2.EE',
});
const VTTBR = registerIndex('VTTBR_EL2');
/** Reserved chooses 4 KB. */
const GRANULES = [12, 16, 14, 12] as const;
const MIN_IPA_BITS = 25;
const MAX_IPA_BITS = 48;
/** Tables of the first level that may stand side by side: 16. */
const CONCATENATED_LOG2 = 4;

export const noStage2 = (): Stage2Controls => ({
  valid: false,
  base: 0,
  ipaBits: 0,
  granuleLog2: 12,
  startLevel: 0,
  psBits: 0,
  walkCacheable: false,
  bigEndianWalks: false,
  hardwareFlag: false,
  hardwareDirty: false,
  xnx: false,
  forcedWriteBack: false,
  dataUncached: false,
  fetchUncached: false,
  protectedWalks: false,
});

/** The smallest physical size (in bits, exclusive) with which a walk may start at level 0 or 1. */
function levelExists(granuleLog2: number, level: number, paBits: number): boolean {
  if (granuleLog2 === 12) return level >= 1 || (level === 0 && paBits > 42);
  if (granuleLog2 === 14) return level >= 2 || (level === 1 && paBits > 40);
  return level >= 2 || (level === 1 && paBits > 42);
}

function fits(s2: Stage2Controls, paBits: number): boolean {
  if (s2.ipaBits < MIN_IPA_BITS || s2.ipaBits > MAX_IPA_BITS || s2.ipaBits > paBits) return false;
  if (!levelExists(s2.granuleLog2, s2.startLevel, paBits)) return false;
  const stride = s2.granuleLog2 - 3;
  const indexBits = s2.ipaBits - (s2.granuleLog2 + (3 - s2.startLevel) * stride);
  return indexBits >= 1 && indexBits <= stride + CONCATENATED_LOG2;
}

export function decodeStage2(
  s2: Stage2Controls,
  state: CoreState,
  paBits: number,
  granule16: boolean,
  xnx: boolean,
): void {
  const granule = GRANULES[state.field(C.TG0)];
  s2.granuleLog2 = granule === 14 && !granule16 ? 12 : granule;
  s2.ipaBits = 64 - state.field(C.T0SZ);
  s2.startLevel = (s2.granuleLog2 === 12 ? 2 : 3) - state.field(C.SL0);
  s2.psBits = Math.min(paRangeBits[Math.min(state.field(C.PS), 5)], paBits);
  s2.walkCacheable = state.field(C.IRGN0) !== 0 && state.field(C.ORGN0) !== 0;
  s2.bigEndianWalks = state.bit(C.EE);
  s2.hardwareFlag = state.bit(C.HA);
  s2.hardwareDirty = s2.hardwareFlag && state.bit(C.HD);
  s2.xnx = xnx;
  s2.forcedWriteBack = state.bit(C.FWB);
  s2.dataUncached = state.bit(C.CD);
  s2.fetchUncached = state.bit(C.ID);
  s2.protectedWalks = state.bit(C.PTW);
  s2.valid = fits(s2, paBits);
  const base = (state.hi(VTTBR) & 0xffff) * 2 ** 32 + ((state.lo(VTTBR) & ~1) >>> 0);
  const shift = s2.granuleLog2 + (3 - s2.startLevel) * (s2.granuleLog2 - 3);
  s2.base = s2.valid ? base - (base % (8 * 2 ** (s2.ipaBits - shift))) : 0;
}

/** The part of a context key that HCR_EL2's stage 2 bits are, from bit 7 on. */
export const stage2Key = (s2: Stage2Controls): number =>
  128 | (s2.forcedWriteBack ? 256 : 0) | (s2.dataUncached ? 512 : 0) | (s2.fetchUncached ? 1024 : 0);
