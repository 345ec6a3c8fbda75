/** Debian's kernel as a guest of the hypervisor model: two vCPUs that move among physical cores at random. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { file } from '../unit/cli/program';
import { idLines, messages, pace, runLinux } from './linux';

/** Levels and types of caches, as the guest's CLIDR_EL1 has them. */
const TOPOLOGY =
  'cd /sys/devices/system/cpu; for i in cpu*/cache/index*; do echo $i $(cat $i/level $i/type); done; cd /';

/** How many times each vCPU was interrupted by its timer and by software interrupts. */
const INTERRUPTS = 'grep -E "arch_timer|IPI0|IPI1" /proc/interrupts';

interface Guest {
  readonly preset: string;
  readonly cpus: number;
  readonly gic: 2 | 3;
  /** CTR_EL0 at EL0 of both vCPUs. */
  readonly ctr: string;
  readonly policy: 'PIPT' | 'VIPT';
}

const GUESTS: readonly Guest[] = [
  { preset: 'cortex-a57', cpus: 4, gic: 2, ctr: '0x8444c004', policy: 'PIPT' },
  { preset: 'cortex-a57', cpus: 4, gic: 3, ctr: '0x8444c004', policy: 'PIPT' },
  { preset: 'cortex-a53', cpus: 4, gic: 2, ctr: '0x84448004', policy: 'VIPT' },
  { preset: 'm2-like', cpus: 8, gic: 2, ctr: '0x8554c004', policy: 'PIPT' },
];

describe('Debian’s kernel under the hypervisor model', { concurrency: 1 }, () => {
  for (const { preset, cpus, gic, ctr, policy } of GUESTS)
    test(`${preset}, GICv${gic}`, { timeout: 1_200_000 }, async (t) => {
      const vms = [{ memory: '512M', vcpus: [{ core: 0 }, { core: 1 }] }];
      const hypervisor = { kvm: '6.12', slice: 200_000, migrate: true, vms };
      const machine = file(`guest-${preset}-${gic}.json`, JSON.stringify({ preset, memory: '1G', gic, hypervisor }));
      const result = await runLinux({ version: '6.1-cloud', machine, cpus, commands: ['nproc', TOPOLOGY, INTERRUPTS] });
      assert.equal(result.code, 0, result.console.slice(-2000));
      const lines = messages(result.console);
      assert.ok(lines.includes(`Detected ${policy} I-cache on CPU1`));
      assert.ok(lines.includes('kvm [1]: HYP mode not available'));
      for (const line of lines) assert.doesNotMatch(line, /WARNING:|BUG:|Oops|Call trace|rcu.*stall|SANITY CHECK/);
      assert.deepEqual(
        idLines(result.console).map((line) => line.split(' ').slice(0, 3).join(' ')),
        [0, 1].map((cpu) => `cpu${cpu} CTR_EL0 ${ctr}`),
      );
      assert.equal(result.answers[0], '2\n');
      const topology = [0, 1].flatMap((cpu) => [
        `cpu${cpu}/cache/index0 1 Data`,
        `cpu${cpu}/cache/index1 1 Instruction`,
      ]);
      assert.deepEqual(result.answers[1].trim().split('\n').sort(), topology);
      // An interrupt that is lost shows as a stall; that the right controller is there, in its own name.
      assert.match(result.answers[2], /arch_timer/);
      assert.match(result.answers[2], gic === 3 ? /GICv3/ : /GICv2|GIC-0/);
      const ran = result.statistics.cores.map((core) => core.instructions);
      assert.ok(
        ran.every((n) => n > 1e6),
        `the vCPUs were on all cores: ${ran.join(', ')}`,
      );
      t.diagnostic(`${preset}: ${pace(result)}`);
    });
});
