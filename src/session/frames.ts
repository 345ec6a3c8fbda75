/**
 * The call stack of a core: call frame information first, frame records (X29) where there is none, and through exception
 * entries to what was interrupted, with that program's registers. Everything peeks. Frames are computed as they are asked for.
 */
import { exceptionClass } from '../arch/syndromes';
import type { Locals } from '../hypervisor/run/routines';
import type { CoreView, Machine } from '../machine/api';
import { type EvaluationPort, type FunctionInfo, stripPointerAuth, unwindFrame, withFrameBase } from '../program';
import { spaceOfEl } from './addressReference';
import { littleEndian } from './expressions/evaluate';
import { flowOf, wordsOf } from './instructions';
import type { StepPlace } from './model/code';
import { modelFrames } from './model/frames';
import type { GuestRegisters } from './model/guestRegisters';
import type { Target } from './target';
import { branchTargets, entryCode, type ReadWord, type StubState, stubState } from './vectorStub';

/** DWARF register numbers: 0 to 30, SP, and the return address of an exception. */
const FP = 29;
const LR = 30;
const SP = 31;
/** Number of V0 in DWARF. */
export const DWARF_V0 = 64;
const ELR = 33;
const MAX_FRAMES = 1000;
const CHUNK = 256n;
const SPSR_EL = (spsr: bigint): number => Number((spsr >> 2n) & 3n);
const exceptionKinds = ['', 'IRQ', 'FIQ', 'SError'] as const;

/** A frame of the machine: one activation of a function, or an exception entry. */
export interface PhysicalFrame {
  readonly core: number;
  readonly el: number;
  readonly pc: bigint;
  /** `pc` is where the core is or was interrupted, not a return address. */
  readonly exact: boolean;
  readonly registers: ReadonlyMap<number, bigint>;
  readonly pstate: bigint | undefined;
  /** The core's own registers: they can be written. */
  readonly live: boolean;
  readonly cfa: bigint | undefined;
  /** Set for an exception entry: what was taken. The registers are those of the interrupted program. */
  readonly exception: string | undefined;
  /** The frame of a guest under the hypervisor model, and of what called it there: its registers, which can be written. */
  readonly guest?: GuestRegisters;
  /** Nothing is known of what called it. */
  readonly ends?: boolean;
  /** A routine of the hypervisor model: the step that it is at. */
  readonly model?: StepPlace & { readonly locals: Locals };
}

/** What a client shows as one line of the stack: a physical frame or an inlined copy in it. */
export interface Frame extends PhysicalFrame {
  /** Address for look-ups in debug information: linked, and inside of the calling instruction. */
  readonly lookup: bigint;
  /** Index in the call chain at `lookup`: 0 is the innermost inlined copy. */
  readonly level: number;
  readonly fn: FunctionInfo | undefined;
  readonly inlined: boolean;
  readonly physical: number;
}

interface Handlers {
  readonly entry: ReadonlyMap<bigint, readonly number[]>;
  readonly targets: readonly bigint[];
}

export function memoryReader(machine: Machine, core: number, el: number): EvaluationPort['memory'] {
  return (address, size) => {
    const bytes = machine.peek(core, spaceOfEl(el), BigInt.asUintN(64, address), size);
    return bytes.length === size ? bytes : undefined;
  };
}

export class Stack {
  private readonly physical: PhysicalFrame[] = [];
  private readonly frames: Frame[] = [];
  private complete = false;
  /** ELs whose live ELR and SPSR belong to an exception entry found further up. */
  private readonly used = new Set<number>();
  /** By EL: what its vector table leads to. */
  private readonly handlers = new Map<number, Handlers>();
  private readonly chunks = new Map<string, readonly number[]>();

  constructor(
    private readonly machine: Machine,
    private readonly target: Target,
    private readonly core: CoreView,
  ) {
    const model = modelFrames(machine, core);
    for (const frame of model ?? []) this.push(frame);
    if (model !== undefined && model.length > 0) return;
    const registers = new Map<number, bigint>();
    for (let n = 0; n <= LR; n++) registers.set(n, core.x(n));
    registers.set(SP, core.x(SP));
    const live = { core: core.index, el: core.el, pc: core.pc(), exact: true, registers, pstate: core.pstate() };
    this.push({ ...live, live: true, cfa: undefined, exception: undefined });
  }

  /** Frame `n`, counted from the innermost. */
  at(n: number): Frame | undefined {
    while (this.frames.length <= n && !this.complete) this.grow();
    return this.frames[n];
  }
  /** How many there are; undefined while that is not known. */
  get total(): number | undefined {
    return this.complete ? this.frames.length : undefined;
  }
  /** The frame that `frame` was called from or interrupted, inlined copies and exception entries left out. */
  caller(frame: Frame): PhysicalFrame | undefined {
    for (let n = 0; ; n++) {
      const next = this.at(n);
      if (next === undefined) return undefined;
      if (next.physical > frame.physical && next.exception === undefined) return next;
    }
  }
  /** True when an exception entry lies between the frame and its caller. */
  interrupted(frame: Frame): boolean {
    return this.physical[frame.physical + 1]?.exception !== undefined;
  }
  cfaOf(frame: Frame): bigint | undefined {
    void this.caller(frame);
    return this.physical[frame.physical].cfa;
  }

