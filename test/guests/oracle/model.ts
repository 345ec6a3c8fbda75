/** The model's answers to the script of asked.ts: the same commands, out of src/hypervisor alone. */
import type { FeatureSet } from '../../../src/arch/features';
import { EC } from '../../../src/arch/syndromes';
import { byName, encodingKey, systemRegisters } from '../../../src/arch/sysregs';
import { bug } from '../../../src/base/errors';
import { identityOf } from '../../../src/cpu/identity';
import { createVm } from '../../../src/hypervisor/createVm';
import { type Outcome, returnValue } from '../../../src/hypervisor/errno';
import { checkExtension } from '../../../src/hypervisor/extensions';
import { reservedZeroMask } from '../../../src/hypervisor/fields';
import { guestIdRegister } from '../../../src/hypervisor/guestIdRegisters';
import { type CacheTrap, cacheTrap } from '../../../src/hypervisor/hcr';
import type { CpuRegisters } from '../../../src/hypervisor/host/capabilities';
import { HostCpus } from '../../../src/hypervisor/host/hostCpus';
import { type KernelVersion, parseKernelVersion } from '../../../src/hypervisor/kernelVersion';
import { CSSELR_MAX, ccsidrId, decodeOneReg, sysregId } from '../../../src/hypervisor/kvmApi';
import { type Slot, type SlotHost, setRegion, withSlot } from '../../../src/hypervisor/memslots';
import { type Policies, policiesOf } from '../../../src/hypervisor/policies';
import { type Access, type CacheRegister, type OneRegRead, VirtualCaches } from '../../../src/hypervisor/virtualCaches';
import { ctrWritableMask, VmCtr } from '../../../src/hypervisor/vmCtr';
import type { MachineConfig } from '../../../src/machine/config';
import { cpuFacts } from '../../../src/machine/facts';
import { CLIDR_INDEX, CTR_INDEX, OPERATIONS, TAINT_OUT_OF_SPEC } from './asked';
import { backports, withoutErratum1542419 } from './differences';

/** ID registers that the model of the host looks at. */
const ID_REGISTERS = ['ID_AA64MMFR0_EL1', 'ID_AA64MMFR1_EL1', 'ID_AA64MMFR2_EL1'];
/** Of the script's guest: a register that an instruction without a value leaves as it was. */
const KEPT = '5a5a';
const NEOVERSE_N1_R3P1 = 0x413f_d0c1n;
/** Size of intermediate addresses that user space does not choose. */
const DEFAULT_IPA_BITS = 40;

/** The slot of each new VM; user addresses are counted from its memory. */
const GUEST_RAM: Slot = { id: 0, guestAddress: 0x8000_0000, bytes: 1 << 20, userAddress: 0, flags: 0 };

const key = (name: string): number => encodingKey((systemRegisters[byName(name)] ?? bug(`register ${name}`)).encoding);
const [CTR, CLIDR, CSSELR] = ['CTR_EL0', 'CLIDR_EL1', 'CSSELR_EL1'].map(key);

/** What a core of a machine says of itself. */
export function registersOf(config: MachineConfig, core: number): CpuRegisters {
  const caches = [...config.cores.map(({ l1d }) => l1d), ...config.clusters.filter((l2) => l2 !== null)];
  const exclusivesBytes = Math.max(64, ...caches.map(({ lineBytes }) => lineBytes));
  const identity = identityOf(cpuFacts(config, core, exclusivesBytes));
  const id = (name: string): bigint => identity.values.get(name) ?? 0n;
  return {
    ctr: id('CTR_EL0'),
    clidr: id('CLIDR_EL1'),
    id: Object.fromEntries(ID_REGISTERS.map((name) => [name, id(name)])),
    ccsidr: identity.ccsidr.slice(0, CSSELR_MAX),
    erratum1542419: id('MIDR_EL1') === NEOVERSE_N1_R3P1,
  };
}

export class ModelOracle {
  readonly host: HostCpus;
  private readonly cpus: readonly CpuRegisters[];
  private readonly version: KernelVersion;
  private readonly gic: 2 | 3;
  private readonly policies: Policies;
  private readonly features: FeatureSet;
  private core = 0;
  private hasRun = false;
  private caches!: VirtualCaches;
  private ctr!: VmCtr;
  private slots: readonly Slot[] = [];

