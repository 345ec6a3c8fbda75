/**
 * Code that is generated after the start: handlers of rows when one is first decoded, routines that they call, pairs. What is
 * wanted is collected, then becomes one module, as a module costs more than many functions. The host's table gets the result.
 */
import { bug } from '../base/errors';
import { type Routine, routines } from '../isa/sem';
import { type FunctionType, ModuleBuilder } from '../wasm/module';
import { gotoTypedSignature, handlerSignature, importNames, importSignature } from './interpreter';
import type { GeneratedNames } from './stateContext';
import { FPCR_OFFSET, FPSR_OFFSET } from './vectorContext';

/** What later modules need of the main one. */
export interface LaterHost {
  /** Imports of the main module, its `goto` and `gotoTyped`, `load`, `store` and its table. */
  readonly env: Readonly<Record<string, unknown>>;
  readonly shape: { readonly pages: number; readonly unitLog2: number; readonly tableMask: number };
  instantiate(bytes: Uint8Array, imports: Record<string, Record<string, unknown>>): Record<string, unknown>;
  readonly table: { readonly length: number; set(index: number, value: unknown): void; grow(by: number): void };
}

const known = (name: string): Routine => routines[name] ?? bug(`routine ${name}`);
const routineType = ({ params, result }: Routine): FunctionType => ({ params, results: [result] });
const routineBody = (name: string, index: (routine: string) => number): number[] =>
  known(name).body({ fpcr: FPCR_OFFSET, fpsr: FPSR_OFFSET }, index);

/** A routine and those that it calls, each once, callees first. */
function withCallees(name: string, into: Set<string>): void {
  if (into.has(name)) return;
  routineBody(name, (other) => {
    withCallees(other, into);
    return 0;
  });
  into.add(name);
}

/** The table grows by so many entries: every module that imports it pays for all of them. */
const GROWTH = 1024;

export class LaterCode {
  private batch: { readonly m: ModuleBuilder; readonly names: GeneratedNames } | undefined;
  private bodies: [index: number, body: readonly number[]][] = [];
  private readonly routines = new Map<string, unknown>();

  constructor(private readonly host: LaterHost) {}

  /** Code for a table entry; it is there after `flush`. */
  add(index: number, make: (names: GeneratedNames) => number[]): void {
    this.batch ??= this.begin();
    this.bodies.push([index, make(this.batch.names)]);
  }

  flush(): void {
    if (this.batch === undefined) return;
    const { m } = this.batch;
    const { bodies } = this;
    this.batch = undefined;
    this.bodies = [];
    for (const [index, body] of bodies) {
      const f = m.declare(handlerSignature);
      m.define(f, body);
      m.exportFunction(`h${index}`, f);
    }
    const exports = this.host.instantiate(m.finish(), { env: { ...this.host.env, ...this.routineImports() } });
    const { table } = this.host;
    const most = bodies.reduce((max, [index]) => Math.max(max, index), 0);
    if (most >= table.length) table.grow(Math.max(GROWTH, most + 1 - table.length));
    for (const [index] of bodies) table.set(index, exports[`h${index}`]);
  }

  private routineImports(): Record<string, unknown> {
    return Object.fromEntries([...this.routines].map(([name, f]) => [`routine.${name}`, f]));
  }

  private begin(): { readonly m: ModuleBuilder; readonly names: GeneratedNames } {
    const { shape, table } = this.host;
    const m = new ModuleBuilder();
    m.importMemory(shape.pages);
    m.importTable(table.length);
    const slow = {} as Record<(typeof importNames)[number], number>;
    for (const name of importNames) slow[name] = m.importFunction(name, importSignature(name));
    const imported = new Map<string, number>();
    const names: GeneratedNames = {
      handlerType: m.type(handlerSignature),
      goto: m.importFunction('goto', { params: ['i32', 'i32', 'i64'], results: ['i32'] }),
      gotoTyped: m.importFunction('gotoTyped', gotoTypedSignature),
      slow,
      unitLog2: shape.unitLog2,
      tableMask: shape.tableMask,
      routine: (name) => {
        this.provide(name);
        let index = imported.get(name);
        if (index === undefined) {
          index = m.importFunction(`routine.${name}`, routineType(known(name)));
          imported.set(name, index);
        }
        return index;
      },
    };
    return { m, names };
  }

  /** Makes a routine, and those that it calls, in a module of their own. */
  private provide(name: string): void {
    if (this.routines.has(name)) return;
    const { module, made } = routineModule(this.host.shape.pages, [name], new Set(this.routines.keys()));
    const exports = this.host.instantiate(module, { env: { memory: this.host.env.memory, ...this.routineImports() } });
    for (const routine of made) this.routines.set(routine, exports[`routine.${routine}`]);
  }
}

/** A module with the routines that are wanted and those that they call, but for those that exist: they are imported. */
export function routineModule(
  pages: number,
  wanted: readonly string[],
  existing: ReadonlySet<string> = new Set(),
): { readonly module: Uint8Array; readonly made: readonly string[] } {
  const all = new Set<string>();
  for (const name of wanted) withCallees(name, all);
  const made = [...all].filter((name) => !existing.has(name));
  const m = new ModuleBuilder();
  m.importMemory(pages);
  const indices = new Map<string, number>();
  for (const name of all)
    if (existing.has(name)) indices.set(name, m.importFunction(`routine.${name}`, routineType(known(name))));
  for (const name of made) indices.set(name, m.declare(routineType(known(name))));
  for (const name of made) {
    const index = indices.get(name) ?? bug(`routine ${name}`);
    m.define(
      index,
      routineBody(name, (other) => indices.get(other) ?? bug(`routine ${other}`)),
    );
    m.exportFunction(`routine.${name}`, index);
  }
  return { module: m.finish(), made };
}
