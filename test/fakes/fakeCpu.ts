/**
 * A tiny A64 interpreter for tests of the debugger: the instructions that the C fixtures and hand-made programs use, written
 * straight down in BigInt. It is no model of anything; what it does not know is an UNDEFINED instruction.
 */
import type { Fields } from '../../src/arch/instructions';
import { decodeBitMasks, decodeWord } from '../../src/isa';

export interface FakeBus {
  load(address: bigint, size: number): bigint | undefined;
  store(address: bigint, size: number, value: bigint): boolean;
}
/** Why an instruction did not simply finish. */
export type FakeEvent =
  | { readonly kind: 'none' | 'wfi' | 'undefined' | 'eret' }
  | { readonly kind: 'svc' | 'hvc' | 'smc'; readonly imm: number }
  | { readonly kind: 'abort'; readonly address: bigint; readonly write: boolean };

const u64 = (v: bigint): bigint => BigInt.asUintN(64, v);
const sext = (v: number, bits: number): bigint => BigInt.asIntN(bits, BigInt(v));
const done: FakeEvent = { kind: 'none' };

export class FakeCpu {
  readonly x = new Array<bigint>(31).fill(0n);
  pc = 0n;
  nzcv = 0;
  el = 2;
  spsel = 1;
  daif = 0x3c0n;
  readonly system = new Map<string, bigint>();

  constructor(private readonly bus: FakeBus) {}

  get spName(): string {
    return `SP_EL${this.spsel === 0 ? 0 : this.el}`;
  }
  get sp(): bigint {
    return this.system.get(this.spName) ?? 0n;
  }
  set sp(value: bigint) {
    this.system.set(this.spName, u64(value));
  }
  pstate(): bigint {
    return (BigInt(this.nzcv) << 28n) | this.daif | BigInt((this.el << 2) | this.spsel);
  }
  setPstate(value: bigint): void {
    this.nzcv = Number((value >> 28n) & 15n);
    this.daif = value & 0x3c0n;
    this.el = Number((value >> 2n) & 3n);
    this.spsel = Number(value & 1n);
  }
  get(n: number, sp = false): bigint {
    return n < 31 ? this.x[n] : sp ? this.sp : 0n;
  }
  set(n: number, value: bigint, sf = 1, sp = false): void {
    const v = BigInt.asUintN(sf === 0 ? 32 : 64, value);
    if (n < 31) this.x[n] = v;
    else if (sp) this.sp = v;
  }

  /** Runs one word at pc; pc moves on unless an event says otherwise. */
  execute(word: number): FakeEvent {
    const decoded = decodeWord(word);
    if (!decoded) return { kind: 'undefined' };
    const next = this.pc + 4n;
    const { id } = decoded.row;
    const f = decoded.fields;
    const event = this.branch(id, f, next) ?? this.data(id, f) ?? this.memory(id, f) ?? { kind: 'undefined' };
    return event;
  }

  private go(target: bigint): FakeEvent {
    this.pc = u64(target);
    return done;
  }
  private holds(cond: number): boolean {
    const [n, z, c, v] = [8, 4, 2, 1].map((bit) => (this.nzcv & bit) !== 0);
    const base = [z, c, n, v, c && !z, n === v, n === v && !z, true][cond >> 1];
    return (cond & 1) === 1 && cond !== 15 ? !base : base;
  }

  private branch(id: string, f: Fields, next: bigint): FakeEvent | undefined {
    switch (id) {
      case 'BL':
        this.x[30] = next;
        return this.go(this.pc + sext(f.imm26, 26) * 4n);
      case 'B':
        return this.go(this.pc + sext(f.imm26, 26) * 4n);
      case 'B_cond':
        return this.go(this.holds(f.cond) ? this.pc + sext(f.imm19, 19) * 4n : next);
      case 'CBZ':
      case 'CBNZ': {
        const value = BigInt.asUintN(f.sf === 0 ? 32 : 64, this.get(f.Rt));
        return this.go((value === 0n) === (id === 'CBZ') ? this.pc + sext(f.imm19, 19) * 4n : next);
      }
      case 'BLR': {
        const target = this.get(f.Rn);
        this.x[30] = next;
        return this.go(target);
      }
      case 'BR':
      case 'RET':
        return this.go(this.get(f.Rn));
      case 'ERET':
        return { kind: 'eret' };
      case 'SVC':
      case 'HVC':
      case 'SMC':
        return { kind: id === 'SVC' ? 'svc' : id === 'HVC' ? 'hvc' : 'smc', imm: f.imm16 };
      case 'WFI':
        this.pc = next;
        return { kind: 'wfi' };
      default:
        return undefined;
    }
  }

