/** The memory system's one fault object, rewritten in place: taking a fault allocates nothing. */
import type { AbortFault } from './types';

export class MutableFault implements AbortFault {
  kind: AbortFault['kind'] = 'translation';
  level = 0;
  stage2 = false;
  s1ptw = false;
  write = false;
  cacheMaintenance = false;
  ipa = 0;

  copy(from: AbortFault): void {
    this.kind = from.kind;
    this.level = from.level;
    this.stage2 = from.stage2;
    this.s1ptw = from.s1ptw;
    this.write = from.write;
    this.cacheMaintenance = from.cacheMaintenance;
    this.ipa = from.ipa;
  }

  /** A fault that no translation table made. */
  plain(kind: AbortFault['kind'], write: boolean): void {
    this.kind = kind;
    this.level = 0;
    this.stage2 = false;
    this.s1ptw = false;
    this.write = write;
    this.cacheMaintenance = false;
    this.ipa = 0;
  }
}
