/**
 * DAP's framing on a byte stream (`Content-Length: n`, empty line, n bytes of JSON). Whatever comes in, the reader goes on: what
 * is no message is told to `malformed`, and reading continues at the next header.
 */

const MAX_HEADER = 4096;
const MAX_BODY = 64 << 20;
const END = Buffer.from('\r\n\r\n');

export interface FramingEvents {
  message(message: unknown): void;
  malformed(what: string): void;
}

export class MessageReader {
  private chunks: Buffer[] = [];
  private size = 0;
  private wanted: number | undefined;

  constructor(private readonly events: FramingEvents) {}

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    // Joining for every chunk of a large body would be quadratic.
    if (this.wanted !== undefined && this.size < this.wanted) return;
    let data: Buffer = Buffer.concat(this.chunks);
    for (;;) {
      const rest = this.wanted === undefined ? this.header(data) : this.body(data, this.wanted);
      if (rest === undefined) break;
      data = rest;
    }
    this.chunks = [data];
    this.size = data.length;
  }

  /** What is left after a header or garbage; undefined when there is no whole header yet. */
  private header(data: Buffer): Buffer | undefined {
    const end = data.indexOf(END);
    if (end < 0) {
      if (data.length <= MAX_HEADER) return undefined;
      this.events.malformed('no message header');
      return data.subarray(data.length - END.length);
    }
    const text = data.toString('latin1', 0, end);
    const rest = data.subarray(end + END.length);
    const match = /(?:^|\n)Content-Length: *(\d{1,12})\s*(?:\r|\n|$)/i.exec(text);
    const length = match === null ? Number.NaN : Number(match[1]);
    if (Number.isNaN(length)) this.events.malformed('a message header without Content-Length');
    else if (length > MAX_BODY) this.events.malformed(`a message of ${length} bytes`);
    else this.wanted = length;
    return rest;
  }

  private body(data: Buffer, wanted: number): Buffer | undefined {
    if (data.length < wanted) return undefined;
    this.wanted = undefined;
    const text = data.toString('utf8', 0, wanted);
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      this.events.malformed('a message that is no JSON');
      return data.subarray(wanted);
    }
    this.events.message(message);
    return data.subarray(wanted);
  }
}

export function frame(message: unknown): string {
  const json = JSON.stringify(message);
  return `Content-Length: ${Buffer.byteLength(json, 'utf8')}\r\n\r\n${json}`;
}
