/** `elscope run` and `elscope check`: the machine on the command line. */
import { writeFileSync } from 'node:fs';
import { UserError } from '../base/errors';
import type { Finding, Stop } from '../machine/api';
import { HOST_CONSOLE } from '../machine/api';
import { launch } from '../machine/launch';
import type { LaunchOptions } from '../machine/launch.types';
import { presets } from '../machine/presets';
import { vmStatistics } from '../machine/statistics';
import { extraDevices } from '../machine/virtioDevices';
import { nodePorts } from '../worker/nodePorts';
import { Dialogue } from './dialogue';
import { describeFinding, describeLoop } from './findings';
import { choiceOption, choiceOptions, numberOption, type ParsedOptions, parseOptions, runOptions } from './options';
import { placesOf } from './places';
import { sarif } from './sarif';
import { loadSnapshot, saveSnapshot, saveVm } from './snapshots';
import { Terminal } from './terminal';

export const ExitCode = { ok: 0, failed: 1, usage: 2, found: 3, limit: 4 } as const;

/** Instructions between looks at the terminal. */
const SLICE = 2_000_000;

function launchOptions(options: ParsedOptions, command: 'run' | 'check'): LaunchOptions {
  const one = (name: string): string | undefined => options.values[name]?.[0];
  if (options.positional.length > 1) throw new UserError('cli.operand', { text: options.positional[1] });
  return {
    program: options.positional[0],
    bios: one('bios'),
    kernel: one('kernel'),
    initrd: one('initrd'),
    append: one('append'),
    dtb: one('dtb'),
    machine: one('machine'),
    cpus: numberOption(options, 'cpus', 1, 8),
    memory: one('memory'),
    el: numberOption(options, 'el', 1, 3) as 1 | 2 | 3 | undefined,
    gic: numberOption(options, 'gic', 2, 3) as 2 | 3 | undefined,
    kvm: one('kvm'),
    policies: options.values.policy,
    schedule: one('schedule'),
    restoreVm: one('restore-vm'),
    seed: numberOption(options, 'seed', 0, 0xffffffff),
    checker:
      choiceOption(options, 'check', ['actual', 'architectural', 'off']) ?? (command === 'check' ? 'actual' : 'off'),
    semihostingRoot: process.cwd(),
    drives: options.values.drive,
    share: one('share'),
    devices: choiceOptions(options, 'device', extraDevices),
  };
}

interface Outcome {
  readonly code: number;
  readonly message?: string;
  /** The guest ended by itself: there is nothing to go on with. */
  readonly ended?: true;
}

/** Runs until something ends it. Console to stdout, everything else to stderr. */
export async function run(command: 'run' | 'check', args: readonly string[]): Promise<number> {
  const options = parseOptions(args, runOptions);
  if (options.values.machine?.[0] === 'list') {
    for (const [name, preset] of Object.entries(presets)) process.stdout.write(`${name.padEnd(14)}${preset.doc}\n`);
    return ExitCode.ok;
  }
  const limit = numberOption(options, 'max-instructions', 1, Number.MAX_SAFE_INTEGER) ?? Number.POSITIVE_INFINITY;
  const launched = launch(launchOptions(options, command), nodePorts());
  const { machine } = launched;
  if (options.values['save-vm'] !== undefined && machine.hypervisor === undefined)
    throw new UserError('vm.noModel', { what: 'saving a virtual machine' });
  const places = placesOf(launched);
  const findings: Finding[] = [];
  machine.setCatch({ exceptions: new Set(), elChange: false, undefined: false, finding: true });
  // What is typed goes to the console that spoke last.
  let talking = 0;
  const terminal = new Terminal(
    (bytes) => machine.input(talking, bytes),
    () => machine.pressPowerKey(),
  );
  const dialogue = new Dialogue(options, (bytes) => machine.input(talking, bytes));
  machine.onConsole((uart, bytes) => {
    if (uart === HOST_CONSOLE) {
      process.stderr.write(bytes);
      return;
    }
    talking = uart;
    terminal.write(bytes);
    dialogue.output(bytes);
    if (dialogue.done) machine.endRun();
  });
  const one = (name: string): string | undefined => options.values[name]?.[0];
  const from = one('load');
  if (from !== undefined) loadSnapshot(machine, from);
  const end = machine.instructions() + limit;
  const started = performance.now();
  const goesOn = command === 'run' || options.values.all !== undefined;

  const loop = async (): Promise<Outcome> => {
    for (;;) {
      const left = end - machine.instructions();
      if (left <= 0) return { code: ExitCode.limit, message: `instruction limit of ${limit} reached` };
      const stop: Stop = machine.run(Math.min(SLICE, left));
      if (stop.reason === 'finding') {
        findings.push(stop.finding);
        process.stderr.write(describeFinding(stop.finding, places) + '\n');
        if (!goesOn) return { code: ExitCode.found };
      }
      if (stop.reason === 'exited') {
        return stop.code === 0
          ? { code: ExitCode.ok, ended: true }
          : {
              ended: true,
              code: stop.code & 0xff || ExitCode.failed,
              message: `guest ended with code ${stop.code} (${stop.how})`,
            };
      }
      if (stop.reason === 'exceptionLoop') return { code: ExitCode.failed, message: describeLoop(stop.exception) };
      if (dialogue.done) return { code: ExitCode.ok };
      if (stop.reason === 'idle' && !(await terminal.moreInput())) {
        return { code: ExitCode.failed, message: 'every core waits and nothing will wake one' };
      }
      if (await terminal.turn()) return { code: ExitCode.failed, message: 'ended from the keyboard' };
    }
  };
  let outcome: Outcome;
  try {
    outcome = await loop();
  } finally {
    terminal.close();
  }
  await terminal.flushed();
  const seconds = (performance.now() - started) / 1000;
  if (dialogue.waitingFor !== undefined && outcome.code !== ExitCode.ok) {
    process.stderr.write(`elscope: the console never said ${JSON.stringify(dialogue.waitingFor)}\n`);
  }
  if (outcome.message) process.stderr.write(`elscope: ${outcome.message}\n`);
  const to = one('save');
  if (to !== undefined && outcome.ended) process.stderr.write('elscope: no snapshot is saved: the guest has ended\n');
  else if (to !== undefined) saveSnapshot(machine, to);
  const vmTo = one('save-vm');
  if (vmTo !== undefined && outcome.ended)
    process.stderr.write('elscope: no virtual machine is saved: the guest has ended\n');
  else if (vmTo !== undefined) saveVm(machine, vmTo);
  writeReport(options, 'stats', () => ({
    ...machine.statistics(),
    vms: vmStatistics(machine),
    seconds,
    findingList: findings.map((finding) => describeFinding(finding, places)),
  }));
  writeReport(options, 'sarif', () => sarif(findings, places));
  if (command === 'check' && findings.length > 0) return ExitCode.found;
  return outcome.code;
}

function writeReport(options: ParsedOptions, name: string, content: () => unknown): void {
  const path = options.values[name]?.[0];
  if (path === undefined) return;
  try {
    writeFileSync(path, JSON.stringify(content(), null, 2) + '\n');
  } catch {
    throw new UserError('cli.write', { path });
  }
}
