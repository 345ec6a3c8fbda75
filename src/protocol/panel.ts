/**
 * Messages between the Cache lines panel (a webview) and the extension, over `RpcPeer` on postMessage. The panel asks with the
 * custom requests themselves, which the extension passes to the active debug session; what is only the panel's stands here.
 */
import type { CustomRequests } from './custom';
import type { CacheKind } from './views';

/** What the panel says when its script runs and its listeners are there. */
export interface PanelReports {
  readonly [name: string]: unknown;
  readonly 'panel/ready': object;
}

/** Which cache the panel shows. */
export interface PanelSelection {
  readonly core: number;
  readonly level: number;
  readonly kind: CacheKind;
}

/** What the panel may ask of the extension. */
export type PanelRequests = Pick<
  CustomRequests,
  'elscope/cores' | 'elscope/caches' | 'elscope/cacheLines' | 'elscope/cacheLine' | 'elscope/lineState'
> & {
  /** Opens an address in the Disassembly or Memory view, or pins its line to Watched lines. */
  readonly 'panel/open': {
    readonly params: { readonly address: string; readonly where: 'disassembly' | 'memory' | 'watchedLines' };
    readonly result: object;
  };
};

/** What the extension tells the panel. */
export type PanelEvents = {
  /** State changed: load again what is shown. */
  readonly 'panel/state': { readonly version: number; readonly running: boolean };
  /** No session (any more): show that there is nothing to show. */
  readonly 'panel/noSession': object;
  /** Show this cache: one of its lines, or with `filter` only the lines that match. */
  readonly 'panel/select': {
    readonly selection: PanelSelection;
    readonly line?: { readonly set: number; readonly way: number };
    readonly filter?: string;
  };
};
