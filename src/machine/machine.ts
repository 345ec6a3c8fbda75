/**
 * The machine: one linear memory, cores, memory system, board, time, put together and given one face (api.ts). What it does is
 * in the parts; here they meet.
 */

import { joinBig } from '../base/bits';
import { Cpu } from '../cpu/cpu';
import { CORE_BLOCK_BYTES, coreLayout } from '../cpu/layout';
import type { CpuPorts, ExceptionEvent } from '../cpu/ports';
import type { Flash } from '../devices/flash';
import type { FwCfgItems } from '../devices/fwCfg';
import { interruptController } from '../devices/interruptController';
import { type FilePort, Semihosting } from '../devices/semihosting';
import { virtMap } from '../devices/virtBoard';
import { VirtioConsole } from '../devices/virtio';
import { Engine } from '../engine/engine';
import type { Hypervisor } from '../hypervisor/run/model';
import type { El2Port } from '../hypervisor/run/port';
import { MemorySystem } from '../memory/memorySystem';
import type { Mmu } from '../memory/mmu/mmu';
import {
  type CatchSet,
  type CoreView,
  type ExecBreakpoint,
  type Finding,
  HOST_CONSOLE,
  type Machine,
  type MachineStatistics,
  type Space,
  type Stop,
  type Watchpoint,
} from './api';
import { Board } from './board';
import { Breakpoints } from './breakpoints';
import { DeviceBus } from './bus';
import type { MachineConfig } from './config';
import { Consoles, VIRTIO_CONSOLE } from './consoles';
import { CoreUnit } from './coreUnit';
import { el2Port } from './el2Port';
import { ExceptionLoops } from './exceptionLoops';
import { coreSight, cpuFacts, memoryConfig } from './facts';
import { fetching } from './fetching';
import { FindingLog } from './findingLog';
import { firmware, type PowerPort, semihostingCall } from './firmware';
import { makeFlashes } from './flashes';
import { Inspector } from './inspect';
import type { WasmPort } from './launch.types';
import { linearMemory, pagesOf } from './linear';
import { eventTotal } from './performance';
import { exceptionRecord } from './records';
import { Scheduler } from './scheduler';
import { slowPaths } from './slowPaths';
import { identityOf, type MachineState, restoreState, type StateParts, saveState } from './snapshot/state';
import { coreStatistics } from './statistics';
import { Stops } from './stops';
import { GuestTime } from './time';
import { TimerLines } from './timerLines';
import type { VirtioMaker } from './virtioDevices';
import { withMmu } from './walks';

const BLOCKS = 0x1000;
const MEMORY_BASE = 0x2_0000;
const PENDING_EXIT = coreLayout.pendingExit[0];
/** What a core starts with. */
export interface StartState {
  readonly entry: number;
  readonly x0: number;
}

export interface MachineOptions {
  readonly files?: FilePort;
  readonly commandLine?: string;
  /** What firmware finds in the firmware configuration device. */
  readonly fwCfg?: FwCfgItems;
  readonly virtio?: VirtioMaker;
  /** The model that has EL2 in place of code; made anew at each reset. */
  readonly hypervisor?: (port: El2Port) => Hypervisor;
  /** Puts images into memory; called at power-on and at each reset. */
  load(machine: ElscopeMachine): StartState;
  /** The same for one virtual machine alone. */
  reload?(machine: ElscopeMachine, vm: number): void;
}

/** Instructions of other cores in one step of a core that waits: it may wait for ever. */
const STEP_LIMIT = 100_000;

export class ElscopeMachine implements Machine {
  readonly memory: MemorySystem;
  readonly mmu: Mmu;
  readonly cores: readonly CoreView[];
  readonly units: readonly CoreUnit[];
  readonly time: GuestTime;
  readonly stops = new Stops((core, watchpoint) => this.inspector.watchedValue(core, watchpoint));
  /** The hypervisor model, where there is one. */
  hypervisor: Hypervisor | undefined;
  private readonly engine: Engine;
  private readonly board: Board;
  private readonly virtioConsole: VirtioConsole | undefined;
  private readonly flash: readonly Flash[];
  private readonly bus: DeviceBus;
  private readonly scheduler: Scheduler;
  private readonly inspector: Inspector;
  private readonly semihosting: Semihosting | undefined;
  private readonly u32: Uint32Array;
  private readonly breakpoints: Breakpoints;
  private readonly findingLog = new FindingLog();
  private readonly consoles = new Consoles();
  private readonly loops: ExceptionLoops;
  private resetWanted = false;
  private running = false;