  /** What an expression sees of a frame. */
  port(frame: Frame): EvaluationPort {
    const bare = {
      register: (n: number) => {
        if (n === 32) return frame.pc;
        if (n >= DWARF_V0 && n < DWARF_V0 + 32)
          return frame.guest?.v(n - DWARF_V0) ?? (frame.live ? this.core.v(n - DWARF_V0) : undefined);
        return frame.live && n <= SP ? this.core.x(n) : frame.registers.get(n);
      },
      memory: memoryReader(this.machine, frame.core, frame.el),
      cfa: () => this.cfaOf(frame),
      entryValue: (expression: Uint8Array) => {
        const caller = this.caller(frame);
        const debug = this.target.debugAt(frame.lookup);
        const above = caller && this.frames.find((f) => f.physical === this.physical.indexOf(caller));
        return above && debug?.entryValue(expression, this.target.linked(above.pc), this.port(above));
      },
    };
    const concrete = this.target.debugAt(frame.lookup)?.functionAt(frame.lookup);
    if (concrete) return withFrameBase(bare, concrete, frame.lookup);
    return { ...bare, frameBase: () => undefined };
  }

  private push(frame: PhysicalFrame): void {
    const physical = this.physical.push(frame) - 1;
    const linked = this.target.linked(frame.pc);
    const lookup = frame.exact ? linked : linked - 1n;
    const chain = frame.exception === undefined ? (this.target.debugAt(lookup)?.callChainAt(lookup) ?? []) : [];
    const common = { ...frame, lookup, physical };
    if (chain.length === 0) this.frames.push({ ...common, level: 0, fn: undefined, inlined: false });
    chain.forEach((fn, level) => {
      this.frames.push({ ...common, level, fn, inlined: level < chain.length - 1 });
    });
  }

  private grow(): void {
    const last = this.physical.length - 1;
    const frame = this.physical[last];
    const goesOn = this.physical.length < MAX_FRAMES && this.core.state !== 'off' && frame.ends !== true;
    const next = goesOn ? this.next(frame) : undefined;
    if (next === undefined) {
      this.complete = true;
      return;
    }
    if (next.cfa !== undefined) this.physical[last] = { ...frame, cfa: next.cfa };
    for (const caller of next.frames) this.push(caller);
  }

  private bare(frame: PhysicalFrame) {
    const memory = memoryReader(this.machine, frame.core, frame.el);
    const elr = this.used.has(frame.el) ? undefined : this.core.peekSystem(`ELR_EL${frame.el}`);
    return { register: (n: number) => (n === ELR ? elr : frame.registers.get(n)), memory };
  }

  private next(frame: PhysicalFrame): { frames: PhysicalFrame[]; cfa?: bigint } | undefined {
    const linked = this.target.linked(frame.pc);
    const row = this.target.debugAt(linked)?.unwindRow(frame.exact ? linked : linked - 1n);
    const unwound = row && unwindFrame(row, this.bare(frame));
    if (row && unwound && (row.signalFrame || row.returnRegister === ELR)) {
      return this.interruptedBy(frame, unwound.registers, unwound.cfa, unwound.pc);
    }
    if (this.isHandler(frame)) return this.interruptedBy(frame, undefined, undefined, undefined);
    if (row && unwound) {
      if (unwound.pc === undefined || unwound.pc === 0n || this.stuck(frame, unwound.cfa, unwound.pc)) return undefined;
      return { frames: [this.called(frame, unwound.pc, unwound.registers)], cfa: unwound.cfa };
    }
    return this.byFrameRecord(frame);
  }

  private stuck(frame: PhysicalFrame, cfa: bigint, pc: bigint): boolean {
    return cfa === frame.registers.get(SP) && pc === frame.pc;
  }

  private called(frame: PhysicalFrame, pc: bigint, registers: ReadonlyMap<number, bigint>): PhysicalFrame {
    const { core, el } = frame;
    return {
      core,
      el,
      pc,
      exact: false,
      registers,
      pstate: undefined,
      live: false,
      cfa: undefined,
      exception: undefined,
    };
  }

