/**
 * Machine files: JSON with comments that starts from a preset and changes it. One table says every field, its type and bounds;
 * the parser, the JSON schema for editors and README's reference come from it. The content is untrusted: every value is
 * checked, unknown names are refused.
 */
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { type FeatureSet, featureConflict, featureRow } from '../arch/features';
import { systemRegisters } from '../arch/sysregs';
import { UserError } from '../base/errors';
import type { CacheGeometry, CostTable, InstructionCachePolicy } from '../memory/types';
import type { CoreConfig, MachineConfig } from './config';
import { type FieldTable, type Json, Reader } from './fileReader';
import { hypervisorFields, readHypervisor } from './hypervisorFile';
import { coreTypes, defaultCost, MAX_CORES, presetConfig, presets } from './presets';

const cacheFields = {
  sets: { kind: 'number', low: 1, high: 16384, powerOfTwo: true, doc: 'number of sets' },
  ways: { kind: 'number', low: 1, high: 32, doc: 'number of ways' },
  lineBytes: { kind: 'choice', choices: ['16', '32', '64', '128', '256'], doc: 'line size in bytes' },
  replacement: { kind: 'choice', choices: ['random', 'fifo', 'lru'], doc: 'which way leaves on a miss' },
} as const satisfies FieldTable;

const coreFields = {
  type: { kind: 'choice', choices: Object.keys(coreTypes), doc: 'core type to start from instead' },
  l1i: {
    kind: 'object',
    fields: { ...cacheFields, policy: { kind: 'choice', choices: ['PIPT', 'VIPT', 'VPIPT'], doc: 'CTR_EL0.L1Ip' } },
    doc: 'L1 instruction cache',
  },
  l1d: { kind: 'object', fields: cacheFields, doc: 'L1 data cache' },
  l2: { kind: 'object', fields: cacheFields, doc: 'L2 cache of its cluster; null for none' },
  cluster: { kind: 'number', low: 0, high: MAX_CORES - 1, doc: 'number of its cluster; the cores of one share an L2' },
  idc: { kind: 'boolean', doc: 'CTR_EL0.IDC: no cleaning to the point of unification is needed' },
  dic: { kind: 'boolean', doc: 'CTR_EL0.DIC: no instruction cache invalidation is needed (needs idc)' },
  ccidx: { kind: 'boolean', doc: 'short for FEAT_CCIDX in features: the wide CCSIDR_EL1 format' },
  features: {
    kind: 'features',
    doc: 'features that the core has besides its type’s, or lacks, as {"FEAT_LSE": false}; COVERAGE.md lists them',
  },
  prefetch: {
    kind: 'number',
    low: 0,
    high: 256,
    doc: 'fetched instructions that the core keeps until a context synchronisation event, old bytes included (default 0)',
  },
  override: {
    kind: 'registers',
    doc: 'ID registers that lie, as {"CTR_EL0": "0x8444c004"}; CCSIDR_EL1 for all caches, or CCSIDR_EL1[n] by CSSELR_EL1',
  },
} as const satisfies FieldTable;

/** What each penalty is for. */
const costDocs: Readonly<Record<keyof CostTable, string>> = {
  l1iMiss: 'L1 instruction cache miss',
  l1dMiss: 'L1 data cache miss',
  l2Miss: 'L2 miss',
  walkStep: 'descriptor read of a translation table walk',
  maintenance: 'DC, IC or TLBI operation',
  perCore: 'other core that a broadcast operation reaches',
  dvm: 'IC or TLBI operation that is sent to other cores, beside those two',
  exception: 'exception taken',
  trap: 'system register access that is trapped',
  mmio: 'access to a device',
  counterRead: 'read of CNTPCT_EL0 or CNTVCT_EL0',
};

const costFields: FieldTable = Object.fromEntries(
  Object.entries(costDocs).map(([name, what]) => {
    const cycles = defaultCost[name as keyof CostTable];
    return [name, { kind: 'number', low: 0, high: 1e6, doc: `cycles of each ${what} (default ${cycles})` }];
  }),
);

