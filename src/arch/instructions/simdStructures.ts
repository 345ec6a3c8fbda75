/**
 * Loads and stores of structures: multiple (LD1 to LD4 of whole registers), single (one element of each register) and
 * replicated (LD1R to LD4R), each with and without post-index. Rm = 31 means the number of bytes transferred.
 */

import type { Fields, InstructionRow } from './types';

type Direction = 'LD' | 'ST';
type Count = 1 | 2 | 3 | 4;
/** The end of a row's id: with post-index or without. */
type Post = '' | '_post';

/** One 64-bit element a register can be no structure. */
const isBadArrangement = (f: Fields): boolean => f.size === 3 && f.Q === 0;
const byBytes = (f: Fields): boolean => f.Rm === 31;

interface Form {
  readonly section: string;
  readonly direction: Direction;
  /** Bit 24 of the word: 0 multiple structures, 1 a single one. */
  readonly single: 0 | 1;
  /** Bit 21, and bits 15 to 10. */
  readonly R: 0 | 1;
  readonly opcode: string;
  /** The assembly up to the address. */
  readonly asm: string;
  /** The bytes transferred, as a template. */
  readonly bytes: string;
}

const row = <Id extends string>(id: Id, post: Post, { direction, asm, bytes, ...form }: Form) => ({
  id,
  section: post === '' ? form.section : `${form.section}, post-index`,
  pattern: `0 Q 00110${form.single}${post === '' ? 0 : 1} ${direction === 'LD' ? 1 : 0} ${form.R} ${post === '' ? '00000' : 'Rm:5'} ${form.opcode} Rn:5 Rt:5`,
  sp: ['Rn'],
  feature: 'FEAT_AdvSIMD' as const,
  needs: 'fp' as const,
  effect: direction === 'LD' ? ('load' as const) : ('store' as const),
  asm: `${asm}, [<Rn>]${post === '' ? '' : ', <Rm>'}`,
  ...(post === '' ? {} : { aliases: [{ when: byBytes, asm: `${asm}, [<Rn>], #${bytes}` }] }),
  status: 'done' as const,
});

/** LDn, STn of whole registers whose elements belong to structures of n. */
const structures = <D extends Direction, N extends 2 | 3 | 4, P extends Post>(d: D, n: N, post: P) => ({
  ...row(`${d}${n}_mult${post}` as const, post, {
    section: `${d}${n} (multiple structures)`,
    direction: d,
    single: 0,
    R: 0,
    opcode: `${{ 4: '0000', 3: '0100', 2: '1000' }[n]} size:2`,
    asm: `${d.toLowerCase()}${n} <list${n}>`,
    bytes: `{Q:${8 * n}|${16 * n}}`,
  }),
  statics: ['Q', 'size'],
  reserved: isBadArrangement,
});

/** LD1, ST1 of one to four whole registers. */
const registers = <D extends Direction, N extends Count, P extends Post>(d: D, n: N, post: P) => ({
  ...row(`${d}1_mult${n}${post}` as const, post, {
    section: `${d}1 (multiple structures), ${n} register${n === 1 ? '' : 's'}`,
    direction: d,
    single: 0,
    R: 0,
    opcode: `${{ 4: '0010', 3: '0110', 2: '1010', 1: '0111' }[n]} size:2`,
    asm: `${d.toLowerCase()}1 <list${n}>`,
    bytes: `{Q:${8 * n}|${16 * n}}`,
  }),
  statics: ['Q'],
});

/** By number of registers: R, and opcode<0>. */
const countBits = { 1: [0, 0], 2: [1, 0], 3: [0, 1], 4: [1, 1] } as const;

/** Size of an element; opcode<2:1>, and where its index is besides Q. */
const elements = {
  b: { bits: 8, opcode: '00', index: 'S size:2' },
  h: { bits: 16, opcode: '01', index: 'S size 0' },
  s: { bits: 32, opcode: '10', index: 'S 00' },
  d: { bits: 64, opcode: '10', index: '0 01' },
} as const;

/** LDn, STn of one element of each of n registers. */
const element = <D extends Direction, N extends Count, E extends keyof typeof elements, P extends Post>(
  d: D,
  n: N,
  size: E,
  post: P,
) => {
  const { bits, opcode, index } = elements[size];
  const [R, low] = countBits[n];
  return row(`${d}${n}_${size}${post}` as const, post, {
    section: `${d}${n} (single structure), ${bits}-bit`,
    direction: d,
    single: 1,
    R,
    opcode: `${opcode} ${low} ${index}`,
    asm: `${d.toLowerCase()}${n} <${size}Elements${n}>`,
    bytes: `${(n * bits) / 8}`,
  });
};

