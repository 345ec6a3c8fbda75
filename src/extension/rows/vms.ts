/** The VMs view: what the hypervisor model does by which policy, and each machine with its memory, stage 2 and vCPUs. */
import { counted, shortHex, withSymbol } from '../../protocol/presentation';
import type { CountRow, PolicyRow, Stage2Counts, Stage2View, VcpuRow, VmRow, VmsView } from '../../protocol/views';
import { sizeText } from './caches';
import { code, colors, factTable, plain, type Row } from './row';

export function vmRows(view: VmsView): Row[] {
  if (!view.model) return [];
  return [...view.vms.map(vmRow), policiesRow(view), ...view.errors.map(errorRow)];
}

/** The line above the tree. */
export const vmsText = (view: VmsView): string | undefined =>
  !view.model || view.started || view.vms.length > 0 ? undefined : 'The host has not started KVM (yet).';

const errorRow = (text: string, i: number): Row => ({
  id: `error${i}`,
  label: text,
  icon: 'error',
  color: 'list.errorForeground',
  context: 'value',
  value: text,
});

function policiesRow({ kvm, policies }: VmsView): Row {
  const changed = policies.filter((policy) => policy.changed).length;
  return {
    id: 'policies',
    label: 'policies',
    description: `KVM of v${kvm?.replace(/^v/, '')}${changed === 0 ? '' : `, ${changed} changed`}`,
    icon: 'settings',
    context: 'policies',
    tooltip: plain('What the host kernel does. Changes take effect at the next start.'),
    children: policies.map(policyRow),
  };
}

const policyRow = ({ name, about, value, meaning, standing, changed }: PolicyRow): Row => ({
  id: `policies/${name}`,
  label: name,
  description: `${value} · ${changed ? 'changed' : standing}`,
  icon: changed ? 'edit' : 'blank',
  color: changed ? colors.changed : undefined,
  context: 'policy value',
  policy: name,
  value: `${name}=${value}`,
  tooltip: factTable(name, [
    ['about', plain(about)],
    [value, plain(meaning)],
    ['', plain(standing)],
    ['', changed ? 'not what this release does' : undefined],
  ]),
  spoken: `${name}, ${value}, ${meaning}${changed ? ', changed' : ''}`,
});

function vmRow(vm: VmRow): Row {
  const id = `vm${vm.vm}`;
  return {
    id,
    label: `VM ${vm.vm}`,
    description: `${counted(vm.vcpus.length, 'vCPU')}${vm.vmid === 0 ? '' : ` · VMID ${vm.vmid}`}`,
    icon: 'vm',
    context: 'vm',
    vm: vm.vm,
    open: true,
    children: [...vm.vcpus.map((vcpu) => vcpuRow(vm.vm, vcpu)), slotsRow(id, vm), stage2Row(id, vm)],
  };
}

const states: Readonly<
  Record<VcpuRow['state'], { readonly text: string; readonly icon: string; readonly doc: string }>
> = {
  guest: { text: '', icon: 'vm-running', doc: 'its guest has the core' },
  host: { text: 'exited', icon: 'vm-active', doc: 'the hypervisor is at work for it' },
  waiting: { text: 'waits', icon: 'vm-outline', doc: 'another thread has its core' },
  paused: { text: 'paused', icon: 'debug-pause', doc: 'user space does not let it run' },
  off: { text: 'off', icon: 'circle-slash', doc: 'off (PSCI), or given up by user space' },
};

function vcpuRow(vm: number, vcpu: VcpuRow): Row {
  const { text, icon, doc } = states[vcpu.state];
  const off = vcpu.state === 'off';
  const goes = vcpu.goesTo === undefined ? '' : `goes to core ${vcpu.goesTo}`;
  const pins = vcpu.pinned === undefined ? '' : `pinned to core ${vcpu.pinned}`;
  const pausing = vcpu.paused && vcpu.state !== 'paused' && !off ? 'pauses' : '';
  const place = off ? '' : `EL${vcpu.el} · ${vcpu.symbol ?? shortHex(vcpu.pc)}`;
  const parts = [`core ${vcpu.core}`, place, text, pausing, goes, pins].filter((part) => part !== '');
  return {
    id: vcpu.name,
    label: `vCPU ${vcpu.vcpu}`,
    description: parts.join(' · '),
    icon,
    color: off ? colors.off : vcpu.state === 'guest' ? colors.running : colors.waiting,
    context: [
      'vcpu',
      ...(vcpu.source ? ['source'] : []),
      'value',
      vcpu.paused ? 'paused' : 'goes',
      ...(pins === '' ? [] : ['pinned']),
    ].join(' '),
    value: vcpu.pc,
    source: off ? undefined : vcpu.source,
    vcpu: { vm, vcpu: vcpu.vcpu, core: vcpu.core },
    tooltip: factTable(vcpu.name, [
      ['physical core', `${vcpu.core}`],
      ['state', doc],
      ['guest', `EL${vcpu.el}, ${code(withSymbol(vcpu.pc, vcpu.symbol))}`],
      ['next', goes === '' ? undefined : `${goes} after its next exit`],
    ]),
    spoken: [vcpu.name, ...parts].join(', '),
    open: true,
    children: [
      countsRow(`${vcpu.name}/exits`, 'exits', 'sign-out', vcpu.exits, 'Why the guest was left, by reason.'),
      countsRow(
        `${vcpu.name}/traps`,
        'trapped registers',
        'symbol-field',
        vcpu.traps,
        'Registers and operations that were emulated.',
      ),
    ],
  };
}

