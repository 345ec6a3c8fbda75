/** Virtio console (Virtual I/O Device specification, "Console Device"): one port, no size. What the guest sends is out at once. */
import { configBytes, drain, type VirtioModel, type VirtioPorts } from './model';

const RECEIVE = 0;
const TRANSMIT = 1;
/** Most bytes taken out of guest memory at once. */
const CHUNK = 65536;

export class VirtioConsole implements VirtioModel {
  readonly id = 3;
  readonly queues = 2;
  readonly features = 0;
  private typed: number[] = [];
  private ports: VirtioPorts | undefined;

  constructor(private readonly output: (bytes: Uint8Array) => void) {}

  /** Columns, rows, number of ports, emergency write: all of features that are not offered. */
  config(): Uint8Array {
    return configBytes([0, 2], [0, 2], [1, 4], [0, 4]);
  }
  connect(ports: VirtioPorts): void {
    this.ports = ports;
  }
  /** What was typed and not yet taken stays. */
  reset(): void {}

  /** Bytes from the user wait until the driver has room for them. */
  input(bytes: Uint8Array): void {
    for (const byte of bytes) this.typed.push(byte);
    this.receive();
  }

  notify(queue: number): void {
    if (queue === TRANSMIT) this.transmit();
    else this.receive();
  }

  private transmit(): void {
    drain(this.ports, TRANSMIT, (chain) => {
      for (let at = 0; at < chain.readableBytes; at += CHUNK) {
        const bytes = chain.read(at, CHUNK);
        if (bytes === undefined) break;
        this.output(bytes);
      }
      return true;
    });
  }

  private receive(): void {
    drain(this.ports, RECEIVE, (chain) => {
      if (this.typed.length === 0) return false;
      const bytes = Uint8Array.from(this.typed.slice(0, chain.writableBytes));
      chain.write(bytes);
      this.typed = this.typed.slice(bytes.length);
      return true;
    });
  }

  save(): number[] {
    return [...this.typed];
  }
  load(state: unknown): void {
    this.typed = [...(state as number[])];
  }
}
