/** `elscope policies`: the table of what KVM did when, and what a release does. */
import { UserError } from '../base/errors';
import { NEWEST, policiesOf, policyNames, policyRow } from '../hypervisor/policies';
import { ExitCode } from './run';

export function policiesCommand(args: readonly string[]): number {
  if (args.length > 1) throw new UserError('cli.operand', { text: args[1] });
  const release = args[0] ?? NEWEST;
  const chosen = policiesOf(release);
  const lines: string[] = [];
  for (const name of policyNames) {
    const row = policyRow(name);
    if (row === undefined) continue;
    lines.push(`${name}: ${row.about}`);
    for (const [value, { meaning, standing, since, commit }] of Object.entries(row.values)) {
      const mark = value === chosen[name] ? '*' : ' ';
      const from = since === undefined ? standing : `${since}${commit === undefined ? '' : `, ${commit}`}`;
      lines.push(`  ${mark} ${value.padEnd(22)} ${meaning} (${from})`);
    }
  }
  process.stdout.write(`${lines.join('\n')}\n\n* as of ${release}\n`);
  return ExitCode.ok;
}
