/** Titles of the tests in a file, read from its text, formatted as ours are, without running it. */

/** A title as it is written; where values are put in, anything may stand. */
export type Title = string | RegExp;

export const matches = (title: Title, text: string): boolean =>
  typeof title === 'string' ? title === text : title.test(text);

const QUOTED = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/.source;
const CALL = new RegExp(`^ *test\\(\\s*(?:(${QUOTED})|\`([^\`]*)\`|(\\w+)),`, 'gm');

const unquoted = (literal: string): string => literal.slice(1, -1).replace(/\\(.)/g, '$1');
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Titles of all calls of `test`: literals, templates, and names that a `for … of` takes out of the first column of rows. */
export function testTitles(text: string): Title[] {
  return [...text.matchAll(CALL)].flatMap(({ 1: literal, 2: template, 3: name, index }): Title[] => {
    if (literal !== undefined) return [unquoted(literal)];
    if (template !== undefined)
      return [
        new RegExp(
          `^${template
            .split(/\$\{[^}]*\}/)
            .map(escaped)
            .join('.+')}$`,
        ),
      ];
    return fromRows(text, name, index);
  });
}

/** `for (const [title, …] of rows) test(title, …)`: the first of each row. */
function fromRows(text: string, title: string, before: number): string[] {
  const loop = [...text.slice(0, before).matchAll(/for \(const \[(\w+)[^\]]*\] of (\w+)\)/g)].at(-1);
  if (loop?.[1] !== title) return [];
  const rows = new RegExp(`const ${loop[2]}\\b[^=]*= \\[([^]*?)\\](?: as const)?;`).exec(text)?.[1] ?? '';
  return [...rows.matchAll(new RegExp(`\\[\\s*(${QUOTED}),`, 'g'))].map(([, literal]) => unquoted(literal));
}
