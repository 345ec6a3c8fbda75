/** Cores without memory or engine: what they ask of the rest of the machine is recorded or answered by fields of the rig. */
import type { PerformanceEvent } from '../../../src/arch/performanceEvents';
import { operationByName, operationKey, type SystemOperationRow } from '../../../src/arch/sysops/index';
import { byName, encodingKey, systemRegisters } from '../../../src/arch/sysregs/index';
import { Cpu, type CpuFacts, type CpuPorts, type ExceptionEvent, type Leave } from '../../../src/cpu/index';
import { CORE_BLOCK_BYTES } from '../../../src/cpu/layout';
import { type CoreTypeName, cache, coreTypes } from '../../../src/machine/presets';
import type { AbortFault, CacheGeometry } from '../../../src/memory/types';

export const NO_COST = {
  l1iMiss: 0,
  l1dMiss: 0,
  l2Miss: 0,
  walkStep: 0,
  maintenance: 0,
  perCore: 0,
  dvm: 0,
  exception: 0,
  trap: 0,
  mmio: 0,
  counterRead: 0,
} as const;

export const a57: CpuFacts = {
  ...coreTypes['cortex-a57'],
  l2: cache(2048 * 1024, 16, 64, 'random') as CacheGeometry | null,
  highestEl: 3,
  affinity: 0,
  clusterCores: 1,
  exclusivesBytes: 64,
  counterHz: 62_500_000,
  cost: NO_COST,
};

/** What a core of another type says that it is. */
export function coreOf(type: CoreTypeName): Pick<CpuFacts, 'midr' | 'features' | 'paBits'> {
  const { midr, features, paBits } = coreTypes[type];
  return { midr, features, paBits };
}

export const plainFault: AbortFault = {
  kind: 'translation',
  level: 0,
  stage2: false,
  s1ptw: false,
  write: false,
  cacheMaintenance: false,
  ipa: 0,
};

export interface Maintained {
  readonly core: number;
  readonly name: string;
  readonly hi: number;
  readonly lo: number;
}

export class Rig {
  readonly cpus: Cpu[] = [];
  /** The first core. */
  readonly cpu: Cpu;
  readonly exceptions: ExceptionEvent[] = [];
  readonly levels: [number, number][] = [];
  readonly maintained: Maintained[] = [];
  readonly tlbis: Maintained[] = [];
  readonly zeroed: number[] = [];
  readonly selected: number[][] = [];
  readonly timerCalls: [core: number, levels: number, deadline: number][] = [];
  fault: AbortFault = plainFault;
  faultHi = 0;
  faultLo = 0;
  memoryFails = false;
  walkFails = false;
  par: [number, number] = [0x12345678, 0x9abcd000];
  count = 1000;
  cycles = 0;
  /** Totals of other events. */
  readonly counts: Partial<Record<PerformanceEvent, number>> = {};
  readonly monitorCalls: [core: number, level: boolean, wait: number][] = [];
  word = 0;
  cleared = 0;
  synchronised = 0;

