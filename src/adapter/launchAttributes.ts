/**
 * The launch attributes, one table: types, documentation and defaults, from which package.json's configurationAttributes and
 * README's table are made, and against which every launch is checked.
 */
import { statSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../base/errors';
import type { SessionStart } from '../protocol';

interface AttributeRow {
  readonly type: 'string' | 'boolean' | 'integer' | 'size' | 'list' | 'symbols' | 'pathMap';
  /** One or two sentences, as launch.json shows them. */
  readonly doc: string;
  /** The value names a file or folder: relative ones count from `cwd`. */
  readonly path?: true;
  readonly values?: readonly (string | number)[];
  /** Further values are fine. */
  readonly open?: true;
  readonly default?: string | number | boolean;
  readonly least?: number;
  readonly most?: number;
}

/** Names are fixed (DESIGN: boards and machine files). */
const presetNames = [
  'cortex-a53',
  'cortex-a57',
  'cortex-a72',
  'neoverse-n1',
  'max',
  'vpipt',
  'pipt-vipt',
  'mixed-lines',
  'm2-like',
];

export const launchAttributes = {
  program: {
    type: 'string',
    path: true,
    doc: 'The guest image to run: an ELF file, an arm64 Image or a raw binary. Give one of program, kernel and bios.',
  },
  kernel: {
    type: 'string',
    path: true,
    doc: 'A kernel to boot by the arm64 Linux boot protocol, placed as QEMU does: an arm64 Image (plain or gzip) or an ELF file. With bios it is for the firmware to load (fw_cfg).',
  },
  bios: { type: 'string', path: true, doc: 'A raw firmware image, put into flash at address 0 and entered there.' },
  initrd: { type: 'string', path: true, doc: 'The initial RAM disk for a kernel.' },
  append: { type: 'string', doc: 'The kernel command line (bootargs in the device tree).' },
  dtb: { type: 'string', path: true, doc: 'A device tree to use instead of the generated one.' },
  symbols: {
    type: 'symbols',
    doc: 'ELF files to take symbols and debug information from, besides the program: paths, or {path, offset} where offset is added to the addresses in the file.',
  },
  drives: {
    type: 'list',
    doc: 'Raw disk images, each a virtio disk. What the guest writes stays in memory; "FILE,write" lets it change the file, "FILE,readonly" refuses.',
  },
  share: {
    type: 'string',
    path: true,
    doc: 'Folder that the guest may mount read-only: mount -t 9p -o trans=virtio,ro share /mnt.',
  },
  devices: { type: 'list', values: ['net', 'rng', 'console'], doc: 'Further virtio devices.' },
  machine: {
    type: 'string',
    values: presetNames,
    open: true,
    default: 'cortex-a57',
    doc: 'The machine: the name of a preset, or the path of a machine file.',
  },
  cpus: { type: 'integer', least: 1, most: 8, doc: 'Number of cores; the machine’s cores are repeated or cut.' },
  memory: { type: 'size', default: '1G', doc: 'Size of RAM, such as 256M or 1G.' },
  el: {
    type: 'integer',
    values: [1, 2, 3],
    doc: 'The highest exception level that exists; cores are reset into it. Default: 2 for an ELF program, else 1.',
  },
  gic: { type: 'integer', values: [2, 3], doc: 'Version of the interrupt controller (GIC). Default: 2.' },
  kvm: {
    type: 'string',
    doc: 'A host kernel of this release, such as 6.12, has EL2 with its KVM, and the program is its guest.',
  },
  policies: {
    type: 'list',
    doc: 'What that host does otherwise than its release did, each "NAME=VALUE" (elscope policies lists them).',
  },
  schedule: {
    type: 'string',
    path: true,
    doc: 'With a host that has KVM: a file of moves of vCPUs between cores, each a line "ENTRY VCPU CORE", as 100 vm1/vcpu0 3: before its 100th guest entry.',
  },
  restoreVm: {
    type: 'string',
    path: true,
    doc: 'With a host that has KVM: a virtual machine that elscope saved goes on as the first one. The program gives its symbols.',
  },
  seed: {
    type: 'integer',
    least: 0,
    most: 0xffffffff,
    doc: 'Seed of the machine’s random choices (cache replacement).',
  },
  checker: {
    type: 'string',
    values: ['actual', 'architectural', 'off'],
    default: 'actual',
    doc: 'What the coherence checker reports: instructions that really were stale, also those that could be on other hardware, or nothing.',
  },
  semihosting: {
    type: 'string',
    path: true,
    doc: 'Folder whose files the guest may read through semihosting. Without it there are none.',
  },
  stopOnEntry: { type: 'boolean', default: false, doc: 'Stop at the first instruction.' },
  console: {
    type: 'string',
    values: ['terminal', 'debugConsole', 'both'],
    default: 'terminal',
    doc: 'Where the guest’s serial console appears: in a terminal that takes input, in the debug console, or in both.',
  },
  sourceMap: {
    type: 'pathMap',
    doc: 'Where sources are: path prefixes as the debug information has them, and the folders that stand for them here.',
  },
  cwd: { type: 'string', doc: 'Folder that relative paths count from; default: the workspace folder.' },
} as const satisfies Readonly<Record<string, AttributeRow>>;

export type LaunchAttributeName = keyof typeof launchAttributes;
const rows: Readonly<Record<string, AttributeRow>> = launchAttributes;

/** What VS Code and other clients add to a configuration, none of our business. */
const clientAttributes = new Set([
  'type',
  'request',
  'name',
  'noDebug',
  'preLaunchTask',
  'postDebugTask',
  'presentation',
  'internalConsoleOptions',
  'debugServer',
  'serverReadyAction',
  'suppressMultipleSessionWarning',
  'windows',
  'osx',
  'linux',
]);

type Values = Readonly<Record<string, unknown>>;

function typeProblem(row: AttributeRow, value: unknown): string | undefined {
  switch (row.type) {
    case 'string':
      return typeof value === 'string' && value !== '' ? undefined : 'a text';
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'true or false';
    case 'integer':
      return Number.isSafeInteger(value) ? undefined : 'a whole number';
    case 'size':
      return Number.isSafeInteger(value) || (typeof value === 'string' && /^\d+[KMG]?$/i.test(value))
        ? undefined
        : 'a size such as 256M or 1G';
    case 'list':
      return isTextList(value) ? undefined : 'a list of texts';
    case 'symbols':
      return isSymbols(value) ? undefined : 'a list of paths or of {path, offset}';
    case 'pathMap':
      return isPathMap(value) ? undefined : 'an object of paths';
  }
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '');
}