  constructor(
    readonly config: MachineConfig,
    wasm: WasmPort,
    private readonly options: MachineOptions,
  ) {
    const memConfig = memoryConfig(config);
    const bytes = MEMORY_BASE + MemorySystem.bytesNeeded(memConfig, MEMORY_BASE);
    const pages = pagesOf(bytes);
    const linear = linearMemory(wasm, pages);
    const { buffer } = linear;
    this.u32 = new Uint32Array(buffer);
    const blockOf = (core: number): number => BLOCKS + core * CORE_BLOCK_BYTES;
    const cpus: Cpu[] = [];
    const units: CoreUnit[] = [];
    this.units = units;
    this.cores = units;
    this.time = new GuestTime(config.clockHz);
    this.loops = new ExceptionLoops(config.cores.length);

    this.bus = new DeviceBus();
    const { mmu, memory } = withMmu(
      memConfig,
      (translator) =>
        new MemorySystem(buffer, MEMORY_BASE, memConfig, {
          layout: coreLayout,
          translator,
          bus: this.bus,
          context: (core) => cpus[core].context,
          blockBase: blockOf,
          decode: (core, from, to) => this.engine.decode(core, from, to),
          markStale: (record, index) => this.engine.markStale(record, index),
          finding: (f) => {
            const nameOf = (owner: number): string | undefined => this.hypervisor?.ownerName(owner);
            this.stops.finding(this.findingLog.report(f, cpus[f.core].context, nameOf));
          },
          active: (core) => !units[core].isOff,
          stack: (core, el) => cpus[core].state.bankedSpLo(el),
          time: () => this.instructions(),
          monitorCleared: (core) => cpus[core].signalEvent(),
          watchpoint: (core, hi, lo, size, write, unprivileged) =>
            cpus[core].debug.watch(hi, lo, size, write, unprivileged),
          access: (core, hi, lo, pa, size, write) => this.onAccess(core, hi, lo, pa, size, write),
        }),
    );
    this.mmu = mmu;
    this.memory = memory;

    const power: PowerPort = {
      units,
      memoryBytes: config.memoryBytes,
      startEl: config.highestEl,
      exit: (code, how) => this.exit(code, how),
      systemReset: () => {
        this.resetWanted = true;
      },
    };
    const stopPending = (): boolean => this.stopPending();
    const conduit = config.highestEl === 1 ? 'hvc' : 'smc';
    const player = config.highestEl < 3 ? firmware(power, conduit, stopPending) : undefined;
    const gic = interruptController({
      version: config.gic,
      cores: config.cores.length,
      security: config.highestEl === 3,
      virtualization: config.highestEl >= 2,
      lines: {
        setIrq: (core, level) => cpus[core].setIrq(level),
        setFiq: (core, level) => cpus[core].setFiq(level),
        setVirtual: (core, irq, fiq) => cpus[core].setVirtual(irq, fiq),
      },
      sight: coreSight(cpus),
    });
    const timerLines = new TimerLines({
      ...{ units, time: this.time, counterHz: config.counterHz, clockHz: config.clockHz },
      privateLine: (core, n) => gic.privateLine(core, n),
    });
    const ports: CpuPorts = {
      memory: this.memory,
      mmu: this.mmu,
      cores: cpus,
      counter: () => Math.floor((this.time.cycles() * config.counterHz) / config.clockHz),
      counted: (core, event) => eventTotal(units[core], this.memory, this.mmu, event),
      comparators: (...change) => this.breakpoints.armedBy(...change),
      monitors: (...change) => timerLines.monitors(...change),
      timers: (...change) => timerLines.timers(...change),
      waking: () => {
        this.scheduler.waking();
        this.engine.askHorizon();
      },
      instructionWord: (core) => this.instructionWord(core),
      firmware: player,
      interruptController: gic,
      semihosting: (core) =>
        semihostingCall(this.semihosting, units[core], this.guestMemory(core), (code, how) => this.exit(code, how)),
      events: {
        exceptionTaken: (e) => this.onException(e),
        elChanged: (core, from, to) => this.stops.elChange(core, from, to),
      },
    };
    for (let core = 0; core < config.cores.length; core++) {
      const facts = cpuFacts(config, core, this.memory.exclusiveGranuleBytes);
      const cpu = new Cpu(core, buffer, blockOf(core), facts, ports);
      cpus.push(cpu);
      const nextWord = (): number => this.instructionWord(core);
      const breaks = (at: number): boolean => {
        const { pcHi, pcLo } = units[at].cpu.state;
        return this.breakpoints.debuggerBreaks(at, pcHi, pcLo);
      };
      units.push(new CoreUnit(core, buffer, blockOf(core), cpu, () => this.engine, this.stops, nextWord, breaks));
    }

    const virtio = options.virtio?.(config.seed, (bytes) => this.consoles.write(bytes, VIRTIO_CONSOLE)) ?? [];
    this.virtioConsole = virtio.find((model) => model instanceof VirtioConsole);
    this.board = new Board({
      gic,
      clock: this.time,
      dma: {
        read: (address, out) => this.memory.dmaRead(address, out, config.dmaCoherent) === out.length,
        write: (address, bytes) => this.memory.dmaWrite(address, bytes, config.dmaCoherent) === bytes.length,
      },
      virtio,
      virtioLegacy: config.virtio === 'legacy',
      fwCfg: options.fwCfg ?? { numbered: new Map(), files: new Map() },
      output: (byte) => this.consoles.write(Uint8Array.of(byte)),
    });
    this.flash = makeFlashes(this.memory);
    this.bus.attach([...this.board.devices, ...this.flash]);
    if (options.files) {
      this.semihosting = new Semihosting({
        clock: this.time,
        files: options.files,
        commandLine: options.commandLine ?? '',
        output: (text) => this.consoles.write(text),
        input: () => this.consoles.typed.shift(),
      });
    }
    const slow = slowPaths(this.memory, cpus, this.u32, blockOf);
    const returned = <T>(core: number, leave: T): T => {
      const { pcHi, pcLo } = cpus[core].state;
      this.loops.returned(core, pcHi, pcLo);
      return leave;
    };
    this.engine = new Engine(
      buffer,
      { instantiate: wasm.instantiate, memoryImport: wasm.memoryImport(linear) },
      {
        pages,
        unitLog2: this.memory.shared.unitLog2,
        granuleLog2: this.memory.shared.granuleLog2,
        data: { ...this.memory.dataPathFacts(), blocks: units.map((unit) => unit.block) },
      },
      {
        slow: {
          ...slow,
          eret: (core, ...rest) => returned(core, slow.eret(core, ...rest)),
          eretTo: (core, ...rest) => returned(core, slow.eretTo(core, ...rest)),
        },
        ...fetching({
          memory: this.memory,
          mmu: this.mmu,
          units,
          u32: this.u32,
          stopSoon: (core) => {
            if (this.stops.pending !== undefined) this.leaveSoon(core);
          },
          word: (core) => this.instructionWord(core),
        }),
        breakpoint: (core, hi, lo, skip) => this.breakpoints.reached(core, hi, lo, skip),
        viewChanged: (unit) => this.memory.viewChanged(unit),
        branchAddress: (core, hi) => cpus[core].branchAddress(hi),
        stale: (core, hi, lo) => {
          this.memory.checkStale(core, hi, lo);
          return this.stops.pending !== undefined;
        },
      },
      config.cores.map((core) => core.features),
    );
    // An event that was not there when a run began may have to end it sooner.
    this.time.scheduled = () => {
      this.engine.askHorizon();
    };
    this.inspector = new Inspector(this, this.bus);
    this.breakpoints = new Breakpoints({
      ...{ stops: this.stops, units, memory: this.memory, engine: this.engine },
      fetchPa: (core) => this.inspector.fetchPa(core),
    });
    this.scheduler = new Scheduler(units, this.time, config, stopPending);
    this.start();
  }

