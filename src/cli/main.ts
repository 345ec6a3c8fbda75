/** The command line. Exit codes: 0 ended by itself, 1 the guest failed, 2 bad usage or input, 3 a finding, 4 a limit. */
import { adapterMain } from '../adapter/command';
import { UserError } from '../base/errors';
import { explainCommand } from './explain';
import { helpText, runOptions } from './options';
import { policiesCommand } from './policies';
import { ExitCode, run } from './run';
import { scenarioCommand, scenarioOptions } from './scenario';

const usage = `elscope: an emulated multi-core arm64 machine with real, incoherent caches

  elscope run [IMAGE] [options]      run an ELF, or --bios FILE, or --kernel FILE
  elscope check [IMAGE] [options]    as run, stops at the first coherence finding (exit 3)
  elscope explain WORD|REGISTER|ESR  decode an instruction, a register or a syndrome
  elscope policies [RELEASE]         what the hypervisor model can do, and what it does as that kernel release
  elscope scenario [NAME]            the bundled scenarios: their list, or a run of one with its asserted outcomes
  elscope dap [--port N]             debug adapter on stdio, or on a loopback socket

options of run and check:
${helpText(runOptions)}

options of scenario:
${helpText(scenarioOptions)}

stdin feeds the UART (Ctrl-A x ends, Ctrl-A p presses the power key). Exit: 0 ended by itself, 1 guest failed, 2 bad usage, 3 finding, 4 limit.
`;

async function main(args: readonly string[]): Promise<number | undefined> {
  const [command, ...rest] = args;
  if (
    command === undefined ||
    command === '--help' ||
    command === '-h' ||
    command === 'help' ||
    rest.includes('--help')
  ) {
    process.stdout.write(usage);
    return command === undefined ? ExitCode.usage : ExitCode.ok;
  }
  if (command === 'run' || command === 'check') return run(command, rest);
  if (command === 'explain') return explainCommand(rest);
  if (command === 'policies') return policiesCommand(rest);
  if (command === 'scenario') return scenarioCommand(rest);
  if (command === 'dap') return adapterMain(rest);
  throw new UserError('cli.command', { command });
}

// Whoever read the output has seen enough, as `head` does.
process.stdout.on('error', () => process.exit(ExitCode.failed));

main(process.argv.slice(2)).then(
  (code) => {
    if (code !== undefined) process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`elscope: ${error instanceof UserError ? error.message : String((error as Error).stack)}\n`);
    process.exitCode = error instanceof UserError ? ExitCode.usage : ExitCode.failed;
  },
);
