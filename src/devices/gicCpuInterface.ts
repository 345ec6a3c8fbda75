/** The registers of the GICv2 CPU interfaces: one page at which every core sees its own. State is in GicV2. */
import type { Device, DeviceRegisterRow } from './device';
import { CPU_CTLR_MASK, CTLR_GROUP1, fromNonSecure, type GicV2, MIN_ABPR, MIN_BPR, nonSecureView } from './gicv2';
import { partOfWord, placedInWord, wordRow } from './registerFile';

const CTLR = 0x00;
const PMR = 0x04;
const BPR = 0x08;
const IAR = 0x0c;
const EOIR = 0x10;
const RPR = 0x14;
const HPPIR = 0x18;
const ABPR = 0x1c;
const AIAR = 0x20;
const AEOIR = 0x24;
const AHPPIR = 0x28;
const APR0 = 0xd0;
const NSAPR0 = 0xe0;
const IIDR = 0xfc;
const DIR = 0x1000;

const EOI_MODE = 1 << 9;
const IDLE = 0xff;
/** Non-secure accesses to these are accesses to the group 1 aliases. */
const aliasOf: Readonly<Record<number, number>> = { [BPR]: ABPR, [IAR]: AIAR, [EOIR]: AEOIR, [HPPIR]: AHPPIR };

const ARM_GIC400_CPU_INTERFACE = 0x0202143b;

export const cpuInterfaceRegisters: readonly DeviceRegisterRow[] = [
  wordRow(CTLR, 'GICC_CTLR', 'RW', 'CPU Interface Control Register', { mask: CPU_CTLR_MASK }),
  wordRow(PMR, 'GICC_PMR', 'RW', 'Interrupt Priority Mask Register', { mask: 0xff }),
  wordRow(BPR, 'GICC_BPR', 'RW', 'Binary Point Register', { mask: 7, reset: MIN_BPR }),
  wordRow(IAR, 'GICC_IAR', 'RO', 'Interrupt Acknowledge Register', { reset: 1023 }),
  wordRow(EOIR, 'GICC_EOIR', 'WO', 'End of Interrupt Register'),
  wordRow(RPR, 'GICC_RPR', 'RO', 'Running Priority Register', { reset: 0xff }),
  wordRow(HPPIR, 'GICC_HPPIR', 'RO', 'Highest Priority Pending Interrupt Register', { reset: 1023 }),
  wordRow(ABPR, 'GICC_ABPR', 'RW', 'Aliased Binary Point Register', { mask: 7, reset: MIN_ABPR }),
  wordRow(AIAR, 'GICC_AIAR', 'RO', 'Aliased Interrupt Acknowledge Register', { reset: 1023 }),
  wordRow(AEOIR, 'GICC_AEOIR', 'WO', 'Aliased End of Interrupt Register'),
  wordRow(AHPPIR, 'GICC_AHPPIR', 'RO', 'Aliased Highest Priority Pending Interrupt Register', { reset: 1023 }),
  wordRow(APR0, 'GICC_APRn', 'RW', 'Active Priorities Registers', { count: 4 }),
  wordRow(NSAPR0, 'GICC_NSAPRn', 'RW', 'Non-secure Active Priorities Registers: zero here', { count: 4, mask: 0 }),
  wordRow(IIDR, 'GICC_IIDR', 'RO', 'CPU Interface Identification Register', { reset: ARM_GIC400_CPU_INTERFACE }),
  wordRow(DIR, 'GICC_DIR', 'WO', 'Deactivate Interrupt Register'),
];

export class GicCpuInterface implements Device {
  readonly name = 'gicc';
  readonly size = 0x10000;
  readonly registers = cpuInterfaceRegisters;

  constructor(
    readonly base: number,
    private readonly gic: GicV2,
  ) {}

  /** State is reset, saved and loaded by the distributor. */
  reset(): void {}
  save(): null {
    return null;
  }
  load(): void {}

