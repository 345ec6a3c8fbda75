/** Stacks on the fake machine: by call frame information, by frame records, and across an exception entry. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stack } from '../../../src/session/frames';
import { Target } from '../../../src/session/target';
import type { FakeMachine } from '../../fakes/fakeMachine';
import { RAM_BASE } from '../../fakes/fakeMachine';
import { guests, levels } from '../../fakes/guests';
import { fixturePath, launchFixture } from '../../fakes/programs';

function runTo(machine: FakeMachine, address: bigint): void {
  machine.setBreakpoints([{ id: 1, space: 'va', address }]);
  assert.equal(machine.run(1_000_000).reason, 'breakpoint');
}
const namesOf = (stack: Stack): string[] => {
  const names: string[] = [];
  for (let n = 0; ; n++) {
    const frame = stack.at(n);
    if (frame === undefined) return names;
    names.push(frame.exception ?? frame.fn?.name ?? `0x${frame.pc.toString(16)}`);
  }
};

for (const fixture of ['v5-O0.elf', 'v5-O2.elf']) {
  test(`${fixture}: every function of the call chain, at every instruction`, () => {
    const launched = launchFixture(fixturePath(fixture));
    const { machine } = launched;
    const target = new Target(machine, launched.images);
    const [main] = target.symbols.resolve('main');
    runTo(machine, main);
    machine.setBreakpoints([]);
    const [core] = machine.cores;
    let deepest = 0;
    for (let i = 0; i < 3000 && core.state === 'running'; i++) {
      const names = namesOf(new Stack(machine, target, core));
      assert.equal(names.at(-1), '_start', `${i}: ${names.join(' ← ')}`);
      if (names[0] !== '_start') assert.equal(names.at(-2), 'main', `${i}: ${names.join(' ← ')}`);
      deepest = Math.max(deepest, names.length);
      machine.step(0);
    }
    assert.ok(deepest >= 4, String(deepest));
  });
}

test('through a handler without any information: the interrupted program with its registers', () => {
  const launched = guests.levels();
  const machine = launched.machine as FakeMachine;
  const target = new Target(machine, []);
  const [core] = machine.cores;
  runTo(machine, RAM_BASE + BigInt(levels.labels.vectors) + 0x400n);
  const stack = new Stack(machine, target, core);
  assert.deepEqual(namesOf(stack), [`0x${core.pc().toString(16)}`, 'EL1 took SVC from EL0', '0x40000008']);
  const user = stack.at(2);
  assert.equal(user?.el, 0);
  assert.equal(user?.registers.get(0), 7n);
  assert.equal(user?.registers.get(31), RAM_BASE + 0xa000n);
});

test('a function that the handler has called unwinds to the interrupted program', () => {
  const launched = guests.levels();
  const machine = launched.machine as FakeMachine;
  const target = new Target(machine, []);
  const [core] = machine.cores;
  runTo(machine, RAM_BASE + BigInt(levels.labels.restore));
  const stack = new Stack(machine, target, core);
  assert.deepEqual(namesOf(stack).slice(1), ['EL1 took SVC from EL0', '0x40000008']);
  const user = stack.at(2);
  // X0 was saved before the handler changed it; what the call may have changed in X2 cannot be known.
  assert.deepEqual([user?.registers.get(0), user?.registers.get(2), user?.registers.get(19)], [7n, undefined, 0n]);
});
