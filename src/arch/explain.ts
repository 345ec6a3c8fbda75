/**
 * Explanations from the tables, as views, hovers and `elscope explain` show them. Instruction words are explained by isa/,
 * which has the decoder.
 */
import { hex, hex64 } from '../base/bits';
import { type Described, type DescribeOptions, describeFields } from './described';
import { decodeEsr } from './syndromes/decode';
import { modeName } from './syndromes/modes';
import { operationByName, type SystemOperationRow, systemOperations } from './sysops/index';
import { byName, type SystemRegisterRow, systemRegisters } from './sysregs/index';
import { fieldsFor, noFeatures } from './sysregs/masks';
import { namedRegisters } from './sysregs/named';
import type { TrapRule } from './sysregs/types';

/** A register's value as a tree with meanings; undefined for a name that the table does not have. */
export function describe(register: string, value: bigint, options: DescribeOptions = {}): Described | undefined {
  const index = byName(register);
  if (index < 0) return undefined;
  if (/^ESR_EL[123]$/.test(register)) return { ...decodeEsr(value), name: register };
  const row = systemRegisters[index];
  const children = describeFields(fieldsFor(row, value, options.has ?? noFeatures, options.e2h), value, options);
  const meaning = /^SPSR_EL[123]$/.test(register) ? modeName(Number(value & 0x1fn)) : undefined;
  return { name: row.name, value, doc: row.section, ...(meaning === undefined ? {} : { meaning }), children };
}

const level = (el: number | 'none'): string => (el === 'none' ? 'not possible' : `EL${el} and above`);

function trapLine(rule: TrapRule): string {
  const conditions = [rule, ...(rule.and === undefined ? [] : [rule.and])].map((c) => `${c.control}=${c.value}`);
  const unless = (rule.unless ?? []).map((c) => `${c.control}=${c.value}`);
  const but = unless.length === 0 ? '' : ` unless ${unless.join(' or ')}`;
  const what = rule.access === undefined ? 'access' : rule.access;
  const ec = rule.ec === undefined ? '' : `, EC ${hex(rule.ec)}`;
  return `  ${conditions.join(' and ')}${but}: ${what} from EL${rule.from.join(', EL')} traps to EL${rule.to}${ec}`;
}

function fieldLine(field: SystemRegisterRow['fields'][number]): string {
  const range = field.hi === field.lo ? `[${field.hi}]` : `[${field.hi}:${field.lo}]`;
  // One digit reads the same in every base; more are known in hexadecimal (0x41 Arm, 0xd03 Cortex-A53).
  const values = Object.entries(field.values ?? {}).map(([value, meaning]) => {
    return `${value.length === 1 ? value : hex(Number(value))} ${meaning}`;
  });
  const tail = [field.feature, field.doc, values.length === 0 ? undefined : `{${values.join('; ')}}`];
  return `  ${range.padEnd(8)}${[field.name, ...tail.filter((t) => t !== undefined)].join('  ')}`;
}

const encodingText = (parts: readonly number[]): string =>
  `op0=${parts[0]} op1=${parts[1]} CRn=${parts[2]} CRm=${parts[3]} op2=${parts[4]}`;

function registerLines(row: SystemRegisterRow): string[] {
  const reset = row.reset === 'id' ? 'from the core' : hex64(row.reset);
  return [
    `${row.name}: ${row.section}`,
    `  ${encodingText(row.encoding)}; read: ${level(row.read)}; write: ${level(row.write)}; reset: ${reset}`,
    ...(row.feature === undefined ? [] : [`  only with ${row.feature}`]),
    ...(row.note === undefined ? [] : [`  ${row.note}`]),
    ...(row.traps ?? []).map(trapLine),
    ...row.fields.map(fieldLine),
  ];
}

function operationLines(row: SystemOperationRow): string[] {
  return [
    `${row.name}: ${row.section}`,
    `  ${encodingText([1, ...row.encoding])}; EL${row.el} and above; operand: ${row.operand}`,
    ...(row.status === 'unimplemented' ? ['  not implemented: UNDEFINED'] : []),
    ...(row.feature === undefined ? [] : [`  only with ${row.feature}`]),
    ...(row.note === undefined ? [] : [`  ${row.note}`]),
    ...(row.traps ?? []).map(trapLine),
  ];
}

/** A tree as indented lines: name = value  meaning. */
export function describedLines(node: Described, indent = ''): string[] {
  const where = node.hi === undefined ? '' : node.hi === node.lo ? ` [${node.hi}]` : ` [${node.hi}:${node.lo}]`;
  const meaning = node.meaning === undefined ? '' : `  ${node.meaning}`;
  return [
    `${indent}${node.name}${where} = ${hex(node.value)}${meaning}`,
    ...(node.children ?? []).flatMap((child) => describedLines(child, `${indent}  `)),
  ];
}

const NUMBER = /^(0x[0-9a-fA-F]{1,16}|\d{1,19})$/;

/** The name in the table that `text` means: any case, and without its `_ELn` where only one register fits. */
function findName(text: string, names: readonly string[]): string | undefined {
  const wanted = text.toUpperCase().replace(/\s+/g, ' ');
  const exact = names.find((name) => name.toUpperCase() === wanted);
  if (exact !== undefined) return exact;
  const close = names.filter((name) => name.toUpperCase().replace(/_EL\d+$/, '') === wanted);
  return close.length === 1 ? close[0] : undefined;
}

const allNames = systemRegisters.map((row) => row.name);
const operationNames = systemOperations.map((row) => row.name);

/**
 * Explains a register name ('sctlr_el1'), an operation ('DC CVAU'), a register with a value ('HCR_EL2=0x80000000',
 * 'ESR=0x96000045') or a bare number, taken as an ESR_ELx value. Undefined for anything else.
 */
export function explain(text: string): string[] | undefined {
  const [left, right, ...rest] = text.trim().split(/\s*=\s*/);
  if (rest.length > 0) return undefined;
  if (right !== undefined) {
    if (!NUMBER.test(right) || BigInt(right) >= 1n << 64n) return undefined;
    if (left.toUpperCase() === 'ESR') return describedLines(decodeEsr(BigInt(right)));
    const name = findName(left, allNames);
    const described = name === undefined ? undefined : describe(name, BigInt(right));
    return described === undefined ? undefined : describedLines(described);
  }
  if (NUMBER.test(left)) return BigInt(left) >= 1n << 64n ? undefined : describedLines(decodeEsr(BigInt(left)));
  const register = findName(left, allNames);
  if (register !== undefined) return registerLines(systemRegisters[byName(register)]);
  const operation = findName(left, operationNames);
  if (operation !== undefined) return operationLines(operationByName(operation)!);
  const named = namedRegisters.find((row) => row.name.toUpperCase() === left.toUpperCase());
  return named === undefined
    ? undefined
    : [`${named.name}: ${named.section}`, `  ${encodingText(named.encoding)}`, `  not implemented: ${named.reason}`];
}