  /** Frame records: X29 points to the caller's X29 and the return address (AAPCS64 section 6.4.6). */
  private byFrameRecord(frame: PhysicalFrame): { frames: PhysicalFrame[]; cfa?: bigint } | undefined {
    const { registers } = frame;
    const fp = registers.get(FP) ?? 0n;
    const lr = registers.get(LR) ?? 0n;
    const sp = registers.get(SP) ?? 0n;
    if (frame.exact && !this.savedReturn(frame)) {
      const pc = stripPointerAuth(lr);
      const own = this.target.symbolAt(frame.pc);
      const recursive = own !== undefined && this.target.symbolAt(pc)?.address === own.address;
      if (pc === 0n || recursive || !this.isCode(frame, pc)) return undefined;
      return { frames: [this.called(frame, pc, registers)], cfa: sp };
    }
    if (fp === 0n || (fp & 7n) !== 0n) return undefined;
    const record = memoryReader(this.machine, frame.core, frame.el)(fp, 16);
    if (record === undefined) return undefined;
    const pc = stripPointerAuth(littleEndian(record.subarray(8)));
    const cfa = fp + 16n;
    if (pc === 0n || cfa <= sp - 1n || !this.isCode(frame, pc)) return undefined;
    const caller = new Map([...registers].filter(([n]) => n > 18 && n < FP));
    caller
      .set(FP, littleEndian(record.subarray(0, 8)))
      .set(LR, pc)
      .set(SP, cfa);
    return { frames: [this.called(frame, pc, caller)], cfa };
  }

  private isCode(frame: PhysicalFrame, pc: bigint): boolean {
    return (pc & 3n) === 0n && memoryReader(this.machine, frame.core, frame.el)(pc, 4) !== undefined;
  }

  /** Whether the function has stored X30 before the pc; true where that cannot be told. */
  private savedReturn(frame: PhysicalFrame): boolean {
    const symbol = this.target.symbolAt(frame.pc);
    if (symbol === undefined) return !this.calledFromKnown(frame);
    if (symbol.offset > 4096n) return true;
    const start = frame.pc - symbol.offset;
    const code = memoryReader(this.machine, frame.core, frame.el)(start, Number(symbol.offset));
    // STP with X30 in Rt or Rt2 and STR of X30, both relative to SP.
    return wordsOf(code ?? new Uint8Array(0)).some((word) => {
      const onStack = ((word >>> 5) & 31) === SP;
      const pair = (word & 0xfe400000) >>> 0 === 0xa8000000 && ((word & 31) === LR || ((word >>> 10) & 31) === LR);
      return onStack && (pair || ((word & 0xffc00000) >>> 0 === 0xf9000000 && (word & 31) === LR) || isPreStore(word));
    });
  }

  /**
   * Whether X30 is the way back to a known function, of code that has no symbol: generated code, or an alias. A call of its own would
   * have left an address of its own there.
   */
  private calledFromKnown(frame: PhysicalFrame): boolean {
    const back = stripPointerAuth(frame.registers.get(LR) ?? 0n);
    const memory = memoryReader(this.machine, frame.core, frame.el);
    const record = memory(frame.registers.get(FP) ?? 0n, 16);
    const saved = record && stripPointerAuth(littleEndian(record.subarray(8)));
    const [call] = wordsOf(memory(back - 4n, 4) ?? new Uint8Array(0));
    return this.target.symbolAt(back) !== undefined && saved !== back && call !== undefined && flowOf(call) === 'call';
  }

  /** Words of code, read in chunks: walks along entry code read many. */
  private reader(frame: PhysicalFrame): ReadWord {
    const memory = memoryReader(this.machine, frame.core, frame.el);
    return (address) => {
      const chunk = address & ~(CHUNK - 1n);
      const key = `${frame.el}:${chunk}`;
      let words = this.chunks.get(key);
      if (words === undefined) {
        words = wordsOf(memory(chunk, Number(CHUNK)) ?? new Uint8Array(0));
        this.chunks.set(key, words);
      }
      return words[Number((address - chunk) >> 2n)];
    };
  }

  private vbar(frame: PhysicalFrame): bigint | undefined {
    return frame.el === 0 ? undefined : this.core.peekSystem(`VBAR_EL${frame.el}`);
  }

  private handlersOf(frame: PhysicalFrame, vbar: bigint): Handlers {
    let handlers = this.handlers.get(frame.el);
    if (handlers === undefined) {
      const read = this.reader(frame);
      handlers = { entry: entryCode(vbar, read), targets: branchTargets(vbar, read) };
      this.handlers.set(frame.el, handlers);
    }
    return handlers;
  }

  /** In the vector table, in code that it leads straight to, or in a function to which it branches. */
  private isHandler(frame: PhysicalFrame): boolean {
    const vbar = this.vbar(frame);
    if (vbar === undefined) return false;
    const { pc } = frame;
    // Nobody has set VBAR: firmware at 0 may run there, but a core at a vector that has taken an exception is in no doubt.
    if (vbar === 0n) {
      const taken = this.core.peekSystem(`SPSR_EL${frame.el}`) ?? 0n;
      return frame.live && pc < 0x800n && (pc & 0x7fn) === 0n && taken !== 0n;
    }
    const { entry, targets } = this.handlersOf(frame, vbar);
    if ((pc >= vbar && pc < vbar + 0x800n) || entry.has(pc)) return true;
    const own = this.target.symbolAt(pc);
    if (own === undefined) return false;
    const start = pc - own.offset;
    return targets.some((target) => target >= start && target <= pc);
  }

