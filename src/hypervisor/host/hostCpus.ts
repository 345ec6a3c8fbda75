/**
 * The host kernel's view of its cores: boot, further cores that boot with it, cores that come online later, and what EL0 reads
 * of CTR_EL0 on each. Order as in secondary_start_kernel: a core's capabilities are looked at first, against the system as it
 * was, then its registers are merged and differences reported. UCT bits are set when capabilities are enabled (once for all
 * boot cores) and on each late core before it is merged, so merging a late core changes no other core's traps. Once KVM has
 * started, late cores are held to the widths that it made use of.
 */
import { bug } from '../../base/errors';
import { copyPlain } from '../../base/plain';
import type { Outcome } from '../errno';
import { getField, maskOf, setField } from '../fields';
import type { Policies } from '../policies';
import {
  type CapabilityName,
  type CapabilityRow,
  type CpuRegisters,
  capabilityRows,
  effectiveCtr,
  lateConflict,
  type SystemView,
} from './capabilities';
import { FtrRegister } from './ftr';
import { ctrTable, idTables, L1IP } from './ftrTables';
import * as log from './messages';

export interface HostOptions {
  readonly policies: Policies;
  readonly boot: CpuRegisters;
  /** Cores that die early can be switched off; else they park. Default true. */
  readonly psci?: boolean;
  /** Of the host's own translation; the faked IminLine of erratum 1542419 follows from it. Default 4096. */
  readonly pageBytes?: number;
  /** Cores come at EL2 (is_hyp_mode_available): late ones are held to what KVM uses. Default true. */
  readonly hypMode?: boolean;
}

interface Cpu {
  readonly registers: CpuRegisters;
  uct: boolean;
}

export interface HostState {
  readonly boot: CpuRegisters;
  readonly cpus: readonly (readonly [number, Cpu])[];
  readonly ctr: bigint;
  readonly id: readonly bigint[];
  readonly found: readonly CapabilityName[];
  readonly rest: Readonly<Record<string, unknown>>;
}

/** Address bits by ID_AA64MMFR0_EL1.PARange (id_aa64mmfr0_parange_to_phys_shift, which takes what it does not know for 48). */
const PARANGE_BITS: readonly number[] = [32, 36, 40, 42, 44, 48, 52];
const physShift = (mmfr0: bigint): number => PARANGE_BITS[Number(getField('ID_AA64MMFR0_EL1.PARange', mmfr0))] ?? 48;

/** The most that pages of less than 64 KiB reach; FEAT_LPA2 is not modelled. */
const MOST_BITS_OF_SMALL_PAGES = 48;

/** get_vmid_bits, from ID_AA64MMFR1_EL1. */
const vmidBitsOf = (mmfr1: bigint): 8 | 16 => (getField('ID_AA64MMFR1_EL1.VMIDBits', mmfr1) === 2n ? 16 : 8);

export class HostCpus {
  readonly messages: log.Message[] = [];
  private readonly options: HostOptions;
  private readonly rows: readonly CapabilityRow[];
  private readonly cpus = new Map<number, Cpu>();
  private readonly ctr: FtrRegister;
  private readonly id: readonly FtrRegister[];
  private readonly found = new Set<CapabilityName>();
  private finalised = false;
  private ctrAtBoot = 0n;
  private outOfSpec = false;
  private ipaLimit = 0;
  private readonly flags = { aliasing: false, vpipt: false };

  /** Boots CPU 0. */
  constructor(options: HostOptions) {
    this.options = options;
    this.rows = capabilityRows.filter((row) => row.when?.(options.policies) ?? true);
    this.ctr = new FtrRegister(ctrTable, effectiveCtr(options.boot));
    this.id = idTables.map((table) => new FtrRegister(table, idOf(options.boot, table.register)));
    this.cpus.set(0, { registers: options.boot, uct: true });
    this.detectIcache(0, options.boot);
    this.detectLocal(options.boot);
  }

  save(): HostState {
    const { options, rows: _rows, cpus, ctr, id, found, ...rest } = this;
    return {
      boot: copyPlain(options.boot),
      cpus: copyPlain([...cpus]),
      ctr: ctr.save(),
      id: id.map((row) => row.save()),
      found: [...found],
      rest: copyPlain(rest),
    };
  }

  /** `options.boot` is the state's. */
  load({ cpus, ctr, id, found, rest }: HostState): void {
    this.cpus.clear();
    for (const [number, cpu] of copyPlain(cpus)) this.cpus.set(number, cpu);
    this.ctr.load(ctr);
    this.id.forEach((row, n) => void row.load(id[n]));
    this.found.clear();
    for (const name of found) this.found.add(name);
    Object.assign(this, copyPlain(rest));
  }

