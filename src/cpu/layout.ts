/**
 * The layout of one core's state block in the machine's linear memory: the single source for the generated interpreter, for
 * cpu/, for views and for snapshots. All offsets are in bytes from the block's base; a block is CORE_BLOCK_BYTES long.
 *
 * General registers stand at 8*n. Slot 31 reads as zero and is never written; slot 32 is the current SP; slot 33 swallows
 * writes to ZR: "31 = SP or ZR" is settled by the decoder from the operand's role.
 *
 * Flags are kept unpacked so that an ADDS costs four stores: N is the sign of nf, Z is zf === 0, C is cf (0 or 1), V is the
 * sign of vf. nf and zf are separate because MSR NZCV and CCMP can set N and Z together.
 *
 * SIMD&FP registers stand at `v` + 16*n, the least significant byte first. FPCR and FPSR are system registers.
 */

export const ZR_SLOT = 31;
export const SP_SLOT = 32;
export const SINK_SLOT = 33;

/** name -> [byte offset, byte width]. */
export const coreLayout = {
  x: [0, 8 * 34], // x0..x30, zero, sp, sink
  pc: [272, 8], // valid whenever the core is not inside generated code
  nf: [280, 8],
  zf: [288, 8],
  vf: [296, 8],
  cf: [304, 4],
  coreIndex: [308, 4],
  budget: [312, 4], // instructions left in this turn, signed
  entryRec: [316, 4], // record at which the current straight run was entered
  pcDelta: [320, 8], // pc = pcDelta + (rec >>> 2)
  limit: [328, 4], // instructions that the current run may execute, those that it has executed included
  pendingExit: [332, 4], // non-zero: leave generated code after the current instruction (IRQ state may have changed, …)
  loadTable: [336, 4], // base of the line TLB for loads of the current context
  storeTable: [340, 4],
  fetchTable: [344, 4], // base of the I-line table of the current context
  contextSlot: [348, 4],
  accesses: [352, 8], // data accesses on fast paths: loads in the low word, stores in the high word
  value: [360, 16], // value(s) handed over by slow loads and stores
  el: [376, 4],
  spsel: [380, 4],
  daif: [384, 4], // PSTATE.DAIF as in SPSR bits 9:6, kept in place (value & 0x3c0)
  pstate: [388, 4], // other PSTATE bits at their SPSR positions: IL(20), SS(21), PAN(22), UAO(23) …
  instructions: [392, 8], // instructions retired up to the start of the current turn, a double
  penalty: [400, 8], // penalty cycles so far, a double
  monitor: [408, 16], // local exclusive monitor: valid (u32), PA of the granule (f64 at +8)
  spEl3: [424, 8], // bank of SP_EL3, which no register row stands for
  penaltyLimit: [432, 8], // penalty cycles from which on the end of the current run may come nearer, a double
  fpTrap: [440, 4], // who takes FP and SIMD instructions at the current level: FpTrap of cpu/fpAccess.ts, 0 = they execute
  alignMask: [444, 4], // all ones where accesses of the current context must be aligned (SCTLR_ELx.A), else 0
  v: [512, 16 * 32], // V0..V31; a multiple of its size, so that "the register after" is a mask
  system: [1024, 8 * 640], // system register storage, index * 8, order of the table in arch/sysregs
  lines: [6144, 4], // physical interrupt inputs, at the bits of ISR_EL1: A(8), I(7), F(6)
  waitState: [6148, 4], // WaitState of cpu/state.ts
  eventRegister: [6152, 4],
  timerLevels: [6156, 4], // timer outputs as last told to the machine: TimerLine of cpu/timers.ts
  exceptions: [6168, 8], // exceptions taken, a double
  eventsSince: [6176, 8], // physical count up to which event streams have been looked at by WFE, a double
  returns: [6160, 8], // exception returns, a double
  aborted: [6304, 8], // instructions that an abort kept from being executed, a double
  virtualLines: [6184, 4], // virtual interrupts that the interrupt controller signals, at the same bits as `lines`
  stepped: [6188, 4], // Stepped of cpu/selfHostedDebug.ts
  monitorBases: [6192, 8 * 7], // totals at which the counters of pmu.ts were last brought up to date, doubles
  guardedSeen: [6252, 4], // 1: some page that the core fetched from is guarded (FEAT_BTI)
  random: [6296, 4], // state of the generator behind RNDR
  branchFrom: [6288, 8], // BR whose PSTATE.BTYPE is 1 unless its own page is guarded; 0 = none
  landed: [6312, 8], // where the last branch that sets PSTATE.BTYPE led, with BTYPE in bits 1:0; 0 = none since an exception
  pauthFlags: [6248, 4], // pointer authentication at the current level: cpu/pauth.ts
  pauthMasks: [6256, 8 * 4], // where its codes stand in a pointer: instructions low and high range, data low and high
} as const satisfies Record<string, readonly [number, number]>;

export const CORE_BLOCK_BYTES = 8192;

/** Byte offset of general register slot n (0..33). */
export const slotOffset = (n: number): number => n * 8;
/** Byte offset of SIMD&FP register n (0..31). */
export const vectorOffset = (n: number): number => coreLayout.v[0] + n * 16;
/** Byte offset of system register storage with table index i. */
export const systemOffset = (i: number): number => coreLayout.system[0] + i * 8;