  constructor(facts: Partial<CpuFacts> = {}, more: Partial<CpuPorts> = {}, cores = 1) {
    const buffer = new ArrayBuffer(65536);
    const rig = this;
    const leave = (): Leave => (rig.memoryFails ? 1 : 0);
    const row = (to: Maintained[], core: number, op: SystemOperationRow, hi: number, lo: number): void => {
      to.push({ core, name: op.name, hi, lo });
    };
    const ports: CpuPorts = {
      memory: {
        get fault() {
          return rig.fault;
        },
        get faultHi() {
          return rig.faultHi;
        },
        get faultLo() {
          return rig.faultLo;
        },
        clearExclusive: () => void rig.cleared++,
        zero: (_core, _hi, lo) => {
          rig.zeroed.push(lo);
          return leave();
        },
        maintain: (core, op, hi, lo) => {
          row(rig.maintained, core, op, hi, lo);
          return leave();
        },
        isb: () => void rig.synchronised++,
        selectContext: (_core, key) => void rig.selected.push([...key]),
      },
      mmu: {
        tlbi: (core, op, hi, lo) => row(rig.tlbis, core, op, hi, lo),
        at: (core, op, hi, lo) => {
          row(rig.maintained, core, op, hi, lo);
          return !rig.walkFails;
        },
        get parHi() {
          return rig.par[0];
        },
        get parLo() {
          return rig.par[1];
        },
        get fault() {
          return rig.fault;
        },
      },
      cores: this.cpus,
      counter: () => rig.count,
      counted: (_core, event) => (event === 'CPU_CYCLES' ? rig.cycles : (rig.counts[event] ?? 0)),
      comparators: () => {},
      monitors: (core, level, wait) => void rig.monitorCalls.push([core, level, wait]),
      timers: (core, levels, deadline) => void rig.timerCalls.push([core, levels, deadline]),
      instructionWord: () => rig.word,
      events: {
        exceptionTaken: (event) => void rig.exceptions.push({ ...event }),
        elChanged: (_core, from, to) => void rig.levels.push([from, to]),
      },
      ...more,
    };
    for (let i = 0; i < cores; i++)
      this.cpus.push(new Cpu(i, buffer, CORE_BLOCK_BYTES * (i + 1), { ...a57, affinity: i, ...facts }, ports));
    this.cpu = this.cpus[0];
    for (const cpu of this.cpus) cpu.reset((facts.highestEl ?? a57.highestEl) as 1 | 2 | 3, 0x4000_0000n, 0n);
  }

  /** Key of a register by name. */
  static key(name: string): number {
    return encodingKey(systemRegisters[byName(name)].encoding);
  }
  static operation(name: string): number {
    return operationKey(operationByName(name)!.encoding);
  }

  /** MRS; undefined = it took an exception. */
  mrs(name: string, cpu = this.cpu): bigint | undefined {
    if (cpu.systemRead(Rig.key(name)) !== 0) return undefined;
    return (BigInt(cpu.state.valueHi) << 32n) | BigInt(cpu.state.valueLo);
  }
  /** MSR; false = it took an exception. */
  msr(name: string, value: bigint, cpu = this.cpu): boolean {
    this.value(value, cpu);
    return cpu.systemWrite(Rig.key(name)) === 0;
  }
  /** SYS by operation name. */
  sys(name: string, value = 0n, cpu = this.cpu): boolean {
    this.value(value, cpu);
    return cpu.systemOperation(Rig.operation(name)) === 0;
  }
  private value(value: bigint, cpu: Cpu): void {
    cpu.state.setValue(Number((value >> 32n) & 0xffffffffn), Number(value & 0xffffffffn));
  }

  /** Puts a register's stored bits in place, whatever the level. */
  poke(name: string, value: bigint): void {
    this.cpu.state.store(byName(name), Number((value >> 32n) & 0xffffffffn), Number(value & 0xffffffffn));
    this.cpu.contextChanged();
  }
  peek(name: string): bigint {
    const i = byName(name);
    return (BigInt(this.cpu.state.hi(i)) << 32n) | BigInt(this.cpu.state.lo(i));
  }
  /** Sets a field of storage: 'HCR_EL2.TGE'. */
  set(field: string, value: number | bigint): void {
    const [register, name] = field.split('.');
    const row = systemRegisters[byName(register)].fields.find((f) => f.name === name)!;
    const mask = ((1n << BigInt(row.hi - row.lo + 1)) - 1n) << BigInt(row.lo);
    this.poke(register, (this.peek(register) & ~mask) | ((BigInt(value) << BigInt(row.lo)) & mask));
  }
  /** Puts the core at a level, as a debugger would: DAIF masked. */
  at(el: number, spsel = 1, daif = 0x3c0): this {
    this.cpu.setPstate(BigInt(daif | (el << 2) | (el === 0 ? 0 : spsel)));
    this.levels.length = 0;
    this.exceptions.length = 0;
    return this;
  }
  pc(value: number): this {
    this.cpu.state.setPc(Math.floor(value / 2 ** 32), value >>> 0);
    return this;
  }
  get pcValue(): number {
    return this.cpu.state.pcHi * 2 ** 32 + this.cpu.state.pcLo;
  }
  /** The exception taken last. */
  get last(): ExceptionEvent {
    return this.exceptions[this.exceptions.length - 1];
  }
  get ec(): number {
    return this.last.esr >>> 26;
  }
  get iss(): number {
    return this.last.esr & 0x1ffffff;
  }
}
