/**
 * Decodes the system registers of one translation regime into the TranslationContext that the MMU and the memory system read,
 * and into the key that says when two contexts may share line tables. Done when a register changes, never per access.
 *
 * HCR_EL2.{TGE,DC}: stage 1 of EL1&0 is off whatever SCTLR_EL1.M says. HCR_EL2.E2H: EL2's regime is EL2&0, laid out as EL1&0.
 * Reserved values of TCR's granule fields choose 4 KB (IMPLEMENTATION DEFINED), as does 16 KB on a core that does not have it.
 */
import type { TranslationContext, TranslationRange } from '../memory/types';
import { type ControlField, controls, registerIndex } from './controls';
import { type Identity, paRangeBits } from './identity';
import type { Levels } from './levels';
import { Pstate } from './pstate';
import { decodeStage2, noStage2, stage2Key } from './stage2Controls';
import type { CoreState } from './state';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const H = controls({ DC: 'HCR_EL2.DC', VM: 'HCR_EL2.VM' });
const VTTBR = registerIndex('VTTBR_EL2');
const VTCR = registerIndex('VTCR_EL2');
const VS = controls({ VS: 'VTCR_EL2.VS' }).VS;

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
  readonly e0pd: ControlField | undefined;
  readonly hpd: ControlField;
  readonly tbi: ControlField;
  readonly tbid: ControlField;
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
    tbid: single ? `${tcr}.TBID` : `${tcr}.TBID${n}`,
    hpd: single ? `${tcr}.HPD` : `${tcr}.HPD${n}`,
    inner: `${tcr}.IRGN${n}`,
    outer: `${tcr}.ORGN${n}`,
  });
  const double = single ? undefined : controls({ epd: `${tcr}.EPD${n}`, e0pd: `${tcr}.E0PD${n}` });
  const granules = n === '0' ? TG0 : TG1;
  return { ...f, ttbr: registerIndex(ttbr), granules, epd: double?.epd, e0pd: double?.e0pd };
}

interface RegimeFields {
  readonly name: TranslationContext['regime'];
  readonly sctlr: ReturnType<typeof sctlrOf>;
  readonly ranges: readonly RangeFields[];
  readonly ips: ControlField;
  readonly hardwareFlag: ControlField;
  readonly hardwareDirty: ControlField;
  /** TCR.{A1,AS} of regimes with ASIDs. */
  readonly asid: { readonly A1: ControlField; readonly AS: ControlField } | undefined;
  readonly mair: number;
  /** Registers that go into the context key as they are: SCTLR, TCR. */
  readonly sctlrIndex: number;
  readonly tcrIndex: number;
}

/** `tcr` names the register with its layout. */
function regimeFields(el: 1 | 2 | 3, name: TranslationContext['regime'], tcr: string): RegimeFields {
  const single = name === 'EL2' || name === 'EL3';
  const ranges = [rangeFields(tcr, '0', `TTBR0_EL${el}`, single)];
  if (!single) ranges.push(rangeFields(tcr, '1', `TTBR1_EL${el}`, false));
  return {
    name,
    sctlr: sctlrOf(`SCTLR_EL${el}`),
    ranges,
    ...controls({ ips: `${tcr}.${single ? 'PS' : 'IPS'}`, hardwareFlag: `${tcr}.HA`, hardwareDirty: `${tcr}.HD` }),
    asid: single ? undefined : controls({ A1: `${tcr}.A1`, AS: `${tcr}.AS` }),
    mair: registerIndex(`MAIR_EL${el}`),
    sctlrIndex: registerIndex(`SCTLR_EL${el}`),
    tcrIndex: registerIndex(`TCR_EL${el}`),
  };
}

const regimes = [
  regimeFields(1, 'EL1&0', 'TCR_EL1'),
  regimeFields(2, 'EL2', 'TCR_EL2'),
  regimeFields(3, 'EL3', 'TCR_EL3'),
] as const;
const hostRegime = regimeFields(2, 'EL2&0', 'TCR_EL2(E2H)');

/** SCTLR bits that matter to translation and alignment: M, A, C, I, WXN, EE. */
const SCTLR_KEY = (1 << 0) | (1 << 1) | (1 << 2) | (1 << 12) | (1 << 19) | (1 << 25);

const emptyRange = (): TranslationRange => ({
  enabled: false,
  disabledWalks: false,
  base: 0,
  vaBits: 0,
  granuleLog2: 12,
  tbi: false,
  tbid: false,
  walkCacheable: false,
  flatPermissions: false,
  closedToEl0: false,
});

