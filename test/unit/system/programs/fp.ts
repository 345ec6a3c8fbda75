/** Traps of floating point and SIMD: who takes them at each level under every setting of the controls, and FPCR and FPSR. */
import { act, down, msr, type Program, type Step, show, sticks, up } from '../program';

const FPEN = (value: number): number => value << 20;
const TFP = 1 << 10;
const CPTR2_RES1 = 0x33ff;
const RW = 1n << 31n;
const TGE = 1n << 27n;
const E2H = 1n << 34n;

/** A data instruction, a load and a system register: each executes or is logged as an exception. */
const probe = (where: string): Step[] => [
  show(`${where}: fmov`, 'fmov d0, x20\nmov x0, #1'),
  show(`${where}: ldr`, 'ldr q1, [x20]\nmov x0, #2'),
  show(`${where}: mrs`, 'mov x0, #3\nmrs x0, fpcr'),
  act(`${where}: msr`, 'msr fpsr, xzr'),
  show(`${where}: undefined first`, '.inst 0x0e208420\nmov x0, #4\n.inst 0x0ee08420'),
];

const at = (name: string, ...steps: readonly (Step | Step[])[]): Step[] =>
  steps.flat().map((step) => ({ ...step, label: `${name}: ${step.label}` }));

function setting(fpen: number, tfp2: number, tfp3: number): Step[] {
  const name = `FPEN ${fpen} TFP2 ${tfp2} TFP3 ${tfp3}`;
  return at(
    name,
    msr('cpacr_el1', FPEN(fpen)),
    msr('cptr_el2', CPTR2_RES1 | (tfp2 ? TFP : 0)),
    msr('cptr_el3', tfp3 ? TFP : 0),
    probe('EL3'),
    down(3, 2),
    probe('EL2'),
    msr('hcr_el2', RW | TGE),
    down(2, 0),
    probe('EL0 under TGE'),
    up('svc'),
    msr('hcr_el2', RW),
    down(2, 1),
    probe('EL1'),
    down(1, 0),
    probe('EL0'),
    up('svc'),
    up('smc'),
  );
}

const settings = [0, 1, 2, 3].flatMap((fpen) =>
  [0, 1].flatMap((tfp2) => [0, 1].flatMap((tfp3) => setting(fpen, tfp2, tfp3))),
);

export const fpTraps: Program = {
  name: 'fp-traps',
  el: 3,
  gic: 2,
  cpu: 'cortex-a57',
  steps: [
    ...settings,
    msr('cptr_el3', 0),
    ...sticks('fpcr', -1n),
    ...sticks('fpcr', 0),
    ...sticks('fpsr', 0x0fff_ffff),
  ],
};

/** EL2 as a host: CPTR_EL2 has CPACR_EL1's layout; EL1's own register is CPACR_EL12. */
function hostSetting(el2: number, el1: number): Step[] {
  return at(
    `CPTR_EL2.FPEN ${el2} CPACR_EL1.FPEN ${el1}`,
    msr('hcr_el2', RW | E2H),
    msr('cptr_el2', FPEN(el2)),
    msr('cpacr_el12', FPEN(el1)),
    probe('EL2'),
    down(2, 1),
    probe('EL1'),
    down(1, 0),
    probe('EL0'),
    up('svc'),
    up('hvc'),
    msr('hcr_el2', RW | E2H | TGE),
    probe('EL2 of a host'),
    down(2, 0),
    probe('EL0 of a host'),
    up('svc'),
  );
}

export const fpHostTraps: Program = {
  name: 'fp-host-traps',
  el: 2,
  gic: 2,
  cpu: 'neoverse-n1',
  steps: [0, 1, 2, 3].flatMap((el2) => [0, 1, 2, 3].flatMap((el1) => hostSetting(el2, el1))),
};
