/**
 * Self-hosted debug: breakpoints, watchpoints, locks, the communications channel. Six breakpoints (two of them context-aware)
 * and four watchpoints, as the preset cores have.
 */
import { NONE, rowsOf } from './row';
import { DEBUG, DEBUG_CHANNEL, DEBUG_OS, DEBUG_ROM } from './traps';
import type { SystemRegisterRow } from './types';

const debug = rowsOf({ group: 'debug', read: 1, write: 1, reset: 0n, behaviour: 'storage' });
const D = { traps: DEBUG } as const;
const OS = { traps: DEBUG_OS } as const;

export const BREAKPOINTS = 6;
/** The last ones, which can compare CONTEXTIDR_EL1 and VMIDs. */
export const CONTEXT_BREAKPOINTS = 2;
export const WATCHPOINTS = 4;

const control = `
  63:24 RES0
  23:20 BT type {0 address; 1 linked address; 2 context ID; 3 linked context ID; 8 VMID; 9 linked VMID; 10 VMID and context ID; 11 linked VMID and context ID}
  19:16 LBN linked breakpoint
  15:14 SSC security state
  13 HMC higher mode
  12:9 RES0
  8:5 BAS bytes, all ones in AArch64
  4:3 RES0
  2:1 PMC privilege {0 EL0, EL1 or EL2, see HMC and SSC; 1 EL1; 2 EL0; 3 EL1 and EL0}
  0 E {0 off; 1 on}`;
const watchControl = `
  63:29 RES0
  28:24 MASK log2 of the bytes to ignore, 3 to 31
  23:21 RES0
  20 WT type {0 unlinked; 1 linked to a context breakpoint}
  19:16 LBN linked breakpoint
  15:14 SSC security state
  13 HMC higher mode
  12:5 BAS bytes of the doubleword
  4:3 LSC accesses {1 loads; 2 stores; 3 both}
  2:1 PAC privilege {0 EL2 or EL3, see HMC and SSC; 1 EL1; 2 EL0; 3 EL1 and EL0}
  0 E {0 off; 1 on}`;

const numbered = (count: number, make: (n: number) => SystemRegisterRow): SystemRegisterRow[] =>
  Array.from({ length: count }, (_, n) => make(n));

const claim = `
  63:8 RES0
  7:0 CLAIM claim tag bits`;

