/**
 * What the model reaches the machine through: what code at EL2 can see and do on the physical core that it runs on. Every call
 * has its effect on the modelled caches and TLBs, and its cost. The core is at EL2, with stage 1 off: addresses are physical.
 */
export interface El2Port {
  /** Physical cores. */
  readonly cores: number;
  /** RAM of the machine: first address, bytes. */
  readonly ram: { readonly base: number; readonly bytes: number };
  /** MRS: the core's own value. Registers that it does not have read as 0. */
  read(core: number, register: string): bigint;
  /** MRS, with all that it brings about: ICC_IAR1_EL1 acknowledges. */
  access(core: number, register: string): bigint;
  /** MSR, with all that it brings about. */
  write(core: number, register: string, value: bigint): void;
  /** CCSIDR_EL1 for a value of CSSELR_EL1. */
  ccsidr(core: number, csselr: number): bigint;
  hasFeature(core: number, feature: string): boolean;
  /** General registers 0 to 30, SIMD&FP registers 0 to 31. */
  x(core: number, n: number): bigint;
  setX(core: number, n: number, value: bigint): void;
  v(core: number, n: number): bigint;
  setV(core: number, n: number, value: bigint): void;
  /** IC, DC, TLBI or AT by its name ('DC CIVAC'), with its operand. */
  operate(core: number, operation: string, operand: bigint): void;
  /** The same on successive operands: as many operations, each with its cost. */
  operateOn(core: number, operation: string, from: bigint, count: number, stride: number): void;
  /** DSB of any kind, or ISB. */
  barrier(core: number, name: string): void;
  /** 64-bit accesses through a Normal Write-Back mapping of all memory. */
  load(core: number, address: number): bigint;
  store(core: number, address: number, value: bigint): void;
  /** 32-bit register of a device, without any effect. */
  mmioPeek(core: number, address: number): number;
  /** 32-bit accesses to devices. */
  mmioRead(core: number, address: number): number;
  mmioWrite(core: number, address: number, value: number): void;
  /** Asks for `Hypervisor.timerFired(id)` in so many cycles from now; Infinity: no longer. */
  schedule(id: string, cycles: number): void;
  /** Cycles of a tick of the generic timer. */
  readonly cyclesPerTick: number;
  /** Cycles of the core since power-on. */
  cycles(core: number): number;
  /** Cycles that a step takes. */
  penalty(core: number, cycles: number): void;
  /** ERET to what ELR_EL2 and SPSR_EL2 say. */
  eret(core: number): void;
  pc(core: number): bigint;
  setPc(core: number, address: bigint): void;
  /** As SPSR_ELx has it. */
  pstate(core: number): bigint;
  /** The vCPU that the core runs from now on, 0 for none: findings of the coherence checker name it. */
  own(core: number, owner: number): void;
  /** Nothing to do: the core waits until `wake`. */
  wait(core: number): void;
  wake(core: number): void;
  /** A physical interrupt that EL2 sends itself: the guest is left before its next instruction. */
  kick(core: number): void;
  /** PSTATE.EL of the core. */
  el(core: number): number;
  /** Guest time in seconds. */
  now(): number;
  /** Bytes for the console of a VM (0 is the host kernel's log). */
  console(vm: number, bytes: Uint8Array): void;
  /** Puts the program into a VM's memory again, as at power-on. */
  reload(vm: number): void;
  /** The end of the machine. */
  exit(code: number, how: string): void;
}
