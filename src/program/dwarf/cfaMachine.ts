/** Runs call frame instructions (DWARF 5 section 6.4.2) up to a pc. */

import type { CfaRule, RegisterRule } from '../debugModel';
import { Malformed, type Reader } from '../reader';
import type { Cie } from './cfi';
import { CFA } from './constants';

const MAX_STATES = 64;
const MAX_REGISTER = 1024;

interface State {
  cfa: CfaRule | undefined;
  registers: Map<number, RegisterRule>;
  signedReturn: boolean;
}

const copy = (state: State): State => ({ ...state, registers: new Map(state.registers) });

export class CfaMachine {
  private state: State = { cfa: undefined, registers: new Map(), signedReturn: false };
  private initial: State = this.state;
  private readonly stack: State[] = [];
  /** Start of the row in force. */
  low: bigint;
  /** Start of the first row after pc, once it was seen. */
  high: bigint | undefined;

  constructor(
    private readonly cie: Cie,
    start: bigint,
    private readonly pc: bigint,
    private readonly pointer: (r: Reader) => bigint,
  ) {
    this.low = start;
  }

  get cfa(): CfaRule | undefined {
    return this.state.cfa;
  }

  get registers(): ReadonlyMap<number, RegisterRule> {
    return this.state.registers;
  }

  get signedReturn(): boolean {
    return this.state.signedReturn;
  }

  /** The common entry's instructions are done: restoring a register goes back to what they set. */
  initialDone(): void {
    this.initial = copy(this.state);
  }

  run(r: Reader): void {
    while (!r.done && this.high === undefined) this.step(r);
  }

  private advance(delta: number): void {
    this.goTo(BigInt.asUintN(64, this.low + BigInt(delta) * BigInt(this.cie.codeAlign)));
  }

  private goTo(address: bigint): void {
    if (address > this.pc) this.high = address;
    else this.low = address;
  }

  private set(register: number, rule: RegisterRule): void {
    if (register > MAX_REGISTER) throw new Malformed(`register ${register}`);
    this.state.registers.set(register, rule);
  }

  private saved(register: number, factored: number): void {
    this.set(register, { kind: 'offset', offset: factored * this.cie.dataAlign });
  }

  private restore(register: number): void {
    const rule = this.initial.registers.get(register);
    if (rule === undefined) this.state.registers.delete(register);
    else this.state.registers.set(register, rule);
  }

  private step(r: Reader): void {
    const byte = r.u8();
    const operand = byte & 0x3f;
    switch (byte & 0xc0) {
      case CFA.advanceLoc:
        this.advance(operand);
        return;
      case CFA.offset:
        this.saved(operand, r.uleb());
        return;
      case CFA.restore:
        this.restore(operand);
        return;
    }
    if (!this.cfaInstruction(byte, r) && !this.locationInstruction(byte, r)) this.registerInstruction(byte, r);
  }

  private locationInstruction(op: number, r: Reader): boolean {
    switch (op) {
      case CFA.nop:
        return true;
      case CFA.setLoc:
        this.goTo(this.pointer(r));
        return true;
      case CFA.advanceLoc1:
        this.advance(r.u8());
        return true;
      case CFA.advanceLoc2:
        this.advance(r.u16());
        return true;
      case CFA.advanceLoc4:
        this.advance(r.u32());
        return true;
      case CFA.rememberState:
        if (this.stack.length >= MAX_STATES) throw new Malformed('too many remembered states');
        this.stack.push(copy(this.state));
        return true;
      case CFA.restoreState: {
        const state = this.stack.pop();
        if (state === undefined) throw new Malformed('no state to restore');
        this.state = state;
        return true;
      }
      default:
        return false;
    }
  }

  private cfaInstruction(op: number, r: Reader): boolean {
    const { dataAlign } = this.cie;
    switch (op) {
      case CFA.defCfa:
        this.state.cfa = { kind: 'register', register: r.uleb(), offset: r.uleb() };
        return true;
      case CFA.defCfaSf:
        this.state.cfa = { kind: 'register', register: r.uleb(), offset: r.sleb() * dataAlign };
        return true;
      case CFA.defCfaRegister:
        this.state.cfa = { kind: 'register', register: r.uleb(), offset: this.cfaRegister().offset };
        return true;
      case CFA.defCfaOffset:
        this.state.cfa = { ...this.cfaRegister(), offset: r.uleb() };
        return true;
      case CFA.defCfaOffsetSf:
        this.state.cfa = { ...this.cfaRegister(), offset: r.sleb() * dataAlign };
        return true;
      case CFA.defCfaExpression:
        this.state.cfa = { kind: 'expression', expression: r.takeBytes(r.uleb()) };
        return true;
      default:
        return false;
    }
  }

  private cfaRegister(): Extract<CfaRule, { kind: 'register' }> {
    const { cfa } = this.state;
    if (cfa?.kind !== 'register') throw new Malformed('the frame address has no register to change');
    return cfa;
  }

  private registerInstruction(op: number, r: Reader): void {
    switch (op) {
      case CFA.offsetExtended:
        this.saved(r.uleb(), r.uleb());
        return;
      case CFA.offsetExtendedSf:
        this.saved(r.uleb(), r.sleb());
        return;
      case CFA.gnuNegativeOffsetExtended:
        this.saved(r.uleb(), -r.uleb());
        return;
      case CFA.restoreExtended:
        this.restore(r.uleb());
        return;
      case CFA.undefined:
        this.set(r.uleb(), { kind: 'undefined' });
        return;
      case CFA.sameValue:
        this.set(r.uleb(), { kind: 'same' });
        return;
      case CFA.register:
        this.set(r.uleb(), { kind: 'register', register: r.uleb() });
        return;
      case CFA.valOffset:
        this.set(r.uleb(), { kind: 'valueOffset', offset: r.uleb() * this.cie.dataAlign });
        return;
      case CFA.valOffsetSf:
        this.set(r.uleb(), { kind: 'valueOffset', offset: r.sleb() * this.cie.dataAlign });
        return;
      case CFA.expression:
        this.set(r.uleb(), { kind: 'expression', expression: r.takeBytes(r.uleb()) });
        return;
      case CFA.valExpression:
        this.set(r.uleb(), { kind: 'valueExpression', expression: r.takeBytes(r.uleb()) });
        return;
      case CFA.negateRaState:
      case CFA.negateRaStateWithPc:
        this.state.signedReturn = !this.state.signedReturn;
        return;
      case CFA.gnuArgsSize:
        r.uleb();
        return;
      default:
        throw new Malformed(`frame instruction 0x${op.toString(16)} is not known`);
    }
  }
}
