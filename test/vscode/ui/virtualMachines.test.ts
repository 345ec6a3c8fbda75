/**
 * What a user does to a virtual machine in the workbench: looks at its stage 2 and at what its exits cost, pins, pauses and resets
 * a vCPU, runs to guest entries, saves the machine and restores it, and changes a policy of its host. Pictures in both themes.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  lineOf,
  onlyShow,
  READABLE_TERMINAL,
  row,
  waitConsole,
  waitStack,
  waitTerminal,
  waitThread,
  waitTop,
} from '../session';
import { BOTH_THEMES, becomes } from '../ui';
import { openWorkbench, type Workbench } from '../workbench';

const GUEST = 'kvm-ccsidr/kvm-ccsidr.c';
const CONFIGURATION = 'kvm-ccsidr on v6.12: the same values on both';

describe('a virtual machine', () => {
  let bench: Workbench;
  before(async () => {
    bench = await openWorkbench({ extension: 'vsix', settings: READABLE_TERMINAL });
  });
  after(() => bench.close());

  /** Chooses an entry of the context menu of the vCPU; waits for what the row says then. */
  async function vcpu(entry: string, then: RegExp, ...answers: readonly string[]): Promise<void> {
    const { ui } = bench;
    const at = (await ui.pane('VMs')).locator('.monaco-list-row', { hasText: 'vCPU 0' });
    await ui.contextMenu(at, entry);
    for (const answer of answers) await ui.pick(answer);
    await ui.treeRows('VMs', (all) => then.test(row(all, 'vCPU 0')?.description ?? ''));
  }

  test('shows stage 2 and the cost of exits', async () => {
    const { ui } = bench;
    await ui.openFile(GUEST);
    await ui.showDebugView();
    await ui.toggleBreakpoint(lineOf(GUEST, 'restore("its own", saved)'));
    await ui.startConfiguration(CONFIGURATION);
    await waitTop(ui, /^Stack Frame main, line \d+, kvm-ccsidr\.c/);
    await onlyShow(ui, 'VMs');
    await ui.collapse('Call Stack');
    await ui.expandTreeRow('VMs', 'stage 2');
    const rows = await ui.treeRows('VMs', (all) => row(all, '1 block of 2 MiB') !== undefined);
    assert.match(row(rows, 'slot 0')?.description ?? '', /mapped · 1 entry · \d+ R, \d+ W, \d+ X · \d+ young$/);
    await ui.screenshot('vm-stage2', BOTH_THEMES);
    await ui.expandTreeRow('VMs', 'exits');
    await ui.treeRows('VMs', (all) => all.some(({ description }) => /^\d+ · [\d,]+ cycles$/.test(description)));
    await ui.screenshot('vm-exits', BOTH_THEMES);
  });

  test('a vCPU is pinned to a core and let go', async () => {
    await vcpu('Pin vCPU to Core...', /goes to core 2 · pinned to core 2$/, 'core 2');
    await bench.ui.screenshot('vm-pinned', BOTH_THEMES);
    await vcpu('Unpin vCPU', /^core 4 · EL1 · main\+0x[0-9a-f]+$/);
  });

  test('runs stop at guest entries and exits', async () => {
    const { ui } = bench;
    await ui.pane('Call Stack');
    await ui.command('elscope: Run to the Next Guest Exit');
    await waitTop(ui, /^Stack Frame __kvm_vcpu_run: /);
    await ui.command('elscope: Run to the Next Guest Entry');
    await waitStack(ui, (all) => /kvm-ccsidr\.c|hypercalls/.test(all[0] ?? ''));
    await ui.screenshot('vm-entry', BOTH_THEMES);
    assert.deepEqual(await ui.notifications(), []);
  });

  test('the machine is saved as a file', async () => {
    const { ui } = bench;
    const at = (await ui.pane('VMs')).locator('.monaco-list-row', { hasText: 'VM 1' }).first();
    await ui.contextMenu(at, 'Save Virtual Machine...');
    const file = path.join(bench.folder, 'saved.json');
    await ui.page.locator('.quick-input-widget', { hasText: 'Save VM 1' }).waitFor();
    await ui.screenshot('vm-save', BOTH_THEMES);
    await ui.answerFile('Save VM 1', file);
    // It is there before it is whole.
    const saved = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
    assert.ok(await becomes(async () => saved().trimEnd().endsWith('}'), 20_000), 'the file is there');
    const { vcpus } = JSON.parse(saved()) as { vcpus: unknown[] };
    assert.equal(vcpus.length, 1);
  });

  test('a vCPU pauses, goes on, and is reset', async () => {
    const { ui } = bench;
    await vcpu('Pause vCPU', /pauses/);
    await ui.page.keyboard.press('F5');
    await ui.treeRows('VMs', (all) => / · paused$/.test(row(all, 'vCPU 0')?.description ?? ''));
    await ui.screenshot('vm-paused', BOTH_THEMES);
    await vcpu('Reset vCPU', /paused/);
    await vcpu('Resume vCPU', /^core/);
    // From its first instruction again, up to the breakpoint.
    await waitTop(ui, /^Stack Frame main, line \d+, kvm-ccsidr\.c/);
    await ui.screenshot('vm-reset', BOTH_THEMES);
    assert.deepEqual(await ui.notifications(), []);
  });

  test('a policy of the host is changed, and the machine starts again with it', async () => {
    const { ui, page } = bench;
    await ui.command('elscope: Change Policy...');
    await ui.screenshot('vm-policies', BOTH_THEMES);
    await page.locator('.quick-input-widget input.input').fill('ccsidr');
    await page.keyboard.press('Enter');
    await page.locator('.quick-input-widget', { hasText: 'takes effect at the next start' }).waitFor();
    await ui.screenshot('vm-policy-values', BOTH_THEMES);
    await ui.pick('host');
    const toast = page.locator('.notification-toast', { hasText: 'takes effect when the machine starts again' });
    await toast.waitFor();
    await ui.screenshot('vm-policy-question', BOTH_THEMES);
    await toast.locator('.monaco-button', { hasText: 'Start Again' }).click();
    await ui.collapse('Call Stack');
    await ui.treeRows('VMs', (all) => /1 changed$/.test(row(all, 'policies')?.description ?? ''));
    await ui.screenshot('vm-policy-changed', BOTH_THEMES);
    await ui.pane('Call Stack');
    await waitTop(ui, /^Stack Frame main, line \d+, kvm-ccsidr\.c/);
  });

  test('a saved machine is restored where its host takes its registers, and goes on where it was', async () => {
    const { ui, page } = bench;
    const restore = async (name: string): Promise<void> => {
      await ui.command('elscope: Restore Virtual Machine...');
      await page.locator('.quick-input-widget', { hasText: 'Restore a virtual machine' }).waitFor();
      await ui.screenshot(name, BOTH_THEMES);
      await ui.answerFile('Restore a virtual machine', path.join(bench.folder, 'saved.json'), 'Restore');
    };
    await restore('vm-restore');
    await ui.waitEnded();
    // The policy has not changed back: this host takes no other core's values.
    await waitConsole(ui, (text) =>
      /vm1 cannot be restored: KVM_SET_ONE_REG CLIDR_EL1 = 0x9200003 .* EINVAL/.test(text),
    );
    await ui.screenshot('vm-restore-refused', BOTH_THEMES);
    await ui.startConfiguration(CONFIGURATION);
    await restore('vm-restore-again');
    await waitThread(ui, /^Thread core0 · EL1 · vm1\/vcpu0/);
    await waitTop(ui, /^Stack Frame main, line \d+, kvm-ccsidr\.c/);
    await ui.command('elscope: Open the UART Terminal');
    await page.keyboard.press('F5');
    await waitTerminal(ui, /EL0 read CTR_EL0 1000 times[\s\S]*has ended/);
    await ui.screenshot('vm-restored', BOTH_THEMES);
  });
});
