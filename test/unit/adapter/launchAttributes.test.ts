import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { attributesMarkdown, configurationAttributes, launchAttributes, sessionStart } from '../../../src/adapter';
import { UserError } from '../../../src/base/errors';
import type { LaunchOptions } from '../../../src/machine/launch.types';
import { presets } from '../../../src/machine/presets';
import { extraDevices } from '../../../src/machine/virtioDevices';

/** A folder that is there. */
const here = path.resolve(tmpdir());
const at = (name: string): string => path.join(here, name);
const start = (more: object) => sessionStart({ program: 'guest.elf', cwd: here, ...more });
function refused(attributes: unknown, code: string, name: RegExp): void {
  assert.throws(
    () => sessionStart(attributes),
    (error: unknown) => error instanceof UserError && error.code === code && name.test(error.message),
    JSON.stringify(attributes),
  );
}

test('paths count from cwd; presets are no paths', () => {
  assert.equal((start({}).options as { program: string }).program, at('guest.elf'));
  const machine = (name: string) => (start({ machine: name }).options as { machine: string }).machine;
  assert.equal(machine('neoverse-n1'), 'neoverse-n1');
  assert.equal(machine('my/machine.json'), at('my/machine.json'));
  assert.equal(machine('no-such-preset'), 'no-such-preset');
  assert.equal((start({ semihosting: 'files' }).options as { semihostingRoot: string }).semihostingRoot, at('files'));
});

test('defaults', () => {
  const { options, stopOnEntry, consoleToOutput, symbols, sourceMap } = start({});
  assert.deepEqual([stopOnEntry, consoleToOutput, symbols, sourceMap], [false, false, [], {}]);
  assert.equal((options as { checker: string }).checker, 'actual');
});

test('symbols with offsets of every spelling', () => {
  const { symbols } = start({
    symbols: ['a.elf', { path: '/b.elf', offset: '0x1000' }, { path: 'c.elf', offset: -16 }],
  });
  assert.deepEqual(symbols, [
    { path: at('a.elf'), offset: '0' },
    { path: '/b.elf', offset: '4096' },
    { path: at('c.elf'), offset: String((1n << 64n) - 16n) },
  ]);
});

test('what is wrong is refused by the attribute’s name', () => {
  refused({ prgram: 'x' }, 'attribute.unknown', /"prgram".*did you mean "program"/);
  refused({ program: 'x', stopAtEntry: true }, 'attribute.unknown', /"stopAtEntry".*known are/);
  refused({ program: 'x', stopOnEntr: true }, 'attribute.unknown', /did you mean "stopOnEntry"/);
  refused({ program: 5 }, 'attribute.value', /"program" cannot be 5/);
  refused({ program: '' }, 'attribute.value', /"program"/);
  refused({ program: 'x', cpus: 9 }, 'attribute.value', /"cpus" cannot be 9.*from 1 to 8/);
  refused({ program: 'x', cpus: 1.5 }, 'attribute.value', /"cpus"/);
  refused({ program: 'x', el: 4 }, 'attribute.value', /"el" cannot be 4.*one of 1, 2, 3/);
  refused({ program: 'x', memory: 'much' }, 'attribute.value', /"memory"/);
  refused({ program: 'x', checker: 'on' }, 'attribute.value', /"checker".*actual/);
  refused({ program: 'x', stopOnEntry: 'yes' }, 'attribute.value', /"stopOnEntry"/);
  refused({ program: 'x', symbols: [{ path: 'x', offset: 'far' }] }, 'attribute.value', /"symbols"/);
  refused({ program: 'x', symbols: 'x' }, 'attribute.value', /"symbols"/);
  refused({ program: 'x', sourceMap: ['a'] }, 'attribute.value', /"sourceMap"/);
  refused({ program: 'x', drives: 'disk' }, 'attribute.value', /"drives".*list/);
  refused({ program: 'x', devices: ['net', 'gpu'] }, 'attribute.value', /"devices".*one of net, rng, console/);
  refused({ program: 'x', cwd: at('no/such') }, 'attribute.folder', /"cwd" names no folder: .*such/);
  refused({}, 'attribute.noProgram', /"program"/);
  refused(null, 'attribute.noProgram', /"program"/);
  refused({ program: 'x', bios: 'y' }, 'attribute.twoPrograms', /program and bios/);
  refused({ program: 'x', initrd: 'y' }, 'attribute.needsKernel', /"initrd"/);
});

test('what clients add is let through', () => {
  const own = { type: 'elscope', request: 'launch', name: 'x', __sessionId: '1', preLaunchTask: 'make', noDebug: true };
  assert.equal(sessionStart({ ...own, program: '/x', stopOnEntry: true }).stopOnEntry, false);
});

test('drives, share and devices', () => {
  const { options } = start({ drives: ['a.img', '/b.img,write'], share: 'files', devices: ['rng'] });
  const { drives, share, devices } = options as LaunchOptions;
  assert.deepEqual([drives, share, devices], [[at('a.img'), '/b.img,write'], at('files'), ['rng']]);
  assert.deepEqual([...launchAttributes.devices.values], [...extraDevices]);
});

test('firmware may have a kernel to boot', () => {
  const { bios, kernel } = start({ program: undefined, bios: 'fw', kernel: 'Image', append: 'quiet' })
    .options as LaunchOptions;
  assert.deepEqual([bios, kernel], [at('fw'), at('Image')]);
});

test('every preset of the machine can be chosen, and no other', () => {
  assert.deepEqual([...launchAttributes.machine.values].sort(), Object.keys(presets).sort());
});

test('every attribute is documented in the schema and in the table', () => {
  const { properties } = configurationAttributes() as { properties: Record<string, { markdownDescription: string }> };
  const lines = attributesMarkdown().split('\n');
  for (const name of Object.keys(launchAttributes)) {
    assert.match(properties[name].markdownDescription, /\.$/, name);
    assert.ok(
      lines.some((line) => line.startsWith(`| \`${name}\` |`)),
      name,
    );
  }
});