  private flags(result: bigint, a: bigint, b: bigint, carry: bigint, bits: number): void {
    const value = BigInt.asUintN(bits, result);
    const top = 1n << BigInt(bits - 1);
    const overflow = BigInt.asIntN(bits, a) + BigInt.asIntN(bits, b) + carry !== BigInt.asIntN(bits, result);
    const out = (BigInt.asUintN(bits, a) + BigInt.asUintN(bits, b) + carry) >> BigInt(bits);
    this.nzcv = (value & top ? 8 : 0) | (value === 0n ? 4 : 0) | (out ? 2 : 0) | (overflow ? 1 : 0);
  }
  private add(f: Fields, a: bigint, b: bigint, subtract: boolean, set: boolean, sp: boolean): FakeEvent {
    const bits = f.sf === 0 ? 32 : 64;
    const operand = subtract ? ~b : b;
    const carry = subtract ? 1n : 0n;
    const result = BigInt.asUintN(bits, a + operand + carry);
    if (set) this.flags(result, a, operand, carry, bits);
    this.set(f.Rd, result, f.sf, sp && !set);
    return this.go(this.pc + 4n);
  }
  private shifted(f: Fields): bigint {
    const bits = f.sf === 0 ? 32 : 64;
    const value = BigInt.asUintN(bits, this.get(f.Rm));
    if (f.shift === 0) return value << BigInt(f.imm6);
    return f.shift === 1 ? value >> BigInt(f.imm6) : BigInt.asIntN(bits, value) >> BigInt(f.imm6);
  }
  private extended(f: Fields): bigint {
    const bits = 8 << (f.option & 3);
    const value = this.get(f.Rm);
    return (f.option & 4 ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)) << BigInt(f.imm3);
  }
  private moved(f: Fields, value: bigint): FakeEvent {
    this.set(f.Rd, value, f.sf);
    return this.go(this.pc + 4n);
  }
  private bitfield(id: string, f: Fields): FakeEvent {
    const bits = f.sf === 0 ? 32 : 64;
    const [r, s] = [f.immr, f.imms];
    const source = BigInt.asUintN(bits, this.get(f.Rn));
    const [width, low, to] = s >= r ? [s - r + 1, r, 0] : [s + 1, 0, bits - r];
    const taken = BigInt.asUintN(width, source >> BigInt(low));
    const mask = ((1n << BigInt(width)) - 1n) << BigInt(to);
    if (id === 'BFM') return this.moved(f, (this.get(f.Rd) & ~mask) | (taken << BigInt(to)));
    return this.moved(f, (id === 'SBFM' ? BigInt.asIntN(width, taken) : taken) << BigInt(to));
  }

  private logical(id: string, f: Fields): FakeEvent {
    const { wmask } = decodeBitMasks(f.sf === 0 ? 0 : f.N, f.imms, f.immr);
    const mask = (BigInt(wmask.hi >>> 0) << 32n) | BigInt(wmask.lo >>> 0);
    const value = this.get(f.Rn);
    const result = id === 'AND_imm' ? value & mask : id === 'ORR_imm' ? value | mask : value ^ mask;
    this.set(f.Rd, result, f.sf, true);
    return this.go(this.pc + 4n);
  }

  private data(id: string, f: Fields): FakeEvent | undefined {
    const immediate = BigInt(f.imm12 ?? 0) << (f.sh === 1 ? 12n : 0n);
    switch (id) {
      case 'ADD_imm':
      case 'ADDS_imm':
      case 'SUB_imm':
      case 'SUBS_imm':
        return this.add(f, this.get(f.Rn, true), immediate, id.startsWith('SUB'), id[3] === 'S', true);
      case 'ADD_shift':
      case 'ADDS_shift':
      case 'SUB_shift':
      case 'SUBS_shift':
        return this.add(f, this.get(f.Rn), this.shifted(f), id.startsWith('SUB'), id[3] === 'S', false);
      case 'ADD_ext':
      case 'SUB_ext':
        return this.add(f, this.get(f.Rn, true), this.extended(f), id.startsWith('SUB'), false, true);
      case 'ORR_shift':
        return this.moved(f, this.get(f.Rn) | this.shifted(f));
      case 'AND_shift':
        return this.moved(f, this.get(f.Rn) & this.shifted(f));
      case 'AND_imm':
      case 'ORR_imm':
      case 'EOR_imm':
        return this.logical(id, f);
      case 'MOVZ':
        return this.moved(f, BigInt(f.imm16) << BigInt(16 * f.hw));
      case 'MOVN':
        return this.moved(f, ~(BigInt(f.imm16) << BigInt(16 * f.hw)));
      case 'MOVK': {
        const at = BigInt(16 * f.hw);
        return this.moved(f, (this.get(f.Rd) & ~(0xffffn << at)) | (BigInt(f.imm16) << at));
      }
      case 'ADR':
        return this.moved({ ...f, sf: 1 }, this.pc + sext((f.immhi << 2) | f.immlo, 21));
      case 'ADRP':
        return this.moved({ ...f, sf: 1 }, (this.pc & ~0xfffn) + sext((f.immhi << 2) | f.immlo, 21) * 4096n);
      case 'UBFM':
      case 'SBFM':
      case 'BFM':
        return this.bitfield(id, f);
      case 'MADD':
        return this.moved(f, this.get(f.Ra) + this.get(f.Rn) * this.get(f.Rm));
      case 'CSEL':
        return this.moved(f, this.get(this.holds(f.cond) ? f.Rn : f.Rm));
      case 'CSINC':
        return this.moved(f, this.holds(f.cond) ? this.get(f.Rn) : this.get(f.Rm) + 1n);
      case 'NOP':
      case 'HINT':
      case 'ISB':
      case 'DSB':
        return this.go(this.pc + 4n);
      default:
        return undefined;
    }
  }

  private transfer(address: bigint, size: number, rt: number, load: boolean, signed = 0): FakeEvent {
    if (load) {
      const value = this.bus.load(address, size);
      if (value === undefined) return { kind: 'abort', address, write: false };
      this.set(rt, signed > 0 ? BigInt.asUintN(signed, BigInt.asIntN(size * 8, value)) : value);
    } else if (!this.bus.store(address, size, BigInt.asUintN(size * 8, this.get(rt)))) {
      return { kind: 'abort', address, write: true };
    }
    return done;
  }

  private memory(id: string, f: Fields): FakeEvent | undefined {
    const pair = /^(STP|LDP)_(off|pre|post)$/.exec(id);
    if (pair) return this.pair(pair[1] === 'LDP', pair[2], f);
    const single = /^(STR|LDRS|LDR)_(imm_uoff|imm_pre|imm_post|reg)$/.exec(id) ?? /^(STUR|LDURS|LDUR)$/.exec(id);
    if (!single) return undefined;
    const size = 1 << f.size;
    const load = id.startsWith('LD');
    const base = this.get(f.Rn, true);
    const way = single[2] ?? 'unscaled';
    const offset = way === 'imm_uoff' ? BigInt(f.imm12 * size) : way === 'reg' ? this.index(f) : sext(f.imm9, 9);
    const signed = id.startsWith('LDRS') || id === 'LDURS' ? (f.opc === 1 ? 32 : 64) : 0;
    const event = this.transfer(way === 'imm_post' ? base : u64(base + offset), size, f.Rt, load, signed);
    if (event.kind !== 'none') return event;
    if (way === 'imm_pre' || way === 'imm_post') this.set(f.Rn, base + offset, 1, true);
    return this.go(this.pc + 4n);
  }
  private index(f: Fields): bigint {
    const value = this.get(f.Rm);
    const extended = f.option === 2 ? BigInt.asUintN(32, value) : f.option === 6 ? BigInt.asIntN(32, value) : value;
    return extended << BigInt(f.S === 1 ? f.size : 0);
  }
  private pair(load: boolean, way: string, f: Fields): FakeEvent {
    const size = f.sf === 0 ? 4 : 8;
    const base = this.get(f.Rn, true);
    const offset = sext(f.imm7, 7) * BigInt(size);
    const address = way === 'post' ? base : u64(base + offset);
    for (const [i, rt] of [f.Rt, f.Rt2].entries()) {
      const event = this.transfer(u64(address + BigInt(i * size)), size, rt, load);
      if (event.kind !== 'none') return event;
    }
    if (way !== 'off') this.set(f.Rn, base + offset, 1, true);
    return this.go(this.pc + 4n);
  }
}