  /** `late`: cores that do not boot with the others. */
  constructor(version: string, config: MachineConfig, late: readonly number[]) {
    this.version = parseKernelVersion(version);
    this.gic = config.gic;
    this.policies = policiesOf(version, backports[version]);
    const told = withoutErratum1542419.includes(version) ? { erratum1542419: false } : {};
    this.cpus = config.cores.map((_, core) => ({ ...registersOf(config, core), ...told }));
    this.features = config.cores[0].features;
    const early = config.cores.filter((_, core) => !late.includes(core));
    this.host = new HostCpus({ policies: this.policies, boot: this.cpus[0] });
    early.forEach((_, index) => {
      if (index > 0) this.host.bootSecondary(index, this.cpus[index]);
    });
    this.host.finalise();
    this.host.startKvm();
    this.newMachine();
  }

  answer(line: string): string {
    const [word, ...rest] = line.split(' ');
    const numbers = rest.map((text) => BigInt(`0x${text}`));
    const [first = 0n, second = 0n, third = 0n] = numbers;
    const core = Number(first);
    switch (word) {
      case 'vm':
        return this.newMachine();
      case 'create':
        return outcome(createVm(core, this.host.kvmIpaLimit).outcome);
      case 'init':
        this.caches.reset();
        return 'ok';
      case 'move':
        return this.move(core);
      case 'get':
        return said(this.get(first));
      case 'set':
        return outcome(this.set(first, second));
      case 'getFault':
        return said(this.get(first, false));
      case 'setFault':
        return outcome(this.get(first, false).outcome);
      case 'demux':
        return this.caches.regList().map(hex).join(' ');
      case 'has':
        return [CTR, CLIDR, CSSELR].includes(Number(first & 0xffffn)) ? '1' : '0';
      case 'writable':
        return this.writable(core);
      case 'guest':
        return this.guest(core, second, third);
      case 'system':
      case 'extension':
        return this.extension(core, word === 'system' ? 'system' : 'vm');
      case 'slot':
        return outcome(this.slot(numbers));
      case 'online':
        return this.host.onlineLate(core, this.cpus[core]);
      case 'el0':
        return this.move(core) === 'ok' ? hex(this.host.el0Ctr(core)) : this.move(core);
      case 'tainted':
        return core === TAINT_OUT_OF_SPEC && this.host.tainted ? '1' : '0';
      default:
        return bug(`command ${word}`);
    }
  }

  /** sched_setaffinity */
  private move(core: number): string {
    if (!this.host.online.includes(core)) return outcome('EINVAL');
    this.core = core;
    return 'ok';
  }

  private newMachine(): string {
    const { host, policies, cpus } = this;
    const now = (): CpuRegisters => cpus[this.core];
    this.hasRun = false;
    this.slots = [GUEST_RAM];
    this.ctr = new VmCtr(host, policies);
    this.caches = new VirtualCaches({
      policies,
      sanitisedCtr: host.sanitisedCtr,
      bootClidr: cpus[0].clidr,
      mismatchedCacheType: host.has('MISMATCHED_CACHE_TYPE'),
      mismatchedAssociativity: host.has('MISMATCHED_CACHE_ASSOCIATIVITY'),
      mte: false,
      core: {
        get clidr() {
          return now().clidr;
        },
        ccsidr: (csselr) => now().ccsidr?.[csselr] ?? 0n,
        ccsidr2: this.features.has('FEAT_CCIDX') ? 0n : undefined,
      },
    });
    return 'ok';
  }

  private get(id: bigint, readable = true): OneRegRead {
    const reg = decodeOneReg(id);
    if (reg.kind !== 'sysreg') return this.caches.getOneReg(id, readable);
    const value =
      reg.key === CTR
        ? this.ctr.oneReg
        : reg.key === CLIDR
          ? this.caches.oneRegClidr
          : reg.key === CSSELR
            ? this.caches.csselr
            : undefined;
    if (value === undefined) return { outcome: 'ENOENT' };
    return readable ? { outcome: 'ok', value } : { outcome: 'EFAULT' };
  }

  private set(id: bigint, value: bigint): Outcome {
    const reg = decodeOneReg(id);
    if (reg.kind !== 'sysreg') return this.caches.setOneReg(id, value);
    if (reg.key === CTR) return this.ctr.set(value, this.hasRun);
    if (reg.key === CLIDR) return this.caches.setClidr(value);
    if (reg.key !== CSSELR) return 'ENOENT';
    this.caches.csselr = value;
    return 'ok';
  }

  private writable(index: number): string {
    if (index === CTR_INDEX) return hex(ctrWritableMask(this.policies));
    if (index !== CLIDR_INDEX) return bug(`writable mask ${index}`);
    return hex(~reservedZeroMask('CLIDR_EL1') & ((1n << 64n) - 1n));
  }

