/**
 * Random sequences of every operation against the reference model: contents at the three points, what each cache holds and
 * which of it is dirty, I-cache contents, executed words; and the line tables' invariant after each step.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { type MemoryConfig, MemoryType } from '../../../src/memory/types';
import { Bench, coreConfig, memoryConfig, type OpName, RAM } from './harness';
import { Reference } from './reference';

const SPACE = 0x2000; // bytes of RAM used: 128 units of 64 bytes over small caches
/** VAs at these distances reach the same memory; the odd one has another VIPT colour. */
const ALIASES = [0x4000, 0x7000];

const mixed = memoryConfig({
  cores: [
    coreConfig({ l1d: { sets: 4, ways: 2, lineBytes: 128, replacement: 'lru' } }),
    coreConfig({
      l1d: { sets: 8, ways: 2, lineBytes: 64, replacement: 'fifo' },
      l1i: { sets: 128, ways: 2, lineBytes: 64, replacement: 'fifo', policy: 'VIPT' },
      l2: 1,
      idc: true,
    }),
    coreConfig({
      l1d: { sets: 2, ways: 3, lineBytes: 64, replacement: 'lru' },
      l1i: { sets: 8, ways: 2, lineBytes: 32, replacement: 'lru', policy: 'VPIPT' },
      l2: -1,
      idc: true,
      dic: true,
    }),
  ].map((c) => ({ ...c, l1i: { ...c.l1i, replacement: c.l1i.replacement === 'random' ? 'lru' : c.l1i.replacement } })),
  l2: [
    { sets: 4, ways: 2, lineBytes: 128, replacement: 'lru' },
    { sets: 8, ways: 2, lineBytes: 64, replacement: 'fifo' },
  ],
});
const plain = memoryConfig({
  cores: [0, 1].map((i) =>
    coreConfig({
      l1d: { sets: 4, ways: 2, lineBytes: 64, replacement: 'lru' },
      l1i: { sets: 4, ways: 2, lineBytes: 128, replacement: 'lru', policy: i === 0 ? 'PIPT' : 'VIPT' },
    }),
  ),
  l2: [{ sets: 8, ways: 2, lineBytes: 64, replacement: 'lru' }],
});
const noOuter = memoryConfig({
  cores: [0, 1].map(() =>
    coreConfig({
      l1d: { sets: 2, ways: 2, lineBytes: 64, replacement: 'fifo' },
      l1i: { sets: 128, ways: 2, lineBytes: 64, replacement: 'fifo', policy: 'VIPT' },
      l2: -1,
      idc: true,
      dic: true,
    }),
  ),
  l2: [],
});

