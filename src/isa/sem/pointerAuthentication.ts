/**
 * Semantics of pointer authentication. Rows: arch/instructions/extensionsPauth. Keys have numbers: IA, IB, DA, DB, GA. Shared
 * pseudocode: AddPACIA and its kin, AuthIA and its kin, Strip, TrapPACUse.
 */
import { PauthFlag } from '../../arch/pointerAuthentication';
import { extendS, type I32, type I64, i32, i64, type Local, op32, op64, select } from '../../wasm/code';
import { extended } from '../pauth';
import { base, stackBase } from './address';
import { callType, jumpType, typedJump } from './branches';
import { signed } from './common';
import type { Semantics, SemanticsContext } from './context';

const keyNames = ['APIA', 'APIB', 'APDA', 'APDB', 'APGA'] as const;
type Key = 0 | 1 | 2 | 3;
const GA = 4;
const keyHalf = (s: SemanticsContext, key: number, half: 'Lo' | 'Hi'): I64 =>
  s.system(`${keyNames[key]}Key${half}_EL1`);
const isData = (key: Key): boolean => key >= 2;

const trapped = (s: SemanticsContext, flags: I32): void =>
  s.code.if(op32.and(flags, i32(PauthFlag.trap)), () => s.slow('pauthTrap'));

/** Runs `body` where the key is enabled, after traps. */
function enabled(s: SemanticsContext, key: Key, body: (flags: Local<'i32'>) => void): void {
  const flags = s.code.let(s.word('pauthFlags'));
  s.code.if(op32.and(flags, i32(PauthFlag.enabled << key)), () => {
    trapped(s, flags);
    body(flags);
  });
}

/** The pointer with its code, where the key is enabled. */
function signedPointer(s: SemanticsContext, key: Key, pointer: I64, modifier: I64): Local<'i64'> {
  const result = s.code.let(pointer);
  enabled(s, key, (flags) => {
    const data = isData(key);
    const by55 = op32.and(flags, i32(data ? PauthFlag.dataBy55 : PauthFlag.instructionsBy55));
    const masks = [s.pauthMask(data, 'low'), s.pauthMask(data, 'high')];
    const bit = select(by55, i32(55), i32(63));
    const keys = [keyHalf(s, key, 'Hi'), keyHalf(s, key, 'Lo')];
    s.code.set(result, s.call('addPac', 'i64', result, modifier, ...keys, flags, ...masks, bit));
  });
  return result;
}

const ownMask = (s: SemanticsContext, data: boolean, pointer: I64): { mask: I64; upper: I32 } => {
  const upper = s.code.let(op64.ne(op64.and(pointer, i64(1n << 55n)), i64(0)));
  return { upper, mask: select(upper, s.pauthMask(data, 'high'), s.pauthMask(data, 'low')) };
};

/**
 * The pointer without its code, or one that faults when it is used; with FEAT_FPAC an exception. `combined`: authentication is a
 * part of an instruction that uses the pointer.
 */
function authenticated(s: SemanticsContext, key: Key, pointer: I64, modifier: I64, combined: boolean): Local<'i64'> {
  const result = s.code.let(pointer);
  enabled(s, key, (flags) => {
    const own = ownMask(s, isData(key), result);
    const mask = s.code.let(own.mask);
    const keys = [keyHalf(s, key, 'Hi'), keyHalf(s, key, 'Lo')];
    const error = i64((key & 1) === 1 ? 2 : 1);
    s.code.set(result, s.call('authenticate', 'i64', result, modifier, ...keys, flags, mask, error));
    const faults = op32.and(flags, i32(combined ? PauthFlag.FPACCOMBINE : PauthFlag.FPAC));
    const wrong = op64.ne(extended(result, mask, own.upper), result);
    s.code.if(op32.and(op32.ne(faults, i32(0)), wrong), () => s.slow('pauthFail', i32(key)));
  });
  return result;
}

function stripped(s: SemanticsContext, data: boolean, pointer: I64): I64 {
  const p = s.code.let(pointer);
  const { mask, upper } = ownMask(s, data, p);
  const m = s.code.let(mask);
  return extended(p, m, upper);
}

