/**
 * Decodes the system registers of one translation regime into the TranslationContext that the MMU and the memory system read,
 * and into the key that says when two contexts may share line tables. Done when a register changes, never per access.
 *
 * HCR_EL2.{TGE,DC}: stage 1 of EL1&0 is off whatever SCTLR_EL1.M says. Reserved values of TCR's granule fields choose 4 KB
 * (IMPLEMENTATION DEFINED), as does 16 KB on a core that does not have it.
 */
import type { TranslationContext, TranslationRange } from '../memory/types';
import { type ControlField, controls, registerIndex } from './controls';
import { type Identity, paRangeBits } from './identity';
import type { Levels } from './levels';
import { Pstate } from './pstate';
import type { CoreState } from './state';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const H = controls({ TGE: 'HCR_EL2.TGE', DC: 'HCR_EL2.DC' });
const VTTBR = registerIndex('VTTBR_EL2');

/** The control fields of one regime's SCTLR and TCR. */
function sctlrOf(register: string) {
  return controls({
    M: `${register}.M`,
    C: `${register}.C`,
    I: `${register}.I`,
    A: `${register}.A`,
    nAA: `${register}.nAA`,
    WXN: `${register}.WXN`,
    EE: `${register}.EE`,
  });
}

interface RangeFields {
  readonly ttbr: number;
  readonly size: ControlField;
  readonly granule: ControlField;
  /** Granule log2 by field value. */
  readonly granules: readonly (12 | 14 | 16)[];
  readonly epd: ControlField | undefined;
  readonly tbi: ControlField;
  readonly inner: ControlField;
  readonly outer: ControlField;
}

const TG0 = [12, 16, 14, 12] as const;
const TG1 = [12, 14, 12, 16] as const;

function rangeFields(tcr: string, n: '0' | '1', ttbr: string, single: boolean): RangeFields {
  const f = controls({
    size: `${tcr}.T${n}SZ`,
    granule: `${tcr}.TG${n}`,
    tbi: single ? `${tcr}.TBI` : `${tcr}.TBI${n}`,
    inner: `${tcr}.IRGN${n}`,
    outer: `${tcr}.ORGN${n}`,
  });
  const epd = single ? undefined : controls({ epd: `${tcr}.EPD${n}` }).epd;
  return { ...f, ttbr: registerIndex(ttbr), granules: n === '0' ? TG0 : TG1, epd };
}

interface RegimeFields {
  readonly name: TranslationContext['regime'];
  readonly sctlr: ReturnType<typeof sctlrOf>;
  readonly ranges: readonly RangeFields[];
  readonly ips: ControlField;
  readonly mair: number;
  /** Registers that go into the context key as they are: SCTLR, TCR. */
  readonly sctlrIndex: number;
  readonly tcrIndex: number;
}

function regimeFields(el: 1 | 2 | 3, name: TranslationContext['regime']): RegimeFields {
  const tcr = `TCR_EL${el}`;
  const ranges =
    el === 1
      ? [rangeFields(tcr, '0', 'TTBR0_EL1', false), rangeFields(tcr, '1', 'TTBR1_EL1', false)]
      : [rangeFields(tcr, '0', `TTBR0_EL${el}`, true)];
  return {
    name,
    sctlr: sctlrOf(`SCTLR_EL${el}`),
    ranges,
    ips: controls({ ips: el === 1 ? `${tcr}.IPS` : `${tcr}.PS` }).ips,
    mair: registerIndex(`MAIR_EL${el}`),
    sctlrIndex: registerIndex(`SCTLR_EL${el}`),
    tcrIndex: registerIndex(tcr),
  };
}

const regimes = [regimeFields(1, 'EL1&0'), regimeFields(2, 'EL2'), regimeFields(3, 'EL3')] as const;
const E1 = controls({ A1: 'TCR_EL1.A1', AS: 'TCR_EL1.AS' });

/** SCTLR bits that matter to translation and alignment: M, A, C, I, WXN, EE. */
const SCTLR_KEY = (1 << 0) | (1 << 1) | (1 << 2) | (1 << 12) | (1 << 19) | (1 << 25);

const emptyRange = (): TranslationRange => ({
  enabled: false,
  disabledWalks: false,
  base: 0,
  vaBits: 0,
  granuleLog2: 12,
  tbi: false,
  walkCacheable: false,
});

function emptyContext(regime: TranslationContext['regime'], el: 1 | 2 | 3): TranslationContext {
  return {
    regime,
    el,
    secure: false,
    mmu: false,
    dataCacheable: false,
    fetchCacheable: false,
    alignmentCheck: false,
    nAA: false,
    wxn: false,
    bigEndianWalks: false,
    pan: false,
    asid: 0,
    vmid: 0,
    ranges: [emptyRange(), emptyRange()],
    ipsBits: 0,
    mairLo: 0,
    mairHi: 0,
    hcrDC: false,
  };
}

