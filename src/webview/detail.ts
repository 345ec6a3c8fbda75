/**
 * The chosen line: its state and addresses, the copies of it elsewhere, its instructions or bytes with those marked that
 * cacheable accesses see otherwise.
 */
import { copyName, dumpRows, plus, shortHex, withSymbol } from '../protocol/presentation';
import type { CacheLineView, InstructionRow, LineStateView } from '../protocol/views';
import { element, icon } from './dom';

export type OpenWhere = 'disassembly' | 'memory' | 'watchedLines';

export interface DetailEvents {
  open(address: string, where: OpenWhere): void;
}

const actions: readonly { readonly where: OpenWhere; readonly icon: string; readonly title: string }[] = [
  { where: 'watchedLines', icon: 'pin', title: 'Pin to Watched Lines' },
  { where: 'disassembly', icon: 'file-code', title: 'Disassemble' },
  { where: 'memory', icon: 'file-binary', title: 'Open in the Hex Editor' },
];

export class Detail {
  readonly root = element('section', { class: 'detail', 'aria-label': 'Chosen line', tabindex: -1 });

  constructor(private readonly events: DetailEvents) {}

  clear(text: string): void {
    this.root.replaceChildren(element('p', { class: 'quiet' }, text));
  }

  show(line: CacheLineView, everywhere: LineStateView | undefined): void {
    const { cell } = line;
    const place = `${line.kind === 'U' ? `L${line.level}` : `L${line.level} ${line.kind}`} of core ${line.core}`;
    const head = element('h2', {}, `${place}, set ${line.set}, way ${cell.way}`);
    if (cell.pa === undefined) {
      this.root.replaceChildren(head, element('p', { class: 'quiet' }, 'The line is invalid.'));
      return;
    }
    const scroll = this.root.scrollTop;
    this.root.replaceChildren(
      head,
      this.toolbar(cell.va ?? `pa:${cell.pa}`),
      facts(line),
      ...(everywhere ? [element('h3', {}, 'Copies'), copies(everywhere)] : []),
      ...(line.instructions.length > 0
        ? [element('h3', {}, line.kind === 'D' ? 'As instructions' : 'Instructions'), instructions(line.instructions)]
        : []),
      element('h3', {}, 'Bytes'),
      dump(line),
    );
    this.root.scrollTop = scroll;
  }

  private toolbar(address: string): HTMLElement {
    const buttons = actions.map(({ where, icon: name, title }) => {
      const button = element('button', { type: 'button', class: 'action', title, 'aria-label': title }, icon(name));
      button.addEventListener('click', () => this.events.open(address, where));
      return button;
    });
    return element('div', { class: 'actions', role: 'toolbar', 'aria-label': 'Chosen line' }, ...buttons);
  }
}

function facts({ cell, current, bytes }: CacheLineView): HTMLElement {
  const rows: (readonly [string, string | undefined])[] = [
    ['State', cell.state + (cell.changed ? ', changed since the last stop' : '')],
    ['Physical address', cell.pa],
    ['Virtual address', cell.va],
    ['VMID', cell.vmid?.toString()],
    ['Symbol', cell.symbol],
    [
      'Contents',
      current === undefined
        ? undefined
        : current === bytes
          ? 'as cacheable accesses see it'
          : 'not what cacheable accesses see',
    ],
  ];
  const list = element('dl');
  for (const [name, value] of rows) {
    if (value !== undefined) list.append(element('dt', {}, name), element('dd', {}, value));
  }
  return list;
}

function table(label: string, heads: readonly string[], rows: readonly HTMLElement[]): HTMLElement {
  const head = element('tr', {}, ...heads.map((text) => element('th', { scope: 'col' }, text)));
  return element('table', { 'aria-label': label }, element('thead', {}, head), element('tbody', {}, ...rows));
}

function copies(state: LineStateView): HTMLElement {
  const rows = state.copies.map((copy) => {
    const words = [
      copy.dirty ? 'dirty' : 'clean',
      copy.differs ? '≠ differs' : 'agrees',
      copy.changed ? '• changed' : '',
    ];
    const text = copy.present ? words.filter((word) => word !== '').join(', ') : 'not there';
    const kind = !copy.present ? 'quiet' : copy.differs ? 'differs' : copy.dirty ? 'dirty' : '';
    return element('tr', { class: kind }, element('td', {}, copyName(copy)), element('td', {}, text));
  });
  return table('Copies of the line', ['Where', 'State'], rows);
}

function instructions(rows: readonly InstructionRow[]): HTMLElement {
  return table(
    'Instructions of the line',
    ['Address', 'Word', 'Instruction', ''],
    rows.map((row) =>
      element(
        'tr',
        {
          class: row.differs ? 'differs' : '',
          title: row.differs ? 'Not the word that cacheable accesses see' : undefined,
        },
        element('td', {}, withSymbol(row.address, row.symbol)),
        element('td', {}, row.word.slice(2)),
        element('td', {}, row.text),
        element('td', { class: 'mark' }, row.differs ? '≠' : ''),
      ),
    ),
  );
}

function dump({ cell, bytes, current }: CacheLineView): HTMLElement {
  const rows = dumpRows(bytes, current).map((row) => {
    const cells = row.bytes.flatMap((byte, i) => [
      element('span', { class: row.differs[i] ? 'differs' : undefined }, byte),
      ' ',
    ]);
    return element(
      'tr',
      {},
      element('td', {}, shortHex(plus(cell.pa ?? '0x0', row.offset))),
      element('td', {}, ...cells),
      element('td', {}, row.ascii),
    );
  });
  return table('Bytes of the line', ['PA', 'Bytes', 'Text'], rows);
}
