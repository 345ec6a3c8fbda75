/**
 * What a core says that it is: values of the identification registers, with every extension that is not modelled masked off,
 * and what follows from them (features, granules, physical address size). A machine file's overrides change what reads give,
 * never what the core does.
 */

import { featuresOf } from '../arch/sysregs/features';
import { byName, systemRegisters } from '../arch/sysregs/index';
import type { HasFeature } from '../arch/sysregs/masks';
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

interface Model {
  /** ID_AA64MMFR0_EL1.PARange. */
  readonly paRange: number;
  readonly granule16: boolean;
  /** ID_AA64MMFR1_EL1.PAN. */
  readonly pan: number;
  /** ID_AA64MMFR2_EL1.EVT and IDS. */
  readonly evt: number;
  readonly idst: number;
}

/** By MIDR_EL1.PartNum of Arm's cores; anything else has all that is modelled. */
const models: Readonly<Record<number, Model>> = {
  3331: { paRange: 2, granule16: false, pan: 0, evt: 0, idst: 0 }, // Cortex-A53
  3335: { paRange: 4, granule16: false, pan: 0, evt: 0, idst: 0 }, // Cortex-A57
  3336: { paRange: 4, granule16: false, pan: 0, evt: 0, idst: 0 }, // Cortex-A72
  3340: { paRange: 5, granule16: true, pan: 2, evt: 0, idst: 0 }, // Neoverse N1
};
const everything: Model = { paRange: 5, granule16: true, pan: 2, evt: 2, idst: 1 };
const IMPLEMENTER_ARM = 0x41;

const modelOf = (midr: number): Model =>
  (midr >>> 24 === IMPLEMENTER_ARM ? models[(midr >>> 4) & 0xfff] : undefined) ?? everything;

export const paRangeBits = [32, 36, 40, 42, 44, 48, 48] as const;

/** A register value from its fields; RES1 bits are ones. */
export function compose(register: string, fields: Readonly<Record<string, number>>): bigint {
  const row = systemRegisters[byName(register)] ?? bug(`register ${register}`);
  for (const name of Object.keys(fields)) if (!row.fields.some((f) => f.name === name)) bug(`${register}.${name}`);
  return row.fields.reduce((value, field) => {
    const bits = field.res === 1 ? (1n << BigInt(field.hi - field.lo + 1)) - 1n : BigInt(fields[field.name] ?? 0);
    return value | (bits << BigInt(field.lo));
  }, 0n);
}

/** Cores without FP and SIMD, AArch32, GIC system registers and all later extensions but those of the model. */
function featureRegisters(facts: CpuFacts, model: Model): Map<string, bigint> {
  const { highestEl } = facts;
  return new Map([
    [
      'ID_AA64PFR0_EL1',
      compose('ID_AA64PFR0_EL1', {
        EL0: 1,
        EL1: 1,
        EL2: highestEl >= 2 ? 1 : 0,
        EL3: highestEl === 3 ? 1 : 0,
        FP: 15,
        AdvSIMD: 15,
      }),
    ],
    ['ID_AA64ISAR0_EL1', compose('ID_AA64ISAR0_EL1', { CRC32: 1 })],
    ['ID_AA64DFR0_EL1', compose('ID_AA64DFR0_EL1', { DebugVer: 6, PMUVer: 1, BRPs: 5, WRPs: 3, CTX_CMPs: 1 })],
    [
      'ID_AA64MMFR0_EL1',
      compose('ID_AA64MMFR0_EL1', {
        PARange: model.paRange,
        ASIDBits: 2,
        SNSMem: 1,
        TGran16: model.granule16 ? 1 : 0,
      }),
    ],
    ['ID_AA64MMFR1_EL1', compose('ID_AA64MMFR1_EL1', { PAN: model.pan })],
    ['ID_AA64MMFR2_EL1', compose('ID_AA64MMFR2_EL1', { CCIDX: facts.ccidx ? 1 : 0, EVT: model.evt, IDS: model.idst })],
  ]);
}

function fieldReader(values: ReadonlyMap<string, bigint>): (register: string, field: string) => number {
  return (register, field) => {
    const row = systemRegisters[byName(register)]?.fields.find((f) => f.name === field);
    if (row === undefined) return 0;
    return Number(((values.get(register) ?? 0n) >> BigInt(row.lo)) & ((1n << BigInt(row.hi - row.lo + 1)) - 1n));
  };
}

export function identityOf(facts: CpuFacts): Identity {
  const model = modelOf(facts.midr);
  const features = featureRegisters(facts, model);
  const has = featuresOf(fieldReader(features));
  const mpidr = compose('MPIDR_EL1', {}) | BigInt(facts.affinity);
  const values = new Map<string, bigint>(
    systemRegisters.filter((row) => row.reset === 'id').map((row) => [row.name, 0n]),
  );
  for (const [name, value] of features) values.set(name, value);
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
  const ccsidr = ccsidrValues(facts);
  for (const [name, value] of Object.entries(facts.override)) {
    const selected = /^CCSIDR_EL1(?:\[(\d+)\])?$/.exec(name);
    if (selected === null) values.set(name, value);
    else if (selected[1] !== undefined) ccsidr[Number(selected[1]) & 15] = value;
    else ccsidr.fill(value);
  }
  return { values, ccsidr, has, paBits: paRangeBits[model.paRange], granule16: model.granule16 };
}