  /** Power-on state: images loaded, core 0 at the entry, the others off (all of them start where firmware is the guest's). */
  private start(): void {
    const { entry, x0 } = this.options.load(this);
    const el = this.config.highestEl;
    for (const unit of this.units) {
      unit.reset(el, BigInt(entry), unit.index === 0 ? BigInt(x0) : 0n);
      if (unit.index > 0 && el < 3 && this.options.hypervisor === undefined) unit.cpu.powerOff();
    }
    this.startHypervisor();
  }

  private startHypervisor(): void {
    const { config, units, memory, time } = this;
    if (this.options.hypervisor === undefined) return;
    const model = this.options.hypervisor(
      el2Port({
        config,
        units,
        memory,
        bus: this.bus,
        time,
        fired: (id) => this.hypervisor?.timerFired(id),
        ram: { base: virtMap.ram.base, bytes: config.memoryBytes },
        console: (vm, bytes) => this.consoles.write(bytes, vm === 0 ? HOST_CONSOLE : 0),
        reload: (vm) => this.options.reload?.(this, vm),
        exit: (code, how) => this.exit(code, how),
      }),
    );
    this.hypervisor = model;
    for (const unit of units) unit.model = model;
    model.start();
  }

  reset(): void {
    this.time.reset();
    this.memory.reset();
    this.mmu.reset();
    this.loops.reset();
    this.board.reset();
    for (const flash of this.flash) flash.reset();
    this.semihosting?.reset();
    this.scheduler.reset();
    this.stops.pending = undefined;
    this.start();
    this.stops.remember();
  }

