/**
 * The variables tree: containers that list rows when they are opened, and set one. Handles live until the guest moves or
 * something is written that may change what they hold.
 */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { hex64 } from '../base/bits';
import type { Plain } from '../hypervisor/run/routines';
import { parseNumber, setObject, type ValueNode, valueNode } from '../program';
import { RpcError } from '../protocol';
import { formatReference, spaceOfEl } from './addressReference';
import type { FrameEnvironment } from './environment';
import type { RegisterAccess, Result } from './expressions/evaluate';
import { assign } from './expressions/evaluate';
import { ExpressionError } from './expressions/syntax';
import { partsOf, plainText } from './model/values';
import { registerChildren, registerText } from './registerText';

export interface Page {
  readonly filter?: 'indexed' | 'named';
  readonly start?: number;
  readonly count?: number;
  readonly hex: boolean;
}

/** One node that can be opened. */
export interface Container {
  list(page: Page): readonly Dap.Variable[];
  /** Sets a row; throws RpcError `refused` when that is not possible. */
  set?(name: string, text: string): void;
}

export const refuse = (why: string): never => {
  throw new RpcError('refused', why);
};

/** Most rows that one answer has. */
const MOST_ROWS = 10_000;

export class VariableHandles {
  private next = 1;
  private readonly containers = new Map<number, Container>();

  add(container: Container): number {
    this.containers.set(this.next, container);
    return this.next++;
  }
  get(reference: number): Container {
    return this.containers.get(reference) ?? refuse('this variable is from before the last step: look at it again');
  }
  clear(): void {
    this.containers.clear();
  }
}

/** The level whose translation the address in a register goes through, where its name says so. */
function levelOf(register: string): number | undefined {
  const match = /^(?:VBAR|SP)_EL([123])$/.exec(register);
  return match === null ? undefined : Number(match[1]);
}

/** Turns what is known of a frame into rows. */
export class RowMaker {
  constructor(private readonly handles: VariableHandles) {}

  /** The address of a C object as a reference that stays right after the core has changed its EL. */
  private reference(env: FrameEnvironment, address: bigint | undefined, level?: number): string | undefined {
    const { core } = env.frame;
    const el = level ?? env.frame.el;
    return address === undefined ? undefined : formatReference({ core, space: spaceOfEl(el), address });
  }

  object(env: FrameEnvironment, node: ValueNode): Dap.Variable {
    const children = node.childCount > 0 ? this.handles.add(this.objectContainer(env, node)) : 0;
    const memoryReference = this.reference(env, node.memoryReference);
    return {
      name: node.name,
      value: node.display,
      type: node.typeName,
      evaluateName: node.path,
      variablesReference: children,
      ...(children === 0
        ? {}
        : node.indexed
          ? { indexedVariables: node.childCount }
          : { namedVariables: node.childCount }),
      ...(memoryReference === undefined ? {} : { memoryReference }),
    };
  }

  private objectContainer(env: FrameEnvironment, node: ValueNode): Container {
    const again = (hex: boolean): [FrameEnvironment, ValueNode] => {
      if (!hex) return [env, node];
      const other = env.withFormat({ hex });
      return [other, valueNode(node.name, node.object, other.port, other.options, node.path)];
    };
    return {
      list: ({ filter, start = 0, count = 0, hex }) => {
        if (filter !== undefined && (filter === 'indexed') !== node.indexed) return [];
        const [own, parent] = again(hex);
        const wanted = count === 0 ? parent.childCount : Math.min(count, parent.childCount - start);
        const length = Math.max(0, Math.min(MOST_ROWS, wanted));
        return Array.from({ length }, (_, i) => this.object(own, parent.child(start + i)));
      },
      set: (name, text) => {
        for (let i = 0; i < Math.min(node.childCount, MOST_ROWS); i++) {
          const child = node.child(i);
          if (child.name === name) {
            setNode(env, child, text);
            return;
          }
        }
        refuse(`there is no "${name}" here`);
      },
    };
  }

  /** A list of C variables. */
  objects(env: FrameEnvironment, nodes: (env: FrameEnvironment) => readonly ValueNode[]): Container {
    return {
      list: ({ hex }) => {
        const own = hex ? env.withFormat({ hex }) : env;
        return nodes(own).map((node) => this.object(own, node));
      },
      set: (name, text) => {
        const node = nodes(env).find((n) => n.name === name) ?? refuse(`there is no "${name}" here`);
        setNode(env, node, text);
      },
    };
  }

