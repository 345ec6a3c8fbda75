/**
 * Runs one core at a time in the generated interpreter, for an exact number of instructions. Records can be marked: a marked
 * record's handler is `intercept`, which asks here what to do: stop (end of the turn, exit asked for, breakpoint), check a
 * stale word, or just go on with the original handler. So nothing is paid for where no mark is.
 */
import type { FeatureSet } from '../arch/features';
import { coreLayout } from '../cpu/layout';
import { Pstate } from '../cpu/pstate';
import { writeConstants } from '../isa/sem';
import {
  entryField,
  FETCH_TABLE_ENTRIES,
  LINE_ENTRY_BYTES,
  LINE_TABLE_ENTRIES,
  RECORD_BYTES,
  recordField,
} from '../memory/layout';
import { Decoder, decodersFor } from './decoder';
import { HandlerTable } from './handlers';
import { buildInterpreter, Exit, type ImportName, type InterpreterShape, importNames } from './interpreter';
import { LaterCode, type LaterHost } from './laterCode';
import { RecordMarks } from './marks';
import { Pairs } from './pairs';

const RECORD_SHIFT = 4;

/** What the engine asks of the rest of the machine. `core` is the core's index. */
export interface EnginePorts {
  /** Every slow path: 0 = go on, else leave generated code. PC is in the core block. */
  readonly slow: Readonly<Record<ImportName, (core: number, ...args: number[]) => number>>;
  /** Record address for a PC, or 0 when a fault was taken. */
  fetch(core: number, vaHi: number, vaLo: number, install: boolean): number;
  /** What a breakpoint at this instruction does. `skip`: the debugger's was reported already. */
  breakpoint(core: number, pcHi: number, pcLo: number, skip: boolean): AtBreakpoint;
  /** Upper word of the address that a branch to (hi, …) goes to: without its tag. Absent: no tags. */
  branchAddress?(core: number, hi: number): number;
  /** Whether the page of an address is guarded (FEAT_BTI). */
  guarded?(core: number, hi: number, lo: number): boolean;
  /** An instruction is to be fetched with PSTATE.BTYPE set, at the PC in the block. False: a Branch Target exception was taken. */
  land?(core: number): boolean;
  /** Generated code replaced the view of a unit that an I-cache may hold. */
  viewChanged?(unit: number): void;
  /** A word that differs from the coherent view is about to run; true = stop before it. */
  stale(core: number, pcHi: number, pcLo: number): boolean;
}

/** Nothing; stop before the instruction; the guest took an exception instead of it. */
export const AtBreakpoint = { goOn: 0, stop: 1, exception: 2 } as const;
export type AtBreakpoint = (typeof AtBreakpoint)[keyof typeof AtBreakpoint];

export interface EngineWasm {
  instantiate(bytes: Uint8Array, imports: Record<string, Record<string, unknown>>): Record<string, unknown>;
  readonly memoryImport: unknown;
}

type EnterFunction = (core: number) => number;
type RunFunction = (record: number, core: number) => number;

/** Word offsets in a core block: constants, as these are read on every entry and exit. */
const PC = coreLayout.pc[0] >> 2;
const BUDGET = coreLayout.budget[0] >> 2;
const LIMIT = coreLayout.limit[0] >> 2;
const ENTRY = coreLayout.entryRec[0] >> 2;
const DELTA = coreLayout.pcDelta[0] >> 2;
const PENDING_EXIT = coreLayout.pendingExit[0] >> 2;
const ACCESSES = coreLayout.accesses[0] >> 2;
const PSTATE = coreLayout.pstate[0] >> 2;
const BRANCH_FROM = coreLayout.branchFrom[0] >> 2;
const BTYPE_SHIFT = 10;
const FETCH_TABLE = coreLayout.fetchTable[0] >> 2;
const PENALTY = coreLayout.penalty[0];
const PENALTY_LIMIT = coreLayout.penaltyLimit[0];
/** Place in a page of the smallest granule. */
const PAGE_MASK = 0xfff;

/** The top byte of an address is a copy of bit 55. */
const isSignExtended = (hi: number): boolean => hi >>> 24 === ((hi >>> 23) & 1 ? 0xff : 0);

