/** A very small assembler for written guests: rows of the instruction table with label operands. */
import { encode } from '../../src/isa';

type Id = Parameters<typeof encode>[0];
type Line =
  | { readonly label: string }
  | { readonly id: Id; readonly fields: Readonly<Record<string, number>>; readonly to?: string };

export const label = (name: string): Line => ({ label: name });
export const op = (id: Id, fields: Readonly<Record<string, number>> = {}, to?: string): Line => ({ id, fields, to });
export const movz = (Rd: number, imm16: number, hw = 0): Line => op('MOVZ', { sf: 1, Rd, imm16, hw });
export const addi = (Rd: number, Rn: number, imm12: number): Line => op('ADD_imm', { sf: 1, Rd, Rn, imm12 });
export const str = (Rt: number, Rn: number, imm12 = 0): Line => op('STR_imm_uoff', { size: 3, Rt, Rn, imm12 });
export const ldr = (Rt: number, Rn: number, imm12 = 0): Line => op('LDR_imm_uoff', { size: 3, Rt, Rn, imm12 });
export const branch = (to: string): Line => op('B', {}, to);
export const call = (to: string): Line => op('BL', {}, to);
/** Fills up to a byte offset with NOP. */
export const NOP = 0xd503201f;

export interface Assembled {
  readonly words: readonly number[];
  readonly labels: Readonly<Record<string, number>>;
}

/** Labels are byte offsets; a line `{ label: '@0x800' }` also moves on to that offset. */
export function assemble(lines: readonly Line[]): Assembled {
  const labels: Record<string, number> = {};
  const placed: { at: number; line: Exclude<Line, { label: string }> }[] = [];
  let at = 0;
  for (const line of lines) {
    if (!('label' in line)) {
      placed.push({ at, line });
      at += 4;
    } else if (line.label.startsWith('@')) at = Number(line.label.slice(1));
    else labels[line.label] = at;
  }
  const words = new Array<number>(at / 4).fill(NOP);
  for (const { at: place, line } of placed) {
    const distance =
      line.to === undefined ? 0 : ((labels[line.to] - place) / 4) & (line.id === 'CBNZ' ? 0x7ffff : 0x3ffffff);
    const offset: Record<string, number> =
      line.to === undefined ? {} : line.id === 'CBNZ' ? { imm19: distance } : { imm26: distance };
    words[place / 4] = encode(line.id, { ...line.fields, ...offset });
  }
  return { words, labels };
}
