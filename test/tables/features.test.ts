/** The feature table: sound as it stands together with the tables that name features, and each rule seen to fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  advertisedFields,
  everythingDone,
  type FeatureRow,
  featureConflict,
  featureKey,
  features,
  implemented,
} from '../../src/arch/features';
import { type FeatureUsers, validateFeatures } from '../../src/arch/features/validate';
import { instructionRows } from '../../src/arch/instructions';
import { systemOperations } from '../../src/arch/sysops';
import { systemRegisters } from '../../src/arch/sysregs';
import { namedRegisters } from '../../src/arch/sysregs/named';
import { coreTypes } from '../../src/machine/presets';

const users: FeatureUsers = {
  instructions: instructionRows,
  registers: systemRegisters,
  named: namedRegisters,
  operations: systemOperations,
};

test('the table holds, and what is done has all of its rows', () => {
  assert.deepEqual(validateFeatures(features, users), []);
});

test('no core type has a feature that is not done or lacks what it needs', () => {
  for (const [name, core] of Object.entries(coreTypes)) assert.equal(featureConflict(core.features), undefined, name);
});

const good: FeatureRow = { doc: 'a feature', id: 'ISAR0.RNDR=1', needs: [], status: 'done' };
const nobody: FeatureUsers = { instructions: [], registers: systemRegisters, named: [], operations: [] };

function onlyProblem(change: Partial<FeatureRow>, problem: RegExp, by: Partial<FeatureUsers> = {}): void {
  const all = {
    FEAT_Good: { ...good, ...change },
    FEAT_Not: { ...good, status: 'unimplemented', note: 'no' } as const,
  };
  const problems = validateFeatures(all, { ...nobody, registers: systemRegisters.map(withoutFeatures), ...by });
  assert.equal(problems.length, 1, problems.join('; ') || 'none');
  assert.match(problems[0], problem);
}

const withoutFeatures = (row: (typeof systemRegisters)[number]): (typeof systemRegisters)[number] => ({
  ...row,
  feature: undefined,
  fields: row.fields.map((field) => ({ ...field, feature: undefined })),
});

test('each broken row is found', () => {
  onlyProblem({ doc: ' ' }, /FEAT_Good: does not say what it brings/);
  onlyProblem({ status: 'unimplemented' }, /does not say why/);
  onlyProblem({ id: '' }, /no ID register says so/);
  onlyProblem({ needs: ['FEAT_None'], status: 'unimplemented', note: 'no' }, /names FEAT_None/);
  onlyProblem({ excludes: ['FEAT_None'] }, /names FEAT_None/);
  onlyProblem({ needs: ['FEAT_Not'] }, /is done and needs FEAT_Not, which is not/);
  onlyProblem({ id: 'ISAR0.Nothing=1' }, /ID_AA64ISAR0_EL1.Nothing does not exist/);
  onlyProblem({ id: 'ISAR0.RNDR=16' }, /16 does not fit/);
  onlyProblem({ id: 'ISAR0.RNDR=1?FEAT_None' }, /names FEAT_None/);
});

test('a feature cannot be done before what it brings', () => {
  const status = 'unimplemented' as const;
  const lse = 'FEAT_LSE' as const;
  const all = { FEAT_LSE: good };
  const by = { ...nobody, registers: systemRegisters.map(withoutFeatures) };
  const complaint = (more: Partial<FeatureUsers>): string => validateFeatures(all, { ...by, ...more }).join('; ');
  assert.equal(complaint({ instructions: [{ id: 'CAS', status, feature: lse }] }), 'FEAT_LSE: is done, but CAS is not');
  assert.equal(
    complaint({ operations: [{ name: 'DC X', status, feature: lse }] }),
    'FEAT_LSE: is done, but DC X is not',
  );
  const named = { name: 'R', encoding: [3, 0, 0, 0, 0], section: 'R', reason: 'no', feature: lse } as const;
  assert.equal(complaint({ named: [named] }), 'FEAT_LSE: is done, but R is not');
  assert.equal(complaint({ instructions: [{ id: 'CAS', status: 'done', feature: lse }] }), '');
  assert.match(
    complaint({ operations: [{ name: 'DC X', status, feature: 'FEAT_None' }] }),
    /DC X: FEAT_None is no feature/,
  );
});

test('a set loses what is not done and what needs that', () => {
  const only = (set: ReadonlySet<string>): string[] => [...set].sort();
  assert.deepEqual(only(implemented(['FEAT_PAN2', 'FEAT_PAN', 'FEAT_SVE'])), ['FEAT_PAN', 'FEAT_PAN2']);
  assert.deepEqual(only(implemented(['FEAT_PAN2'])), []);
  assert.equal(featureConflict(everythingDone()), undefined);
});

test('the first conflict is told', () => {
  assert.deepEqual(featureConflict(new Set(['FEAT_PAN2'])), { feature: 'FEAT_PAN2', what: 'it needs FEAT_PAN' });
  assert.match(featureConflict(new Set(['FEAT_SVE']))?.what ?? '', /^it is not implemented/);
  assert.equal(featureConflict(new Set(['FEAT_None']))?.what, 'there is no such feature');
});

test('ID register fields follow from the set', () => {
  const field = (set: readonly string[], register: string, name: string): number | undefined =>
    advertisedFields(new Set(set)).get(`ID_AA64${register}_EL1`)?.[name];
  assert.equal(field([], 'PFR0', 'FP'), 15);
  assert.equal(field(['FEAT_FP'], 'PFR0', 'FP'), 0);
  assert.equal(field(['FEAT_FP16', 'FEAT_FP'], 'PFR0', 'FP'), 1);
  assert.equal(field(['FEAT_PAN2', 'FEAT_PAN'], 'MMFR1', 'PAN'), 2);
  assert.equal(field(['FEAT_PAN'], 'MMFR1', 'PAN'), 1);
  const pac = ['FEAT_PAuth', 'FEAT_PAuth2', 'FEAT_FPAC'];
  assert.equal(field([...pac, 'FEAT_PACQARMA5'], 'ISAR1', 'APA'), 4);
  assert.equal(field([...pac, 'FEAT_PACQARMA5'], 'ISAR1', 'API'), undefined);
  assert.equal(field([...pac, 'FEAT_PACIMP'], 'ISAR1', 'API'), 4);
  assert.equal(featureKey(new Set(['b', 'a'])), featureKey(new Set(['a', 'b'])));
});