  /** What the entry code has done when it is at the frame's pc. */
  private stub(frame: PhysicalFrame): StubState | undefined {
    const vbar = this.vbar(frame);
    const slot = vbar === undefined ? undefined : this.handlersOf(frame, vbar).entry.get(frame.pc)?.[0];
    if (vbar === undefined || slot === undefined) return undefined;
    return stubState(vbar, slot, frame.pc, this.reader(frame));
  }

  /** An exception entry and the frame that it interrupted. */
  private interruptedBy(
    frame: PhysicalFrame,
    unwound: ReadonlyMap<number, bigint> | undefined,
    cfa: bigint | undefined,
    pc: bigint | undefined,
  ): { frames: PhysicalFrame[]; cfa?: bigint } | undefined {
    const { el } = frame;
    const vbar = this.vbar(frame);
    const stub = this.stub(frame);
    const entrySp = cfa ?? this.entrySp(frame, stub);
    const fresh = !this.used.has(el);
    const word = (name: 'elr' | 'spsr' | 'sp0', register: string): bigint | undefined =>
      this.savedWord(frame, stub, entrySp, name) ?? (fresh ? this.core.peekSystem(register) : undefined);
    const elr = pc ?? word('elr', `ELR_EL${el}`);
    const spsr = word('spsr', `SPSR_EL${el}`);
    if (elr === undefined || spsr === undefined || (spsr & 16n) !== 0n || SPSR_EL(spsr) > el) return undefined;
    this.used.add(el);
    const from = SPSR_EL(spsr);
    const registers = new Map(unwound ?? this.savedRegisters(frame, stub, entrySp));
    const ownStack = from === el && (spsr & 1n) === 1n;
    const sp = ownStack
      ? entrySp
      : from === 0 || (spsr & 1n) === 0n
        ? word('sp0', 'SP_EL0')
        : this.core.peekSystem(`SP_EL${from}`);
    registers.delete(SP);
    if (sp !== undefined) registers.set(SP, sp);
    const common = { core: frame.core, el: from, registers, pstate: spsr, live: false, cfa: undefined, exact: true };
    const what = this.kindOf(el, stub, fresh);
    const entry = { ...common, pc: stub && vbar !== undefined ? vbar + BigInt(stub.slot * 0x80) : elr };
    const boundary = { ...entry, el, exception: `EL${el} took ${what} from EL${from}` };
    return { frames: [boundary, { ...common, pc: elr, exception: undefined }], cfa: entrySp };
  }

  private kindOf(el: number, stub: StubState | undefined, fresh: boolean): string {
    const kind = stub === undefined ? undefined : exceptionKinds[stub.slot & 3];
    if (kind) return `an ${kind}`;
    const esr = fresh ? this.core.peekSystem(`ESR_EL${el}`) : undefined;
    const row = esr === undefined ? undefined : exceptionClass(Number((esr >> 26n) & 63n));
    return kind === undefined || row === undefined ? 'an exception' : row.name;
  }

  private entrySp(frame: PhysicalFrame, stub: StubState | undefined): bigint | undefined {
    const sp = frame.registers.get(SP);
    return stub === undefined || sp === undefined ? undefined : BigInt.asUintN(64, sp - stub.spDelta);
  }

  private savedWord(
    frame: PhysicalFrame,
    stub: StubState | undefined,
    entrySp: bigint | undefined,
    name: number | 'elr' | 'spsr' | 'sp0',
  ): bigint | undefined {
    const offset = stub?.saved.get(name);
    if (offset === undefined || entrySp === undefined) return undefined;
    const bytes = memoryReader(this.machine, frame.core, frame.el)(entrySp + offset, 8);
    return bytes && littleEndian(bytes);
  }

  private savedRegisters(
    frame: PhysicalFrame,
    stub: StubState | undefined,
    entrySp: bigint | undefined,
  ): Map<number, bigint> {
    const registers = new Map<number, bigint>();
    for (let n = 0; n <= LR; n++) {
      const kept = stub === undefined || stub.lost.has(n) ? undefined : frame.registers.get(n);
      const value = this.savedWord(frame, stub, entrySp, n) ?? kept;
      if (value !== undefined) registers.set(n, value);
    }
    return registers;
  }
}

/** STR X30, [SP, #-n]!. */
const isPreStore = (word: number): boolean => (word & 0xffe00fff) >>> 0 === 0xf8000ffe;
