/** What UARTs wrote since reset, decoded; output events are bundled, so that a chatty guest does not flood the client. */
import { Utf8Stream } from '../protocol';

const KEPT = 256 * 1024;

interface Uart {
  readonly stream: Utf8Stream;
  text: string;
  dropped: number;
  pending: string;
}

export class ConsoleLog {
  private readonly uarts = new Map<number, Uart>();

  write(uart: number, bytes: Uint8Array): void {
    const log = this.of(uart);
    const text = log.stream.push(bytes);
    log.pending += text;
    log.text += text;
    // Cut rarely: each cut copies what is kept.
    if (log.text.length > 2 * KEPT) {
      log.dropped += log.text.length - KEPT;
      log.text = log.text.slice(-KEPT);
    }
  }

  /** What was written since the last call, by UART. */
  takePending(): { uart: number; text: string }[] {
    const taken: { uart: number; text: string }[] = [];
    for (const [uart, log] of this.uarts) {
      if (log.pending !== '') taken.push({ uart, text: log.pending });
      log.pending = '';
    }
    return taken;
  }

  history(uart: number): { text: string; dropped: number } {
    const { text, dropped } = this.of(uart);
    const over = Math.max(0, text.length - KEPT);
    return { text: text.slice(over), dropped: dropped + over };
  }

  clear(): void {
    this.uarts.clear();
  }

  private of(uart: number): Uart {
    let log = this.uarts.get(uart);
    if (log === undefined) {
      log = { stream: new Utf8Stream(), text: '', dropped: 0, pending: '' };
      this.uarts.set(uart, log);
    }
    return log;
  }
}
