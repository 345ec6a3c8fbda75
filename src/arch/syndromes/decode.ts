/** ESR_ELx values as trees with meanings. */
import { fieldBig, hex } from '../../base/bits';
import { type Described, describeFields } from '../described';
import { operationByKey } from '../sysops/index';
import { registerNameOf } from '../sysregs/index';
import { exceptionClass } from './classes';
import { faultStatus } from './faultStatus';
import { type IssFormat, issFormats } from './formats';

const bitAt = (value: bigint, bit: number): boolean => ((value >> BigInt(bit)) & 1n) === 1n;
const number = (value: bigint, hi: number, lo: number): number => Number(fieldBig(value, hi, lo));

const general = (n: number): string => (n === 31 ? 'xzr' : `x${n}`);

const keyOf = (iss: bigint): number =>
  (number(iss, 21, 20) << 14) |
  (number(iss, 16, 14) << 11) |
  (number(iss, 13, 10) << 7) |
  (number(iss, 4, 1) << 3) |
  number(iss, 19, 17);

const registerText = (key: number): string =>
  registerNameOf(key) ?? `S${key >> 14}_${(key >> 11) & 7}_C${(key >> 7) & 15}_C${(key >> 3) & 15}_${key & 7}`;

/** 'CTR_EL0', 'DC ISW': the register or operation that a system register syndrome names. */
export function trappedName(iss: bigint): string {
  const key = keyOf(iss);
  return (key >> 14 === 1 ? operationByKey(key)?.name : undefined) ?? registerText(key);
}

/** 'MRS x3, CTR_EL0': the instruction that a system register syndrome describes. */
export function trappedAccess(iss: bigint): string {
  const key = keyOf(iss);
  const rt = general(number(iss, 9, 5));
  if (key >> 14 === 1) {
    const row = operationByKey(key);
    if (row === undefined) return `SYS (${hex(key)}), ${rt}`;
    return row.operand === 'none' ? row.name : `${row.name}, ${rt}`;
  }
  const name = registerText(key);
  return bitAt(iss, 0) ? `MRS ${rt}, ${name}` : `MSR ${name}, ${rt}`;
}

const fault = (iss: bigint): string => faultStatus[number(iss, 5, 0)] ?? `reserved status ${hex(number(iss, 5, 0))}`;

function dataAbort(iss: bigint): string {
  const parts = [fault(iss), bitAt(iss, 8) ? 'cache maintenance' : bitAt(iss, 6) ? 'write' : 'read'];
  if (bitAt(iss, 7)) parts.push('on a stage 1 walk');
  if (bitAt(iss, 24)) {
    const register = `${bitAt(iss, 15) ? 'x' : 'w'}${number(iss, 20, 16)}`;
    parts.push(`${['byte', 'halfword', 'word', 'doubleword'][number(iss, 23, 22)]} of ${register}`);
  }
  return parts.join(', ');
}

/** One line for a syndrome; undefined where the class says it all. */
const summaries: Partial<Record<IssFormat, (iss: bigint) => string>> = {
  immediate: (iss) => `#${hex(number(iss, 15, 0))}`,
  wfx: (iss) => ['WFI', 'WFE', 'WFIT', 'WFET'][number(iss, 1, 0)],
  systemRegister: trappedAccess,
  dataAbort,
  instructionAbort: (iss) => fault(iss) + (bitAt(iss, 7) ? ', on a stage 1 walk' : ''),
  watchpoint: (iss) => (bitAt(iss, 6) ? 'write' : 'read'),
  unparsed: (iss) => `ISS ${hex(iss)}`,
};

/** ISS fields; those of a data abort that ISV = 0 leaves invalid are left out when they are zero. */
function issFields(format: IssFormat, iss: bigint): Described[] {
  const fields = describeFields(issFormats[format], iss);
  if (format !== 'dataAbort' || bitAt(iss, 24)) return fields;
  return fields.filter((field) => field.hi! > 23 || field.hi! < 14 || field.value !== 0n);
}

/** The tree of an ESR_ELx value: EC, IL, ISS with its fields. The root's meaning is the whole in one line. */
export function decodeEsr(value: bigint): Described {
  const ec = number(value, 31, 26);
  const row = exceptionClass(ec);
  const iss = fieldBig(value, 24, 0);
  const format = row?.iss ?? 'unparsed';
  const name = row?.name ?? `reserved class ${hex(ec)}`;
  const summary = summaries[format]?.(iss);
  return {
    name: 'ESR',
    value,
    meaning: summary === undefined ? name : `${name}: ${summary}`,
    ...(row === undefined ? {} : { doc: row.section }),
    children: [
      ...(value >> 32n === 0n ? [] : [{ name: 'ISS2', value: fieldBig(value, 63, 32), hi: 63, lo: 32 }]),
      { name: 'EC', value: BigInt(ec), hi: 31, lo: 26, meaning: name, doc: 'exception class' },
      {
        name: 'IL',
        value: fieldBig(value, 25, 25),
        hi: 25,
        lo: 25,
        meaning: bitAt(value, 25) ? '32-bit instruction' : '16-bit instruction',
        doc: 'instruction length',
      },
      {
        name: 'ISS',
        value: iss,
        hi: 24,
        lo: 0,
        ...(summary === undefined ? {} : { meaning: summary }),
        doc: 'instruction specific syndrome',
        children: issFields(format, iss),
      },
    ],
  };
}
