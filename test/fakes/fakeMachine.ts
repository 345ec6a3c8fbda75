/**
 * A typed fake of the machine for tests of session/ and adapter/: some cores over one flat RAM without translation, each with an
 * instruction cache that really keeps old bytes, breakpoints, watchpoints, exceptions with vectors, a UART at 0x09000000. Cores
 * take turns of one instruction.
 */

import type {
  CacheLineView,
  CatchSet,
  ExceptionKind,
  ExceptionRecord,
  ExecBreakpoint,
  Finding,
  LineState,
  Machine,
  MachineStatistics,
  Space,
  Stop,
  TranslationView,
  WantedLine,
  Watchpoint,
} from '../../src/machine/api';
import type { MachineConfig } from '../../src/machine/config';
import type { MachineState } from '../../src/machine/snapshot/state';
import { FakeCore, fakeConfig, LINE, NONE, RAM_BASE, RAM_SIZE, SETS, UART } from './fakeCore';
import type { FakeBus, FakeEvent } from './fakeCpu';

export { fakeConfig, RAM_BASE } from './fakeCore';

export class FakeMachine implements Machine {
  readonly config: MachineConfig;
  readonly cores: readonly FakeCore[];
  readonly ram = new Uint8Array(RAM_SIZE);
  readonly inputs: { uart: number; text: string }[] = [];
  private breakpoints: readonly ExecBreakpoint[] = [];
  private watchpoints: readonly Watchpoint[] = [];
  private catching = NONE;
  private found: Finding[] = [];
  private consoleListeners: ((uart: number, bytes: Uint8Array) => void)[] = [];
  private active = 0;
  private turn = 0;
  private exit: { code: number; how: string } | undefined;
  /** Largest limit that run was called with, and how often. */
  largestRun = 0;
  runs = 0;

  constructor(
    cores: number,
    private readonly start: (machine: FakeMachine) => void,
  ) {
    this.config = fakeConfig(cores);
    const bus: FakeBus = { load: (a, size) => this.load(a, size), store: (a, size, v) => this.store(a, size, v) };
    this.cores = Array.from({ length: cores }, (_, i) => new FakeCore(i, bus));
    this.reset();
  }

  write(address: bigint, bytes: Uint8Array): void {
    this.ram.set(bytes, Number(address - RAM_BASE));
  }
  instructions = (): number => this.cores.reduce((sum, core) => sum + core.count, 0);
  onConsole = (listener: (uart: number, bytes: Uint8Array) => void): void => void this.consoleListeners.push(listener);
  input = (uart: number, bytes: Uint8Array): void =>
    void this.inputs.push({ uart, text: Buffer.from(bytes).toString() });
  setBreakpoints = (list: readonly ExecBreakpoint[]): void => void (this.breakpoints = list);
  setWatchpoints = (list: readonly Watchpoint[]): void => void (this.watchpoints = list);
  setCatch = (set: CatchSet): void => void (this.catching = set);
  findings = (): readonly Finding[] => this.found;
  /** Makes an interrupt pending on a core. */
  raise = (core: number): void => void (this.cores[core].irq = true);

  endRun(): void {}

  pressPowerKey(): void {}
  save(): MachineState {
    throw new Error('not saved');
  }
  restore(): boolean {
    return false;
  }

  reset(): void {
    this.ram.fill(0);
    this.exit = undefined;
    this.found = [];
    this.turn = 0;
    for (const core of this.cores) {
      core.icache.clear();
      core.cpu.system.clear();
      core.cpu.x.fill(0n);
      core.cpu.setPstate(0x3c9n);
      core.state = core.index === 0 ? 'running' : 'off';
      core.count = 0;
      core.irq = false;
      core.skipAt = -1;
    }
    this.start(this);
  }

  run(limit: number): Stop {
    this.largestRun = Math.max(this.largestRun, limit);
    this.runs++;
    for (let done = 0; done < limit; ) {
      if (this.exit) return { reason: 'exited', ...this.exit };
      const core = this.nextCore();
      if (core === undefined) return this.stopped({ reason: 'idle' });
      const stop = this.hitAt(core) ?? this.executeOne(core);
      if (stop) return this.stopped(stop);
      this.turn++;
      done++;
    }
    return { reason: 'limit' };
  }

