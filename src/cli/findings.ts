/** Findings of the coherence checker as text, a line each: what happened, where in the program, and what to do. And exceptions without end. */

import { decodeEsr } from '../arch/syndromes';
import { hex } from '../base/bits';
import { disassemble, systemNames } from '../isa';
import type { ExceptionRecord, Finding } from '../machine/api';
import { type Places, placeText } from './places';

export function describeFinding(f: Finding, places: Places): string {
  const insn = (word: number): string => disassemble(word, f.pc, systemNames).text;
  const by =
    f.writerCore === undefined
      ? ''
      : `, written by core${f.writerCore}${f.writerPc === undefined ? '' : ` at ${hex(f.writerPc)}`}`;
  const values =
    f.executed === f.current
      ? `"${insn(f.executed)}"`
      : `"${insn(f.executed)}" where memory holds "${insn(f.current)}"`;
  const here = placeText(places(f.pc));
  const writer = f.writerPc === undefined ? undefined : placeText(places(f.writerPc));
  const where = [...(here ? [`in ${here}`] : []), ...(writer ? [`written in ${writer}`] : [])].join(', ');
  const who = `core${f.core} EL${f.el}${f.vcpu === undefined ? '' : ` ${f.vcpu}`}`;
  const what = f.detail ?? `ran ${values}`;
  const line = f.filledBy === undefined ? '' : `, out of a line that ${f.filledBy} brought`;
  return (
    `elscope: ${f.kind}: ${who} ${what} at ${hex(f.pc)} (PA ${hex(f.pa)})${line}${by}, ` +
    `after ${f.instructions} instructions\n` +
    (where === '' ? '' : `elscope:   ${where}\n`) +
    `elscope:   missing: ${f.missing.join('; ')}. ${f.advice}`
  );
}

/** A core that takes one exception for ever, in one line. */
export function describeLoop(e: ExceptionRecord): string {
  const what = decodeEsr(e.esr).meaning ?? 'an exception';
  return (
    `core${e.core} takes the same exception for ever: ${what}, at EL${e.toEl}, ` +
    `PC ${hex(e.elr)}, ESR ${hex(e.esr)}, FAR ${hex(e.far)}, vector ${hex(e.vector)}`
  );
}
