/**
 * Everything that ends a line-table entry's right to be there. Every removal names its reason; tests plant the omission of
 * each in turn (`omit`) and see the subset check fail, so none can be forgotten quietly.
 */
export const Remover = {
  none: 0,
  eviction: 1, // the way is refilled
  invalidate: 2, // DC / IC operations that invalidate
  clean: 3, // store entries only: the line is no longer dirty
  snoop: 4, // another core takes or reads the line
  tlb: 5, // the TLB entry that justified it vanished
  context: 6, // the context slot is given to another context
  alias: 7, // another address (or context) of the same line takes the way's slot over
  exclusive: 8, // store entries of other cores over the whole exclusives reservation granule
  watchpoint: 9,
  region: 10, // flash goes into command mode: reads are device reads
  iResident: 11, // store entries: an I-cache that must hear of stores fills the line
  instruction: 12, // checker: an IC operation ends what is known of a line, so its next store has to be seen
} as const;
export type RemoverName = keyof typeof Remover;
export type Remover = (typeof Remover)[RemoverName];
