/** A kernel with KVM at EL2 that starts a guest of its own, by QEMU inside its RAM disk: without VHE and with it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { linuxKernel } from '../../src/build/guests';
import { INIT_MARKER, nestedInitrd } from '../../src/build/initrd';
import { Client } from '../dap/client';
import { realProduct } from '../dap/products';
import { elscope } from '../unit/cli/program';

const VERSION = '6.1-cloud';
const LIMIT = 20_000_000_000;
const PATIENCE = 900_000;
const count = (text: string, part: string): number => text.split(part).length - 1;

const MACHINES = [
  { machine: 'cortex-a57', gic: '2', says: 'Hyp mode initialized successfully' },
  { machine: 'cortex-a57', gic: '3', says: 'Hyp mode initialized successfully' },
  { machine: 'max', gic: '3', says: 'VHE mode initialized successfully' },
];

describe('a guest of a guest', { concurrency: 1 }, () => {
  for (const { machine, gic, says } of MACHINES)
    test(`${machine}, GICv${gic}`, { timeout: 2 * PATIENCE }, async () => {
      const args = ['run', '--kernel', await linuxKernel(VERSION), '--initrd', await nestedInitrd(VERSION)];
      args.push('--append', 'console=ttyAMA0 elscope.poweroff', '--el', '2', '--machine', machine, '--gic', gic);
      const { code, stdout, stderr } = await elscope([...args, '--max-instructions', `${LIMIT}`], {
        timeout: PATIENCE,
      });
      assert.deepEqual([code, stderr], [0, ''], stdout.slice(-2000));
      assert.ok(stdout.includes(says), says);
      assert.ok(stdout.includes('kvm [1]: HYP mode not available'), 'what the inner kernel finds');
      assert.equal(count(stdout, INIT_MARKER), 2);
      assert.equal(count(stdout, 'reboot: Power down'), 2);
    });

  test('a breakpoint in the inner kernel alone', { timeout: 2 * PATIENCE }, async () => {
    const c = await Client.open('stdio', await realProduct());
    c.defaultTimeout = PATIENCE;
    try {
      const common = { kernel: await linuxKernel(VERSION), initrd: await nestedInitrd(VERSION), checker: 'off' };
      // Names mean the addresses of the outer kernel: the inner one has the same while neither moves.
      await c.begin({ ...common, append: 'console=ttyAMA0 elscope.poweroff nokaslr', el: 2, gic: 3 });
      const breakpoints = [{ name: 'start_kernel', condition: '$vmid != 0' }];
      await c.send('setFunctionBreakpoints', { breakpoints });
      await c.configurationDoneRequest();
      await c.stopped(PATIENCE);
      assert.equal((await c.threadsRequest()).body.threads[0].name, 'core0 · EL1 · VMID 1 · start_kernel');
      assert.equal((await c.top()).name, 'start_kernel');
      assert.notEqual(await c.evaluated('HCR_EL2.VM'), '0');
    } finally {
      await c.close();
    }
  });
});
