/** The Cores view: one row a core, with its registers of interest under it. */
import { shortHex, withSymbol } from '../../protocol/presentation';
import type { CoreRow, CoresView } from '../../protocol/views';
import { code, colors, factTable, plain, type Row } from './row';

const stateWords: Readonly<Record<CoreRow['state'], string>> = {
  running: 'running',
  wfi: 'waiting for an interrupt (WFI)',
  wfe: 'waiting for an event (WFE)',
  off: 'off (PSCI)',
};

/** `asid 3, vmid 1`; nothing for a regime that has neither. */
const tags = (core: CoreRow): string =>
  [
    core.asid === undefined ? '' : `ASID ${core.asid}`,
    core.vmid === undefined || core.vmid === 0 ? '' : `VMID ${core.vmid}`,
  ]
    .filter((text) => text !== '')
    .join(', ');

function appearance(core: CoreRow, machineRuns: boolean): { icon: string; color: string; text: string } {
  if (core.state === 'off') return { icon: 'circle-slash', color: colors.off, text: 'off' };
  if (!machineRuns && core.stopReason !== undefined) {
    return { icon: 'debug-stackframe', color: colors.stopped, text: core.stopReason };
  }
  if (core.state !== 'running') return { icon: 'watch', color: colors.waiting, text: core.state.toUpperCase() };
  return machineRuns
    ? { icon: 'play', color: colors.running, text: 'running' }
    : { icon: 'debug-pause', color: colors.waiting, text: 'stopped' };
}

const sourceText = (core: CoreRow): string | undefined =>
  core.source && `${core.source.path.replace(/^.*[\\/]/, '')}:${core.source.line}`;

export function coreRows(view: CoresView): Row[] {
  return view.cores.map((core) => coreRow(core, view.running));
}

function coreRow(core: CoreRow, machineRuns: boolean): Row {
  const { icon, color, text } = appearance(core, machineRuns);
  const id = `core${core.core}`;
  const off = core.state === 'off';
  const parts = [off ? '' : `EL${core.el}`, off ? '' : (core.symbol ?? shortHex(core.pc)), text, tags(core)];
  const description = parts.filter((part) => part !== '').join(' · ');
  return {
    id,
    label: `core ${core.core}`,
    description,
    icon,
    color,
    context: core.source && !off ? 'core source address value' : 'core address value',
    value: core.pc,
    address: core.pc,
    core: core.core,
    source: off ? undefined : core.source,
    tooltip: coreTooltip(core),
    spoken: `core ${core.core}, ${parts.filter((part) => part !== '').join(', ')}`,
    children: coreFacts(core, id),
  };
}

const coreTooltip = (core: CoreRow): string =>
  factTable(`core ${core.core}: ${core.model}`, [
    ['state', plain(stateWords[core.state])],
    ['exception level', `EL${core.el}`],
    ['PC', code(withSymbol(core.pc, core.symbol))],
    ['source', core.source && code(`${core.source.path}:${core.source.line}`)],
    ['stage 1', core.mmu ? 'on' : 'off'],
    ['ASID', core.asid?.toString()],
    ['VMID', core.vmid?.toString()],
    ['instructions', core.instructions.toLocaleString('en')],
    ['stopped by', core.stopReason && plain(core.stopReason)],
  ]);

function coreFacts(core: CoreRow, id: string): Row[] {
  const fact = (name: string, value: string | undefined, doc: string, more: Partial<Row> = {}): Row[] =>
    value === undefined
      ? []
      : [
          {
            id: `${id}/${name}`,
            label: name,
            description: value,
            value,
            context: 'value',
            tooltip: plain(doc),
            ...more,
          },
        ];
  return [
    ...fact('PC', withSymbol(core.pc, core.symbol), 'Address of the next instruction.', {
      value: core.pc,
      address: core.pc,
      core: core.core,
      context: 'value address',
    }),
    ...fact('source', sourceText(core), core.source?.path ?? '', { source: core.source, context: 'source value' }),
    ...fact('EL', `EL${core.el}`, 'PSTATE.EL: the exception level that the core is at.'),
    ...fact('state', stateWords[core.state], 'What the core does when the machine runs.'),
    ...fact('MMU', core.mmu ? 'on' : 'off', 'SCTLR_ELx.M: stage 1 translation of the current regime.'),
    ...fact('ASID', core.asid?.toString(), 'Address space identifier of the current regime.'),
    ...fact('VMID', core.vmid?.toString(), 'VTTBR_EL2.VMID: virtual machine identifier of EL1 and EL0.'),
    ...fact(
      'instructions',
      core.instructions.toLocaleString('en'),
      'Instructions that the core has executed since reset.',
    ),
    ...fact('model', core.model, 'Core type of the machine file or preset.'),
  ];
}

/** Why the machine stands, for the line above the tree. */
export function stopText(view: CoresView): string | undefined {
  if (view.running) return undefined;
  const causes = view.cores.filter((core) => core.stopReason !== undefined && core.stopReason !== '');
  const each = causes.map((core) => `core ${core.core} at EL${core.el} (${core.stopReason})`);
  return each.length === 0 ? undefined : `Stopped by ${each.join(', ')}`;
}
