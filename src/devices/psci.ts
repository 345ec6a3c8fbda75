/**
 * Power State Coordination Interface (Arm DEN 0022, version 1.1, and later ones for who asks for them) and the discovery calls of
 * the SMC Calling Convention (DEN 0028), as firmware below the guest would answer them. What is answered is one table;
 * PSCI_FEATURES reads that table.
 */

/** The machine, as PSCI sees it. */
export interface PsciPort {
  /** Index of the core with these affinity fields (MPIDR_EL1 bits 39:32 and 23:0), or -1. */
  coreOf(affinity: bigint): number;
  state(core: number): 'on' | 'off' | 'pending';
  /** Is this an address to start a core at? */
  isEntry(address: bigint): boolean;
  cpuOn(core: number, entry: bigint, context: bigint): void;
  /** The calling core stops; it does not return from the call. */
  cpuOff(core: number): void;
  /** The calling core waits for an interrupt, then returns from the call. */
  suspend(core: number): void;
  systemOff(): void;
  systemReset(): void;
}

export const PsciResult = {
  SUCCESS: 0n,
  NOT_SUPPORTED: -1n,
  INVALID_PARAMETERS: -2n,
  DENIED: -3n,
  ALREADY_ON: -4n,
  ON_PENDING: -5n,
  INTERNAL_FAILURE: -6n,
  INVALID_ADDRESS: -9n,
} as const;

/** Major in [31:16], minor in [15:0]. */
const version = (major: number, minor: number): number => (major << 16) | minor;
const VERSION_1_1 = version(1, 1);
const SMCCC_1_1 = 0x0001_0001n;
const TRUSTED_OS_NOT_PRESENT = 2n;
const AFFINITY_MASK = 0xff_00ff_ffffn;
/** StateID and StateType. */
const POWER_STATE_MASK = 0x1_ffffn;
const SYSTEM_WARM_RESET = 0n;
const HIBERNATE_OFF = 1n;
const CALL_64 = 0x4000_0000;

/** A call: the calling core, and X1 to X3 (their low words for 32-bit calls). */
interface Call {
  readonly core: number;
  readonly wide: boolean;
  readonly args: readonly [bigint, bigint, bigint];
  readonly version: number;
}

interface FunctionRow {
  readonly id: number; // the 32-bit call
  readonly name: string;
  /** There is a 64-bit form as well, with bit 30 set. */
  readonly wide?: boolean;
  /** The first version that has it; else it is in all of them. */
  readonly since?: number;
  readonly call: (psci: PsciPort, call: Call) => bigint;
  /** What PSCI_FEATURES answers. */
  readonly features?: bigint;
}

function cpuOn(port: PsciPort, { args: [target, entry, context] }: Call): bigint {
  const core = (target & ~AFFINITY_MASK) === 0n ? port.coreOf(target) : -1;
  if (core < 0) return PsciResult.INVALID_PARAMETERS;
  const state = port.state(core);
  if (state === 'on') return PsciResult.ALREADY_ON;
  if (state === 'pending') return PsciResult.ON_PENDING;
  if (!port.isEntry(entry)) return PsciResult.INVALID_ADDRESS;
  port.cpuOn(core, entry, context);
  return PsciResult.SUCCESS;
}

function affinityInfo(port: PsciPort, { args: [target, level] }: Call): bigint {
  if (level !== 0n || (target & ~AFFINITY_MASK) !== 0n) return PsciResult.INVALID_PARAMETERS;
  const core = port.coreOf(target);
  if (core < 0) return PsciResult.INVALID_PARAMETERS;
  return { on: 0n, off: 1n, pending: 2n }[port.state(core)];
}

/**
 * Every level is standby: the core waits for an interrupt and goes on behind the call, which is a success too where power-down
 * was asked for. power_state is in the original format; of cores alone, so PowerLevel is 0.
 */
function cpuSuspend(port: PsciPort, { core, args: [powerState] }: Call): bigint {
  if ((powerState & ~POWER_STATE_MASK) !== 0n) return PsciResult.INVALID_PARAMETERS;
  port.suspend(core);
  return PsciResult.SUCCESS;
}

/** SYSTEM_WARM_RESET is a reset like any other; there are no vendor's types. */
function systemReset2(port: PsciPort, { args: [type] }: Call): bigint {
  if (BigInt.asUintN(32, type) !== SYSTEM_WARM_RESET) return PsciResult.INVALID_PARAMETERS;
  port.systemReset();
  return PsciResult.SUCCESS;
}

