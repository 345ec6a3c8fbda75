/**
 * Trap rules that many registers share, in the order in which the manual's accessor pseudocode checks them: EL0's enables
 * first, then EL2's, then EL3's.
 */
import type { TrapRule } from './types';

const EL0 = [0] as const;
const EL1 = [1] as const;
const EL01 = [0, 1] as const;
const EL12 = [1, 2] as const;
const EL012 = [0, 1, 2] as const;

const toEl2 = (control: string, from: TrapRule['from'] = EL1): TrapRule => ({ control, value: 1, from, to: 2 });
const toEl3 = (control: string, from: TrapRule['from'] = EL12): TrapRule => ({ control, value: 1, from, to: 3 });
const enable = (control: string): TrapRule => ({ control, value: 0, from: EL0, to: 1 });

/** HCR_EL2.TVM traps writes, TRVM reads, of the stage 1 control registers from EL1. */
export const VIRTUAL_MEMORY: readonly TrapRule[] = [
  { control: 'HCR_EL2.TRVM', value: 1, from: EL1, access: 'read', to: 2 },
  { control: 'HCR_EL2.TVM', value: 1, from: EL1, access: 'write', to: 2 },
];

export const TID1 = [toEl2('HCR_EL2.TID1')];
export const TID3 = [toEl2('HCR_EL2.TID3')];

/** Cache ID registers: everything by TID2, all but CTR_EL0 by TID4 as well (FEAT_EVT). */
export const TID2_TID4 = [toEl2('HCR_EL2.TID2'), toEl2('HCR_EL2.TID4')];
export const CTR = [enable('SCTLR_EL1.UCT'), toEl2('HCR_EL2.TID2', EL01)];

export const TLOR: readonly TrapRule[] = [toEl2('HCR_EL2.TLOR'), toEl3('SCR_EL3.TLOR')];
/** Keys of pointer authentication. */
export const PAUTH_KEY: readonly TrapRule[] = [
  { control: 'HCR_EL2.APK', value: 0, from: EL1, to: 2 },
  { control: 'SCR_EL3.APK', value: 0, from: EL12, to: 3 },
];

/** Error record registers. */
export const ERRORS = [toEl2('HCR_EL2.TERR'), toEl3('SCR_EL3.TERR')];

export const TACR = [toEl2('HCR_EL2.TACR')];
export const TIDCP = [toEl2('HCR_EL2.TIDCP', EL01)];
export const USER_MASK = [enable('SCTLR_EL1.UMA')];

export const CPACR = [toEl2('CPTR_EL2.TCPAC'), toEl3('CPTR_EL3.TCPAC')];
export const CPTR2 = [{ control: 'CPTR_EL3.TCPAC', value: 1, from: [2], to: 3 }] as const satisfies readonly TrapRule[];

/** Debug registers by group: all of them, the OS lock and power-down ones, the ROM address ones. */
export const DEBUG = [toEl2('MDCR_EL2.TDA'), toEl3('MDCR_EL3.TDA')];
export const DEBUG_OS = [toEl2('MDCR_EL2.TDOSA'), toEl3('MDCR_EL3.TDOSA')];
export const DEBUG_ROM = [toEl2('MDCR_EL2.TDRA'), toEl3('MDCR_EL3.TDA')];
export const DEBUG_EL2 = [
  { control: 'MDCR_EL3.TDA', value: 1, from: [2], to: 3 },
] as const satisfies readonly TrapRule[];
/** The debug communications channel, which EL0 may use unless MDSCR_EL1.TDCC is set. */
export const DEBUG_CHANNEL: readonly TrapRule[] = [
  { control: 'MDSCR_EL1.TDCC', value: 1, from: EL0, to: 1 },
  toEl2('MDCR_EL2.TDA', EL01),
  toEl3('MDCR_EL3.TDA', EL012),
];

const pmuEl23 = [toEl2('MDCR_EL2.TPM', EL01), toEl3('MDCR_EL3.TPM', EL012)];
/** Performance monitors: EL0 needs PMUSERENR_EL0.EN, or for some the finer enable as well. */
export const PMU: readonly TrapRule[] = [enable('PMUSERENR_EL0.EN'), ...pmuEl23];
export const PMU_EL1: readonly TrapRule[] = [toEl2('MDCR_EL2.TPM'), toEl3('MDCR_EL3.TPM')];
export const PMU_CONTROL: readonly TrapRule[] = [
  enable('PMUSERENR_EL0.EN'),
  toEl2('MDCR_EL2.TPM', EL01),
  toEl2('MDCR_EL2.TPMCR', EL01),
  toEl3('MDCR_EL3.TPM', EL012),
];
/** Writes to PMUSERENR_EL0 from EL0 always trap; reads are free apart from TPM. */
export const PMU_USER: readonly TrapRule[] = pmuEl23;
/** `finer` opens reads (or, for PMSWINC_EL0, writes) to EL0 while EN is 0. */
export const pmuFiner = (finer: string, access: 'read' | 'write' | 'both'): readonly TrapRule[] => {
  const both = { control: 'PMUSERENR_EL0.EN', value: 0, and: { control: finer, value: 0 }, from: EL0, to: 1 } as const;
  const closed = { control: 'PMUSERENR_EL0.EN', value: 0, from: EL0, to: 1 } as const;
  if (access === 'both') return [both, ...pmuEl23];
  const other = access === 'read' ? 'write' : 'read';
  return [{ ...both, access }, { ...closed, access: other }, ...pmuEl23];
};