  step(index: number, freezeOthers = false): Stop {
    if (this.exit) return { reason: 'exited', ...this.exit };
    const own = this.cores[index];
    if (!freezeOthers) {
      for (const other of this.cores) {
        if (other === own || other.state !== 'running') continue;
        const stop = this.hitAt(other) ?? this.executeOne(other);
        if (stop) return this.stopped(stop);
      }
    }
    if (own.state === 'off') return this.stopped({ reason: 'idle' });
    if (own.state === 'wfi' && !own.irq) return this.stopped({ reason: 'idle' });
    return this.stopped(this.executeOne(own) ?? { reason: 'step', core: index });
  }

  private stopped(stop: Stop): Stop {
    for (const core of this.cores) core.skipAt = core.count;
    return stop;
  }
  private nextCore(): FakeCore | undefined {
    for (let i = 0; i < this.cores.length; i++) {
      const core = this.cores[(this.turn + i) % this.cores.length];
      if (core.state === 'running' || (core.state === 'wfi' && core.irq)) {
        this.turn = core.index;
        return core;
      }
    }
    return undefined;
  }
  private matches(core: FakeCore): number[] {
    if (core.state !== 'running' || core.skipAt === core.count) return [];
    return this.breakpoints
      .filter(
        (b) => b.address === core.cpu.pc && (b.el ?? core.el) === core.el && (b.core ?? core.index) === core.index,
      )
      .map((b) => b.id);
  }
  private hitAt(core: FakeCore): Stop | undefined {
    if (this.matches(core).length === 0) return undefined;
    const hits = this.cores.map((c) => ({ core: c.index, ids: this.matches(c) })).filter((h) => h.ids.length > 0);
    return { reason: 'breakpoint', core: core.index, hits };
  }

