/**
 * The forms of floating-point instructions: what the rows of one of the manual's encoding groups share. Most instructions have
 * two rows: one for single and double precision, told apart by `sz`, and one for half precision (`_h`, FEAT_FP16). An id is
 * the mnemonic and the form: `_scalar` one number, `_vec` a vector, `_elem` by one element, `_int` and `_fix` between numbers
 * and general registers.
 */
import type { Fields } from '../types';

const common = { needs: 'fp', effect: 'none', status: 'done' } as const;
/** Rows of the scalar floating-point groups, of scalar SIMD and of vectors. */
export const scalarFloat = { ...common, feature: 'FEAT_FP', statics: ['sz'] } as const;
export const scalarSimd = {
  ...common,
  feature: 'FEAT_AdvSIMD',
  statics: ['sz'],
} as const;
export const vector = { ...common, feature: 'FEAT_AdvSIMD', statics: ['Q', 'sz'] } as const;
export const half = { feature: 'FEAT_FP16', statics: [] } as const;
export const halfVector = { feature: 'FEAT_FP16', statics: ['Q'] } as const;

export const lower = (mnemonic: string): string => mnemonic.toLowerCase();
/** A vector of one double does not exist. */
export const badDouble = (f: Fields): boolean => f.sz === 1 && f.Q === 0;

/** Registers as scalars and vectors, for both rows. */
export const names = (list: string, print: (name: string) => string): string => list.split(' ').map(print).join(', ');
export const scalars = (list: string): string => names(list, (r) => `<V${r}:sz>`);
export const halves = (list: string): string => names(list, (r) => `<V${r}:h>`);
export const vectors = (list: string): string => names(list, (r) => `<V${r}>.<Tsz>`);
export const halfVectors = (list: string): string => names(list, (r) => `<V${r}>.{Q:4h|8h}`);
