/**
 * A guest that carries out a list of operations, so that a test says in one place what guest and VMM do: hypercalls, loads, stores and
 * calls at any address, with the exceptions that they take. The MMU is off. Further vCPUs have lists of their own; the end of the
 * first vCPU's is the end of the VM.
 */
import assert from 'node:assert/strict';
import type { Hypervisor } from '../../../../src/hypervisor/run/model';
import type { Leaf } from '../../../../src/hypervisor/run/stage2Table';
import type { Stop } from '../../../../src/machine/api';
import { launch } from '../../../../src/machine/launch';
import { ElscopeMachine } from '../../../../src/machine/machine';
import { nodePorts } from '../../../../src/worker/nodePorts';

/** Where the program is in the guest's memory, and its parts. */
const RAM = 0x4000_0000;
const BASE = RAM + 0x8_0000;
const SECONDARY = BASE + 0xb0;
const UNTIL = 0x90;
const VECTORS = 0x800;
const RECORDS = 0x1000;
const RECORD_WORDS = 10;
const CPU_ON = 0xc400_0003n;
const CPU_OFF = 0x8400_0002n;

/** Each record: kind, X0 to X5, then the results X0 and X1 and ESR_EL1 of an exception. */
const CODE = [
  ...[0x10008013, 0x10003ff4, 0xd518c014, 0xd5033fdf], // adr x19, records; msr vbar_el1, vectors
  ...[0xa9400269, 0xa9410a61, 0xa9421263, 0xf9401a65], // loop: x9, x0 to x5 from the record
  ...[0xf900267f, 0x100000ea, 0x8b09114a, 0xd61f0140], // no exception yet; to kinds + 16 * x9
  ...[0xa9038660, 0x91014273, 0x17fffff6, 0xd503201f], // took: results; the next record
  ...[0x52800100, 0x72b08000, 0xd4000002, 0x14000000], // 0: SYSTEM_OFF
  ...[0xd4000002, 0x17fffff7, 0xd503201f, 0xd503201f], // 1: hvc #0
  ...[0xf9400000, 0x17fffff3, 0xd503201f, 0xd503201f], // 2: ldr x0, [x0]
  ...[0xf9000001, 0x17ffffef, 0xd503201f, 0xd503201f], // 3: str x1, [x0]
  ...[0xd63f0000, 0x17ffffeb, 0xd503201f, 0xd503201f], // 4: blr x0
  ...[0xf9400002, 0xeb01005f, 0x54ffffc1, 0x17ffffe5], // 5: until [x0] is x1
  ...[0xd503207f, 0x17ffffe3, 0xd503201f, 0xd503201f], // 6: wfi
  ...[0xaa0003f3, 0x17ffffd4], // a vCPU that is started: x19 = x0
];
/** Current level with SP_ELx, synchronous: ESR_EL1 into the record, x0 is kept, the operation is over. */
const HANDLER = [0xd538520b, 0xf900266b, 0x10ffb14c, 0xd518402c, 0xd69f03e0];
/** Lower level: the same, and on at EL1. */
const LOWER_HANDLER = [0xd538520b, 0xf900266b, 0x10ffa14c, 0xd61f0180];

const kinds = { off: 0, call: 1, load: 2, store: 3, run: 4, until: 5, wait: 6 } as const;

export interface Operation {
  readonly kind: keyof typeof kinds;
  readonly x: readonly bigint[];
}
type Word = bigint | number;
const operation =
  (kind: keyof typeof kinds) =>
  (...x: readonly Word[]): Operation => ({ kind, x: x.map(BigInt) });

/** X0 to X5 of a hypercall. */
export const call = operation('call');
export const load = operation('load');
export const store = operation('store');
/** Calls code: BLR. */
export const run = operation('run');
/** Instructions at an address, which is a multiple of 8. */
export const code = (at: number, words: readonly number[]): Operation[] =>
  words.flatMap((word, n) =>
    n % 2 === 0 ? [store(at + 4 * n, BigInt(word) | (BigInt(words[n + 1] ?? 0) << 32n))] : [],
  );
/** Until the word at an address has a value. */
export const until = operation('until');

export interface Result {
  readonly x0: bigint;
  readonly x1: bigint;
  /** 0: no exception. */
  readonly esr: bigint;
}

export interface Script {
  readonly machine: ElscopeMachine;
  readonly model: Hypervisor;
  /** Of the first vCPU of the first VM, in order. */
  results(): Result[];
  /** Runs until every vCPU is off. */
  finish(): Stop;
  /** Another list for the second VM, whose memory begins at a physical address; before it runs. */
  second(at: number, list: readonly Operation[]): void;
  secondResults(list: readonly Operation[]): Result[];
}

