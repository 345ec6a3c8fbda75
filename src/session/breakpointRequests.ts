/** DAP's breakpoint requests: from lines, names, references and data to places, and back to what the client shows. */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import type { Machine } from '../machine/api';
import type { LineLocation } from '../program';
import { addOffset, formatReference, parseReference } from './addressReference';
import { type Breakpoint, type BreakpointStore, type Place, verified, type Wanted } from './breakpoints';
import type { FrameEnvironment } from './environment';
import { ExpressionError } from './expressions/syntax';
import { sourceOf } from './sourcePaths';
import type { Target } from './target';

interface Conditions {
  readonly condition?: string;
  readonly hitCondition?: string;
}
type Access = 'read' | 'write' | 'readWrite';

/** Breakpoints by virtual address (the default), or wherever the code lies in physical memory. */
export const breakpointModes: Dap.BreakpointMode[] = [
  {
    mode: 'virtual',
    label: 'Virtual address',
    description: 'Compares the PC, whatever is mapped there',
    appliesTo: ['source', 'instruction'],
  },
  {
    mode: 'physical',
    label: 'Physical address',
    description: 'Compares the physical address of the instruction, in every address space',
    appliesTo: ['source', 'instruction'],
  },
];

const MAX_DATA_BYTES = 4096;

export class BreakpointRequests {
  constructor(
    private readonly machine: Machine,
    private readonly target: Target,
    private readonly store: BreakpointStore,
  ) {}

  /** By group, what was set last. */
  private readonly remembered = new Map<string, (by: BreakpointRequests) => Dap.Breakpoint[]>();

  /** Sets everything that was set in `other`. */
  replay(other: BreakpointRequests): Dap.Breakpoint[] {
    return [...other.remembered.values()].flatMap((set) => set(this));
  }

  /** Sets everything again, at the places that it has now. */
  again(): Dap.Breakpoint[] {
    return this.replay(this);
  }

  private places(address: bigint, mode: string | undefined): Place[] {
    if (this.target.model?.at(address)) return [{ space: 'va', address, el: 2 }];
    if (mode === 'physical') return [{ space: 'pa', address: this.target.physicalAddress(address) }];
    const unplaced = this.target.unplaced(address);
    if (unplaced !== undefined) return [{ space: 'pa', address: unplaced }];
    return this.target.runAddresses(address).map((at) => ({ space: 'va', address: at }));
  }

  private report(breakpoint: Breakpoint, more: Partial<Dap.Breakpoint> = {}): Dap.Breakpoint {
    const first = breakpoint.places[0];
    return {
      id: breakpoint.id,
      verified: verified(breakpoint),
      ...(breakpoint.problem === undefined ? {} : { message: breakpoint.problem, reason: 'failed' }),
      ...(first === undefined ? {} : { instructionReference: formatReference({ core: undefined, ...first }) }),
      ...more,
    };
  }

  /** The place for a line, or for a column of it that was offered, in the first program that has it. */
  private locate(client: string, line: number, column?: number): LineLocation | undefined {
    const path = this.target.programPath(client);
    for (const module of this.target.modules) {
      const offered = column ? module.debug.lines.breakpointLocations(path, line, line) : [];
      const found = offered.find((place) => place.column === column) ?? module.debug.lines.locate(path, line);
      if (found) return found;
    }
    return undefined;
  }

  setSource(
    path: string,
    list: readonly (Conditions & { line: number; column?: number; logMessage?: string; mode?: string })[],
  ): Dap.Breakpoint[] {
    this.remembered.set(`source:${path}`, (by) => by.setSource(path, list));
    const located = list.map((wanted) => this.locate(path, wanted.line, wanted.column));
    const known = this.target.modules.some((m) => m.debug.lines.match(this.target.programPath(path)).length > 0);
    const problem = known ? 'there is no code from this line on' : 'no program that is loaded was made from this file';
    const wanted = list.map(({ condition, hitCondition, logMessage, mode, line, column }, i): Wanted => {
      const addresses = located[i]?.addresses ?? [];
      const places = addresses.flatMap((address) => this.places(address, mode));
      const common = { key: `${line}:${column ?? ''}${mode ?? ''}`, condition, hitCondition, logMessage, places };
      return addresses.length === 0 ? { ...common, problem } : common;
    });
    const made = this.store.set(`source:${path}`, 'source', wanted);
    return made.map((breakpoint, i) => {
      const { line, column } = located[i] ?? { line: list[i].line, column: 0 };
      return this.report(breakpoint, { line, source: { path }, ...(column > 0 ? { column } : {}) });
    });
  }

