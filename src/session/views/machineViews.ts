/** View models of cores, cache identification registers, caches, translations, findings and counters. */
import { describe } from '../../arch/explain';
import { byName, systemRegisters } from '../../arch/sysregs';
import { hex64 } from '../../base/bits';
import { type CacheIdName, guestReads } from '../../hypervisor/run/guestView';
import type { CoreView, Finding, Machine, Space } from '../../machine/api';
import type {
  CacheRow,
  CoreRow,
  FieldRow,
  FindingRow,
  IdRegisterRow,
  StatisticsView,
  TranslationResult,
} from '../../protocol';
import { cacheSize, cachesOf } from '../cacheIdRegisters';
import { instructionText, wordText } from '../exceptionInfo';
import { fieldMeaning } from '../registerText';
import type { Target } from '../target';
import { asidOf, bit, regimeLevel, vmidOf } from '../translationIds';
import { cacheName } from './lines';

const stateName = (state: string): CoreRow['state'] =>
  state === 'wfi' || state === 'wfe' || state === 'off' ? state : 'running';
export function coreRows(
  machine: Machine,
  target: Target,
  stopReason: (core: number) => string | undefined,
): CoreRow[] {
  return machine.cores.map((core) => ({
    core: core.index,
    threadId: core.index + 1,
    model: machine.config.cores[core.index].name,
    state: stateName(core.state),
    el: core.el,
    pc: hex64(core.pc()),
    symbol: target.describe(core.pc()),
    source: target.sourceAt(core.pc()),
    mmu: bit(core.peekSystem(`SCTLR_EL${regimeLevel(core)}`), 0),
    asid: asidOf(core),
    vmid: vmidOf(core),
    instructions: core.instructions(),
    stopReason: stopReason(core.index),
  }));
}

const plainNames = ['CTR_EL0', 'CLIDR_EL1', 'DCZID_EL0'] as const;

/** One row of the table: what a register reads as on each core. */
function idRow(
  machine: Machine,
  name: string,
  register: string,
  read: (core: CoreView) => bigint | undefined,
  guest: (core: CoreView) => bigint | undefined,
): IdRegisterRow {
  const values = machine.cores.map(read);
  const fields = values.map((value) => (value === undefined ? [] : (describe(register, value)?.children ?? [])));
  const differing = new Set<string>();
  for (const list of fields) {
    for (const field of list) {
      const others = fields.filter((other) => other.length > 0);
      if (others.some((other) => other.find((f) => f.name === field.name)?.value !== field.value))
        differing.add(field.name);
    }
  }
  const guests = machine.cores.map(guest);
  const cells = machine.cores.map((core, i) => ({
    core: core.index,
    raw: values[i] === undefined ? undefined : hex64(values[i]),
    ...(guests[i] === undefined ? {} : { guest: hex64(guests[i]) }),
    fields: fields[i].map(
      (field): FieldRow => ({
        name: field.name,
        hi: field.hi ?? 63,
        lo: field.lo ?? 0,
        value: `0x${field.value.toString(16)}`,
        meaning: fieldMeaning(field),
        differs: differing.has(field.name),
      }),
    ),
  }));
  const title = systemRegisters[byName(register)].section;
  return { name, title, mismatch: new Set(values).size > 1, cells };
}

