/** Builds a WebAssembly module: one builder, sections concatenated in the order that the format demands. Knows no Arm. */
import { typeCode, unsignedLeb, type ValueType } from './code';

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

const text = (s: string): number[] => {
  const bytes = Array.from(s, (c) => c.charCodeAt(0) & 0x7f);
  return [...unsignedLeb(bytes.length), ...bytes];
};

/** Imports come first in the index space: declare all of them before the first function. */
export class ModuleBuilder {
  private readonly types: string[] = [];
  private readonly typeBytes: number[][] = [];
  private readonly imports: number[][] = [];
  private readonly functionTypes: number[] = [];
  private readonly bodies: (readonly number[])[] = [];
  private readonly exports: number[][] = [];
  private importedFunctions = 0;
  private elements: readonly number[] = [];
  private tableSize = 0;
  private memory = false;

  type(t: FunctionType): number {
    const key = `${t.params}:${t.results}`;
    const known = this.types.indexOf(key);
    if (known >= 0) return known;
    const codes = (list: readonly ValueType[]): number[] => [
      ...unsignedLeb(list.length),
      ...list.map((p) => typeCode[p]),
    ];
    this.types.push(key);
    this.typeBytes.push([0x60, ...codes(t.params), ...codes(t.results)]);
    return this.types.length - 1;
  }

  /** Imports `env.memory` with at least `pages` 64 KiB pages, never growing. */
  importMemory(pages: number): void {
    this.memory = true;
    this.imports.push([...text('env'), ...text('memory'), 0x02, 0x01, ...unsignedLeb(pages), ...unsignedLeb(pages)]);
  }

  importFunction(name: string, t: FunctionType): number {
    if (this.functionTypes.length > 0) throw new Error('elscope bug: imports come before functions');
    this.imports.push([...text('env'), ...text(name), 0x00, ...unsignedLeb(this.type(t))]);
    return this.importedFunctions++;
  }

  /** Reserves a function index; its body is given later with `define`. */
  declare(t: FunctionType): number {
    this.functionTypes.push(this.type(t));
    this.bodies.push([0x00, 0x0b]);
    return this.importedFunctions + this.functionTypes.length - 1;
  }

  define(index: number, body: readonly number[]): void {
    this.bodies[index - this.importedFunctions] = body;
  }

  /** The function table: one entry per element, index 0 upwards, and room up to `size`. Exported as `table`. */
  table(functions: readonly number[], size = functions.length): void {
    this.elements = functions;
    this.tableSize = size;
    this.exports.push([...text('table'), 0x01, 0x00]);
  }

  /** Imports `env.table`, of at least `size` functions. */
  importTable(size: number): void {
    this.imports.push([...text('env'), ...text('table'), 0x01, 0x70, 0x00, ...unsignedLeb(size)]);
  }

  exportFunction(name: string, index: number): void {
    this.exports.push([...text(name), 0x00, ...unsignedLeb(index)]);
  }

  finish(): Uint8Array<ArrayBuffer> {
    const chunks: Uint8Array[] = [];
    const push = (bytes: readonly number[] | Uint8Array): void => {
      chunks.push(bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes));
    };
    const section = (id: number, items: readonly (readonly number[])[]): void => {
      if (items.length === 0) return;
      const count = unsignedLeb(items.length);
      const size = items.reduce((n, i) => n + i.length, count.length);
      push([id, ...unsignedLeb(size), ...count]);
      for (const item of items) push(item);
    };
    push([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    section(1, this.typeBytes);
    section(2, this.imports);
    section(
      3,
      this.functionTypes.map((t) => unsignedLeb(t)),
    );
    if (this.elements.length > 0) section(4, [[0x70, 0x00, ...unsignedLeb(this.tableSize)]]);
    section(7, this.exports);
    if (this.elements.length > 0) {
      section(9, [
        [0x00, 0x41, 0x00, 0x0b, ...unsignedLeb(this.elements.length), ...this.elements.flatMap((f) => unsignedLeb(f))],
      ]);
    }
    section(
      10,
      this.bodies.map((b) => [...unsignedLeb(b.length), ...b]),
    );
    const total = chunks.reduce((n, c) => n + c.length, 0);
    const out = new Uint8Array(total);
    let at = 0;
    for (const c of chunks) {
      out.set(c, at);
      at += c.length;
    }
    if (!this.memory) throw new Error('elscope bug: the module imports no memory');
    return out;
  }
}
