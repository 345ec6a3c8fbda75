/** Address translation: TLBs, stage 1 walks, AT and TLBI, and the debugger's view of a walk. */
export { attrLevel, attrMair, attrType, describePermissions, describeType } from './attributes';
export { faultStatusCode } from './faultStatus';
export { Mmu, type MmuConfig } from './mmu';
export { type PeekedTranslation, peekTranslate, type TranslationStep } from './peek';
export type { TlbEntryView } from './tlb';
