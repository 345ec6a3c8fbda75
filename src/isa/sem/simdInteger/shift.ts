/** Semantics of Advanced SIMD shifts by an immediate. Rows: arch/instructions/simdInteger/shift. */
import type { Semantics } from '../context';
import { inForms, shiftLeft, shiftLong, shiftNarrow, shiftRight } from './elements';
import { wideLanes } from './lanes';
import { limitedQ, type Saturation } from './saturate';
import { leftInsert, leftSaturating, leftSaturatingUnsigned, right, rightInsert } from './shifts';

const plain = (isSigned: boolean, round: boolean): Semantics =>
  shiftRight((e, a, less) => right(e, e.z, isSigned, round, a, less));
const accumulated = (isSigned: boolean, round: boolean): Semantics =>
  shiftRight((e, a, less) => e.z.add(e.d, right(e, e.z, isSigned, round, a, less)));

const narrowed = (round: boolean): Semantics =>
  shiftNarrow((e, a, less) => right(e, wideLanes(e.size), false, round, a, less));
const saturated = (to: Saturation, round: boolean): Semantics =>
  shiftNarrow((e, a, less) => limitedQ(e, to, right(e, wideLanes(e.size), to !== 'unsigned', round, a, less)));

const widened = (isSigned: boolean): Semantics =>
  shiftLong((e, a, amount) => wideLanes(e.size).shl(e.widened(isSigned, a), amount));

export const shiftSemantics = {
  ...inForms(['imm', 'imm_scalar'], {
    SSHR: plain(true, false),
    USHR: plain(false, false),
    SRSHR: plain(true, true),
    URSHR: plain(false, true),
    SSRA: accumulated(true, false),
    USRA: accumulated(false, false),
    SRSRA: accumulated(true, true),
    URSRA: accumulated(false, true),
    SHL: shiftLeft((e, a, amount) => e.z.shl(a, amount)),
    SRI: shiftRight(rightInsert),
    SLI: shiftLeft(leftInsert),
    SQSHL: shiftLeft(leftSaturating(true)),
    UQSHL: shiftLeft(leftSaturating(false)),
    SQSHLU: shiftLeft(leftSaturatingUnsigned),
    SQSHRN: saturated('signed', false),
    UQSHRN: saturated('unsigned', false),
    SQSHRUN: saturated('signedToUnsigned', false),
    SQRSHRN: saturated('signed', true),
    UQRSHRN: saturated('unsigned', true),
    SQRSHRUN: saturated('signedToUnsigned', true),
  }),
  ...inForms(['imm'], {
    SHRN: narrowed(false),
    RSHRN: narrowed(true),
    SSHLL: widened(true),
    USHLL: widened(false),
  }),
} as const;