  /** Breakpoints on steps of the hypervisor model, in a file of its. */
  setModelSource(
    file: number,
    list: readonly (Conditions & { line: number; logMessage?: string })[],
  ): Dap.Breakpoint[] {
    this.remembered.set(`model:${file}`, (by) => by.setModelSource(file, list));
    const located = list.map(({ line }) => this.target.model?.locate(file, line));
    const wanted = list.map(({ line, condition, hitCondition, logMessage }, i): Wanted => {
      const common = { key: `${line}`, condition, hitCondition, logMessage };
      const found = located[i];
      if (found === undefined) return { ...common, problem: 'there is no step from this line on' };
      return { ...common, places: this.places(found.address, undefined) };
    });
    const source = this.target.model?.source(file);
    const made = this.store.set(`model:${file}`, 'source', wanted);
    return made.map((breakpoint, i) => this.report(breakpoint, { line: located[i]?.line ?? list[i].line, source }));
  }

  setFunctions(list: readonly (Conditions & { name: string })[]): Dap.Breakpoint[] {
    this.remembered.set('function', (by) => by.setFunctions(list));
    const wanted = list.map(({ name, ...conditions }): Wanted => {
      const addresses = this.target.functionAddresses(name);
      const places = addresses.flatMap((address) => this.places(address, undefined));
      const common = { key: name, ...conditions, places };
      return addresses.length === 0 ? { ...common, problem: `there is no symbol "${name}"` } : common;
    });
    const made = this.store.set('function', 'function', wanted);
    return made.map((breakpoint) => {
      const entry = breakpoint.places[0] && this.target.sourceAt(breakpoint.places[0].address);
      return this.report(breakpoint, entry ? { line: entry.line, source: sourceOf(entry) } : {});
    });
  }

  setInstructions(
    list: readonly (Conditions & { instructionReference: string; offset?: number; mode?: string })[],
  ): Dap.Breakpoint[] {
    this.remembered.set('instruction', (by) => by.setInstructions(list));
    const wanted = list.map(({ instructionReference, offset, mode, ...conditions }): Wanted => {
      const reference = parseReference(instructionReference);
      const key = `${instructionReference}+${offset ?? 0}${mode ?? ''}`;
      if (reference === undefined) return { key, ...conditions, problem: `"${instructionReference}" is no address` };
      const address = addOffset(reference.address, offset ?? 0);
      if ((address & 3n) !== 0n) return { key, ...conditions, problem: 'instructions are aligned to 4 bytes' };
      if (reference.space === 'ipa') return { key, ...conditions, problem: 'give a virtual or a physical address' };
      const physical = mode === 'physical' || ['pa', 'pou', 'poc'].includes(reference.space);
      return { key, ...conditions, places: [{ space: physical ? 'pa' : 'va', address }] };
    });
    return this.store.set('instruction', 'instruction', wanted).map((breakpoint) => this.report(breakpoint));
  }

  setData(list: readonly (Conditions & { dataId: string; accessType?: Access })[]): Dap.Breakpoint[] {
    this.remembered.set('data', (by) => by.setData(list));
    const wanted = list.map(({ dataId, accessType, ...conditions }): Wanted => {
      const match = /^(va|pa):(0x[0-9a-f]+)\/(\d+)$/.exec(dataId);
      const key = `${dataId} ${accessType ?? 'write'}`;
      if (match === null) return { key, ...conditions, problem: `"${dataId}" is no data of this session` };
      const space = match[1] === 'pa' ? 'pa' : 'va';
      const place = {
        space,
        address: BigInt(match[2]),
        size: Number(match[3]),
        access: accessType ?? 'write',
      } as const;
      return { key, ...conditions, data: place };
    });
    return this.store.set('data', 'data', wanted).map((breakpoint) => this.report(breakpoint));
  }

