/** What a UART wrote since reset, as a terminal takes it: the last 256 Ki characters, line feeds with a carriage return. Pure. */

const KEPT = 256 * 1024;

export class ConsoleLog {
  private kept = '';
  private lastWasReturn = false;

  constructor(private readonly limit = KEPT) {}

  get text(): string {
    return this.kept;
  }

  /** @returns the text for a terminal that shows the log already. */
  push(text: string): string {
    let shown = '';
    for (const character of text) {
      shown += character === '\n' && !this.lastWasReturn ? '\r\n' : character;
      this.lastWasReturn = character === '\r';
    }
    this.kept += shown;
    if (this.kept.length > this.limit) this.kept = this.fromNextLine(this.kept.slice(-this.limit));
    return shown;
  }

  clear(): void {
    this.kept = '';
    this.lastWasReturn = false;
  }

  /** A log that was cut starts with a whole line, and never in the middle of a control sequence. */
  private fromNextLine(text: string): string {
    const end = text.indexOf('\n');
    return end >= 0 && end < text.length - 1 ? text.slice(end + 1) : text;
  }
}
