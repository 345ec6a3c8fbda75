/**
 * SIMD&FP registers as the debugger shows them: each whole, and as elements of every size, of floats too. `v0`, `q0`, `d0`,
 * `s0`, `h0`, `b0` and `v0.d[1]` are expressions. Only the innermost frame's registers are known, and a guest's
 * under the hypervisor model.
 */
import type { CoreView } from '../machine/api';
import type { RegisterAccess } from './expressions/evaluate';
import { floatToText, textToFloat } from './floatText';
import type { Frame } from './frames';

/** Element sizes by the letter that the assembler has for them. */
export const elementBytes = { b: 1, h: 2, s: 4, d: 8, q: 16 } as const;
export type ElementLetter = keyof typeof elementBytes;

const REGISTERS = 32;
const NAME = /^([vqdshb])(\d|[12]\d|3[01])$/;
const ELEMENT = /^\.([bhsdBHSD])\[(\d+)\]$/;

/** Bits [lo + size) of a register. A write leaves the others as they are. */
function part(
  core: CoreView,
  frame: Frame,
  n: number,
  name: string,
  bytes: 1 | 2 | 4 | 8 | 16,
  index: number,
): RegisterAccess {
  const { guest } = frame;
  const isKnown = frame.live || guest !== undefined;
  const lo = BigInt(index * bytes * 8);
  const mask = ((1n << BigInt(bytes * 8)) - 1n) << lo;
  const write = (value: bigint): boolean => {
    const whole = ((guest ?? core).v(n) & ~mask) | ((value << lo) & mask);
    (guest ?? core).setV(n, whole);
    return true;
  };
  return {
    name,
    size: bytes === 1 || bytes === 2 ? 4 : bytes,
    ...(bytes < 4 ? { bits: bytes * 8 } : {}),
    read: () => (isKnown ? ((guest ?? core).v(n) & mask) >> lo : undefined),
    ...(isKnown ? { write } : {}),
  };
}

/** One element of a register, as `v3.s[1]`. */
export const vectorElement = (
  core: CoreView,
  frame: Frame,
  n: number,
  letter: ElementLetter,
  index: number,
): RegisterAccess => part(core, frame, n, `v${n}.${letter}[${index}]`, elementBytes[letter], index);

/** `v3`, `q3`: all of it; `d3` … `b3`: its lowest element. Undefined for other names. */
export function vectorNamed(core: CoreView, frame: Frame, name: string): RegisterAccess | undefined {
  const match = NAME.exec(name);
  if (!match) return undefined;
  const n = Number(match[2]);
  const letter = (match[1] === 'v' ? 'q' : match[1]) as ElementLetter;
  const whole = part(core, frame, n, name, elementBytes[letter], 0);
  if (match[1] !== 'v') return whole;
  return {
    ...whole,
    part: (text) => {
      const [, size, index] = ELEMENT.exec(text) ?? [];
      if (size === undefined) return undefined;
      const of = size.toLowerCase() as ElementLetter;
      return Number(index) < 16 / elementBytes[of] ? vectorElement(core, frame, n, of, Number(index)) : undefined;
    },
  };
}

export const vectorNames: readonly string[] = ['v', 'q', 'd', 's', 'h', 'b'].flatMap((letter) =>
  Array.from({ length: REGISTERS }, (_, n) => `${letter}${n}`),
);

/** One way to look at a register's elements. */
export interface VectorView {
  readonly name: string;
  readonly letter: ElementLetter;
  /** Elements as floats of their size. */
  readonly float?: boolean;
}

export const vectorViews: readonly VectorView[] = [
  { name: 'd', letter: 'd' },
  { name: 's', letter: 's' },
  { name: 'h', letter: 'h' },
  { name: 'b', letter: 'b' },
  { name: 'double', letter: 'd', float: true },
  { name: 'single', letter: 's', float: true },
  { name: 'half', letter: 'h', float: true },
];

/** An element's value as its view shows it. */
export const elementText = (view: VectorView, value: bigint): string =>
  view.float
    ? floatToText(value, elementBytes[view.letter])
    : `0x${value.toString(16).padStart(2 * elementBytes[view.letter], '0')}`;

/** The bits that a text stands for in a float view; undefined: it is no number. */
export const elementBits = (view: VectorView, text: string): bigint | undefined =>
  textToFloat(text, elementBytes[view.letter]);
