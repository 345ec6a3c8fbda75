/** The policy table: sound, each rule of it seen to fail, and which release did what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/base/errors';
import { parseKernelVersion } from '../../../src/hypervisor/kernelVersion';
import {
  type Policies,
  type PolicyName,
  type PolicyRow,
  policiesOf,
  policyNames,
  validatePolicies,
} from '../../../src/hypervisor/policies';

test('the table holds', () => {
  assert.deepEqual(validatePolicies(), []);
});

const good: PolicyRow = {
  about: 'something',
  values: { off: { meaning: 'not done', standing: 'merged', since: 'v5.0', source: 'read' } },
};

const onlyProblem = (row: Partial<PolicyRow>, value: object, problem: RegExp): void => {
  const values = { ...good.values, on: { meaning: 'done', standing: 'ours', source: 'read', ...value } };
  const complaints = validatePolicies({ p: { ...good, values, ...row } as PolicyRow });
  assert.equal(complaints.length, 1, complaints.join('; ') || 'none');
  assert.match(complaints[0], problem);
};

test('rows without meaning, source or release, with bad ids or needs of nothing are found', () => {
  onlyProblem({ about: '' }, {}, /what it is about/);
  onlyProblem({}, { meaning: '' }, /what it means/);
  onlyProblem({}, { source: '' }, /confirmed/);
  onlyProblem({}, { since: 'v5.1' }, /go together/);
  onlyProblem({}, { standing: 'merged' }, /go together/);
  onlyProblem({}, { standing: 'merged', since: '5.1-rc1' }, /no release/);
  onlyProblem({}, { standing: 'merged', since: 'v5.0' }, /v5.0 is not after v5.0/);
  onlyProblem({}, { standing: 'merged', since: 'v4.20' }, /v4.20 is not after/);
  onlyProblem({}, { commit: '1234' }, /commit/);
  onlyProblem({}, { needs: { p: ['never'] } }, /does not exist/);
  const first = { on: { meaning: 'x', standing: 'ours', source: 'x' } } as const;
  assert.match(validatePolicies({ p: { about: 'x', values: first } })[0], /begin/);
});

/** Policy, the last release before a change, the first after it, and both values. */
const changes: readonly (readonly [fact: string, PolicyName, string, string, string, string])[] = [
  ['A1: I-cache isolation between vCPUs since v5.12', 'icacheIsolation', 'v5.11', 'v5.12', 'none', 'invalidate'],
  ['A4: topology normalised since v6.3', 'ccsidr', 'v6.2', 'v6.3', 'host', 'normalised'],
  ['A4: TID2 always since v6.3', 'cacheTrap', 'v6.2', 'v6.3', 'tid2WhenMismatched', 'tid2'],
  ['A0: TID4 since v6.5', 'cacheTrap', 'v6.4', 'v6.5', 'tid2', 'tid4'],
  ['A2: I-cache maintenance bounded since v6.7', 'icacheInvalidation', 'v6.6', 'v6.7', 'everyLine', 'bounded'],
  ['A0: VPIPT handled up to v6.7, unknown from v6.8', 'vpipt', 'v6.7', 'v6.8', 'aware', 'unaware'],
  ['A0: CTR_EL0 writable since v6.11', 'ctrWritable', 'v6.10', 'v6.11', 'no', 'yes'],
  ['L1Ip of CTR_EL0 writable since v6.13', 'ctrWritable', 'v6.12', 'v6.13', 'yes', 'withL1Ip'],
  ['A3: cacheable PFNMAP since v6.17', 'cacheablePfnmap', 'v6.16', 'v6.17', 'device', 'capability'],
];

for (const [fact, policy, before, since, old, now] of changes) {
  test(fact, () => {
    assert.equal(policiesOf(before)[policy], old);
    assert.equal(policiesOf(since)[policy], now);
  });
}

test('what was only posted, raised or is ours holds at no release', () => {
  for (const version of ['v5.4', 'v6.1.170', '6.12', 'v6.17', 'v7.2']) {
    const policies: Policies = policiesOf(version);
    assert.deepEqual(Object.keys(policies), policyNames);
    assert.notEqual(policies.vpipt, 'refuse');
    assert.equal(policies.lateOnlining, 'none');
    assert.equal(policies.fwb, 'on');
    assert.equal(policies.executePermission, 'lazy');
  }
});

test('single policies override', () => {
  const policies = policiesOf('6.1', { vpipt: 'refuse', fb: 'off' });
  assert.equal(policies.vpipt, 'refuse');
  assert.equal(policies.fb, 'off');
  assert.equal(policies.ccsidr, 'host');
});

function refused(code: string, run: () => unknown): void {
  assert.throws(run, (error) => error instanceof UserError && error.code === code && !error.message.includes('{'));
}

test('wrong releases, policies, values and combinations are user errors', () => {
  for (const text of ['6', 'six', '6.x', '', 'v5.3', '4.19', '6.1-rc1']) refused('kvm.version', () => policiesOf(text));
  refused('policy.unknown', () => policiesOf('6.1', { icache: 'none' }));
  refused('policy.unknown', () => policiesOf('6.1', { toString: 'none' }));
  refused('policy.value', () => policiesOf('6.1', { fwb: 'maybe' }));
  refused('policy.value', () => policiesOf('6.1', { fwb: 'valueOf' }));
  refused('policy.needs', () => policiesOf('6.1', { ccsidr: 'normalised' }));
  refused('policy.needs', () => policiesOf('6.7', { lateOnlining: 'icachePipt' }));
  assert.equal(policiesOf('6.1', { ccsidr: 'normalised', cacheTrap: 'tid2' }).ccsidr, 'normalised');
  assert.deepEqual(parseKernelVersion(' v6.12.57 '), { major: 6, minor: 12 });
});
