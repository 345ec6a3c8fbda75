/**
 * Performance monitors: the cycle counter and six event counters, as the preset cores have. Registers of counters beyond them
 * do not exist, their bits are RAZ/WI. The events are in performanceEvents.ts.
 */
import { commonEvents } from '../performanceEvents';
import { LOW32, rowsOf } from './row';
import { PMU, PMU_CONTROL, PMU_EL1, PMU_USER, pmuFiner } from './traps';
import type { SystemRegisterRow } from './types';

const pmu = rowsOf({ group: 'performance', read: 0, write: 0, reset: 0n, behaviour: 'storage' });
const T = { traps: PMU } as const;

export const EVENT_COUNTERS = 6;

const counters = (what: string): string => `
  63:32 RES0
  31 C ${what} of the cycle counter
  30:${EVENT_COUNTERS} RES0
  ${EVENT_COUNTERS - 1}:0 P ${what}s of the event counters`;

const events = (base: number): string => `
  63:32 RES0
  31:0 ID events ${base} to ${base + 31}, a bit each`;

const filter = `
  63:32 RES0
  31 P counts at EL1 {0 yes; 1 no}
  30 U counts at EL0 {0 yes; 1 no}
  29 NSK Non-secure EL1 differs from P
  28 NSU Non-secure EL0 differs from U
  27 NSH counts at EL2 {0 no; 1 yes}
  26 M Secure EL3 differs from P
  25:0 RES0`;
/** PMEVTYPER<n>_EL0: the same with an event. */
const eventType = filter.replace(
  '25:0 RES0',
  `25:16 RES0
  15:10 evtCount1 [FEAT_PMUv3p1] upper bits of the event
  9:0 evtCount event`,
);

