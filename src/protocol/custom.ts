/**
 * The custom DAP requests and events, one row each: extension and webviews ask the adapter, which passes them on to the worker.
 * Also reachable from any other DAP client. README documents them from this table.
 */
import { count, flag, listOf, maybe, nothing, object, oneOf, type Shape, text } from './shape';
import type {
  CacheLinesView,
  CacheLineView,
  CachesView,
  CoresView,
  FindingsView,
  IdRegistersView,
  LineStateView,
  Stage2View,
  StatisticsView,
  TranslationResult,
  VmsView,
  WatchedLinesView,
} from './views';

/** When a request can be answered: from launch on, or only while the guest stands still. */
export type When = 'always' | 'launched' | 'stopped';

/** A row of a request table. `result` only carries a type. */
export interface Row<P, R> {
  readonly params: Shape<P>;
  readonly when: When;
  readonly doc: string;
  readonly result?: R;
}
export const row = <P, R>(params: Shape<P>, when: When, doc: string): Row<P, R> => ({ params, when, doc });
const answer =
  <R>() =>
  <P>(params: Shape<P>, when: When, doc: string): Row<P, R> =>
    row(params, when, doc);

const cache = { core: count, level: count, kind: oneOf('I', 'D', 'U') };

/** A filter of cache lines: an address reference or a symbol, and what state they must have. */
const lineFilter = object({ text: maybe(text), valid: maybe(flag), dirty: maybe(flag), differing: maybe(flag) });

export const customRequests = {
  'elscope/cores': answer<CoresView>()(nothing, 'launched', 'Every core: EL, PC with symbol, state, ASID and VMID.'),
  'elscope/idRegisters': answer<IdRegistersView>()(
    nothing,
    'launched',
    'The cache identification registers of every core with their fields; mismatches between cores are marked. Under the hypervisor model also what its host and its guests see.',
  ),
  'elscope/vms': answer<VmsView>()(
    nothing,
    'launched',
    'The virtual machines of the hypervisor model: policies, memory slots, stage 2, and every vCPU with its exits.',
  ),
  'elscope/stage2': answer<Stage2View>()(
    object({ vm: count }),
    'launched',
    "A VM's stage-2 tables, read whole: what is mapped by size of entry, by type of memory, and by memory slot with its dirty pages.",
  ),
  'elscope/migrateVcpu': answer<object>()(
    object({ vm: count, vcpu: count, core: count }),
    'launched',
    'Lets a vCPU go on on another physical core after its next exit, which comes at once if it is in the guest.',
  ),
  'elscope/pinVcpu': answer<object>()(
    object({ vm: count, vcpu: count, core: maybe(count) }),
    'launched',
    'Keeps a vCPU on a physical core, where it goes after its next exit; without `core` it may go on anywhere again.',
  ),
  'elscope/pauseVcpu': answer<object>()(
    object({ vm: count, vcpu: count, paused: flag }),
    'launched',
    'User space lets a vCPU run no further after its next exit, which comes at once; or lets it run again.',
  ),
  'elscope/resetVcpu': answer<object>()(
    object({ vm: count, vcpu: count }),
    'launched',
    'KVM_ARM_VCPU_INIT: registers as at the start of the vCPU, after its next exit. Memory stays as it is.',
  ),
  'elscope/saveVm': answer<{ readonly text: string }>()(
    object({ vm: count }),
    'launched',
    'A virtual machine as JSON, for the launch attribute `restoreVm`. Refused while an exit of it is being handled.',
  ),
  'elscope/caches': answer<CachesView>()(nothing, 'launched', 'The caches of every core: geometry, policy, how full.'),
  'elscope/cacheLines': answer<CacheLinesView>()(
    object({ ...cache, start: maybe(count), count: maybe(count), filter: maybe(lineFilter) }),
    'launched',
    'A page of a cache, sets × ways: rows [start, start + count), default 64 rows from 0. With a filter only the sets that hold a match.',
  ),
  'elscope/cacheLine': answer<CacheLineView>()(
    object({ ...cache, set: count, way: count }),
    'launched',
    'One line with its bytes, what cacheable accesses see there, and its instructions.',
  ),
  'elscope/lineState': answer<LineStateView>()(
    object({ address: text, core: maybe(count), frameId: maybe(count) }),
    'launched',
    'The line at an address (reference, symbol or expression) in every cache, at PoU and at PoC, and which copies differ.',
  ),
  'elscope/watchedLines': answer<WatchedLinesView>()(
    object({ addresses: listOf(text), core: maybe(count) }),
    'launched',
    'lineState for many addresses at once; an address that cannot be resolved gives its error in its place.',
  ),
  'elscope/translate': answer<TranslationResult>()(
    object({ address: text, core: maybe(count) }),
    'launched',
    'A translation with each descriptor on the way, from any translation regime, without any effect.',
  ),
  'elscope/findings': answer<FindingsView>()(
    object({ since: maybe(count) }),
    'launched',
    'What the coherence checker found, those with an id above `since`.',
  ),
  'elscope/statistics': answer<StatisticsView>()(nothing, 'launched', 'Counters of the machine and of every core.'),
  'elscope/stepTo': answer<object>()(
    object({
      threadId: count,
      kind: oneOf('exception', 'return', 'elChange', 'guestEntry', 'guestExit'),
      singleThread: maybe(flag),
    }),
    'stopped',
    'Runs until the core takes an exception, returns from one (ERET), changes its EL, or (under the hypervisor model) enters or leaves a guest. Ends with a stopped event.',
  ),
  'elscope/input': answer<object>()(
    object({ uart: maybe(count), text }),
    'launched',
    'Types text (UTF-8) into a UART of the guest.',
  ),
  'elscope/consoleHistory': answer<{ readonly text: string; readonly dropped: number }>()(
    object({ uart: maybe(count) }),
    'launched',
    'What a UART wrote since reset (the last 256 KiB; `dropped` characters before are gone).',
  ),
} as const satisfies Readonly<Record<string, Row<unknown, unknown>>>;

type ParamsOf<R> = R extends Row<infer P, unknown> ? P : never;
type ResultOf<R> = R extends { readonly result?: infer T } ? Exclude<T, undefined> : never;
/** Parameters and result of each row of a table, for `RpcPeer`. */
export type RequestsOf<T> = {
  readonly [K in keyof T]: { readonly params: ParamsOf<T[K]>; readonly result: ResultOf<T[K]> };
};

/** `CustomRequests['elscope/cores']['result']`. */
export type CustomRequests = RequestsOf<typeof customRequests>;
export type CustomRequestName = keyof CustomRequests;

/** Events besides DAP's own. */
export type CustomEvents = {
  /** The state version went up: views that are shown should be asked for again. While running at most four times a second. */
  readonly 'elscope/state': { readonly version: number; readonly running: boolean };
  /** A UART wrote. */
  readonly 'elscope/console': { readonly uart: number; readonly text: string };
  /** The guest was reset: console histories start again. */
  readonly 'elscope/reset': { readonly version: number };
  /** The checker found something (it stops only if the filter is on). */
  readonly 'elscope/finding': { readonly id: number; readonly kind: string; readonly text: string };
};
export type CustomEventName = keyof CustomEvents;