interface Settings {
  readonly kvm?: string;
  readonly policies?: Readonly<Record<string, string>>;
  readonly page?: string;
  readonly cores?: readonly object[];
  readonly vms?: readonly object[];
  readonly memory?: string;
  readonly gic?: 2 | 3;
  /** Instructions, and steps of the model, in a core's turn. */
  readonly quantum?: number;
  readonly [more: string]: unknown;
}

/** Lists of the vCPUs of each VM; the first vCPU starts the others before anything else. */
export function script(settings: Settings, ...lists: readonly (readonly Operation[])[]): Script {
  const { cores = [{}], memory = '128M', quantum = 1000, gic = 2, ...hypervisor } = settings;
  const starts = lists.slice(1).map((_, at) => call(CPU_ON, at + 1, SECONDARY, place(lists, at + 1)));
  const all = [[...starts, ...lists[0]], ...lists.slice(1)];
  const files: Readonly<Record<string, Uint8Array>> = {
    program: program(all),
    machine: new TextEncoder().encode(JSON.stringify({ cores, memory, quantum, gic, hypervisor })),
  };
  const ports = nodePorts();
  const readFile = (path: string, what: string): Uint8Array => files[path] ?? ports.readFile(path, what);
  const machine: unknown = launch({ program: 'program', machine: 'machine' }, { ...ports, readFile }).machine;
  if (!(machine instanceof ElscopeMachine)) throw new Error('another machine');
  const model = machine.hypervisor ?? assert.fail('no model');
  const resultsOf = (vm: number, list: readonly Operation[], before: number): Result[] => {
    const base = model.vms[vm].mappings[0].vma.start + BASE - RAM;
    const count = before + list.length;
    const bytes = machine.peek(0, 'pa', BigInt(base + RECORDS), count * RECORD_WORDS * 8);
    const words = new BigUint64Array(Uint8Array.from(bytes).buffer);
    return list.map((_, n) => {
      const at = (n + before) * RECORD_WORDS;
      return { x0: words[at + 7], x1: words[at + 8], esr: words[at + 9] };
    });
  };
  return {
    machine,
    model,
    finish: () => {
      for (let turns = 0; turns < 20; turns++) {
        const stop: Stop = machine.run(1e6);
        if (stop.reason === 'exited') return stop;
        assert.equal(stop.reason, 'limit');
      }
      return assert.fail('it does not end');
    },
    results: () => resultsOf(0, lists[0], starts.length),
    second: (at, list) => machine.memory.pokeView(at + BASE - RAM, program([list])),
    secondResults: (list) => resultsOf(1, list, 0),
  };
}

/** The stage-2 entry of the first VM that decides about a guest address, without an effect. */
export function entryOf({ machine, model }: Script, ipa: number): Leaf {
  const load = (at: number): bigint => {
    const bytes = machine.peek(0, 'pa', BigInt(at), 8);
    return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  };
  return model.vms[0].stage2.find({ load }, ipa);
}

/** The core's guest is in the loop of `until`. */
export function isWaiting(core: { readonly el: number; pc(): bigint }): boolean {
  const at = Number(core.pc()) - BASE;
  return core.el === 1 && at >= UNTIL && at < UNTIL + 12;
}

/** Where the list of a vCPU is: one after the other, with the starting of all others before the first. */
function place(lists: readonly (readonly Operation[])[], vcpu: number): number {
  const before = lists.slice(0, vcpu).reduce((sum, list) => sum + list.length + 1, lists.length - 1);
  return BASE + RECORDS + before * RECORD_WORDS * 8;
}

function program(lists: readonly (readonly Operation[])[]): Uint8Array {
  const ends: readonly Operation[] = lists.map((_, vcpu) => (vcpu === 0 ? operation('off')() : call(CPU_OFF)));
  const records = lists.flatMap((list, vcpu) => [...list, ends[vcpu]]);
  const bytes = new Uint8Array(RECORDS + records.length * RECORD_WORDS * 8);
  const words = new Uint32Array(bytes.buffer);
  words.set(CODE, 0);
  words.set(HANDLER, (VECTORS + 0x200) / 4);
  words.set(LOWER_HANDLER, (VECTORS + 0x400) / 4);
  const table = new BigUint64Array(bytes.buffer, RECORDS);
  for (const [n, { kind, x }] of records.entries()) {
    table.set([BigInt(kinds[kind]), ...x.map((value) => BigInt.asUintN(64, value))], n * RECORD_WORDS);
  }
  return bytes;
}
