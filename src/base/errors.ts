/**
 * The one table of errors that a user can cause. Each row: a stable code, one clear line saying what is wrong, and what to
 * do about it. Guest faults are values and never come here; our own bugs throw through `bug()`.
 */

const rows = {
  'image.missing': ['cannot read the image "{path}"', 'check the path'],
  'image.empty': ['the image "{path}" is empty', 'give an ELF64, a raw binary or an arm64 Image'],
} as const satisfies Record<string, readonly [text: string, hint: string]>;

export type UserErrorCode = keyof typeof rows;

/** An error caused by what the user gave us. `message` is one line: text, then the hint. */
export class UserError extends Error {
  readonly code: UserErrorCode;
  readonly hint: string;
  constructor(code: UserErrorCode, values: Readonly<Record<string, string | number>> = {}) {
    const [text, hint] = rows[code];
    const fill = (s: string): string => s.replace(/\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole));
    super(`${fill(text)}: ${fill(hint)}`);
    this.name = 'UserError';
    this.code = code;
    this.hint = fill(hint);
  }
}

/** Every code with its text and hint, for documentation and tests. */
export const userErrorRows: Readonly<Record<string, readonly [string, string]>> = rows;

/** Our own mistake: always thrown, never shown as the user's fault. */
export function bug(what: string): never {
  throw new Error(`elscope bug: ${what}`);
}