  private get trap(): CacheTrap {
    const { policies, host } = this;
    return cacheTrap({
      policies,
      vhe: this.features.has('FEAT_VHE'),
      evt: host.has('HAS_EVT'),
      stage2Fwb: host.has('HAS_STAGE2_FWB'),
      mismatchedCacheType: host.has('MISMATCHED_CACHE_TYPE'),
      mismatchedAssociativity: host.has('MISMATCHED_CACHE_ASSOCIATIVITY'),
      ras: false,
      hostCtr: this.ctr.isHost,
      mte: false,
      pointerAuthentication: false,
      tvm: false,
      alone: true,
    });
  }

  private guest(operation: number, operand: bigint, mask: bigint): string {
    this.hasRun = true;
    const name = OPERATIONS[operation];
    const cache = (register: CacheRegister, write?: bigint): Access => this.caches.access(register, this.trap, write);
    const value = (what: bigint): Access => ({ kind: 'value', value: what });
    const done = {
      ctr: () => value(this.trap === 'TID2' ? this.ctr.value : this.cpus[this.core].ctr),
      clidr: () => cache('CLIDR_EL1'),
      csselr: () => cache('CSSELR_EL1'),
      setCsselr: () => cache('CSSELR_EL1', operand),
      ccsidr: () => cache('CCSIDR_EL1'),
      setCcsidr: () => cache('CCSIDR_EL1', operand),
      ccsidr2: () => cache('CCSIDR2_EL1'),
      mmfr2: () => {
        const host = this.host.sanitisedId('ID_AA64MMFR2_EL1');
        return value(guestIdRegister('ID_AA64MMFR2_EL1', host, this.policies));
      },
    }[name]();
    // A core that does not have it refuses before any trap: with FEAT_IDST as a trapped system register.
    const isCores = name === 'ccsidr2' && !this.features.has('FEAT_CCIDX');
    if (isCores && this.features.has('FEAT_IDST')) return `exception ${EC.SYSTEM_REGISTER.toString(16)}`;
    if (done.kind === 'undefined') return 'exception 0';
    return done.kind === 'value' ? hex(done.value & mask) : KEPT;
  }

  private get slotHost(): SlotHost {
    const { host, policies } = this;
    const [fwb, dic] = [host.has('HAS_STAGE2_FWB'), host.has('HAS_CACHE_DIC')];
    return { policies, fwb, dic, ipaBits: DEFAULT_IPA_BITS, mte: false, pageBytes: 4096 };
  }

  private extension(number: number, scope: 'system' | 'vm'): string {
    const { host } = this;
    const facts = { version: this.version, pfnmap: this.slotHost, cores: host.online.length, gic: this.gic } as const;
    const value = checkExtension(number, scope, { ...facts, ipaLimit: host.kvmIpaLimit });
    return typeof value === 'number' ? hex(BigInt(value)) : outcome(value);
  }

  private slot(numbers: readonly bigint[]): Outcome {
    const [id, flags, guestAddress, bytes, userAddress] = numbers.map(Number);
    const slot: Slot = { id, flags, guestAddress, bytes, userAddress };
    const vma = { start: 0, end: GUEST_RAM.bytes, kind: 'ordinary', memory: 'NORMAL' } as const;
    const { outcome: result } = setRegion(this.slots, slot, [vma], this.slotHost);
    if (result === 'ok') this.slots = withSlot(this.slots, slot);
    return result;
  }
}

const hex = (value: bigint): string => value.toString(16);
const outcome = (what: Outcome): string => (what === 'ok' ? 'ok' : `error ${(-returnValue(what)).toString(16)}`);
const said = (read: OneRegRead): string => (read.outcome === 'ok' ? hex(read.value) : outcome(read.outcome));

const NAMES: ReadonlyMap<string, string> = new Map([
  ...['CTR_EL0', 'CLIDR_EL1', 'CSSELR_EL1'].map((name) => [hex(sysregId(name)), name] as const),
  ...Array.from({ length: CSSELR_MAX }, (_, csselr) => [hex(ccsidrId(csselr)), `CCSIDR[${csselr}]`] as const),
]);

/** A command with names in place of ids, for lists and failures. */
export function readable(line: string): string {
  const [word, first, ...rest] = line.split(' ');
  if (first === undefined) return word;
  if (word !== 'guest') return [word, NAMES.get(first) ?? first, ...rest].join(' ');
  const whole = rest[1] === hex((1n << 64n) - 1n);
  return [word, OPERATIONS[Number.parseInt(first, 16)], rest[0], ...(whole ? [] : [`& ${rest[1]}`])].join(' ');
}
