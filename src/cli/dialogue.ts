/**
 * `--expect` / `--send` / `--until-console`: pairs are worked off in order, each looks at console output that came after the
 * one before; `--until-console` is looked for after the last pair.
 */
import { UserError } from '../base/errors';
import { type ParsedOptions, typedBytes } from './options';

interface Step {
  readonly expect: Uint8Array;
  readonly send: Uint8Array;
}

const indexOf = (haystack: readonly number[], needle: Uint8Array): number => {
  for (let i = 0; i + needle.length <= haystack.length; i++) {
    let j = 0;
    while (j < needle.length && haystack[i + j] === needle[j]) j++;
    if (j === needle.length) return i;
  }
  return -1;
};

export class Dialogue {
  private readonly steps: Step[] = [];
  private readonly until: Uint8Array | undefined;
  private pending: number[] = [];
  private next = 0;
  /** True once `--until-console` was seen. */
  done = false;

  /** @throws UserError cli.pairs */
  constructor(
    options: ParsedOptions,
    private readonly type: (bytes: Uint8Array) => void,
  ) {
    let expect: string | undefined;
    for (const { name, value } of options.sequence) {
      if (name === 'expect') {
        if (expect !== undefined) throw new UserError('cli.pairs');
        expect = value;
      } else if (name === 'send') {
        if (expect === undefined) throw new UserError('cli.pairs');
        this.steps.push({ expect: typedBytes(expect), send: typedBytes(value) });
        expect = undefined;
      }
    }
    if (expect !== undefined) throw new UserError('cli.pairs');
    const until = options.values['until-console']?.[0];
    this.until = until === undefined ? undefined : typedBytes(until);
  }

  /** Pairs that were never reached, for the message at the end. */
  get waitingFor(): string | undefined {
    const wanted = this.next < this.steps.length ? this.steps[this.next].expect : this.done ? undefined : this.until;
    return wanted && new TextDecoder().decode(wanted);
  }

  output(bytes: Uint8Array): void {
    if (this.done || (this.next >= this.steps.length && !this.until)) return;
    for (const b of bytes) this.pending.push(b);
    for (;;) {
      const step = this.next < this.steps.length ? this.steps[this.next] : undefined;
      const wanted = step?.expect ?? this.until;
      if (!wanted) return;
      const at = indexOf(this.pending, wanted);
      if (at < 0) {
        // Only a tail shorter than the text can still grow into a match.
        this.pending = this.pending.slice(Math.max(0, this.pending.length - wanted.length + 1));
        return;
      }
      this.pending = this.pending.slice(at + wanted.length);
      if (!step) {
        this.done = true;
        return;
      }
      this.next++;
      this.type(step.send);
    }
  }
}
