/**
 * The row type of the system register table. One row says all that is known of a register: its encoding, all 64 bits, who
 * may access it and which control bits trap it. MRS/MSR, reset, traps, the disassembler, views and docs are derived.
 */

/** A named bit field, [hi:lo]. `res` marks RES0/RES1 bits; every one of the 64 bits belongs to exactly one field. */
export interface RegisterField {
  readonly name: string;
  readonly hi: number;
  readonly lo: number;
  readonly res?: 0 | 1;
  /** The bits of a writable register that a write leaves alone (status bits, counts). */
  readonly readOnly?: boolean;
  /** FEAT_xxx that brings the field; on cores without it the bits are reserved, as `without` says. */
  readonly feature?: string;
  /** Value of the bits where the feature is missing; 0 when absent. */
  readonly without?: 0 | 1;
  /** Meanings of values, by number, where the manual names them. */
  readonly values?: Readonly<Record<number, string>>;
  /** What the field does, a few words, for hover text. */
  readonly doc?: string;
}

/** Who may access: the lowest EL that may read / write without any trap; 'none' = not at all (UNDEFINED everywhere). */
export type MinimumEl = 0 | 1 | 2 | 3 | 'none';

/** A control field and the value that makes a condition true. */
export interface TrapCondition {
  readonly control: string; // 'SCTLR_EL1.UCT', 'HCR_EL2.TID2', 'CPTR_EL2.TCPAC', 'CNTKCTL_EL1.EL0VCTEN' …
  readonly value: 0 | 1;
  /** Name of the control in the layout under HCR_EL2.E2H, where it stands elsewhere. It does not apply to EL0 of a host. */
  readonly underE2h?: string;
}

/**
 * One trap condition: if the register's field equals `value`, an access from an EL in `from` traps to `to`. In table order:
 * the first rule that holds decides. A rule whose control is an EL2 register counts only while EL2 is implemented and enabled
 * in the current security state; one with an EL3 register only where EL3 is implemented.
 */
export interface TrapRule extends TrapCondition {
  /** A second condition that must hold as well ("EN and CR are both 0"). */
  readonly and?: TrapCondition;
  /** Conditions any of which turns the rule off. */
  readonly unless?: readonly TrapCondition[];
  readonly from: readonly (0 | 1 | 2)[];
  readonly access?: 'read' | 'write'; // both when absent
  /** EL1 means "EL1, or EL2 when HCR_EL2.TGE=1 for EL0". */
  readonly to: 1 | 2 | 3;
  /** EC of the syndrome; 0x18 when absent. */
  readonly ec?: number;
}

export type ViewGroup =
  | 'identification'
  | 'cache'
  | 'control'
  | 'translation'
  | 'exception'
  | 'thread'
  | 'timer'
  | 'debug'
  | 'performance'
  | 'interrupt'
  | 'floatingPoint'
  | 'special';

export type Encoding = readonly [op0: number, op1: number, CRn: number, CRm: number, op2: number];

/** Another layout of a register: on cores with a feature, for values in which a bit is set, or while HCR_EL2.E2H is. */
export interface RegisterVariant {
  readonly when: { readonly feature: string } | { readonly bit: number } | { readonly control: 'HCR_EL2.E2H' };
  readonly fields: readonly RegisterField[];
}

export interface SystemRegisterRow {
  readonly name: string; // 'SCTLR_EL1'
  readonly encoding: Encoding;
  readonly section: string; // the manual's title: 'System Control Register (EL1)'
  readonly group: ViewGroup;
  readonly read: MinimumEl;
  readonly write: MinimumEl;
  readonly traps?: readonly TrapRule[];
  /** 'fp': accesses are FP instructions, trapped where those are and with their syndrome. */
  readonly needs?: 'fp';
  readonly fields: readonly RegisterField[];
  /** Layouts that replace `fields`; see fieldsFor in masks.ts. */
  readonly variants?: readonly RegisterVariant[];
  /**
   * Reset value of the stored bits, RES1 bits included; bits UNKNOWN in the manual are 0 here. 'id' = from the core's
   * configuration (ID registers).
   */
  readonly reset: bigint | 'id';
  /**
   * 'storage': plain 64-bit state; a write keeps RES0, RES1 and read-only bits as they are. 'constant': reads give the reset
   * (or configured) value, writes where allowed are ignored. Any other id names a behaviour in cpu/ (CurrentEL, DAIF,
   * CNTVCT_EL0, CCSIDR_EL1, SP_EL0 banking …) that has read / write / peek; see behaviours.ts.
   */
  readonly behaviour: 'storage' | 'constant' | (string & {});
  /** True when a write changes translation or execution context (SCTLR, TCR, MAIR, TTBR, HCR …). */
  readonly context?: boolean;
  /** FEAT_xxx when not in Armv8.0: the register is UNDEFINED on cores without it (arch/features). */
  readonly feature?: string;
  readonly status: 'done' | 'partial';
  readonly note?: string;
}

/** A register that has a name and an encoding but is not implemented: accesses are UNDEFINED; the reason is stated. */
export interface NamedRegister {
  readonly name: string;
  readonly encoding: Encoding;
  readonly section: string;
  readonly reason: string;
  /** FEAT_xxx that brings it: not done, then. */
  readonly feature?: string;
}
