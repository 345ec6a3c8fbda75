/** Moves a vCPU of the hypervisor model to another physical core. */
import * as vscode from 'vscode';
import type { Row } from './rows/row';
import type { Session } from './sessions';

type VcpuKey = NonNullable<Row['vcpu']>;

/** The vCPU that the user picks, or the only one there is. */
async function pickVcpu(session: Session): Promise<VcpuKey | undefined> {
  const { vms } = await session.request('elscope/vms', {});
  const items = vms.flatMap(({ vm, vcpus }) =>
    vcpus.map(({ vcpu, name, core }) => ({ label: name, description: `core ${core}`, vcpu: { vm, vcpu, core } })),
  );
  if (items.length <= 1) return items[0]?.vcpu;
  return (await vscode.window.showQuickPick(items, { title: 'Migrate a vCPU' }))?.vcpu;
}

export async function migrateVcpu(session: Session, row: Row | undefined): Promise<void> {
  const from = row?.vcpu ?? (await pickVcpu(session));
  if (!from) throw new Error('There is no vCPU.');
  const { vm, vcpu, core: own } = from;
  const { cores } = await session.request('elscope/cores', {});
  const items = cores
    .filter(({ core }) => core !== own)
    .map(({ core, model }) => ({ label: `core ${core}`, description: model, core }));
  const picked = await vscode.window.showQuickPick(items, { title: `Migrate vm${vm}/vcpu${vcpu} from core ${own}` });
  if (picked) await session.request('elscope/migrateVcpu', { vm, vcpu, core: picked.core });
}
