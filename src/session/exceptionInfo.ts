/** What made the guest stop, in words: exceptions with their syndrome decoded, findings with the step that is missing. */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { describedLines } from '../arch/explain';
import { decodeEsr, EC } from '../arch/syndromes';
import { hex64 } from '../base/bits';
import { disassemble } from '../isa';
import type { ExceptionRecord, Finding } from '../machine/api';
import type { StopReport } from './runControl';
import { systemNames } from './systemNames';
import type { Target } from './target';

const kindNames = { sync: 'synchronous exception', irq: 'IRQ', fiq: 'FIQ', serror: 'SError' } as const;

/** The exceptions that write FAR_ELx. */
const WITH_FAR: ReadonlySet<number> = new Set([
  EC.INSTRUCTION_ABORT_LOWER,
  EC.INSTRUCTION_ABORT_SAME,
  EC.PC_ALIGNMENT,
  EC.DATA_ABORT_LOWER,
  EC.DATA_ABORT_SAME,
  EC.WATCHPOINT_LOWER,
  EC.WATCHPOINT_SAME,
]);

export const instructionText = (word: number, pc: bigint, target: Target): string =>
  disassemble(word, pc, { ...systemNames, symbol: (address) => target.describe(address) }).text;

export const wordText = (word: number): string => `0x${(word >>> 0).toString(16).padStart(8, '0')}`;

/** One line for the stopped event. */
export function stopText(report: StopReport, target: Target): string | undefined {
  if (report.exception) return [report.text, exceptionLine(report.exception)].filter((part) => part).join(': ');
  if (report.finding) return findingLine(report.finding, target);
  return report.text;
}

/** A few words for the call stack, where more of them would hide the thread's name. */
export function stopDescription({ reason, exception, finding, text }: StopReport): string {
  if (finding) return finding.kind;
  if (exception && text === undefined) return `exception to EL${exception.toEl}`;
  return text ?? (reason.endsWith('breakpoint') ? 'breakpoint' : reason);
}

function exceptionLine(e: ExceptionRecord): string {
  const what = e.kind === 'sync' ? (decodeEsr(e.esr).meaning ?? kindNames.sync) : kindNames[e.kind];
  return `EL${e.fromEl} → EL${e.toEl}: ${what}`;
}

export function findingLine(finding: Finding, target: Target): string {
  const { executed, current, pc, missing, detail, vcpu, filledBy } = finding;
  const foreign = filledBy !== undefined && filledBy !== vcpu;
  const [who, whose] = foreign ? [`${vcpu} `, ` of a line that ${filledBy} had brought`] : ['', ''];
  const old = `${who}ran ${instructionText(executed, pc, target)}${whose}`;
  const texts = detail ?? `${old}, memory holds ${instructionText(current, pc, target)}`;
  return `${finding.kind}: ${texts}; missing: ${missing.join(', ')}`;
}

function exceptionDetails(e: ExceptionRecord, target: Target): string {
  const at = (address: bigint): string => {
    const name = target.describe(address);
    return name === undefined ? hex64(address) : `${hex64(address)} ${name}`;
  };
  const common = [`taken from EL${e.fromEl} to EL${e.toEl}`, `vector ${at(e.vector)}`, `return address ${at(e.elr)}`];
  if (e.kind !== 'sync') return common.join('\n');
  if (WITH_FAR.has(Number((e.esr >> 26n) & 0x3fn))) common.push(`FAR ${hex64(e.far)}`);
  return [...common, ...describedLines(decodeEsr(e.esr))].join('\n');
}

function findingDetails(f: Finding, target: Target): string {
  const writer = f.writerCore === undefined ? 'not known' : `core ${f.writerCore}`;
  const writerPc = f.writerPc === undefined ? '' : ` at ${hex64(f.writerPc)} ${target.describe(f.writerPc) ?? ''}`;
  const words = [
    `executed ${wordText(f.executed)}  ${instructionText(f.executed, f.pc, target)}`,
    `memory   ${wordText(f.current)}  ${instructionText(f.current, f.pc, target)}`,
  ];
  return [
    `core ${f.core}, EL${f.el}, ASID ${f.asid}, VMID ${f.vmid}, ${f.mode} mode`,
    ...(f.vcpu === undefined ? [] : [`${f.vcpu}${f.filledBy === undefined ? '' : `, line brought by ${f.filledBy}`}`]),
    `at ${hex64(f.pc)} ${target.describe(f.pc) ?? ''} (pa ${hex64(f.pa)})`,
    ...(f.detail === undefined ? words : [f.detail]),
    `written by ${writer}${writerPc}`,
    `missing: ${f.missing.join(', ')}`,
    f.advice,
  ].join('\n');
}

/** The answer to exceptionInfo; undefined when the stop has no exception. */
export function exceptionInfo(report: StopReport, target: Target): Dap.ExceptionInfoResponse['body'] | undefined {
  const { exception, finding } = report;
  if (exception) {
    const typeName = `EL${exception.toEl}.${exception.kind}`;
    const description = stopText(report, target);
    const details = { typeName, message: exceptionDetails(exception, target), fullTypeName: typeName };
    return { exceptionId: typeName, description, breakMode: 'always', details };
  }
  if (finding) {
    const details = { typeName: finding.kind, message: findingDetails(finding, target) };
    return { exceptionId: finding.kind, description: findingLine(finding, target), breakMode: 'always', details };
  }
  if (report.reason !== 'exception') return undefined;
  return { exceptionId: 'elChange', description: report.text ?? 'the EL has changed', breakMode: 'always' };
}