  // ---- running ----

  instructions(): number {
    let n = 0;
    for (const unit of this.units) n += unit.instructions();
    return n;
  }

  run(limit: number): Stop {
    return this.finish(() => this.scheduler.run(limit), 'limit');
  }

  endRun(): void {
    if (!this.running) return;
    this.stops.pending ??= { reason: 'limit' };
    this.leaveSoon(this.engine.current);
  }

  step(core: number, freezeOthers = false): Stop {
    if (freezeOthers) {
      this.units[core].run(1);
      return this.finish(() => (this.stopPending() ? 'stop' : 'limit'), 'step', core);
    }
    const before = this.units[core].instructions();
    const stop = this.finish(() => this.scheduler.step(core, STEP_LIMIT), 'step', core);
    return stop.reason === 'step' && this.units[core].instructions() === before ? { reason: 'limit' } : stop;
  }

  private finish(go: () => 'limit' | 'stop' | 'idle', otherwise: 'limit' | 'step', core = 0): Stop {
    this.running = true;
    const end = go();
    this.running = false;
    if (this.resetWanted) {
      this.resetWanted = false;
      this.reset();
      return { reason: 'limit' };
    }
    const stop: Stop =
      this.stops.pending ??
      (end === 'idle' ? { reason: 'idle' } : otherwise === 'step' ? { reason: 'step', core } : { reason: 'limit' });
    if (stop.reason !== 'exited') this.stops.pending = undefined;
    if (stop.reason === 'limit') return stop;
    return this.breakpoints.withOtherHits(stop);
  }

  private stopPending(): boolean {
    return this.stops.pending !== undefined || this.resetWanted;
  }

  private exit(code: number, how: string): void {
    this.stops.pending = { reason: 'exited', code, how };
  }

  /** Generated code is left before the next instruction. */
  private leaveSoon(core: number): void {
    this.u32[(this.units[core].block + PENDING_EXIT) >> 2] = 1;
  }

  private onAccess(core: number, hi: number, lo: number, pa: number, size: number, write: boolean): void {
    this.stops.access(core, joinBig(hi, lo), pa, size, write);
    if (this.stops.pending) this.leaveSoon(core);
  }

  private onException(e: ExceptionEvent): void {
    const exception = exceptionRecord(e);
    if (e.toEl === 2) this.hypervisor?.exceptionTaken(e.core, exception.kind);
    this.stops.exception(exception);
    if (!this.loops.taken(e, this.units[e.core].instructions())) return;
    this.stops.pending ??= { reason: 'exceptionLoop', core: e.core, exception };
  }

