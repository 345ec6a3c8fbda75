/** Performance monitors: what registers read at reset, what sticks, software increments, chained counters, overflow. */
import { act, down, mrs, msr, type Program, type Step, sticks, up } from '../program';

const all = 0xffff_ffff_ffff_ffffn;
const counters = [0, 1, 2, 3, 4, 5];
const registers = [
  'PMCR_EL0',
  'PMCNTENSET_EL0',
  'PMCNTENCLR_EL0',
  'PMOVSSET_EL0',
  'PMOVSCLR_EL0',
  'PMINTENSET_EL1',
  'PMINTENCLR_EL1',
  'PMSELR_EL0',
  'PMUSERENR_EL0',
  'PMCCFILTR_EL0',
  ...counters.flatMap((n) => [`PMEVTYPER${n}_EL0`, `PMEVCNTR${n}_EL0`]),
];

const masks: readonly Step[] = registers.flatMap((name) => [
  mrs(name),
  ...sticks(name, all),
  mrs(name),
  ...sticks(name, 0),
]);
const selected: readonly Step[] = [0, 3, 5, 6, 30, 31].flatMap((n) => [
  msr('PMSELR_EL0', n),
  mrs('PMXEVTYPER_EL0'),
  ...sticks('PMXEVTYPER_EL0', 0x3),
  mrs('PMXEVCNTR_EL0'),
  ...sticks('PMXEVCNTR_EL0', 0x1234),
]);

/** Counters 0 and 2 count software increments at EL2, EL1 and EL0; 1 and 3 are chained to them. */
const counting: readonly Step[] = [
  msr('PMCR_EL0', 0),
  ...counters.map((n) => msr(`PMEVTYPER${n}_EL0`, n & 1 ? 0x0800_001e : 0x0800_0000)),
  ...counters.map((n) => msr(`PMEVCNTR${n}_EL0`, 0)),
  msr('PMCNTENCLR_EL0', all),
  msr('PMOVSCLR_EL0', all),
  msr('PMCNTENSET_EL0', 0x3f),
  msr('PMSWINC_EL0', 0x3f),
  mrs('PMEVCNTR0_EL0'),
  msr('PMCR_EL0', 1),
  msr('PMSWINC_EL0', 0x15),
  msr('PMSWINC_EL0', 0x2b),
  ...counters.map((n) => mrs(`PMEVCNTR${n}_EL0`)),
  msr('PMEVCNTR0_EL0', 0xffff_ffff),
  msr('PMEVCNTR2_EL0', 0xffff_fffe),
  msr('PMSWINC_EL0', 5),
  ...counters.map((n) => mrs(`PMEVCNTR${n}_EL0`)),
  mrs('PMOVSSET_EL0'),
  msr('PMOVSCLR_EL0', 1),
  mrs('PMOVSCLR_EL0'),
  msr('PMSWINC_EL0', 5),
  mrs('PMOVSCLR_EL0'),
  ...counters.map((n) => mrs(`PMEVCNTR${n}_EL0`)),
  // Filters: not at EL1.
  msr('PMEVTYPER0_EL0', 0x8800_0000),
  msr('PMEVTYPER2_EL0', 0),
  msr('PMSWINC_EL0', 5),
  down(2, 1),
  msr('PMSWINC_EL0', 5),
  ...counters.map((n) => mrs(`PMEVCNTR${n}_EL0`)),
  up('hvc'),
  ...counters.map((n) => mrs(`PMEVCNTR${n}_EL0`)),
  msr('PMCR_EL0', 2),
  ...counters.map((n) => mrs(`PMEVCNTR${n}_EL0`)),
  mrs('PMCR_EL0'),
  act('cycles', 'msr PMCCNTR_EL0, xzr'),
  mrs('PMCCNTR_EL0'),
];

export const pmuRegisters: Program = {
  name: 'pmu-registers',
  el: 2,
  gic: 2,
  cpu: 'cortex-a57',
  known: [
    [/read PMEVCNTR[13]_EL0/, 'QEMU 7.2 has no CHAIN'],
    [/read PMCR_EL0/, 'IDCODE of the Cortex-A57 is not told'],
    [
      /PMEVTYPER\d_EL0|PMXEVTYPER_EL0/,
      'QEMU keeps the bits of Armv8.1 and of MT, and clears the upper ones of the event',
    ],
  ],
  steps: [...masks, ...selected, ...counting],
};
