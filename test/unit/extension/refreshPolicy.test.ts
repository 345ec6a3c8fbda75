/** When views ask again, by a clock that is moved by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefreshPolicy, RUNNING_PERIOD_MS } from '../../../src/extension/refreshPolicy';

class HandClock {
  time = 0;
  private timers: { at: number; action: () => void }[] = [];
  now = (): number => this.time;
  after = (ms: number, action: () => void): (() => void) => {
    const timer = { at: this.time + ms, action };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  };
  advance(ms: number): void {
    this.time += ms;
    const due = this.timers.filter((timer) => timer.at <= this.time);
    this.timers = this.timers.filter((timer) => timer.at > this.time);
    for (const timer of due) timer.action();
  }
}

function rig() {
  const clock = new HandClock();
  const answers: (() => void)[] = [];
  let loads = 0;
  const policy = new RefreshPolicy(() => {
    loads++;
    return new Promise((resolve) => answers.push(resolve));
  }, clock);
  const settle = async (): Promise<void> => {
    for (const answer of answers.splice(0)) answer();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, policy, settle, loads: () => loads };
}

test('a view that nobody sees asks for nothing', async () => {
  const { policy, loads, clock, settle } = rig();
  policy.stateChanged(false);
  policy.stateChanged(true);
  clock.advance(10_000);
  assert.equal(loads(), 0);
  policy.setVisible(true);
  assert.equal(loads(), 1);
  await settle();
  policy.setVisible(false);
  policy.setVisible(true);
  assert.equal(loads(), 1, 'nothing happened meanwhile');
});

test('every stop is shown at once', async () => {
  const { policy, loads, settle } = rig();
  policy.setVisible(true);
  for (let stop = 1; stop <= 3; stop++) {
    policy.stateChanged(false);
    assert.equal(loads(), stop);
    await settle();
  }
});

test('stops while a request is under way make one more', async () => {
  const { policy, loads, settle } = rig();
  policy.setVisible(true);
  for (let i = 0; i < 5; i++) policy.stateChanged(false);
  assert.equal(loads(), 1);
  await settle();
  assert.equal(loads(), 2);
  await settle();
  assert.equal(loads(), 2);
});

test('while the guest runs the rate is modest, and a stop does not wait', async () => {
  const { policy, loads, settle, clock } = rig();
  policy.setVisible(true);
  policy.stateChanged(true);
  await settle();
  for (let i = 0; i < 4; i++) {
    clock.advance(RUNNING_PERIOD_MS / 5);
    policy.stateChanged(true);
  }
  assert.equal(loads(), 1);
  clock.advance(RUNNING_PERIOD_MS / 5);
  assert.equal(loads(), 2);
  await settle();
  policy.stateChanged(true);
  policy.stateChanged(false);
  assert.equal(loads(), 3);
  await settle();
  clock.advance(10_000);
  assert.equal(loads(), 3, 'the waiting load was replaced by the stop');
});

test('running states during a slow request keep to the rate', async () => {
  const { policy, loads, settle, clock } = rig();
  policy.setVisible(true);
  policy.stateChanged(true);
  policy.stateChanged(true);
  await settle();
  assert.equal(loads(), 1);
  clock.advance(RUNNING_PERIOD_MS);
  assert.equal(loads(), 2);
});

test('a view that is hidden while it waits stays quiet', async () => {
  const { policy, loads, settle, clock } = rig();
  policy.setVisible(true);
  policy.stateChanged(true);
  await settle();
  policy.stateChanged(true);
  policy.setVisible(false);
  clock.advance(10_000);
  assert.equal(loads(), 1);
  policy.setVisible(true);
  assert.equal(loads(), 2);
});

test('who shows the data gets it as it is now', async () => {
  const { policy, loads, settle } = rig();
  policy.stateChanged(false);
  let shown = false;
  const waiting = policy.upToDate().then(() => {
    shown = true;
  });
  assert.equal(loads(), 1);
  assert.equal(shown, false);
  await settle();
  await waiting;
  await policy.upToDate();
  assert.equal(loads(), 1);
});
