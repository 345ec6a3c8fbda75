/** What guests write and read as text: UARTs, the virtio console, semihosting, and the programs beside a hypervisor. */
import type { VirtioConsole } from '../devices/virtio';

/** The number of the virtio console among the UARTs. */
export const VIRTIO_CONSOLE = 1;

/** Who may read what is typed. */
export interface ConsoleReaders {
  readonly virtio: VirtioConsole | undefined;
  /** There is semihosting, which reads what `typed` holds. */
  readonly semihosting: boolean;
  /** User space of a hypervisor model, which then has the UART. */
  userSpace(): { input(bytes: Uint8Array): void } | undefined;
  uart(bytes: Uint8Array): void;
}

export class Consoles {
  /** Bytes typed that semihosting has not read yet. */
  readonly typed: number[] = [];
  private readonly listeners: ((uart: number, bytes: Uint8Array) => void)[] = [];

  write(bytes: Uint8Array, uart = 0): void {
    for (const listener of this.listeners) listener(uart, bytes);
  }

  onWritten(listener: (uart: number, bytes: Uint8Array) => void): void {
    this.listeners.push(listener);
  }

  input(uart: number, bytes: Uint8Array, readers: ConsoleReaders): void {
    if (uart === VIRTIO_CONSOLE) {
      readers.virtio?.input(bytes);
      return;
    }
    const userSpace = readers.userSpace();
    if (userSpace !== undefined) {
      userSpace.input(bytes);
      return;
    }
    if (readers.semihosting) for (const byte of bytes) this.typed.push(byte);
    readers.uart(bytes);
  }
}
