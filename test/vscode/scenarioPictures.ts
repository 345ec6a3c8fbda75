/** The pictures of the scenarios' pages, media/scenarios/NAME.png: what each takes to be in sight, in one workbench. */
import { breakAt, onlyShow, row, waitConsole, waitStack, waitTerminal, waitTop } from './session';
import type { Workbench } from './workbench';

/** Small pictures that can be read without opening them. */
export const VIEWPORT = { width: 1180, height: 680 };

/** ccsidr: EL2 at work on the trapped read, beside what the cores, the host and the guest have in the registers. */
async function ccsidr(bench: Workbench): Promise<void> {
  const { ui } = bench;
  await ui.openFile('kvm-ccsidr/kvm-ccsidr.c');
  await ui.pane('Breakpoints');
  await breakAt(bench, 'kvm_handle_sys_reg', '$trap == CCSIDR_EL1');
  await ui.startConfiguration('kvm-ccsidr on v6.12: the same values on both');
  await waitTop(ui, /^Stack Frame kvm_handle_sys_reg: decode the access/);
  await ui.step('F10');
  await waitTop(ui, /^Stack Frame kvm_handle_sys_reg: emulate the access/);
  await onlyShow(ui, 'Cache ID Registers');
  await ui.collapse('Call Stack');
  await ui.treeRows('Cache ID Registers', (all) => row(all, 'CCSIDR_EL1[L1 I]') !== undefined);
  await ui.command('Debug Console: Focus on Debug Console View');
}

/** vcpu-isolation: the finding that names both vCPUs. */
async function isolation({ ui }: Workbench): Promise<void> {
  await ui.startConfiguration('kvm-isolation on v5.11: a line of another vCPU');
  await waitTop(ui, /^Stack Frame answer, line \d+, code\.S/);
  await onlyShow(ui, 'Findings');
  for (let n = 1; n < 10; n++) {
    const rows = await ui.treeRows('Findings', (all) => all.length >= n);
    if (row(rows, 'inherited line') !== undefined) break;
    await ui.step('F5');
  }
  await ui.collapse('Call Stack');
  await ui.expandTreeRow('Findings', 'inherited line');
  await ui.treeRows('Findings', (all) => row(all, 'line brought by') !== undefined);
}

/** soft-lockup: the watchdog's line. */
async function softLockup({ ui }: Workbench): Promise<void> {
  await ui.startConfiguration('kvm-soft-lockup on v6.6: 8 million broadcasts');
  await waitStack(ui, (all) => all.some((frame) => frame.startsWith('Stack Frame call')));
  await onlyShow(ui, 'VMs');
  await waitConsole(ui, (text) => text.includes('soft lockup'));
}

/** cacheable-pfnmap: slots that KVM has refused, and what the guest reads in the one that it took as NORMAL_NC. */
async function pfnmap({ ui }: Workbench): Promise<void> {
  await ui.startConfiguration('kvm-pfnmap on v6.17, a core without FWB: refused');
  await waitStack(ui, ([top = '']) => top.includes('kvm-pfnmap.c'));
  await onlyShow(ui, 'VMs');
  await ui.collapse('Call Stack');
  await ui.expandTreeRow('VMs', 'memory slots');
  await ui.treeRows('VMs', (all) => row(all, 'slot 2') !== undefined);
  await waitConsole(ui, (text) => text.includes('EINVAL'));
}

/** vpipt: the message of a kernel that refuses. */
async function refused({ ui }: Workbench): Promise<void> {
  await ui.runConfiguration('kvm-vpipt, the refusal as posted: KVM does not start');
  await waitConsole(ui, (text) => text.includes('KVM does not start'));
  await ui.waitEnded();
}

/** vpipt: old code on a core that came late. */
async function late({ ui }: Workbench): Promise<void> {
  await ui.startConfiguration('kvm-vpipt on v5.15: a core of another kind comes late');
  await waitStack(ui, (all) => all.some((frame) => frame.startsWith('Stack Frame patch')));
  await onlyShow(ui, 'Findings');
  await waitTerminal(ui, /on the late core/);
}

/** By file name. */
export const scenarioPictures: Readonly<Record<string, (bench: Workbench) => Promise<void>>> = {
  ccsidr,
  'vcpu-isolation': isolation,
  'soft-lockup': softLockup,
  'cacheable-pfnmap': pfnmap,
  vpipt: refused,
  'vpipt-late': late,
};
