/** A MessagePort or Worker as a channel. */
import type { Channel } from '../protocol';

interface PortLike {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

export const portChannel = (port: PortLike): Channel => ({
  post: (message) => port.postMessage(message),
  onMessage: (listener) => void port.on('message', listener),
});
