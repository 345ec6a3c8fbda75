/** What a debugger sees of a guest behind stage 2: both walks, its address spaces, and nothing changed by looking. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Stop } from '../../../src/machine/api';
import { launch } from '../../../src/machine/launch';
import { ElscopeMachine } from '../../../src/machine/machine';
import { registerChildren } from '../../../src/session/registerText';
import type { Target } from '../../../src/session/target';
import { coreRows } from '../../../src/session/views/machineViews';
import { nodePorts } from '../../../src/worker/nodePorts';
import { file } from '../cli/program';
import type { AbortFixture } from '../memory/mmu/makeAbortFixture';
import { SMALL_MEMORY, stateHash } from './samples';

const SLOT = 0x401f_f000n;
const READ_ONLY = 0x8000_0100n;
/** What stage 2 makes of the read-only page. */
const BEHIND = 0x4017_0100n;

/** Runs abortProgram.s to its first instruction at EL1 with stage 1 on. */
function guest(): ElscopeMachine {
  const fixture = JSON.parse(
    readFileSync(path.join(import.meta.dirname, '../../fixtures/mmu/aborts.json'), 'utf8'),
  ) as AbortFixture;
  const program = file('view.elf', Buffer.from(fixture.elf, 'base64'));
  const { machine } = launch({ program, machine: 'neoverse-n1', el: 2, memory: SMALL_MEMORY }, nodePorts());
  assert.ok(machine instanceof ElscopeMachine);
  machine.setBreakpoints([{ id: 1, space: 'va', address: SLOT, el: 1 }]);
  const [core] = machine.cores;
  let stop: Stop;
  do {
    stop = machine.run(20_000_000);
    assert.equal(stop.reason, 'breakpoint');
  } while (((core.peekSystem('SCTLR_EL1') ?? 0n) & 1n) === 0n);
  return machine;
}

test('a guest at EL1 with both stages on', () => {
  const machine = guest();
  const before = stateHash(machine);
  const seen = machine.translate(0, 'va', READ_ONLY);
  assert.deepEqual([seen.ok, seen.ipa, seen.pa], [true, READ_ONLY, BEHIND]);
  // One descriptor of stage 1 (a block), stage 2's for it (a block), and stage 2's for the page.
  assert.deepEqual(
    seen.steps.map((step) => [step.stage, step.level]),
    [
      [2, 1],
      [2, 2],
      [1, 1],
      [2, 1],
      [2, 2],
      [2, 3],
    ],
  );
  assert.match(seen.attributes, /^Normal WB .*EL1 RW XN, EL0 RW X; stage 2 R X$/);
  const ipa = machine.translate(0, 'ipa', READ_ONLY);
  assert.deepEqual([ipa.ok, ipa.pa], [true, BEHIND]);
  const nowhere = machine.translate(0, 'va', 0x8020_0100n);
  assert.match(nowhere.fault ?? '', /^stage 2 translation fault, level 2, IPA 0x80200100$/);
  // Above the guest there is no stage 2.
  assert.equal(machine.translate(0, 'el2', READ_ONLY).pa, READ_ONLY);
  const [row] = coreRows(
    machine,
    { describe: () => undefined, sourceAt: () => undefined } as unknown as Target,
    () => undefined,
  );
  assert.deepEqual([row.el, row.mmu, row.vmid], [1, true, 0]);
  assert.equal(stateHash(machine), before, 'looking changed nothing');
  machine.poke(0, 'ipa', READ_ONLY, Uint8Array.of(0x5a));
  assert.deepEqual([...machine.peek(0, 'va', READ_ONLY, 1)], [0x5a]);
  assert.deepEqual([...machine.peek(0, 'pa', BEHIND, 1)], [0x5a]);
});

test('a register of EL2 shows the fields that it has under E2H', () => {
  const names = (e2h: boolean): string[] => registerChildren('CPTR_EL2', 0x30_0000n, e2h).map((field) => field.name);
  assert.ok(names(true).includes('FPEN') && !names(false).includes('FPEN'));
  assert.ok(names(false).includes('TFP') && !names(true).includes('TFP'));
});