export function idRegisterRows(machine: Machine): IdRegisterRow[] {
  // What a host has made of the cores' registers, and shows to guests, is known once it has booted.
  const model = machine.hypervisor?.isBooted ? machine.hypervisor : undefined;
  const guest =
    (name: CacheIdName, csselr = 0) =>
    ({ index }: CoreView): bigint | undefined =>
      model && guestReads(model, index, name, csselr);
  const plain = plainNames.map((name) => {
    const row = idRow(machine, name, name, (core) => core.peekSystem(name), guest(name));
    return model && name === 'CTR_EL0' ? { ...row, sanitised: hex64(model.host.sanitisedCtr) } : row;
  });
  const caches = new Map<string, number>();
  for (const core of machine.cores) {
    for (const { level, kind, selector } of cachesOf(core.peekSystem('CLIDR_EL1') ?? 0n)) {
      caches.set(`CCSIDR_EL1[${cacheName(level, kind)}]`, selector);
    }
  }
  const sizes = [...caches].map(([name, selector]) => {
    const has = (core: CoreView): boolean =>
      cachesOf(core.peekSystem('CLIDR_EL1') ?? 0n).some((cache) => cache.selector === selector);
    const raw = (core: CoreView): bigint | undefined => (has(core) ? cacheSize(core, selector) : undefined);
    return idRow(machine, name, 'CCSIDR_EL1', raw, guest('CCSIDR_EL1', selector));
  });
  return [...plain, ...sizes];
}

export function cacheRows(machine: Machine, core: number): CacheRow[] {
  return machine.caches(core).map(({ level, kind, sets, ways, lineBytes, policy, replacement }) => {
    const counts = machine.cacheCounts(core, level, kind);
    const sizeBytes = sets * ways * lineBytes;
    return {
      level,
      kind,
      name: cacheName(level, kind),
      sets,
      ways,
      lineBytes,
      sizeBytes,
      policy,
      replacement,
      ...counts,
    };
  });
}

export function translation(
  machine: Machine,
  place: { readonly core: number; readonly space: Space; readonly address: bigint },
  asked: string,
): Omit<TranslationResult, 'version' | 'running'> {
  const view = machine.translate(place.core, place.space, place.address);
  return {
    address: asked,
    core: place.core,
    ok: view.ok,
    pa: view.pa === undefined ? undefined : hex64(view.pa),
    ipa: view.ipa === undefined ? undefined : hex64(view.ipa),
    fault: view.fault,
    attributes: view.attributes,
    fromTlb: view.fromTlb,
    steps: view.steps.map((step) => ({
      stage: step.stage,
      level: step.level,
      descriptorPa: hex64(step.descriptorPa),
      descriptor: hex64(step.descriptor),
      meaning: step.meaning,
    })),
  };
}

export function findingRow(finding: Finding, target: Target): FindingRow {
  const { id, kind, mode, core, el, asid, vmid, pc, pa, instructions, missing, advice, writerCore, writerPc } = finding;
  const text = (word: number) => ({ word: wordText(word), text: instructionText(word, pc, target) });
  const writer =
    writerCore === undefined
      ? undefined
      : { core: writerCore, pc: hex64(writerPc ?? 0n), symbol: writerPc && target.describe(writerPc) };
  return {
    ...{ id, kind, mode, core, el, asid, vmid, instructions, missing, advice },
    ...{ detail: finding.detail, vcpu: finding.vcpu, filledBy: finding.filledBy },
    pc: hex64(pc),
    pa: hex64(pa),
    symbol: target.describe(pc),
    source: target.sourceAt(pc),
    executed: text(finding.executed),
    current: text(finding.current),
    writer: writer && { ...writer, symbol: writer.symbol || undefined },
  };
}

export function statistics(machine: Machine): Omit<StatisticsView, 'version' | 'running'> {
  const { instructions, guestSeconds, cores } = machine.statistics();
  return {
    instructions,
    guestSeconds,
    cores: cores.map((core, index) => {
      const { l1i, l1d, l2, tlb, exceptions } = core;
      const named = {
        exceptions,
        ...counts('l1i', l1i),
        ...counts('l1d', l1d),
        ...counts('l2', l2),
        ...counts('tlb', tlb),
      };
      const counters = { ...named, ...core.counters };
      return { core: index, instructions: core.instructions, cycles: core.cycles, counters };
    }),
  };
}

const counts = (name: string, { hits, misses }: { hits: number; misses: number }): Record<string, number> => ({
  [`${name}.hits`]: hits,
  [`${name}.misses`]: misses,
});
