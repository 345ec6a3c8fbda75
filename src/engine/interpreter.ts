/**
 * Generates the interpreter module: one wasm function per handler, threaded by tail calls, made from the semantic functions
 * with open operands. Nothing here is written per instruction.
 *
 * A straight run starts at `entryRec` in a decoded I-granule and ends at a taken branch, at the end of the granule, or on a
 * slow path. `goto` accounts for it and enters the next granule through the I-line table of the current context.
 */
import { bug } from '../base/errors';
import { coreLayout } from '../cpu/layout';
import type { SlowPath } from '../isa/sem';
import {
  entryField,
  FETCH_TABLE_ENTRIES,
  LINE_ENTRY_BYTES,
  LINE_TABLE_ENTRIES,
  RECORD_BYTES,
  recordField,
  TAG_NOT_PLAIN,
} from '../memory/layout';
import { extendU, FunctionBuilder, type I32, type I64, i32, i64, load, op32, op64, wrap } from '../wasm/code';
import { type FunctionType, ModuleBuilder } from '../wasm/module';
import { AccessContext } from './accessContext';
import { addDataPath, type DataPathFacts } from './dataPath/dataPath';
import { addFetchPath } from './dataPath/fetchCode';
import type { HandlerTable } from './handlers';
import { OpenContext } from './openContext';
import type { GeneratedNames } from './stateContext';

/** Exit codes of generated code. `left`: a slow path stopped it; `budget`: too few instructions left to enter a granule. */
export const Exit = { left: 1, budget: 2 } as const;

/** Slow paths with their number of 32-bit arguments after (record, core). */
const slowArity: Readonly<Record<SlowPath | 'load' | 'store' | 'loadExclusive' | 'storeExclusive', number>> = {
  load: 3,
  store: 3,
  loadExclusive: 3,
  storeExclusive: 3,
  svc: 1,
  hvc: 1,
  smc: 1,
  brk: 1,
  hlt: 1,
  undefined: 1,
  eret: 0,
  wfi: 0,
  wfe: 0,
  sev: 0,
  sevl: 0,
  clrex: 0,
  barrier: 2,
  systemRead: 1,
  systemWrite: 1,
  systemOperation: 1,
  msrImmediate: 3,
  spAlignment: 0,
  esb: 0,
  pauthTrap: 0,
  pauthFail: 1,
  exceptionLink: 0,
  eretTo: 0,
  fpAccess: 0,
  zero: 2,
};
export type ImportName = keyof typeof slowArity;
export const importNames = Object.keys(slowArity) as readonly ImportName[];

/** Machine constants that the code is specialised for. */
export interface InterpreterShape {
  readonly pages: number;
  /** log2 of the coherence unit and of the I-granule, in bytes. */
  readonly unitLog2: number;
  readonly granuleLog2: number;
  /** The memory system that slow loads and stores belong to; without it all of them go outside. */
  readonly data?: DataPathFacts;
}

export const handlerSignature: FunctionType = { params: ['i32', 'i32'], results: ['i32'] };
export const i32s = (n: number): FunctionType => ({
  params: Array.from({ length: n }, () => 'i32' as const),
  results: ['i32'],
});
export const importSignature = (name: ImportName): FunctionType => i32s(2 + slowArity[name]);
export const gotoTypedSignature: FunctionType = { params: ['i32', 'i32', 'i64', 'i32'], results: ['i32'] };
const at = (name: keyof typeof coreLayout): number => coreLayout[name][0];

/** The fixed handlers: not instructions. */
class FixedContext extends AccessContext {
  protected slot(): never {
    throw new Error('elscope bug: fixed handlers have no operands');
  }
  protected vSlot(): never {
    return this.slot();
  }
  tiny(): never {
    return this.slot();
  }
  small(): never {
    return this.slot();
  }
  wide(): never {
    return this.slot();
  }
  /** End of a granule: the run ended with the record before; go on at the next address. */
  lineEnd(): number[] {
    this.code.tailCall(this.names.goto, op32.sub(this.rec, i32(RECORD_BYTES)), this.core, this.pc());
    return this.code.finish();
  }
  /** Asks the engine which handler to run here, if any. */
  intercept(importIndex: number): number[] {
    const r = this.code.let(this.code.call(importIndex, 'i32', this.rec, this.core));
    this.code.if(op32.ltS(r, i32(0)), () => this.code.return(i32(Exit.left)));
    this.code.tailCallIndirect(this.names.handlerType, r, this.rec, this.core);
    return this.code.finish();
  }
  undefinedWord(): number[] {
    this.slow('undefined', load.i32(this.rec, recordField.imm));
    return this.finish();
  }
}

