/**
 * What a core says that it is: values of the identification registers, which follow from its features, caches and numbers. A
 * machine file's overrides change what reads give, never what the core does.
 */

import { advertisedFields, type HasFeature } from '../arch/features/index';
import { byName, systemRegisters } from '../arch/sysregs/index';
import { bug } from '../base/errors';
import { ccsidrValues, clidrEl1, ctrEl0, ZERO_BLOCK_LOG2_WORDS } from './cacheIdentity';
import type { CpuFacts } from './ports';

export interface Identity {
  /** Reset values of the registers whose row says 'id', by register name. */
  readonly values: ReadonlyMap<string, bigint>;
  /** CCSIDR_EL1 by CSSELR_EL1.{Level,InD}. */
  readonly ccsidr: readonly bigint[];
  readonly has: HasFeature;
  /** Physical address bits. */
  readonly paBits: number;
  readonly granule16: boolean;
}

/** By PARange. */
export const paRangeBits: readonly number[] = [32, 36, 40, 42, 44, 48, 52];

/** A register value from its fields; RES1 bits are ones. */
export function compose(register: string, fields: Readonly<Record<string, number>>): bigint {
  const row = systemRegisters[byName(register)] ?? bug(`register ${register}`);
  for (const name of Object.keys(fields)) if (!row.fields.some((f) => f.name === name)) bug(`${register}.${name}`);
  return row.fields.reduce((value, field) => {
    const bits = field.res === 1 ? (1n << BigInt(field.hi - field.lo + 1)) - 1n : BigInt(fields[field.name] ?? 0);
    return value | (bits << BigInt(field.lo));
  }, 0n);
}

/** The ID registers that say what a core has: features by their table, the rest is the same for all cores. */
function idRegisters(facts: CpuFacts): Map<string, bigint> {
  const { highestEl } = facts;
  const advertised = advertisedFields(facts.features);
  const others: Readonly<Record<string, Readonly<Record<string, number>>>> = {
    ID_AA64PFR0_EL1: { EL0: 1, EL1: 1, EL2: highestEl >= 2 ? 1 : 0, EL3: highestEl === 3 ? 1 : 0 },
    ID_AA64DFR0_EL1: { DebugVer: 6, BRPs: 5, WRPs: 3, CTX_CMPs: 1 },
    ID_AA64MMFR0_EL1: { PARange: paRangeBits.indexOf(facts.paBits), ASIDBits: 2, SNSMem: 1 },
  };
  const names = new Set([...advertised.keys(), ...Object.keys(others)]);
  return new Map([...names].map((name) => [name, compose(name, { ...others[name], ...advertised.get(name) })]));
}

export function identityOf(facts: CpuFacts): Identity {
  const has: HasFeature = (feature) => facts.features.has(feature);
  const mpidr = compose('MPIDR_EL1', {}) | BigInt(facts.affinity);
  const values = new Map<string, bigint>(
    systemRegisters.filter((row) => row.reset === 'id').map((row) => [row.name, 0n]),
  );
  for (const [name, value] of idRegisters(facts)) values.set(name, value);
  const own: Readonly<Record<string, bigint>> = {
    MIDR_EL1: BigInt(facts.midr),
    VPIDR_EL2: BigInt(facts.midr),
    MPIDR_EL1: mpidr,
    VMPIDR_EL2: mpidr,
    CTR_EL0: ctrEl0(facts),
    CLIDR_EL1: clidrEl1(facts),
    DCZID_EL0: BigInt(ZERO_BLOCK_LOG2_WORDS),
    CNTFRQ_EL0: BigInt(facts.counterHz),
  };
  for (const [name, value] of Object.entries(own)) values.set(name, value);
  const ccsidr = ccsidrValues(facts, has('FEAT_CCIDX'));
  for (const [name, value] of Object.entries(facts.override)) {
    const selected = /^CCSIDR_EL1(?:\[(\d+)\])?$/.exec(name);
    if (selected === null) values.set(name, value);
    else if (selected[1] !== undefined) ccsidr[Number(selected[1]) & 15] = value;
    else ccsidr.fill(value);
  }
  return { values, ccsidr, has, paBits: facts.paBits, granule16: has('FEAT_TGran16K') };
}
