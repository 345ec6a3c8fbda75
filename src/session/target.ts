/**
 * What is being debugged: the machine and the program files in it, with look-ups of symbols, lines and functions by address.
 * A program may run away from where it is linked (firmware and kernels before their MMU is on): addresses inside of a segment's
 * physical range are looked up at its virtual one, and breakpoints go to both.
 */
import type { Machine } from '../machine/api';
import type { LaunchedImage } from '../machine/launch.types';
import {
  type DebugInfo,
  type ElfFile,
  type ElfSymbols,
  isElf,
  type LineEntry,
  type LinuxImage,
  openDebugInfo,
  readElf,
  readKallsyms,
  readSymbols,
  type SymbolAtAddress,
  SymbolTable,
} from '../program';
import type { SourceLine } from '../protocol';
import { Kernel, kernelOf } from './kernel';
import { ModelCode, type SourceText } from './model/code';
import { type SourceMap, SourcePaths } from './sourcePaths';

/** A program file with symbols or debug information. */
export interface Module {
  readonly id: number;
  readonly name: string;
  readonly path: string;
  readonly elf: ElfFile;
  readonly debug: DebugInfo;
  readonly loadOffset: bigint;
  readonly segments: readonly { readonly low: bigint; readonly high: bigint; readonly physical: bigint }[];
}

/** A file to take symbols from, besides the images themselves. */
export interface SymbolFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly loadOffset: bigint;
}

const PT_LOAD = 1;
/** Bytes between a function's symbol and the first instruction that its debug information knows. Linux has two NOPs. */
const PATCH_ROOM = 16n;
const mod64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const baseName = (path: string): string => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);

/** What a module is made of, before it is known where it runs. */
interface Program {
  readonly file: SymbolFile;
  readonly elf: ElfFile;
  readonly symbols: ElfSymbols;
  readonly kernel: Kernel | undefined;
}

function elfProgram(file: SymbolFile): Program {
  const elf = readElf(file.bytes, file.path);
  const symbols = readSymbols(elf);
  return { file, elf, symbols, kernel: kernelOf(symbols.symbols) };
}

/** A kernel's image by its own symbol table; undefined where it has none. */
function imageProgram({ path, data, imageSize }: LinuxImage): Program | undefined {
  const table = readKallsyms(data);
  if (table === undefined) return undefined;
  const kernel = new Kernel(table.base, BigInt(Math.max(imageSize, data.length)), table.symbols);
  const none = { bytes: new Uint8Array(), segments: [], sections: [], problems: [] };
  const elf: ElfFile = { ...none, path, type: 'executable', entry: table.base };
  const file = { path, bytes: none.bytes, loadOffset: 0n };
  return { file, elf, symbols: { symbols: table.symbols, marks: [], problems: [] }, kernel };
}

/** Every program with symbols. A kernel's debug information stands for the table in its image. */
function programsOf(images: readonly LaunchedImage[], files: readonly SymbolFile[]): Program[] {
  const own = images.filter((image) => image.kind === 'elf' && isElf(image.bytes));
  const programs = [...own, ...files].map(elfProgram);
  const linux = images.find((image) => image.linux)?.linux;
  const table = linux && !programs.some(({ kernel }) => kernel) ? imageProgram(linux.image) : undefined;
  if (table) programs.push(table);
  for (const { kernel } of programs) if (kernel) kernel.physical = linux?.address;
  return programs;
}

function moduleOf(id: number, { file, elf, kernel }: Program): Module {
  const loadOffset = kernel?.slide ?? file.loadOffset;
  const segments = elf.segments
    .filter((s) => s.type === PT_LOAD && s.memSize > 0)
    .map((s) => {
      const low = mod64(s.vaddr + loadOffset);
      return { low, high: low + BigInt(s.memSize), physical: mod64(s.paddr + loadOffset) };
    });
  return {
    id,
    name: baseName(file.path),
    path: file.path,
    elf,
    debug: openDebugInfo(elf, { loadOffset }),
    loadOffset,
    segments: kernel ? [kernel.segment()] : segments,
  };
}

export class Target {
  private readonly programs: readonly Program[];
  private readonly paths: SourcePaths;
  /** The hypervisor model's routines, where it has EL2. */
  readonly model: ModelCode | undefined;
  private placed: { readonly modules: readonly Module[]; readonly symbols: SymbolTable };

  /** @throws UserError for a symbol file that is no ELF file */
  constructor(
    readonly machine: Machine,
    images: readonly LaunchedImage[],
    symbolFiles: readonly SymbolFile[] = [],
    sourceMap: SourceMap = {},
    modelSources: readonly SourceText[] = [],
  ) {
    this.model = machine.hypervisor && new ModelCode(machine.hypervisor.table, modelSources);
    this.paths = new SourcePaths(sourceMap);
    this.programs = programsOf(images, symbolFiles);
    this.placed = this.place();
  }