  onFindingReported(listener: (finding: Finding) => void): void {
    this.findingLog.onReported(listener);
  }

  private instructionWord(core: number): number {
    const bytes = this.inspector.fetched(core, this.units[core].pc(), 4);
    return bytes.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) : 0;
  }

  private guestMemory(core: number) {
    return {
      read: (address: bigint, length: number): Uint8Array | undefined => {
        const bytes = this.peek(core, 'va', address, length);
        return bytes.length === length ? bytes : undefined;
      },
      write: (address: bigint, bytes: Uint8Array): boolean => this.poke(core, 'va', address, bytes) === bytes.length,
    };
  }

  // ---- snapshots ----

  private stateParts(): StateParts {
    const { config, memory, mmu, units, time, scheduler, semihosting, consoles, loops, findingLog, hypervisor } = this;
    const devices = [...this.flash, ...this.board.stateOrder];
    return {
      config,
      memory,
      mmu,
      units,
      time,
      scheduler,
      devices,
      semihosting,
      typed: consoles.typed,
      loops,
      hypervisor,
      findings: findingLog,
    };
  }

  save(): MachineState {
    return saveState(this.stateParts());
  }

  restore(state: MachineState): boolean {
    const parts = this.stateParts();
    if (state.identity !== identityOf(parts)) return false;
    restoreState(parts, state);
    this.stops.pending = undefined;
    this.stops.remember();
    if (this.stops.watchpoints.length > 0) this.setWatchpoints(this.stops.watchpoints);
    if (this.stops.breakpoints.length > 0) this.setBreakpoints(this.stops.breakpoints);
    return true;
  }

  // ---- stops ----

  setBreakpoints(list: readonly ExecBreakpoint[]): void {
    this.breakpoints.set(list);
  }

  setWatchpoints(list: readonly Watchpoint[]): void {
    this.stops.watchpoints = [...list];
    this.stops.remember();
    this.memory.setWatchGranules(this.inspector.watchedUnits(list));
  }

  setCatch(set: CatchSet): void {
    this.stops.catches = set;
  }

  // ---- looking ----

  peek(core: number, space: Space, address: bigint, length: number): Uint8Array {
    return this.inspector.peek(core, space, address, length);
  }
  poke(core: number, space: Space, address: bigint, bytes: Uint8Array): number {
    const written = this.inspector.poke(core, space, address, bytes);
    this.stops.remember();
    return written;
  }
  translate(core: number, space: Space, address: bigint): ReturnType<Machine['translate']> {
    return this.inspector.translate(core, space, address);
  }
  cacheLines(...[core, level, kind, wanted]: Parameters<Machine['cacheLines']>): ReturnType<Machine['cacheLines']> {
    return this.inspector.cacheLines(core, level, kind, wanted);
  }
  cacheCounts(core: number, level: number, kind: 'I' | 'D' | 'U') {
    return this.memory.cacheCounts(core, level, kind);
  }
  caches(core: number): ReturnType<Machine['caches']> {
    return this.inspector.caches(core);
  }
  lineState(core: number, space: Space, address: bigint): ReturnType<Machine['lineState']> {
    return this.inspector.lineState(core, space, address);
  }
  findings(): readonly Finding[] {
    return this.findingLog.list;
  }

  statistics(): MachineStatistics {
    return {
      instructions: this.instructions(),
      guestSeconds: this.time.now() / 1e9,
      cores: this.units.map((unit) => coreStatistics(unit, this.memory, this.mmu, this.engine.counters)),
      findings: this.findingLog.count,
    };
  }

  // ---- console and keys ----

  pressPowerKey(): void {
    this.board.pressPowerKey();
  }

  input(uart: number, bytes: Uint8Array): void {
    this.consoles.input(uart, bytes, {
      virtio: this.virtioConsole,
      semihosting: this.semihosting !== undefined,
      userSpace: () => this.hypervisor?.userSpace,
      uart: (more) => this.board.uart.input(more),
    });
  }
  onConsole(listener: (uart: number, bytes: Uint8Array) => void): void {
    this.consoles.onWritten(listener);
  }
}
