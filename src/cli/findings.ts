/** Findings of the coherence checker as text: two lines, what happened and what to do. */

import { hex } from '../base/bits';
import { disassemble, systemNames } from '../isa';
import type { Finding } from '../machine/api';

export function describeFinding(f: Finding): string {
  const insn = (word: number): string => disassemble(word, f.pc, systemNames).text;
  const by =
    f.writerCore === undefined
      ? ''
      : `, written by core${f.writerCore}${f.writerPc === undefined ? '' : ` at ${hex(f.writerPc)}`}`;
  const values =
    f.executed === f.current
      ? `"${insn(f.executed)}"`
      : `"${insn(f.executed)}" where memory holds "${insn(f.current)}"`;
  return (
    `elscope: ${f.kind}: core${f.core} EL${f.el} ran ${values} at ${hex(f.pc)} (PA ${hex(f.pa)})${by}, ` +
    `after ${f.instructions} instructions\n` +
    `elscope:   missing: ${f.missing.join('; ')}. ${f.advice}`
  );
}