/** Accounts for the run up to and including the record. */
function account(f: FunctionBuilder, rec: I32, core: I32): void {
  const entry = f.let(load.i32(core, at('entryRec')));
  const executed = op32.add(op32.shrU(op32.sub(rec, entry), i32(Math.log2(RECORD_BYTES))), i32(1));
  f.store('i32', core, op32.sub(load.i32(core, at('budget')), executed), at('budget'));
  const counts = f.let(op32.sub(load.u16(rec, RECORD_BYTES + recordField.before), load.u16(entry, recordField.before)));
  f.if(counts, () => {
    const loads = extendU(op32.and(counts, i32(0xff)));
    const stores = op64.shl(extendU(op32.shrU(counts, i32(8))), i64(32));
    f.store('i64', core, op64.add(load.i64(core, at('accesses')), op64.or(loads, stores)), at('accesses'));
  });
}

/** goto(record, core, target): accounts for the run up to and including `record`, then enters `target`. */
function gotoBody(enterAt: number): number[] {
  const f = new FunctionBuilder(['i32', 'i32', 'i64']);
  const core = f.param(1, 'i32');
  account(f, f.param(0, 'i32'), core);
  f.tailCall(enterAt, core, f.param(2, 'i64'));
  return f.finish();
}

const BTYPE_SHIFT = 10;
const BTYPE = 3 << BTYPE_SHIFT;

/**
 * gotoTyped(record, core, target, type): as goto, of a branch that sets PSTATE.BTYPE. Where no page is guarded and the target is
 * at hand, only BRK will see it, which finds it in `landed`; else the engine goes on, with BTYPE set.
 */
function gotoTypedBody(enterAt: number, shape: InterpreterShape): number[] {
  const f = new FunctionBuilder(['i32', 'i32', 'i64', 'i32']);
  const [rec, core] = [f.param(0, 'i32'), f.param(1, 'i32')];
  const target = f.param(2, 'i64');
  const type = f.param(3, 'i32');
  account(f, rec, core);
  const guarded = f.let(load.i32(core, at('guardedSeen')));
  const bytes = 1 << shape.granuleLog2;
  const entry = fetchEntry(core, wrap(target), shape);
  const hit = op64.eq(load.i64(entry, entryField.tag), op64.and(target, i64(-bytes | 3)));
  const enough = op32.geS(load.i32(core, at('budget')), i32(bytes / 4));
  const isJump = f.let(op32.eq(type, i32(3)));
  f.if(op32.and(op32.and(op32.eqz(guarded), hit), enough), () => {
    // 3 is 1 outside guarded pages.
    const seen = op32.sub(type, op32.shl(isJump, i32(1)));
    f.store('i64', core, op64.or(target, extendU(seen)), at('landed'));
    f.tailCall(enterAt, core, target);
  });
  f.if(isJump, () => {
    f.if(
      guarded,
      () => {
        const pc = op64.add(load.i64(core, at('pcDelta')), extendU(op32.shrU(rec, i32(2))));
        f.store('i64', core, pc, at('branchFrom'));
      },
      () => f.set(type, i32(1)),
    );
  });
  const others = op32.and(load.i32(core, at('pstate')), i32(~BTYPE));
  f.store('i32', core, op32.or(others, op32.shl(type, i32(BTYPE_SHIFT))), at('pstate'));
  f.store('i64', core, target, at('pc'));
  f.return(i32(Exit.budget));
  return f.finish();
}

/** Address of the I-line table entry of an address. */
function fetchEntry(core: I32, low: I32, shape: InterpreterShape): I32 {
  const mask = (FETCH_TABLE_ENTRIES - 1) * LINE_ENTRY_BYTES;
  const index = op32.and(op32.shrU(low, i32(shape.granuleLog2 - 4)), i32(mask));
  return op32.add(load.i32(core, at('fetchTable')), index);
}