/** PAC and AUT by number: four keys each. */
function signOrAuthenticate(s: SemanticsContext, opc: number, pointer: I64, modifier: I64): I64 {
  const key = (opc & 3) as Key;
  return opc < 4 ? signedPointer(s, key, pointer, modifier) : authenticated(s, key, pointer, modifier, false);
}

const key = (s: SemanticsContext): Key => (s.statics.M === 1 ? 1 : 0);
const LINK = 30;
const SP = 31;

const branch = (modifier: (s: SemanticsContext) => I64, link: boolean): Semantics => ({
  extra: link ? callType : jumpType,
  emit: (s) => {
    const target = authenticated(s, key(s), s.x('Rn'), modifier(s), true);
    if (link) s.setLink(op64.add(s.pc(), i64(4)));
    typedJump(s, target);
  },
});

const load = (writesBack: boolean): Semantics => ({
  extra: stackBase,
  loads: 1,
  emit: (s) => {
    const dataKey: Key = s.statics.M === 1 ? 3 : 2;
    const pointer = authenticated(s, dataKey, s.x('Rn'), i64(0), true);
    base(s);
    const offset = s.small((f) => signed((f.S << 9) | f.imm9, 10) * 8);
    const address = s.code.let(op64.add(pointer, extendS(offset)));
    s.setX('Rt', s.load(address, 3));
    if (writesBack) s.setX('Rn', address);
  },
});

const zero = (): I64 => i64(0);
const byRm = (s: SemanticsContext): I64 => s.x('Rm');

export const pointerAuthenticationSemantics = {
  PACGA: {
    emit: (s) => {
      const flags = s.code.let(s.word('pauthFlags'));
      trapped(s, flags);
      const keys = [keyHalf(s, GA, 'Hi'), keyHalf(s, GA, 'Lo')];
      const code = s.call('computePac', 'i64', s.x('Rn'), s.x('Rm'), ...keys, flags);
      s.setX('Rd', op64.and(code, i64(0xffffffff00000000n)));
    },
  },
  PAC_reg: { emit: (s) => s.setX('Rd', signOrAuthenticate(s, s.statics.opc, s.x('Rd'), s.x('Rn'))) },
  PAC_zero: { emit: (s) => s.setX('Rd', signOrAuthenticate(s, s.statics.opc, s.x('Rd'), i64(0))) },
  /** PACIA1716, PACIB1716, AUTIA1716, AUTIB1716. */
  PAC_1716: {
    emit: (s) => {
      const { op } = s.statics;
      s.setXAt(17, signOrAuthenticate(s, ((op & 2) << 1) | (op & 1), s.xAt(17), s.xAt(16)));
    },
  },
  /** PACIAZ, PACIASP, PACIBZ, PACIBSP, AUTIAZ, AUTIASP, AUTIBZ, AUTIBSP. */
  PAC_link: {
    emit: (s) => {
      const { op2 } = s.statics;
      const modifier = (op2 & 1) === 1 ? s.xAt(SP) : i64(0);
      s.setXAt(LINK, signOrAuthenticate(s, (op2 & 4) | ((op2 >> 1) & 1), s.xAt(LINK), modifier));
    },
  },
  XPAC: { emit: (s) => s.setX('Rd', stripped(s, s.statics.D === 1, s.x('Rd'))) },
  XPACLRI: { emit: (s) => s.setXAt(LINK, stripped(s, false, s.xAt(LINK))) },
  BRA: branch(byRm, false),
  BRA_zero: branch(zero, false),
  BLRA: branch(byRm, true),
  BLRA_zero: branch(zero, true),
  RETA: { emit: (s) => s.jump(authenticated(s, key(s), s.xAt(LINK), s.xAt(SP), true)) },
  ERETA: {
    emit: (s) => {
      s.slow('exceptionLink');
      s.setValue(0, authenticated(s, key(s), s.value(0), s.xAt(SP), true));
      s.slow('eretTo');
    },
  },
  LDRA_off: load(false),
  LDRA_pre: load(true),
} as const satisfies Record<string, Semantics>;
