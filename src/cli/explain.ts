/** `elscope explain`: anything that the tables know. */
import { explain } from '../arch/explain';
import { hex } from '../base/bits';
import { UserError } from '../base/errors';
import { decodeWord, disassemble, systemNames } from '../isa';

/** A word as code has it (0xd65f03c0) or as a disassembler prints it (d65f03c0: eight digits). */
function instructionWord(text: string): number | undefined {
  const match = /^(?:0x([0-9a-f]{1,8})|([0-9a-f]{8})|(0))$/i.exec(text);
  const digits = match?.[1] ?? match?.[2] ?? match?.[3];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}

export function explainCommand(args: readonly string[]): number {
  if (args.length === 0) throw new UserError('cli.value', { option: 'explain', value: 'WORD|REGISTER|ESR' });
  const text = args.join(' ');
  const lines: string[] = [];
  const word = instructionWord(text);
  if (word !== undefined) {
    const decoded = decodeWord(word);
    const status = decoded ? `${decoded.row.id} (${decoded.row.section}), ${decoded.row.status}` : 'unallocated';
    lines.push(`as an instruction: ${disassemble(word, 0n, systemNames).text}   ${status}`);
  }
  lines.push(...(explain(word === undefined ? text : hex(word)) ?? []));
  if (lines.length === 0 && /^[^=]+=[^=]*$/.test(text) && explain(text.replace(/=.*/, '=0')) !== undefined) {
    throw new UserError('cli.explainValue', { text: text.replace(/^[^=]*=\s*/, '') });
  }
  if (lines.length === 0) throw new UserError('cli.explain', { text });
  process.stdout.write(lines.join('\n') + '\n');
  return 0;
}
