/**
 * The hypervisor: what a host kernel with KVM does on each physical core, as routines over plain data (routines.ts). A core that
 * is at EL2 executes one step at a time; it leaves EL2 by ERET into a vCPU, and comes back with the next exception.
 *
 * Each physical core runs its vCPUs in turn: a vCPU is a thread of the host that loops in kvm_arch_vcpu_ioctl_run.
 */
import { bug } from '../../base/errors';
import { SeededRandom } from '../../base/random';
import { encodeUtf8 } from '../../base/utf8';
import { createVm, DEFAULT_IPA_BITS } from '../createVm';
import type { Outcome } from '../errno';
import { NO_VCPU } from '../guestSwitch';
import { fwbInEffect } from '../hcr';
import type { CpuRegisters } from '../host/capabilities';
import type { HostCpus } from '../host/hostCpus';
import type { PageBytes } from '../icacheRange';
import type { KernelVersion } from '../kernelVersion';
import { enableCacheablePfnmap } from '../pfnmap';
import type { Policies } from '../policies';
import type { Step } from '../steps';
import { kindOf } from '../steps';
import { VirtualCaches } from '../virtualCaches';
import { VmCtr } from '../vmCtr';
import { newVmids, type VmidOwner, type VmidState, Vmids } from '../vmids';
import { allRoutines } from './allRoutines';
import { type GuestState, restoreGuest } from './guestState';
import type { HostMapping } from './hostMemory';
import { timerFired } from './interrupts';
import { stopAll } from './placement';
import type { El2Port } from './port';
import { type Locals, type Next, type Plain, RoutineTable } from './routines';
import { makeSlot, pfnmapHost } from './slots';
import { SoftLockup } from './softLockup';
import { rootBytes, Stage2Table, type TableMemory } from './stage2Table';
import { UserSpace } from './userSpace';
import { VgicV2 } from './vgicV2';
import { VgicV3 } from './vgicV3';
import { Vcpu, Vm } from './vm';

export interface Frame {
  readonly routine: string;
  /** The step that comes next. */
  at: number;
  readonly locals: Locals;
}

/** A thread of the host: a vCPU's, or the core's own. */
export interface Thread {
  readonly vcpu: Vcpu | undefined;
  readonly frames: Frame[];
}

export interface SlotConfig {
  readonly guestAddress: number;
  readonly bytes: number;
  readonly flags?: number;
  readonly hostAddress: number;
  /** What user space has mapped there. */
  readonly vma?: Partial<HostMapping['vma']>;
  readonly kernelMemory?: boolean;
  readonly mapBytes?: number;
  readonly remap?: HostMapping['remap'];
}

export interface VcpuConfig {
  readonly core: number;
  readonly entry: bigint;
  readonly x0?: bigint;
  readonly on?: boolean;
  /** It stays on its core. */
  readonly pinned?: boolean;
}

/** Before its `entry`-th guest entry a vCPU goes to a core. */
export interface ScheduleRow {
  readonly vcpu: string;
  readonly entry: number;
  readonly core: number;
}

export interface VmConfig {
  readonly slots: readonly SlotConfig[];
  readonly vcpus: readonly VcpuConfig[];
  /** Bits of intermediate addresses that user space asks for; default: KVM's own, or less where cores have less. */
  readonly ipaBits?: number;
  /** User space enables cacheable PFNMAP mappings before it makes the slots (ours). */
  readonly cacheablePfnmap?: boolean;
  /** What it goes on from, in place of its vCPUs' entries; memory has its contents already. */
  readonly restore?: GuestState;
}

export interface HypervisorConfig {
  readonly policies: Policies;
  /** The release that the policies are of; default: the newest. */
  readonly version?: KernelVersion;
  readonly pageBytes: PageBytes;
  /** Physical addresses that the model has for its tables. */
  readonly pool: { readonly base: number; readonly bytes: number };
  readonly vms: readonly VmConfig[];
  /** Cores that come up with core 0; the others are brought online by `online`. Default: all. */
  readonly bootCores?: number;
  /** Version of the machine's interrupt controller, and of the guests'. */
  readonly gic?: 2 | 3;
  /** Cycles of a time slice, after which the core is given to another vCPU; none: only who waits gives way. */
  readonly slice?: number;
  readonly schedule?: readonly ScheduleRow[];
  /** At the end of a slice the vCPU goes on on a core chosen by this seed. */
  readonly migrate?: number;
}

export type ExceptionKind = 'sync' | 'irq' | 'fiq' | 'serror';