export class Engine {
  private readonly u32: Uint32Array;
  private readonly i32: Int32Array;
  private readonly u16: Uint16Array;
  private readonly f64: Float64Array;
  /** By core; cores with the same features share one. */
  private readonly decoders: readonly Decoder[];
  private readonly pairs: Pairs;
  private readonly enter: EnterFunction;
  private readonly runRecord: RunFunction;
  private readonly granuleBytes: number;

  private core = 0;
  private block = 0;
  /** Record that generated code left at (0: none), and whether its instruction counts as executed. */
  private leftRecord = 0;
  private leftCounted = 0;
  private readonly marks: RecordMarks;
  /** Breakpoint addresses' low words by I-granule number (low word). */
  private readonly breakpoints = new Map<number, number[]>();
  /** Those at physical addresses, by granule in the page. */
  private readonly inPage = new Map<number, number[]>();
  /** Record of the instruction whose slow path is running now, 0 = none. */
  private slowRecord = 0;
  /** Instructions that the current run may execute; `horizon` can lower it. */
  limit = 0;
  /** Asked on slow paths, with the instructions of the run including the current one, for a new limit. */
  horizon: ((executed: number) => number) | undefined;
  /** Penalty cycles of the core below which `horizon` would change nothing. */
  penaltyLimit = 0;
  private skipBreakpoint = false;
  /** The end of a turn is taken as a sample of where code is hot, one for so many instructions: turns may be short. */
  sampleEvery = 50_000;
  private unsampled = 0;
  private stopped = false;
  readonly counters = { enters: 0, fetches: 0, intercepts: 0, tails: 0, left: 0 };

  constructor(
    buffer: ArrayBuffer,
    wasm: EngineWasm,
    private readonly shape: InterpreterShape,
    private readonly ports: EnginePorts,
    features: readonly FeatureSet[],
  ) {
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.granuleBytes = 1 << shape.granuleLog2;
    const table = new HandlerTable();
    const bytes = buildInterpreter(table, shape);
    const env: Record<string, unknown> = {
      memory: wasm.memoryImport,
      fetch: (_block: number, lo: number, hi: number) => this.fetch(hi >>> 0, lo >>> 0),
      intercept: (record: number) => this.intercept(record),
      look: (record: number) => this.look(record),
      viewChanged: (unit: number) => this.ports.viewChanged?.(unit),
    };
    for (const name of importNames) env[name] = this.slowImport(name);
    const exports = wasm.instantiate(bytes, { env });
    this.enter = exports.enter as EnterFunction;
    this.runRecord = exports.run as RunFunction;
    const later = new LaterCode({
      env: {
        ...env,
        ...{ goto: exports.goto, gotoTyped: exports.gotoTyped, table: exports.table },
        ...{ load: exports.load, store: exports.store },
      },
      shape: { ...shape, tableMask: (LINE_TABLE_ENTRIES - 1) * LINE_ENTRY_BYTES },
      instantiate: wasm.instantiate,
      table: exports.table as LaterHost['table'],
    });
    this.pairs = new Pairs(this.u16, table, this.granuleBytes >> 2, later);
    this.marks = new RecordMarks(this.u16, this.pairs);
    this.decoders = decodersFor(
      features,
      (has) => new Decoder(buffer, table, this.granuleBytes, this.pairs, later, has),
    );
    writeConstants(new Uint8Array(buffer));
  }

  /** Decodes an I-granule of a core's cache; marks on its old contents are gone. */
  readonly decode = (core: number, bytesAddress: number, recordBase: number): void => {
    this.decoders[core].decodeGranule(bytesAddress, recordBase);
    this.marks.forget(recordBase, recordBase + this.granuleBytes * 4);
  };

  /** Marks one record of a granule: its word differs from the coherent view. */
  readonly markStale = (recordBase: number, index: number): void => {
    this.marks.mark(recordBase + index * RECORD_BYTES, 'stale');
  };

  /**
   * Breakpoints by the low words of their addresses, any core. Of physical ones only the place in a page is the same at every
   * virtual address. The caller drops I-line table entries that may cover them.
   */
  setBreakpoints(list: readonly { readonly low: number; readonly physical: boolean }[]): void {
    this.breakpoints.clear();
    this.inPage.clear();
    for (const { low, physical } of list) {
      const address = physical ? low & PAGE_MASK : low;
      const granule = address >>> this.shape.granuleLog2;
      const map = physical ? this.inPage : this.breakpoints;
      map.set(granule, [...(map.get(granule) ?? []), address]);
    }
    this.marks.clearBreakpoints();
  }

