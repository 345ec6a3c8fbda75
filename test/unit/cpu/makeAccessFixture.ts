/**
 * Makes test/fixtures/cpu/accesses-*.json: which of all MRS, MSR and SYS encodings QEMU's Cortex-A57 executes at a level under
 * given controls, and the syndromes of those that it traps; the same of Neoverse-N1 with EL2 as a host. `npx tsx test/unit/cpu/makeAccessFixture.ts` writes it
 * anew; it needs qemu-system-aarch64 and the cross assembler. The test reads the recorded file only.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { qemuLines, qemuVersion } from '../qemuProgram';

export interface AccessScenario {
  readonly name: string;
  readonly el: 0 | 1 | 2;
  readonly kind: 'MRS' | 'MSR' | 'SYS';
  /** Register values before, on top of HCR_EL2.RW and the reset state. */
  readonly setup: Readonly<Record<string, string>>;
  /** Encoding key (bits 20:5) -> ESR_ELx of the exception, 0 for none; encodings that are not here are UNDEFINED. */
  readonly results: Readonly<Record<string, number>>;
}
export interface AccessFixture {
  readonly made: string;
  readonly scenarios: readonly AccessScenario[];
}

type Unfinished = Omit<AccessScenario, 'results'>;

const SCTLR_RES1 = 0x30d0_0980n;
const closed = {
  SCTLR_EL1: `0x${SCTLR_RES1.toString(16)}`,
  CNTKCTL_EL1: '0x0',
  PMUSERENR_EL0: '0x0',
  CNTHCTL_EL2: '0x3',
};
/** UCI, nTWE, nTWI, UCT, DZE, UMA; all counters, timers and monitors. */
const open = {
  SCTLR_EL1: `0x${(SCTLR_RES1 | 0x0405_c200n).toString(16)}`,
  CNTKCTL_EL1: '0x303',
  PMUSERENR_EL0: '0xf',
  CNTHCTL_EL2: '0x3',
};
/** HCR_EL2: RW, TRVM, TDZ, TVM, TTLB, TPU, TPCP, TSW, TACR, TIDCP, TSC, TID3, TID2, TID1; debug, FP and timer traps. */
const hypervisor = {
  ...open,
  HCR_EL2: '0xd7ff8000',
  MDCR_EL2: '0xe60',
  CPTR_EL2: '0x800033ff',
  CNTHCTL_EL2: '0x0',
};

const scenarios: readonly Unfinished[] = [
  { name: 'EL2', el: 2, kind: 'MRS', setup: closed },
  { name: 'EL1', el: 1, kind: 'MRS', setup: closed },
  { name: 'EL0, all closed', el: 0, kind: 'MRS', setup: closed },
  { name: 'EL0, all open', el: 0, kind: 'MRS', setup: open },
  { name: 'EL0, open, hypervisor traps', el: 0, kind: 'MRS', setup: hypervisor },
  { name: 'EL1, hypervisor traps', el: 1, kind: 'MRS', setup: hypervisor },
  { name: 'EL1, hypervisor traps', el: 1, kind: 'MSR', setup: hypervisor },
  { name: 'EL0, open', el: 0, kind: 'MSR', setup: open },
  { name: 'EL2', el: 2, kind: 'SYS', setup: closed },
  { name: 'EL1', el: 1, kind: 'SYS', setup: closed },
  { name: 'EL0, all closed', el: 0, kind: 'SYS', setup: closed },
  { name: 'EL0, all open', el: 0, kind: 'SYS', setup: open },
  { name: 'EL0, open, hypervisor traps', el: 0, kind: 'SYS', setup: hypervisor },
  { name: 'EL1, hypervisor traps', el: 1, kind: 'SYS', setup: hypervisor },
];

const E2H = 1n << 34n;
const TGE = 1n << 27n;
const RW = 1n << 31n;
/** All the traps of HCR_EL2 above. */
const TRAPS = 0xd7ff_8000n & ~TGE;
const hexadecimal = (value: bigint): string => `0x${value.toString(16)}`;
const SCTLR2_RES1 = 0x30c5_0830n;
/** HCR_EL2 comes last: with E2H the names of EL1 are EL2's. */
const hostClosed = {
  ...closed,
  SCTLR_EL2: hexadecimal(SCTLR2_RES1),
  CNTHCTL_EL2: '0x0',
  CPTR_EL2: '0x300000',
  HCR_EL2: hexadecimal(RW | E2H | TGE),
};
const hostOpen = {
  ...closed,
  PMUSERENR_EL0: '0xf',
  SCTLR_EL2: hexadecimal(SCTLR2_RES1 | 0x0405_c200n),
  CNTHCTL_EL2: '0x303',
  CPTR_EL2: '0x300000',
  HCR_EL2: hexadecimal(RW | E2H | TGE | TRAPS),
};
const below = {
  ...open,
  MDCR_EL2: '0xe60',
  CNTHCTL_EL2: '0x0',
  CPTR_EL2: '0x80300000',
  HCR_EL2: hexadecimal(RW | E2H | TRAPS),
};
const aboveGuests = { ...closed, CPTR_EL2: '0x300000', HCR_EL2: hexadecimal(RW | E2H) };