/** A state that the guest has saved: off, like any other. 0 is what it was before the specification was final. */
function systemOff2(port: PsciPort, { args: [type, cookie] }: Call): bigint {
  if ((type !== 0n && type !== HIBERNATE_OFF) || cookie !== 0n) return PsciResult.INVALID_PARAMETERS;
  port.systemOff();
  return PsciResult.SUCCESS;
}

const effect = (act: (port: PsciPort, call: Call) => void) => (port: PsciPort, call: Call) => {
  act(port, call);
  return PsciResult.SUCCESS;
};

/** Every call that is answered with more than NOT_SUPPORTED. */
export const psciFunctions: readonly FunctionRow[] = [
  { id: 0x84000000, name: 'PSCI_VERSION', call: (_port, call) => BigInt(call.version) },
  { id: 0x84000001, name: 'CPU_SUSPEND', wide: true, call: cpuSuspend },
  { id: 0x84000002, name: 'CPU_OFF', call: effect((port, { core }) => port.cpuOff(core)) },
  { id: 0x84000003, name: 'CPU_ON', wide: true, call: cpuOn },
  { id: 0x84000004, name: 'AFFINITY_INFO', wide: true, call: affinityInfo },
  { id: 0x84000006, name: 'MIGRATE_INFO_TYPE', call: () => TRUSTED_OS_NOT_PRESENT },
  { id: 0x84000008, name: 'SYSTEM_OFF', call: effect((port) => port.systemOff()) },
  { id: 0x84000009, name: 'SYSTEM_RESET', call: effect((port) => port.systemReset()) },
  { id: 0x8400000a, name: 'PSCI_FEATURES', since: version(1, 0), call: (_port, call) => featuresOf(call) },
  { id: 0x84000012, name: 'SYSTEM_RESET2', since: version(1, 1), wide: true, call: systemReset2 },
  {
    id: 0x84000015,
    name: 'SYSTEM_OFF2',
    since: version(1, 3),
    wide: true,
    call: systemOff2,
    features: HIBERNATE_OFF,
  },
  { id: 0x80000000, name: 'SMCCC_VERSION', call: () => SMCCC_1_1 },
  { id: 0x80000001, name: 'SMCCC_ARCH_FEATURES', call: (_port, { args }) => archFeatures(args[0]) },
];

const rows = new Map<number, FunctionRow>(
  psciFunctions.flatMap((row) => [
    [row.id, row] as const,
    ...(row.wide === true ? [[row.id + CALL_64, row] as const] : []),
  ]),
);

function rowOf(id: bigint): FunctionRow | undefined {
  return rows.get(Number(BigInt.asUintN(32, id)));
}

/** The name of a function; undefined for one that is not known. */
export const psciName = (id: bigint): string | undefined => rowOf(id)?.name;

const isIn = ({ since = 0 }: FunctionRow, version: number): boolean => version >= since;
const isSmccc = (row: FunctionRow): boolean => row.id < 0x84000000;

/** PSCI_FEATURES: of PSCI's functions and of SMCCC_VERSION. */
function featuresOf({ args: [id], version }: Call): bigint {
  const row = rowOf(id);
  if (row === undefined || !isIn(row, version) || (isSmccc(row) && row.name !== 'SMCCC_VERSION'))
    return PsciResult.NOT_SUPPORTED;
  return row.features ?? PsciResult.SUCCESS;
}

/** SMCCC_ARCH_FEATURES: of the Arm Architecture Calls. */
function archFeatures(id: bigint): bigint {
  const row = rowOf(id);
  return row !== undefined && isSmccc(row) ? PsciResult.SUCCESS : PsciResult.NOT_SUPPORTED;
}

export interface PsciAnswer {
  /** The function's name; undefined for one that is not known (the answer is NOT_SUPPORTED). */
  readonly name: string | undefined;
  /** For X0. CPU_OFF, SYSTEM_OFF and SYSTEM_RESET have acted through the port: nothing returns to the caller. */
  readonly x0: bigint;
}

/** Answers an HVC or SMC of `core` with function `x0` and arguments X1 to X3, all as unsigned 64-bit values, as that version does. */
export function psciCall(
  port: PsciPort,
  core: number,
  x0: bigint,
  args: readonly [bigint, bigint, bigint],
  version: number = VERSION_1_1,
): PsciAnswer {
  const row = rowOf(x0);
  if (row === undefined || !isIn(row, version))
    return { name: undefined, x0: BigInt.asUintN(64, PsciResult.NOT_SUPPORTED) };
  const wide = (Number(BigInt.asUintN(32, x0)) & CALL_64) !== 0;
  const [a, b, c] = args.map((arg) => (wide ? arg : BigInt.asUintN(32, arg)));
  return { name: row.name, x0: BigInt.asUintN(64, row.call(port, { core, wide, args: [a, b, c], version })) };
}