function countsRow(id: string, label: string, icon: string, counts: readonly CountRow[], doc: string): Row {
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  return {
    id,
    label,
    description: total.toLocaleString('en'),
    icon,
    tooltip: plain(doc),
    children: counts.map(({ name, count, cycles }) => ({
      id: `${id}/${name}`,
      label: name,
      description: `${count.toLocaleString('en')} · ${cycles.toLocaleString('en')} cycles`,
      tooltip: plain(
        `${Math.round(cycles / count).toLocaleString('en')} cycles each, until the guest runs again or the vCPU leaves its core`,
      ),
      context: 'value',
      value: `${count}`,
    })),
  };
}

/** What memory of a VM is unless somebody says otherwise. */
const ORDINARY = 'ordinary, NORMAL';

function slotsRow(id: string, { slots }: VmRow): Row {
  const taken = slots.filter((slot) => slot.refused === undefined);
  const bytes = taken.reduce((sum, slot) => sum + slot.bytes, 0);
  const refused = slots.length - taken.length;
  return {
    id: `${id}/slots`,
    label: 'memory slots',
    description: `${taken.length} · ${sizeText(bytes)}${refused === 0 ? '' : ` · ${refused} refused`}`,
    icon: 'database',
    children: slots.map((slot) => ({
      id: `${id}/slots/${slot.id}`,
      label: `slot ${slot.id}`,
      description: [
        ...(slot.refused === undefined ? [] : [`refused: ${slot.refused}`]),
        `${shortHex(slot.guestAddress)} → ${shortHex(slot.hostAddress)}`,
        sizeText(slot.bytes),
        ...(slot.mapping === ORDINARY ? [] : [slot.mapping]),
        ...slot.flags,
        ...(slot.dirty === undefined ? [] : [counted(slot.dirty, 'dirty page')]),
      ].join(' · '),
      icon: slot.refused === undefined ? 'blank' : 'error',
      color: slot.refused === undefined ? undefined : 'list.errorForeground',
      context: 'address value',
      value: slot.guestAddress,
      address: `pa:${slot.hostAddress}`,
      tooltip: factTable(`memory slot ${slot.id}`, [
        ['guest address', code(slot.guestAddress)],
        ['physical address', code(slot.hostAddress)],
        ['size', sizeText(slot.bytes)],
        ['flags', slot.flags.length === 0 ? undefined : plain(slot.flags.join(', '))],
        ['mapping of user space', plain(slot.mapping)],
        ['KVM_SET_USER_MEMORY_REGION', slot.refused],
      ]),
    })),
  };
}

function stage2Row(id: string, { vm, stage2 }: VmRow): Row {
  return {
    id: `${id}/stage2`,
    label: 'stage 2',
    description: `${counted(stage2.tables, 'table')} · ${stage2.inputBits} bits`,
    icon: 'list-tree',
    tooltip: factTable('stage-2 tables', [
      ['first table', code(stage2.root)],
      ['first level', `${stage2.startLevel}`],
      ['granule', sizeText(stage2.pageBytes)],
      ['intermediate addresses', `${stage2.inputBits} bits`],
    ]),
    stage2: vm,
  };
}

/** What is under the row `stage 2` of a VM. */
export function stage2Rows(view: Stage2View): Row[] {
  const id = `vm${view.vm}/stage2`;
  const row = (name: string, label: string, counts: Stage2Counts, ...first: readonly string[]): Row => ({
    id: `${id}/${name}`,
    label,
    description: [...first, ...permissionsText(counts)].join(' · '),
    context: 'value',
    value: `${counts.entries}`,
  });
  const sizes = view.sizes.map((each) => {
    const what = counted(each.entries, each.size === view.pageBytes ? 'page' : 'block');
    return row(`level${each.level}`, `${what} of ${sizeText(each.size)}`, each, `level ${each.level}`);
  });
  const memory = view.memory.map((each) => row(each.name, each.name, each, sizeText(each.bytes)));
  const slots = view.slots.map((each) => {
    const mapped = `${sizeText(each.bytes)} of ${sizeText(each.slotBytes)} mapped`;
    const dirty = each.dirty === undefined ? [] : [`${counted(each.dirty, 'dirty page')}`];
    return row(`slot${each.id}`, `slot ${each.id}`, each, mapped, ...dirty);
  });
  const total = view.sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const all: Row = {
    ...{ id: `${id}/all`, label: `${sizeText(total)} mapped`, context: 'value', value: `${total}` },
    description: `${counted(view.tables, 'table')} in ${sizeText(view.tableBytes)}`,
  };
  return [all, ...sizes, ...memory, ...slots];
}

const permissionsText = ({ entries, readable, writable, executable, young }: Stage2Counts): string[] => [
  `${entries} ${entries === 1 ? 'entry' : 'entries'}`,
  `${readable} R, ${writable} W, ${executable} X`,
  `${young} young`,
];
