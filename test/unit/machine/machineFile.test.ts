/** Machine files: what each field does, what is refused and how, and that nothing that anybody writes gets past the reader. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError } from '../../../src/base/errors';
import { SeededRandom } from '../../../src/base/random';
import type { MachineConfig } from '../../../src/machine/config';
import type { FieldTable } from '../../../src/machine/fileReader';
import { ElscopeMachine } from '../../../src/machine/machine';
import { machineFields, parseMachineFile } from '../../../src/machine/machineFile';
import { coreTypes, defaultCost, MAX_CORES, presetConfig } from '../../../src/machine/presets';
import { nodePorts } from '../../../src/worker/nodePorts';

const parse = (value: unknown): MachineConfig => parseMachineFile(JSON.stringify(value), 'm.json');

/** The one line that a bad file gives. */
function refusal(text: string): string {
  try {
    parseMachineFile(text, 'm.json');
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.code, /^machine\./);
    assert.doesNotMatch(error.message, /\n|undefined|NaN|\[object|\{\w+\}/, error.message);
    return error.message;
  }
  return assert.fail(`accepted: ${text}`);
}
const refused = (value: unknown): string => refusal(JSON.stringify(value));

describe('accepted', () => {
  test('an empty file is the default preset', () => {
    const { name, ...config } = parse({});
    const { name: preset, ...wanted } = presetConfig('cortex-a57');
    assert.deepEqual([name, preset], ['m.json', 'cortex-a57']);
    assert.deepEqual(config, wanted);
  });

  test('comments and trailing commas', () => {
    const text = '// a machine\n{ "preset": "max", /* two */ "cores": [{}, {},], }\n';
    assert.equal(parseMachineFile(text, 'm.json').cores.length, 2);
    assert.equal(parse({ $schema: './machine.schema.json' }).cores.length, 1);
  });

  test('every field arrives', () => {
    const { cost, ...config } = parse({
      preset: 'cortex-a53',
      cores: [
        {
          l1i: { sets: 64, ways: 3, lineBytes: 32, replacement: 'fifo', policy: 'VPIPT' },
          l1d: { sets: 32, ways: 2, lineBytes: 128, replacement: 'lru' },
          l2: { sets: 512, ways: 8, lineBytes: 128, replacement: 'random' },
          idc: true,
          dic: true,
          ccidx: true,
          prefetch: 16,
          override: { CTR_EL0: '0x8444c004' },
        },
        { type: 'neoverse-n1', cluster: 1, l2: null },
      ],
      memory: '256M',
      el: 3,
      gic: 3,
      quantum: 100,
      jitter: true,
      seed: 7,
      clockHz: 2_000_000_000,
      counterHz: 24_000_000,
      cost: { l2Miss: 200 },
      dmaCoherent: false,
      virtio: 'modern',
      mmuOffFetch: 'poc',
    });
    assert.deepEqual(cost, { ...defaultCost, l2Miss: 200 });
    assert.deepEqual(config, {
      name: 'm.json',
      cores: [
        {
          ...coreTypes['cortex-a53'],
          l1i: { sets: 64, ways: 3, lineBytes: 32, replacement: 'fifo', policy: 'VPIPT' },
          l1d: { sets: 32, ways: 2, lineBytes: 128, replacement: 'lru' },
          idc: true,
          dic: true,
          features: new Set([...coreTypes['cortex-a53'].features, 'FEAT_CCIDX']),
          prefetch: 16,
          override: { CTR_EL0: 0x8444c004n },
          cluster: 0,
        },
        { ...coreTypes['neoverse-n1'], cluster: 1 },
      ],
      clusters: [{ sets: 512, ways: 8, lineBytes: 128, replacement: 'random' }, null],
      memoryBytes: 256 * 2 ** 20,
      highestEl: 3,
      gic: 3,
      quantum: 100,
      jitter: true,
      seed: 7,
      clockHz: 2e9,
      counterHz: 24e6,
      dmaCoherent: false,
      virtio: 'modern',
      mmuOffFetch: 'poc',
      checker: 'off',
    });
  });

  test('a core changes the core of the preset at its place', () => {
    const { cores } = parse({ preset: 'pipt-vipt', cores: [{}, { prefetch: 4 }, {}] });
    assert.deepEqual(
      cores.map((core) => core.name),
      ['cortex-a57', 'cortex-a53', 'cortex-a57'],
    );
    assert.deepEqual(
      cores.map((core) => core.prefetch),
      [0, 4, 0],
    );
  });

  test('features are added and taken away', () => {
    const features = { FEAT_PAN: true, FEAT_CRC32: false, FEAT_SVE: false };
    const [core] = parse({ cores: [{ features }] }).cores;
    assert.deepEqual([core.features.has('FEAT_PAN'), core.features.has('FEAT_CRC32')], [true, false]);
    assert.ok(!coreTypes['cortex-a57'].features.has('FEAT_PAN'), 'the core type stays');
  });

  test('what it describes can be built', () => {
    const config = { ...parse({ cores: [{ l2: null }, { l1i: { lineBytes: 16 } }] }), memoryBytes: 2 ** 24 };
    const machine = new ElscopeMachine(config, nodePorts().wasm, { load: () => ({ entry: 0x4000_0000, x0: 0 }) });
    assert.equal(machine.caches(0).length, 2, 'no L2');
    assert.equal(machine.caches(1)[0].lineBytes, 16);
  });
});

