/**
 * The schedule against its definition: a scheduler that runs one turn at a time, written here as plainly as possible. Cores are
 * scripts: at given instructions they cost cycles, set alarms, wait, or wake others.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { type ScheduledCore, Scheduler } from '../../../src/machine/scheduler';
import { GuestTime } from '../../../src/machine/time';

const HZ = 1e9; // a cycle is a nanosecond
const LAST = 40_000; // instructions after which a script waits for ever

type Action =
  | { readonly kind: 'cost'; readonly cycles: number }
  | { readonly kind: 'alarm'; readonly after: number }
  | { readonly kind: 'wait' }
  | { readonly kind: 'wake'; readonly core: number };
/** What the instruction with this number (from 1) does besides taking a cycle. */
type Script = ReadonlyMap<number, readonly Action[]>;

interface World {
  readonly time: GuestTime;
  readonly cores: readonly ScriptedCore[];
  /** Everything that can be seen, in order: which core did what at which guest time. */
  readonly log: string[];
  /** Told before a core wakes. */
  waking: () => void;
}

class ScriptedCore implements ScheduledCore {
  done = 0;
  private penalties = 0;
  private waiting = false;
  private awake = false;

  constructor(
    private readonly index: number,
    private readonly script: Script,
    private readonly world: () => World,
    startsWaiting: boolean,
  ) {
    this.waiting = startsWaiting;
  }

  ready(): boolean {
    return !this.waiting && this.done < LAST;
  }
  cycles(): number {
    return this.done + this.penalties;
  }

  wake(): void {
    if (this.waiting) this.world().waking();
    else this.awake = true;
    this.waiting = false;
  }

  run(limit: number, horizon?: (executed: number) => number, allowance = 0): number {
    const start = this.done;
    const free = this.penalties + allowance;
    let most = limit;
    let ask = false;
    const world = this.world();
    const { time, waking } = world;
    time.scheduled = () => {
      ask = true;
    };
    world.waking = () => {
      ask = true;
      waking();
    };
    while (this.done - start < most && this.ready()) {
      const actions = this.script.get(this.done + 1);
      if (actions) {
        for (const action of actions) this.act(action);
        // Where the engine looks ahead: the current instruction is not counted as done yet.
        if (horizon && (ask || this.penalties >= free)) most = Math.min(most, horizon(this.done - start + 1));
      }
      this.done++;
    }
    time.scheduled = () => {};
    world.waking = waking;
    return this.done - start;
  }

  private act(action: Action): void {
    const { time, cores, log } = this.world();
    const note = (what: string): void => void log.push(`${time.cycles()}: core${this.index} at ${this.done} ${what}`);
    switch (action.kind) {
      case 'cost':
        this.penalties += action.cycles;
        note('pays');
        break;
      case 'alarm':
        note('sets its alarm');
        time.schedule(`alarm${this.index}`, time.now() + action.after, () => {
          note('hears its alarm');
          this.wake();
        });
        break;
      case 'wait':
        note(this.awake ? 'does not wait' : 'waits');
        this.waiting = !this.awake;
        this.awake = false;
        break;
      case 'wake':
        note(`wakes core${action.core}`);
        cores[action.core].wake();
    }
  }
}

function makeWorld(scripts: readonly Script[]): World {
  const world: World = {
    time: new GuestTime(HZ),
    cores: scripts.map((script, i) => new ScriptedCore(i, script, () => world, i > 0)),
    log: [],
    waking: () => {},
  };
  return world;
}

interface Options {
  readonly quantum: number;
  readonly jitter: boolean;
  readonly seed: number;
}

/**
 * The definition: rounds of turns, each of a fixed number of instructions; time advances by a round's longest turn. A core that is
 * alone when it wakes another begins a round there.
 */
function runPlainly(world: World, { quantum, jitter, seed }: Options): void {
  const { time, cores } = world;
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(seed);
  for (;;) {
    if (!cores.some((core) => core.ready())) {
      if (!time.jump()) return;
      time.fireDue();
      if (!cores.some((core) => core.ready())) continue;
    }
    for (const core of cores) {
      let start = core.cycles();
      time.turnCycles = () => core.cycles() - start;
      world.waking = () => {
        if (time.roundBegun || cores.some((other) => other !== core && other.ready())) return;
        time.turnEnded(core.cycles() - start);
        time.roundEnded();
        start = core.cycles();
      };
      let left = jitter && core.ready() ? 1 + random.below(quantum) : quantum;
      while (left > 0 && core.ready()) left -= core.run(left);
      time.turnEnded(core.cycles() - start);
      time.turnCycles = () => 0;
      world.waking = () => {};
    }
    time.roundEnded();
    time.fireDue();
  }
}

function runScheduled(world: World, options: Options, slice: () => number): string {
  const scheduler = new Scheduler(world.cores, world.time, options, () => false);
  world.waking = () => scheduler.waking();
  for (;;) {
    const end = scheduler.run(slice());
    if (end !== 'limit') return end;
  }
}

