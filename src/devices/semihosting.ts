/**
 * Semihosting for AArch64 (Arm "Semihosting for AArch32 and AArch64"): HLT #0xF000 with the operation in W0 and its parameter
 * in X1. Console, exit, time and files; files are read-only and come through a port that knows one folder. Whatever the guest
 * asks, the answer is a value: a bad address or handle is -1.
 */
import { decodeUtf8, encodeUtf8 } from '../base/utf8';
import type { Clock } from './device';
import { RTC_START_SECONDS } from './pl031';

/** The calling core's memory, by virtual address. */
export interface GuestMemory {
  /** The bytes, or undefined if any cannot be read. */
  read(address: bigint, length: number): Uint8Array | undefined;
  /** False if any byte cannot be written. */
  write(address: bigint, bytes: Uint8Array): boolean;
}

export interface FilePort {
  /** Contents of a file inside the root, or undefined. The path is relative and has no '..' part. */
  read(path: string): Uint8Array | undefined;
}

export interface SemihostingPorts {
  readonly clock: Clock;
  readonly files: FilePort;
  readonly commandLine: string;
  output(bytes: Uint8Array): void;
  /** The next byte that the user typed, or undefined while there is none. */
  input(): number | undefined;
}

export type SemihostingAnswer =
  | { readonly kind: 'return'; readonly x0: bigint }
  /** Nothing to read yet: the core waits and asks again with the same registers. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'exit'; readonly code: number; readonly reason: number };

const Operation = {
  OPEN: 0x01,
  CLOSE: 0x02,
  WRITEC: 0x03,
  WRITE0: 0x04,
  WRITE: 0x05,
  READ: 0x06,
  READC: 0x07,
  ISERROR: 0x08,
  ISTTY: 0x09,
  SEEK: 0x0a,
  FLEN: 0x0c,
  CLOCK: 0x10,
  TIME: 0x11,
  ERRNO: 0x13,
  GET_CMDLINE: 0x15,
  EXIT: 0x18,
  EXIT_EXTENDED: 0x20,
  ELAPSED: 0x30,
  TICKFREQ: 0x31,
} as const;

export const ADP_STOPPED_APPLICATION_EXIT = 0x20026;

const ENOENT = 2;
const EBADF = 9;
const EFAULT = 14;
const EINVAL = 22;
const EROFS = 30;

const NANOSECONDS = 1_000_000_000;
/** Most bytes moved by one call; what is left over is reported as not done, which callers repeat. */
const MAX_TRANSFER = 1 << 20;
const MAX_STRING = 1 << 16;
const MAX_HANDLES = 64;
/** ":semihosting-features": magic, then SYS_EXIT_EXTENDED and separate stdout and stderr. */
const FEATURES = Uint8Array.of(0x53, 0x48, 0x46, 0x42, 0x03);

interface Handle {
  readonly kind: 'console' | 'file';
  readonly path: string;
  readonly bytes: Uint8Array;
  position: number;
}

interface SemihostingState {
  readonly errno: number;
  readonly handles: readonly (readonly [number, { kind: 'console' | 'file'; path: string; position: number }])[];
}

const returned = (x0: bigint | number): SemihostingAnswer => ({
  kind: 'return',
  x0: BigInt.asUintN(64, BigInt(x0)),
});

const word = (bytes: Uint8Array, index: number): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(8 * index, true);

/** A guest path made relative to the root; undefined if it leads out of it. */
export function relativePath(path: string): string | undefined {
  const parts = path.split(/[\\/]+/).filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || parts.includes('..') || /^[A-Za-z]:$/.test(parts[0])) return undefined;
  return parts.join('/');
}

export class Semihosting {
  private errno = 0;
  private readonly handles = new Map<number, Handle>();

  constructor(private readonly ports: SemihostingPorts) {}

  reset(): void {
    this.errno = 0;
    this.handles.clear();
  }

  private fail(errno: number): SemihostingAnswer {
    this.errno = errno;
    return returned(-1n);
  }