describe('refused in one line that names the field', () => {
  const rows: readonly (readonly [unknown, RegExp])[] = [
    [{ preset: 'cortex-a9' }, /bad "preset": it must be one of cortex-a57, /],
    [{ preset: 5 }, /bad "preset"/],
    [{ preset: ['max'] }, /bad "preset"/],
    [{ speed: 1 }, /bad "speed": known are preset, /],
    [{ toString: 1 }, /bad "toString"/],
    [{ constructor: {} }, /bad "constructor"/],
    [{ cores: [] }, /bad "cores": it must be a list of 1 to 8/],
    [{ cores: {} }, /bad "cores"/],
    [{ cores: 'two' }, /bad "cores"/],
    [{ cores: Array(MAX_CORES + 1).fill({}) }, /bad "cores"/],
    [{ cores: [null] }, /bad "cores\[0\]": it must be an object/],
    [{ cores: [{}, { type: 'z80' }] }, /bad "cores\[1\]\.type"/],
    [{ cores: [{ type: 'constructor' }] }, /bad "cores\[0\]\.type"/],
    [{ cores: [{ l1i: [] }] }, /bad "cores\[0\]\.l1i": it must be an object/],
    [{ cores: [{ l1i: { sets: 48 } }] }, /bad "cores\[0\]\.l1i\.sets": it must be a power of two/],
    [{ cores: [{ l1i: { sets: 0 } }] }, /from 1 to/],
    [{ cores: [{ l1d: { ways: 33 } }] }, /bad "cores\[0\]\.l1d\.ways": it must be a whole number from 1 to 32/],
    [{ cores: [{ l1d: { ways: 1.5 } }] }, /whole number/],
    [{ cores: [{ l1d: { ways: '4' } }] }, /whole number/],
    [
      { cores: [{ l1d: { lineBytes: 48 } }] },
      /bad "cores\[0\]\.l1d\.lineBytes": it must be one of 16, 32, 64, 128, 256/,
    ],
    [{ cores: [{ l1d: { policy: 'VIPT' } }] }, /bad "cores\[0\]\.l1d\.policy"/],
    [{ cores: [{ l1i: { policy: 'AIVIVT' } }] }, /bad "cores\[0\]\.l1i\.policy": it must be one of PIPT/],
    [{ cores: [{ l1i: null }] }, /bad "cores\[0\]\.l1i"/],
    [{ cores: [{ dic: true }] }, /bad "cores\[0\]\.dic": CTR_EL0\.DIC=1 needs IDC=1/],
    [{ cores: [{ idc: 1 }] }, /bad "cores\[0\]\.idc": it must be true or false/],
    [{ cores: [{ cluster: 8 }] }, /bad "cores\[0\]\.cluster"/],
    [{ cores: [{ prefetch: 257 }] }, /bad "cores\[0\]\.prefetch"/],
    [{ cores: [{ override: { CTR_EL0: 5 } }] }, /bad "cores\[0\]\.override\.CTR_EL0": it must be a text such as/],
    [{ cores: [{ override: { CTR_EL0: '0x10000000000000000' } }] }, /override\.CTR_EL0/],
    [{ cores: [{ override: { CRT_EL0: '0x1' } }] }, /bad "cores\[0\]\.override\.CRT_EL0": it must be an ID register/],
    [{ cores: [{ override: { SCTLR_EL1: '0x1' } }] }, /override\.SCTLR_EL1/],
    [{ cores: [{ override: { 'CCSIDR_EL1[14]': '0x1' } }] }, /override\.CCSIDR_EL1\[14\]/],
    [{ cores: [{ override: ['0x1'] }] }, /bad "cores\[0\]\.override"/],
    [{ cores: [{ features: [] }] }, /bad "cores\[0\]\.features": it must be an object/],
    [{ cores: [{ features: null }] }, /bad "cores\[0\]\.features": it must be an object/],
    [{ cores: [{ features: { FEAT_PAN: 1 } }] }, /bad "cores\[0\]\.features\.FEAT_PAN": it must be true or false/],
    [{ cores: [{ features: { FEAT_Speed: true } }] }, /features\.FEAT_Speed": there is no such feature/],
    [{ cores: [{ features: { toString: true } }] }, /features\.toString": there is no such feature/],
    [{ cores: [{}, { features: { FEAT_SVE: true } }] }, /cores\[1\]\.features\.FEAT_SVE": it is not implemented/],
    [{ cores: [{ features: { FEAT_PAN2: true } }] }, /features\.FEAT_PAN2": it needs FEAT_PAN/],
    [{ preset: 'max', cores: [{ features: { FEAT_PAN: false } }] }, /features\.FEAT_PAN2": it needs FEAT_PAN/],
    [{ memory: '8M' }, /memory size of 8M/],
    [{ memory: {} }, /bad "memory": it must be a size/],
    [{ memory: null }, /bad "memory"/],
    [{ el: 0 }, /bad "el": it must be a whole number from 1 to 3/],
    [{ quantum: 0 }, /bad "quantum"/],
    [{ jitter: 'yes' }, /bad "jitter"/],
    [{ seed: -1 }, /bad "seed"/],
    [{ seed: 2 ** 32 }, /bad "seed"/],
    [{ clockHz: 10 }, /bad "clockHz"/],
    [{ counterHz: 1e12 }, /bad "counterHz"/],
    [{ cost: 1 }, /bad "cost": it must be an object/],
    [{ cost: { l3Miss: 1 } }, /bad "cost\.l3Miss"/],
    [{ cost: { l2Miss: -1 } }, /bad "cost\.l2Miss"/],
    [{ mmuOffFetch: 'pou' }, /bad "mmuOffFetch"/],
    [[], /holds no object/],
    ['cortex-a57', /holds no object/],
    [null, /holds no object/],
  ];
  for (const [value, message] of rows)
    test(JSON.stringify(value).slice(0, 70), () => assert.match(refused(value), message));

  test('what is no JSON says the line', () => {
    assert.match(refusal('{\n "quantum": 5,\n "seed" 3\n}'), /not valid JSON at line 3: colon expected/);
    assert.match(refusal(''), /not valid JSON at line 1/);
    assert.match(refusal('{'), /not valid JSON at line 1/);
    assert.match(refusal('{} {}'), /not valid JSON/);
    assert.match(refusal('\u0000\u0001'), /not valid JSON/);
    assert.match(refusal(`{"a":${'['.repeat(5000)}`), /m\.json/);
  });

  test('a name from the prototype is no field, whatever it holds', () => {
    assert.match(refusal('{"__proto__": {"preset": "max"}}'), /bad "__proto__"/);
    assert.match(refusal('{"cores": [{"__proto__": {}}]}'), /bad "cores\[0\]\.__proto__"/);
  });
});

/** Values of all kinds, at the edges of what the table allows and beside them. */
function randomValue(random: SeededRandom, depth: number): unknown {
  const numbers = [0, 1, -1, 0.5, 2, 3, 64, 256, 257, 1e6, 2 ** 32, 2 ** 53, 1e300];
  const texts = ['', 'max', '1G', 'PIPT', 'lru', '0x1', '64', 'poc', 'neoverse-n1', '__proto__'];
  switch (random.below(depth > 0 ? 8 : 6)) {
    case 0:
      return null;
    case 1:
      return random.below(2) === 0;
    case 2:
    case 3:
      return numbers[random.below(numbers.length)];
    case 4:
    case 5:
      return texts[random.below(texts.length)];
    case 6:
      return Array.from({ length: random.below(4) }, () => randomValue(random, depth - 1));
    default:
      return randomObject(random, machineFields, depth - 1);
  }
}

function randomObject(random: SeededRandom, table: FieldTable, depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const fieldNames = Object.keys(table);
  for (let i = random.below(4); i > 0; i--) {
    const name = fieldNames[random.below(fieldNames.length)];
    const { fields, kind } = table[name];
    const nested = fields && depth > 0 && random.below(4) > 0 ? randomObject(random, fields, depth - 1) : undefined;
    result[name] = kind === 'list' && nested ? [nested] : (nested ?? randomValue(random, depth));
  }
  return result;
}

test('random files are machines or one-line refusals', () => {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(11);
  let accepted = 0;
  for (let i = 0; i < 4000; i++) {
    const text = JSON.stringify(randomObject(random, machineFields, 3));
    let config: MachineConfig;
    try {
      config = parseMachineFile(text, 'm.json');
    } catch {
      refusal(text);
      continue;
    }
    accepted++;
    checkConfig(config, text);
  }
  assert.ok(accepted > 300 && accepted < 3700, `${accepted} accepted`);
});

/** What the rest of the machine relies on. */
function checkConfig({ cores, clusters, memoryBytes, highestEl, quantum, cost }: MachineConfig, text: string): void {
  assert.ok(cores.length >= 1 && cores.length <= MAX_CORES, text);
  for (const { cluster, l1i, l1d, dic, idc } of cores) {
    assert.notEqual(clusters[cluster], undefined, text);
    assert.ok(idc || !dic, text);
    for (const { sets, ways, lineBytes } of [l1i, l1d, clusters[cluster]].filter((c) => c !== null))
      assert.ok([sets, ways, lineBytes].every(Number.isInteger), text);
  }
  assert.ok(Number.isInteger(memoryBytes) && [1, 2, 3].includes(highestEl) && quantum >= 1, text);
  assert.ok(Object.values(cost).every(Number.isInteger), text);
}

test('text damaged at random is a machine or a one-line refusal', () => {
  const good = JSON.stringify({ preset: 'max', cores: [{ l1i: { sets: 64 } }, {}], memory: '64M', cost: { trap: 3 } });
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(5);
  for (let i = 0; i < 4000; i++) {
    const at = random.below(good.length);
    const damaged = good.slice(0, at) + String.fromCharCode(random.below(128)) + good.slice(at + random.below(3));
    try {
      checkConfig(parseMachineFile(damaged, 'm.json'), damaged);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refusal(damaged);
    }
  }
});
