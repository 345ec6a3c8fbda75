/** The examples of README's section "Command line" and "Machine files", for tests that run them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../../src/build/paths';

const section = (name: string): string => {
  const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const found = new RegExp(`^## ${name}\\n([\\s\\S]*?)^## `, 'm').exec(readme);
  if (!found) throw new Error(`README.md has no section "${name}"`);
  return found[1];
};
const fence = (text: string, language: string): string => {
  const found = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(text);
  if (!found) throw new Error(`there is no ${language} example`);
  return found[1];
};

/** Words of a shell command: spaces between them, single quotes around, a backslash at the end of a line that goes on. */
export const shellWords = (command: string): string[] =>
  [...command.replaceAll('\\\n', ' ').matchAll(/'([^']*)'|[^\s']+/g)].map(([whole, quoted]) => quoted ?? whole);

export interface Example {
  readonly args: readonly string[];
  /** Exactly what is printed; … stands for anything, on a line of its own for any lines. */
  readonly output: RegExp;
}

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const outputPattern = (text: string): RegExp =>
  new RegExp(`^${literally(text).replaceAll('\n…\n', '\n[\\s\\S]*\n').replaceAll('…', '.*')}$`);

export const consoleExamples = (): Example[] =>
  fence(section('Command line'), 'console')
    .split(/^\$ elscope /m)
    .slice(1)
    .map((text) => {
      const [command, ...lines] = text.split('\n');
      return { args: shellWords(command), output: outputPattern(lines.join('\n')) };
    });

/** The example that types at U-Boot's prompt. */
export const uBootExample = (): string[] => shellWords(fence(section('Command line'), 'sh')).slice(1);

export const machineExample = (): string => fence(section('Machine files'), 'jsonc');
