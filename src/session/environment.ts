/**
 * What names mean in a frame: C variables first, then registers, then symbols; `$name` is always a register or one of the
 * debugger's own values. Reading never has an effect; writing goes to every copy of the bytes.
 */
import { UserError } from '../base/errors';
import type { CoreView, Machine, Space } from '../machine/api';
import {
  type CType,
  type DebugInfo,
  type FormatOptions,
  frameScope,
  isMissing,
  type PathScope,
  readInteger,
  resolvePath,
  sizeOf,
  strip,
  type ValueNode,
  valueNode,
  type WritablePort,
} from '../program';
import { spaceOfEl } from './addressReference';
import {
  type Environment,
  evaluate,
  type PointerMath,
  type RegisterAccess,
  type Result,
  type Scalar,
  scalar,
  toBytes,
} from './expressions/evaluate';
import { ExpressionError, parseExpression } from './expressions/syntax';
import { DWARF_V0, type Frame, type Stack } from './frames';
import { modelValue } from './model/values';
import { canWrite, registerNamed } from './registers';
import type { Target } from './target';
import { asidOf, vmidOf } from './translationIds';

export class FrameEnvironment implements Environment {
  readonly core: CoreView;
  private readonly debug: DebugInfo | undefined;
  private scope: PathScope | undefined;

  constructor(
    private readonly machine: Machine,
    readonly target: Target,
    private readonly stack: Stack,
    readonly frame: Frame,
    private readonly specials: Readonly<Record<string, bigint>> = {},
    private readonly format: FormatOptions = {},
  ) {
    this.core = machine.cores[frame.core];
    this.debug = frame.exception === undefined ? target.debugAt(frame.lookup) : undefined;
  }

  /** The same, with values shown another way. */
  withFormat(format: FormatOptions): FrameEnvironment {
    return new FrameEnvironment(this.machine, this.target, this.stack, this.frame, this.specials, format);
  }

  get port(): WritablePort {
    const { frame, core, machine } = this;
    return {
      ...this.stack.port(frame),
      writeRegister(n, value) {
        const vector = n - DWARF_V0;
        if (!canWrite(frame) || (n > 31 && !(vector >= 0 && vector < 32))) return false;
        if (frame.guest !== undefined) n <= 31 ? frame.guest.setGeneral(n, value) : frame.guest.setV(vector, value);
        else if (n <= 31) core.setX(n, value);
        else core.setV(vector, value);
        return true;
      },
      writeMemory: (address, bytes) => machine.poke(frame.core, spaceOfEl(frame.el), address, bytes) === bytes.length,
    };
  }

  get options(): FormatOptions {
    return { symbolAt: (address) => this.target.describe(address), ...this.format };
  }

  private get names(): PathScope | undefined {
    if (this.debug) this.scope ??= frameScope(this.debug, this.frame.lookup, this.port, this.frame.level);
    return this.scope;
  }

  register(name: string): RegisterAccess | undefined {
    return registerNamed(this.core, this.frame, name);
  }

  special(name: string): Scalar | undefined {
    const own: Readonly<Record<string, bigint>> = {
      core: BigInt(this.frame.core),
      el: BigInt(this.frame.el),
      instructions: BigInt(this.core.instructions()),
      asid: BigInt(asidOf(this.core) ?? 0),
      vmid: BigInt(vmidOf(this.core) ?? 0),
    };
    const value = Object.hasOwn(this.specials, name)
      ? this.specials[name]
      : Object.hasOwn(own, name)
        ? own[name]
        : undefined;
    return value === undefined ? undefined : { value, size: 8, signed: false };
  }

  modelled(name: string): bigint | string | undefined {
    return modelValue(this.machine, this.target, this.core, this.frame, name);
  }

  isVariable(name: string): boolean {
    if (this.names?.variable(name) !== undefined) return true;
    // A global of another file still is one, unless a register has its name.
    return this.register(name) === undefined && this.global(name) !== undefined;
  }

  private global(name: string): DebugInfo | undefined {
    return this.target.modules.find((m) => m.debug.globalsNamed(name).length > 0)?.debug;
  }

