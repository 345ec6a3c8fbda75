/** The machine, as the hypervisor model reaches it: see hypervisor/run/port.ts. */
import { operationByName } from '../arch/sysops';
import type { Cpu } from '../cpu/cpu';
import { maskOf } from '../hypervisor/fields';
import type { El2Port } from '../hypervisor/run/port';
import type { MemorySystem } from '../memory/memorySystem';
import type { DeviceBus } from './bus';
import type { MachineConfig } from './config';
import type { CoreUnit } from './coreUnit';
import type { GuestTime } from './time';

const TWO32 = 2 ** 32;
const TWE = maskOf('HCR_EL2.TWE');
const low = (value: bigint): number => Number(BigInt.asUintN(32, value));
const high = (value: bigint): number => Number(BigInt.asUintN(32, value >> 32n));

export interface El2Parts {
  readonly config: MachineConfig;
  readonly units: readonly CoreUnit[];
  readonly memory: MemorySystem;
  readonly bus: DeviceBus;
  readonly time: GuestTime;
  readonly ram: El2Port['ram'];
  console(vm: number, bytes: Uint8Array): void;
  reload(vm: number): void;
  exit(code: number, how: string): void;
  /** A time that was asked for has come. */
  fired(id: string): void;
}

export function el2Port(parts: El2Parts): El2Port {
  const { config, units, memory, bus, time, ram, console, reload, exit, fired } = parts;
  const word = new Uint32Array(2);
  const cpu = (core: number): Cpu => units[core].cpu;
  return {
    cores: units.length,
    ram,
    read: (core, register) => cpu(core).peekSystem(register) ?? 0n,
    access: (core, register) => cpu(core).accessSystem(register) ?? 0n,
    write: (core, register, value) => void cpu(core).pokeSystem(register, value),
    ccsidr: (core, csselr) => cpu(core).identity.ccsidr[csselr & 15] ?? 0n,
    hasFeature: (core, feature) => config.cores[core].features.has(feature as never),
    x: (core, n) => units[core].x(n),
    setX: (core, n, value) => units[core].setX(n, value),
    v: (core, n) => units[core].v(n),
    setV: (core, n, value) => units[core].setV(n, value),
    operate: (core, operation, operand) => void cpu(core).operate(operation, high(operand), low(operand)),
    operateOn: (core, operation, from, count, stride) => {
      const first = Number(from);
      const row = operationByName(operation);
      if (row?.operand === 'va' && (row.kind === 'IC' || row.kind === 'DC')) {
        memory.maintainRange(core, row, first, count, stride, 2);
        return;
      }
      for (let i = 0; i < count; i++) {
        const at = first + i * stride;
        cpu(core).operate(operation, Math.floor(at / TWO32), at >>> 0);
      }
    },
    barrier: (core, name) => {
      if (name === 'ISB') memory.isb(core);
      else memory.dsb(core);
    },
    load: (core, address) => {
      if (!memory.walkRead(core, address, true)) return 0n;
      return (BigInt(memory.walkHi >>> 0) << 32n) | BigInt(memory.walkLo >>> 0);
    },
    store: (core, address, value) => void memory.walkWrite(core, address, true, high(value), low(value)),
    mmioPeek: (core, address) => bus.peek(address, 4, core) ?? 0,
    mmioRead: (core, address) => {
      memory.penalty(core, config.cost.mmio);
      bus.read(address, 4, word, core);
      return word[0];
    },
    mmioWrite: (core, address, value) => {
      memory.penalty(core, config.cost.mmio);
      bus.write(address, 4, value >>> 0, 0, core);
    },
    schedule: (id, cycles) => {
      const at = cycles === Number.POSITIVE_INFINITY ? cycles : time.now() + (cycles * 1e9) / config.clockHz;
      time.schedule(`hypervisor ${id}`, at, () => fired(id));
    },
    cyclesPerTick: config.clockHz / config.counterHz,
    cycles: (core) => units[core].cycles(),
    penalty: (core, cycles) => memory.penalty(core, cycles),
    eret: (core) => void cpu(core).eret(),
    pc: (core) => units[core].pc(),
    pstate: (core) => units[core].pstate(),
    setPc: (core, address) => units[core].setPc(address),
    own: (core, owner) => memory.setOwner(core, owner),
    wait: (core) => cpu(core).setWaiting(true),
    wake: (core) => {
      // A guest that has the core to itself may wait by WFE, which does not trap: whoever comes has it left.
      if (units[core].el < 2 && ((cpu(core).peekSystem('HCR_EL2') ?? 0n) & TWE) === 0n) units[core].kicked = true;
      cpu(core).setWaiting(false);
    },
    kick: (core) => {
      units[core].kicked = true;
      if (units[core].el < 2) cpu(core).setWaiting(false);
    },
    el: (core) => units[core].el,
    now: () => time.now() / 1e9,
    console,
    reload,
    exit,
  };
}
