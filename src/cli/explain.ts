/** `elscope explain`: anything that the tables know. */
import { explain } from '../arch/explain';
import { UserError } from '../base/errors';
import { decodeWord, disassemble, systemNames } from '../isa';

export function explainCommand(args: readonly string[]): number {
  if (args.length === 0) throw new UserError('cli.value', { option: 'explain', value: 'WORD|REGISTER|ESR' });
  const text = args.join(' ');
  const lines: string[] = [];
  if (/^0x[0-9a-f]{1,8}$/i.test(text)) {
    const word = Number(text);
    const decoded = decodeWord(word);
    const status = decoded ? `${decoded.row.id} (${decoded.row.section}), ${decoded.row.status}` : 'unallocated';
    lines.push(`as an instruction: ${disassemble(word, 0n, systemNames).text}   ${status}`);
  }
  lines.push(...(explain(text) ?? []));
  if (lines.length === 0) throw new UserError('cli.explain', { text });
  process.stdout.write(lines.join('\n') + '\n');
  return 0;
}
