/**
 * The user's terminal: stdin feeds the UART (Ctrl-A x ends, Ctrl-A p presses the power key,
 * Ctrl-A Ctrl-A sends one), console output goes to stdout.
 */

const CTRL_A = 1;
const X = 0x78;
const P = 0x70;

export class Terminal {
  private escaped = false;
  private quit = false;
  private ended = !process.stdin.readable;
  private writes = Promise.resolve();
  /** Output that no write has taken yet. */
  private pending: number[] = [];
  private readonly listener = (chunk: Buffer): void => this.typed(chunk);

  constructor(
    private readonly send: (bytes: Uint8Array) => void,
    private readonly powerKey: () => void,
  ) {
    const { stdin } = process;
    if (stdin.isTTY) stdin.setRawMode(true);
    stdin.on('data', this.listener);
    stdin.on('end', () => {
      this.ended = true;
    });
  }

  private typed(chunk: Buffer): void {
    const out: number[] = [];
    for (const byte of chunk) {
      if (this.escaped) {
        this.escaped = false;
        if (byte === X) this.quit = true;
        else if (byte === P) this.powerKey();
        else out.push(byte);
      } else if (byte === CTRL_A && process.stdin.isTTY) this.escaped = true;
      else out.push(byte);
    }
    if (out.length > 0) this.send(Uint8Array.from(out));
  }

  /** Devices write byte by byte: what comes in one slice of the run goes out at once. */
  write(bytes: Uint8Array): void {
    if (this.pending.length === 0) this.writes = this.writes.then(() => this.writePending());
    for (const byte of bytes) this.pending.push(byte);
  }

  private writePending(): Promise<void> {
    const bytes = Uint8Array.from(this.pending);
    this.pending = [];
    return new Promise((done) => (process.stdout.write(bytes) ? done() : process.stdout.once('drain', done)));
  }

  /** Lets input in; true when the user wants to end. */
  async turn(): Promise<boolean> {
    await new Promise((done) => setImmediate(done));
    return this.quit;
  }

  /** The guest waits for nothing but the user: waits for input. False when none can come. */
  moreInput(): Promise<boolean> {
    if (this.ended || this.quit) return Promise.resolve(this.quit);
    return new Promise((done) => {
      const { stdin } = process;
      const settle = (more: boolean) => (): void => {
        stdin.off('data', yes);
        stdin.off('end', no);
        done(more);
      };
      const yes = settle(true);
      const no = settle(false);
      stdin.once('data', yes);
      stdin.once('end', no);
    });
  }

  flushed(): Promise<void> {
    return this.writes;
  }

  close(): void {
    const { stdin } = process;
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.off('data', this.listener);
    stdin.pause();
  }
}
