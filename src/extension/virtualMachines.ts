/**
 * What is done to virtual machines of the hypervisor model: where their vCPUs run and whether they do, machines as files, and
 * policies of their host. What a launch decides takes effect at the next one.
 */
import * as vscode from 'vscode';
import type { PolicyRow, VcpuRow } from '../protocol/views';
import { withPolicy } from './policyList';
import type { Row } from './rows/row';
import type { Session } from './sessions';

type VcpuKey = NonNullable<Row['vcpu']>;

/** The vCPU of a row; else the one that the user picks, or the only one there is. */
async function vcpuOf(
  session: Session,
  row: Row | undefined,
  title: string,
  wanted: (vcpu: VcpuRow) => boolean = () => true,
): Promise<VcpuKey | undefined> {
  if (row?.vcpu) return row.vcpu;
  const { vms } = await session.request('elscope/vms', {});
  const items = vms.flatMap(({ vm, vcpus }) =>
    vcpus
      .filter(wanted)
      .map(({ vcpu, name, core }) => ({ label: name, description: `core ${core}`, vcpu: { vm, vcpu, core } })),
  );
  if (items.length === 0) throw new Error('There is no such vCPU.');
  if (items.length === 1) return items[0].vcpu;
  return (await vscode.window.showQuickPick(items, { title }))?.vcpu;
}

async function pickCore(session: Session, title: string, own?: number): Promise<number | undefined> {
  const { cores } = await session.request('elscope/cores', {});
  const items = cores
    .filter(({ core }) => core !== own)
    .map(({ core, model }) => ({ label: `core ${core}`, description: model, core }));
  return (await vscode.window.showQuickPick(items, { title }))?.core;
}

export async function migrateVcpu(session: Session, row: Row | undefined): Promise<void> {
  const found = await vcpuOf(session, row, 'Migrate a vCPU');
  if (!found) return;
  const { vm, vcpu, core: own } = found;
  const core = await pickCore(session, `Migrate vm${vm}/vcpu${vcpu} from core ${own}`, own);
  if (core !== undefined) await session.request('elscope/migrateVcpu', { vm, vcpu, core });
}

export async function pinVcpu(session: Session, row: Row | undefined): Promise<void> {
  const found = await vcpuOf(session, row, 'Pin a vCPU');
  if (!found) return;
  const { vm, vcpu } = found;
  const core = await pickCore(session, `Pin vm${vm}/vcpu${vcpu} to a core`);
  if (core !== undefined) await session.request('elscope/pinVcpu', { vm, vcpu, core });
}

export async function unpinVcpu(session: Session, row: Row | undefined): Promise<void> {
  const found = await vcpuOf(session, row, 'Unpin a vCPU', ({ pinned }) => pinned !== undefined);
  if (found) await session.request('elscope/pinVcpu', { vm: found.vm, vcpu: found.vcpu });
}

export async function pauseVcpu(session: Session, row: Row | undefined, paused: boolean): Promise<void> {
  const found = await vcpuOf(session, row, paused ? 'Pause a vCPU' : 'Resume a vCPU', (vcpu) => vcpu.paused !== paused);
  if (found) await session.request('elscope/pauseVcpu', { vm: found.vm, vcpu: found.vcpu, paused });
}

export async function resetVcpu(session: Session, row: Row | undefined): Promise<void> {
  const found = await vcpuOf(session, row, 'Reset a vCPU');
  if (found) await session.request('elscope/resetVcpu', { vm: found.vm, vcpu: found.vcpu });
}

const FILES = { 'Virtual machine': ['json'] };

export async function saveVm(session: Session, row: Row | undefined): Promise<void> {
  const { vms } = await session.request('elscope/vms', {});
  const items = vms.map(({ vm, vcpus }) => ({ label: `VM ${vm}`, description: `${vcpus.length} vCPUs`, vm }));
  if (items.length === 0) throw new Error('There is no virtual machine (yet).');
  const own = row?.vm === undefined && items.length > 1 ? undefined : (row?.vm ?? items[0].vm);
  const vm = own ?? (await vscode.window.showQuickPick(items, { title: 'Save a virtual machine' }))?.vm;
  if (vm === undefined) return;
  // Before the question where to: the guest may go on meanwhile.
  const { text } = await session.request('elscope/saveVm', { vm });
  const uri = await vscode.window.showSaveDialog({ title: `Save VM ${vm}`, filters: FILES });
  if (uri) await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
}

/** The same launch again, changed. */
async function launchAgain({ debug }: Session, change: Readonly<Record<string, unknown>>): Promise<void> {
  await vscode.debug.stopDebugging(debug);
  await vscode.debug.startDebugging(debug.workspaceFolder, { ...debug.configuration, ...change });
}

export async function restoreVm(session: Session): Promise<void> {
  const picked = await vscode.window.showOpenDialog({
    title: 'Restore a virtual machine: the session starts again with it',
    openLabel: 'Restore',
    filters: FILES,
  });
  if (picked?.[0]) await launchAgain(session, { restoreVm: picked[0].fsPath });
}

interface PolicyItem extends vscode.QuickPickItem {
  readonly policy: PolicyRow;
}

async function pickPolicy(session: Session, row: Row | undefined): Promise<PolicyRow | undefined> {
  const { policies, kvm } = await session.request('elscope/vms', {});
  const known = policies.find(({ name }) => name === row?.policy);
  if (known) return known;
  const items = policies.map((policy): PolicyItem => {
    const { name, value, released, about, changed } = policy;
    return { label: name, description: changed ? `${value} (v${kvm}: ${released})` : value, detail: about, policy };
  });
  const options = { title: 'Change a policy of the host', matchOnDetail: true };
  return (await vscode.window.showQuickPick(items, options))?.policy;
}

async function pickValue({ name, value, released, values }: PolicyRow): Promise<string | undefined> {
  const items = values.map((each) => {
    const notes = [
      each.standing,
      each.value === released ? 'what the release does' : '',
      each.value === value ? 'now' : '',
    ];
    return { label: each.value, description: notes.filter((note) => note !== '').join(' · '), detail: each.meaning };
  });
  const title = `${name}: takes effect at the next start`;
  return (await vscode.window.showQuickPick(items, { title }))?.label;
}

const RESTART = 'Start Again';
const KEEP = 'Save in launch.json';

export async function changePolicy(session: Session, row: Row | undefined): Promise<void> {
  const policy = await pickPolicy(session, row);
  const value = policy && (await pickValue(policy));
  if (policy === undefined || value === undefined || value === policy.value) return;
  const { debug } = session;
  const policies = withPolicy(debug.configuration.policies, policy, value);
  const { workspaceFolder } = debug;
  const settings = vscode.workspace.getConfiguration('launch', workspaceFolder);
  const all = settings.get<vscode.DebugConfiguration[]>('configurations') ?? [];
  const at = all.findIndex(({ name, type }) => name === debug.configuration.name && type === debug.type);
  const choices = at < 0 ? [RESTART] : [RESTART, KEEP];
  const text = `${policy.name}=${value} takes effect when the machine starts again.`;
  const choice = await vscode.window.showInformationMessage(text, ...choices);
  if (choice === KEEP) {
    const changed = all.map((each, n) =>
      n === at ? { ...each, policies: withPolicy(each.policies, policy, value) } : each,
    );
    await settings.update('configurations', changed, vscode.ConfigurationTarget.WorkspaceFolder);
  }
  if (choice === RESTART) await launchAgain(session, { policies });
}
