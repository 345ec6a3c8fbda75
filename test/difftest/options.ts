/** What `npm run difftest` takes on its command line. */
import { parseArgs } from 'node:util';
import { CPUS, type CpuName, isCpu } from './benches';

export interface Options {
  readonly seconds: number;
  readonly seed: number;
  readonly rows: readonly string[];
  readonly only?: number;
  readonly subject: string;
  /** Without one, every row runs on a core that has it. */
  readonly cpu?: CpuName;
}

/** @param freshSeed for a run that names none. Throws one line. */
export function readOptions(args: readonly string[], freshSeed: () => number): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '10' },
      seed: { type: 'string' },
      row: { type: 'string', multiple: true, default: [] },
      case: { type: 'string' },
      subject: { type: 'string', default: 'elscope' },
      cpu: { type: 'string' },
    },
  });
  const number = (name: string, text: string): number => {
    if (!/^\d+$/.test(text)) throw new Error(`--${name} takes a number, not "${text}"`);
    return Number(text);
  };
  const { cpu } = values;
  if (cpu !== undefined && !isCpu(cpu)) throw new Error(`--cpu takes one of ${CPUS.join(', ')}`);
  return {
    seconds: number('seconds', values.seconds),
    seed: values.seed === undefined ? freshSeed() : number('seed', values.seed),
    rows: values.row,
    only: values.case === undefined ? undefined : number('case', values.case),
    subject: values.subject,
    cpu,
  };
}
