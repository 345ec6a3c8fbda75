/** UTF-8 without the host's text codecs, which the core's language library does not have. */

const REPLACEMENT = 0xfffd;

/** Code points to bytes; a lone surrogate becomes the replacement character. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    let code = character.codePointAt(0)!;
    if (code >= 0xd800 && code < 0xe000) code = REPLACEMENT;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return Uint8Array.from(bytes);
}

/** Smallest code point that a sequence of 2, 3 or 4 bytes may encode. */
const SMALLEST = [0, 0, 0x80, 0x800, 0x10000];

/** Bytes to text; each byte that is not part of a valid sequence becomes the replacement character. */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i];
    const length = first < 0x80 ? 1 : first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    let code = length === 1 ? first : first & (0x7f >> length);
    let valid = length > 0 && first < 0xf5 && i + length <= bytes.length;
    for (let n = 1; valid && n < length; n++) {
      valid = (bytes[i + n] & 0xc0) === 0x80;
      code = (code << 6) | (bytes[i + n] & 63);
    }
    valid = valid && code >= SMALLEST[length] && code < 0x110000 && !(code >= 0xd800 && code < 0xe000);
    text += String.fromCodePoint(valid ? code : REPLACEMENT);
    i += valid ? length : 1;
  }
  return text;
}