export const machineFields: FieldTable = {
  preset: { kind: 'choice', choices: Object.keys(presets), doc: 'machine to start from (default cortex-a57)' },
  cores: {
    kind: 'list',
    fields: coreFields,
    least: 1,
    most: MAX_CORES,
    doc: 'list of 1 to 8 cores, each what is different from the preset’s core at that place; absent: the preset’s',
  },
  memory: { kind: 'size', doc: 'RAM size, such as "512M" (default 1G)' },
  el: {
    kind: 'number',
    low: 1,
    high: 3,
    doc: 'highest exception level, entered at reset (default 2 for an ELF, else 1)',
  },
  gic: { kind: 'number', low: 2, high: 3, doc: 'version of the interrupt controller (default 2)' },
  quantum: { kind: 'number', low: 1, high: 1e6, doc: 'instructions in a core’s turn (default 1000)' },
  jitter: { kind: 'boolean', doc: 'turns of 1 to quantum instructions, by the seed (default false)' },
  seed: { kind: 'number', low: 0, high: 0xffffffff, doc: 'seed of every random choice (default 1)' },
  clockHz: { kind: 'number', low: 1e3, high: 1e11, doc: 'cycles in a second of guest time (default 1e9)' },
  counterHz: {
    kind: 'number',
    low: 1e3,
    high: 1e9,
    doc: 'frequency of the generic timer, CNTFRQ_EL0 (default 62.5e6)',
  },
  cost: {
    kind: 'object',
    fields: costFields,
    doc: 'cycles that slow events add to one an instruction; with all 0, cycles count instructions',
  },
  dmaCoherent: {
    kind: 'boolean',
    doc: 'devices see the caches when they read and write memory, and the device tree says dma-coherent (default true)',
  },
  virtio: {
    kind: 'choice',
    choices: ['legacy', 'modern'],
    doc: 'interface of the virtio-mmio slots: version 1, as QEMU’s virt has it (legacy, the default), or version 2',
  },
  mmuOffFetch: {
    kind: 'choice',
    choices: ['architecture', 'poc'],
    doc: 'what fetches with stage 1 off and SCTLR_ELx.I=1 read: the point of unification (architecture, the default) or of coherency (poc)',
  },
  hypervisor: {
    kind: 'object',
    fields: hypervisorFields,
    doc: 'EL2 is the hypervisor model’s, a host kernel with KVM, and the program runs in its virtual machines',
  },
};

/** ID registers by name; CCSIDR_EL1 for all caches, or for one by the value of CSSELR_EL1 that selects it. */
const overridable = (name: string): boolean =>
  /^CCSIDR_EL1(\[([0-9]|1[0-3])\])?$/.test(name) ||
  systemRegisters.some((row) => row.name === name && row.reset === 'id');

/** Checks the fields of a machine against the tables. */
class MachineReader extends Reader {
  cache(value: unknown, field: string, base: CacheGeometry, fields: FieldTable = cacheFields): CacheGeometry {
    const from = this.object(value, field, fields);
    const result = {
      sets: this.simple(from, 'sets', cacheFields, field, base.sets),
      ways: this.simple(from, 'ways', cacheFields, field, base.ways),
      lineBytes: Number(this.simple<string | number>(from, 'lineBytes', cacheFields, field, base.lineBytes)),
      replacement: this.simple(from, 'replacement', cacheFields, field, base.replacement),
    };
    return result as CacheGeometry;
  }

  registers(value: unknown, field: string): Record<string, bigint> {
    const result: Record<string, bigint> = {};
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.fail(field, 'it must be an object');
    for (const [name, text] of Object.entries(value)) {
      if (!overridable(name))
        this.fail(`${field}.${name}`, 'it must be an ID register, such as CTR_EL0 or CCSIDR_EL1[1]');
      if (typeof text !== 'string' || !/^0x[0-9a-fA-F]{1,16}$/.test(text)) {
        this.fail(`${field}.${name}`, 'it must be a text such as "0x8444c004"');
      }
      result[name] = BigInt(text);
    }
    return result;
  }

  /** The features of a core: those of `base`, with what the file adds and takes away. */
  features(from: Json, field: string, base: FeatureSet): FeatureSet {
    const set = new Set(base);
    const change = (name: string, has: boolean): void => void (has ? set.add(name) : set.delete(name));
    if (from.ccidx !== undefined) change('FEAT_CCIDX', this.boolean(from.ccidx, `${field}.ccidx`));
    const path = `${field}.features`;
    if (from.features !== undefined) {
      if (typeof from.features !== 'object' || from.features === null || Array.isArray(from.features))
        this.fail(path, 'it must be an object');
      for (const [name, has] of Object.entries(from.features)) {
        if (featureRow(name) === undefined) this.fail(`${path}.${name}`, 'there is no such feature');
        change(name, this.boolean(has, `${path}.${name}`));
      }
    }
    const conflict = featureConflict(set);
    if (conflict !== undefined) this.fail(`${path}.${conflict.feature}`, conflict.what);
    return set;
  }

