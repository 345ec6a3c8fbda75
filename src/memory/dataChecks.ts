/**
 * The data side of the coherence checker, in both of its modes: reads past the caches that miss what a cache holds, invalidations
 * that lose written data, and maintenance by set and way while it cannot reach everything. All of it is on slow paths. Each
 * instruction is reported once for each kind.
 */
import type { FindingKind } from './findingKinds';
import { Dir, type Shared } from './shared';
import type { TranslationFinding } from './translationChecks';
import type { MemoryFinding } from './types';
import type { Versions } from './versions';

/** Instructions that are remembered, so that a guest cannot fill the host's memory. */
const MAX_REPORTED = 10_000;

export class DataChecks {
  private reported = new Set<string>();

  constructor(
    private readonly shared: Shared,
    private readonly versions: Versions,
    /** Owner of a core: the vCPU that it runs, 0 = none. */
    private readonly owners: Uint16Array,
    private readonly writer: (offset: number) => { core: number; pcHi: number; pcLo: number },
  ) {}

  reset(): void {
    this.reported.clear();
  }
  save(): unknown {
    return [...this.reported];
  }
  load(state: unknown): void {
    this.reported = new Set(state as string[]);
  }

  /** A core reads `size` bytes of RAM past the caches. */
  uncachedLoad(core: number, host: number, size: number): void {
    const { shared, versions } = this;
    const unit = shared.unitOf(host);
    const from = versions.cHost(unit) + (host & shared.unitMask);
    if (from === host) return;
    const { u8 } = shared;
    for (let i = 0; i < size; i++)
      if (u8[from + i] !== u8[host + i]) {
        const read = this.hexAt(from, size);
        const held = this.hexAt(host, size);
        this.report('mismatched attributes', core, host, `read ${read} past the caches, which hold ${held}`, [
          'DC CVAC',
          'DSB ISH',
        ]);
        return;
      }
  }

  /** An invalidation without cleaning is about to drop every copy of a unit. */
  invalidating(core: number, unit: number): void {
    const { shared, versions } = this;
    if ((shared.directory[unit] & (Dir.L1Dirty | Dir.L2Dirty)) === 0) return;
    const host = shared.hostOfUnit(unit);
    const from = versions.cHost(unit);
    const { u32 } = shared;
    for (let i = 0; from !== host && i < shared.unitBytes; i += 4)
      if (u32[(from + i) >>> 2] !== u32[(host + i) >>> 2]) {
        const lost = this.hexAt(host + i, 4);
        this.report('lost data', core, host + i, `${lost} was written and is ${this.hexAt(from + i, 4)} again`, [
          'DC CIVAC',
        ]);
        return;
      }
  }

  setWay(core: number): void {
    const { cores, ports } = this.shared;
    for (let other = 0; other < cores; other++)
      if (other !== core && ports.active?.(other) === true) {
        const name = `by set and way on core ${core}, while core ${other} runs`;
        this.report('set/way', core, this.shared.ram, name, ['DC CIVAC by address']);
        return;
      }
  }

  translation(f: TranslationFinding): void {
    const mode = f.kind === 'incomplete TLB maintenance' ? 'architectural' : 'actual';
    this.report(f.kind, f.core, f.host, f.detail, f.missing, { mode, advice: f.advice, writer: f.writer });
  }

  private hexAt(host: number, size: number): string {
    let text = '';
    for (let i = size - 1; i >= 0; i--) text += this.shared.u8[host + i].toString(16).padStart(2, '0');
    return `0x${text}`;
  }

  private report(
    kind: FindingKind,
    core: number,
    host: number,
    detail: string,
    missing: readonly string[],
    more: Partial<Pick<MemoryFinding, 'mode' | 'advice'> & Pick<TranslationFinding, 'writer'>> = {},
  ): void {
    const { shared } = this;
    const pc = shared.pcIndex[core];
    const [pcLo, pcHi] = [shared.u32[pc], shared.u32[pc + 1]];
    const key = `${kind} ${core} ${this.owners[core]} ${pcHi} ${pcLo}`;
    if (this.reported.has(key) || this.reported.size >= MAX_REPORTED) return;
    this.reported.add(key);
    const writer = more.writer ?? this.writer(host - shared.ram);
    shared.ports.finding({
      kind,
      mode: more.mode ?? 'actual',
      core,
      pcHi,
      pcLo,
      pa: shared.paOf(host),
      executed: 0,
      current: 0,
      detail,
      owner: this.owners[core],
      filler: 0,
      writerCore: writer.core,
      writerPcHi: writer.pcHi,
      writerPcLo: writer.pcLo,
      time: shared.ports.time(core),
      missing,
      advice: more.advice ?? advice[kind] ?? '',
    });
  }
}

/** What would have been right. */
const advice: Partial<Readonly<Record<FindingKind, string>>> = {
  'mismatched attributes': 'clean the line to the point of coherency (DC CVAC, DSB ISH) before it is read so',
  'lost data': 'clean and invalidate (DC CIVAC), or invalidate before the data is written',
  'set/way': 'operate by address, or on every core with its caches off',
};
