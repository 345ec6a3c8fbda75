/** Where a Linux kernel runs, found on a machine that only shows VBAR and memory. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CoreView, Machine } from '../../../src/machine/api';
import type { ElfSymbol } from '../../../src/program';
import { Kernel, kernelOf } from '../../../src/session/kernel';

const BASE = 0xffff_8000_0800_0000n;
const VECTORS = BASE + 0x1_0800n;
const LOADED = 0x4020_0000n;

const symbol = (name: string, value: bigint): ElfSymbol => {
  const rest = { size: 0n, kind: 'function', binding: 'global', section: 0, file: undefined } as const;
  return { name, value, ...rest };
};

/** One core; the image is seen at `at` of `space`, and lies at LOADED. */
function machine(registers: Readonly<Record<string, bigint>>, at: bigint, space = 'el1', state = 'running'): Machine {
  const core: Partial<CoreView> = { index: 0, el: 1, state, peekSystem: (name) => registers[name] };
  const seen: Partial<Machine> = {
    cores: [core as CoreView],
    peek: (_core, where, address) =>
      where === space && address === at + 56n ? Uint8Array.of(0x41, 0x52, 0x4d, 0x64) : new Uint8Array(),
    translate: (_core, where, address) => ({
      ok: where === space && address === at,
      pa: where === space && address === at ? LOADED : undefined,
      ipa: undefined,
      fault: undefined,
      attributes: '',
      steps: [],
      fromTlb: false,
    }),
  };
  return seen as Machine;
}

describe('where a kernel runs', () => {
  const kernel = (): Kernel => new Kernel(BASE, 0x100_0000n, [symbol('vectors', VECTORS)]);

  test('at its link address, moved by KASLR, and at EL2 by VHE', () => {
    for (const slide of [0n, 0x1234_2000_0000n]) {
      for (const el of ['1', '2']) {
        const k = kernel();
        assert.equal(k.slide, undefined);
        assert.ok(k.look(machine({ [`VBAR_EL${el}`]: VECTORS + slide }, BASE + slide, `el${el}`)));
        assert.equal(k.slide, slide);
        const low = BASE + slide;
        assert.deepEqual(k.segment(), { low, high: low + 0x100_0000n, physical: LOADED });
        assert.equal(k.look(machine({ [`VBAR_EL${el}`]: VECTORS + slide }, BASE + slide, `el${el}`)), false, 'no news');
      }
    }
  });

  test('by a copy of the vectors with a workaround', () => {
    const k = new Kernel(BASE, 0x100_0000n, [symbol('__bp_harden_el1_vectors', BASE + 0x1_2800n)]);
    assert.ok(k.look(machine({ VBAR_EL1: BASE + 0x1_3000n }, BASE)));
    assert.equal(k.slide, 0n);
  });

  test('not where the vectors are somebody else’s, the MMU is off, the core is, or a guest runs', () => {
    const quiet = [
      machine({}, BASE),
      machine({ VBAR_EL1: 0n }, BASE),
      machine({ VBAR_EL1: VECTORS }, BASE + 0x20_0000n),
      machine({ VBAR_EL1: LOADED + 0x1_0800n }, LOADED),
      machine({ VBAR_EL1: VECTORS }, BASE, 'el1', 'off'),
      machine({ VBAR_EL1: VECTORS, HCR_EL2: 1n, VTTBR_EL2: 1n << 48n }, BASE),
    ];
    for (const m of quiet) assert.equal(kernel().look(m), false);
  });

  test('by the vectors alone, once the header is not mapped any more, where it is known what was loaded', () => {
    const slide = 0x1234_2000_0000n;
    const mapped = (pa: bigint): Machine => ({
      ...machine({ VBAR_EL1: VECTORS + slide }, 0n),
      translate: (_core, _space, address) => ({
        ...machine({}, 0n).translate(0, 'el1', 1n),
        pa: address === VECTORS + slide ? pa : undefined,
      }),
    });
    const k = kernel();
    k.physical = LOADED;
    assert.equal(k.look(mapped(LOADED + 0x20_0000n)), false, 'another image');
    assert.ok(k.look(mapped(LOADED + 0x1_0800n)));
    assert.equal(k.slide, slide);
    assert.equal(kernel().look(mapped(LOADED + 0x1_0800n)), false, 'what firmware loaded has to show its header');
  });

  test('until then it is where it was loaded', () => {
    const k = kernel();
    k.physical = LOADED;
    assert.deepEqual(k.segment(), { low: BASE, high: BASE + 0x100_0000n, physical: LOADED });
  });

  test('a program is a kernel by symbols that only a kernel has', () => {
    const all = ['_text', 'vectors', 'start_kernel', '_end'].map((name, i) => symbol(name, BASE + BigInt(i * 0x1000)));
    assert.deepEqual([kernelOf(all)?.base, kernelOf(all)?.size], [BASE, 0x3000n]);
    for (const missing of all) assert.equal(kernelOf(all.filter((s) => s !== missing)), undefined, missing.name);
  });
});
