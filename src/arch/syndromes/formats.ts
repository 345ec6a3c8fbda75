/** The fields of ESR_ELx.ISS, 25 bits, by format. */
import { bits } from '../sysregs/row';
import type { RegisterField } from '../sysregs/types';
import { faultStatus } from './faultStatus';

const named = (text: string, field: string): RegisterField[] =>
  bits(text).map((f) => (f.name === field ? { ...f, values: faultStatus } : f));

const condition = `
  24 CV condition {0 not valid; 1 valid}
  23:20 COND condition code of the instruction {14 always}`;

/** Layouts by name. 'unparsed' is used where the fields are not described here. */
export const issFormats = {
  none: bits('24:0 RES0'),
  unparsed: bits('24:0 ISS'),
  immediate: bits(`
    24:16 RES0
    15:0 imm16 immediate of the instruction`),
  wfx: bits(`${condition}
    19:10 RES0
    9:5 RN register of WFET and WFIT
    4:3 RES0
    2 RV RN {0 not valid; 1 valid}
    1:0 TI instruction {0 WFI; 1 WFE; 2 WFIT; 3 WFET}`),
  branchTarget: bits(`
    24:2 RES0
    1:0 BTYPE kind of the branch that came here`),
  pauthFailure: bits(`
    24:2 RES0
    1 D key {0 instruction; 1 data}
    0 B key {0 A; 1 B}`),
  fpAccess: bits(`${condition}
    19:0 RES0`),
  systemRegister: bits(`
    24:22 RES0
    21:20 Op0
    19:17 Op2
    16:14 Op1
    13:10 CRn
    9:5 Rt general register, 31 is XZR
    4:1 CRm
    0 Direction {0 write or system instruction; 1 read}`),
  dataAbort: named(
    `
    24 ISV syndrome of the access in bits 23:14 {0 not valid; 1 valid}
    23:22 SAS size {0 byte; 1 halfword; 2 word; 3 doubleword}
    21 SSE sign-extend {0 no; 1 yes}
    20:16 SRT general register that was to be loaded or stored, 31 is XZR
    15 SF width of the register {0 32 bits; 1 64 bits}
    14 AR acquire or release {0 no; 1 yes}
    13 VNCR from VNCR_EL2 {0 no; 1 yes}
    12:11 SET synchronous error type {0 recoverable; 2 uncontainable; 3 restartable}
    10 FnV FAR_ELx {0 valid; 1 not valid}
    9 EA external abort type
    8 CM from cache maintenance or address translation {0 no; 1 yes}
    7 S1PTW stage 2 fault on a stage 1 walk {0 no; 1 yes}
    6 WnR access {0 read; 1 write}
    5:0 DFSC`,
    'DFSC',
  ),
  instructionAbort: named(
    `
    24:13 RES0
    12:11 SET synchronous error type {0 recoverable; 2 uncontainable; 3 restartable}
    10 FnV FAR_ELx {0 valid; 1 not valid}
    9 EA external abort type
    8 RES0
    7 S1PTW stage 2 fault on a stage 1 walk {0 no; 1 yes}
    6 RES0
    5:0 IFSC`,
    'IFSC',
  ),
  serror: bits(`
    24 IDS syndrome {0 as the architecture says; 1 implementation defined}
    23:14 RES0
    13 IESB synchronised by an implicit barrier {0 no; 1 yes}
    12:10 AET type {0 uncontainable; 1 unrecoverable; 2 restartable; 3 recoverable; 6 corrected}
    9 EA external abort type
    8:6 RES0
    5:0 DFSC {0 uncategorised; 17 asynchronous SError}`),
  breakpoint: named(
    `
    24:6 RES0
    5:0 IFSC`,
    'IFSC',
  ),
  softwareStep: named(
    `
    24 ISV EX {0 not valid; 1 valid}
    23:7 RES0
    6 EX stepped instruction {0 not an exclusive load; 1 an exclusive load}
    5:0 IFSC`,
    'IFSC',
  ),
  watchpoint: named(
    `
    24:14 RES0
    13 VNCR from VNCR_EL2 {0 no; 1 yes}
    12:11 RES0
    10 FnV FAR_ELx {0 valid; 1 not valid}
    9 RES0
    8 CM from cache maintenance {0 no; 1 yes}
    7 RES0
    6 WnR access {0 read; 1 write}
    5:0 DFSC`,
    'DFSC',
  ),
} as const satisfies Record<string, readonly RegisterField[]>;

export type IssFormat = keyof typeof issFormats;