  /**
   * Runs `core` for at most `limit` instructions; returns how many were executed. Ends early when a slow path leaves generated
   * code. `skipBreakpoint`: the first instruction does not stop at its breakpoint.
   */
  run(core: number, block: number, limit: number, skipBreakpoint: boolean): number {
    this.core = core;
    this.block = block;
    this.skipBreakpoint = skipBreakpoint;
    this.stopped = false;
    this.limit = limit;
    this.i32[(block >> 2) + LIMIT] = limit;
    this.i32[(block >> 2) + BUDGET] = limit;
    this.f64[(block + PENALTY_LIMIT) >> 3] = this.horizon ? this.penaltyLimit : Number.POSITIVE_INFINITY;
    let result: number = Exit.budget;
    while (result === Exit.budget) {
      this.findBranchType();
      const left = this.i32[(block >> 2) + BUDGET];
      if (left <= 0) break;
      if (!this.land()) break;
      result = left >= this.granuleBytes >> 2 ? this.enterFull() : this.enterTail();
    }
    this.marks.clearStop();
    this.i32[(block >> 2) + PENDING_EXIT] = 0;
    // Not the limit that was given: looking ahead may have lowered it, and the budget with it.
    return this.limit - this.i32[(block >> 2) + BUDGET];
  }

  /** PSTATE.BTYPE of a jump that generated code left open: 1 where it does not lie in a guarded page. */
  private findBranchType(): void {
    const { u32 } = this;
    const b = this.block >> 2;
    if ((u32[b + BRANCH_FROM] | u32[b + BRANCH_FROM + 1]) === 0) return;
    if (!this.ports.guarded?.(this.core, u32[b + BRANCH_FROM + 1], u32[b + BRANCH_FROM]))
      u32[b + PSTATE] = (u32[b + PSTATE] & ~Pstate.BTYPE) | (1 << BTYPE_SHIFT);
    u32[b + BRANCH_FROM] = 0;
    u32[b + BRANCH_FROM + 1] = 0;
  }

  /** With PSTATE.BTYPE set, the next instruction may not be what may be branched to: false, an exception was taken. */
  private land(): boolean {
    const b = this.block >> 2;
    if ((this.u32[b + PSTATE] & Pstate.BTYPE) === 0 || this.ports.land?.(this.core) !== false) return true;
    this.i32[b + BUDGET]--;
    return false;
  }

  /** Instructions of the current run that were executed before the one whose slow path is running now. */
  executedNow(): number {
    const b = this.block >> 2;
    const before = this.limit - this.i32[b + BUDGET];
    return this.slowRecord === 0 ? before : before + ((this.slowRecord - this.i32[b + ENTRY]) >> RECORD_SHIFT);
  }

  /** Loads and stores since `takeAccesses`, up to the instruction whose slow path is running now if this core runs. */
  accessesNow(block: number, running: boolean): number {
    const { u32, u16 } = this;
    const at = (block >> 2) + ACCESSES;
    const before = u32[at] + u32[at + 1];
    if (!running || this.slowRecord === 0) return before;
    const entry = this.i32[(block >> 2) + ENTRY];
    const counts = u16[(this.slowRecord + recordField.before) >> 1] - u16[(entry + recordField.before) >> 1];
    return before + (counts & 0xff) + (counts >> 8);
  }

  /** From now on `horizon` may answer differently: it is asked at the next slow path. */
  askHorizon(): void {
    this.penaltyLimit = 0;
    if (this.block !== 0) this.f64[(this.block + PENALTY_LIMIT) >> 3] = 0;
  }

  /** The core that runs now. */
  get current(): number {
    return this.core;
  }

  /** Whether the last run ended at a breakpoint or a finding. */
  get endedByStop(): boolean {
    return this.stopped;
  }

  private enterFull(): number {
    this.counters.enters++;
    this.leftRecord = 0;
    return this.settle(this.enter(this.block));
  }

