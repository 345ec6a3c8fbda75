/**
 * Generated code of atomic read-modify-write accesses: through the store entry where there is one, else a slow load that needs
 * write permission and a slow store.
 */
import { coreLayout } from '../cpu/layout';
import { type FunctionBuilder, type I32, type I64, i64, type Local, load, op64 } from '../wasm/code';

/** What this needs of the instruction's context. */
export interface AtomicHost {
  readonly code: FunctionBuilder;
  readonly core: I32;
  /** Linear-memory address of the datum where a store hits, else 0. */
  storeHost(address: Local<'i64'>, sizeLog2: number): Local<'i32'>;
  slowLoad(address: I64, sizeLog2: number): void;
  slowStore(address: I64, sizeLog2: number): void;
}

const VALUE = coreLayout.value[0];
const ACCESSES = coreLayout.accesses[0];
const reads = [load.i64u8, load.i64u16, load.i64u32, load.i64] as const;
const writes = ['i64as8', 'i64as16', 'i64as32', 'i64'] as const;
const PAIR = 4;

/** A store that the row's own counts leave out. */
function countStore({ code, core }: AtomicHost): void {
  code.store('i64', core, op64.add(load.i64(core, ACCESSES), i64(1n << 32n)), ACCESSES);
}

/** SemanticsContext.atomic. */
export function emitAtomic(
  c: AtomicHost,
  address: I64,
  sizeLog2: number,
  change: (old: I64) => I64,
  when?: (old: I64) => I32,
): Local<'i64'> {
  const { code, core } = c;
  const a = code.let(address);
  const host = c.storeHost(a, sizeLog2);
  const old = code.let(i64(0));
  code.if(
    host,
    () => code.set(old, reads[sizeLog2](host)),
    () => {
      c.slowLoad(a, sizeLog2);
      code.set(old, load.i64(core, VALUE));
    },
  );
  const write = (): void => {
    const value = code.let(change(old));
    code.if(
      host,
      () => code.store(writes[sizeLog2], host, value),
      () => {
        code.store('i64', core, value, VALUE);
        c.slowStore(a, sizeLog2);
      },
    );
    if (when) countStore(c);
  };
  if (when) code.if(when(old), write);
  else write();
  return old;
}

/** SemanticsContext.compareAndSwapPair. */
export function emitCompareAndSwapPair(
  c: AtomicHost,
  address: I64,
  expected: readonly [I64, I64],
  wanted: readonly [I64, I64],
): readonly [Local<'i64'>, Local<'i64'>] {
  const { code, core } = c;
  const a = code.let(address);
  const host = c.storeHost(a, PAIR);
  const old = [code.let(i64(0)), code.let(i64(0))] as const;
  const readBoth = (from: I32, at: number): void =>
    old.forEach((half, i) => void code.set(half, load.i64(from, at + 8 * i)));
  const writeBoth = (to: I32, at: number): void =>
    wanted.forEach((half, i) => void code.store('i64', to, half, at + 8 * i));
  code.if(
    host,
    () => readBoth(host, 0),
    () => {
      c.slowLoad(a, PAIR);
      readBoth(core, VALUE);
    },
  );
  const differs = op64.or(op64.xor(old[0], expected[0]), op64.xor(old[1], expected[1]));
  code.if(op64.eqz(differs), () => {
    code.if(
      host,
      () => writeBoth(host, 0),
      () => {
        writeBoth(core, VALUE);
        c.slowStore(a, PAIR);
      },
    );
    countStore(c);
  });
  return old;
}