  register(env: FrameEnvironment, access: RegisterAccess): Dap.Variable {
    const evaluateName = access.computed ? undefined : access.name;
    const value = access.read();
    const fields = value !== undefined && access.fields !== undefined && access.fields.length > 1;
    const variablesReference = fields ? this.handles.add(this.fields(env, access, evaluateName)) : 0;
    return {
      name: access.name,
      value: value === undefined ? 'not known in this frame' : registerText(env.target, access, value),
      ...(evaluateName === undefined ? {} : { evaluateName }),
      variablesReference,
      ...(access.write === undefined ? { presentationHint: { attributes: ['readOnly'] } } : {}),
      ...(value === undefined || !/^(x\d|sp|pc|ELR|SP_|FAR|VBAR)/.test(access.name)
        ? {}
        : { memoryReference: this.reference(env, value, levelOf(access.name)) }),
    };
  }

  private fields(env: FrameEnvironment, access: RegisterAccess, evaluateName: string | undefined): Container {
    return {
      list: () =>
        registerChildren(access.name, access.read() ?? 0n, access.e2h).map(({ name, value, doc }) => ({
          name,
          value,
          type: doc,
          ...(evaluateName === undefined ? {} : { evaluateName: `${evaluateName}.${name}` }),
          variablesReference: 0,
          ...(access.write === undefined ? { presentationHint: { attributes: ['readOnly'] } } : {}),
        })),
      set: (name, text) => setResult(env, env.evaluate(`$${access.name}.${name}`), text),
    };
  }

  registers(env: FrameEnvironment, list: readonly RegisterAccess[]): Container {
    return {
      list: () => list.map((access) => this.register(env, access)),
      set: (name, text) => {
        const access = list.find((a) => a.name === name) ?? refuse(`there is no register "${name}" here`);
        setAccess(env, access, text);
      },
    };
  }

  /** The reference of a container of one's own. */
  handle(container: Container): number {
    return this.handles.add(container);
  }

  /** Plain values under names, opened part by part. */
  values(list: () => readonly (readonly [string, Plain])[]): Container {
    return {
      list: () =>
        list().map(([name, value]) => {
          const parts = partsOf(value);
          const variablesReference = parts.length === 0 ? 0 : this.handles.add(this.values(() => parts));
          return { name, value: plainText(value), variablesReference };
        }),
    };
  }

  /** Containers under names, opened one by one. */
  groups(
    list: readonly { readonly name: string; readonly value: string; readonly make: () => Container }[],
  ): Container {
    return {
      list: () => list.map(({ name, value, make }) => ({ name, value, variablesReference: this.handles.add(make()) })),
    };
  }

  /** What an expression came to. */
  result(env: FrameEnvironment, result: Result, hex: boolean): Dap.Variable {
    if (result.kind === 'object') return this.object(env, result.node);
    if (result.kind === 'register' && result.field === undefined) return this.register(env, result.access);
    if (result.kind === 'text') return { name: '', value: `"${result.text}"`, variablesReference: 0 };
    const { value, size, signed } = result.scalar;
    const digits = `0x${BigInt.asUintN(64, value).toString(16)}`;
    const plain = { name: '', variablesReference: 0 };
    if (result.kind === 'memory') {
      const { core, space, address } = result;
      const memoryReference =
        core === undefined && space === 'va'
          ? this.reference(env, address)
          : formatReference({ core: core ?? env.frame.core, space, address });
      return { ...plain, value: `0x${value.toString(16).padStart(size * 2, '0')}`, memoryReference };
    }
    if (result.kind === 'symbol') {
      return { ...plain, value: hex64(value), type: result.name, memoryReference: this.reference(env, value) };
    }
    const small = BigInt.asIntN(64, value);
    const decimal = signed || result.scalar.literal ? small.toString() : value.toString();
    return { ...plain, value: hex ? digits : small > -10n && small < 10n ? decimal : `${decimal} (${digits})` };
  }
}

/** Reads a number that the user typed, which may be any expression. */
function numberOf(env: FrameEnvironment, text: string): bigint {
  try {
    return env.number(text);
  } catch (error) {
    if (error instanceof ExpressionError) return refuse(error.message);
    throw error;
  }
}

function setNode(env: FrameEnvironment, node: ValueNode, text: string): void {
  setObject(node.object, text, env.port, (other) => {
    try {
      return parseNumber(other) ?? env.number(other);
    } catch (error) {
      if (error instanceof ExpressionError) return undefined;
      throw error;
    }
  });
}

export function setAccess(env: FrameEnvironment, access: RegisterAccess, text: string): void {
  const scalar = { value: 0n, size: access.size, signed: false };
  const problem = assign({ kind: 'register', access, scalar }, numberOf(env, text), env);
  if (problem !== undefined) refuse(problem);
}

/** Sets what an expression names. */
export function setResult(env: FrameEnvironment, result: Result, text: string): void {
  if (result.kind === 'object') {
    setNode(env, result.node, text);
    return;
  }
  const problem = assign(result, numberOf(env, text), env);
  if (problem !== undefined) refuse(problem);
}