  core(
    value: unknown,
    field: string,
    position: CoreConfig,
  ): { core: CoreConfig; l2: CacheGeometry | null | undefined } {
    const from = this.object(value, field, coreFields);
    const typeName = this.simple<string | undefined>(from, 'type', coreFields, field, undefined);
    const base: CoreConfig = typeName
      ? { ...coreTypes[typeName as keyof typeof coreTypes], cluster: position.cluster }
      : position;
    const policy = this.simple(
      from.l1i === undefined ? {} : this.object(from.l1i, `${field}.l1i`, coreFields.l1i.fields),
      'policy',
      coreFields.l1i.fields,
      `${field}.l1i`,
      base.l1i.policy,
    );
    const core: CoreConfig = {
      ...base,
      l1i: {
        ...(from.l1i === undefined ? base.l1i : this.cache(from.l1i, `${field}.l1i`, base.l1i, coreFields.l1i.fields)),
        policy: policy as InstructionCachePolicy,
      },
      l1d: from.l1d === undefined ? base.l1d : this.cache(from.l1d, `${field}.l1d`, base.l1d),
      cluster: this.simple(from, 'cluster', coreFields, field, base.cluster),
      idc: this.simple(from, 'idc', coreFields, field, base.idc),
      dic: this.simple(from, 'dic', coreFields, field, base.dic),
      features: this.features(from, field, base.features),
      prefetch: this.simple(from, 'prefetch', coreFields, field, base.prefetch),
      override: from.override === undefined ? base.override : this.registers(from.override, `${field}.override`),
    };
    if (core.dic && !core.idc) this.fail(`${field}.dic`, 'CTR_EL0.DIC=1 needs IDC=1');
    const l2 =
      from.l2 === undefined ? undefined : from.l2 === null ? null : this.cache(from.l2, `${field}.l2`, defaultL2);
    return { core, l2 };
  }
}

const defaultL2: CacheGeometry = { sets: 1024, ways: 16, lineBytes: 64, replacement: 'random' };

/** `CloseBraceExpected` as `close brace expected`. */
const errorText = ({ error }: ParseError): string =>
  printParseErrorCode(error)
    .replace(/(?!^)[A-Z]/g, ' $&')
    .toLowerCase();

export function parseJson(text: string, path: string): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  if (errors.length > 0) {
    const line = text.slice(0, errors[0].offset).split('\n').length;
    throw new UserError('machine.syntax', { path, line, what: errorText(errors[0]) });
  }
  return value;
}

/** Parses a machine file; `defaultEl` is the highest level where it gives none. @throws UserError machine.* */
export function parseMachineFile(text: string, path: string, defaultEl: 1 | 2 = 1): MachineConfig {
  const reader = new MachineReader(path);
  const from = reader.object(parseJson(text, path), '', { ...machineFields, $schema: { kind: 'choice', doc: '' } });
  const presetName = reader.simple(from, 'preset', machineFields, '', 'cortex-a57');
  let config: MachineConfig = { ...presetConfig(presetName), name: path };
  if (from.cores !== undefined) {
    const list = reader.list(machineFields.cores, from.cores, 'cores', (value) => value);
    const positions = presetConfig(presetName, list.length);
    const clusters: (CacheGeometry | null)[] = [...positions.clusters];
    const cores = list.map((value: unknown, i: number) => {
      const { core, l2 } = reader.core(value, `cores[${i}]`, positions.cores[i]);
      if (l2 !== undefined) clusters[core.cluster] = l2;
      else if (clusters[core.cluster] === undefined) clusters[core.cluster] = defaultL2;
      return core;
    });
    for (let i = 0; i < clusters.length; i++) clusters[i] ??= null;
    config = { ...config, cores, clusters };
  }
  const cost = from.cost === undefined ? {} : reader.object(from.cost, 'cost', costFields);
  return {
    ...config,
    memoryBytes: from.memory === undefined ? config.memoryBytes : reader.size(from.memory, 'memory'),
    highestEl: reader.simple(from, 'el', machineFields, '', defaultEl),
    gic: reader.simple(from, 'gic', machineFields, '', config.gic),
    quantum: reader.simple(from, 'quantum', machineFields, '', config.quantum),
    jitter: reader.simple(from, 'jitter', machineFields, '', config.jitter),
    seed: reader.simple(from, 'seed', machineFields, '', config.seed),
    clockHz: reader.simple(from, 'clockHz', machineFields, '', config.clockHz),
    counterHz: reader.simple(from, 'counterHz', machineFields, '', config.counterHz),
    dmaCoherent: reader.simple(from, 'dmaCoherent', machineFields, '', config.dmaCoherent),
    virtio: reader.simple(from, 'virtio', machineFields, '', config.virtio),
    mmuOffFetch: reader.simple(from, 'mmuOffFetch', machineFields, '', config.mmuOffFetch),
    ...(from.hypervisor === undefined ? {} : { hypervisor: readHypervisor(reader, from.hypervisor) }),
    cost: Object.fromEntries(
      Object.entries(defaultCost).map(([name, value]) => [name, reader.simple(cost, name, costFields, 'cost', value)]),
    ) as unknown as CostTable,
  };
}