  /** TAINT_CPU_OUT_OF_SPEC */
  get tainted(): boolean {
    return this.outOfSpec;
  }

  /** CTR_EL0 as the kernel sanitised it: what KVM starts from. */
  get sanitisedCtr(): bigint {
    return this.ctr.sanitised;
  }

  /** The same when all boot cores were there, which is when KVM starts. */
  get bootCtr(): bigint {
    return this.ctrAtBoot;
  }

  /** ICACHEF_ALIASING, or with the posted capability its absence. */
  get icacheIsAliasing(): boolean {
    if (this.options.policies.lateOnlining === 'icachePipt') return !this.has('ICACHE_PIPT');
    return this.flags.aliasing;
  }

  /** ICACHEF_VPIPT */
  get icacheIsVpipt(): boolean {
    return this.flags.vpipt;
  }

  /** Bits of intermediate addresses that KVM offers; 0 before it starts. */
  get kvmIpaLimit(): number {
    return this.ipaLimit;
  }

  /** Bits of a VMID. */
  get vmidBits(): 8 | 16 {
    return vmidBitsOf(this.sanitisedId('ID_AA64MMFR1_EL1'));
  }

  get online(): readonly number[] {
    return [...this.cpus.keys()];
  }

  has(capability: CapabilityName): boolean {
    return this.found.has(capability);
  }

  /** A sanitised ID register of the tables. */
  sanitisedId(register: string): bigint {
    return this.id.find((row) => row.table.register === register)?.sanitised ?? bug(`no table for ${register}`);
  }

  /** An ID register of the boot core, sanitised as far as there is a table of it. */
  mergedId(register: string, boot: bigint): bigint {
    return this.id.find((row) => row.table.register === register)?.merged(boot) ?? boot;
  }

  /** A core that boots before capabilities are final. */
  bootSecondary(cpu: number, registers: CpuRegisters): void {
    if (this.finalised) bug('the system has its capabilities already');
    this.detectLocal(registers);
    this.join(cpu, registers, true);
  }

  /** All boot cores are there: system capabilities are found, everything found is enabled on all of them. */
  finalise(): void {
    this.finalised = true;
    this.ctrAtBoot = this.ctr.sanitised;
    const system = this.view();
    for (const row of this.rows) if (row.systemHas?.(system) === true) this.find(row);
    for (const { name, enable } of this.rows)
      if (enable !== undefined && this.found.has(name))
        for (const cpu of this.cpus.values()) this.enable(name, enable, cpu);
  }

  /** kvm_arch_init, as far as the host's cores decide: the posted refusal of VPIPT, and the IPA limit (kvm_set_ipa_limit). */
  startKvm(): Outcome {
    if (this.options.policies.vpipt === 'refuse' && this.icacheIsVpipt) {
      this.messages.push(log.vpiptRefused);
      return 'ENODEV';
    }
    const bits = physShift(this.sanitisedId('ID_AA64MMFR0_EL1'));
    this.ipaLimit = this.options.pageBytes === 65536 ? bits : Math.min(bits, MOST_BITS_OF_SMALL_PAGES);
    this.messages.push(log.ipaSizeLimit(this.ipaLimit));
    return 'ok';
  }

  /** A core that comes online afterwards. One that conflicts dies early, and leaves the system as it was. */
  onlineLate(cpu: number, registers: CpuRegisters): 'online' | 'died' {
    if (!this.finalised) bug('the system has no capabilities yet');
    const system = this.view();
    const joining: Cpu = { registers, uct: true };
    for (const row of this.rows) {
      const systemHas = this.found.has(row.name);
      const cpuHas = row.cpuHas(registers, system);
      if (lateConflict(row, systemHas, cpuHas) !== undefined)
        return this.die(cpu, log.capabilityConflict(cpu, row, systemHas, cpuHas));
      if (systemHas && row.enable !== undefined) this.enable(row.name, row.enable, joining);
    }
    const hypervisor = this.hypConflict(cpu, registers);
    if (hypervisor !== undefined) return this.die(cpu, hypervisor);
    this.join(cpu, registers, joining.uct);
    return 'online';
  }

  /** SCTLR_EL1.UCT of a core: EL0 reads CTR_EL0 itself; else the read is trapped and answered by `userCtr`. */
  uct(cpu: number): boolean {
    return this.cpu(cpu).uct;
  }

  /** What EL0 reads of CTR_EL0 on a core. */
  el0Ctr(cpu: number): bigint {
    return this.uct(cpu) ? this.cpu(cpu).registers.ctr : this.userCtr;
  }

