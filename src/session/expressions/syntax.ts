/**
 * The expression language of conditions, log points, watch and the debug console: C's operators on integers, registers
 * (`x0`, `$x0`, `SCTLR_EL1.M`), symbols, memory (`pa:0x40000000.w`, `icache:(pc + 4).w`) and C objects (`p->next[2].x`). This
 * file turns text into a tree; nothing is looked up here.
 */
import type { Space } from '../../machine/api';
import { spaces } from '../addressReference';

export type Expression =
  | { readonly kind: 'number'; readonly value: bigint }
  /** A text in quotation marks, to compare names with. */
  | { readonly kind: 'text'; readonly text: string }
  /** A name with what follows it: `text` is the source from the name on, `fields` the `.name` parts if there are no others. */
  | {
      readonly kind: 'path';
      readonly name: string;
      readonly text: string;
      readonly fields: readonly string[] | undefined;
    }
  | {
      readonly kind: 'memory';
      readonly core: number | undefined;
      readonly space: Space;
      readonly address: Expression;
      readonly size: 1 | 2 | 4 | 8;
    }
  /** A cast, `sizeof`, or what follows a parenthesis as `->x`: text for the debug information. */
  | { readonly kind: 'object'; readonly text: string }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression; readonly text: string }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly text: string;
    }
  | {
      readonly kind: 'conditional';
      readonly condition: Expression;
      readonly then: Expression;
      readonly otherwise: Expression;
    };
export type UnaryOperator = '-' | '~' | '!' | '*' | '&';
export type BinaryOperator = (typeof levels)[number][number];

/** Binary operators, weakest first. */
const levels = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
] as const;
const MAX_DEPTH = 100;

/** A mistake in an expression; the message is one line for the user. */
export class ExpressionError extends Error {}

interface Token {
  readonly kind: 'number' | 'text' | 'name' | 'space' | 'sign' | 'end';
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const TOKENS = new RegExp(
  [
    String.raw`(?<space>(?:core\d+\/)?(?:${spaces.join('|')}):(?=[\s(0-9$A-Za-z_]))`,
    String.raw`(?<number>0[xX][0-9a-fA-F_]+|0[bB][01_]+|\d[\d_]*|'(?:[^'\\]|\\.)')`,
    `(?<text>"[^"]*")`,
    String.raw`(?<name>[A-Za-z_$][\w$]*)`,
    String.raw`(?<sign>->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>()\[\].?:])`,
  ].join('|'),
  'y',
);

function tokens(source: string): Token[] {
  const list: Token[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(source[at] ?? '')) at++;
    if (at >= source.length) break;
    TOKENS.lastIndex = at;
    const match = TOKENS.exec(source);
    if (match?.groups === undefined) throw new ExpressionError(`unexpected "${source[at]}"`);
    const kind =
      (['space', 'number', 'text', 'name', 'sign'] as const).find((k) => match.groups?.[k] !== undefined) ?? 'sign';
    list.push({ kind, text: match[0], start: at, end: at + match[0].length });
    at = TOKENS.lastIndex;
  }
  list.push({ kind: 'end', text: 'the end', start: source.length, end: source.length });
  return list;
}

const escapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, '0': 0, a: 7, b: 8, f: 12, v: 11 };

function numberOf(text: string): bigint {
  if (text.startsWith("'")) {
    const body = text.slice(1, -1);
    return BigInt(body[0] === '\\' ? (escapes[body[1]] ?? body.charCodeAt(1)) : (body.codePointAt(0) ?? 0));
  }
  let value: bigint;
  try {
    value = BigInt(text.replaceAll('_', ''));
  } catch {
    throw new ExpressionError(`"${text}" is not a number`);
  }
  // SIMD&FP registers have 128 bits; a longer decimal number is rather a slip.
  const most = /^0x/i.test(text) ? 128 : 64;
  if (value >> BigInt(most) !== 0n) throw new ExpressionError(`${text} has more than ${most} bits`);
  return value;
}

/** What a type in C may begin with, besides the name of a `typedef`. */
const TYPE_WORDS = new Set(
  'struct union enum class const volatile void bool _Bool char short int long signed unsigned float double'.split(' '),
);

const sizes: Readonly<Record<string, 1 | 2 | 4 | 8>> = { b: 1, h: 2, w: 4, x: 8 };

class Parser {
  private readonly list: Token[];
  private at = 0;
  private depth = 0;

  constructor(private readonly source: string) {
    this.list = tokens(source);
  }

  whole(): Expression {
    if (this.list.length === 1) throw new ExpressionError('there is no expression');
    const tree = this.conditional();
    const rest = this.peek();
    if (rest.kind !== 'end') throw new ExpressionError(`unexpected "${rest.text}"`);
    return tree;
  }

  private peek(): Token {
    return this.list[this.at];
  }
  private next(): Token {
    const token = this.list[this.at];
    if (token.kind !== 'end') this.at++;
    return token;
  }
  private takes(sign: string): boolean {
    const token = this.peek();
    if (token.kind !== 'sign' || token.text !== sign) return false;
    this.at++;
    return true;
  }
  private expects(sign: string): void {
    if (!this.takes(sign)) throw new ExpressionError(`"${sign}" expected instead of "${this.peek().text}"`);
  }