function isSymbols(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  return value.every((item: unknown) => {
    if (typeof item === 'string') return item !== '';
    if (typeof item !== 'object' || item === null) return false;
    const { path: file, offset = 0, ...rest } = item as Values;
    return typeof file === 'string' && file !== '' && offsetOf(offset) !== undefined && Object.keys(rest).length === 0;
  });
}

/** An offset as a number or as text, which may be negative and hexadecimal. */
function offsetOf(value: unknown): bigint | undefined {
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  const match = typeof value === 'string' ? /^\s*(-?)(0[xX][0-9a-fA-F]{1,16}|\d{1,20})\s*$/.exec(value) : null;
  return match === null ? undefined : match[1] === '-' ? -BigInt(match[2]) : BigInt(match[2]);
}

function isPathMap(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((item) => typeof item === 'string')
  );
}

function valueProblem(row: AttributeRow, value: unknown): string | undefined {
  const wrong = typeProblem(row, value);
  if (wrong !== undefined) return wrong;
  const single = isTextList(value) ? value : [value];
  if (row.values && !row.open && single.some((one) => !row.values?.some((v) => v === one)))
    return `one of ${row.values.join(', ')}`;
  const { least, most } = row;
  const number = value as number;
  if (least !== undefined && most !== undefined && (number < least || number > most)) return `from ${least} to ${most}`;
  return undefined;
}

/** The attribute that the user may have meant: same letters, or one edit away. */
function similar(name: string): string | undefined {
  const lower = name.toLowerCase();
  return Object.keys(rows).find((known) => {
    const own = known.toLowerCase();
    if (own === lower || own.startsWith(lower) || lower.startsWith(own)) return true;
    const letters = (text: string): string => [...text].sort().join('');
    if (letters(own) === letters(lower)) return true;
    const [short, long] = own.length < lower.length ? [own, lower] : [lower, own];
    if (long.length - short.length > 1) return false;
    let i = 0;
    while (i < short.length && short[i] === long[i]) i++;
    return short.slice(i + (long.length === short.length ? 1 : 0)) === long.slice(i + 1);
  });
}

function checked(given: Values): Values {
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (clientAttributes.has(name) || name.startsWith('__')) continue;
    if (!Object.hasOwn(rows, name)) {
      const meant = similar(name);
      const hint = meant === undefined ? `known are ${Object.keys(rows).join(', ')}` : `did you mean "${meant}"?`;
      throw new UserError('attribute.unknown', { name, hint });
    }
    if (value === undefined || value === null) continue;
    const problem = valueProblem(rows[name], value);
    if (problem !== undefined)
      throw new UserError('attribute.value', { name, value: JSON.stringify(value), what: problem });
    values[name] = value;
  }
  const programs = ['program', 'kernel', 'bios'].filter((name) => values[name] !== undefined);
  // A kernel beside firmware is for the firmware to boot.
  const forFirmware = programs.join() === 'kernel,bios';
  if (programs.length === 0) throw new UserError('attribute.noProgram');
  if (programs.length > 1 && !forFirmware)
    throw new UserError('attribute.twoPrograms', { names: programs.join(' and ') });
  for (const name of ['initrd', 'append']) {
    if (values[name] !== undefined && values.kernel === undefined)
      throw new UserError('attribute.needsKernel', { name });
  }
  return values;
}

