/**
 * Policies of a host: chosen by the kernel release that it runs, single ones overridden by name. All of it follows from the
 * table in policyTable.ts.
 */
import { UserError } from '../base/errors';
import { atLeast, type KernelVersion, parseKernelVersion } from './kernelVersion';
import { type PolicyRow, type PolicyValue, policyTable } from './policyTable';

export type { PolicyRow, PolicyValue, Standing } from './policyTable';

export type PolicyName = keyof typeof policyTable;
/** The values of one policy, by name. */
export type PolicyChoice<P extends PolicyName> = keyof (typeof policyTable)[P]['values'] & string;
export type Policies = { readonly [P in PolicyName]: PolicyChoice<P> };

const rows: Readonly<Record<string, PolicyRow>> = policyTable;

export const policyNames = Object.keys(policyTable) as readonly PolicyName[];

/** The newest release about which the table says something: what an unstated version means. */
export const NEWEST = 'v6.17';
export const NEWEST_VERSION: KernelVersion = parseKernelVersion(NEWEST);

/** The row of a policy, if there is such a policy. */
export const policyRow = (name: string): PolicyRow | undefined => (Object.hasOwn(rows, name) ? rows[name] : undefined);

/**
 * What the release `kvmVersion` ('v6.3', '6.12.57') does, with `overrides` by policy name. Throws user errors: `kvm.version`,
 * `policy.unknown`, `policy.value`, `policy.needs` (an override without which another value makes no sense).
 */
export function policiesOf(kvmVersion: string = NEWEST, overrides: Readonly<Record<string, string>> = {}): Policies {
  const version = parseKernelVersion(kvmVersion);
  const chosen: Record<string, string> = {};
  for (const name of policyNames) chosen[name] = mergedAt(rows[name], version);
  for (const [name, value] of Object.entries(overrides)) {
    const row = policyRow(name);
    if (row === undefined) throw new UserError('policy.unknown', { name, choices: policyNames.join(', ') });
    if (!Object.hasOwn(row.values, value))
      throw new UserError('policy.value', { name, value, choices: Object.keys(row.values).join(', ') });
    chosen[name] = value;
  }
  for (const name of policyNames) {
    for (const [other, allowed] of Object.entries(rows[name].values[chosen[name]].needs ?? {})) {
      if (!allowed.includes(chosen[other]))
        throw new UserError('policy.needs', { name, value: chosen[name], other, choices: allowed.join(' or ') });
    }
  }
  return chosen as Policies;
}

/** The last value whose release is not after `version`: rows stand in order of release, and begin with what was always so. */
function mergedAt(row: PolicyRow, version: KernelVersion): string {
  const values = Object.entries(row.values).filter(
    ([, { since }]) => since !== undefined && atLeast(version, sinceOf(since)),
  );
  return values.at(-1)?.[0] ?? Object.keys(row.values)[0];
}

/** The table's own releases may be older than those that a user can ask for. */
function sinceOf(text: string): KernelVersion {
  const [major, minor] = text.replace(/^v/, '').split('.').map(Number);
  return { major, minor };
}

/** What must hold of a table of policies; an empty list is a pass. */
export function validatePolicies(table: Readonly<Record<string, PolicyRow>> = policyTable): string[] {
  const complaints: string[] = [];
  for (const [name, row] of Object.entries(table)) {
    if (row.about.trim() === '') complaints.push(`${name}: does not say what it is about`);
    const entries = Object.entries(row.values);
    if (entries[0]?.[1].standing !== 'merged') complaints.push(`${name}: does not begin with what a release did`);
    const releases = entries.flatMap(([, value]) => value.since ?? []);
    releases.forEach((release, index) => {
      if (index > 0 && atLeast(sinceOf(releases[index - 1]), sinceOf(release)))
        complaints.push(`${name}: ${release} is not after ${releases[index - 1]}`);
    });
    for (const [value, facts] of entries)
      complaints.push(...checkValue(facts).map((what) => `${name}=${value}: ${what}`));
    for (const [value, facts] of entries)
      for (const [other, allowed] of Object.entries(facts.needs ?? {}))
        for (const choice of allowed)
          if (!Object.hasOwn(table[other]?.values ?? {}, choice))
            complaints.push(`${name}=${value}: needs ${other}=${choice}, which does not exist`);
  }
  return complaints;
}

function checkValue(facts: PolicyValue): string[] {
  const complaints: string[] = [];
  if (facts.meaning.trim() === '') complaints.push('does not say what it means');
  if (facts.source.trim() === '') complaints.push('does not say how it was confirmed');
  if ((facts.standing === 'merged') !== (facts.since !== undefined))
    complaints.push('merged and a release go together');
  if (facts.since !== undefined && !/^v\d+\.\d+$/.test(facts.since)) complaints.push(`${facts.since} is no release`);
  if (facts.commit !== undefined && !/^[0-9a-f]{12}$/.test(facts.commit)) complaints.push('has a bad commit id');
  return complaints;
}
