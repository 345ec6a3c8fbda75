/** Exception classes: ESR_ELx.EC, by name and number, with the format of the syndrome that each carries. */
import type { IssFormat } from './formats';

export interface ExceptionClassRow {
  readonly ec: number;
  /** Short name: 'data abort, lower EL'. */
  readonly name: string;
  readonly iss: IssFormat;
  readonly section: string;
  /** True for classes that only AArch32 state or a later extension can produce: never generated here. */
  readonly foreign?: boolean;
}

const row = (ec: number, name: string, iss: IssFormat, section: string): ExceptionClassRow => ({
  ec,
  name,
  iss,
  section: `ISS encoding for ${section}`,
});
const foreign = (ec: number, name: string, section: string, iss: IssFormat = 'unparsed'): ExceptionClassRow => ({
  ...row(ec, name, iss, section),
  foreign: true,
});

/** Numbers of the classes that this machine generates. */
export const EC = {
  UNKNOWN: 0x00,
  WFX: 0x01,
  FP_ACCESS: 0x07,
  PAUTH: 0x09,
  BRANCH_TARGET: 0x0d,
  ILLEGAL_STATE: 0x0e,
  SVC: 0x15,
  HVC: 0x16,
  SMC: 0x17,
  SYSTEM_REGISTER: 0x18,
  PAUTH_FAILURE: 0x1c,
  INSTRUCTION_ABORT_LOWER: 0x20,
  INSTRUCTION_ABORT_SAME: 0x21,
  PC_ALIGNMENT: 0x22,
  DATA_ABORT_LOWER: 0x24,
  DATA_ABORT_SAME: 0x25,
  SP_ALIGNMENT: 0x26,
  SERROR: 0x2f,
  BREAKPOINT_LOWER: 0x30,
  BREAKPOINT_SAME: 0x31,
  STEP_LOWER: 0x32,
  STEP_SAME: 0x33,
  WATCHPOINT_LOWER: 0x34,
  WATCHPOINT_SAME: 0x35,
  BRK: 0x3c,
} as const;