export class TranslationContexts {
  /** By regime: EL1&0, EL2, EL3. */
  readonly byRegime: readonly [TranslationContext, TranslationContext, TranslationContext] = [
    emptyContext('EL1&0', 1),
    emptyContext('EL2', 2),
    emptyContext('EL3', 3),
  ];
  /** Bit n: regime n has to be decoded again. */
  private stale = 7;
  private readonly key: number[] = new Array(8).fill(0);

  constructor(
    private readonly state: CoreState,
    private readonly levels: Levels,
    private readonly identity: Identity,
  ) {}

  /** A register that some context reads has changed. */
  invalidate(): void {
    this.stale = 7;
  }

  /** The context of the current level, up to date. */
  current(): TranslationContext {
    const { el } = this.state;
    const context = this.regime(el === 0 ? 1 : el);
    context.el = el as 0 | 1 | 2 | 3;
    context.pan = (this.state.others & Pstate.PAN) !== 0;
    return context;
  }

  /** The context of the regime that ELn (1 … 3) controls, with n as its level. */
  regime(n: number): TranslationContext {
    const context = this.byRegime[n - 1];
    if (this.stale & (1 << (n - 1))) {
      this.stale &= ~(1 << (n - 1));
      this.decode(context, regimes[n - 1], n);
    }
    context.el = n as 1 | 2 | 3;
    return context;
  }

  /** A copy of the context of accesses at ELn, for the debugger: the current one is not touched. */
  copyFor(el: 0 | 1 | 2 | 3): TranslationContext {
    const n = Math.max(el, 1);
    const { el: kept } = this.byRegime[n - 1];
    const shared = this.regime(n);
    const [lower, upper] = shared.ranges;
    const copy: TranslationContext = { ...shared, el, ranges: [{ ...lower }, { ...upper }] };
    shared.el = kept;
    return copy;
  }

  private decode(context: TranslationContext, fields: RegimeFields, n: number): void {
    const { state, levels, identity } = this;
    const { sctlr } = fields;
    const overridden = n === 1 && (levels.tge() || levels.hcr(H.DC));
    context.secure = n === 3 || (n === 1 && levels.lowerSecure());
    context.mmu = state.bit(sctlr.M) && !overridden;
    context.hcrDC = n === 1 && levels.hcr(H.DC);
    context.dataCacheable = state.bit(sctlr.C);
    context.fetchCacheable = state.bit(sctlr.I);
    context.alignmentCheck = state.bit(sctlr.A);
    context.nAA = state.bit(sctlr.nAA);
    context.wxn = state.bit(sctlr.WXN);
    context.bigEndianWalks = state.bit(sctlr.EE);
    context.ipsBits = context.mmu
      ? Math.min(paRangeBits[Math.min(state.field(fields.ips), 5)], identity.paBits)
      : identity.paBits;
    context.mairLo = state.lo(fields.mair);
    context.mairHi = state.hi(fields.mair);
    context.vmid = n === 1 && levels.el2Enabled() ? (state.hi(VTTBR) >>> 16) & 0xff : 0;
    context.asid = n === 1 ? this.asid() : 0;
    for (const [i, range] of fields.ranges.entries()) this.decodeRange(context.ranges[i], range);
  }

  private asid(): number {
    const { state } = this;
    const ttbr = regimes[0].ranges[state.bit(E1.A1) ? 1 : 0].ttbr;
    const asid = state.hi(ttbr) >>> 16;
    return state.bit(E1.AS) ? asid : asid & 0xff;
  }

  private decodeRange(range: Mutable<TranslationRange>, fields: RangeFields): void {
    const { state } = this;
    const granule = fields.granules[state.field(fields.granule)];
    range.enabled = true;
    range.disabledWalks = fields.epd !== undefined && state.bit(fields.epd);
    // Bit 0 is CnP; bits 63:48 an ASID. The walker aligns the base to the size of the first table.
    range.base = (state.hi(fields.ttbr) & 0xffff) * 2 ** 32 + ((state.lo(fields.ttbr) & ~1) >>> 0);
    range.vaBits = 64 - state.field(fields.size);
    range.granuleLog2 = granule === 14 && !this.identity.granule16 ? 12 : granule;
    range.tbi = state.bit(fields.tbi);
    range.walkCacheable = state.field(fields.inner) !== 0 && state.field(fields.outer) !== 0;
  }

  /** All that translation of the current context depends on besides TLB contents; the same array every time. */
  currentKey(): readonly number[] {
    const { key, state } = this;
    const context = this.current();
    const fields = regimes[context.el === 0 ? 0 : context.el - 1];
    key[0] =
      context.el | (context.secure ? 4 : 0) | (context.mmu ? 8 : 0) | (context.pan ? 16 : 0) | (context.hcrDC ? 32 : 0);
    key[1] = context.asid;
    key[2] = context.vmid;
    key[3] = state.lo(fields.sctlrIndex) & SCTLR_KEY;
    key[4] = state.lo(fields.tcrIndex);
    key[5] = state.hi(fields.tcrIndex);
    key[6] = context.mairLo;
    key[7] = context.mairHi;
    return key;
  }
}
