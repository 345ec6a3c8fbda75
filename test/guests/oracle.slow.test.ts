/**
 * The model of KVM and of its host against the real ones: Debian 12's 6.1 and Debian 13's 6.12, entered at EL2 on our machines, do
 * what a script asks for through /dev/kvm (oracle/asked.ts), the model answers the same script (oracle/model.ts). Every answer is
 * compared, and the kernel's log as far as the model has lines of it. Numbers of capabilities in conflict messages are not:
 * they are places in a list that changes from release to release.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { capabilityRows } from '../../src/hypervisor/host/capabilities';
import { ctrTable, idTables } from '../../src/hypervisor/host/ftrTables';
import { parseMachineFile } from '../../src/machine/machineFile';
import { script } from './oracle/asked';
import { differences } from './oracle/differences';
import { kernels, machines, type OracleMachine } from './oracle/machines';
import { ModelOracle, readable, registersOf } from './oracle/model';
import { askKernel } from './oracle/real';

const escaped = (text: string): string => text.replace(/[()/]/g, '\\$&');
const oneOf = (texts: readonly string[]): string => `(${texts.map(escaped).join('|')})`;

/** Lines that the model has. */
const KNOWN = new RegExp(
  `^(${[
    'Detected \\S+ I-cache on CPU\\d+',
    `CPU features: detected: ${oneOf(capabilityRows.map((row) => row.description))}`,
    `CPU features: SANITY CHECK: Unexpected variation in SYS_${oneOf([ctrTable, ...idTables].map((table) => table.register))}\\..*`,
    'CPU features: Unsupported CPU feature variation detected\\.',
    'kvm \\[1\\]: IPA Size Limit: .*',
    'CPU features: CPU\\d+: Detected conflict for capability .*',
    'CPU features: CPU\\d+: .* mismatch',
    'CPU\\d+: (will not boot|failed to come online|died during early boot|is stuck in kernel)',
  ].join('|')})$`,
);
const withoutNumbers = (text: string): string => text.replace(/(capability) \S+ \(/, '$1 … (');

interface Prepared {
  readonly text: string;
  readonly lines: readonly string[];
  readonly expected: readonly string[];
  readonly model: ModelOracle;
  readonly early: number;
}

function prepare({ file, late: count = 0 }: OracleMachine, version: string): Prepared {
  const text = JSON.stringify(file);
  const config = parseMachineFile(text, 'oracle', 2);
  const cpus = config.cores.map((_, core) => registersOf(config, core));
  const early = cpus.length - count;
  const late = cpus.map((_, core) => core).slice(early);
  const model = new ModelOracle(version, config, late);
  const lines = script({ cpus, hostCtr: model.host.sanitisedCtr, hasMasks: version === '6.12', late });
  return { text, lines, expected: lines.map((line) => model.answer(line)), model, early };
}

describe('the model of KVM agrees with KVM', { concurrency: 1 }, () => {
  for (const kernel of kernels)
    for (const machine of machines) {
      const name = `${kernel} on ${machine.name}`;
      test(name, { timeout: 1_500_000 }, async (t) => {
        const { text, lines, expected, model, early } = prepare(machine, kernel.replace('-cloud', ''));
        const append = `maxcpus=${early} ${machine.append ?? ''}`.trim();
        const told = await askKernel({ kernel, machine: text, script: lines, append });
        const found = lines.flatMap((line, i) =>
          told.answers[i] === expected[i]
            ? []
            : [{ command: readable(line), model: expected[i], said: told.answers[i] ?? 'nothing' }],
        );
        const known = differences.filter((entry) => entry.kernel === kernel && entry.machine === machine.name);
        assert.deepEqual(
          found,
          known.map(({ command, model: ours, said }) => ({ command, model: ours, said })),
        );
        const said = told.messages.filter((line) => KNOWN.test(line));
        assert.deepEqual(
          said.map(withoutNumbers),
          model.host.messages.map((message) => withoutNumbers(message.text)),
        );
        const vhe = told.messages.includes('kvm [1]: VHE mode initialized successfully');
        assert.equal(vhe, machine.vhe === true);
        t.diagnostic(`${name}: ${lines.length - found.length} of ${lines.length} answers, ${said.length} messages`);
      });
    }
});
