/**
 * Registers by name for one frame: general ones (`x0`, `w0`, `sp`, `lr`), PSTATE and its fields, system registers. Only the
 * innermost frame's general registers are the core's own and can be set.
 */
import { byName, type SystemRegisterRow, systemRegisters } from '../arch/sysregs';
import { hostFields } from '../arch/sysregs/masks';
import type { CoreView } from '../machine/api';
import type { RegisterAccess } from './expressions/evaluate';
import type { Frame } from './frames';
import type { GuestRegisters } from './model/guestRegisters';
import { vectorNamed, vectorNames } from './vectorRegisters';

export const generalNames: readonly string[] = [...Array.from({ length: 31 }, (_, n) => `x${n}`), 'sp', 'pc'];

const SP = 31;
/** Bit of HCR_EL2. */
const E2H = 34n;
const aliases: Readonly<Record<string, string>> = { lr: 'x30', fp: 'x29', ip0: 'x16', ip1: 'x17', cpsr: 'pstate' };

/** PSTATE is shown with the fields of SPSR_ELx, which has its layout. */
const pstateRow = systemRegisters[byName('SPSR_EL1')];
export const pstateFields = pstateRow.fields.filter((field) => field.res === undefined);

const upperNames = new Map(systemRegisters.map((row) => [row.name.toUpperCase(), row]));
const shortNames = new Map<string, SystemRegisterRow[]>();
for (const row of systemRegisters) {
  const short = row.name.toUpperCase().replace(/_EL[0-3]$/, '');
  shortNames.set(short, [...(shortNames.get(short) ?? []), row]);
}

/** The system register that a name means, in any case; `sctlr` is the one of the current EL. */
export function systemRegister(name: string, el: number): SystemRegisterRow | undefined {
  const upper = name.toUpperCase();
  const exact = upperNames.get(upper);
  if (exact) return exact;
  const family = shortNames.get(upper) ?? [];
  return family.length === 1 ? family[0] : family.find((row) => row.name.endsWith(`_EL${Math.max(1, el)}`));
}

export function systemAccess(core: CoreView, row: SystemRegisterRow, guest?: GuestRegisters): RegisterAccess {
  const writable = row.write !== 'none';
  const e2h = (((core.peekSystem('HCR_EL2') ?? 0n) >> E2H) & 1n) === 1n;
  const fields = (e2h ? hostFields(row) : undefined) ?? row.fields;
  const own = guest?.system(row.name);
  return {
    name: row.name,
    size: 8,
    e2h,
    fields: fields.filter((field) => field.res === undefined),
    read: () => own?.read() ?? core.peekSystem(row.name),
    ...(writable ? { write: (value: bigint) => own?.write(value) ?? core.pokeSystem(row.name, value) } : {}),
  };
}

/** Its registers are the core's own, or a guest's that the hypervisor model keeps. */
export const canWrite = (frame: Frame): boolean => frame.live || frame.guest !== undefined;

function general(core: CoreView, frame: Frame, n: number, name: string, size: 4 | 8): RegisterAccess {
  const { guest } = frame;
  const whole = (): bigint | undefined => {
    if (guest !== undefined) return guest.general(n);
    if (n === 32) return frame.live ? core.pc() : frame.pc;
    return frame.live ? core.x(n) : frame.registers.get(n);
  };
  const write = (value: bigint): boolean => {
    if (guest !== undefined) guest.setGeneral(n, value);
    else if (n === 32) core.setPc(value);
    else core.setX(n, value);
    return true;
  };
  return {
    name,
    size,
    read: () => {
      const value = whole();
      return value === undefined ? undefined : BigInt.asUintN(size * 8, value);
    },
    ...(canWrite(frame) ? { write } : {}),
  };
}

function pstate(core: CoreView, frame: Frame): RegisterAccess {
  const { guest } = frame;
  const write = (value: bigint): boolean => {
    if (guest === undefined) core.setPstate(value);
    else guest.setPstate(value);
    return true;
  };
  return {
    name: 'pstate',
    size: 8,
    fields: pstateFields,
    read: () => guest?.pstate() ?? (frame.live ? core.pstate() : frame.pstate),
    ...(canWrite(frame) ? { write } : {}),
  };
}

/** A PSTATE field by its own name (`N`, `DAIF` is not one), as a register of its own. */
function pstateField(core: CoreView, frame: Frame, name: string): RegisterAccess | undefined {
  const field = pstateFields.find((f) => f.name === name);
  if (field === undefined) return undefined;
  const whole = pstate(core, frame);
  const mask = ((1n << BigInt(field.hi - field.lo + 1)) - 1n) << BigInt(field.lo);
  const { write } = whole;
  return {
    name,
    size: 8,
    bits: field.hi - field.lo + 1,
    read: () => {
      const value = whole.read();
      return value === undefined ? undefined : (value & mask) >> BigInt(field.lo);
    },
    ...(write
      ? { write: (value: bigint) => write(((whole.read() ?? 0n) & ~mask) | ((value << BigInt(field.lo)) & mask)) }
      : {}),
  };
}

/** The register of that name in a frame; undefined when there is none. */
export function registerNamed(core: CoreView, frame: Frame, name: string): RegisterAccess | undefined {
  const lower = aliases[name.toLowerCase()] ?? name.toLowerCase();
  const match = /^([xw])(\d|[12]\d|30)$/.exec(lower);
  if (match) return general(core, frame, Number(match[2]), lower, match[1] === 'x' ? 8 : 4);
  if (lower === 'sp' || lower === 'wsp') return general(core, frame, SP, lower, lower === 'sp' ? 8 : 4);
  if (lower === 'pc') return general(core, frame, 32, 'pc', 8);
  if (lower === 'xzr' || lower === 'wzr') return { name: lower, size: 8, read: () => 0n };
  const vector = vectorNamed(core, frame, lower);
  if (vector) return vector;
  if (lower === 'pstate') return pstate(core, frame);
  const row = systemRegister(name, frame.el);
  if (row && core.peekSystem(row.name) !== undefined) return systemAccess(core, row, frame.guest);
  return pstateField(core, frame, name);
}

/** Names for completion. */
export const registerNames: readonly string[] = [
  ...generalNames,
  ...Array.from({ length: 31 }, (_, n) => `w${n}`),
  'lr',
  'fp',
  'pstate',
  ...vectorNames,
  ...systemRegisters.map((row) => row.name),
];
