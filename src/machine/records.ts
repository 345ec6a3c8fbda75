/** What the parts report in words, as the plain records of api.ts: exceptions and findings. */
import { joinBig } from '../base/bits';
import { type ExceptionEvent, ExceptionType } from '../cpu/ports';
import type { MemoryFinding, TranslationContext } from '../memory/types';
import type { ExceptionKind, ExceptionRecord, Finding } from './api';

const kinds: Readonly<Record<number, ExceptionKind>> = {
  [ExceptionType.Sync]: 'sync',
  [ExceptionType.Irq]: 'irq',
  [ExceptionType.Fiq]: 'fiq',
  [ExceptionType.SError]: 'serror',
};

export const exceptionRecord = (e: ExceptionEvent): ExceptionRecord => ({
  core: e.core,
  kind: kinds[e.type],
  fromEl: e.fromEl,
  toEl: e.toEl,
  esr: joinBig(0, e.esr),
  far: joinBig(e.farHi, e.farLo),
  elr: joinBig(e.elrHi, e.elrLo),
  vector: joinBig(e.vectorHi, e.vectorLo),
  undefined: e.undefined,
});

/** `context` is that of the core that ran the instruction. */
export const findingRecord = (
  id: number,
  f: MemoryFinding,
  context: TranslationContext,
  ownerName: (owner: number) => string | undefined,
): Finding => ({
  id,
  kind: f.kind,
  mode: f.mode,
  core: f.core,
  el: context.el,
  asid: context.asid,
  vmid: context.vmid,
  pc: joinBig(f.pcHi, f.pcLo),
  pa: BigInt(f.pa),
  executed: f.executed,
  current: f.current,
  ...(f.detail === undefined ? {} : { detail: f.detail }),
  ...(f.owner === 0 ? {} : { vcpu: ownerName(f.owner) }),
  ...(f.filler === 0 ? {} : { filledBy: ownerName(f.filler) }),
  writerCore: f.writerCore < 0 ? undefined : f.writerCore,
  writerPc: f.writerCore < 0 ? undefined : joinBig(f.writerPcHi, f.writerPcLo),
  instructions: f.time,
  missing: f.missing,
  advice: f.advice,
});