  private fetch(core: FakeCore): number | undefined {
    const base = core.cpu.pc & ~BigInt(LINE - 1);
    if (this.slice(base, LINE).length < LINE) return undefined;
    let line = core.icache.get(base);
    if (!line) {
      line = this.slice(base, LINE).slice();
      core.icache.set(base, line);
    }
    return new DataView(line.buffer).getUint32(Number(core.cpu.pc - base), true);
  }
  private executeOne(core: FakeCore): Stop | undefined {
    const { cpu } = core;
    this.active = core.index;
    core.accesses = [];
    core.state = 'running';
    if (core.irq && (cpu.daif & 0x80n) === 0n && cpu.el < 2) {
      core.irq = false;
      return this.take(core, 'irq', 1, 0n, 0n, cpu.pc, false);
    }
    const word = this.fetch(core);
    if (word === undefined) return this.take(core, 'sync', Math.max(1, cpu.el), 0x20n << 26n, cpu.pc, cpu.pc, false);
    const finding = this.stale(core, word);
    if (finding && this.catching.finding) return { reason: 'finding', core: core.index, finding };
    core.count++;
    const fromEl = cpu.el;
    const stop = this.act(core, cpu.execute(word));
    if (stop) return stop;
    if (cpu.el !== fromEl && this.catching.elChange) {
      return { reason: 'elChange', core: core.index, from: fromEl, to: cpu.el };
    }
    return this.watchStop(core);
  }
  private act(core: FakeCore, event: FakeEvent): Stop | undefined {
    const { cpu } = core;
    const own = Math.max(1, cpu.el);
    switch (event.kind) {
      case 'wfi':
        if (!core.irq) core.state = 'wfi';
        return undefined;
      case 'svc':
        return this.take(core, 'sync', own, (0x15n << 26n) | BigInt(event.imm), 0n, cpu.pc + 4n, false);
      case 'hvc':
        return this.take(core, 'sync', 2, (0x16n << 26n) | BigInt(event.imm), 0n, cpu.pc + 4n, false);
      case 'smc':
        this.exit = { code: 0, how: 'PSCI SYSTEM_OFF' };
        return { reason: 'exited', ...this.exit };
      case 'undefined':
        return this.take(core, 'sync', own, 0n, 0n, cpu.pc, true);
      case 'abort':
        return this.take(core, 'sync', own, (0x24n << 26n) | 0x46n, event.address, cpu.pc, false);
      case 'eret': {
        const elr = cpu.system.get(`ELR_EL${cpu.el}`) ?? 0n;
        cpu.setPstate(cpu.system.get(`SPSR_EL${cpu.el}`) ?? 0n);
        cpu.pc = elr;
        return undefined;
      }
      default:
        return undefined;
    }
  }
  private take(
    core: FakeCore,
    kind: ExceptionKind,
    toEl: number,
    esr: bigint,
    far: bigint,
    elr: bigint,
    undefinedOne: boolean,
  ): Stop | undefined {
    const { cpu } = core;
    const fromEl = cpu.el;
    const column = { sync: 0n, irq: 0x80n, fiq: 0x100n, serror: 0x180n }[kind];
    const group = fromEl < toEl ? 0x400n : cpu.spsel === 1 ? 0x200n : 0n;
    cpu.system.set(`ELR_EL${toEl}`, elr);
    cpu.system.set(`SPSR_EL${toEl}`, cpu.pstate());
    if (kind === 'sync') {
      cpu.system.set(`ESR_EL${toEl}`, esr | (1n << 25n));
      cpu.system.set(`FAR_EL${toEl}`, far);
    }
    cpu.setPstate(0x3c0n | BigInt((toEl << 2) | 1));
    const vector = (cpu.system.get(`VBAR_EL${toEl}`) ?? 0n) + group + column;
    cpu.pc = vector;
    const exception: ExceptionRecord = {
      core: core.index,
      kind,
      fromEl,
      toEl,
      esr: esr | (1n << 25n),
      far,
      elr,
      vector,
      undefined: undefinedOne,
    };
    const caught = this.catching.exceptions.has(`EL${toEl}.${kind}`) || (undefinedOne && this.catching.undefined);
    if (caught) return { reason: 'exception', core: core.index, exception };
    if (this.catching.elChange && fromEl !== toEl)
      return { reason: 'elChange', core: core.index, from: fromEl, to: toEl };
    return undefined;
  }
  private stale(core: FakeCore, word: number): Finding | undefined {
    const { cpu } = core;
    const bytes = this.slice(cpu.pc, 4);
    const current = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    if (current === word || this.found.some((f) => f.pc === cpu.pc && f.current === current)) return undefined;
    const finding: Finding = {
      id: this.found.length + 1,
      kind: 'stale fetch',
      mode: 'actual',
      core: core.index,
      el: cpu.el,
      asid: 0,
      vmid: 0,
      pc: cpu.pc,
      pa: cpu.pc,
      executed: word,
      current,
      writerCore: core.index,
      writerPc: undefined,
      instructions: this.instructions(),
      missing: ['DC CVAU', 'DSB ISH', 'IC IVAU', 'DSB ISH', 'ISB'],
      advice: 'clean and invalidate the line',
    };
    this.found.push(finding);
    return finding;
  }
  private watchStop(core: FakeCore): Stop | undefined {
    for (const access of core.accesses) {
      const hit = this.watchpoints.filter(
        (w) =>
          w.address < access.address + BigInt(access.size) &&
          access.address < w.address + BigInt(w.size) &&
          (w.access === 'readWrite' || (w.access === 'write') === access.write),
      );
      if (hit.length === 0) continue;
      const values = access.write ? { oldValue: access.old, newValue: access.now } : {};
      const ids = hit.map((w) => w.id);
      const { address, write } = access;
      return { reason: 'watchpoint', core: core.index, ids, address, access: write ? 'write' : 'read', ...values };
    }
    return undefined;
  }

  private slice(address: bigint, length: number): Uint8Array {
    if (address < RAM_BASE || address >= RAM_BASE + BigInt(RAM_SIZE)) return new Uint8Array(0);
    const at = Number(address - RAM_BASE);
    return this.ram.subarray(at, Math.min(at + length, RAM_SIZE));
  }
  private load(address: bigint, size: number): bigint | undefined {
    const bytes = this.slice(address, size);
    if (bytes.length < size) return undefined;
    const value = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    this.cores[this.active].accesses.push({ address, size, write: false, old: value, now: value });
    return value;
  }
  private store(address: bigint, size: number, value: bigint): boolean {
    if (address === UART) {
      for (const listener of this.consoleListeners) listener(0, Uint8Array.of(Number(value & 255n)));
      return true;
    }
    const bytes = this.slice(address, size);
    if (bytes.length < size) return false;
    const old = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    for (let i = 0; i < size; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 255n);
    this.cores[this.active].accesses.push({ address, size, write: true, old, now: value });
    return true;
  }