  /** Where a Non-secure access to a register goes: its group 1 alias; the aliases themselves and GICC_APRn read as zero. */
  private nonSecureWord(offset: number, core: number): number {
    const cpu = this.gic.cpu[core];
    switch (offset) {
      case CTLR:
        return ((cpu.ctlr & CTLR_GROUP1) >> 1) | (cpu.ctlr & EOI_MODE);
      case PMR:
        return nonSecureView(cpu.pmr);
      case RPR: {
        const running = this.gic.runningPriority(core);
        return running === IDLE ? IDLE : nonSecureView(running);
      }
      case IIDR:
        return this.word(IIDR, core);
      default:
        return offset in aliasOf ? this.word(aliasOf[offset], core) : 0;
    }
  }

  private nonSecureWrite(offset: number, value: number, core: number): void {
    const cpu = this.gic.cpu[core];
    if (offset === CTLR) {
      cpu.ctlr = (cpu.ctlr & ~(CTLR_GROUP1 | EOI_MODE)) | ((value & 1) << 1) | (value & EOI_MODE);
    } else if (offset === PMR) {
      // A mask that Secure software put into the upper half stays.
      if (cpu.pmr >= 0x80) cpu.pmr = fromNonSecure(value & 0xff);
    } else if (offset in aliasOf) this.secureWrite(aliasOf[offset], value, core);
    else if (offset === DIR && this.gic.sees(core, value & 0x3ff)) this.secureWrite(DIR, value, core);
  }

  private word(offset: number, core: number): number {
    const cpu = this.gic.cpu[core];
    if (offset >= APR0 && offset < NSAPR0) return cpu.apr[(offset - APR0) >> 2];
    switch (offset) {
      case CTLR:
        return cpu.ctlr;
      case PMR:
        return cpu.pmr;
      case BPR:
        return cpu.bpr;
      case ABPR:
        return cpu.abpr;
      case IAR:
        return this.gic.peekAcknowledge(core, false);
      case AIAR:
        return this.gic.peekAcknowledge(core, true);
      case RPR:
        return this.gic.runningPriority(core);
      case HPPIR:
        return this.gic.highestPending(core, false);
      case AHPPIR:
        return this.gic.highestPending(core, true);
      case IIDR:
        return ARM_GIC400_CPU_INTERFACE;
      default:
        return 0;
    }
  }

  peek(offset: number, size: number, core: number): number | undefined {
    const at = offset & ~3;
    return partOfWord(this.gic.hides(core) ? this.nonSecureWord(at, core) : this.word(at, core), offset, size);
  }

  read(offset: number, size: number, core: number): number {
    const at = offset & ~3;
    if (this.gic.hides(core)) {
      const seen = at === IAR ? this.gic.acknowledge(core, true) : this.nonSecureWord(at, core);
      return partOfWord(seen, offset, size);
    }
    const word = at === IAR || at === AIAR ? this.gic.acknowledge(core, at === AIAR) : this.word(at, core);
    return partOfWord(word, offset, size);
  }

  write(offset: number, size: number, value: number, core: number): void {
    const word = placedInWord(value, offset, size);
    if (this.gic.hides(core)) this.nonSecureWrite(offset & ~3, word, core);
    else this.secureWrite(offset & ~3, word, core);
    this.gic.update();
  }

  private secureWrite(at: number, word: number, core: number): void {
    const cpu = this.gic.cpu[core];
    if (at >= APR0 && at < NSAPR0) cpu.apr[(at - APR0) >> 2] = word;
    switch (at) {
      case CTLR:
        cpu.ctlr = word & CPU_CTLR_MASK;
        break;
      case PMR:
        cpu.pmr = word & 0xff;
        break;
      case BPR:
        cpu.bpr = Math.max(word & 7, MIN_BPR);
        break;
      case ABPR:
        cpu.abpr = Math.max(word & 7, MIN_ABPR);
        break;
      case EOIR:
        this.gic.endOfInterrupt(core, word, false);
        break;
      case AEOIR:
        this.gic.endOfInterrupt(core, word, true);
        break;
      case DIR:
        this.gic.deactivate(core, word);
        break;
    }
  }
}
