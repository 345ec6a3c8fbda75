/** The kernels that are asked, the machines that they run on, and which of their cores come online late. */
import type { KernelVersion } from '../../../src/build/guests';

export const kernels: readonly KernelVersion[] = ['6.1-cloud', '6.12'];

export interface OracleMachine {
  readonly name: string;
  /** What the machine file says. */
  readonly file: object;
  /** So many of the last cores come online when the others have booted. */
  readonly late?: number;
  /** KVM runs at EL2 with the host; else nVHE. */
  readonly vhe?: true;
  /** Words for the kernel's command line. */
  readonly append?: string;
}

const a57 = { type: 'cortex-a57' } as const;
const max = { type: 'max' } as const;
const gic = 3;

/** An L2 of 16 ways and 128-byte lines. */
const l2 = (kib: number): object => ({ sets: kib / 2, ways: 16, lineBytes: 128, replacement: 'random' });

export const machines: readonly OracleMachine[] = [
  {
    name: 'm2-like, a core of each cluster',
    append: 'kvm-arm.mode=nvhe',
    file: {
      gic,
      cores: [
        { type: 'm2-efficiency', cluster: 0, l2: l2(4096) },
        { type: 'm2-performance', cluster: 1, l2: l2(16384) },
      ],
    },
  },
  { name: 'mixed-lines', file: { preset: 'mixed-lines' } },
  { name: 'pipt-vipt', file: { preset: 'pipt-vipt' } },
  { name: 'max', vhe: true, file: { gic, preset: 'max' } },
  {
    name: 'neoverse-n1 with erratum 1542419',
    vhe: true,
    file: { gic, preset: 'neoverse-n1', cores: [{ override: { MIDR_EL1: '0x413fd0c1' } }] },
  },
  {
    name: 'late cores of a machine like cortex-a57',
    late: 7,
    file: {
      cores: [
        a57,
        { ...a57, l1i: { policy: 'VIPT' } },
        { ...a57, l1i: { policy: 'VPIPT' } },
        { ...a57, idc: true },
        { ...a57, l1d: { lineBytes: 32 } },
        { ...a57, override: { CLIDR_EL1: '0x2000023' } }, // IDC is in effect, CTR_EL0 does not say so
        { ...a57, override: { ID_AA64MMFR0_EL1: '0x1022' } }, // 40 bits of physical addresses
        a57,
      ],
    },
  },
  {
    name: 'late cores of a machine like max',
    vhe: true,
    late: 7,
    file: {
      gic,
      cores: [
        max,
        { ...max, l1i: { policy: 'VIPT' } },
        { ...max, dic: false },
        { ...max, override: { CTR_EL0: '0xa444c004' } }, // IDC is in effect, CTR_EL0 does not say so
        { ...max, override: { CTR_EL0: '0xa444c004', CLIDR_EL1: '0xa200023' } }, // it is not in effect
        { ...max, features: { FEAT_EVT: false } },
        { ...max, features: { FEAT_S2FWB: false } },
        { ...max, features: { FEAT_VMID16: false } },
      ],
    },
  },
];
