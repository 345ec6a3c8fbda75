/**
 * Program files and what is known of them: ELF, arm64 Image, symbols, DWARF lines, variables and unwind tables, and typed
 * values read through a port. Knows no machine: memory and registers come in through `EvaluationPort`.
 */

export { frameScope, frameScopes, resolvePath } from './cPath';
export type * from './debugModel';
export { type DebugInfoOptions, openDebugInfo, withFrameBase } from './dwarf/debugInfo';
export { evaluateLocation } from './dwarf/expression';
export { registerName } from './dwarf/expressionContext';
export { stripPointerAuth, type UnwindOptions, type UnwindPort, unwindFrame } from './dwarf/unwind';
export {
  type ElfFile,
  type ElfSection,
  type ElfSegment,
  isElf,
  type LoadSegment,
  loadSegments,
  physicalEntry,
  readElf,
  sectionBytes,
  sectionNamed,
} from './elf';
export { type ElfSymbol, type ElfSymbols, type MappingMark, readSymbols, type SymbolKind } from './elfSymbols';
export { encodeValue, parseNumber, type ResolveNumber, setObject } from './encode';
export { formatObject } from './format';
export { type ElfImage, identifyImage, type LinuxImage, type ProgramImage, type RawImage, rawImage } from './image';
export { type Kallsyms, readKallsyms } from './kallsyms';
export { addressOf, isMissing, type Missing, readBytes, readInteger, readObject, writeObject } from './objects';
export * from './placement';
export { type ProgramSymbol, type SymbolAtAddress, type SymbolModule, SymbolTable } from './symbols';
export type * from './types';
export { findMember, sizeOf, spell, strip } from './typeTools';
export type * from './valueModel';
export { memberOf, pointedTo, valueNode, variableNode, variableObject } from './values';
