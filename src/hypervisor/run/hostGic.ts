/** The machine's interrupt controller as the host drives it, by version: ends of interrupts in two steps (EOImode 1). */
import { REDISTRIBUTOR_BYTES } from '../../devices/gicv3/redistributors';
import { virtMap } from '../../devices/virtBoard';
import type { CoreContext } from './model';
import { MAINTENANCE_INTERRUPT, VTIMER_INTERRUPT } from './vgic';

export interface HostGic {
  /** Set-up of this core: the timer's and the maintenance interrupt. */
  enable(c: CoreContext): void;
  /** The interrupt to handle, now active; undefined: none. */
  acknowledge(c: CoreContext): number | undefined;
  /** Drops the priority. */
  end(c: CoreContext, id: number): void;
  deactivate(c: CoreContext, id: number): void;
  /** The virtual timer's interrupt is made active or inactive. */
  setTimerActive(c: CoreContext, active: boolean): void;
}

const OWN = (1 << VTIMER_INTERRUPT) | (1 << MAINTENANCE_INTERRUPT);
const SPURIOUS = 1020;
/** GICD_ registers of the first word of interrupts; GICR_ ones have the same offsets in the second frame. */
const WORD0 = { IGROUPR: 0x080, ISENABLER: 0x100, ISACTIVER: 0x300, ICACTIVER: 0x380 } as const;
const PMR_ALL = 0xf0;

const GICC = { CTLR: 0x00, PMR: 0x04, IAR: 0x0c, EOIR: 0x10, DIR: 0x1000 } as const;
const GICC_EOIMODE = 1 << 9;

const gicd = (c: CoreContext, offset: number, value: number): void =>
  c.port.mmioWrite(c.core, virtMap.gicDistributor.base + offset, value);
const gicc = (c: CoreContext, offset: number, value: number): void =>
  c.port.mmioWrite(c.core, virtMap.gicCpu.base + offset, value);

const hostGicV2: HostGic = {
  enable: (c) => {
    gicd(c, 0, 1);
    gicd(c, WORD0.ISENABLER, OWN);
    gicc(c, GICC.PMR, PMR_ALL);
    gicc(c, GICC.CTLR, 1 | GICC_EOIMODE);
  },
  acknowledge: (c) => {
    const id = c.port.mmioRead(c.core, virtMap.gicCpu.base + GICC.IAR) & 0x3ff;
    return id >= SPURIOUS ? undefined : id;
  },
  end: (c, id) => gicc(c, GICC.EOIR, id),
  deactivate: (c, id) => gicc(c, GICC.DIR, id),
  setTimerActive: (c, active) => gicd(c, active ? WORD0.ISACTIVER : WORD0.ICACTIVER, 1 << VTIMER_INTERRUPT),
};

const GICR_WAKER = 0x14;
const SGI_FRAME = 0x1_0000;
/** GICD_CTLR.EnableGrp1. */
const GROUP1 = 2;
/** ICC_CTLR_EL1.EOImode. */
const EOIMODE = 2n;
/** ICC_SRE_EL2: Enable, DIB, DFB, SRE. */
const SRE = 0xfn;

const gicr = (c: CoreContext, offset: number, value: number): void =>
  c.port.mmioWrite(c.core, virtMap.gicRedistributors.base + c.core * REDISTRIBUTOR_BYTES + offset, value);

const hostGicV3: HostGic = {
  enable: (c) => {
    gicd(c, 0, GROUP1);
    gicr(c, GICR_WAKER, 0);
    gicr(c, SGI_FRAME + WORD0.IGROUPR, 0xffff_ffff);
    gicr(c, SGI_FRAME + WORD0.ISENABLER, OWN);
    c.write('ICC_SRE_EL2', SRE);
    c.write('ICC_PMR_EL1', BigInt(PMR_ALL));
    c.write('ICC_CTLR_EL1', EOIMODE);
    c.write('ICC_IGRPEN1_EL1', 1n);
  },
  acknowledge: (c) => {
    const id = Number(c.port.access(c.core, 'ICC_IAR1_EL1'));
    return id >= SPURIOUS ? undefined : id;
  },
  end: (c, id) => c.write('ICC_EOIR1_EL1', BigInt(id)),
  deactivate: (c, id) => c.write('ICC_DIR_EL1', BigInt(id)),
  setTimerActive: (c, active) =>
    gicr(c, SGI_FRAME + (active ? WORD0.ISACTIVER : WORD0.ICACTIVER), 1 << VTIMER_INTERRUPT),
};

export const hostGicOf = ({ model }: CoreContext): HostGic | undefined =>
  model.config.gic === undefined ? undefined : model.config.gic === 3 ? hostGicV3 : hostGicV2;
