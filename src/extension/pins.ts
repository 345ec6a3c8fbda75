/**
 * What is pinned to Watched lines. A symbol or a number stays as it was written, so that a pin follows its symbol through new
 * builds; what depends on the moment (a register, a local variable, a C path) is pinned as the address that it had.
 */
import { plus, shortHex } from '../protocol/presentation';
import type { LineStateView } from '../protocol/views';

export interface Pin {
  /** What the adapter is asked for. Each address is pinned once. */
  readonly address: string;
  /** What the row is called. */
  readonly label: string;
}

const number = /^(?:(?:core\d+\/)?(?:vm\d+\/)?[a-z0-9]+:)?(?:0x[0-9a-f]+|\d+)$/i;
const symbol = /^([A-Za-z_.$][\w.$]*)(?:\s*[+-]\s*(?:0x[0-9a-f]+|\d+))?$/;
const register = /^(?:\$?(?:[xw](?:[12]?\d|30)|sp|wsp|pc|lr|fp|xzr|wzr|nzcv|pstate|cpsr)|\w+_EL[0-3]{1,2})$/i;

/** Whether the text means the same at any time. */
export function isLasting(expression: string): boolean {
  const base = symbol.exec(expression)?.[1];
  return number.test(expression) || (base !== undefined && !register.test(base));
}

/** The address that was asked for (not the line's first), as a reference. */
export const addressOf = (line: LineStateView): string =>
  line.va === undefined ? `pa:${plus(line.pa, line.offset)}` : plus(line.va, line.offset);

/** The pin for an expression, given where it leads now. */
export function pinOf(expression: string, line: LineStateView): Pin {
  const text = expression.trim();
  if (isLasting(text)) return { address: text, label: number.test(text) ? (line.symbol ?? text) : text };
  const address = addressOf(line);
  return { address, label: line.symbol ?? (line.va === undefined ? address : shortHex(address)) };
}

/** Where pins are kept between runs of VS Code. */
export interface PinStorage {
  get(): unknown;
  set(pins: readonly Pin[]): unknown;
}

const isPin = (value: unknown): value is Pin =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Pin).address === 'string' &&
  typeof (value as Pin).label === 'string';

export class Pins {
  private list: readonly Pin[];

  constructor(
    private readonly storage: PinStorage,
    private readonly changed: () => void,
  ) {
    const stored = storage.get();
    this.list = Array.isArray(stored) ? stored.filter(isPin) : [];
  }

  get all(): readonly Pin[] {
    return this.list;
  }

  /** @returns false when it was pinned already. */
  add(pin: Pin): boolean {
    if (this.list.some((other) => other.address === pin.address)) return false;
    this.set([...this.list, pin]);
    return true;
  }

  remove(address: string): void {
    this.set(this.list.filter((pin) => pin.address !== address));
  }

  clear(): void {
    this.set([]);
  }

  private set(list: readonly Pin[]): void {
    this.list = list;
    void this.storage.set(list);
    this.changed();
  }
}
