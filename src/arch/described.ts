/**
 * Values broken into named parts, for views, hovers and the command line: the same tree for a register, a syndrome and a
 * descriptor.
 */
import { fieldBig } from '../base/bits';
import type { HasFeature } from './features';
import { reservedAs } from './sysregs/masks';
import type { RegisterField } from './sysregs/types';

/** A value, what it means, and its parts from the top bit down. */
export interface Described {
  readonly name: string;
  readonly value: bigint;
  /** Bit positions within the parent; absent for the root. */
  readonly hi?: number;
  readonly lo?: number;
  /** What this value means, where it has a name. */
  readonly meaning?: string;
  /** What the field is for. */
  readonly doc?: string;
  /** Reserved bits that do not hold their reserved value. */
  readonly unexpected?: boolean;
  readonly children?: readonly Described[];
}

export interface DescribeOptions {
  /** Features of the core; fields of missing ones count as reserved. Absent: all fields are shown. */
  readonly has?: HasFeature;
  /** HCR_EL2.E2H as it is now: registers of EL2 have another layout under it. */
  readonly e2h?: boolean;
  /** Show reserved bits even where they hold what they should. */
  readonly reserved?: boolean;
}

/** The fields of `value`. Reserved bits appear only if they hold an unexpected value (or `reserved` asks for them). */
export function describeFields(
  fields: readonly RegisterField[],
  value: bigint,
  options: DescribeOptions = {},
): Described[] {
  const all: HasFeature = options.has ?? (() => true);
  return fields.flatMap((field): Described[] => {
    const part = fieldBig(value, field.hi, field.lo);
    const reserved = reservedAs(field, all);
    const base = { name: field.name, value: part, hi: field.hi, lo: field.lo };
    if (reserved === undefined) {
      const meaning = field.values?.[Number(part)];
      return [
        {
          ...base,
          ...(meaning === undefined ? {} : { meaning }),
          ...(field.doc === undefined ? {} : { doc: field.doc }),
        },
      ];
    }
    const expected = reserved === 0 ? 0n : fieldBig((1n << 64n) - 1n, field.hi, field.lo);
    if (part === expected) return options.reserved === true ? [base] : [];
    return [{ ...base, unexpected: true, meaning: `reserved, should be ${reserved === 0 ? 'zero' : 'one'}` }];
  });
}
