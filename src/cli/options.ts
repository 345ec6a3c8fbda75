/**
 * The command line's options: one table, from which parsing and `--help` are made. Values are strings until a command reads
 * them.
 */
import { UserError } from '../base/errors';

export interface OptionRow {
  readonly name: string;
  /** What stands for the value in help; absent for switches. */
  readonly value?: string;
  readonly many?: true;
  readonly doc: string;
}

export const runOptions = [
  { name: 'bios', value: 'FILE', doc: 'raw image for flash at 0, entered there' },
  { name: 'kernel', value: 'FILE', doc: 'arm64 Image (plain or gzip) or ELF, loaded as QEMU does' },
  { name: 'initrd', value: 'FILE', doc: 'initial RAM disk for --kernel' },
  { name: 'append', value: 'TEXT', doc: "the kernel's command line" },
  { name: 'dtb', value: 'FILE', doc: 'device tree to use instead of our own' },
  {
    name: 'drive',
    value: 'FILE',
    many: true,
    doc: 'raw disk image, a virtio disk; the file is not written, but with FILE,write; FILE,readonly',
  },
  { name: 'share', value: 'DIR', doc: 'folder that the guest may mount: mount -t 9p -o trans=virtio,ro share /mnt' },
  { name: 'device', value: 'net|rng|console', many: true, doc: 'further virtio device' },
  { name: 'machine', value: 'PRESET|FILE', doc: 'the machine (default cortex-a57); --machine list names the presets' },
  { name: 'cpus', value: 'N', doc: "number of cores, 1 to 8: repeats or cuts the preset's" },
  { name: 'memory', value: 'SIZE', doc: 'RAM size, such as 512M or 1G (the default)' },
  { name: 'el', value: '1|2|3', doc: 'highest exception level, entered at reset (default 2 for an ELF, else 1)' },
  { name: 'gic', value: '2|3', doc: 'version of the interrupt controller (default 2)' },
  { name: 'expect', value: 'TEXT', many: true, doc: 'wait for TEXT on the console, then type what --send gives' },
  {
    name: 'send',
    value: 'TEXT',
    many: true,
    doc: 'typed after its --expect; \\n, \\r, \\t, \\\\ and \\xNN are understood',
  },
  { name: 'until-console', value: 'TEXT', doc: 'stop with exit 0 when TEXT appears (after the last pair)' },
  { name: 'max-instructions', value: 'N', doc: 'stop with exit 4 after N instructions, counted from --load on' },
  { name: 'kvm', value: 'RELEASE', doc: 'a host kernel of that release has EL2, with KVM; the image is its guest' },
  { name: 'policy', value: 'NAME=VALUE', many: true, doc: 'what that host does otherwise; see elscope policies' },
  { name: 'seed', value: 'N', doc: 'seed of every random choice (default 1)' },
  { name: 'check', value: 'MODE', doc: 'coherence checker: actual, architectural or off' },
  { name: 'load', value: 'FILE', doc: 'start from a snapshot that the same options made' },
  {
    name: 'save',
    value: 'FILE',
    doc: 'write a snapshot when the run ends and the guest has not: at the limit, at the text',
  },
  { name: 'schedule', value: 'FILE', doc: 'with --kvm: moves of vCPUs between cores, each a line ENTRY VCPU CORE' },
  {
    name: 'restore-vm',
    value: 'FILE',
    doc: 'with --kvm: the guest goes on from a virtual machine that --save-vm wrote',
  },
  {
    name: 'save-vm',
    value: 'FILE',
    doc: 'write the first virtual machine as JSON when the run ends and the guest has not',
  },
  { name: 'stats', value: 'FILE', doc: 'write counters as JSON when the run ends' },
  { name: 'all', doc: 'with check: go on after a finding' },
  { name: 'sarif', value: 'FILE', doc: 'with check: write the findings as SARIF' },
] as const satisfies readonly OptionRow[];

export interface ParsedOptions {
  readonly positional: readonly string[];
  /** Every value in order of appearance, with the options' order kept in `sequence`. */
  readonly values: Readonly<Record<string, readonly string[]>>;
  readonly sequence: readonly { readonly name: string; readonly value: string }[];
}

/** Parses `--name value`, `--name=value` and switches; after `--` everything is an operand. @throws UserError cli.* */
export function parseOptions(args: readonly string[], rows: readonly OptionRow[]): ParsedOptions {
  const positional: string[] = [];
  const values: Record<string, string[]> = {};
  const sequence: { name: string; value: string }[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === '--') {
      positional.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      positional.push(arg);
      continue;
    }
    if (!arg.startsWith('--')) throw new UserError('cli.option', { option: arg });
    const equals = arg.indexOf('=');
    const name = arg.slice(2, equals < 0 ? undefined : equals);
    const row = rows.find((r) => r.name === name);
    if (!row) throw new UserError('cli.option', { option: `--${name}` });
    let value = '';
    if (row.value !== undefined) {
      if (equals >= 0) value = arg.slice(equals + 1);
      else if (i + 1 < args.length) value = args[++i];
      else throw new UserError('cli.value', { option: arg, value: row.value });
    } else if (equals >= 0) throw new UserError('cli.switch', { option: `--${name}` });
    if (values[name] && !row.many) throw new UserError('cli.twice', { option: `--${name}` });
    values[name] = [...(values[name] ?? []), value];
    sequence.push({ name, value });
  }
  return { positional, values, sequence };
}

/** A whole number within bounds. @throws UserError cli.number */
export function numberOption(options: ParsedOptions, name: string, low: number, high: number): number | undefined {
  const text = options.values[name]?.[0];
  if (text === undefined) return undefined;
  const n = /^(0x[0-9a-fA-F]+|\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (!(n >= low && n <= high)) throw new UserError('cli.number', { option: `--${name}`, text, low, high });
  return n;
}

/** Every value of an option, each one of a list of words. @throws UserError cli.choice */
export function choiceOptions<T extends string>(options: ParsedOptions, name: string, choices: readonly T[]): T[] {
  return (options.values[name] ?? []).map((text) => {
    const found = choices.find((c) => c === text);
    if (found === undefined)
      throw new UserError('cli.choice', { option: `--${name}`, text, choices: choices.join(', ') });
    return found;
  });
}

/** One of a list of words. @throws UserError cli.choice */
export function choiceOption<T extends string>(
  options: ParsedOptions,
  name: string,
  choices: readonly T[],
): T | undefined {
  return choiceOptions(options, name, choices)[0];
}

/** \n, \r, \t, \\ and \xNN. Other text is UTF-8. */
export function typedBytes(text: string): Uint8Array {
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  const pattern = /\\(n|r|t|\\|x[0-9a-fA-F]{2})|[^\\]+|\\/g;
  for (const match of text.matchAll(pattern)) {
    const code = match[1];
    if (code === undefined) bytes.push(...encoder.encode(match[0]));
    else if (code.startsWith('x')) bytes.push(Number.parseInt(code.slice(1), 16));
    else bytes.push({ n: 10, r: 13, t: 9, '\\': 92 }[code] ?? 92);
  }
  return Uint8Array.from(bytes);
}

export function helpText(rows: readonly OptionRow[]): string {
  const left = rows.map((r) => `  --${r.name}${r.value ? ` ${r.value}` : ''}`);
  const width = Math.max(...left.map((l) => l.length)) + 2;
  return rows.map((r, i) => left[i].padEnd(width) + r.doc).join('\n');
}