export const exceptionClasses: readonly ExceptionClassRow[] = [
  row(EC.UNKNOWN, 'unknown reason (UNDEFINED instruction)', 'none', 'exceptions with an unknown reason'),
  row(EC.WFX, 'trapped WFI or WFE', 'wfx', 'an exception from a WF* instruction'),
  foreign(0x03, 'trapped MCR or MRC, coproc 15', 'an exception from an MCR or MRC access'),
  foreign(0x04, 'trapped MCRR or MRRC, coproc 15', 'an exception from an MCRR or MRRC access'),
  foreign(0x05, 'trapped MCR or MRC, coproc 14', 'an exception from an MCR or MRC access'),
  foreign(0x06, 'trapped LDC or STC', 'an exception from an LDC or STC instruction'),
  row(
    EC.FP_ACCESS,
    'trapped FP or SIMD',
    'fpAccess',
    'an exception from an access to SVE, Advanced SIMD or floating point',
  ),
  foreign(0x08, 'trapped VMRS', 'an exception from a VMRS access'),
  row(EC.PAUTH, 'trapped pointer authentication', 'none', 'an exception from a Pointer Authentication instruction'),
  foreign(0x0a, 'trapped 64-byte load or store', 'an exception from an LD64B or ST64B* instruction'),
  foreign(0x0c, 'trapped MRRC, coproc 14', 'an exception from an MRRC access'),
  row(EC.BRANCH_TARGET, 'branch target', 'branchTarget', 'an exception from Branch Target Identification instruction'),
  row(EC.ILLEGAL_STATE, 'illegal execution state', 'none', 'an exception from an Illegal Execution state'),
  foreign(0x11, 'SVC, AArch32', 'an exception from SVC instruction execution', 'immediate'),
  foreign(0x12, 'HVC, AArch32', 'an exception from HVC instruction execution', 'immediate'),
  foreign(0x13, 'SMC, AArch32', 'an exception from SMC instruction execution in AArch32 state'),
  row(EC.SVC, 'SVC', 'immediate', 'an exception from HVC or SVC instruction execution'),
  row(EC.HVC, 'HVC', 'immediate', 'an exception from HVC or SVC instruction execution'),
  row(EC.SMC, 'SMC', 'immediate', 'an exception from SMC instruction execution in AArch64 state'),
  row(
    EC.SYSTEM_REGISTER,
    'trapped MSR, MRS or system instruction',
    'systemRegister',
    'an exception from MSR, MRS, or System instruction execution in AArch64 state',
  ),
  foreign(0x19, 'trapped SVE', 'an exception from an access to SVE functionality'),
  foreign(0x1a, 'trapped ERET', 'an exception from ERET, ERETAA, or ERETAB instruction'),
  foreign(0x1b, 'TSTART', 'an exception from the TSTART instruction'),
  row(
    EC.PAUTH_FAILURE,
    'pointer authentication failure',
    'pauthFailure',
    'an exception from a Pointer Authentication instruction authentication failure',
  ),
  foreign(0x1d, 'trapped SME', 'an exception due to SME functionality'),
  foreign(0x1e, 'granule protection check', 'a Granule Protection Check exception'),
  foreign(0x1f, 'implementation defined, EL3', 'an IMPLEMENTATION DEFINED exception to EL3'),
  row(
    EC.INSTRUCTION_ABORT_LOWER,
    'instruction abort, lower EL',
    'instructionAbort',
    'an exception from an Instruction Abort',
  ),
  row(
    EC.INSTRUCTION_ABORT_SAME,
    'instruction abort, same EL',
    'instructionAbort',
    'an exception from an Instruction Abort',
  ),
  row(
    EC.PC_ALIGNMENT,
    'PC alignment fault',
    'none',
    'an exception from an Illegal Execution state, or a PC or SP alignment fault',
  ),
  row(EC.DATA_ABORT_LOWER, 'data abort, lower EL', 'dataAbort', 'an exception from a Data Abort'),
  row(EC.DATA_ABORT_SAME, 'data abort, same EL', 'dataAbort', 'an exception from a Data Abort'),
  row(
    EC.SP_ALIGNMENT,
    'SP alignment fault',
    'none',
    'an exception from an Illegal Execution state, or a PC or SP alignment fault',
  ),
  foreign(0x27, 'memory copy and set', 'an exception from the Memory Copy and Memory Set instructions'),
  foreign(0x28, 'floating point, AArch32', 'an exception from a trapped floating-point exception'),
  foreign(0x2c, 'floating point', 'an exception from a trapped floating-point exception'),
  foreign(0x2d, 'guarded control stack', 'a GCS exception'),
  row(EC.SERROR, 'SError', 'serror', 'an SError exception'),
  row(
    EC.BREAKPOINT_LOWER,
    'breakpoint, lower EL',
    'breakpoint',
    'an exception from a Breakpoint or Vector Catch debug exception',
  ),
  row(
    EC.BREAKPOINT_SAME,
    'breakpoint, same EL',
    'breakpoint',
    'an exception from a Breakpoint or Vector Catch debug exception',
  ),
  row(EC.STEP_LOWER, 'software step, lower EL', 'softwareStep', 'an exception from a Software Step exception'),
  row(EC.STEP_SAME, 'software step, same EL', 'softwareStep', 'an exception from a Software Step exception'),
  row(EC.WATCHPOINT_LOWER, 'watchpoint, lower EL', 'watchpoint', 'an exception from a Watchpoint exception'),
  row(EC.WATCHPOINT_SAME, 'watchpoint, same EL', 'watchpoint', 'an exception from a Watchpoint exception'),
  foreign(0x38, 'BKPT, AArch32', 'an exception from execution of a Breakpoint instruction', 'immediate'),
  foreign(
    0x3a,
    'vector catch, AArch32',
    'an exception from a Breakpoint or Vector Catch debug exception',
    'breakpoint',
  ),
  row(EC.BRK, 'BRK', 'immediate', 'an exception from execution of a Breakpoint instruction'),
  foreign(0x3d, 'PMU', 'a PMU exception'),
];

const byNumber = new Map(exceptionClasses.map((entry) => [entry.ec, entry]));

/** The class with this number; undefined for a reserved one. */
export const exceptionClass = (ec: number): ExceptionClassRow | undefined => byNumber.get(ec);
