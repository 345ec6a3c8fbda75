/** What generated code calls: the engine's slow paths, told to the core and the memory system. */
import { encodingKey } from '../arch/sysregs';
import type { Cpu } from '../cpu/cpu';
import { coreLayout } from '../cpu/layout';
import type { EnginePorts } from '../engine/engine';
import type { MemorySystem } from '../memory/memorySystem';

const PENDING_EXIT = coreLayout.pendingExit[0];
const VALUE = coreLayout.value[0];
/** CNTPCT_EL0, CNTVCT_EL0 and their self-synchronised views. */
const counters: ReadonlySet<number> = new Set([1, 2, 5, 6].map((op2) => encodingKey([3, 3, 14, 0, op2])));
const DSB = 0;
const DMB = 1;

/** IC IALLUIS, IC IALLU, IC IVAU: CRn = 7, CRm = 1 or 5. */
const isInstructionCacheOperation = (encoding: number): boolean =>
  ((encoding >> 7) & 15) === 7 && (((encoding >> 3) & 15) === 1 || ((encoding >> 3) & 15) === 5);

/** `core` is an index. Everything returns 0 to go on, or 1 when generated code has to be left. */
export function slowPaths(
  memory: MemorySystem,
  cpus: readonly Cpu[],
  u32: Uint32Array,
  blockOf: (core: number) => number,
): EnginePorts['slow'] {
  const exclusiveStatus = (core: number): void => {
    const at = (blockOf(core) + VALUE + 8) >> 2;
    u32[at] = memory.exclusiveStatus;
    u32[at + 1] = 0;
  };
  /** What follows has to be looked up again: generated code is left after this instruction. */
  const lookAgain = (core: number): void => {
    u32[(blockOf(core) + PENDING_EXIT) >> 2] = 1;
  };
  const { checker, cores, cost } = memory.config;
  /** A prefetch buffer or the checker wants to see every fetch after an ISB; DIC caches lose lines to plain stores. */
  const always = checker !== 'off' || cores.some((c) => c.prefetch > 0 || c.dic);
  /** System registers or operations since the last ISB: translation, caches or context may be different. */
  const changed = new Uint8Array(cores.length);
  return {
    load: (core, lo, hi, bits) => (memory.load(core, hi, lo, bits) === 0 ? 0 : cpus[core].abort()),
    store: (core, lo, hi, bits) => (memory.store(core, hi, lo, bits) === 0 ? 0 : cpus[core].abort()),
    loadExclusive: (core, lo, hi, bits) => (memory.load(core, hi, lo, bits) === 0 ? 0 : cpus[core].abort()),
    storeExclusive: (core, lo, hi, bits) => {
      if (memory.store(core, hi, lo, bits) !== 0) return cpus[core].abort();
      exclusiveStatus(core);
      return 0;
    },
    zero: (core, lo, hi) => (memory.zero(core, hi, lo) === 0 ? 0 : cpus[core].abort()),
    svc: (core, imm) => cpus[core].svc(imm),
    hvc: (core, imm) => cpus[core].hvc(imm),
    smc: (core, imm) => cpus[core].smc(imm),
    brk: (core, imm) => cpus[core].brk(imm),
    hlt: (core, imm) => cpus[core].hlt(imm),
    undefined: (core, word) => cpus[core].undefined(word),
    fpAccess: (core) => cpus[core].fpAccess(),
    eret: (core) => cpus[core].eret(),
    exceptionLink: (core) => cpus[core].exceptionLink(),
    eretTo: (core) => cpus[core].eretTo(),
    esb: (core) => cpus[core].esb(),
    pauthTrap: (core) => cpus[core].pauthTrap(),
    pauthFail: (core, key) => cpus[core].pauthFail(key),
    wfi: (core) => cpus[core].wfi(),
    wfe: (core) => cpus[core].wfe(),
    sev: (core) => cpus[core].sev(),
    sevl: (core) => cpus[core].sevl(),
    clrex: (core) => {
      memory.clearExclusive(core);
      return 0;
    },
    barrier: (core, kind) => {
      if (kind === DSB) memory.dsb(core);
      else if (kind === DMB) memory.dmb(core);
      else {
        memory.isb(core);
        // Only what happened since this straight run began can have changed what comes next.
        if (always || changed[core] !== 0) lookAgain(core);
        changed[core] = 0;
      }
      return 0;
    },
    systemRead: (core, encoding) => {
      // The counter is outside of the core: polling it takes time.
      if (counters.has(encoding)) memory.penalty(core, cost.counterRead);
      return cpus[core].systemRead(encoding);
    },
    systemWrite: (core, encoding) => {
      changed[core] = 1;
      return cpus[core].systemWrite(encoding);
    },
    systemOperation: (core, encoding) => {
      changed[core] = 1;
      const left = cpus[core].systemOperation(encoding);
      // What follows in this very line may just have been invalidated: holding it back is the prefetch knob's business.
      if (isInstructionCacheOperation(encoding)) lookAgain(core);
      return left;
    },
    msrImmediate: (core, op1, op2, CRm) => cpus[core].msrImmediate(op1, op2, CRm),
    spAlignment: (core) => cpus[core].spAlignment(),
  };
}