  private place() {
    const modules = this.programs.map((program, i) => moduleOf(i + 1, program));
    const symbols = new SymbolTable();
    for (const [i, { name, elf, loadOffset }] of modules.entries())
      symbols.add({ name, elf, loadOffset, symbols: this.programs[i].symbols });
    return { modules, symbols };
  }

  get modules(): readonly Module[] {
    return this.placed.modules;
  }
  get symbols(): SymbolTable {
    return this.placed.symbols;
  }

  /** Looks where kernels run now. True when one was found at a new place: everything by address has changed. */
  relocate(): boolean {
    const moved = this.programs.filter(({ kernel }) => kernel?.look(this.machine)).length > 0;
    if (moved) this.placed = this.place();
    return moved;
  }

  /** The physical address of code of a kernel that has not chosen its virtual addresses yet. */
  unplaced(address: bigint): bigint | undefined {
    for (const { kernel } of this.programs) {
      if (!kernel || kernel.slide !== undefined || kernel.physical === undefined) continue;
      const { low, high, physical } = kernel.segment();
      if (address >= low && address < high) return physical + (address - low);
    }
    return undefined;
  }

  /** The address at which symbols and debug information know `pc`. */
  linked(pc: bigint): bigint {
    let moved: bigint | undefined;
    for (const { segments } of this.modules) {
      for (const { low, high, physical } of segments) {
        if (pc >= low && pc < high) return pc;
        if (pc >= physical && pc < physical + (high - low)) moved = low + (pc - physical);
      }
    }
    return moved ?? pc;
  }

  /** Where code linked at `address` may be met by a PC: there, and at its physical address before an MMU is on. */
  runAddresses(address: bigint): readonly bigint[] {
    for (const { segments } of this.modules) {
      for (const { low, high, physical } of segments) {
        if (address < low || address >= high || physical === low) continue;
        return [address, physical + (address - low)];
      }
    }
    return [address];
  }

  /** The physical address that code linked at `address` was loaded to. */
  physicalAddress(address: bigint): bigint {
    return this.runAddresses(address).at(-1) ?? address;
  }

  /** `name+0x10`, also for addresses of a program that has not been moved yet. */
  describe(address: bigint): string | undefined {
    const step = this.model?.at(address);
    if (this.model && step) return this.model.nameOf(step);
    return this.symbols.describe(this.linked(address));
  }

  symbolAt(address: bigint): SymbolAtAddress | undefined {
    return this.symbols.byAddress(this.linked(address));
  }

  /** The debug information that covers a linked address. */
  debugAt(linked: bigint): DebugInfo | undefined {
    const holding = this.modules.filter((m) => m.segments.some((s) => linked >= s.low && linked < s.high));
    const candidates = holding.length > 0 ? holding : this.modules;
    const known = candidates.find((m) => m.debug.lines.at(linked) ?? m.debug.functionAt(linked));
    return (known ?? candidates.find((m) => m.debug.unwindRow(linked)))?.debug;
  }

  lineAt(address: bigint): LineEntry | undefined {
    const linked = this.linked(address);
    const entry = this.debugAt(linked)?.lines.at(linked);
    return entry !== undefined && entry.line > 0 ? entry : undefined;
  }

  /** Where the client finds the file of a position in the code at a linked address. */
  sourcePath(linked: bigint, file: string): string {
    const debug = this.debugAt(linked);
    return this.paths.shown(file, this.modules.find((m) => m.debug === debug)?.path ?? '');
  }

  /** Source file and line of an address, as the client knows them. */
  sourceAt(address: bigint): SourceLine | undefined {
    const step = this.model?.at(address);
    if (step) return this.model?.sourceLine(step);
    const entry = this.lineAt(address);
    return entry && { path: this.sourcePath(this.linked(address), entry.file), line: entry.line };
  }

  /** Every source file with code. */
  sourceFiles(): readonly string[] {
    const files = this.modules.flatMap((m) => m.debug.lines.files().map((file) => this.paths.shown(file, m.path)));
    return [...new Set(files)].sort();
  }

  /** What the programs may call a file of the client. */
  programPath(path: string): string {
    return this.paths.inProgram(path);
  }

  /** Addresses that a name, `name+0x10` or `file.c:name` means; functions of C after their prologue. */
  functionAddresses(text: string): readonly bigint[] {
    const found = this.symbols.resolve(text);
    const steps = this.model?.named(text) ?? [];
    return [...steps, ...found.map((address) => this.bodyOf(address) ?? address)];
  }

  /**
   * The first address after the prologue of the function that begins at a linked address; undefined where none does. Room for
   * patches at its symbol (GCC's -fpatchable-function-entry) belongs to no function of the debug information.
   */
  bodyOf(linked: bigint): bigint | undefined {
    const symbol = this.symbols.byAddress(linked)?.address;
    for (let at = linked; at <= linked + PATCH_ROOM; at += 4n) {
      const debug = this.debugAt(at);
      const fn = debug?.functionAt(at);
      if (debug && fn) return fn.entry === at ? debug.afterPrologue(fn) : undefined;
      if (symbol !== linked || this.symbols.byAddress(at)?.address !== symbol) return undefined;
    }
    return undefined;
  }
}
