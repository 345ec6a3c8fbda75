/**
 * Address references, the strings by which views and DAP name memory: `[core<N>/]<space>:0x…`. A plain number is a virtual
 * address as the core at hand translates it now. References to virtual machines (`vm<M>/`) are refused: there are none.
 */
import { hex64 } from '../base/bits';
import type { Space } from '../machine/api';

export const spaces = [
  'va',
  'el0',
  'el1',
  'el2',
  'el3',
  'ipa',
  'pa',
  'pou',
  'poc',
  'icache',
] as const satisfies Space[];

export interface AddressReference {
  /** Undefined: the core at hand. */
  readonly core: number | undefined;
  readonly space: Space;
  readonly address: bigint;
}

const FORM = /^(?:core(\d+)\/)?(?:([a-z]+\d?):)?(0[xX][0-9a-fA-F]{1,16}|\d{1,20})$/;

/** Undefined when the text is no reference. */
export function parseReference(text: string): AddressReference | undefined {
  const match = FORM.exec(text.trim().replaceAll('_', ''));
  if (match === null) return undefined;
  const space = spaces.find((name) => name === (match[2] ?? 'va'));
  const address = BigInt(match[3]);
  if (space === undefined || address >> 64n !== 0n) return undefined;
  return { core: match[1] === undefined ? undefined : Number(match[1]), space, address };
}

export const formatReference = ({ core, space, address }: AddressReference): string =>
  `${core === undefined ? '' : `core${core}/`}${space}:${hex64(address)}`;

/** The space in which addresses of exception level `el` mean what they mean there. */
export const spaceOfEl = (el: number): Space => (['el0', 'el1', 'el2', 'el3'] as const)[el & 3];

/** The address `offset` bytes on, wrapping at 2^64. */
export const addOffset = (address: bigint, offset: number): bigint => BigInt.asUintN(64, address + BigInt(offset));
