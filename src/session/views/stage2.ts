/**
 * View model of a VM's stage-2 tables: what is mapped, by size of entry, by type of memory and by memory slot. The tables are read by
 * peeking: looking costs the caches nothing. It reads every table, so it is asked for by itself.
 */
import { hex64 } from '../../base/bits';
import { countDirty } from '../../hypervisor/dirtyLog';
import type { Hypervisor } from '../../hypervisor/run/model';
import { LAST_LEVEL, type Stage2Table } from '../../hypervisor/run/stage2Table';
import type { Memslot, Vm } from '../../hypervisor/run/vm';
import { memoryOf } from '../../hypervisor/stage2Attributes';
import type { Machine } from '../../machine/api';
import type { Stage2Counts, Stage2Facts, Stage2View } from '../../protocol';

const TWO32 = 2 ** 32;
/** Bits of an entry's lower word, and XN[1] in the upper one. */
const Bits = {
  TYPE: 3,
  MEM_ATTR: 15,
  MEM_ATTR_SHIFT: 2,
  READ: 1 << 6,
  WRITE: 1 << 7,
  AF: 1 << 10,
  XN_HI: 1 << 22,
} as const;
const ADDRESS_HI = 0xffff;

type Counts = { -readonly [K in keyof Stage2Counts]: number };
const none = (): Counts => ({ bytes: 0, entries: 0, readable: 0, writable: 0, executable: 0, young: 0 });

interface Found {
  tables: number;
  readonly byLevel: Map<number, Counts>;
  readonly byMemory: Map<string, Counts>;
  readonly bySlot: Map<Memslot, Counts>;
}

function countIn<K>(rows: Map<K, Counts>, key: K, hi: number, lo: number, bytes: number): void {
  let row = rows.get(key);
  if (row === undefined) {
    row = none();
    rows.set(key, row);
  }
  row.bytes += bytes;
  row.entries++;
  row.readable += lo & Bits.READ ? 1 : 0;
  row.writable += lo & Bits.WRITE ? 1 : 0;
  row.executable += hi & Bits.XN_HI ? 0 : 1;
  row.young += lo & Bits.AF ? 1 : 0;
}

function walk(machine: Machine, vm: Vm, fwb: boolean): Found {
  const { stage2 } = vm;
  const found: Found = { tables: 0, byLevel: new Map(), byMemory: new Map(), bySlot: new Map() };
  let slot: Memslot | undefined;
  const slotOf = (ipa: number): Memslot | undefined => {
    const isInside = slot !== undefined && ipa >= slot.guestAddress && ipa < slot.guestAddress + slot.bytes;
    slot = isInside ? slot : vm.slotOf(ipa);
    return slot;
  };
  const visit = (table: number, level: number, from: number, size: number): void => {
    found.tables += size / stage2.pageBytes;
    // A copy, since words are read as words.
    const words = new Uint32Array(Uint8Array.from(machine.peek(0, 'pa', BigInt(table), size)).buffer);
    const bytes = stage2.bytesAt(level);
    for (let n = 0; n < words.length / 2; n++) {
      const [lo, hi] = [words[2 * n], words[2 * n + 1]];
      if ((lo & 1) === 0) continue;
      const ipa = from + n * bytes;
      if (level < LAST_LEVEL && (lo & Bits.TYPE) === Bits.TYPE) {
        const below = (hi & ADDRESS_HI) * TWO32 + (lo - (lo % stage2.pageBytes));
        visit(below, level + 1, ipa, stage2.pageBytes);
        continue;
      }
      countIn(found.byLevel, level, hi, lo, bytes);
      countIn(found.byMemory, memoryOf((lo >>> Bits.MEM_ATTR_SHIFT) & Bits.MEM_ATTR, fwb), hi, lo, bytes);
      const of = slotOf(ipa);
      if (of !== undefined) countIn(found.bySlot, of, hi, lo, bytes);
    }
  };
  visit(stage2.root, stage2.startLevel, 0, stage2.rootBytes);
  return found;
}

/** What is known without reading the tables. */
export function stage2Facts({ stage2, tableEntries }: Vm): Stage2Facts {
  const { root, rootBytes, pageBytes, inputBits, startLevel } = stage2;
  const below = Object.keys(tableEntries).filter((page) => !isRoot(stage2, Number(page))).length;
  return { root: hex64(BigInt(root)), pageBytes, inputBits, startLevel, tables: rootBytes / pageBytes + below };
}

const isRoot = ({ root, rootBytes }: Stage2Table, page: number): boolean => page >= root && page < root + rootBytes;

export function stage2View(machine: Machine, model: Hypervisor, vm: Vm): Omit<Stage2View, 'version' | 'running'> {
  const { tables, byLevel, byMemory, bySlot } = walk(machine, vm, model.fwb);
  const { pageBytes } = vm.stage2;
  return {
    ...{ vm: vm.id, pageBytes, tables, tableBytes: tables * pageBytes },
    sizes: [...byLevel]
      .sort(([a], [b]) => a - b)
      .map(([level, counts]) => ({ level, size: vm.stage2.bytesAt(level), ...counts })),
    memory: [...byMemory].map(([name, counts]) => ({ name, ...counts })),
    slots: vm.slots.map((slot) => ({
      ...{ id: slot.id, slotBytes: slot.bytes, ...(bySlot.get(slot) ?? none()) },
      dirty: slot.dirty === undefined ? undefined : countDirty(slot.dirty),
    })),
  };
}
