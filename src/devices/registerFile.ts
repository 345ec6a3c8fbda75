/**
 * Storage for a device's register table: reset values, masks and names come from the rows, so a model writes code only for
 * registers that do something. Registers are words at multiples of four; a narrower access sees its part of the word.
 */
import { bug } from '../base/errors';
import type { DeviceRegisterRow } from './device';

const widthMask = (width: number): number => (width >= 4 ? 0xffffffff : 2 ** (8 * width) - 1);

export class RegisterFile {
  private readonly values = new Map<number, number>();
  private readonly rows = new Map<number, DeviceRegisterRow>();

  constructor(table: readonly DeviceRegisterRow[]) {
    for (const row of table)
      for (let i = 0; i < (row.count ?? 1); i++) {
        const offset = row.offset + i * row.width;
        if (this.rows.has(offset)) bug(`two registers at ${offset}`);
        this.rows.set(offset, row);
      }
    this.reset();
  }

  reset(): void {
    this.values.clear();
    for (const [offset, row] of this.rows) this.values.set(offset, row.reset);
  }

  row(offset: number): DeviceRegisterRow | undefined {
    return this.rows.get(offset);
  }

  /** The stored value; 0 where no register is. */
  get(offset: number): number {
    return this.values.get(offset) ?? 0;
  }

  /** Stores without looking at access or mask: for what the model itself changes. */
  put(offset: number, value: number): void {
    if (!this.rows.has(offset)) bug(`no register at ${offset}`);
    this.values.set(offset, value >>> 0);
  }

  /** A write of the guest: RW registers take the bits of their mask, others nothing. */
  write(offset: number, value: number): void {
    const row = this.rows.get(offset);
    if (row === undefined || row.access !== 'RW') return;
    const mask = row.mask ?? widthMask(row.width);
    this.values.set(offset, ((this.get(offset) & ~mask) | (value & mask)) >>> 0);
  }

  save(): [number, number][] {
    return [...this.values];
  }

  load(state: readonly (readonly [number, number])[]): void {
    for (const [offset, value] of state) this.values.set(offset, value);
  }
}

/** The part of a word that an access of `size` bytes at `offset` sees. */
export const partOfWord = (word: number, offset: number, size: number): number =>
  ((word >>> (8 * (offset & 3))) & widthMask(size)) >>> 0;

/** The value of a narrow write moved to its place in the word. */
export const placedInWord = (value: number, offset: number, size: number): number =>
  ((value & widthMask(size)) << (8 * (offset & 3))) >>> 0;

/** The row of a 32-bit register, zero at reset. */
export const wordRow = (
  offset: number,
  name: string,
  access: DeviceRegisterRow['access'],
  doc: string,
  rest: Partial<DeviceRegisterRow> = {},
): DeviceRegisterRow => ({ offset, name, width: 4, access, reset: 0, doc, ...rest });

/** PrimeCell identification: PeriphID0-3 and PCellID0-3, a byte in each of the last eight words of the 4 KB page. */
export const primeCellRows = (part: number, designer: number, revision: number): DeviceRegisterRow[] => {
  const peripheral = [
    part & 0xff,
    ((part >> 8) & 0xf) | ((designer & 0xf) << 4),
    ((designer >> 4) & 0xf) | ((revision & 0xf) << 4),
    0,
  ];
  return [...peripheral, 0x0d, 0xf0, 0x05, 0xb1].map((value, i) => ({
    offset: 0xfe0 + 4 * i,
    name: i < 4 ? `PeriphID${i}` : `PCellID${i - 4}`,
    width: 4,
    access: 'RO',
    reset: value,
    doc: 'PrimeCell identification',
  }));
};