/** LDnR: a structure whose elements fill n registers. */
const replicated = <N extends Count, P extends Post>(n: N, post: P) => {
  const [R, low] = countBits[n];
  return {
    ...row(`LD${n}R${post}` as const, post, {
      section: `LD${n}R`,
      direction: 'LD',
      single: 1,
      R,
      opcode: `11 ${low} 0 size:2`,
      asm: `ld${n}r <list${n}>`,
      bytes: `{size:${n}|${2 * n}|${4 * n}|${8 * n}}`,
    }),
    statics: ['Q', 'size'],
  };
};

export const simdStructureRows = [
  structures('ST', 4, ''),
  structures('LD', 4, ''),
  registers('ST', 4, ''),
  registers('LD', 4, ''),
  structures('ST', 3, ''),
  structures('LD', 3, ''),
  registers('ST', 3, ''),
  registers('LD', 3, ''),
  registers('ST', 1, ''),
  registers('LD', 1, ''),
  structures('ST', 2, ''),
  structures('LD', 2, ''),
  registers('ST', 2, ''),
  registers('LD', 2, ''),
  structures('ST', 4, '_post'),
  structures('LD', 4, '_post'),
  registers('ST', 4, '_post'),
  registers('LD', 4, '_post'),
  structures('ST', 3, '_post'),
  structures('LD', 3, '_post'),
  registers('ST', 3, '_post'),
  registers('LD', 3, '_post'),
  registers('ST', 1, '_post'),
  registers('LD', 1, '_post'),
  structures('ST', 2, '_post'),
  structures('LD', 2, '_post'),
  registers('ST', 2, '_post'),
  registers('LD', 2, '_post'),
  element('ST', 1, 'b', ''),
  element('ST', 1, 'h', ''),
  element('ST', 1, 's', ''),
  element('ST', 1, 'd', ''),
  element('LD', 1, 'b', ''),
  element('LD', 1, 'h', ''),
  element('LD', 1, 's', ''),
  element('LD', 1, 'd', ''),
  element('ST', 2, 'b', ''),
  element('ST', 2, 'h', ''),
  element('ST', 2, 's', ''),
  element('ST', 2, 'd', ''),
  element('LD', 2, 'b', ''),
  element('LD', 2, 'h', ''),
  element('LD', 2, 's', ''),
  element('LD', 2, 'd', ''),
  element('ST', 3, 'b', ''),
  element('ST', 3, 'h', ''),
  element('ST', 3, 's', ''),
  element('ST', 3, 'd', ''),
  element('LD', 3, 'b', ''),
  element('LD', 3, 'h', ''),
  element('LD', 3, 's', ''),
  element('LD', 3, 'd', ''),
  element('ST', 4, 'b', ''),
  element('ST', 4, 'h', ''),
  element('ST', 4, 's', ''),
  element('ST', 4, 'd', ''),
  element('LD', 4, 'b', ''),
  element('LD', 4, 'h', ''),
  element('LD', 4, 's', ''),
  element('LD', 4, 'd', ''),
  element('ST', 1, 'b', '_post'),
  element('ST', 1, 'h', '_post'),
  element('ST', 1, 's', '_post'),
  element('ST', 1, 'd', '_post'),
  element('LD', 1, 'b', '_post'),
  element('LD', 1, 'h', '_post'),
  element('LD', 1, 's', '_post'),
  element('LD', 1, 'd', '_post'),
  element('ST', 2, 'b', '_post'),
  element('ST', 2, 'h', '_post'),
  element('ST', 2, 's', '_post'),
  element('ST', 2, 'd', '_post'),
  element('LD', 2, 'b', '_post'),
  element('LD', 2, 'h', '_post'),
  element('LD', 2, 's', '_post'),
  element('LD', 2, 'd', '_post'),
  element('ST', 3, 'b', '_post'),
  element('ST', 3, 'h', '_post'),
  element('ST', 3, 's', '_post'),
  element('ST', 3, 'd', '_post'),
  element('LD', 3, 'b', '_post'),
  element('LD', 3, 'h', '_post'),
  element('LD', 3, 's', '_post'),
  element('LD', 3, 'd', '_post'),
  element('ST', 4, 'b', '_post'),
  element('ST', 4, 'h', '_post'),
  element('ST', 4, 's', '_post'),
  element('ST', 4, 'd', '_post'),
  element('LD', 4, 'b', '_post'),
  element('LD', 4, 'h', '_post'),
  element('LD', 4, 's', '_post'),
  element('LD', 4, 'd', '_post'),
  replicated(1, ''),
  replicated(2, ''),
  replicated(3, ''),
  replicated(4, ''),
  replicated(1, '_post'),
  replicated(2, '_post'),
  replicated(3, '_post'),
  replicated(4, '_post'),
] as const satisfies readonly InstructionRow[];