export const performanceRows: readonly SystemRegisterRow[] = [
  pmu(
    'PMCR_EL0',
    '3 3 9 12 0',
    'Performance Monitors Control Register',
    `
    63:33 RES0
    32 FZS [FEAT_SPEv1p2]
    31:24 IMP [ro] implementer
    23:16 IDCODE [ro] identification
    15:11 N [ro] number of event counters
    10 RES0
    9 FZO [FEAT_PMUv3p7]
    8 RES0
    7 LP [FEAT_PMUv3p5]
    6 LC cycle counter overflows at {0 32 bits; 1 64 bits}
    5 DP cycle counter where counting is prohibited {0 counts; 1 stops}
    4 X events to the trace unit {0 no; 1 yes}
    3 D cycle counter counts {0 every cycle; 1 every 64th}
    2 C write one to reset the cycle counter
    1 P write one to reset the event counters
    0 E counters {0 off; 1 on}`,
    { behaviour: 'PMCR_EL0', traps: PMU_CONTROL, reset: 0x41000000n | BigInt(EVENT_COUNTERS << 11) },
  ),
  pmu('PMCNTENSET_EL0', '3 3 9 12 1', 'Performance Monitors Count Enable Set register', counters('enable'), {
    ...T,
    behaviour: 'PMCNTENSET_EL0',
  }),
  pmu('PMCNTENCLR_EL0', '3 3 9 12 2', 'Performance Monitors Count Enable Clear register', counters('enable'), {
    ...T,
    behaviour: 'PMCNTENCLR_EL0',
  }),
  pmu('PMOVSCLR_EL0', '3 3 9 12 3', 'Performance Monitors Overflow Flag Status Clear Register', counters('overflow'), {
    ...T,
    behaviour: 'PMOVSCLR_EL0',
  }),
  pmu('PMSWINC_EL0', '3 3 9 12 4', 'Performance Monitors Software Increment register', LOW32, {
    read: 'none',
    behaviour: 'PMSWINC_EL0',
    traps: pmuFiner('PMUSERENR_EL0.SW', 'write'),
  }),
  pmu(
    'PMSELR_EL0',
    '3 3 9 12 5',
    'Performance Monitors Event Counter Selection Register',
    `
    63:5 RES0
    4:0 SEL counter of PMXEVTYPER_EL0 and PMXEVCNTR_EL0 {31 the cycle counter}`,
    { traps: pmuFiner('PMUSERENR_EL0.ER', 'both') },
  ),
  pmu('PMCEID0_EL0', '3 3 9 12 6', 'Performance Monitors Common Event Identification register 0', events(0), {
    ...T,
    write: 'none',
    behaviour: 'constant',
    reset: commonEvents(0),
  }),
  pmu('PMCEID1_EL0', '3 3 9 12 7', 'Performance Monitors Common Event Identification register 1', events(32), {
    ...T,
    write: 'none',
    behaviour: 'constant',
    reset: commonEvents(1),
  }),
  pmu('PMCCNTR_EL0', '3 3 9 13 0', 'Performance Monitors Cycle Count Register', '63:0 CCNT cycles', {
    behaviour: 'PMCCNTR_EL0',
    traps: pmuFiner('PMUSERENR_EL0.CR', 'read'),
  }),
  pmu('PMXEVTYPER_EL0', '3 3 9 13 1', 'Performance Monitors Selected Event Type Register', eventType, {
    ...T,
    behaviour: 'PMXEVTYPER_EL0',
    note: 'PMEVTYPER<n>_EL0 of the counter that PMSELR_EL0.SEL selects, PMCCFILTR_EL0 for 31',
  }),
  pmu('PMXEVCNTR_EL0', '3 3 9 13 2', 'Performance Monitors Selected Event Count Register', LOW32, {
    behaviour: 'PMXEVCNTR_EL0',
    traps: pmuFiner('PMUSERENR_EL0.ER', 'read'),
    note: 'PMEVCNTR<n>_EL0 of the counter that PMSELR_EL0.SEL selects',
  }),
  ...Array.from({ length: EVENT_COUNTERS }, (_, n) =>
    pmu(`PMEVCNTR${n}_EL0`, `3 3 14 8 ${n}`, 'Performance Monitors Event Count Registers', LOW32, {
      behaviour: 'PMEVCNTR_EL0',
      traps: pmuFiner('PMUSERENR_EL0.ER', 'read'),
    }),
  ),
  ...Array.from({ length: EVENT_COUNTERS }, (_, n) =>
    pmu(`PMEVTYPER${n}_EL0`, `3 3 14 12 ${n}`, 'Performance Monitors Event Type Registers', eventType, {
      ...T,
      behaviour: 'PMEVTYPER_EL0',
    }),
  ),
  pmu(
    'PMUSERENR_EL0',
    '3 3 9 14 0',
    'Performance Monitors User Enable Register',
    `
    63:7 RES0
    6 TID [FEAT_PMUv3p9]
    5 IR [FEAT_PMUv3_ICNTR]
    4 UEN [FEAT_PMUv3p9]
    3 ER event counters at EL0 {0 trapped; 1 read}
    2 CR cycle counter at EL0 {0 trapped; 1 read}
    1 SW PMSWINC_EL0 at EL0 {0 trapped; 1 allowed}
    0 EN all of the monitors at EL0 {0 trapped; 1 allowed}`,
    { write: 1, traps: PMU_USER },
  ),
  pmu('PMINTENSET_EL1', '3 0 9 14 1', 'Performance Monitors Interrupt Enable Set register', counters('interrupt'), {
    read: 1,
    write: 1,
    behaviour: 'PMINTENSET_EL1',
    traps: PMU_EL1,
  }),
  pmu('PMINTENCLR_EL1', '3 0 9 14 2', 'Performance Monitors Interrupt Enable Clear register', counters('interrupt'), {
    read: 1,
    write: 1,
    behaviour: 'PMINTENCLR_EL1',
    traps: PMU_EL1,
  }),
  pmu('PMOVSSET_EL0', '3 3 9 14 3', 'Performance Monitors Overflow Flag Status Set register', counters('overflow'), {
    ...T,
    behaviour: 'PMOVSSET_EL0',
  }),
  pmu('PMCCFILTR_EL0', '3 3 14 15 7', 'Performance Monitors Cycle Count Filter Register', filter, {
    ...T,
    behaviour: 'PMCCFILTR_EL0',
  }),
];