/** A stage-2 fault that was resolved. */
export interface FaultNote {
  readonly vcpu: string;
  /** Where what was mapped begins. */
  readonly ipa: number;
  readonly action: 'map' | 'relax';
  readonly bytes: number;
  readonly access: string;
  readonly steps: readonly Step[];
}

/** One core of the machine, to the code that runs on it. */
export class CoreContext implements TableMemory {
  thread: Thread;
  /** What brought the core to EL2 last. */
  exception: ExceptionKind = 'sync';
  /** entered: its code runs. onCore: it was left, its registers are where it left them. left: they are saved, the exit is handled. */
  guest: 'entered' | 'onCore' | 'left' | 'elsewhere' = 'elsewhere';
  /** Threads that share this core, in order. */
  readonly queue: Thread[] = [];

  constructor(
    readonly model: Hypervisor,
    readonly core: number,
    readonly idle: Thread,
  ) {
    this.thread = idle;
  }

  get port(): El2Port {
    return this.model.port;
  }
  get vcpu(): Vcpu {
    return this.thread.vcpu ?? bug('no vCPU here');
  }
  read(register: string): bigint {
    return this.port.read(this.core, register);
  }
  write(register: string, value: bigint): void {
    this.port.write(this.core, register, value);
  }
  load(address: number): bigint {
    return this.port.load(this.core, address);
  }
  store(address: number, value: bigint): void {
    this.port.store(this.core, address, value);
  }
  allocate(): number {
    return this.model.allocate(this);
  }

  /** One entry of a list of steps that is an operation or a barrier; `from` is what operations by address begin at. */
  perform(step: Step, from: bigint, stride: number): void {
    const kind = kindOf(step);
    if (kind === 'barrier') this.port.barrier(this.core, step.name);
    else if (kind === 'operation') {
      const count = step.count ?? 1;
      if (count === 1) this.port.operate(this.core, step.name, from);
      else this.port.operateOn(this.core, step.name, from, count, stride);
      this.model.countOperation(step.name, count);
    }
  }
}

export class Hypervisor {
  readonly table = new RoutineTable(allRoutines);
  readonly cores: readonly CoreContext[];
  readonly vms: Vm[] = [];
  /** The kernel's log. */
  readonly log: string[] = [];
  /** Operations issued, by name. */
  readonly operations: Record<string, number> = {};
  readonly userSpace: UserSpace;
  readonly faults: FaultNote[] = [];
  readonly watchdog: SoftLockup;
  /** vCPUs by the name of the timer that they wait for. */
  readonly timers = new Map<string, Vcpu>();
  /** Cores whose guest is to give way when it is next left. */
  readonly rescheduled = new Set<number>();
  readonly randomState = new Uint32Array(1);
  readonly random = new SeededRandom(this.randomState);
  /** Cores that were told to come online. */
  readonly onlining = new Set<number>();
  /** Guest entries so far. */
  entered = 0;
  exitCode = 0;
  /** Why a VMM has ended its VM. */
  failure = '';
  /** KVM started. */
  kvm = false;
  /** The boot core has gone through start_kernel. */
  isBooted = false;
  /** Absent until the host boots. */
  hostCpus: HostCpus | undefined;
  /** Bytes of the pool that were given away. */
  used = 0;
  readonly vmids: VmidState;

  constructor(
    readonly port: El2Port,
    readonly config: HypervisorConfig,
  ) {
    this.cores = Array.from({ length: port.cores }, (_, core) => {
      const idle: Thread = { vcpu: undefined, frames: [] };
      return new CoreContext(this, core, idle);
    });
    this.vmids = newVmids(port.cores);
    this.watchdog = new SoftLockup(port.cores);
    this.userSpace = new UserSpace(
      (vm, byte) => port.console(vm, Uint8Array.of(byte)),
      (line) => this.printk(line),
      (vm, why) => this.endVm(vm, why),
    );
  }

  get host(): HostCpus {
    return this.hostCpus ?? bug('the host has not booted');
  }
  set host(cpus: HostCpus) {
    this.hostCpus = cpus;
  }
  get bootCores(): number {
    return this.config.bootCores ?? this.port.cores;
  }
  /** Stage 2 forced write-back is in effect. */
  get fwb(): boolean {
    return fwbInEffect({ policies: this.policies, stage2Fwb: this.host.has('HAS_STAGE2_FWB') });
  }

  get policies(): Policies {
    return this.config.policies;
  }

  // ---- running ----

  /** Power-on: core 0 boots the host, which brings the others up. */
  start(): void {
    this.random.seed(this.config.migrate ?? 1);
    for (const context of this.cores) {
      context.idle.frames.length = 0;
      this.push(context.idle, context.core === 0 ? 'start_kernel' : 'secondary_start_kernel', {});
      this.showPc(context.core);
    }
  }

