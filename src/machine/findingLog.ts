/** Findings of the coherence checker as they are kept and told: all are counted, the first thousand kept. */
import type { MemoryFinding, TranslationContext } from '../memory/types';
import type { Finding } from './api';
import { findingRecord } from './records';

const MOST = 1000;

export class FindingLog {
  count = 0;
  readonly list: Finding[] = [];
  private readonly listeners: ((finding: Finding) => void)[] = [];

  /** `nameOf` names a vCPU by its owner number. */
  report(f: MemoryFinding, context: TranslationContext, nameOf: (owner: number) => string | undefined): Finding {
    const finding = findingRecord(++this.count, f, context, nameOf);
    if (this.list.length < MOST) this.list.push(finding);
    for (const listener of this.listeners) listener(finding);
    return finding;
  }

  onReported(listener: (finding: Finding) => void): void {
    this.listeners.push(listener);
  }
}
