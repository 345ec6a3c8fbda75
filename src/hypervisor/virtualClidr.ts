/**
 * CLIDR_EL1 of a guest under the normalised topology: made from what the host's sanitised CTR_EL0 requires of a guest (reset_clidr),
 * and what user space may put there (set_clidr). Neither looks at the VM's own CTR_EL0. Source: FIDELITY A4 and a v6.17 source
 * of sys_regs.c.
 */
import type { Outcome } from './errno';
import { compose, getField, reservedZeroMask } from './fields';
import { clidrImpliesIdc } from './host/capabilities';

/** Ctype values: none, instruction, data, separate, unified (the architecture's table names them). */
const INSTRUCTION = 1n;
const DATA = 2n;
const UNIFIED = 4n;
/** Ttype: allocation tags and data are unified in a line. */
const UNIFIED_TAGS = 2n;

/** Reset value: `ctr` is the host's sanitised CTR_EL0; `mte`: the VM has memory tagging. */
export function resetClidr(ctr: bigint, mte: boolean): bigint {
  const idc = getField('CTR_EL0.IDC', ctr) === 1n;
  const dic = getField('CTR_EL0.DIC', ctr) === 1n;
  const loc = idc && !dic ? 2n : 1n;
  const types = { Ctype1: 0n, Ctype2: 0n };
  if (!idc) types.Ctype1 = DATA;
  else if (loc === 1n) types.Ctype1 = UNIFIED;
  else types.Ctype2 = UNIFIED;
  if (!dic) types.Ctype1 |= INSTRUCTION;
  const unification = idc ? 0n : 1n;
  return compose('CLIDR_EL1', {
    ...types,
    LoC: loc,
    LoUU: unification,
    LoUIS: unification,
    ...(mte ? { [`Ttype${loc}`]: UNIFIED_TAGS } : {}),
  });
}

/** Whether user space may give a guest this value. */
export function checkClidr(value: bigint, ctr: bigint): Outcome {
  const promisesIdc = clidrImpliesIdc(value);
  if ((value & reservedZeroMask('CLIDR_EL1')) !== 0n) return 'EINVAL';
  return promisesIdc && getField('CTR_EL0.IDC', ctr) === 0n ? 'EINVAL' : 'ok';
}