  object(path: string): ValueNode | string {
    const name = /[A-Za-z_$][\w$]*/.exec(path)?.[0] ?? '';
    const debug = this.names?.variable(name) ? undefined : this.global(name);
    const scope = debug ? frameScope(debug, this.frame.lookup, this.port) : this.names;
    if (scope === undefined) return 'there is no debug information here';
    try {
      const object = resolvePath({ ...scope, integer: (other) => this.integer(other) }, path);
      return valueNode(path, object, this.port, this.options, path);
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
  }

  /** A register or a symbol in a C path: `(struct frame *)x0`. */
  private integer(name: string): { readonly value: bigint; readonly size: number } | undefined {
    const access = this.register(name.replace(/^\$/, ''));
    if (access !== undefined) {
      const value = access.read();
      return value === undefined ? undefined : { value, size: access.size };
    }
    const address = name.startsWith('$') ? undefined : this.symbol(name);
    return address === undefined ? undefined : { value: address, size: 8 };
  }

  pointer(node: ValueNode): PointerMath | undefined {
    const type = strip(node.object.type);
    const element = type.kind === 'array' ? type.element : type.kind === 'pointer' ? type.target : undefined;
    const from = element === undefined ? undefined : this.scalarOf(node)?.value;
    if (element === undefined || from === undefined) return undefined;
    const step = BigInt(sizeOf(element) || 1);
    const pointerType: CType = { kind: 'pointer', flavour: 'pointer', size: 8, target: element };
    return {
      step,
      moved: (by, text) => {
        const bytes = toBytes(from + by * step, 8);
        const object = { type: pointerType, location: { kind: 'value' as const, bytes }, offset: 0 };
        return valueNode(text, object, this.port, this.options, `(${text})`);
      },
    };
  }

  scalarOf(node: ValueNode): Scalar | undefined {
    const type = strip(node.object.type);
    if (type.kind === 'array') {
      return node.address === undefined ? undefined : { value: node.address, size: 8, signed: false };
    }
    const value = readInteger(node.object, this.port);
    if (isMissing(value) || (type.kind === 'base' && type.encoding === 'float')) return undefined;
    const size = Math.min(8, Math.max(1, sizeOf(type)));
    const signed = value < 0n || (type.kind === 'base' && /^(signed|char)$/.test(type.encoding));
    return { value, size, signed };
  }

  sizeOf(type: CType): number {
    return sizeOf(type);
  }

  symbol(name: string): bigint | undefined {
    return this.target.symbols.resolve(name)[0];
  }

  memory(core: number | undefined, space: Space, address: bigint, size: number): Uint8Array | undefined {
    const index = core ?? this.frame.core;
    if (index >= this.machine.cores.length) throw new ExpressionError(`there is no core ${index}`);
    // Without a space and core, addresses mean what they mean to the frame's program.
    const where = space === 'va' && core === undefined ? spaceOfEl(this.frame.el) : space;
    const bytes = this.machine.peek(index, where, address, size);
    return bytes.length === size ? bytes : undefined;
  }

  writeMemory(core: number | undefined, space: Space, address: bigint, bytes: Uint8Array): boolean {
    const index = core ?? this.frame.core;
    if (index >= this.machine.cores.length) throw new ExpressionError(`there is no core ${index}`);
    const where = space === 'va' && core === undefined ? spaceOfEl(this.frame.el) : space;
    return this.machine.poke(index, where, address, bytes) === bytes.length;
  }

  /** Parses and evaluates. @throws ExpressionError */
  evaluate(text: string): Result {
    return evaluate(parseExpression(text), this);
  }

  /** @throws ExpressionError */
  number(text: string): bigint {
    const result = this.evaluate(text);
    if (result.kind === 'text') throw new ExpressionError(`${text} is no number`);
    if (result.kind !== 'object') return result.scalar.value;
    const value = this.scalarOf(result.node);
    if (value === undefined) throw new ExpressionError(`${text} is no number`);
    return value.value;
  }

  /** The integer of a parsed expression. @throws ExpressionError */
  scalar(tree: Parameters<typeof scalar>[0]): Scalar {
    return scalar(tree, this);
  }
}
