/** The generic timer's registers in the core. CNT*_TVAL and CNT*_CVAL are two views of one comparator. */
import { LOW32, rowsOf, underE2h, WHOLE } from './row';
import {
  COUNTER_FREQUENCY,
  COUNTER_PHYSICAL,
  COUNTER_VIRTUAL,
  POFF,
  TIMER_PHYSICAL,
  TIMER_SECURE,
  TIMER_VIRTUAL,
} from './traps';
import type { MinimumEl, SystemRegisterRow, TrapRule } from './types';

const timer = rowsOf({ group: 'timer', read: 0, write: 0, reset: 0n, behaviour: 'storage' });

const ctl = `
  63:3 RES0
  2 ISTATUS [ro] the condition {0 is not met; 1 is met}
  1 IMASK interrupt {0 not masked; 1 masked}
  0 ENABLE timer {0 off; 1 on}`;
const tval = `
  63:32 RES0
  31:0 TimerValue compare value minus count, signed`;

/** CNTHCTL_EL2 while HCR_EL2.E2H is set: CNTKCTL_EL1 of a host, and the enables of what is below it. */
const hostControl = `
    63:20 RES0
    19 CNTPMASK [FEAT_RME]
    18 CNTVMASK [FEAT_RME]
    17 EVNTIS [FEAT_ECV] EVNTI counts from bit {0 0; 1 8}
    16 EL1NVVCT [FEAT_NV2]
    15 EL1NVPCT [FEAT_NV2]
    14 EL1TVCT [FEAT_ECV] virtual count at EL1 and EL0 {0 allowed; 1 trapped}
    13 EL1TVT [FEAT_ECV] virtual timer at EL1 and EL0 {0 allowed; 1 trapped}
    12 ECV [FEAT_ECV_POFF] CNTPOFF_EL2 {0 does not count; 1 counts below EL2}
    11 EL1PTEN physical timer at EL1, and at EL0 below it {0 trapped; 1 allowed}
    10 EL1PCTEN physical count at EL1, and at EL0 below it {0 trapped; 1 allowed}
    9 EL0PTEN physical timer at EL0 of a host {0 trapped; 1 allowed}
    8 EL0VTEN virtual timer at EL0 of a host {0 trapped; 1 allowed}
    7:4 EVNTI bit of the physical count that makes events
    3 EVNTDIR event on {0 0 to 1; 1 1 to 0}
    2 EVNTEN event stream {0 off; 1 on}
    1 EL0VCTEN virtual count at EL0 of a host {0 trapped; 1 allowed}
    0 EL0PCTEN physical count at EL0 of a host {0 trapped; 1 allowed}`;

/** The three registers of one timer: `op1 CRm` are what its encodings share. */
function timerOf(
  prefix: string,
  suffix: string,
  title: string,
  encoding: string,
  el: MinimumEl,
  traps: readonly TrapRule[],
  note?: string,
  feature?: string,
): SystemRegisterRow[] {
  const shared = {
    read: el,
    write: el,
    ...(feature === undefined ? {} : { feature }),
    ...(traps.length > 0 ? { traps } : {}),
    ...(note === undefined ? {} : { note }),
  };
  const row = (reg: string, op2: number, kind: string, fields: string): SystemRegisterRow =>
    timer(`${prefix}_${reg}_${suffix}`, `${encoding} ${op2}`, `Counter-timer ${title} ${kind} register`, fields, {
      ...shared,
      behaviour: `${prefix}_${reg}_${suffix}`,
    });
  return [
    row('TVAL', 0, 'TimerValue', tval),
    row('CTL', 1, 'Control', ctl),
    row('CVAL', 2, 'CompareValue', '63:0 CompareValue the timer fires when the count reaches it'),
  ];
}

