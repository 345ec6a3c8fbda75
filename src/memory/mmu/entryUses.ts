/** Uses of TLB entries that the coherence checker waits for: what the access got, and what a walk would have given. */
import { hex } from '../../base/bits';
import {
  Access,
  type EntryUse,
  type TranslationResult,
  type TranslationWatch,
  type TranslatorPort,
} from '../translator';
import type { TranslationContext, TranslationRange } from '../types';
import { Attr, describeType } from './attributes';
import { FreshWalk, type Rights } from './freshWalk';
import type { Tlb, TlbSelector } from './tlb';

export class EntryUses {
  private readonly fresh: FreshWalk;
  private readonly use: EntryUse = { vaHi: 0, vaLo: 0, access: Access.Read, got: '', walked: '' };

  constructor(
    readonly watch: TranslationWatch,
    port: TranslatorPort,
    private readonly tlbs: readonly Tlb[],
  ) {
    this.fresh = new FreshWalk(port);
  }

  /**
   * An access is about to use `result`, whose entry has the attribute word `attr`. `range` undefined: stage 1 is off. True: further
   * uses are waited for.
   */
  isWatched(
    core: number,
    context: TranslationContext,
    range: TranslationRange | undefined,
    hi: number,
    lo: number,
    access: Access,
    rights: Rights,
    attr: number,
    result: TranslationResult,
  ): boolean {
    const { watch, fresh, use } = this;
    const index = result.tlbIndex;
    if (index < 0 || watch.watched[core][index] === 0) return false;
    const user = range !== undefined && context.twoRanges && (attr & Attr.El0) !== 0;
    if (!watch.mayNotUse(core, index, user)) return true;
    const walked = fresh.differs(core, context, range, hi, lo, access, rights, result);
    if (walked === undefined) return true;
    use.vaHi = hi >>> 0;
    use.vaLo = lo >>> 0;
    use.access = access;
    use.walked = walked;
    use.got = fresh.sameAddress ? describeType(result.type, result.shareability) : `PA ${hex(result.pa)}`;
    watch.used(core, index, context, use);
    return watch.watched[core][index] !== 0;
  }

  /** Entries of other cores that a TLBI of one core would have removed, had it been theirs too. */
  spare(by: number, selector: TlbSelector): void {
    const { watch, tlbs } = this;
    for (let core = 0; core < tlbs.length; core++) {
      if (core === by) continue;
      const watched = watch.watched[core];
      for (let index = 0; index < watched.length; index++)
        if (watched[index] !== 0 && tlbs[core].names(index, selector)) watch.spared(core, index, by);
    }
  }
}