function emptyContext(regime: TranslationContext['regime'], el: 1 | 2 | 3): TranslationContext {
  return {
    regime,
    twoRanges: false,
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
    userAccess: false,
    asid: 0,
    vmid: 0,
    ranges: [emptyRange(), emptyRange()],
    ipsBits: 0,
    mairLo: 0,
    mairHi: 0,
    hcrDC: false,
    hardwareFlag: false,
    hardwareDirty: false,
    stage2: false,
    s2: noStage2(),
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
  private readonly key: number[] = new Array(9).fill(0);
  private readonly xnx: boolean;

  constructor(
    private readonly state: CoreState,
    private readonly levels: Levels,
    private readonly identity: Identity,
  ) {
    this.xnx = identity.has('FEAT_XNX');
  }

  /** A register that some context reads has changed. */
  invalidate(): void {
    this.stale = 7;
  }

  /** The level whose registers control accesses of ELn: EL0 is EL1's, or a host's. */
  private controlling(el: number): number {
    if (el > 0) return el;
    return this.levels.host() ? 2 : 1;
  }

  /** The context of the current level, up to date. */
  current(): TranslationContext {
    const { el, others } = this.state;
    const context = this.regime(this.controlling(el));
    context.el = el as 0 | 1 | 2 | 3;
    context.pan = (others & Pstate.PAN) !== 0;
    context.userAccess = (el === 1 || (el === 2 && this.levels.host())) && (others & Pstate.UAO) === 0;
    return context;
  }

  /** The context of the regime that ELn (1 … 3) controls, with n as its level. */
  regime(n: number): TranslationContext {
    const context = this.byRegime[n - 1];
    if (this.stale & (1 << (n - 1))) {
      this.stale &= ~(1 << (n - 1));
      this.decode(context, this.fieldsOf(n), n);
    }
    context.el = n as 1 | 2 | 3;
    return context;
  }

  private fieldsOf(n: number): RegimeFields {
    return n === 2 && this.levels.e2h() ? hostRegime : regimes[n - 1];
  }

  /**
   * A copy of the context of accesses at ELn, for the debugger: the current one is not touched. `stage2`: with the tables of
   * VTTBR_EL2 also while HCR_EL2 has them off.
   */
  copyFor(el: 0 | 1 | 2 | 3, stage2 = false): TranslationContext {
    const n = this.controlling(el);
    const { el: kept } = this.byRegime[n - 1];
    const shared = this.regime(n);
    const [lower, upper] = shared.ranges;
    const copy: TranslationContext = { ...shared, el, ranges: [{ ...lower }, { ...upper }], s2: { ...shared.s2 } };
    shared.el = kept;
    if (!stage2 || copy.stage2) return copy;
    decodeStage2(copy.s2, this.state, this.identity.paBits, this.identity.granule16, this.xnx);
    return { ...copy, stage2 };
  }

  private decode(context: TranslationContext, fields: RegimeFields, n: number): void {
    const { state, levels, identity } = this;
    const { sctlr } = fields;
    const guest = n === 1 && !levels.host();
    const defaultCacheable = guest && levels.hcr(H.DC);
    context.regime = fields.name;
    context.twoRanges = fields.ranges.length === 2;
    context.secure = n === 3 || (n === 1 && levels.lowerSecure());
    context.mmu = state.bit(sctlr.M) && !(n === 1 && (levels.tge() || defaultCacheable));
    context.hcrDC = defaultCacheable;
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
    context.hardwareFlag = state.bit(fields.hardwareFlag);
    context.hardwareDirty = context.hardwareFlag && state.bit(fields.hardwareDirty);
    context.vmid = n === 1 && levels.el2Enabled() ? this.vmid() : 0;
    context.asid = fields.asid === undefined ? 0 : this.asid(fields);
    for (const [i, range] of fields.ranges.entries()) this.decodeRange(context.ranges[i], range, context.dataCacheable);
    context.stage2 = guest && (levels.hcr(H.VM) || defaultCacheable);
    if (context.stage2) decodeStage2(context.s2, state, identity.paBits, identity.granule16, this.xnx);
  }

  private vmid(): number {
    const vmid = this.state.hi(VTTBR) >>> 16;
    return this.state.bit(VS) ? vmid : vmid & 0xff;
  }

  private asid(fields: RegimeFields): number {
    const { state } = this;
    const { A1, AS } = fields.asid!;
    const asid = state.hi(fields.ranges[state.bit(A1) ? 1 : 0].ttbr) >>> 16;
    return state.bit(AS) ? asid : asid & 0xff;
  }

  private decodeRange(range: Mutable<TranslationRange>, fields: RangeFields, dataCacheable: boolean): void {
    const { state } = this;
    const granule = fields.granules[state.field(fields.granule)];
    range.enabled = true;
    range.disabledWalks = fields.epd !== undefined && state.bit(fields.epd);
    // Bit 0 is CnP; bits 63:48 an ASID. The walker aligns the base to the size of the first table.
    range.base = (state.hi(fields.ttbr) & 0xffff) * 2 ** 32 + ((state.lo(fields.ttbr) & ~1) >>> 0);
    range.vaBits = 64 - state.field(fields.size);
    range.granuleLog2 = granule === 14 && !this.identity.granule16 ? 12 : granule;
    range.tbi = state.bit(fields.tbi);
    range.tbid = state.bit(fields.tbid);
    range.walkCacheable = dataCacheable && state.field(fields.inner) !== 0 && state.field(fields.outer) !== 0;
    range.flatPermissions = state.bit(fields.hpd);
    range.closedToEl0 = fields.e0pd !== undefined && state.bit(fields.e0pd);
  }

  /** All that translation of the current context depends on besides TLB contents; the same array every time. */
  currentKey(): readonly number[] {
    const { key, state } = this;
    const context = this.current();
    const fields = this.fieldsOf(this.controlling(context.el));
    key[0] =
      context.el |
      (context.secure ? 4 : 0) |
      (context.mmu ? 8 : 0) |
      (context.pan ? 16 : 0) |
      (context.hcrDC ? 32 : 0) |
      (context.regime === 'EL2&0' ? 64 : 0) |
      (context.stage2 ? stage2Key(context.s2) : 0);
    key[1] = context.asid;
    key[2] = context.vmid;
    key[3] = state.lo(fields.sctlrIndex) & SCTLR_KEY;
    key[4] = state.lo(fields.tcrIndex);
    key[5] = state.hi(fields.tcrIndex);
    key[6] = context.mairLo;
    key[7] = context.mairHi;
    key[8] = context.stage2 ? state.lo(VTCR) : 0;
    return key;
  }
}
