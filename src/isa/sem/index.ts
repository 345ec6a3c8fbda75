/** The meaning of every instruction row, by id. A row that is 'done' without a meaning here does not compile. */
import type { ImplementedId } from '../../arch/instructions';
import { atomicSemantics } from './atomics';
import { branchSemantics } from './branches';
import type { Semantics } from './context';
import { dataImmediateSemantics } from './dataImmediate';
import { dataRegisterSemantics } from './dataRegister';
import { flagSemantics } from './flags';
import { floatSemantics } from './float';
import { loadStoreSemantics } from './loadStore';
import { pointerAuthenticationSemantics } from './pointerAuthentication';
import { shortSequenceSemantics } from './shortSequences';
import { simdCryptoSemantics } from './simdCrypto';
import { simdIntegerSemantics } from './simdInteger';
import { simdLoadStoreSemantics } from './simdLoadStore';
import { simdMoveSemantics } from './simdMove';
import { simdPermuteSemantics } from './simdPermute';
import { simdSmSemantics } from './simdSm';
import { simdStructureSemantics } from './simdStructures';
import { systemSemantics } from './system';

export const semantics = {
  ...dataImmediateSemantics,
  ...dataRegisterSemantics,
  ...branchSemantics,
  ...loadStoreSemantics,
  ...atomicSemantics,
  ...flagSemantics,
  ...shortSequenceSemantics,
  ...pointerAuthenticationSemantics,
  ...systemSemantics,
  ...simdLoadStoreSemantics,
  ...simdStructureSemantics,
  ...simdSmSemantics,
  ...simdMoveSemantics,
  ...simdPermuteSemantics,
  ...simdCryptoSemantics,
  ...simdIntegerSemantics,
  ...floatSemantics,
} as const satisfies Record<ImplementedId, Semantics>;

export const semanticsOf = (id: string): Semantics | undefined =>
  (semantics as Readonly<Record<string, Semantics>>)[id];
export { writeConstants } from './constants';
export type { AccessKind, Semantics, SemanticsContext, SlowPath } from './context';
export { type Routine, routines } from './routines';
