/** SIMD&FP registers, FPCR and FPSR as semantic functions see them, and the test whether they are enabled. */

import type { Fields } from '../arch/instructions';
import { byName } from '../arch/sysregs';
import { coreLayout, systemOffset, vectorOffset } from '../cpu/layout';
import { type F32, type F64, type I32, type I64, i32, i64, load, op32, type V128 } from '../wasm/code';
import { v128 } from '../wasm/vector';
import { offset, StateContext } from './stateContext';

export const FPCR_OFFSET = systemOffset(byName('FPCR'));
export const FPSR_OFFSET = systemOffset(byName('FPSR'));
const [VECTORS, VECTORS_BYTES] = coreLayout.v;

/** An address in the core block. */
export interface Place {
  readonly address: I32;
  readonly offset: number;
}

export abstract class VectorContext extends StateContext {
  /** Place of the register that stands `plus` after the one in a field. */
  protected abstract vSlot(field: string, plus: number): Place;

  protected vectorOf(field: string, plus: number): (f: Fields) => number {
    return (f) => vectorOffset((f[field] + plus) & 31);
  }
  /** Offset of the register `plus` after the one at an offset that is known at run time only. */
  protected vectorAfter(at: I32, plus: number): I32 {
    return op32.or(op32.and(op32.add(at, i32(16 * plus)), i32(VECTORS_BYTES - 1)), i32(VECTORS));
  }

  private elementPlace(field: string, sizeLog2: number, index: number | I32, plus: number): Place {
    const s = this.vSlot(field, plus);
    if (typeof index === 'number') return { address: s.address, offset: s.offset + (index << sizeLog2) };
    const scaled = sizeLog2 === 0 ? index : op32.shl(index, i32(sizeLog2));
    return { address: op32.add(s.address, scaled), offset: s.offset };
  }

  v(field: string, plus = 0): V128 {
    const s = this.vSlot(field, plus);
    return load.v128(s.address, s.offset);
  }
  element32(field: string, sizeLog2: 0 | 1 | 2, index: number | I32 = 0, plus = 0): I32 {
    const s = this.elementPlace(field, sizeLog2, index, plus);
    return [load.u8, load.u16, load.i32][sizeLog2](s.address, s.offset);
  }
  element64(field: string, sizeLog2: 0 | 1 | 2 | 3, index: number | I32 = 0, plus = 0): I64 {
    const s = this.elementPlace(field, sizeLog2, index, plus);
    return [load.i64u8, load.i64u16, load.i64u32, load.i64][sizeLog2](s.address, s.offset);
  }
  f32(field: string): F32 {
    const s = this.vSlot(field, 0);
    return load.f32(s.address, s.offset);
  }
  f64(field: string): F64 {
    const s = this.vSlot(field, 0);
    return load.f64(s.address, s.offset);
  }

  setV(field: string, value: V128, plus = 0): void {
    const s = this.vSlot(field, plus);
    this.code.store('v128', s.address, value, s.offset);
  }
  setLow32(field: string, sizeLog2: 0 | 1 | 2, value: I32): void {
    const low = this.code.let(value);
    this.setV(field, v128(0n, 0n));
    this.setElement32(field, sizeLog2, 0, low);
  }
  setLow64(field: string, value: I64, plus = 0): void {
    const s = this.vSlot(field, plus);
    this.code.store('i64', s.address, value, s.offset);
    this.code.store('i64', s.address, i64(0), s.offset + 8);
  }
  setElement32(field: string, sizeLog2: 0 | 1 | 2, index: number | I32, value: I32, plus = 0): void {
    const s = this.elementPlace(field, sizeLog2, index, plus);
    this.code.store((['i32as8', 'i32as16', 'i32'] as const)[sizeLog2], s.address, value, s.offset);
  }
  setElement64(field: string, sizeLog2: 0 | 1 | 2 | 3, index: number | I32, value: I64, plus = 0): void {
    const s = this.elementPlace(field, sizeLog2, index, plus);
    this.code.store((['i64as8', 'i64as16', 'i64as32', 'i64'] as const)[sizeLog2], s.address, value, s.offset);
  }

  fpcr(): I32 {
    return load.i32(this.core, FPCR_OFFSET);
  }
  fpsr(): I32 {
    return load.i32(this.core, FPSR_OFFSET);
  }
  raise(bits: I32): void {
    this.code.store('i32', this.core, op32.or(load.i32(this.core, FPSR_OFFSET), bits), FPSR_OFFSET);
  }

  /** What has to hold before an instruction executes at all, besides being defined. */
  protected checkNeeds(): void {
    if (this.row?.needs === 'fp') this.code.if(load.i32(this.core, offset('fpTrap')), () => this.slow('fpAccess'));
  }
}
