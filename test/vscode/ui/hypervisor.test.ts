/**
 * The hypervisor model in the real workbench: a guest's trapped read of CCSIDR_EL1 stops in EL2, whose routines have frames, source
 * and values; steps go through it and back to the guest, which has the virtual value. Pictures in both themes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ROOT } from '../../../src/build/paths';
import { breakAt, onlyShow, row, waitStack, waitThread, waitTop } from '../session';
import { BOTH_THEMES } from '../ui';
import { openWorkbench, type Workbench } from '../workbench';

const CONFIGURATION = 'kvm-ccsidr on v6.12: the same values on both';

/** Where a step of a routine stands in the text that the workbench shows. */
function lineOf(routine: string, step: string): number {
  const text = readFileSync(path.join(ROOT, 'src', 'hypervisor', 'run', 'exits.ts'), 'utf8');
  const at = text.indexOf(`step('${step}'`, text.indexOf(`name: '${routine}'`));
  return text.slice(0, at).split('\n').length;
}

describe('a guest of KVM', () => {
  let bench: Workbench;
  before(async () => {
    bench = await openWorkbench({ extension: 'vsix' });
  });
  after(() => bench.close());

  test('stops where EL2 handles the trapped read of CCSIDR_EL1', async () => {
    const { ui, page } = bench;
    await ui.openFile('kvm-ccsidr/kvm-ccsidr.c');
    await ui.showDebugView();
    await ui.pane('Breakpoints');
    await breakAt(bench, 'kvm_handle_sys_reg', '$trap == CCSIDR_EL1');
    await ui.startConfiguration(CONFIGURATION);
    await waitTop(ui, /^Stack Frame kvm_handle_sys_reg: decode the access, line \d+, exits\.ts/);
    await waitStack(ui, (all) => all.some((frame) => /^Stack Frame ccsidr, line \d+, kvm-ccsidr\.c/.test(frame)));
    await page.locator('.tab.active[aria-label^="exits.ts"]').waitFor();
    await page.locator('.debug-top-stack-frame-line').first().waitFor();
    await onlyShow(ui, 'Variables', 'VMs');
    await ui.step('F11');
    await waitTop(ui, /^Stack Frame kvm_handle_sys_reg: emulate the access/);
    await ui.variables((all) => all.some(({ aria }) => /^register, value "CCSIDR_EL1"/.test(aria)));
    const rows = await ui.treeRows('VMs', (all) => row(all, 'vCPU 0') !== undefined);
    assert.match(row(rows, 'vCPU 0')?.description ?? '', /^core 0 · EL1 · ccsidr\+0x8 · exited/);
    await ui.expandTreeRow('VMs', 'trapped registers');
    await ui.treeRows('VMs', (all) => /^1\b/.test(row(all, 'CCSIDR_EL1')?.description ?? ''));
    await ui.screenshot('hypervisor-trap', BOTH_THEMES);
    assert.deepEqual(await ui.notifications(), []);
  });

  test('a breakpoint in the model’s text stops there', async () => {
    const { ui } = bench;
    const line = lineOf('kvm_handle_sys_reg', 'skip the instruction');
    await ui.toggleBreakpoint(line);
    await ui.step('F5');
    await waitTop(ui, /^Stack Frame kvm_handle_sys_reg: skip the instruction/);
    await ui.screenshot('hypervisor-breakpoint', BOTH_THEMES);
    await ui.toggleBreakpoint(line);
  });

  test('steps go through EL2 and come back to the guest, with the virtual value in its register', async () => {
    const { ui } = bench;
    await onlyShow(ui, 'Cores');
    await ui.treeRows('Cores', (rows) => /^EL2 · kvm_handle_sys_reg: skip the i/.test(rows[0]?.description ?? ''));
    await ui.step('Shift+F11');
    await waitTop(ui, /^Stack Frame handle_exit: return to the loop/);
    await ui.treeRows('Cores', (rows) => /^EL2 · handle_exit: return to the l/.test(rows[0]?.description ?? ''));
    await ui.step('F10');
    await ui.step('F10');
    await waitTop(ui, /^Stack Frame kvm_arch_vcpu_ioctl_run: run the guest, line \d+, world\.ts/);
    await ui.step('F11');
    await waitTop(ui, /^Stack Frame __kvm_vcpu_run: /);
    let top = '';
    for (let steps = 0; steps < 20 && !/kvm-ccsidr\.c/.test(top); steps++) top = await ui.step('F10');
    await waitTop(ui, /^Stack Frame ccsidr, line \d+, kvm-ccsidr\.c/);
    await ui.treeRows('Cores', (rows) => /^EL1 · ccsidr\+/.test(rows[0]?.description ?? ''));
    await onlyShow(ui, 'Variables');
    await ui.variables((all) => all.some(({ aria }) => aria === 'Scope Arguments'));
    await ui.expandVariable('General registers');
    await ui.variables((all) => all.some(({ aria }) => /^x0, value 0x0000000000000002/.test(aria)));
    await ui.screenshot('hypervisor-back', BOTH_THEMES);
  });

  test('cache ID registers show the core’s, the host’s and the guest’s values', async () => {
    const { ui } = bench;
    await onlyShow(ui, 'Cache ID Registers');
    await ui.collapse('Call Stack');
    const rows = await ui.treeRows('Cache ID Registers', (all) => row(all, 'CCSIDR_EL1[L1 D]') !== undefined);
    assert.match(row(rows, 'CTR_EL0')?.description ?? '', /guests 0x8554c004 · host 0x8554c004/);
    assert.match(row(rows, 'CCSIDR_EL1[L1 D]')?.description ?? '', /^2 different values · guests 0x2$/);
    const cores = rows.slice(rows.findIndex(({ label }) => label === 'CCSIDR_EL1[L1 D]') + 1);
    assert.match(row(cores, 'core 0')?.description ?? '', /^0x700fe03a · guest 0x2/);
    assert.match(row(cores, 'core 4')?.description ?? '', /^0x701fe03a · guest 0x2/);
    await ui.screenshot('hypervisor-id-registers', BOTH_THEMES);
    await ui.pane('Call Stack');
  });

  test('a vCPU goes on on another core; guest exits and entries are run to', async () => {
    const { ui, page } = bench;
    await onlyShow(ui, 'VMs', 'Cores');
    await ui.command('elscope: Run to the Next Guest Exit');
    await waitTop(ui, /^Stack Frame __kvm_vcpu_run: save general registers/);
    await waitStack(ui, (all) => all.some((frame) => /^Stack Frame main, /.test(frame)));
    const vcpu = (await ui.pane('VMs')).locator('.monaco-list-row', { hasText: 'vCPU 0' });
    await ui.contextMenu(vcpu, 'Migrate a vCPU...');
    await ui.pick('core 5');
    await ui.treeRows('VMs', (all) => /goes to core 5/.test(row(all, 'vCPU 0')?.description ?? ''));
    await waitStack(ui, (all) => all.some((frame) => /^Stack Frame main, /.test(frame)));
    await ui.screenshot('hypervisor-migrate', BOTH_THEMES);
    await ui.step('F5');
    await ui.treeRows('VMs', (all) => /^core 5 · /.test(row(all, 'vCPU 0')?.description ?? ''));
    await waitThread(ui, /^Thread core5 · EL2 · vm1\/vcpu0/);
    await page.keyboard.press('Escape');
  });

  test('the host’s log is in the debug console, the guest’s output in its terminal', async () => {
    const { ui, page } = bench;
    await ui.command('Debug Console: Focus on Debug Console View');
    await page.locator('.repl .monaco-list-row', { hasText: 'host: ' }).first().waitFor();
    await ui.screenshot('hypervisor-log', BOTH_THEMES);
    assert.equal(
      await page.locator('.terminal-tabs-entry, .tabs-list .monaco-list-row', { hasText: 'UART 9' }).count(),
      0,
    );
    await ui.stopDebugging();
  });
});