class Run {
  readonly b: Bench;
  readonly ref: Reference;
  readonly random = new SeededRandom(new Uint32Array(1));
  private readonly unit: number;
  constructor(
    readonly config: MemoryConfig,
    seed: number,
    generated: boolean,
  ) {
    this.b = new Bench(config, generated);
    this.unit = this.b.memory.shared.unitBytes;
    this.ref = new Reference(config, this.unit);
    this.random.seed(seed);
    for (let page = 0; page < SPACE; page += 4096)
      for (const alias of ALIASES) this.b.translator.pages.set((RAM + alias + page) >>> 12, { pa: RAM + page });
    for (const c of this.b.contexts) c.vmid = 6;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.random.below(list.length)];
  }

  step(): string {
    const { b, random } = this;
    const core = random.below(this.config.cores.length);
    // Half of the time few lines, so that they meet again in all states.
    const pa = RAM + (random.below(random.below(2) ? SPACE / 4 : 64) << 2);
    const va = pa + this.pick([0, 0, ...ALIASES]);
    const kind = this.pick([
      'load',
      'load',
      'store',
      'store',
      'fetch',
      'fetch',
      'uncached',
      'through',
      'dma',
      'coherentDma',
      'va',
      'sw',
      'ic',
    ] as const);
    const word = random.next();
    const bytes = new Uint8Array(Uint32Array.of(word).buffer);
    const unit = Math.floor(pa / this.unit);
    const offset = pa % this.unit;
    const label = `${kind} core${core} ${(pa - RAM).toString(16)} va ${(va - RAM).toString(16)}`;
    switch (kind) {
      case 'load': {
        const value = b.load(core, va);
        this.ref.load(core, unit);
        assert.equal(value, this.word(this.ref.view(unit), offset), label);
        return label;
      }
      case 'store':
        b.store(core, va, word);
        this.ref.store(core, unit, offset, bytes);
        return label;
      case 'through':
        b.store(core, va, word, MemoryType.NormalWT);
        this.ref.storeThrough(core, unit, offset, bytes);
        return label;
      case 'uncached':
        if (word & 1) {
          b.store(core, va, word, this.pick([MemoryType.NormalNC, MemoryType.DeviceGRE]));
          this.ref.storeUncached(unit, offset, bytes);
        } else assert.equal(b.load(core, va, MemoryType.NormalNC), this.word(this.ref.poc(unit), offset), label);
        return label;
      case 'dma':
        assert.equal(b.dmaRead(pa, false), this.word(this.ref.poc(unit), offset), label);
        b.dma(pa, word);
        this.ref.dma(unit, offset, bytes);
        return label;
      case 'coherentDma':
        assert.equal(b.dmaRead(pa, true), this.word(this.ref.view(unit), offset), label);
        b.dma(pa, word, true);
        this.ref.coherentDma(unit, offset, bytes);
        return label;
      case 'fetch':
        return `${label} ${this.fetch(core, pa, va)}`;
      case 'va':
        return `${label} ${this.byAddress(core, unit, va)}`;
      case 'sw':
        return `${label} ${this.setWay(core)}`;
      case 'ic':
        return `${label} ${this.instruction(core, pa, va)}`;
    }
  }

  private fetch(core: number, pa: number, va: number): string {
    const { b } = this;
    const nonCacheable = this.random.below(4) === 0;
    const el2 = this.random.below(4) === 0;
    const context = b.contexts[core];
    context.regime = el2 ? 'EL2' : 'EL1&0';
    context.vmid = this.random.below(2) + 5;
    b.memory.selectContext(core, [el2 ? 100 : context.vmid]);
    b.translator.type = nonCacheable ? MemoryType.NormalNC : MemoryType.NormalWB;
    const ran = b.run(core, va);
    b.translator.type = MemoryType.NormalWB;
    const data = this.ref.fetch(core, pa, va, el2 ? 0 : context.vmid + 1, nonCacheable);
    assert.equal(ran, this.word(data, pa % data.length), `fetch ${nonCacheable} ${el2} ${context.vmid}`);
    return `nc ${nonCacheable} vmid ${el2 ? 'EL2' : context.vmid}`;
  }

  private byAddress(core: number, unit: number, va: number): string {
    const name = this.pick(['CVAU', 'CVAC', 'CVAP', 'IVAC', 'CIVAC'] as const);
    this.b.op(core, name, va);
    if (name !== 'IVAC') this.ref.clean(unit, name !== 'CVAU');
    if (name === 'IVAC' || name === 'CIVAC') this.ref.invalidate(unit);
    return name;
  }

  private setWay(core: number): string {
    const { b, ref } = this;
    const level = this.random.below(2);
    const k = this.config.cores[core].l2;
    if (level === 1 && k < 0) return 'none';
    const g = level === 0 ? this.config.cores[core].l1d : this.config.l2[k];
    const set = this.random.below(g.sets);
    const way = this.random.below(g.ways);
    const row = b.memory
      .cacheLines(core, level + 1, level === 0 ? 'D' : 'U')
      .find((l) => l.set === set && l.way === way)!;
    const name: OpName = this.pick(['CSW', 'ISW', 'CISW'] as const);
    const wayBits = Math.ceil(Math.log2(g.ways));
    const operand = ((way << (32 - wayBits)) | (set << Math.log2(g.lineBytes)) | (level << 1)) >>> 0;
    b.op(core, name, operand);
    if (!row.valid) return 'invalid';
    const unit = row.pa / this.unit;
    const cache = level === 0 ? ref.l1[core] : ref.l2[k];
    if (name !== 'ISW') level === 0 ? ref.cleanL1(core, unit, false) : ref.cleanL2(k, unit);
    if (name !== 'CSW') cache.remove(cache.lineOf(unit));
    return `${name} level ${level + 1} set ${set} way ${way}`;
  }

  private instruction(core: number, pa: number, va: number): string {
    const name = this.pick(['IVAU', 'IVAU', 'IVAU', 'IALLU', 'IALLUIS'] as const);
    const context = this.b.contexts[core];
    const vmid = context.regime === 'EL1&0' ? context.vmid + 1 : 0;
    this.b.op(core, name, va);
    this.config.cores.forEach((_, e) => {
      if (name === 'IVAU') this.ref.invalidateInstruction(e, pa, va, vmid);
      else if (name === 'IALLUIS' || e === core) this.ref.invalidateInstructions(e, vmid);
    });
    return name;
  }

  private word(data: Uint8Array, offset: number): number {
    return new DataView(data.buffer, data.byteOffset).getUint32(offset, true);
  }

  compare(label: string): void {
    const { memory } = this.b;
    for (let pa = RAM; pa < RAM + SPACE; pa += this.unit) {
      const unit = pa / this.unit;
      const at = `${label}: unit ${(pa - RAM).toString(16)}`;
      assert.deepEqual(memory.peekView(pa, this.unit), this.ref.view(unit), `${at} view`);
      assert.deepEqual(memory.peekPoU(0, pa, this.unit), this.ref.pou(unit), `${at} PoU`);
      assert.deepEqual(memory.peekPoC(pa, this.unit), this.ref.poc(unit), `${at} PoC`);
      for (const copy of memory.lineState(pa)!.copies) this.compareCopy(copy, unit, at);
    }
    this.config.cores.forEach((_, core) => {
      const mine = memory
        .cacheLines(core, 1, 'I')
        .filter((l) => l.valid)
        .map((l) => `${l.set} ${l.pa.toString(16)} ${l.vmidTag ?? 0} ${l.bytes}`);
      const g = this.config.cores[core].l1i;
      const theirs = this.ref.icaches[core].sets.flatMap((set, i) =>
        set.map((l) => `${i} ${(l.line * g.lineBytes).toString(16)} ${l.vmid} ${l.data}`),
      );
      assert.deepEqual(mine.sort(), theirs.sort(), `${label}: I-cache ${core}`);
    });
  }

  private compareCopy(copy: { where: string; present: boolean; dirty: boolean }, unit: number, at: string): void {
    const l1 = /^L1D core(\d)/.exec(copy.where);
    const l2 = /^L2 cluster(\d)/.exec(copy.where);
    if (!l1 && !l2) return;
    const held = l1 ? this.ref.l1[Number(l1[1])].unit(unit) : this.ref.l2[Number(l2![1])].unit(unit);
    assert.equal(copy.present, held !== undefined, `${at} in ${copy.where}`);
    assert.equal(copy.dirty, held?.dirty ?? false, `${at} dirty in ${copy.where}`);
  }
}

function compareRandomly(config: MemoryConfig, seed: number, generated: boolean): void {
  const run = new Run(config, seed, generated);
  // With translations that come from TLB entries, misses use what is known of recent pages.
  run.b.translator.tlbIndex = generated || seed === 2 ? 5 : -1;
  for (let i = 0; i < 1500; i++) {
    const label = `step ${i}: ${run.step()}`;
    if (i % 5 === 0) run.compare(label);
    if (i % 10 === 0) {
      const confirm = (_c: number, _s: number, _hi: number, lo: number): number => {
        run.b.translator.translate(0, run.b.contexts[0], 0, lo, 0);
        return run.b.translator.result.pa;
      };
      assert.deepEqual(run.b.memory.checkSubset(confirm), [], label);
    }
  }
  run.compare('end');
}

for (const [name, config] of Object.entries({ plain, noOuter, mixed }))
  for (const seed of [1, 2]) {
    for (const checker of ['off', 'architectural'] as const)
      test(`random operations, ${name}, checker ${checker}, seed ${seed}`, () => {
        compareRandomly({ ...config, checker }, seed, false);
      });
    test(`random operations, ${name}, generated data path, seed ${seed}`, () => {
      compareRandomly(config, seed, true);
    });
  }
