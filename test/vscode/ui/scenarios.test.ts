/**
 * Each scenario's sample in the real workbench, on the kernel before a change and on the one after it: what its page says happens is
 * there to see. Pictures in both themes. What ccsidr does under v6.12 is in hypervisor.test.ts.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
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

describe('scenarios', () => {
  let bench: Workbench;
  before(async () => {
    bench = await openWorkbench({ extension: 'vsix', settings: READABLE_TERMINAL });
    await bench.ui.showDebugView();
  });
  after(() => bench.close());

  const ended = (): Promise<boolean> => bench.page.locator('.start-debug-action-item').first().isVisible();
  afterEach(async () => {
    assert.deepEqual(await bench.ui.notifications(), []);
    if (!(await ended())) await bench.ui.stopDebugging();
  });

  /** Continues from finding to finding until one of this kind, or the end. @returns the kinds that the view has shown. */
  async function findings(last: string): Promise<string[]> {
    const { ui } = bench;
    let kinds: string[] = [];
    while (!(await ended())) {
      const rows = await ui.treeRows('Findings', (all) => all.length > kinds.length);
      kinds = rows.map(({ label }) => label);
      if (kinds.includes(last)) break;
      const before = await ui.callStack();
      await ui.page.keyboard.press('F5');
      const went = async (): Promise<boolean> => {
        const now = await ui.callStack();
        return (now.some((frame) => frame.startsWith('Stack Frame')) && now.join() !== before.join()) || ended();
      };
      assert.ok(await becomes(went, 60_000), before.join(' | '));
    }
    return kinds;
  }

  test('vcpu-isolation, v5.11: a line that one vCPU brought is found when the other runs it', async () => {
    const { ui, page } = bench;
    await ui.openFile('kvm-isolation/code.S');
    await ui.startConfiguration('kvm-isolation on v5.11: a line of another vCPU');
    await waitTop(ui, /^Stack Frame answer, line \d+, code\.S/);
    await onlyShow(ui, 'Findings');
    // The other vCPU's own stale fetches come first; each is a stop.
    const kinds = await findings('inherited line');
    assert.deepEqual([kinds[0], kinds.at(-1)], ['inherited line', 'stale fetch'], 'the latest first');
    const first = await ui.treeRows('Findings');
    assert.match(first[0].description, /^answer(_fresh)? · core 0 · vm1\/vcpu0 · EL1$/);
    await ui.expandTreeRow('Findings', 'inherited line');
    await ui.treeRows('Findings', (all) => row(all, 'line brought by')?.description === 'vm1/vcpu1');
    const box = page.locator('.exception-widget');
    assert.match((await box.textContent()) ?? '', /inherited line.*vm1\/vcpu0 ran .* that vm1\/vcpu1 had brought/);
    const warned = (): Promise<boolean> => page.locator('.squiggly-warning').first().isVisible();
    assert.ok(await becomes(warned, 10_000), 'the line has a warning');
    await ui.screenshot('scenario-isolation', BOTH_THEMES);
  });

  test('vcpu-isolation, v5.12: nothing is inherited, and each vCPU gets what it wrote', async () => {
    const { ui } = bench;
    await ui.startConfiguration('kvm-isolation on v5.12: invalidated on the switch');
    await waitTop(ui, /^Stack Frame answer, line \d+, code\.S/);
    const kinds = await findings('inherited line');
    assert.deepEqual([...new Set(kinds)], ['stale fetch']);
    await waitTerminal(ui, /vCPU 0: the function returns 2\s[\s\S]*has ended/);
  });

  test('soft-lockup, v6.6: the watchdog speaks, and the thread says which vCPU it was', async () => {
    const { ui } = bench;
    await ui.startConfiguration('kvm-soft-lockup on v6.6: 8 million broadcasts');
    await waitStack(ui, (all) => all.some((frame) => /^Stack Frame main, line \d+, kvm-soft-lockup\.c/.test(frame)));
    await waitThread(ui, /^Thread core0 · EL1 · vm1\/vcpu0 stale fetch/);
    const barks = /host: watchdog: BUG: soft lockup - CPU#0 stuck for 3\ds! \[vm1\/vcpu0\]/;
    await waitConsole(ui, (text) => barks.test(text));
    await ui.screenshot('scenario-soft-lockup', BOTH_THEMES);
  });

  test('soft-lockup, v6.7: it does not', async () => {
    const { ui } = bench;
    await ui.startConfiguration('kvm-soft-lockup on v6.7: one broadcast');
    await waitStack(ui, (all) => all.some((frame) => /^Stack Frame main, line \d+, kvm-soft-lockup\.c/.test(frame)));
    await waitConsole(ui, (text) => /host: kvm \[1\]: IPA Size/.test(text) && !text.includes('watchdog'));
  });

  test('cacheable-pfnmap, v6.17 without FWB: the slot is refused, and so is the mapping that flips', async () => {
    const { ui } = bench;
    await ui.openFile('kvm-pfnmap/kvm-pfnmap.c');
    const main = lineOf('kvm-pfnmap/kvm-pfnmap.c', 'print("capability');
    await ui.toggleBreakpoint(main);
    await ui.startConfiguration('kvm-pfnmap on v6.17, a core without FWB: refused');
    await waitTop(ui, /^Stack Frame main, line \d+, kvm-pfnmap\.c/);
    await onlyShow(ui, 'VMs');
    await ui.collapse('Call Stack');
    await ui.expandTreeRow('VMs', 'memory slots');
    const slots = await ui.treeRows('VMs', (all) => row(all, 'slot 2') !== undefined);
    assert.match(row(slots, 'slot 1')?.description ?? '', /^refused: EINVAL · 0x80000000 .* · 2 MiB · pfnmap, NORMAL$/);
    assert.match(row(slots, 'slot 2')?.description ?? '', /^refused: EFAULT/);
    await ui.screenshot('scenario-pfnmap', BOTH_THEMES);
    await ui.pane('Call Stack');
    await ui.toggleBreakpoint(main);
    await ui.step('F5');
    await waitTop(ui, /^Stack Frame read_word, line \d+, kvm-pfnmap\.c/);
    await ui.page.keyboard.press('F5');
    await ui.waitEnded();
    await waitTerminal(ui, /unaligned load: alignment fault/);
    await waitConsole(ui, (text) => /host: vmm \[1\]: KVM_RUN vcpu0: EFAULT/.test(text));
  });

  test('cacheable-pfnmap, v6.17 with FWB and DIC: memory like any other', async () => {
    const { ui } = bench;
    await ui.runConfiguration('kvm-pfnmap on v6.17: cacheable');
    await waitStack(ui, (all) => /^Stack Frame read_word, /.test(all[0] ?? ''));
    await waitTerminal(ui, /MMU on: the guest reads 0*2\s+MMU on: unaligned load: done\s+MMU on: fetch: done/);
  });

  test('vpipt, the refusal as posted: KVM does not start, and says so', async () => {
    const { ui } = bench;
    await ui.runConfiguration('kvm-vpipt, the refusal as posted: KVM does not start');
    await waitConsole(ui, (text) =>
      /kvm \[1\]: Incompatible VPIPT I-Cache policy\s[\s\S]*KVM does not start/.test(text),
    );
    await ui.screenshot('scenario-vpipt-refused', BOTH_THEMES);
  });

  test('vpipt, v5.15: a program that asked before runs old code on the late core', async () => {
    const { ui } = bench;
    await ui.startConfiguration('kvm-vpipt on v5.15: a core of another kind comes late');
    await waitStack(ui, (all) => /^Stack Frame 0x0*90001000, /.test(all[0]) && /^Stack Frame patch, /.test(all[1]));
    await waitThread(ui, /^Thread core1 · EL1 · vm1\/vcpu0 VIPT alias/);
    await onlyShow(ui, 'Findings');
    const found = await ui.treeRows('Findings', (all) => row(all, 'VIPT alias') !== undefined);
    assert.match(row(found, 'VIPT alias')?.description ?? '', /core 1 · vm1\/vcpu0 · EL1$/);
    await waitTerminal(ui, /on the late core: the guest reads L1Ip 2/);
    await ui.screenshot('scenario-vpipt-late', BOTH_THEMES);
  });

  test('vpipt, ICACHE_PIPT as posted: the late core dies', async () => {
    const { ui } = bench;
    await ui.runConfiguration('kvm-vpipt, ICACHE_PIPT as posted: the late core dies');
    await waitTerminal(ui, /core 1: died\s[\s\S]*session has ended/);
    const conflict = /host: CPU features: CPU1: Detected conflict for capability ICACHE_PIPT/;
    await waitConsole(ui, (text) => conflict.test(text) && /host: CPU1: died during early boot/.test(text));
  });

  test('ccsidr, v6.2: each cluster shows its own values, and the other refuses them', async () => {
    const { ui } = bench;
    await ui.runConfiguration('kvm-ccsidr on v6.2: a guest moves between clusters');
    await waitTerminal(ui, /VMM restores its own L1D 0x700fe03a: EINVAL\s[\s\S]*its own L1D 0x701fe03a/);
  });
});