  /** Fewer instructions are left than a granule holds: mark the record where they end. */
  private enterTail(): number {
    this.counters.tails++;
    this.leftRecord = 0;
    this.marks.clearStop();
    const { u32, block } = this;
    const b = block >> 2;
    const lo = u32[b + PC];
    const hi = u32[b + PC + 1];
    const record = this.atHand(hi, lo) || this.fetch(hi, lo);
    if (record === 0) return this.settle(Exit.left);
    this.enterRecord(record, hi, lo);
    const indexInGranule = (lo & (this.granuleBytes - 1)) >> 2;
    const remaining = this.i32[b + BUDGET]; // a fetch may have lowered it
    this.unsampled += this.limit;
    if (this.unsampled >= this.sampleEvery && this.marks.isEmpty) {
      this.unsampled = 0;
      this.pairs.sample(record - indexInGranule * RECORD_BYTES);
    }
    if (!this.marks.hasStop && indexInGranule + remaining <= this.granuleBytes >> 2) {
      this.marks.stopAt(record + remaining * RECORD_BYTES);
    }
    return this.settle(this.runRecord(record, block));
  }

  /** The record of an address that the I-line table has, as `enter` finds it; else 0. */
  private atHand(hi: number, lo: number): number {
    const { u32, granuleBytes } = this;
    const index = (lo >>> (this.shape.granuleLog2 - 4)) & ((FETCH_TABLE_ENTRIES - 1) * LINE_ENTRY_BYTES);
    const entry = u32[(this.block >> 2) + FETCH_TABLE] + index;
    const tag = (entry + entryField.tag) >> 2;
    if (u32[tag] !== (lo & (-granuleBytes | 3)) >>> 0 || u32[tag + 1] !== hi) return 0;
    return u32[(entry + entryField.host) >> 2] + ((lo & (granuleBytes - 4)) << 2);
  }

  /** A straight run begins here. */
  private enterRecord(record: number, hi: number, lo: number): void {
    const { u32 } = this;
    const b = this.block >> 2;
    const back = record >>> 2;
    u32[b + ENTRY] = record;
    u32[b + DELTA] = lo - back;
    u32[b + DELTA + 1] = hi - (lo < back ? 1 : 0);
  }

  /** Accounts for the run that a slow path ended; branches account for themselves. */
  private settle(result: number): number {
    if (result !== Exit.left || this.leftRecord === 0) return result;
    this.counters.left++;
    const { u16, block } = this;
    const b = block >> 2;
    const entry = this.i32[b + ENTRY];
    const end = this.leftRecord + this.leftCounted * RECORD_BYTES;
    this.i32[b + BUDGET] -= (end - entry) >> RECORD_SHIFT;
    const counts = u16[(end + recordField.before) >> 1] - u16[(entry + recordField.before) >> 1];
    this.u32[b + ACCESSES] += counts & 0xff;
    this.u32[b + ACCESSES + 1] += counts >> 8;
    return result;
  }

  private slowImport(name: ImportName): (record: number, block: number, a?: number, b?: number, c?: number) => number {
    const path = this.ports.slow[name];
    return (record, _block, a = 0, b = 0, c = 0) => {
      this.syncPc(record);
      this.slowRecord = record;
      const result = path(this.core, a, b, c);
      this.lookAhead(record);
      this.slowRecord = 0;
      if (result !== 0) {
        this.leftRecord = record;
        this.leftCounted = 1;
        return Exit.left;
      }
      if (this.i32[(this.block >> 2) + PENDING_EXIT] !== 0) this.marks.stopAt(record + RECORD_BYTES);
      return 0;
    };
  }

  /** An access that generated code did itself passed the penalty limit. */
  private look(record: number): void {
    this.slowRecord = record;
    this.lookAhead(record);
    this.slowRecord = 0;
  }

  /** The run may end sooner than it was thought; at the earliest after the instruction of `record`. */
  private lookAhead(record: number): void {
    if (!this.horizon || this.f64[(this.block + PENALTY) >> 3] < this.penaltyLimit) return;
    const before = this.executedNow();
    const limit = this.horizon(before + 1);
    if (limit >= this.limit) return;
    const b = this.block >> 2;
    this.i32[b + BUDGET] -= this.limit - limit;
    this.i32[b + LIMIT] = limit;
    this.limit = limit;
    const position = this.u32[b + DELTA] + (record >>> 2);
    const leftInGranule = (this.granuleBytes - (position & (this.granuleBytes - 1))) >> 2;
    if (limit - before <= leftInGranule) this.marks.stopAt(record + (limit - before) * RECORD_BYTES);
  }