  /** Does operation W0 with parameter X1. */
  call(operation: number, parameter: bigint, memory: GuestMemory): SemihostingAnswer {
    const block = (words: number, act: (bytes: Uint8Array) => SemihostingAnswer): SemihostingAnswer => {
      const bytes = memory.read(parameter, 8 * words);
      return bytes === undefined ? this.fail(EFAULT) : act(bytes);
    };
    const now = this.ports.clock.now();
    switch (operation) {
      case Operation.OPEN:
        return block(3, (b) => this.open(word(b, 0), word(b, 1), word(b, 2), memory));
      case Operation.CLOSE:
        return block(1, (b) => (this.handles.delete(Number(word(b, 0))) ? returned(0n) : this.fail(EBADF)));
      case Operation.WRITEC:
        return this.writeText(memory.read(parameter, 1));
      case Operation.WRITE0:
        return this.writeText(this.text(parameter, memory));
      case Operation.WRITE:
        return block(3, (b) => this.write(word(b, 0), word(b, 1), word(b, 2), memory));
      case Operation.READ:
        return block(3, (b) => this.read(word(b, 0), word(b, 1), word(b, 2), memory));
      case Operation.READC: {
        const byte = this.ports.input();
        return byte === undefined ? { kind: 'wait' } : returned(byte);
      }
      case Operation.ISERROR:
        return block(1, (b) => returned(word(b, 0) >> 63n === 1n ? 1n : 0n));
      case Operation.ISTTY:
        return block(1, (b) => this.withHandle(word(b, 0), (h) => returned(h.kind === 'console' ? 1n : 0n)));
      case Operation.SEEK:
        return block(2, (b) => this.withHandle(word(b, 0), (h) => this.seek(h, word(b, 1))));
      case Operation.FLEN:
        return block(1, (b) => this.withHandle(word(b, 0), (h) => returned(BigInt(h.bytes.length))));
      case Operation.CLOCK:
        return returned(Math.floor(now / (NANOSECONDS / 100)));
      case Operation.TIME:
        return returned(RTC_START_SECONDS + Math.floor(now / NANOSECONDS));
      case Operation.ERRNO:
        return returned(this.errno);
      case Operation.GET_CMDLINE:
        return block(2, (b) => this.commandLine(word(b, 0), word(b, 1), parameter, memory));
      case Operation.EXIT:
      case Operation.EXIT_EXTENDED:
        return block(2, (b) => this.exit(word(b, 0), word(b, 1)));
      case Operation.ELAPSED:
        return this.elapsed(now, parameter, memory);
      case Operation.TICKFREQ:
        return returned(NANOSECONDS);
      default:
        return this.fail(EINVAL);
    }
  }

  private exit(reason: bigint, subcode: bigint): SemihostingAnswer {
    const normal = reason === BigInt(ADP_STOPPED_APPLICATION_EXIT);
    return { kind: 'exit', reason: Number(BigInt.asUintN(32, reason)), code: normal ? Number(subcode & 0xffn) : 1 };
  }

  /** Bytes of a string in guest memory, without its end; undefined if it cannot be read or does not end. */
  private text(address: bigint, memory: GuestMemory): Uint8Array | undefined {
    const found: number[] = [];
    for (let at = address; found.length <= MAX_STRING; at = BigInt.asUintN(64, at + 1n)) {
      const byte = memory.read(at, 1);
      if (byte === undefined) return undefined;
      if (byte[0] === 0) return Uint8Array.from(found);
      found.push(byte[0]);
    }
    return undefined;
  }

  private writeText(bytes: Uint8Array | undefined): SemihostingAnswer {
    if (bytes === undefined) return this.fail(EFAULT);
    this.ports.output(bytes);
    return returned(0n);
  }

  private withHandle(handle: bigint, act: (handle: Handle) => SemihostingAnswer): SemihostingAnswer {
    const found = this.handles.get(Number(handle));
    return found === undefined ? this.fail(EBADF) : act(found);
  }

  private contents(path: string, mode: number): Pick<Handle, 'kind' | 'bytes'> | number {
    if (path === ':tt') return { kind: 'console', bytes: new Uint8Array(0) };
    if (mode >= 2) return EROFS; // 0 and 1 are "r" and "rb"; the rest write
    if (path === ':semihosting-features') return { kind: 'file', bytes: FEATURES };
    const relative = relativePath(path);
    const bytes = relative === undefined ? undefined : this.ports.files.read(relative);
    return bytes === undefined ? ENOENT : { kind: 'file', bytes };
  }

