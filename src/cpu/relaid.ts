/**
 * Registers of EL2 whose layout changes with HCR_EL2.E2H: what a write leaves in them in either layout. Bits that are reserved
 * in the current one read as they should, whatever the other left there.
 */
import type { HasFeature } from '../arch/features/index';
import { systemRegisters } from '../arch/sysregs/index';
import { hostFields, onesMask, writableMask } from '../arch/sysregs/masks';
import type { CoreState } from './state';

/** Per layout and register, two words each: bits that a write reaches, and bits that are ones. */
interface Layout {
  readonly mask: Uint32Array;
  readonly ones: Uint32Array;
}

const words = (values: readonly bigint[]): Uint32Array =>
  Uint32Array.from(values.flatMap((value) => [Number(value & 0xffffffffn), Number(value >> 32n)]));

export class RelaidRegisters {
  private readonly relaid: Uint8Array;
  private readonly layouts: readonly [Layout, Layout];

  constructor(
    private readonly state: CoreState,
    has: HasFeature,
  ) {
    this.relaid = Uint8Array.from(systemRegisters, (row) => (hostFields(row) === undefined ? 0 : 1));
    const layout = (host: boolean): Layout => {
      const rows = systemRegisters.map((row) => ({ fields: (host ? hostFields(row) : undefined) ?? row.fields }));
      return {
        mask: words(rows.map((row) => writableMask(row, has))),
        ones: words(rows.map((row) => onesMask(row, has))),
      };
    };
    this.layouts = [layout(false), layout(true)];
  }

  has(index: number): boolean {
    return this.relaid[index] !== 0;
  }

  store(index: number, hi: number, lo: number, e2h: boolean): void {
    const { mask, ones } = this.layouts[e2h ? 1 : 0];
    const at = index * 2;
    this.state.store(index, ((hi & mask[at + 1]) | ones[at + 1]) >>> 0, ((lo & mask[at]) | ones[at]) >>> 0);
  }
}