  /** Writes the address of a record's instruction to the core block's PC. */
  private syncPc(record: number): void {
    const { u32 } = this;
    const b = this.block >> 2;
    const delta = u32[b + DELTA];
    const lo = (delta + (record >>> 2)) >>> 0;
    u32[b + PC] = lo;
    u32[b + PC + 1] = u32[b + DELTA + 1] + (lo < delta ? 1 : 0);
  }

  private fetch(hi: number, lo: number): number {
    this.counters.fetches++;
    const b = this.block >> 2;
    const target = isSignExtended(hi) ? hi : (this.ports.branchAddress?.(this.core, hi) ?? hi);
    if (target !== hi) {
      // Nothing was executed: the run goes on at the address without its tag.
      this.u32[b + PC] = lo;
      this.u32[b + PC + 1] = target;
      return 0;
    }
    this.u32[b + PC] = lo;
    this.u32[b + PC + 1] = hi;
    const here = this.breakpoints.size > 0 ? this.breakpoints.get(lo >>> this.shape.granuleLog2) : undefined;
    const offset = lo & PAGE_MASK;
    const inPage = this.inPage.size > 0 ? this.inPage.get(offset >>> this.shape.granuleLog2) : undefined;
    const record = this.ports.fetch(this.core, hi, lo, here === undefined && inPage === undefined);
    if (record === 0) {
      // A fetch that faults counts as one instruction: every exception makes progress.
      this.i32[b + BUDGET]--;
      return 0;
    }
    if (here) for (const address of here) this.marks.mark(record + ((address - lo) << 2), 'breakpoint');
    if (inPage) for (const place of inPage) this.marks.mark(record + ((place - offset) << 2), 'breakpoint');
    if (this.horizon) {
      this.enterRecord(record, hi, lo);
      this.lookAhead(record);
    }
    if (this.i32[b + PENDING_EXIT] !== 0) this.marks.stopAt(record);
    return record;
  }

  /** What to run at a marked record: a handler index, or -1 to leave. */
  private intercept(record: number): number {
    this.counters.intercepts++;
    const b = this.block >> 2;
    const atStop = this.marks.isStop(record);
    if (atStop) {
      this.marks.clearStop();
      return this.leaveBefore(record);
    }
    const mark = this.marks.at(record);
    if (!mark) return this.marks.single(record);
    this.syncPc(record);
    const lo = this.u32[b + PC];
    const hi = this.u32[b + PC + 1];
    const first = this.skipBreakpoint && record === this.u32[b + ENTRY];
    this.skipBreakpoint = false;
    if (mark.breakpoint) {
      this.slowRecord = record;
      const what = this.ports.breakpoint(this.core, hi, lo, first);
      if (what === AtBreakpoint.exception) return this.leaveWithException(record);
      this.slowRecord = 0;
      if (what === AtBreakpoint.stop) return this.leaveBefore(record, true);
    }
    if (mark.stale && !first && this.ports.stale(this.core, hi, lo)) return this.leaveBefore(record, true);
    return mark.handler;
  }

  /** An exception was taken instead of the instruction, which counts as executed: every exception makes progress. */
  private leaveWithException(record: number): number {
    this.lookAhead(record);
    this.slowRecord = 0;
    this.i32[(this.block >> 2) + BUDGET]--;
    this.leftRecord = record;
    this.leftCounted = 0;
    this.stopped = false;
    return -1;
  }

  private leaveBefore(record: number, stop = false): number {
    this.syncPc(record);
    this.leftRecord = record;
    this.leftCounted = 0;
    this.stopped = stop;
    return -1;
  }

  /** Loads and stores counted on fast paths since the last call. */
  takeAccesses(block: number, out: { loads: number; stores: number }): void {
    const at = (block >> 2) + ACCESSES;
    out.loads = this.u32[at];
    out.stores = this.u32[at + 1];
    this.u32[at] = 0;
    this.u32[at + 1] = 0;
  }

  /** Pair handlers made so far. */
  pairCount(): number {
    return this.pairs.count;
  }
}
