/** Tables made executable: decoding, disassembly and encoding of A64 instruction words. */

export { type BitMasks, decodeBitMasks, type Pair } from './bitmask';
export { type Decoded, decoderFor, decodeWord, findRow } from './decode';
export {
  type DisassembleOptions,
  type Disassembly,
  disassemble,
  registerName,
  type SysOpName,
  systemNames,
} from './disassemble';
export { encode, randomWord } from './encode';
export { allMnemonics, mnemonicsOf } from './mnemonics';
export { type CompiledRow, compiledRow, compiledRows, extract, matches } from './pattern';