  /** The core took an exception to EL2. */
  exceptionTaken(core: number, kind: ExceptionKind): void {
    this.cores[core].exception = kind;
    // A program of the host may have been interrupted as well.
    if (this.cores[core].guest === 'entered') {
      this.cores[core].guest = 'onCore';
      this.cores[core].vcpu.leftAt = this.port.cycles(core);
    }
    this.watchdog.touch(core, this.port.now());
    this.showPc(core);
  }

  /** Brings a core online that did not boot with the others. */
  online(core: number): void {
    this.onlining.add(core);
    this.port.wake(core);
  }

  /** One step of the core, which is at EL2. */
  step(core: number): void {
    const context = this.cores[core];
    const { frames } = context.thread;
    const frame = frames.at(-1) ?? bug(`core ${core} has nothing to do at EL2`);
    const routine = this.table.get(frame.routine) ?? bug(`routine ${frame.routine}`);
    const row = routine.steps[frame.at];
    frame.at++;
    this.port.penalty(core, row.cycles);
    const next = row.run(context, frame.locals);
    const { vcpu } = context.thread;
    const line = this.watchdog.look(core, frame.routine, this.port.now(), vcpu?.name ?? `swapper/${core}`);
    if (line !== undefined) this.printk(line);
    this.follow(context, frame, next);
    this.showPc(core);
  }

  private follow(context: CoreContext, frame: Frame, next: Next): void {
    // The step may have given the core to another thread: what follows belongs to the one that ran it.
    const thread = this.threadOf(context, frame);
    if (next !== undefined && 'call' in next) this.push(thread, next.call, { ...next.with });
    else if (next !== undefined && 'goto' in next) {
      const { steps } = this.table.get(frame.routine) ?? bug(frame.routine);
      frame.at = steps.findIndex((row) => row.name === next.goto);
      if (frame.at < 0) bug(`${frame.routine} has no step "${next.goto}"`);
    } else if (next !== undefined || this.isOver(frame))
      this.leave(thread, next === undefined ? null : (next.value ?? null));
  }

  private threadOf(context: CoreContext, frame: Frame): Thread {
    const all = [context.thread, context.idle, ...context.queue];
    return all.find((thread) => thread.frames.includes(frame)) ?? context.thread;
  }

  private isOver(frame: Frame): boolean {
    return frame.at >= (this.table.get(frame.routine)?.steps.length ?? 0);
  }

  private leave(thread: Thread, value: Plain): void {
    thread.frames.pop();
    const caller = thread.frames.at(-1);
    if (caller === undefined) return;
    caller.locals.result = value;
    // The end of a caller whose last step was the call.
    if (this.isOver(caller)) this.leave(thread, null);
  }

  push(thread: Thread, routine: string, locals: Locals): void {
    if (this.table.index(routine) < 0) bug(`routine ${routine}`);
    thread.frames.push({ routine, at: 0, locals });
  }

  /** The core came to EL2, or made a step there: its PC is the step that comes next. */
  showPc(core: number): void {
    const frame = this.cores[core].thread.frames.at(-1);
    if (frame !== undefined && this.port.el(core) === 2)
      this.port.setPc(core, BigInt(this.table.address(frame.routine, frame.at)));
  }

  // ---- memory for tables ----

  /** Zeroed memory, aligned to its size. */
  allocate(context: CoreContext, bytes: number = this.config.pageBytes): number {
    const { pool } = this.config;
    const at = Math.ceil((pool.base + this.used) / bytes) * bytes;
    if (at + bytes > pool.base + pool.bytes) bug('the hypervisor has no memory left for tables');
    this.used = at + bytes - pool.base;
    for (let i = 0; i < bytes; i += 8) context.store(at + i, 0n);
    return at;
  }

  // ---- VMIDs ----

  /** A VM is about to run on a core, or another one that nothing is known of. True: VMIDs ran out, and all of them begin anew. */
  updateVmid(owner: VmidOwner, core: number): boolean {
    if (this.vmidsOf().update(owner, core) !== 'rolledOver') return false;
    // force_vm_exit: guests that run have a VMID that may be given to another.
    if (this.policies.vmidAllocator === 'exitAll')
      for (const other of this.cores)
        if (other.core !== core && other.thread.vcpu !== undefined) this.port.kick(other.core);
    return true;
  }

  /** The vCPU of a core goes away. */
  clearVmid(core: number): void {
    this.vmidsOf().clearActive(core);
  }

  private vmidsOf(): Vmids {
    return new Vmids(this.vmids, this.host.vmidBits, this.policies.vmidAllocator);
  }

