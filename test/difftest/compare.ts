/** Two outcomes of one case side by side: what differs, and a report that says how to see it again. */
import { hex, hex64 } from '../../src/base/bits';
import { disassemble } from '../../src/isa/disassemble';
import { type Case, LAYOUT, type Outcome } from './cases';
import { type KnownDifference, knownDifferences } from './known';

interface Item {
  readonly name: string;
  readonly before: string;
  readonly oracle: string;
  readonly subject: string;
}

const hex128 = (value: bigint): string => `0x${value.toString(16).padStart(32, '0')}`;

const flags = (nzcv: number): string =>
  [...'NZCV'].map((flag, i) => (nzcv & (8 >> i) ? flag : flag.toLowerCase())).join('');

function items(c: Case, oracle: Outcome, subject: Outcome): Item[] {
  const list: Item[] = [
    { name: 'ending', before: '', oracle: oracle.ending, subject: subject.ending },
    { name: 'pc', before: hex64(BigInt(LAYOUT.codeStart)), oracle: hex64(oracle.pc), subject: hex64(subject.pc) },
    { name: 'nzcv', before: flags(c.nzcv), oracle: flags(oracle.nzcv), subject: flags(subject.nzcv) },
    { name: 'sp', before: hex64(c.sp), oracle: hex64(oracle.sp), subject: hex64(subject.sp) },
    ...c.x.map((value, i) => ({
      name: `x${i}`,
      before: hex64(value),
      oracle: hex64(oracle.x[i]),
      subject: hex64(subject.x[i]),
    })),
    ...c.v.map((value, i) => ({
      name: `v${i}`,
      before: hex128(value),
      oracle: hex128(oracle.v[i]),
      subject: hex128(subject.v[i]),
    })),
    { name: 'fpcr', before: hex(c.fpcr), oracle: hex(oracle.fpcr), subject: hex(subject.fpcr) },
    { name: 'fpsr', before: hex(c.fpsr), oracle: hex(oracle.fpsr), subject: hex(subject.fpsr) },
  ];
  if (oracle.faultAddress !== undefined)
    list.push({
      name: 'fault address',
      before: '',
      oracle: hex64(oracle.faultAddress),
      subject: subject.faultAddress === undefined ? '-' : hex64(subject.faultAddress),
    });
  if (c.memory) {
    const view = new DataView(c.memory.buffer, c.memory.byteOffset, c.memory.byteLength);
    for (const offset of new Set([...oracle.memory.keys(), ...subject.memory.keys()])) {
      const before = view.getBigUint64(offset, true);
      const after = (outcome: Outcome): string => hex64(outcome.memory.get(offset) ?? before);
      list.push({
        name: `[${hex(LAYOUT.memoryBase + offset)}]`,
        before: hex64(before),
        oracle: after(oracle),
        subject: after(subject),
      });
    }
  }
  return list;
}

export type Verdict = 'same' | 'known' | 'different';

/** @param onKnown is told which known difference it is. */
export function compare(
  c: Case,
  oracle: Outcome,
  subject: Outcome,
  onKnown?: (entry: KnownDifference) => void,
): Verdict {
  if (items(c, oracle, subject).every((item) => item.oracle === item.subject)) return 'same';
  const known = knownDifferences.find((entry) => entry.rows.test(c.row) && entry.matches(c, oracle, subject));
  if (!known) return 'different';
  onKnown?.(known);
  return 'known';
}

/** The listing, both states with a mark where they differ, and the command that runs this case alone. */
export function describeDifference(
  c: Case,
  oracle: Outcome,
  subject: Outcome,
  names: readonly [oracle: string, subject: string],
  replayOptions: string,
): string {
  const listing = c.words.map((word, i) => {
    const at = LAYOUT.codeStart + 4 * i;
    const text = disassemble(word, BigInt(at)).text;
    return `  ${hex(at)}: ${word.toString(16).padStart(8, '0')}  ${text}`;
  });
  const named = [...listing.join('\n').matchAll(/\b(?:([xw])|[vqdshb])(\d+)\b/g)];
  const read = new Set(named.map((match) => `${match[1] ? 'x' : 'v'}${match[2]}`));
  if (named.some((match) => !match[1])) read.add('fpcr');
  const shown = items(c, oracle, subject).filter(
    ({ name, before, oracle: a, subject: b }) =>
      a !== b || name === 'ending' || (before !== '' && before !== a) || read.has(name),
  );
  const width = shown.some(({ name }) => /^v\d/.test(name)) ? 36 : 20;
  const column = (text: string): string => text.padEnd(width);
  const table = [
    `    ${'state'.padEnd(14)}${column('before')}${column('expected')}found`,
    ...shown.map(
      ({ name, before, oracle: a, subject: b }) =>
        `  ${a === b ? ' ' : '*'} ${name.padEnd(14)}${column(before)}${column(a)}${b}`,
    ),
  ];
  return [
    `${c.row} #${c.index}: expected by ${names[0]}, found on ${names[1]}`,
    ...listing,
    ...table,
    `  again: npm run difftest -- --row ${c.row} --seed ${c.seed} --case ${c.index}${replayOptions}`,
  ].join('\n');
}