export const timerRows: readonly SystemRegisterRow[] = [
  timer('CNTFRQ_EL0', '3 3 14 0 0', 'Counter-timer Frequency register', LOW32, {
    write: 3,
    reset: 'id',
    behaviour: 'CNTFRQ_EL0',
    traps: COUNTER_FREQUENCY,
    note: 'plain storage that firmware fills in; written at the highest level implemented only, whichever that is',
  }),
  timer('CNTPCT_EL0', '3 3 14 0 1', 'Counter-timer Physical Count register', WHOLE, {
    write: 'none',
    behaviour: 'CNTPCT_EL0',
    traps: COUNTER_PHYSICAL,
  }),
  timer('CNTVCT_EL0', '3 3 14 0 2', 'Counter-timer Virtual Count register', WHOLE, {
    write: 'none',
    behaviour: 'CNTVCT_EL0',
    traps: COUNTER_VIRTUAL,
    note: 'the physical count minus CNTVOFF_EL2',
  }),
  timer('CNTPCTSS_EL0', '3 3 14 0 5', 'Counter-timer Self-Synchronized Physical Count register', WHOLE, {
    write: 'none',
    behaviour: 'CNTPCT_EL0',
    traps: COUNTER_PHYSICAL,
    feature: 'FEAT_ECV',
  }),
  timer('CNTVCTSS_EL0', '3 3 14 0 6', 'Counter-timer Self-Synchronized Virtual Count register', WHOLE, {
    write: 'none',
    behaviour: 'CNTVCT_EL0',
    traps: COUNTER_VIRTUAL,
    feature: 'FEAT_ECV',
  }),
  timer('CNTPOFF_EL2', '3 4 14 0 6', 'Counter-timer Physical Offset register', WHOLE, {
    read: 2,
    write: 2,
    behaviour: 'CNTVOFF_EL2',
    traps: POFF,
    feature: 'FEAT_ECV_POFF',
  }),
  timer(
    'CNTKCTL_EL1',
    '3 0 14 1 0',
    'Counter-timer Kernel Control register',
    `
    63:20 RES0
    19:18 RES0
    17 EVNTIS [FEAT_ECV] EVNTI counts from bit {0 0; 1 8}
    16:10 RES0
    9 EL0PTEN physical timer at EL0 {0 trapped; 1 allowed}
    8 EL0VTEN virtual timer at EL0 {0 trapped; 1 allowed}
    7:4 EVNTI bit of the virtual count that makes events
    3 EVNTDIR event on {0 0 to 1; 1 1 to 0}
    2 EVNTEN event stream {0 off; 1 on}
    1 EL0VCTEN virtual count at EL0 {0 trapped; 1 allowed}
    0 EL0PCTEN physical count at EL0 {0 trapped; 1 allowed}`,
    { read: 1, write: 1, behaviour: 'CNTKCTL_EL1', note: 'plain storage with an event stream' },
  ),
  timer(
    'CNTHCTL_EL2',
    '3 4 14 1 0',
    'Counter-timer Hypervisor Control register',
    `
    63:20 RES0
    19 CNTPMASK [FEAT_RME]
    18 CNTVMASK [FEAT_RME]
    17 EVNTIS [FEAT_ECV] EVNTI counts from bit {0 0; 1 8}
    16 EL1NVVCT [FEAT_NV2]
    15 EL1NVPCT [FEAT_NV2]
    14 EL1TVCT [FEAT_ECV] virtual count at EL1 and EL0 {0 allowed; 1 trapped}
    13 EL1TVT [FEAT_ECV] virtual timer at EL1 and EL0 {0 allowed; 1 trapped}
    12 ECV [FEAT_ECV_POFF] CNTPOFF_EL2 {0 does not count; 1 counts below EL2}
    11:8 RES0
    7:4 EVNTI bit of the physical count that makes events
    3 EVNTDIR event on {0 0 to 1; 1 1 to 0}
    2 EVNTEN event stream {0 off; 1 on}
    1 EL1PCEN physical timer at EL1 and EL0 {0 trapped; 1 allowed}
    0 EL1PCTEN physical count at EL1 and EL0 {0 trapped; 1 allowed}`,
    {
      read: 2,
      write: 2,
      behaviour: 'CNTHCTL_EL2',
      reset: 3n,
      variants: underE2h(hostControl),
      note: 'plain storage with an event stream; without EL2 its two enables behave as ones',
    },
  ),
  timer('CNTVOFF_EL2', '3 4 14 0 3', 'Counter-timer Virtual Offset register', WHOLE, {
    read: 2,
    write: 2,
    behaviour: 'CNTVOFF_EL2',
  }),
  ...timerOf('CNTP', 'EL0', 'Physical Timer', '3 3 14 2', 0, TIMER_PHYSICAL),
  ...timerOf('CNTV', 'EL0', 'Virtual Timer', '3 3 14 3', 0, TIMER_VIRTUAL),
  ...timerOf('CNTHP', 'EL2', 'Hypervisor Physical Timer', '3 4 14 2', 2, []),
  ...timerOf(
    'CNTHV',
    'EL2',
    'Hypervisor Virtual Timer',
    '3 4 14 3',
    2,
    [],
    'the offset of its virtual count is zero',
    'FEAT_VHE',
  ),
  ...timerOf(
    'CNTPS',
    'EL1',
    'Physical Secure Timer',
    '3 7 14 2',
    1,
    TIMER_SECURE,
    'Secure EL1 and EL3 only: UNDEFINED at EL2 and Non-secure EL1',
  ),
];