  private conditional(): Expression {
    const condition = this.binary(0);
    if (!this.takes('?')) return condition;
    const then = this.nested();
    this.expects(':');
    return { kind: 'conditional', condition, then, otherwise: this.nested() };
  }

  private nested(): Expression {
    if (++this.depth > MAX_DEPTH) throw new ExpressionError('the expression is nested too deeply');
    const tree = this.conditional();
    this.depth--;
    return tree;
  }

  private textSince(start: number): string {
    return this.source.slice(start, this.list[this.at - 1].end);
  }

  private binary(level: number): Expression {
    if (level === levels.length) return this.unary();
    const { start } = this.peek();
    let left = this.binary(level + 1);
    for (;;) {
      const operator = levels[level].find((sign) => this.takes(sign));
      if (operator === undefined) return left;
      const right = this.binary(level + 1);
      left = { kind: 'binary', operator, left, right, text: this.textSince(start) };
    }
  }

  private unary(): Expression {
    if (++this.depth > MAX_DEPTH) throw new ExpressionError('the expression is nested too deeply');
    const start = this.peek().start;
    const operator = (['-', '~', '!', '*', '&'] as const).find((sign) => this.takes(sign));
    if (operator === undefined) {
      const primary = this.primary();
      this.depth--;
      return primary;
    }
    const operand = this.unary();
    this.depth--;
    return { kind: 'unary', operator, operand, text: this.textSince(start) };
  }

  private primary(): Expression {
    const token = this.next();
    if (token.kind === 'number') return { kind: 'number', value: numberOf(token.text) };
    if (token.kind === 'text') return { kind: 'text', text: token.text.slice(1, -1) };
    if (token.kind === 'name' && token.text === 'sizeof') return this.sizeOf(token);
    if (token.kind === 'name') return this.path(token);
    if (token.kind === 'space') return this.memory(token);
    if (token.kind === 'sign' && token.text === '(') return this.parenthesis(token);
    throw new ExpressionError(token.kind === 'end' ? 'the expression ends too early' : `unexpected "${token.text}"`);
  }

  private parenthesis(open: Token): Expression {
    if (this.skipsType()) {
      this.unary();
      return { kind: 'object', text: this.textSince(open.start) };
    }
    const inner = this.conditional();
    this.expects(')');
    const { at } = this;
    this.suffix();
    return this.at === at ? inner : { kind: 'object', text: this.textSince(open.start) };
  }

  /** `type *)` of a cast, after its parenthesis: told from an expression by its form, as nothing is looked up here. */
  private skipsType(alone = false): boolean {
    const start = this.at;
    const words: string[] = [];
    while (this.peek().kind === 'name') words.push(this.next().text);
    let stars = 0;
    while (this.takes('*')) stars++;
    const closed = words.length > 0 && this.takes(')');
    const { kind, text } = this.peek();
    const sure = words.length > 1 || stars > 0 || TYPE_WORDS.has(words[0]);
    const operand = kind === 'name' || kind === 'number' || kind === 'space' || text === '(';
    if (closed && (sure || (operand && !alone))) return true;
    this.at = start;
    return false;
  }

  private sizeOf(token: Token): Expression {
    const { at } = this;
    if (!(this.takes('(') && this.skipsType(true))) {
      this.at = at;
      this.unary();
    }
    return { kind: 'object', text: this.textSince(token.start) };
  }

  private path(name: Token): Expression {
    const fields = this.suffix();
    return { kind: 'path', name: name.text, text: this.textSince(name.start), fields };
  }

  /** `.x`, `->x` and `[i]`: the names if all are `.x`. */
  private suffix(): readonly string[] | undefined {
    let fields: string[] | undefined = [];
    for (;;) {
      if (this.takes('.')) {
        const field = this.next();
        if (field.kind !== 'name') throw new ExpressionError(`a name is expected after "."`);
        fields?.push(field.text);
      } else if (this.takes('->')) {
        fields = undefined;
        if (this.next().kind !== 'name') throw new ExpressionError(`a name is expected after "->"`);
      } else if (this.takes('[')) {
        fields = undefined;
        this.conditional();
        this.expects(']');
      } else return fields;
    }
  }

  private memory(token: Token): Expression {
    const match = /^(?:core(\d+)\/)?(\w+):$/.exec(token.text);
    const space = spaces.find((s) => s === match?.[2]) ?? 'va';
    const core = match?.[1] === undefined ? undefined : Number(match[1]);
    const first = this.next();
    let address: Expression;
    if (first.kind === 'number') address = { kind: 'number', value: numberOf(first.text) };
    else if (first.kind === 'name') address = { kind: 'path', name: first.text, text: first.text, fields: [] };
    else if (first.kind === 'sign' && first.text === '(') {
      address = this.conditional();
      this.expects(')');
    } else throw new ExpressionError(`an address is expected after "${token.text}"`);
    let size: 1 | 2 | 4 | 8 = 8;
    if (this.takes('.')) {
      const suffix = this.next().text;
      if (!Object.hasOwn(sizes, suffix)) throw new ExpressionError(`size .b, .h, .w or .x expected, not ".${suffix}"`);
      size = sizes[suffix];
    }
    return { kind: 'memory', core, space, address, size };
  }
}

/** @throws ExpressionError */
export const parseExpression = (source: string): Expression => new Parser(source).whole();
