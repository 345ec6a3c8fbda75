/** Pins what the adapter advertises: a change here is a change of what has to be tested. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capabilities } from '../../../src/adapter';
import { exceptionFilters } from '../../../src/session';

const advertised = [
  'supportsConfigurationDoneRequest',
  'supportsFunctionBreakpoints',
  'supportsConditionalBreakpoints',
  'supportsHitConditionalBreakpoints',
  'supportsLogPoints',
  'supportsInstructionBreakpoints',
  'supportsDataBreakpoints',
  'supportsDataBreakpointBytes',
  'supportsBreakpointLocationsRequest',
  'supportsExceptionFilterOptions',
  'supportsExceptionInfoRequest',
  'supportsEvaluateForHovers',
  'supportsClipboardContext',
  'supportsSetVariable',
  'supportsSetExpression',
  'supportsValueFormattingOptions',
  'supportsCompletionsRequest',
  'supportsGotoTargetsRequest',
  'supportsStepInTargetsRequest',
  'supportsSteppingGranularity',
  'supportsSingleThreadExecutionRequests',
  'supportsDelayedStackTraceLoading',
  'supportsReadMemoryRequest',
  'supportsWriteMemoryRequest',
  'supportsDisassembleRequest',
  'supportsModulesRequest',
  'supportsLoadedSourcesRequest',
  'supportsRestartRequest',
  'supportsTerminateRequest',
  'supportsCancelRequest',
];

test('exactly these requests are advertised', () => {
  const flags = Object.entries(capabilities).flatMap(([name, value]) => (value === true ? [name] : []));
  assert.deepEqual(flags.sort(), [...advertised].sort());
});

test('exactly these lists are advertised', () => {
  const lists = Object.entries(capabilities).filter(([, value]) => value !== true);
  assert.deepEqual(lists.map(([name]) => name).sort(), [
    'breakpointModes',
    'completionTriggerCharacters',
    'exceptionBreakpointFilters',
  ]);
  assert.deepEqual(
    capabilities.breakpointModes?.map((m) => m.mode),
    ['virtual', 'physical'],
  );
  assert.deepEqual(capabilities.completionTriggerCharacters, ['.', ':', '>', '$']);
});

test('the exception filters: each level and kind, and stale fetches on by default', () => {
  const kinds = ['sync', 'irq', 'fiq', 'serror'];
  const perLevel = [1, 2, 3].flatMap((el) => kinds.map((kind) => `EL${el}.${kind}`));
  assert.deepEqual(
    exceptionFilters.map((f) => f.filter),
    ['staleFetch', 'undefined', 'elChange', ...perLevel],
  );
  assert.deepEqual(
    exceptionFilters.filter((f) => f.default).map((f) => f.filter),
    ['staleFetch'],
  );
});
