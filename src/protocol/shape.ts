/**
 * Shapes of message parameters: each value both checks an unknown input at run time and gives its TypeScript type, so that a
 * row of the protocol table states its parameters once. A failed check names the place and what was expected.
 */

/** Checks a value; the type parameter is what a checked value is. */
export interface Shape<T> {
  /** Undefined when `value` has the shape, otherwise one line: `startFrame must be a number`. */
  check(value: unknown, path: string): string | undefined;
  /** As TypeScript says it, for documentation: `'I' | 'D'`, `{ core: number, start?: number }`. */
  readonly form: string;
  readonly optional?: boolean;
  /** Never present: carries the type. */
  readonly type?: T;
}
/** The type that a shape describes. */
export type TypeOf<S> = S extends Shape<infer T> ? T : never;

type OptionalKeys<F> = { [K in keyof F]: F[K] extends { readonly optional: true } ? K : never }[keyof F];
/** The type of `object(fields)`: optional fields may be left out. */
export type ObjectOf<F> = { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: TypeOf<F[K]> } & {
  readonly [K in OptionalKeys<F>]?: TypeOf<F[K]>;
};

const expected = (path: string, what: string): string => `${path === '' ? 'the arguments' : path} must be ${what}`;
const primitive = <T>(name: string, what: string): Shape<T> => ({
  form: name,
  check: (value, path) => (typeof value === name ? undefined : expected(path, what)),
});

export const text: Shape<string> = primitive('string', 'a string');
export const flag: Shape<boolean> = primitive('boolean', 'true or false');
/** Any JSON value. */
export const anything: Shape<unknown> = { form: 'unknown', check: () => undefined };

/** A whole number that a double holds exactly; negative ones only when said so. */
export const integer: Shape<number> = {
  form: 'number',
  check: (value, path) => (Number.isSafeInteger(value) ? undefined : expected(path, 'a whole number')),
};
export const count: Shape<number> = {
  form: 'number',
  check: (value, path) =>
    Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : expected(path, 'a whole number of at least 0'),
};

export const oneOf = <const T extends string>(...values: readonly T[]): Shape<T> => ({
  form: values.map((value) => `'${value}'`).join(' | '),
  check: (value, path) =>
    (values as readonly unknown[]).includes(value) ? undefined : expected(path, `one of ${values.join(', ')}`),
});

export const listOf = <T>(item: Shape<T>): Shape<readonly T[]> => ({
  form: / \| /.test(item.form) ? `(${item.form})[]` : `${item.form}[]`,
  check(value, path) {
    if (!Array.isArray(value)) return expected(path, 'a list');
    for (const [i, element] of value.entries()) {
      const problem = item.check(element, `${path}[${i}]`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  },
});

/** The field may be missing, undefined or null. */
export const maybe = <T>(shape: Shape<T>): Shape<T> & { readonly optional: true } => ({
  form: shape.form,
  check: (value, path) => (value === undefined || value === null ? undefined : shape.check(value, path)),
  optional: true,
});

/** An object with at least these fields; further ones are let through (DAP clients may add some). */
export const object = <F extends Readonly<Record<string, Shape<unknown>>>>(fields: F): Shape<ObjectOf<F>> => ({
  form: `{ ${Object.entries(fields)
    .map(([name, shape]) => `${name}${shape.optional ? '?' : ''}: ${shape.form}`)
    .join(', ')} }`,
  check(value, path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return expected(path, 'an object');
    const record = value as Readonly<Record<string, unknown>>;
    for (const [name, shape] of Object.entries(fields)) {
      const problem = shape.check(record[name], path === '' ? name : `${path}.${name}`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  },
});

/** No parameters: a missing object is fine. */
export const nothing: Shape<object> = {
  form: '',
  check: (value, path) =>
    value === undefined || value === null || typeof value === 'object' ? undefined : expected(path, 'an object'),
};
