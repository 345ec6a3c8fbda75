/** Address translation: TLBs, walks of both stages, AT and TLBI, and the debugger's view of a walk. */
export { attrLevel, attrMair, attrType, describePermissions, describeType } from './attributes';
export { faultStatusCode } from './faultStatus';
export { Mmu, type MmuConfig } from './mmu';
export { type PeekedTranslation, peekStage2, peekTranslate, type TranslationStep } from './peek';
export type { TlbEntryView } from './tlb';