  /** What a data breakpoint on an expression, a variable or an address would watch. */
  dataInfo(env: FrameEnvironment, name: string, bytes: number | undefined, asAddress: boolean) {
    const found = this.dataPlace(env, name, bytes, asAddress);
    if (typeof found === 'string') return { dataId: null, description: found };
    const { space, address, size } = found;
    if (size < 1 || size > MAX_DATA_BYTES) {
      return { dataId: null, description: `${size} bytes cannot be watched: 1 to ${MAX_DATA_BYTES} can` };
    }
    const where = `${space === 'pa' ? 'pa:' : ''}0x${address.toString(16)}`;
    return {
      dataId: `${space}:0x${address.toString(16)}/${size}`,
      description: asAddress ? `${where}, ${size} bytes` : `${name} (${where}, ${size} bytes)`,
      accessTypes: ['read', 'write', 'readWrite'] as Access[],
      canPersist: true,
    };
  }

  private dataPlace(
    env: FrameEnvironment,
    name: string,
    bytes: number | undefined,
    asAddress: boolean,
  ): { space: 'va' | 'pa'; address: bigint; size: number } | string {
    const reference = parseReference(name);
    if (reference) {
      const { space, address } = reference;
      if (space === 'ipa') return 'an IPA cannot be watched: give a virtual or a physical address';
      return { space: ['pa', 'pou', 'poc'].includes(space) ? 'pa' : 'va', address, size: bytes ?? 8 };
    }
    try {
      const result = env.evaluate(name);
      if (asAddress) return { space: 'va', address: BigInt.asUintN(64, env.number(name)), size: bytes ?? 8 };
      if (result.kind === 'object') {
        const { address, object, display } = result.node;
        if (address === undefined) return `${name} is not in memory (${display})`;
        return { space: 'va', address, size: bytes ?? env.sizeOf(object.type) };
      }
      if (result.kind === 'symbol') return { space: 'va', address: result.scalar.value, size: bytes ?? 8 };
      if (result.kind === 'memory') {
        const { space, address, scalar } = result;
        return { space: space === 'pa' ? 'pa' : 'va', address, size: bytes ?? scalar.size };
      }
      return `${name} is not in memory`;
    } catch (error) {
      if (error instanceof ExpressionError) return error.message;
      throw error;
    }
  }

  locations(source: Dap.Source, line: number, endLine: number | undefined): Dap.BreakpointLocation[] {
    const { model } = this.target;
    const file = model?.fileOf(source);
    if (model && file !== undefined) return model.linesIn(file, line, endLine ?? line).map((at) => ({ line: at }));
    const { path: client } = source;
    if (client === undefined) return [];
    const path = this.target.programPath(client);
    for (const { debug } of this.target.modules) {
      const found = debug.lines.breakpointLocations(path, line, endLine ?? line);
      if (found.length > 0) return found.map((f) => ({ line: f.line, ...(f.column > 0 ? { column: f.column } : {}) }));
    }
    return [];
  }

  /** Where the PC may be set for a line. */
  gotoTargets(path: string, line: number): { label: string; line: number; address: bigint }[] {
    const found = this.locate(path, line);
    const addresses = found?.addresses ?? [];
    const describe = (address: bigint): string => this.target.describe(address) ?? `0x${address.toString(16)}`;
    return addresses.map((address) => ({ label: describe(address), line: found?.line ?? line, address }));
  }

  /** True when the machine could fetch there: for goto. */
  mapped(core: number, address: bigint): boolean {
    return (address & 3n) === 0n && this.machine.peek(core, 'va', address, 4).length === 4;
  }
}
