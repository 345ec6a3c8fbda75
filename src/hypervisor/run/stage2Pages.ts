/**
 * The pages that a VM's stage-2 tables are in: how many valid entries each has (the kernel's page_count of a table), so that one
 * that is empty is found without reading it, and those that may be used again.
 */
import type { CoreContext } from './model';
import { Stage2Table, type TableMemory } from './stage2Table';
import type { Vm } from './vm';

/** Writes an entry at a physical address. */
export function writeEntry(c: CoreContext, vm: Vm, at: number, value: bigint): void {
  const was = Stage2Table.isValid(c.load(at));
  c.store(at, value);
  const change = Number(Stage2Table.isValid(value)) - Number(was);
  if (change === 0) return;
  const page = at - (at % vm.stage2.pageBytes);
  vm.tableEntries[page] = (vm.tableEntries[page] ?? 0) + change;
}

/** The tables as a core reads and writes them. */
export const tablesOf = (c: CoreContext, vm: Vm): TableMemory => ({
  load: (at) => c.load(at),
  store: (at, value) => writeEntry(c, vm, at, value),
  allocate: () => {
    const page = vm.freeTables.pop();
    if (page === undefined) return c.allocate();
    for (let at = page; at < page + vm.stage2.pageBytes; at += 8) c.store(at, 0n);
    return page;
  },
});

export const isEmptyTable = (vm: Vm, page: number): boolean =>
  page !== vm.stage2.root && (vm.tableEntries[page] ?? 0) === 0;

export function freeTable(vm: Vm, page: number): void {
  delete vm.tableEntries[page];
  vm.freeTables.push(page);
}

/** Frees a table that nothing points to any more, and all tables below it (free_unlinked_table). */
export function freeTree(c: CoreContext, vm: Vm, page: number, level: number): void {
  const { pageBytes } = vm.stage2;
  if (level < 3)
    for (let at = page; at < page + pageBytes; at += 8) {
      const entry = c.load(at);
      if (Stage2Table.isTable(entry, level)) freeTree(c, vm, Stage2Table.addressOf(entry), level + 1);
    }
  freeTable(vm, page);
}
