/** Every message between extension, adapter, worker and webviews, and the one mechanism that carries them. */

export * from './custom';
export * from './encoding';
export type * from './panel';
export * from './rpc';
export * from './shape';
export type * from './views';
export * from './worker';
