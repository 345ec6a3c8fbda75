/** Hit conditions: `5`, `== 5`, `>= 5`, `> 5`, `< 5`, `<= 5`, `% 5`. A bare number means the hits from that one on. */

export type HitTest = (hits: number) => boolean;

const tests: Readonly<Record<string, (hits: number, n: number) => boolean>> = {
  '==': (hits, n) => hits === n,
  '=': (hits, n) => hits === n,
  '>=': (hits, n) => hits >= n,
  '>': (hits, n) => hits > n,
  '<=': (hits, n) => hits <= n,
  '<': (hits, n) => hits < n,
  '%': (hits, n) => hits % n === 0,
};

/** Undefined when the text is no hit condition. */
export function parseHitCondition(text: string): HitTest | undefined {
  const match = /^\s*(==|=|>=|>|<=|<|%)?\s*(\d+)\s*$/.exec(text);
  if (match === null) return undefined;
  const operator = match[1] ?? '>=';
  const n = Number(match[2]);
  if (operator === '%' && n === 0) return undefined;
  return (hits) => tests[operator](hits, n);
}

/** A log message: text and the expressions between braces, in turns; `{{` and `}}` stand for braces. */
export type LogPart = { readonly text: string } | { readonly expression: string };

export function parseLogMessage(message: string): readonly LogPart[] {
  const parts: LogPart[] = [];
  let text = '';
  for (let i = 0; i < message.length; i++) {
    const two = message.slice(i, i + 2);
    const end = message[i] === '{' ? message.indexOf('}', i) : -1;
    if (two === '{{' || two === '}}') {
      text += two[0];
      i++;
    } else if (end > 0) {
      if (text !== '') parts.push({ text });
      text = '';
      parts.push({ expression: message.slice(i + 1, end) });
      i = end;
    } else text += message[i];
  }
  return text === '' ? parts : [...parts, { text }];
}