const hostScenarios: readonly Unfinished[] = [
  { name: 'EL2', el: 2, kind: 'MRS', setup: closed },
  { name: 'EL1', el: 1, kind: 'MRS', setup: closed },
  { name: 'EL2 with E2H', el: 2, kind: 'MRS', setup: aboveGuests },
  { name: 'EL2 with E2H', el: 2, kind: 'SYS', setup: aboveGuests },
  { name: 'EL2 of a host', el: 2, kind: 'MRS', setup: hostClosed },
  { name: 'EL0 of a host, all closed', el: 0, kind: 'MRS', setup: hostClosed },
  { name: 'EL0 of a host, all open', el: 0, kind: 'MRS', setup: hostOpen },
  { name: 'EL0 of a host, all closed', el: 0, kind: 'SYS', setup: hostClosed },
  { name: 'EL0 of a host, all open', el: 0, kind: 'SYS', setup: hostOpen },
  { name: 'EL1 under E2H, hypervisor traps', el: 1, kind: 'MRS', setup: below },
  { name: 'EL1 under E2H, hypervisor traps', el: 1, kind: 'MSR', setup: below },
  { name: 'EL1 under E2H, hypervisor traps', el: 1, kind: 'SYS', setup: below },
  { name: 'EL0 under E2H, open, hypervisor traps', el: 0, kind: 'MRS', setup: below },
];

const startModes = { 0: 0x3c0, 1: 0x3c5, 2: 0x3c9 } as const;
const firstKey = { MRS: 0x8000, MSR: 0x8000, SYS: 0x4000 } as const;
const lastKey = { MRS: 0x10000, MSR: 0x10000, SYS: 0x8000 } as const;

/** The instruction: MRS x0, MSR from xzr, SYS with x2. */
function word(kind: Unfinished['kind'], key: number): number {
  const base = kind === 'MRS' ? 0xd520_0000 : 0xd500_0000;
  return base + key * 32 + (kind === 'MRS' ? 0 : kind === 'MSR' ? 31 : 2);
}

function program(s: Unfinished): { setup: string; accesses: string } {
  const setup = Object.entries(s.setup).map(([name, value]) => `ldr x0, =${value}\nmsr ${name.toLowerCase()}, x0`);
  const lines: string[] = [];
  for (let key = firstKey[s.kind]; key < lastKey[s.kind]; key++) {
    lines.push('str xzr, [x20]', `.inst 0x${word(s.kind, key).toString(16)}`, 'add x20, x20, #8');
    // What the write may have moved away.
    if (s.kind === 'MSR' && s.el === 1) lines.push('msr vbar_el1, x21');
    if (key % 4096 === 4095) lines.push(`b 1${key}f`, '.ltorg', `1${key}:`);
  }
  return { setup: `${setup.join('\n')}\n`, accesses: `${lines.join('\n')}\n` };
}

function run(core: string, s: Unfinished): Record<string, number> {
  const text = program(s);
  const lines = qemuLines({
    source: path.join(import.meta.dirname, 'accessProgram.s'),
    machine: 'virt,virtualization=on',
    core,
    files: { 'setup.inc': text.setup, 'accesses.inc': text.accesses },
    symbols: { START_MODE: startModes[s.el], E2H: (BigInt(s.setup.HCR_EL2 ?? 0) & E2H) !== 0n ? 1 : 0 },
  });
  return Object.fromEntries(
    lines.map((line) => [
      `0x${(Number.parseInt(line.slice(8), 16) + firstKey[s.kind]).toString(16)}`,
      Number.parseInt(line.slice(0, 8), 16),
    ]),
  );
}

for (const [core, list] of [
  ['cortex-a57', scenarios],
  ['neoverse-n1', hostScenarios],
] as const) {
  const fixture: AccessFixture = {
    made: `${qemuVersion()}; makeAccessFixture.ts`,
    scenarios: list.map((s) => ({ ...s, results: run(core, s) })),
  };
  const text = JSON.stringify(fixture).replace(/\{"name"/g, '\n{"name"');
  writeFileSync(path.join(import.meta.dirname, `../../fixtures/cpu/accesses-${core}.json`), `${text}\n`);
}