/** enterAt(core, target): looks the granule up, or asks for it, and dispatches on its record. */
function enterAtBody(names: GeneratedNames, shape: InterpreterShape, fetch: number, reorder?: number): number[] {
  const f = new FunctionBuilder(['i32', 'i64']);
  const core = f.param(0, 'i32');
  const target = f.param(1, 'i64');
  const bytes = 1 << shape.granuleLog2;
  f.if(op32.ltS(load.i32(core, at('budget')), i32(bytes / 4)), () => {
    f.store('i64', core, target, at('pc'));
    f.return(i32(Exit.budget));
  });
  const low = f.let(wrap(target));
  const entry = f.let(fetchEntry(core, low, shape));
  const record = f.let(i32(0));
  const inGranule = f.let(op32.shl(op32.and(low, i32(bytes - 4)), i32(2)));
  f.if(
    op64.eq(load.i64(entry, entryField.tag), op64.and(target, i64(-bytes | 3))),
    () => f.set(record, op32.add(load.i32(entry, entryField.host), inGranule)),
    () => {
      if (reorder !== undefined) {
        const notPlain = op64.or(op64.and(target, i64(-bytes | 3)), i64(TAG_NOT_PLAIN));
        f.if(op64.eq(load.i64(entry, entryField.tag), notPlain), () => {
          f.callVoid(reorder, core, load.i32(entry, entryField.way));
          f.set(record, op32.add(load.i32(entry, entryField.host), inGranule));
          goOn(f, names, core, record, target);
        });
      }
      f.set(record, f.call(fetch, 'i32', core, low, wrap(op64.shrU(target, i64(32)))));
      f.if(op32.eqz(record), () => f.return(i32(Exit.left)));
    },
  );
  goOn(f, names, core, record, target);
  return f.finish();
}

/** A new run begins at `record`, which `target` is the address of. */
function goOn(f: FunctionBuilder, names: GeneratedNames, core: I32, record: I32, target: I64): void {
  f.store('i32', core, record, at('entryRec'));
  f.store('i64', core, op64.sub(target, extendU(op32.shrU(record, i32(2)))), at('pcDelta'));
  f.tailCallIndirect(names.handlerType, load.u16(record, recordField.handler), record, core);
}

/** Builds the module; fills each handler's operand list on the way. */
export function buildInterpreter(table: HandlerTable, shape: InterpreterShape): Uint8Array {
  const m = new ModuleBuilder();
  m.importMemory(shape.pages);
  const slow = {} as Record<ImportName, number>;
  for (const name of importNames) slow[name] = m.importFunction(name, importSignature(name));
  const fetch = m.importFunction('fetch', i32s(3));
  const intercept = m.importFunction('intercept', i32s(2));
  const look = m.importFunction('look', { params: ['i32', 'i32'], results: [] });
  const viewChanged = m.importFunction('viewChanged', { params: ['i32'], results: [] });

  const reorder = shape.data && addFetchPath(m, shape.data);
  if (shape.data) {
    const { load, store } = addDataPath(m, shape.data, { load: slow.load, store: slow.store, look, viewChanged });
    slow.load = load;
    slow.store = store;
  }
  m.exportFunction('load', slow.load);
  m.exportFunction('store', slow.store);
  const goto = m.declare({ params: ['i32', 'i32', 'i64'], results: ['i32'] });
  const gotoTyped = m.declare(gotoTypedSignature);
  const enterAt = m.declare({ params: ['i32', 'i64'], results: ['i32'] });
  const enter = m.declare(i32s(1));
  const run = m.declare(handlerSignature);
  const names: GeneratedNames = {
    handlerType: m.type(handlerSignature),
    goto,
    gotoTyped,
    slow,
    unitLog2: shape.unitLog2,
    tableMask: (LINE_TABLE_ENTRIES - 1) * LINE_ENTRY_BYTES,
    routine: (name) => bug(`routine ${name} in a handler that is made at the start`),
  };
  m.define(goto, gotoBody(enterAt));
  m.define(gotoTyped, gotoTypedBody(enterAt, shape));
  m.define(enterAt, enterAtBody(names, shape, fetch, reorder));

  const enterCode = new FunctionBuilder(['i32']);
  const core = enterCode.param(0, 'i32');
  enterCode.tailCall(enterAt, core, load.i64(core, at('pc')));
  m.define(enter, enterCode.finish());
  m.exportFunction('enter', enter);

  const runCode = new FunctionBuilder(['i32', 'i32']);
  const rec = runCode.param(0, 'i32');
  runCode.tailCallIndirect(names.handlerType, load.u16(rec, recordField.handler), rec, runCode.param(1, 'i32'));
  m.define(run, runCode.finish());
  m.exportFunction('run', run);

  const functions: number[] = [];
  const addFixed = (make: (c: FixedContext) => number[]): void => {
    const index = m.declare(handlerSignature);
    m.define(index, make(new FixedContext(undefined, {}, names)));
    functions.push(index);
  };
  addFixed((c) => c.lineEnd());
  addFixed((c) => c.intercept(intercept));
  addFixed((c) => c.undefinedWord());
  for (const handler of table.takeFresh()) {
    const context = new OpenContext(handler.row, handler.statics, names, handler.operands);
    context.emit(handler.semantics);
    const index = m.declare(handlerSignature);
    m.define(index, context.finish());
    functions.push(index);
  }
  m.table(functions);
  m.exportFunction('goto', goto);
  m.exportFunction('gotoTyped', gotoTyped);
  return m.finish();
}