  private open(address: bigint, mode: bigint, length: bigint, memory: GuestMemory): SemihostingAnswer {
    if (mode > 11n || length > BigInt(MAX_STRING)) return this.fail(EINVAL);
    const name = memory.read(address, Number(length));
    if (name === undefined) return this.fail(EFAULT);
    const path = decodeUtf8(name);
    const found = this.contents(path, Number(mode));
    if (typeof found === 'number') return this.fail(found);
    for (let n = 1; n <= MAX_HANDLES; n++) {
      if (this.handles.has(n)) continue;
      this.handles.set(n, { ...found, path, position: 0 });
      return returned(n);
    }
    return this.fail(EINVAL);
  }

  /** Returns the number of bytes not written. */
  private write(handle: bigint, address: bigint, length: bigint, memory: GuestMemory): SemihostingAnswer {
    return this.withHandle(handle, (h) => {
      if (h.kind === 'file') return this.notDone(length, EROFS);
      const amount = length > BigInt(MAX_TRANSFER) ? MAX_TRANSFER : Number(length);
      const bytes = memory.read(address, amount);
      if (bytes === undefined) return this.notDone(length, EFAULT);
      this.ports.output(bytes);
      return returned(length - BigInt(amount));
    });
  }

  private notDone(length: bigint, errno: number): SemihostingAnswer {
    this.errno = errno;
    return returned(length);
  }

  /** Returns the number of bytes not read: all of them at the end of the file. */
  private read(handle: bigint, address: bigint, length: bigint, memory: GuestMemory): SemihostingAnswer {
    return this.withHandle(handle, (h) => {
      const most = length > BigInt(MAX_TRANSFER) ? MAX_TRANSFER : Number(length);
      if (most === 0) return returned(0n);
      const bytes = h.kind === 'console' ? this.typed(most) : h.bytes.subarray(h.position, h.position + most);
      if (bytes === undefined) return { kind: 'wait' };
      if (!memory.write(address, bytes)) return this.notDone(length, EFAULT);
      if (h.kind === 'file') h.position += bytes.length;
      return returned(length - BigInt(bytes.length));
    });
  }

  /** Up to `most` typed bytes; undefined while there are none. */
  private typed(most: number): Uint8Array | undefined {
    const bytes: number[] = [];
    while (bytes.length < most) {
      const byte = this.ports.input();
      if (byte === undefined) break;
      bytes.push(byte);
    }
    return bytes.length === 0 ? undefined : Uint8Array.from(bytes);
  }

  private seek(handle: Handle, position: bigint): SemihostingAnswer {
    if (handle.kind === 'console' || position > BigInt(handle.bytes.length)) return this.fail(EINVAL);
    handle.position = Number(position);
    return returned(0n);
  }

  private commandLine(address: bigint, room: bigint, block: bigint, memory: GuestMemory): SemihostingAnswer {
    const text = encodeUtf8(this.ports.commandLine);
    if (BigInt(text.length) >= room) return this.fail(EINVAL);
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
    const done = memory.write(address, Uint8Array.of(...text, 0)) && memory.write(block + 8n, length);
    return done ? returned(0n) : this.fail(EFAULT);
  }

  private elapsed(now: number, address: bigint, memory: GuestMemory): SemihostingAnswer {
    const ticks = new Uint8Array(8);
    new DataView(ticks.buffer).setBigUint64(0, BigInt(Math.floor(now)), true);
    return memory.write(address, ticks) ? returned(0n) : this.fail(EFAULT);
  }

  save(): SemihostingState {
    const handles = [...this.handles].map(([n, { kind, path, position }]) => [n, { kind, path, position }] as const);
    return { errno: this.errno, handles };
  }

  /** Open files are read again; one that is gone is empty. */
  load(state: unknown): void {
    const { errno, handles } = state as SemihostingState;
    this.errno = errno;
    this.handles.clear();
    for (const [n, { kind, path, position }] of handles) {
      const found = this.contents(path, 0);
      this.handles.set(n, {
        kind,
        path,
        bytes: typeof found === 'number' ? new Uint8Array(0) : found.bytes,
        position,
      });
    }
  }
}