  countOperation(name: string, count: number): void {
    this.operations[name] = (this.operations[name] ?? 0) + count;
  }

  // ---- the host kernel ----

  registersOf(core: number): CpuRegisters {
    const { port } = this;
    const id = (name: string): bigint => port.read(core, name);
    return {
      ctr: id('CTR_EL0'),
      clidr: id('CLIDR_EL1'),
      id: Object.fromEntries(
        ['ID_AA64MMFR0_EL1', 'ID_AA64MMFR1_EL1', 'ID_AA64MMFR2_EL1'].map((name) => [name, id(name)]),
      ),
      ccsidr: Array.from({ length: 14 }, (_, csselr) => port.ccsidr(core, csselr)),
    };
  }

  /** Lines for the kernel's log, as they come. */
  printk(...lines: readonly string[]): void {
    for (const line of lines) {
      this.log.push(line);
      this.port.console(0, encodeUtf8(`${line}\n`));
    }
  }

  // ---- virtual machines ----

  createVms(context: CoreContext): void {
    for (const [i, config] of this.config.vms.entries()) this.createVm(context, i + 1, config);
  }

  private createVm(context: CoreContext, id: number, config: VmConfig): void {
    const { slots, vcpus, cacheablePfnmap, restore } = config;
    const { outcome } = createVm(this.ipaBits(id), this.host.kvmIpaLimit);
    if (outcome !== 'ok') {
      this.refuseVm(id, outcome);
      return;
    }
    const vm = this.makeVm(
      id,
      this.allocate(context, rootBytes(this.config.pageBytes, this.ipaBits(id))),
      vcpus.map(({ core }) => core),
    );
    if (cacheablePfnmap === true) vm.cacheablePfnmap = enableCacheablePfnmap(pfnmapHost(this, vm)) === 'ok';
    const outcomes = slots.map((slot, n) => this.makeSlot(vm, n, slot));
    for (const [index, { core, pinned }] of vcpus.entries()) {
      const vcpu = vm.vcpus[index];
      this.init(vcpu);
      if (pinned === true) vcpu.pinned = core;
      this.enqueue(vcpu, core);
    }
    // Without its first slot a guest has nothing to run.
    if (outcomes[0] !== 'ok') this.giveUp(vm, 'has no memory', 'slot 0 was refused');
    const refused = restore && restoreGuest(this, vm, restore);
    if (refused !== undefined) this.giveUp(vm, 'cannot be restored', refused);
  }

  /** KVM_ARM_VCPU_INIT, and the vCPU's start as user space wants it. */
  init(vcpu: Vcpu): void {
    const { entry, x0 = 0n, on = vcpu.index === 0 } = this.config.vms[vcpu.vm.id - 1].vcpus[vcpu.index];
    if (vcpu.hasRun) vcpu.vm.initAgain = true;
    vcpu.reset(entry, x0);
    vcpu.state = on ? 'runnable' : 'off';
    vcpu.wantsReset = false;
  }

  /** The guest asked for it by PSCI (KVM_SYSTEM_EVENT_RESET): as at its start, but that other memory stays. */
  resetVm(vm: Vm): void {
    vm.resets = false;
    this.printk(`vmm [${vm.id}]: KVM_SYSTEM_EVENT_RESET`);
    this.userSpace.reset(vm);
    this.port.reload(vm.id);
    for (const vcpu of vm.vcpus) {
      this.init(vcpu);
      vcpu.start = undefined;
      this.port.wake(vcpu.core);
    }
  }

  /** The VMM ends with its VM, which does not run. */
  private giveUp(vm: Vm, what: string, why: string): void {
    this.endVm(vm, `vm${vm.id} ${what}: ${why}`);
    this.printk(`vmm [${vm.id}]: ${why}`);
  }

  /** The VMM cannot go on with its VM. */
  private endVm(vm: Vm, why: string): void {
    stopAll(this, vm);
    this.failure ||= why;
    this.exitCode = 1;
  }

  private refuseVm(id: number, errno: string): void {
    this.userSpace.ioctls.push({ vm: id, call: 'KVM_CREATE_VM', errno });
    this.printk(`vmm [${id}]: KVM_CREATE_VM with ${this.ipaBits(id)} bits of addresses: ${errno}`);
    this.failure ||= `vm${id} cannot be created: ${errno}`;
    this.exitCode = 1;
  }

  private ipaBits(id: number): number {
    return this.config.vms[id - 1].ipaBits ?? Math.min(DEFAULT_IPA_BITS, this.host.kvmIpaLimit);
  }

