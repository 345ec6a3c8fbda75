/** Accesses of a guest to what is no memory (arch/arm64/kvm/mmio.c), by what ESR_EL2 says of the instruction. */

import { bitsOf } from '../fields';
import { skip } from './inject';
import { done, type Routine, step } from './routines';

/** ESR_EL2.ISS of a data abort: valid syndrome, log2 of bytes, sign extension, register, 64-bit register, write. */
export function decode(esr: bigint) {
  return {
    valid: bitsOf(esr, 24, 24) === 1,
    bytes: 1 << bitsOf(esr, 23, 22),
    signed: bitsOf(esr, 21, 21) === 1,
    rt: bitsOf(esr, 20, 16),
    wide: bitsOf(esr, 15, 15) === 1,
    write: bitsOf(esr, 6, 6) === 1,
  } as const;
}

/** What the register gets of what a device answered (kvm_handle_mmio_return). */
export function loaded(value: bigint, { bytes, signed, wide }: ReturnType<typeof decode>): bigint {
  const bits = 8 * bytes;
  const extended = signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  return BigInt.asUintN(wide ? 64 : 32, extended);
}

/** KVM_EXIT_MMIO: user space answers, then the register gets what was read. */
export const ioMemAbort: Routine = {
  name: 'io_mem_abort',
  steps: [
    step('exit to user space with KVM_EXIT_MMIO', 200, (c, locals) => {
      const { vcpu, model } = c;
      const access = decode(locals.esr as bigint);
      if (!access.valid) {
        model.userSpace.fail(
          vcpu,
          'ENOSYS',
          'an access to what is no memory by an instruction that ESR_EL2 does not describe',
        );
        return done('yield');
      }
      vcpu.count('KVM_EXIT_MMIO');
      const { rt, bytes, write } = access;
      const ipa = locals.ipa as number;
      if (write) model.userSpace.write(vcpu, ipa, bytes, rt === 31 ? 0n : BigInt.asUintN(8 * bytes, vcpu.x[rt]));
      else {
        const value = loaded(model.userSpace.read(vcpu, ipa, bytes), access);
        if (rt !== 31) vcpu.x[rt] = value;
      }
      return undefined;
    }),
    step('skip the instruction', 5, ({ vcpu }) => {
      skip(vcpu);
      return done('resume');
    }),
  ],
};