export const debugRows: readonly SystemRegisterRow[] = [
  debug(
    'MDSCR_EL1',
    '2 0 0 2 2',
    'Monitor Debug System Control Register',
    `
    63:36 RES0
    35 EHBWE [FEAT_Debugv8p9]
    34 EnSPM [FEAT_SPMU]
    33 TTA [FEAT_ETE]
    32 EMBWE [FEAT_Debugv8p9]
    31 TFO [FEAT_TRF]
    30 RXfull DBGDTRRX holds data
    29 TXfull DBGDTRTX holds data
    28 RES0
    27 RXO overrun of DBGDTRRX
    26 TXU underrun of DBGDTRTX
    25:24 RES0
    23:22 INTdis interrupts are masked while debugging
    21 TDA access to the breakpoints while halted
    20 RES0
    19 SC2 [FEAT_PCSRv8]
    18:16 RES0
    15 MDE breakpoint, watchpoint and vector catch exceptions {0 off; 1 on}
    14 HDE halting debug
    13 KDE debug exceptions from the EL that takes them {0 off; 1 on}
    12 TDCC communications channel at EL0 {0 allowed; 1 trapped}
    11:7 RES0
    6 ERR error of the channel
    5:1 RES0
    0 SS software step {0 off; 1 on}`,
    { ...D, context: true, behaviour: 'MDSCR_EL1' },
  ),
  debug(
    'MDCCINT_EL1',
    '2 0 0 2 0',
    'Monitor DCC Interrupt Enable Register',
    `
    63:31 RES0
    30 RX interrupt when DBGDTRRX is full {0 off; 1 on}
    29 TX interrupt when DBGDTRTX is empty {0 off; 1 on}
    28:0 RES0`,
    D,
  ),
  debug(
    'MDCCSR_EL0',
    '2 3 0 1 0',
    'Monitor DCC Status Register',
    `
    63:31 RES0
    30 RXfull {0 empty; 1 full}
    29 TXfull {0 empty; 1 full}
    28:0 RES0`,
    {
      read: 0,
      write: 'none',
      behaviour: 'constant',
      traps: DEBUG_CHANNEL,
      note: 'no external debugger: always empty',
    },
  ),
  debug(
    'DBGDTR_EL0',
    '2 3 0 4 0',
    'Debug Data Transfer Register, half-duplex',
    `
    63:32 HighWord
    31:0 LowWord`,
    {
      read: 0,
      write: 0,
      behaviour: 'constant',
      traps: DEBUG_CHANNEL,
      note: 'no external debugger: writes vanish, reads give zero',
    },
  ),
  debug(
    'DBGDTRRX_EL0',
    '2 3 0 5 0',
    'Debug Data Transfer Register, Receive',
    `
    63:32 RES0
    31:0 DTR`,
    {
      read: 0,
      write: 0,
      behaviour: 'constant',
      traps: DEBUG_CHANNEL,
      note: 'reads are DBGDTRRX_EL0, writes DBGDTRTX_EL0; no external debugger: writes vanish, reads give zero',
    },
  ),
  debug(
    'OSDTRRX_EL1',
    '2 0 0 0 2',
    'OS Lock Data Transfer Register, Receive',
    `
    63:32 RES0
    31:0 DTRRX`,
    D,
  ),
  debug(
    'OSDTRTX_EL1',
    '2 0 0 3 2',
    'OS Lock Data Transfer Register, Transmit',
    `
    63:32 RES0
    31:0 DTRTX`,
    D,
  ),
  debug(
    'OSECCR_EL1',
    '2 0 0 6 2',
    'OS Lock Exception Catch Control Register',
    `
    63:32 RES0
    31:0 EDECCR`,
    D,
  ),
  debug('DBGVCR32_EL2', '2 4 0 7 0', 'Debug Vector Catch Register', NONE, {
    read: 2,
    write: 2,
    behaviour: 'constant',
    note: 'AArch32 vector catch: UNDEFINED in the manual where EL1 has no AArch32, zero here',
  }),
  ...numbered(BREAKPOINTS, (n) =>
    debug(
      `DBGBVR${n}_EL1`,
      `2 0 0 ${n} 4`,
      'Debug Breakpoint Value Registers',
      '63:0 VALUE address, context ID or VMID, as DBGBCR<n>_EL1.BT says',
      { ...D, behaviour: 'DBGBVR_EL1', note: 'a write changes which instructions break' },
    ),
  ),
  ...numbered(BREAKPOINTS, (n) =>
    debug(`DBGBCR${n}_EL1`, `2 0 0 ${n} 5`, 'Debug Breakpoint Control Registers', control, {
      ...D,
      behaviour: 'DBGBCR_EL1',
      note: 'a write changes which instructions break',
    }),
  ),
  ...numbered(WATCHPOINTS, (n) =>
    debug(
      `DBGWVR${n}_EL1`,
      `2 0 0 ${n} 6`,
      'Debug Watchpoint Value Registers',
      `
      63:2 VA address, word aligned
      1:0 RES0`,
      { ...D, behaviour: 'DBGWVR_EL1', note: 'a write changes which accesses are watched' },
    ),
  ),
  ...numbered(WATCHPOINTS, (n) =>
    debug(`DBGWCR${n}_EL1`, `2 0 0 ${n} 7`, 'Debug Watchpoint Control Registers', watchControl, {
      ...D,
      behaviour: 'DBGWCR_EL1',
      note: 'a write changes which accesses are watched',
    }),
  ),
  debug(
    'MDRAR_EL1',
    '2 0 1 0 0',
    'Monitor Debug ROM Address Register',
    `
    63:48 RES0
    47:12 ROMADDR physical address of the ROM table
    11:2 RES0
    1:0 Valid {0 not valid; 3 valid}`,
    { write: 'none', behaviour: 'constant', traps: DEBUG_ROM },
  ),
  debug(
    'OSLAR_EL1',
    '2 0 1 0 4',
    'OS Lock Access Register',
    `
    63:1 RES0
    0 OSLK OS lock {0 unlock; 1 lock}`,
    { read: 'none', behaviour: 'OSLAR_EL1', traps: DEBUG_OS },
  ),
  debug(
    'OSLSR_EL1',
    '2 0 1 1 4',
    'OS Lock Status Register',
    `
    63:4 RES0
    3 OSLM1 model, upper bit {0 not implemented; 1 implemented}
    2 nTT 32-bit access to OSLAR_EL1 needed
    1 OSLK OS lock {0 unlocked; 1 locked}
    0 OSLM0 model, lower bit`,
    { write: 'none', behaviour: 'OSLSR_EL1', reset: 0xan, traps: DEBUG_OS },
  ),
  debug(
    'OSDLR_EL1',
    '2 0 1 3 4',
    'OS Double Lock Register',
    `
    63:1 RES0
    0 DLK OS double lock {0 unlocked; 1 locked}`,
    OS,
  ),
  debug(
    'DBGPRCR_EL1',
    '2 0 1 4 4',
    'Debug Power Control Register',
    `
    63:1 RES0
    0 CORENPDRQ power-down request {0 power down; 1 emulate it}`,
    OS,
  ),
  debug('DBGCLAIMSET_EL1', '2 0 7 8 6', 'Debug CLAIM Tag Set Register', claim, {
    ...D,
    behaviour: 'DBGCLAIMSET_EL1',
    note: 'writes set tag bits; reads give all ones (the tags that exist)',
  }),
  debug('DBGCLAIMCLR_EL1', '2 0 7 9 6', 'Debug CLAIM Tag Clear Register', claim, {
    ...D,
    behaviour: 'DBGCLAIMCLR_EL1',
    note: 'writes clear tag bits; reads give the tags',
  }),
  debug(
    'DBGAUTHSTATUS_EL1',
    '2 0 7 14 6',
    'Debug Authentication Status Register',
    `
    63:8 RES0
    7:6 SNID Secure non-invasive debug {0 not implemented; 2 off; 3 on}
    5:4 SID Secure invasive debug {0 not implemented; 2 off; 3 on}
    3:2 NSNID Non-secure non-invasive debug {0 not implemented; 2 off; 3 on}
    1:0 NSID Non-secure invasive debug {0 not implemented; 2 off; 3 on}`,
    {
      ...D,
      write: 'none',
      behaviour: 'constant',
      reset: 0xaan,
    },
  ),
];
