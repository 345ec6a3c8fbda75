/**
 * Linux's cpufeature registers: a table of fields per ID register says how values of different cores are merged into one that
 * is safe on all of them. Follows init_cpu_ftr_reg, update_cpu_ftr_reg, check_update_ftr_reg and arm64_ftr_safe_value
 * (cpufeature.c, read in v5.13 and v6.3 sources); fields are unsigned here, which covers the registers of tables.ts.
 */
import { fieldOf, getField, maskOf, setField } from '../fields';

/** How two different values of a field merge. */
export type SafeRule = 'exact' | 'lower' | 'higher' | 'higherOrZero';

/** One field that the kernel knows. */
export interface FtrField {
  /** 'CTR_EL0.IDC': bit positions are the architecture table's. */
  readonly field: string;
  /** EL0 sees the sanitised value; else the safe one. */
  readonly visible: boolean;
  /** A core that differs is reported and taints the kernel. */
  readonly strict: boolean;
  readonly rule: SafeRule;
  /** The value of 'exact' where cores differ, and what EL0 sees of a field that is not visible. */
  readonly safe: bigint;
}

/** The fields of a register. Bits of no field are RES0 system-wide and strict, unless the table is `partial`. */
export interface FtrTable {
  readonly register: string;
  readonly fields: readonly FtrField[];
  /** Only the fields that KVM's decisions rest on stand here; the other bits are neither compared nor kept. */
  readonly partial: boolean;
}

/** The value that is safe on a core with `a` and on one with `b`, which differ. */
export function safeValue(field: Pick<FtrField, 'rule' | 'safe'>, a: bigint, b: bigint): bigint {
  if (field.rule === 'exact') return field.safe;
  if (field.rule === 'lower') return a < b ? a : b;
  if (field.rule === 'higherOrZero' && (a === 0n || b === 0n)) return 0n;
  return a > b ? a : b;
}

const ALL = (1n << 64n) - 1n;

/** The system-wide copy of one register. */
export class FtrRegister {
  readonly table: FtrTable;
  /** Bits in which a core must agree with the boot CPU. */
  readonly strictMask: bigint;
  private value = 0n;
  private readonly validMask: bigint;

  /** `boot`: the boot CPU's value. */
  constructor(table: FtrTable, boot: bigint) {
    this.table = table;
    const mask = (fields: readonly FtrField[]): bigint => fields.reduce((all, row) => all | maskOf(row.field), 0n);
    this.validMask = mask(table.fields);
    const lax = mask(table.fields.filter((row) => !row.strict));
    this.strictMask = (table.partial ? this.validMask : ALL) & ~lax;
    this.value = boot & this.validMask;
  }

  /** The sanitised value (sys_val). */
  get sanitised(): bigint {
    return this.value;
  }

  /** The boot CPU's value as a guest gets it: fields of the table are the sanitised ones. */
  merged(boot: bigint): bigint {
    return (boot & ~this.validMask) | this.value;
  }

  /** What EL0 gets where its access is trapped: hidden fields have their safe value. */
  get userVisible(): bigint {
    return this.table.fields
      .filter((row) => !row.visible)
      .reduce((value, row) => setField(row.field, value, row.safe), this.value);
  }

  save(): bigint {
    return this.value;
  }
  load(value: bigint): void {
    this.value = value;
  }

  /** Merges a further core's value; 'differs' when it is not the boot CPU's in the strict bits. */
  update(core: bigint, boot: bigint): 'same' | 'differs' {
    for (const row of this.table.fields) {
      const now = getField(row.field, this.value);
      const other = getField(row.field, core);
      if (now !== other) this.value = setField(row.field, this.value, safeValue(row, other, now));
    }
    return (core & this.strictMask) === (boot & this.strictMask) ? 'same' : 'differs';
  }
}

/** What must hold of a table: fields exist, descend, do not overlap, and safe values fit. An empty list is a pass. */
export function validateFtrTable(table: FtrTable): string[] {
  const complaints: string[] = [];
  let above = 64;
  for (const row of table.fields) {
    if (!row.field.startsWith(`${table.register}.`)) {
      complaints.push(`${row.field}: is no field of ${table.register}`);
      continue;
    }
    const { hi, lo } = fieldOf(row.field);
    if (hi >= above) complaints.push(`${row.field}: is not below the field before it`);
    above = lo;
    if (row.safe < 0n || row.safe >> BigInt(hi - lo + 1) !== 0n)
      complaints.push(`${row.field}: its safe value does not fit`);
  }
  return complaints;
}