  /** The answer to a trapped read: the user-visible sanitised value; erratum 1542419 hides DIC and fakes IminLine. */
  get userCtr(): bigint {
    const value = this.ctr.userVisible;
    if (!this.has('WORKAROUND_1542419')) return value;
    const wordsOfAPage = BigInt(Math.log2(this.options.pageBytes ?? 4096) - 2);
    return setField('CTR_EL0.IminLine', value & ~maskOf('CTR_EL0.DIC'), wordsOfAPage);
  }

  private cpu(number: number): Cpu {
    return this.cpus.get(number) ?? bug(`CPU${number} is not online`);
  }

  private view(): SystemView {
    return {
      ctr: this.ctr.sanitised,
      ctrStrictMask: this.ctr.strictMask,
      id: (register) => this.sanitisedId(register),
      bootCcsidr: this.options.boot.ccsidr ?? [],
    };
  }

  private find(row: CapabilityRow): void {
    if (this.found.has(row.name)) return;
    this.found.add(row.name);
    this.messages.push(log.capabilityDetected(row.description));
  }

  private detectLocal(registers: CpuRegisters): void {
    const system = this.view();
    for (const row of this.rows) if (row.scope === 'localCpu' && row.cpuHas(registers, system)) this.find(row);
  }

  /** cpuinfo_store_cpu and update_cpu_features. */
  private join(cpu: number, registers: CpuRegisters, uct: boolean): void {
    this.cpus.set(cpu, { registers, uct });
    this.detectIcache(cpu, registers);
    const differs = (register: FtrRegister, boot: bigint, value: bigint): boolean => {
      if (register.update(value, boot) === 'same') return false;
      this.messages.push(log.unexpectedVariation(register.table.register, boot, cpu, value));
      return true;
    };
    const { boot } = this.options;
    const results = [
      differs(this.ctr, effectiveCtr(boot), effectiveCtr(registers)),
      ...this.id.map((row) => differs(row, idOf(boot, row.table.register), idOf(registers, row.table.register))),
    ];
    if (!results.includes(true)) return;
    if (!this.outOfSpec) this.messages.push(log.unsupportedVariation);
    this.outOfSpec = true;
  }

  private detectIcache(cpu: number, registers: CpuRegisters): void {
    const { lateOnlining, vpipt } = this.options.policies;
    const l1ip = getField('CTR_EL0.L1Ip', registers.ctr);
    if (l1ip === L1IP.VPIPT && vpipt !== 'unaware') this.flags.vpipt = true;
    else if (l1ip !== L1IP.PIPT) this.flags.aliasing = true;
    if (lateOnlining !== 'icachePipt') this.messages.push(log.detectedIcache(log.icachePolicyName(l1ip, vpipt), cpu));
  }

  private enable(name: CapabilityName, hook: NonNullable<CapabilityRow['enable']>, cpu: Cpu): void {
    const { ctr } = cpu.registers;
    if (hook === 'emulateEffectiveCtr') {
      if (getField('CTR_EL0.IDC', ctr) === 0n) cpu.uct = false;
      return;
    }
    const mask = this.ctr.strictMask;
    if ((ctr & mask) !== (this.ctr.sanitised & mask) || name === 'WORKAROUND_1542419') cpu.uct = false;
  }

  /** verify_hyp_capabilities: VMIDs as wide as the system's, and since KVM has started addresses that reach its limit. */
  private hypConflict(cpu: number, registers: CpuRegisters): log.Message | undefined {
    if (this.options.hypMode === false) return undefined;
    if (vmidBitsOf(idOf(registers, 'ID_AA64MMFR1_EL1')) < this.vmidBits) return log.vmidMismatch(cpu);
    const own = this.options.policies.lateIpaRange === 'core';
    const mmfr0 = own ? idOf(registers, 'ID_AA64MMFR0_EL1') : this.sanitisedId('ID_AA64MMFR0_EL1');
    return physShift(mmfr0) < this.ipaLimit ? log.ipaMismatch(cpu) : undefined;
  }

  private die(cpu: number, why: log.Message): 'died' {
    this.messages.push(why, ...log.diesEarly(cpu, this.options.psci ?? true));
    return 'died';
  }
}

const idOf = (cpu: CpuRegisters, register: string): bigint => cpu.id?.[register] ?? 0n;

/** What the kernel does for a trapped maintenance operation of EL0 (user_cache_maint_handler), by the operation's name. */
export const userMaintenance: Readonly<Record<string, string>> = {
  'DC CVAU': 'DC CIVAC',
  'DC CVAC': 'DC CIVAC',
  'DC CVAP': 'DC CVAP',
  'DC CVADP': 'DC CVADP',
  'DC CIVAC': 'DC CIVAC',
  'IC IVAU': 'IC IVAU',
};