/** Scripts with much waiting, so that cores are often alone. Every core waits at last. */
function randomScripts(seed: number, count: number): Script[] {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(seed);
  const action = (self: number): Action[] => {
    const pick = random.below(10);
    if (pick < 5) return [{ kind: 'cost', cycles: 1 + random.below(pick === 0 ? 3000 : 60) }];
    if (pick < 7)
      return [{ kind: 'alarm', after: random.below(6000) }, ...(random.below(2) ? [{ kind: 'wait' as const }] : [])];
    if (pick < 8 && count > 1) return [{ kind: 'wait' }];
    return [{ kind: 'wake', core: (self + 1 + random.below(Math.max(1, count - 1))) % count }];
  };
  return Array.from({ length: count }, (_, self) => {
    const script = new Map<number, Action[]>();
    for (let at = 1 + random.below(500); at < LAST; at += 1 + random.below(1500)) script.set(at, action(self));
    return script;
  });
}

const seen = ({ log, cores, time }: World): string[] => [...log, `${time.cycles()}: ${cores.map((c) => c.cycles())}`];

describe('the scheduler does what its definition says', () => {
  for (const count of [1, 2, 3])
    test(`${count} cores, random scripts, whole and in slices`, () => {
      let actions = 0;
      for (let seed = 0; seed < 60; seed++) {
        const scripts = randomScripts(seed, count);
        const options = { quantum: [1000, 700, 64][seed % 3], jitter: seed % 5 === 4, seed };
        const plain = makeWorld(scripts);
        runPlainly(plain, options);
        actions += plain.log.length;
        const random = new SeededRandom(new Uint32Array(1));
        random.seed(seed);
        for (const [what, slice] of [
          ['whole', () => 1e9],
          ['slices', () => 1 + random.below(3000)],
          ['ones', () => 1],
        ] as const) {
          const world = makeWorld(scripts);
          assert.equal(runScheduled(world, options, slice), 'idle');
          assert.deepEqual(seen(world), seen(plain), `${count} cores, seed ${seed}, ${what}`);
        }
      }
      assert.ok(actions > 1000, 'the scripts do something');
    });
});

test('busy cores advance time once', () => {
  const busy: Script = new Map();
  const world = makeWorld([new Map([[1, [{ kind: 'wake', core: 1 }]]]), busy]);
  const scheduler = new Scheduler(world.cores, world.time, { quantum: 100, jitter: false, seed: 1 }, () => false);
  scheduler.run(2000);
  assert.deepEqual(
    world.cores.map((c) => c.done),
    [1000, 1000],
  );
  assert.equal(world.time.cycles(), 1000);
});

test('jitter gives turns of 1 to quantum instructions, by the seed', () => {
  const turns = (seed: number, jitter: boolean): number[] => {
    const lengths: number[] = [];
    const core = (): ScheduledCore => ({
      ready: () => true,
      cycles: () => 0,
      run: (limit) => {
        lengths.push(limit);
        return limit;
      },
    });
    const scheduler = new Scheduler([core(), core()], new GuestTime(HZ), { quantum: 50, jitter, seed }, () => false);
    scheduler.run(20_000);
    return lengths.slice(0, -1);
  };
  assert.ok(turns(1, false).every((n) => n === 50));
  const lengths = turns(1, true);
  assert.deepEqual([Math.min(...lengths), Math.max(...lengths)], [1, 50]);
  assert.deepEqual(turns(1, true), lengths);
  assert.notDeepEqual(turns(2, true), lengths);
});

test('a step is one instruction of its core; the others go on by the schedule', () => {
  const world = makeWorld([new Map([[1, [{ kind: 'wake', core: 1 }]]]), new Map()]);
  const scheduler = new Scheduler(world.cores, world.time, { quantum: 100, jitter: false, seed: 1 }, () => false);
  assert.equal(scheduler.step(1), 'limit');
  assert.deepEqual(
    world.cores.map((c) => c.done),
    [100, 1],
  );
  for (let i = 0; i < 99; i++) scheduler.step(1);
  assert.deepEqual(
    world.cores.map((c) => c.done),
    [100, 100],
  );
  scheduler.step(0);
  assert.deepEqual(
    world.cores.map((c) => c.done),
    [101, 100],
  );
  const whole = makeWorld([new Map([[1, [{ kind: 'wake', core: 1 }]]]), new Map()]);
  new Scheduler(whole.cores, whole.time, { quantum: 100, jitter: false, seed: 1 }, () => false).run(201);
  assert.deepEqual(seen(world), seen(whole));
});

test('nothing ready and no event is idle, a pending stop ends the run', () => {
  let stop = false;
  const core: ScheduledCore = {
    ready: () => true,
    cycles: () => 0,
    run: () => {
      stop = true;
      return 3;
    },
  };
  const options = { quantum: 10, jitter: false, seed: 1 };
  assert.equal(new Scheduler([core], new GuestTime(HZ), options, () => stop).run(100), 'stop');
  const off: ScheduledCore = { ready: () => false, cycles: () => 0, run: () => 0 };
  assert.equal(new Scheduler([off, off], new GuestTime(HZ), options, () => false).run(100), 'idle');
});