/** Checks launch arguments and resolves paths. @throws UserError `attribute.*`, with the attribute's name */
export function sessionStart(given: unknown): SessionStart {
  const values = checked(typeof given === 'object' && given !== null ? (given as Values) : {});
  const text = (name: LaunchAttributeName): string | undefined => values[name] as string | undefined;
  const folder = path.resolve(text('cwd') ?? '.');
  if (text('cwd') !== undefined && !statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new UserError('attribute.folder', { name: 'cwd', path: folder });
  const file = (name: LaunchAttributeName): string | undefined => {
    const value = text(name);
    return value === undefined ? undefined : path.resolve(folder, value);
  };
  const machine = text('machine');
  const isFile = machine !== undefined && !presetNames.includes(machine) && /[\\/.]/.test(machine);
  const options = {
    program: file('program'),
    kernel: file('kernel'),
    bios: file('bios'),
    initrd: file('initrd'),
    append: text('append'),
    dtb: file('dtb'),
    machine: isFile ? path.resolve(folder, machine) : machine,
    cpus: values.cpus,
    memory: values.memory,
    el: values.el,
    gic: values.gic,
    kvm: text('kvm'),
    policies: (values.policies ?? []) as readonly string[],
    schedule: file('schedule'),
    restoreVm: file('restoreVm'),
    seed: values.seed,
    checker: values.checker ?? launchAttributes.checker.default,
    semihostingRoot: file('semihosting'),
    drives: ((values.drives ?? []) as readonly string[]).map((drive) => path.resolve(folder, drive)),
    share: file('share'),
    devices: values.devices ?? [],
  };
  const symbols = ((values.symbols ?? []) as readonly (string | { path: string; offset?: unknown })[]).map((item) => {
    const { path: name, offset = 0 } = typeof item === 'string' ? { path: item } : item;
    return { path: path.resolve(folder, name), offset: BigInt.asUintN(64, offsetOf(offset) ?? 0n).toString() };
  });
  const sourceMap = Object.fromEntries(
    Object.entries((values.sourceMap ?? {}) as Record<string, string>).map(([from, to]) => {
      return [from, path.resolve(folder, to)];
    }),
  );
  const where = values.console ?? launchAttributes.console.default;
  const stopOnEntry = values.stopOnEntry === true && (given as Values).noDebug !== true;
  return { options, symbols, sourceMap, stopOnEntry, consoleToOutput: where !== 'terminal' };
}

/** JSON schema of one attribute, as package.json's configurationAttributes want it. */
function schemaOf(row: AttributeRow): Readonly<Record<string, unknown>> {
  const common = {
    markdownDescription: row.doc,
    ...(row.default === undefined ? {} : { default: row.default }),
  };
  switch (row.type) {
    case 'size':
      return { ...common, type: ['string', 'integer'], pattern: '^\\d+[KMGkmg]?$' };
    case 'list':
      return { ...common, type: 'array', items: { type: 'string', ...(row.values ? { enum: row.values } : {}) } };
    case 'symbols': {
      const properties = { path: { type: 'string' }, offset: { type: ['string', 'integer'] } };
      const entry = { type: 'object', required: ['path'], additionalProperties: false, properties };
      return { ...common, type: 'array', items: { anyOf: [{ type: 'string' }, entry] } };
    }
    case 'pathMap':
      return { ...common, type: 'object', additionalProperties: { type: 'string' } };
    default: {
      const { values, open, least, most } = row;
      const bounds = least === undefined ? {} : { minimum: least, maximum: most };
      if (values && open) return { ...common, anyOf: [{ type: row.type, enum: values }, { type: row.type }] };
      return { ...common, type: row.type, ...(values ? { enum: values } : {}), ...bounds };
    }
  }
}

/** The value of `contributes.debuggers[0].configurationAttributes.launch` in package.json. */
export function configurationAttributes(): Readonly<Record<string, unknown>> {
  const properties = Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, schemaOf(row)]));
  return { properties };
}

/** README's table. */
export function attributesMarkdown(): string {
  const lines = Object.entries(rows).map(([name, row]) => {
    const values = row.values ? ` One of ${row.values.join(', ')}${row.open ? ', or a path' : ''}.` : '';
    const kind = {
      size: 'size',
      list: 'list',
      symbols: 'list',
      pathMap: 'object',
      string: row.path ? 'path' : 'text',
    } as const;
    const type = row.type in kind ? kind[row.type as keyof typeof kind] : row.type;
    const fallback = row.default === undefined ? '' : `\`${row.default}\``;
    return `| \`${name}\` | ${type} | ${fallback} | ${row.doc}${values} |`;
  });
  return ['| attribute | type | default | meaning |', '|---|---|---|---|', ...lines, ''].join('\n');
}
