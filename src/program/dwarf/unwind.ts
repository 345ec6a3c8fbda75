/** The caller's registers from a row of the unwind table and the callee's registers. */

import type { CfaRule, EvaluationPort, RegisterRule, UnwindRow, UnwoundFrame } from '../debugModel';
import { evaluateLocation, evaluateNumber } from './expression';
import { bareContext } from './expressionContext';

/** What unwinding reads of the callee's frame. */
export type UnwindPort = Pick<EvaluationPort, 'register' | 'memory'>;

export interface UnwindOptions {
  /** Virtual address bits in use, where a signed return address keeps its own bits (default 48). */
  readonly addressBits?: number;
}

const SP = 31;
/** Registers that a call preserves (AAPCS64): X18 (platform), X19 to X29; X30 stands for the return address. */
const FIRST_PRESERVED = 18;
const LAST_GENERAL = 30;

const mod64 = (n: bigint): bigint => BigInt.asUintN(64, n);

function fullPort(port: UnwindPort): EvaluationPort {
  return {
    register: (n) => port.register(n),
    memory: (address, size) => port.memory(address, size),
    cfa: () => undefined,
    frameBase: () => undefined,
  };
}

function cfaOf(rule: CfaRule, port: UnwindPort): bigint | undefined {
  if (rule.kind === 'expression') return evaluateNumber(rule.expression, fullPort(port));
  const base = port.register(rule.register);
  return base === undefined ? undefined : mod64(base + BigInt(rule.offset));
}

function read64(port: UnwindPort, address: bigint): bigint | undefined {
  const bytes = port.memory(mod64(address), 8);
  if (bytes === undefined) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
}

function recover(rule: RegisterRule, register: number, cfa: bigint, port: UnwindPort): bigint | undefined {
  switch (rule.kind) {
    case 'undefined':
      return undefined;
    case 'same':
      return port.register(register);
    case 'offset':
      return read64(port, cfa + BigInt(rule.offset));
    case 'valueOffset':
      return mod64(cfa + BigInt(rule.offset));
    case 'register':
      return port.register(rule.register);
    case 'expression': {
      const location = evaluateLocation(rule.expression, fullPort(port), bareContext, cfa);
      return location.kind === 'address' ? read64(port, location.address) : undefined;
    }
    case 'valueExpression':
      return evaluateNumber(rule.expression, fullPort(port), bareContext, cfa);
  }
}

/** Removes a pointer authentication code: the bits above the address are copies of bit 55. */
export function stripPointerAuth(address: bigint, addressBits = 48): bigint {
  const low = BigInt.asUintN(addressBits, address);
  return (address >> 55n) & 1n ? mod64(low | (-1n << BigInt(addressBits))) : low;
}

/** Undefined when the frame address cannot be computed. */
export function unwindFrame(row: UnwindRow, port: UnwindPort, options: UnwindOptions = {}): UnwoundFrame | undefined {
  const cfa = cfaOf(row.cfa, port);
  if (cfa === undefined) return undefined;
  const registers = new Map<number, bigint>();
  const put = (register: number, value: bigint | undefined): void => {
    if (value !== undefined) registers.set(register, value);
  };
  for (let n = FIRST_PRESERVED; n <= LAST_GENERAL; n++) if (!row.registers.has(n)) put(n, port.register(n));
  for (const [n, rule] of row.registers) put(n, recover(rule, n, cfa, port));
  if (!row.registers.has(SP)) registers.set(SP, cfa);
  const returned = registers.get(row.returnRegister) ?? undefined;
  const pc = returned !== undefined && row.signedReturn ? stripPointerAuth(returned, options.addressBits) : returned;
  if (pc !== undefined && row.signedReturn) registers.set(row.returnRegister, pc);
  return { cfa, pc, registers };
}