/** Generic timer. CNTHCTL_EL2's bits also apply to EL0 when the EL1 control lets the access through. */
export const COUNTER_PHYSICAL: readonly TrapRule[] = [
  enable('CNTKCTL_EL1.EL0PCTEN'),
  { control: 'CNTHCTL_EL2.EL1PCTEN', underE2h: 'EL1PCTEN', value: 0, from: EL01, to: 2 },
];
export const COUNTER_VIRTUAL: readonly TrapRule[] = [
  enable('CNTKCTL_EL1.EL0VCTEN'),
  { control: 'CNTHCTL_EL2.EL1TVCT', underE2h: 'EL1TVCT', value: 1, from: EL01, to: 2 },
];
export const COUNTER_FREQUENCY: readonly TrapRule[] = [
  {
    control: 'CNTKCTL_EL1.EL0PCTEN',
    value: 0,
    and: { control: 'CNTKCTL_EL1.EL0VCTEN', value: 0 },
    from: EL0,
    to: 1,
  },
];
export const TIMER_PHYSICAL: readonly TrapRule[] = [
  enable('CNTKCTL_EL1.EL0PTEN'),
  { control: 'CNTHCTL_EL2.EL1PCEN', underE2h: 'EL1PTEN', value: 0, from: EL01, to: 2 },
];
export const TIMER_VIRTUAL: readonly TrapRule[] = [
  enable('CNTKCTL_EL1.EL0VTEN'),
  { control: 'CNTHCTL_EL2.EL1TVT', underE2h: 'EL1TVT', value: 1, from: EL01, to: 2 },
];
export const POFF: readonly TrapRule[] = [{ control: 'SCR_EL3.ECVEn', value: 0, from: [2], to: 3 }];
export const TIMER_SECURE: readonly TrapRule[] = [{ control: 'SCR_EL3.ST', value: 0, from: EL1, to: 3 }];

/**
 * GIC CPU interface registers at EL1: ICH_HCR_EL2's traps; with HCR_EL2.FMO or IMO set the virtual registers take the access,
 * else SCR_EL3.{FIQ,IRQ} trap it, as at EL2. Group 0 is FIQ's, group 1 IRQ's; what serves both groups is virtual with either and
 * trapped to EL3 with both.
 */
const FMO = { control: 'HCR_EL2.FMO', value: 1 } as const;
const IMO = { control: 'HCR_EL2.IMO', value: 1 } as const;
const EL2 = [2] as const;
const one = (control: string): TrapRule[] => [
  { control: `SCR_EL3.${control}`, value: 1, unless: [control === 'FIQ' ? FMO : IMO], from: EL1, to: 3 },
  { control: `SCR_EL3.${control}`, value: 1, from: EL2, to: 3 },
];
const both: readonly TrapRule[] = [
  { control: 'SCR_EL3.FIQ', value: 1, and: { control: 'SCR_EL3.IRQ', value: 1 }, unless: [FMO, IMO], from: EL1, to: 3 },
  { control: 'SCR_EL3.FIQ', value: 1, and: { control: 'SCR_EL3.IRQ', value: 1 }, from: EL2, to: 3 },
];
export const ICC_GROUP0: readonly TrapRule[] = [toEl2('ICH_HCR_EL2.TALL0'), ...one('FIQ')];
export const ICC_GROUP1: readonly TrapRule[] = [toEl2('ICH_HCR_EL2.TALL1'), ...one('IRQ')];
export const ICC_COMMON: readonly TrapRule[] = [toEl2('ICH_HCR_EL2.TC'), ...both];
export const ICC_DEACTIVATE: readonly TrapRule[] = [toEl2('ICH_HCR_EL2.TC'), toEl2('ICH_HCR_EL2.TDIR'), ...both];
/** Software interrupts have no virtual form. */
export const ICC_SGI: readonly TrapRule[] = [
  toEl2('ICH_HCR_EL2.TC'),
  toEl2('HCR_EL2.FMO'),
  toEl2('HCR_EL2.IMO'),
  ...both,
];
const SRE3: TrapRule = { control: 'ICC_SRE_EL3.Enable', value: 0, from: EL12, to: 3 };
export const ICC_SRE1: readonly TrapRule[] = [{ control: 'ICC_SRE_EL2.Enable', value: 0, from: EL1, to: 2 }, SRE3];
export const ICC_SRE2: readonly TrapRule[] = [{ ...SRE3, from: EL2 }];
