/** Bytes as text in messages: base64 (DAP's memory requests), hexadecimal (view models), streamed UTF-8 (console). */

export { fromBase64, toBase64 } from '../base/base64';

/** Two digits a byte, no separators. */
export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

export function fromHex(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** UTF-8 of `text`; a lone surrogate becomes U+FFFD. */
export function utf8Bytes(text: string): Uint8Array {
  const out: number[] = [];
  for (const character of text) {
    let code = character.codePointAt(0) ?? 0;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) out.push(code);
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return Uint8Array.from(out);
}

const lowest = [0, 0, 0x80, 0x800, 0x10000];

/** Decodes a byte stream that may be cut anywhere; bytes that are no UTF-8 become U+FFFD each. */
export class Utf8Stream {
  private held: number[] = [];

  push(bytes: Uint8Array): string {
    let out = '';
    for (const byte of bytes) {
      if (this.held.length > 0 && (byte & 0xc0) !== 0x80) out += this.flush();
      this.held.push(byte);
      const lead = this.held[0];
      const length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : 4;
      if (lead >= 0x80 && (lead < 0xc2 || lead > 0xf4)) out += this.flush();
      else if (this.held.length === length) out += this.take(length);
    }
    return out;
  }

  /** What is held back of an unfinished character, as U+FFFD. */
  flush(): string {
    const out = '\ufffd'.repeat(this.held.length);
    this.held = [];
    return out;
  }

  private take(length: number): string {
    const [lead, ...rest] = this.held;
    const code = rest.reduce(
      (value, byte) => (value << 6) | (byte & 63),
      length === 1 ? lead : lead & (0x7f >> length),
    );
    const bad = code < lowest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff);
    if (bad) return this.flush();
    this.held = [];
    return String.fromCodePoint(code);
  }
}
