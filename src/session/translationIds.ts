/** Whose translations a core uses: the level of its regime, its ASID and VMID. Peeks. */
import type { CoreView } from '../machine/api';

export const bit = (value: bigint | undefined, n: number): boolean => (((value ?? 0n) >> BigInt(n)) & 1n) === 1n;
const upper16 = (value: bigint | undefined): number => Number(((value ?? 0n) >> 48n) & 0xffffn);

/** HCR_EL2.{E2H,TGE}. */
const E2H = 34;
const TGE = 27;

/** The level whose registers control translation at the core's own: EL0's is EL1, or its host. */
export function regimeLevel(core: CoreView): number {
  const hcr = core.peekSystem('HCR_EL2');
  return core.el > 0 ? core.el : bit(hcr, E2H) && bit(hcr, TGE) ? 2 : 1;
}

/** The ASID in use: of TTBR1 if TCR_ELx.A1 says so. */
export function asidOf(core: CoreView): number | undefined {
  const el = regimeLevel(core);
  if (el === 3 || (el === 2 && !bit(core.peekSystem('HCR_EL2'), E2H))) return undefined;
  const a1 = bit(core.peekSystem(`TCR_EL${el}`), 22);
  return upper16(core.peekSystem(`TTBR${a1 ? 1 : 0}_EL${el}`));
}

/** VTCR_EL2.VS. */
const VS = 19;

/** The VMID of the guest that runs; undefined while stage 2 is off. */
export function vmidOf(core: CoreView): number | undefined {
  const vttbr = core.peekSystem('VTTBR_EL2');
  if (regimeLevel(core) > 1 || vttbr === undefined || !bit(core.peekSystem('HCR_EL2'), 0)) return undefined;
  return bit(core.peekSystem('VTCR_EL2'), VS) ? upper16(vttbr) : upper16(vttbr) & 0xff;
}