  /** KVM_CREATE_VM and a KVM_CREATE_VCPU for each of `cores`: nothing of it is set up yet. */
  makeVm(id: number, root: number, cores: readonly number[]): Vm {
    const { policies, host } = this;
    const { gic, pageBytes } = this.config;
    const stage2 = new Stage2Table(pageBytes, root, this.ipaBits(id));
    const vm = new Vm(id, policies, new VmCtr(host, policies), stage2, this.port.cores, NO_VCPU);
    this.vms.push(vm);
    if (gic !== undefined)
      vm.vgic = new (gic === 3 ? VgicV3 : VgicV2)(cores.length, (index) => this.interruptRaised(vm.vcpus[index]));
    this.userSpace.attach(vm);
    for (const [index, core] of cores.entries()) {
      const caches = this.cachesFor(() => vm.vcpus[index].core);
      vm.vcpus.push(new Vcpu(vm, index, core, caches));
    }
    return vm;
  }

  /** The VMM maps memory and makes a slot of it; one that is refused is not there for the guest. */
  private makeSlot(vm: Vm, id: number, config: SlotConfig): Outcome {
    const { guestAddress, bytes, hostAddress, flags = 0 } = config;
    vm.mappings.push(hostMapping(config));
    const outcome = makeSlot(this, vm, { id, guestAddress, bytes, flags, hostAddress });
    if (outcome === 'ok') return outcome;
    this.userSpace.ioctls.push({ vm: vm.id, call: `KVM_SET_USER_MEMORY_REGION slot ${id}`, errno: outcome });
    this.printk(`vmm [${vm.id}]: KVM_SET_USER_MEMORY_REGION slot ${id}: ${outcome}`);
    return outcome;
  }

  /** The cache registers of a vCPU on a core. */
  cachesFor(core: () => number): VirtualCaches {
    const { host, policies, port } = this;
    return new VirtualCaches({
      policies,
      // Late cores may lower it.
      get sanitisedCtr() {
        return host.sanitisedCtr;
      },
      bootClidr: port.read(0, 'CLIDR_EL1'),
      mismatchedCacheType: host.has('MISMATCHED_CACHE_TYPE'),
      mismatchedAssociativity: host.has('MISMATCHED_CACHE_ASSOCIATIVITY'),
      mte: false,
      core: {
        get clidr() {
          return port.read(core(), 'CLIDR_EL1');
        },
        ccsidr: (csselr) => port.ccsidr(core(), csselr),
      },
    });
  }

  /** A thread for the vCPU among those of a core, which is woken. */
  enqueue(vcpu: Vcpu, core: number): void {
    const thread: Thread = { vcpu, frames: [] };
    this.push(thread, 'kvm_arch_vcpu_ioctl_run', {});
    this.cores[core].queue.push(thread);
    this.port.wake(core);
  }

  /** Something is pending for a vCPU: it wakes, or leaves its guest to be told. */
  private interruptRaised(vcpu: Vcpu | undefined): void {
    if (vcpu === undefined) return;
    if (vcpu.state === 'waiting') {
      vcpu.state = 'runnable';
      this.port.wake(vcpu.core);
    } else if (vcpu.loaded && this.port.el(vcpu.core) < 2) this.port.kick(vcpu.core);
  }

  /** See El2Port.schedule. */
  timerFired(id: string): void {
    const vcpu = this.timers.get(id);
    if (vcpu !== undefined) timerFired(vcpu, id);
    const slice = /^slice (\d+)$/.exec(id);
    if (slice) this.endSlice(Number(slice[1]));
  }

  /** The vCPU on a core has had its time. */
  private endSlice(core: number): void {
    this.rescheduled.add(core);
    if (this.port.el(core) < 2) this.port.kick(core);
  }

  /** The name of a vCPU by its owner number. */
  ownerName(owner: number): string | undefined {
    return this.vms.flatMap((vm) => vm.vcpus).find((vcpu) => vcpu.owner === owner)?.name;
  }

  noteFault(note: FaultNote): void {
    this.faults.push(note);
  }

  get allOff(): boolean {
    return this.vms.every((vm) => !vm.resets && vm.vcpus.every((vcpu) => vcpu.state === 'off'));
  }
}

const hostMapping = ({ bytes, hostAddress, vma, kernelMemory, mapBytes, remap }: SlotConfig): HostMapping => ({
  vma: { start: hostAddress, end: hostAddress + bytes, kind: 'ordinary', memory: 'NORMAL', ...vma },
  holes: [],
  kernelMemory: kernelMemory ?? true,
  mapBytes: mapBytes ?? 2 ** 21,
  remap,
});
