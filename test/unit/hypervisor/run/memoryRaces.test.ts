/** Two vCPUs of a VM: one writes and reads memory, the other has user space change slots and mappings under it at the same time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../../src/base/random';
import { memoryFlags } from '../../../../src/hypervisor/kvmApi';
import { userMemAbort } from '../../../../src/hypervisor/run/faults';
import type { Frame } from '../../../../src/hypervisor/run/model';
import { ageGfn, wpMemoryRegion } from '../../../../src/hypervisor/run/protect';
import type { Routine } from '../../../../src/hypervisor/run/routines';
import { LAST_LEVEL, Stage2Table } from '../../../../src/hypervisor/run/stage2Table';
import { flushShadowMemslot, unmapRange } from '../../../../src/hypervisor/run/unmap';
import { AGEING, VmmCall } from '../../../../src/hypervisor/run/vmmApi';
import { call, entryOf, load, type Operation, type Script, script, store, until } from './scriptGuest';

const MiB = 2 ** 20;
const PAGE = 4096;
const AT = 2 ** 31;
const PAGES = 24;
const DONE = 0x4030_0000;
const LOG = memoryFlags.KVM_MEM_LOG_DIRTY_PAGES;

function changes(random: SeededRandom, count: number): Operation[] {
  const page = (): number => AT + random.below(2) * 2 * MiB + random.below(PAGES) * PAGE;
  const choices = [
    () => call(VmmCall.MMAP, 1, 0),
    () => call(VmmCall.SET_MEMORY_REGION, 1, LOG),
    () => call(VmmCall.SET_MEMORY_REGION, 1, 0),
    () => call(VmmCall.GET_DIRTY_LOG, 1),
    () =>
      call(
        VmmCall.AGE,
        page(),
        PAGE * (1 + random.below(4)),
        random.below(2) === 0 ? AGEING.clearYoung : AGEING.clearFlushYoung,
      ),
    () => load(page()),
    () => store(page() + 8, random.below(1000)),
  ];
  return Array.from({ length: count }, () => choices[random.below(choices.length)]());
}

/** Stores, each of its own value to a place of its own, and loads of what was stored there last. */
function uses(random: SeededRandom, count: number): { operations: Operation[]; expected: (bigint | undefined)[] } {
  const values = new Map<number, bigint>();
  const expected: (bigint | undefined)[] = [];
  const operations = Array.from({ length: count }, (_, n): Operation => {
    const at = AT + random.below(2) * 2 * MiB + random.below(PAGES) * PAGE;
    if (random.below(2) === 0) {
      values.set(at, BigInt(n + 1));
      expected.push(undefined);
      return store(at, n + 1);
    }
    expected.push(values.get(at) ?? 0n);
    return load(at);
  });
  return { operations, expected };
}

/** What must hold of the tables and what the model keeps about them. */
function checkTables({ machine, model }: Script): void {
  const [{ stage2, tableEntries, freeTables, slots }] = model.vms;
  const found: Record<number, number> = {};
  const visit = (page: number, level: number, from: number, bytes: number): void => {
    const words = new BigUint64Array(Uint8Array.from(machine.peek(0, 'pa', BigInt(page), bytes)).buffer);
    for (const [n, entry] of words.entries()) {
      if (!Stage2Table.isValid(entry)) continue;
      const own = page + Math.floor((n * 8) / stage2.pageBytes) * stage2.pageBytes;
      found[own] = (found[own] ?? 0) + 1;
      const ipa = from + n * stage2.bytesAt(level);
      const address = Stage2Table.addressOf(entry);
      if (Stage2Table.isTable(entry, level)) {
        assert.ok(!freeTables.includes(address), 'a table in use is free');
        visit(address, level + 1, ipa, stage2.pageBytes);
      } else {
        const slot = slots.find(({ guestAddress, bytes: size }) => ipa >= guestAddress && ipa < guestAddress + size);
        assert.equal(address, (slot?.hostAddress ?? Number.NaN) + ipa - (slot?.guestAddress ?? 0));
        assert.ok(level <= LAST_LEVEL);
      }
    }
  };
  visit(stage2.root, stage2.startLevel, 0, stage2.rootBytes);
  const kept = Object.fromEntries(Object.entries(tableEntries).filter(([, count]) => count !== 0));
  assert.deepEqual(kept, found, 'entries of each table');
  assert.equal(new Set(freeTables).size, freeTables.length, 'a page is free twice');
}

/** Runs both vCPUs to their ends; what the first found is what it had written. */
function race(seed: number, change: (random: SeededRandom) => readonly Operation[]): Script {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(seed);
  const { operations, expected } = uses(random, 1500);
  const slots = [{ at: AT, size: 4 * MiB, mapSize: '2M' }];
  const vms = [{ memory: '8M', vcpus: [{ core: 0 }, { core: 1 }], slots }];
  // The second vCPU changes things until its list ends; the first waits for it before it ends the VM.
  const settings = { kvm: '6.12', cores: [{}, {}], quantum: 3, vms };
  const s = script(settings, [...operations, until(DONE, 1)], [...change(random), store(DONE, 1)]);
  s.finish();
  assert.deepEqual(s.model.userSpace.errors, []);
  const results = s.results();
  for (const [n, value] of expected.entries()) if (value !== undefined) assert.equal(results[n].x0, value, `load ${n}`);
  checkTables(s);
  const [vm] = s.model.vms;
  assert.deepEqual([vm.mmuLock, vm.invalidating], [0, 0]);
  const own = s.model.faults.filter(({ vcpu, ipa }) => vcpu === 'vm1/vcpu0' && ipa >= AT).length;
  assert.ok(own > 15, `${own} faults of the one that does not know: they were about the same memory`);
  return s;
}

