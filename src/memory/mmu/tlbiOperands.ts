/**
 * Which TLB entries a TLBI names: its row, its operand Xt and the context of the regime that it works on. Operands: VA[55:12]
 * or IPA[47:12] in bits 43:0 with the level hint (FEAT_TTL, not used: more may always go) above, ASID in 63:48; of range
 * operations (FEAT_TLBIRANGE) ASID, TG in 47:46, SCALE in 45:44, NUM in 43:39, the hint in 38:37, the base in 36:0.
 */
import type { SystemOperationRow } from '../../arch/sysops/index';
import type { TranslationContext } from '../types';
import { Regime, type TlbSelector } from './tlb';

const bit = (regime: keyof typeof Regime): number => 1 << Regime[regime];
const ANY_EL2 = bit('EL2') | bit('EL2&0');
const TWO32 = 2 ** 32;
/** Address bits 55:48 and 63:56 in an upper word. */
const VA_HI = 0x00ffffff;
const IPA_HI = 0x0000ffff;

export const newSelector = (): TlbSelector => ({
  regimes: 0,
  secure: false,
  vmid: -1,
  asid: -1,
  globalToo: false,
  byAddress: false,
  vaHi: 0,
  vaLo: 0,
  bytes: 0,
});

/** `context.regime` is 'EL2&0' for EL1's operations in a host, too. */
function regimesOf(row: SystemOperationRow, context: TranslationContext): number {
  if (row.stage === 2) return bit('stage 2');
  const own = bit(context.regime);
  if (row.operand === 'none' && row.regime === 'EL2') return ANY_EL2;
  return row.stage === 12 ? own | bit('stage 2') : own;
}

/** Base and length of a range operation; a reserved granule names nothing. */
function selectRange(s: TlbSelector, row: SystemOperationRow, hi: number, lo: number): void {
  const granuleLog2 = [0, 12, 14, 16][(hi >>> 14) & 3];
  if (granuleLog2 === 0) {
    s.regimes = 0;
    return;
  }
  const unsigned = (hi & 0x1f) * TWO32 + (lo >>> 0);
  const page = row.stage !== 2 && hi & 0x10 ? unsigned - 2 ** 37 : unsigned;
  const base = page * 2 ** granuleLog2;
  s.vaHi = Math.floor(base / TWO32) & (row.stage === 2 ? IPA_HI : VA_HI);
  s.vaLo = base | 0;
  s.bytes = (((hi >>> 7) & 0x1f) + 1) * 2 ** (5 * ((hi >>> 12) & 3) + 1 + granuleLog2);
}

/** Fills `s` for one operation. */
export function select(
  s: TlbSelector,
  row: SystemOperationRow,
  hi: number,
  lo: number,
  context: TranslationContext,
): void {
  s.regimes = regimesOf(row, context);
  s.secure = context.secure;
  s.vmid = context.regime === 'EL1&0' && row.allVmids !== true ? context.vmid : -1;
  const { operand } = row;
  const withAsid = row.asid === true && context.twoRanges;
  s.asid = withAsid ? hi >>> 16 : -1;
  s.globalToo = operand !== 'asid';
  s.byAddress = operand === 'va' || operand === 'va+asid' || operand === 'ipa';
  s.bytes = 0;
  s.vaHi = ((hi << 12) | (lo >>> 20)) & (row.stage === 2 ? IPA_HI : VA_HI);
  s.vaLo = lo << 12;
  if (operand === 'range') selectRange(s, row, hi, lo);
}