  peek(core: number, space: Space, address: bigint, length: number): Uint8Array {
    const bytes = this.slice(address, length).slice();
    if (space !== 'icache') return bytes;
    return bytes.map((byte, i) => {
      const at = address + BigInt(i);
      const line = this.cores[core].icache.get(at & ~BigInt(LINE - 1));
      return line ? line[Number(at & BigInt(LINE - 1))] : byte;
    });
  }
  poke(core: number, space: Space, address: bigint, bytes: Uint8Array): number {
    const room = Math.min(bytes.length, this.slice(address, bytes.length).length);
    const part = bytes.subarray(0, room);
    if (space !== 'icache') this.slice(address, room).set(part);
    for (const [index, own] of this.cores.entries()) {
      if (space === 'poc' || space === 'pou' || (space === 'icache' && index !== core)) continue;
      part.forEach((byte, i) => {
        const at = address + BigInt(i);
        const line = own.icache.get(at & ~BigInt(LINE - 1));
        if (line) line[Number(at & BigInt(LINE - 1))] = byte;
      });
    }
    return room;
  }
  translate(_core: number, _space: Space, address: bigint): TranslationView {
    const ok = this.slice(address, 1).length === 1;
    const fault = ok ? undefined : 'external abort';
    return {
      ok,
      pa: ok ? address : undefined,
      ipa: undefined,
      fault,
      attributes: 'MMU off',
      steps: [],
      fromTlb: false,
    };
  }
  caches(_core: number) {
    const common = { level: 1, sets: SETS, ways: 2, lineBytes: LINE, replacement: 'lru' };
    return [
      { ...common, kind: 'I' as const, policy: 'PIPT' },
      { ...common, kind: 'D' as const, policy: 'write-back' },
    ];
  }
  cacheLines(core: number, _level: number, kind: 'I' | 'D' | 'U', wanted?: WantedLine): readonly CacheLineView[] {
    const lines = kind === 'I' ? [...this.cores[core].icache.entries()].slice(0, SETS * 2) : [];
    const rows = Array.from({ length: SETS * 2 }, (_, i) => {
      const [pa, bytes] = lines[i] ?? [0n, new Uint8Array(LINE)];
      const valid = i < lines.length;
      const differs = valid && Buffer.compare(bytes, this.slice(pa, LINE)) !== 0;
      const place = { level: 1, kind, set: i >> 1, way: i & 1, valid, dirty: false };
      return { ...place, pa, va: valid ? pa : undefined, bytes: bytes.slice(), differs };
    });
    return wanted ? rows.filter((row) => wanted(row.set, row.valid, Number(row.pa))) : rows;
  }
  cacheCounts(core: number, level: number, kind: 'I' | 'D' | 'U') {
    const valid = this.cacheLines(core, level, kind).filter((line) => line.valid);
    return { valid: valid.length, dirty: 0, differing: valid.filter((line) => line.differs).length };
  }
  lineState(_core: number, _space: Space, address: bigint): LineState | undefined {
    const pa = address & ~BigInt(LINE - 1);
    const view = this.slice(pa, LINE).slice();
    if (view.length < LINE) return undefined;
    const caches = this.cores.map((core) => {
      const bytes = core.icache.get(pa)?.slice();
      const differs = bytes !== undefined && Buffer.compare(bytes, view) !== 0;
      return { where: `L1I core${core.index}`, core: core.index, present: !!bytes, dirty: false, bytes, differs };
    });
    const below = ['PoU', 'PoC', 'view'].map((where) => {
      return { where, core: undefined, present: true, dirty: false, bytes: view, differs: false };
    });
    return { pa, lineBytes: LINE, copies: [...caches, ...below] };
  }
  statistics(): MachineStatistics {
    const counts = { hits: 0, misses: 0 };
    const cores = this.cores.map((core) => {
      const own = {
        l1i: counts,
        l1d: counts,
        l2: counts,
        tlb: counts,
        exceptions: 0,
        counters: { fills: core.icache.size },
      };
      return { instructions: core.count, cycles: core.count, ...own };
    });
    return { instructions: this.instructions(), guestSeconds: 0, cores, findings: this.found.length };
  }
}
