/** The trees of the Run and Debug container: which request each shows, as which rows. */
import type { Pins } from '../pins';
import { cacheRows, setRows } from '../rows/caches';
import { coreRows, stopText } from '../rows/cores';
import { findingRows, findingsText } from '../rows/findings';
import { idRegisterRows } from '../rows/idRegisters';
import { stage2Rows, vmRows, vmsText } from '../rows/vms';
import { watchedRows } from '../rows/watchedLines';
import type { TreeSource } from './liveTree';

export const VIEW_IDS = {
  cores: 'elscope.cores',
  idRegisters: 'elscope.idRegisters',
  caches: 'elscope.caches',
  watchedLines: 'elscope.watchedLines',
  vms: 'elscope.vms',
  findings: 'elscope.findings',
} as const;

export const treeSources = (pins: Pins): readonly TreeSource[] => [
  {
    viewId: VIEW_IDS.cores,
    async load(session) {
      const view = await session.request('elscope/cores', {});
      return { rows: coreRows(view), message: stopText(view) };
    },
  },
  {
    viewId: VIEW_IDS.idRegisters,
    load: async (session) => ({ rows: idRegisterRows(await session.request('elscope/idRegisters', {})) }),
  },
  {
    viewId: VIEW_IDS.caches,
    load: async (session) => ({ rows: cacheRows(await session.request('elscope/caches', {})) }),
    loadBelow: async (session, { sets }) => (sets ? setRows(await session.request('elscope/cacheLines', sets)) : []),
  },
  {
    viewId: VIEW_IDS.vms,
    async load(session) {
      const view = await session.request('elscope/vms', {});
      return { rows: vmRows(view), message: vmsText(view) };
    },
    loadBelow: async (session, { stage2: vm }) =>
      vm === undefined ? [] : stage2Rows(await session.request('elscope/stage2', { vm })),
  },
  {
    viewId: VIEW_IDS.findings,
    async load(session) {
      const view = await session.request('elscope/findings', {});
      return { rows: findingRows(view), message: findingsText(view) };
    },
  },
  {
    viewId: VIEW_IDS.watchedLines,
    async load(session) {
      const asked = pins.all;
      if (asked.length === 0) return { rows: [] };
      const core = await session.focusedCore();
      const addresses = asked.map((pin) => pin.address);
      return { rows: watchedRows(await session.request('elscope/watchedLines', { addresses, core }), asked) };
    },
  },
];