for (const seed of [1, 2])
  test(`the memory has what was written, and the tables are whole: seed ${seed}`, () => {
    race(seed, (random) => changes(random, 60));
  });

test('the same when it is unmapped again and again', () => {
  race(3, () => Array.from({ length: 150 }, () => call(VmmCall.MMAP, 1, 0)));
});

interface Stopped {
  readonly s: Script;
  /** Runs until the first core is about to make a step. */
  to(routine: Routine, step: string): void;
  at(): string;
}

/** A guest of one vCPU, step by step. */
function stepping(operations: readonly Operation[]): Stopped {
  const slots = [{ at: AT, size: 4 * MiB, mapSize: '2M' }];
  const s = script({ kvm: '6.12', vms: [{ memory: '8M', vcpus: [{ core: 0 }], slots }] }, operations);
  const frame = (): Frame | undefined => s.model.cores[0].thread.frames.at(-1);
  // Faults on the guest's own memory come first.
  const isOurs = (): boolean => (frame()?.locals.ipa ?? AT) === AT;
  const at = (): string => `${frame()?.routine} ${frame()?.at}`;
  const to = ({ name, steps }: Routine, step: string): void => {
    const place = `${name} ${steps.findIndex((row) => row.name === step)}`;
    for (let n = 0; n < 200_000 && !(at() === place && isOurs()); n++) s.machine.run(1);
    assert.equal(at(), place);
  };
  return { s, to, at };
}

test('what the host unmaps while a fault looks at it is not mapped by that fault', () => {
  const { s, to } = stepping([load(AT), load(AT)]);
  to(userMemAbort, 'take the MMU lock');
  s.model.vms[0].invalidateSequence++;
  to(userMemAbort, 'let the guest try again');
  assert.equal(Stage2Table.isValid(entryOf(s, AT).entry), false);
  s.finish();
  assert.equal(Stage2Table.isValid(entryOf(s, AT).entry), true, 'the next one maps it');
  assert.equal(s.model.faults.filter(({ ipa }) => ipa === AT).length, 1);
});

const locking: readonly (readonly [Routine, string, readonly Operation[]])[] = [
  [userMemAbort, 'take the MMU lock', [load(AT)]],
  [unmapRange, 'begin the invalidation', [call(VmmCall.MMAP, 1, 0)]],
  [flushShadowMemslot, 'take the lock to unmap', [call(VmmCall.SET_USER_MEMORY_REGION, 1, 0, AT, 0, 0)]],
  [wpMemoryRegion, 'lock and write-protect the slot', [call(VmmCall.SET_MEMORY_REGION, 1, LOG)]],
  [ageGfn, 'take the lock to age', [call(VmmCall.AGE, AT, PAGE, AGEING.clearYoung)]],
];
for (const [routine, step, operations] of locking)
  test(`${routine.name} waits while another vCPU has mmu_lock`, () => {
    const { s, to, at } = stepping(operations);
    to(routine, step);
    const [vm] = s.model.vms;
    vm.mmuLock = 77;
    const place = at();
    for (let n = 0; n < 20; n++) {
      s.machine.run(1);
      assert.equal(at(), place);
    }
    vm.mmuLock = 0;
    s.machine.run(1);
    assert.notEqual(at(), place);
    assert.notEqual(vm.mmuLock, 0, 'it has it now');
    s.finish();
    assert.equal(vm.mmuLock, 0);
  });

test('the log has every page that was written while it was on, whoever else changes the mappings', () => {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(7);
  const pages = Array.from({ length: 40 }, () => random.below(500));
  const slots = [{ at: AT, size: 4 * MiB, mapSize: '2M' }];
  const vms = [{ memory: '8M', vcpus: [{ core: 0 }, { core: 1 }], slots }];
  const GO = DONE + 8;
  const own = [
    ...[store(AT, 1), call(VmmCall.SET_MEMORY_REGION, 1, LOG), store(GO, 1)],
    ...pages.map((page) => store(AT + page * PAGE, 7)),
    ...[until(DONE, 1), call(VmmCall.GET_DIRTY_LOG, 1)],
    ...Array.from({ length: 8 }, (_, n) => call(VmmCall.DIRTY_PAGES, 1, n)),
  ];
  const noise = Array.from({ length: 60 }, (_, n) =>
    n % 2 === 0 ? call(VmmCall.MMAP, 1, 0) : call(VmmCall.AGE, AT, 4 * MiB, AGEING.clearFlushYoung),
  );
  const s = script({ kvm: '6.12', cores: [{}, {}], quantum: 3, vms }, own, [until(GO, 1), ...noise, store(DONE, 1)]);
  s.finish();
  const words = s.results().slice(-8);
  const dirty = (page: number): boolean => ((words[Math.floor(page / 64)].x1 >> BigInt(page % 64)) & 1n) === 1n;
  assert.deepEqual(
    pages.filter((page) => !dirty(page)),
    [],
  );
  const marked = words.reduce((sum, { x1 }) => sum + x1.toString(2).replaceAll('0', '').length, 0);
  assert.equal(marked, new Set(pages).size, 'and no other');
  checkTables(s);
});
